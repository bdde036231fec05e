//! One test binary; a file for each behaviour.

mod bad_input;
mod scenarios;
