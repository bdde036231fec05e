//! Many runs: of one scenario, of several side by side, of every point of a sweep.

pub mod runner;
pub mod statistics;
