//! One test binary; a file for each behaviour.

mod bad_input;
mod cli;
mod files;
mod golden;
mod knobs;
mod lowering;
mod play;
mod properties;
mod scenarios;
mod stages;
mod storm;
mod story;
mod support;
mod theory;
mod tidy;
mod ties;
