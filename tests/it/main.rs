//! One test binary; a file for each behaviour.

mod bad_input;
mod cli;
mod design;
mod files;
mod gateways;
mod golden;
mod knobs;
mod lowering;
mod play;
mod properties;
mod rig;
mod scenarios;
mod shared_health;
mod stages;
mod storm;
mod story;
mod support;
mod theory;
mod theory_breakers;
mod theory_ejections;
mod theory_faults;
mod theory_groups;
mod theory_probes;
mod theory_retries;
mod tidy;
mod ties;
