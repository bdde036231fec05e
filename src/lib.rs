//! How many requests will this gateway config lose?

pub mod cli;
pub mod engine;
pub mod experiment;
pub mod metrics;
pub mod model;
pub mod output;
pub mod random;
pub mod scenario;
pub mod time;
