//! One test binary; a file for each behaviour.

mod bad_input;
mod play;
mod properties;
mod scenarios;
mod story;
mod theory;
mod tidy;
