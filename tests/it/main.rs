//! One test binary; a file for each behaviour.

mod bad_input;
mod knobs;
mod play;
mod properties;
mod scenarios;
mod story;
mod theory;
mod tidy;
