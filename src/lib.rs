//! How many requests will this gateway config lose?

pub mod experiment;
pub mod model;
pub mod random;
pub mod scenario;
pub mod time;
