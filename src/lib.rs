//! How many requests will this gateway config lose?

pub mod model;
pub mod random;
pub mod time;
