//! Tuning: which settings are best over a mix of situations, under constraints, found with few runs.

pub mod mix;
