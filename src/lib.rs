//! How many requests will this gateway config lose?
//!
//! `failover-sim` simulates request traffic, provider outages and the gateway in between, one event at a time, and counts
//! what its clients would have seen. The same scenario and seed give the same bytes on any number of threads.
//!
//! A scenario is a TOML file; it becomes a [`model::Model`], which the [`engine`] plays, and [`metrics`] makes an
//! [`metrics::Outcome`] of each run:
//!
//! ```
//! use failover_sim::metrics::{Wanted, measure};
//! use failover_sim::scenario::Loader;
//!
//! let scenario = Loader::new().parse("story", r#"
//!     duration = "20m"
//!     traffic = { arrivals = { constant = "155.56/s" } }
//!     provider.preferred = { latency = { constant = "2s" } }
//!     provider.backup = { latency = { constant = "2s" } }
//!     fault.outage = { on = { name = "preferred" }, at = "2m", lasts = "4m", requests = { status = 502 }, probes = "hang" }
//!     gateway.route = { prefer = ["preferred", "backup"] }
//!     gateway.health_check = { interval = "60s", timeout = "30s" }
//! "#)?;
//! let model = scenario.model()?;
//! for run in 0..10 {
//!     let outcome = measure(&model, 1, run, Wanted::METRICS, None);
//!     // The next probe comes within 60 s and takes 30 s to fail.
//!     assert!((4_666..=14_001).contains(&outcome.failures.total()));
//! }
//! # Ok::<(), failover_sim::scenario::Problems>(())
//! ```
//!
//! The modules, in the order of the data flow: [`scenario`] reads TOML, [`model`] holds what is valid, [`engine`] plays it,
//! [`metrics`] measures, [`experiment`] plays many, [`output`] writes, [`validation`] holds
//! predictions against measurements of real gateways, [`job`] is what each command does, `serve` (behind the feature of that name) shows a what-if page in a
//! browser, [`cli`] is the command. [`time`] and [`random`] lie
//! under all of them.

pub mod cli;
pub mod engine;
pub mod experiment;
pub mod job;
pub mod metrics;
pub mod model;
pub mod output;
pub mod random;
pub mod scenario;
#[cfg(feature = "serve")]
pub mod serve;
pub mod time;
pub mod validation;
