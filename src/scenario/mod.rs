//! Scenario files as people write them, lowered into a [`crate::model::Model`].
//!
//! TOML is parsed into a tree that knows where each value was written (`tree`), parts are merged in (`part`), the
//! tree is checked against the schema (`check`), deserialised (`file`) and lowered (`lower`). Every
//! problem on the way is collected, with its place and what to write instead. Running a model, and printing anything,
//! is left to others.

pub(crate) mod check;
mod default;
mod document;
mod file;
mod file_capacity;
mod file_detector;
mod file_fault;
mod file_gateway;
mod file_gateway_limit;
mod file_health_check;
mod file_incidents;
mod file_latency;
mod file_network;
mod file_operator;
mod file_price;
mod file_provider;
mod file_quota;
mod file_retry;
mod file_route;
mod file_slo;
mod file_traffic;
mod file_users;
mod files;
mod incident_list;
mod lower;
mod lower_capacity;
mod lower_detector;
mod lower_fault;
mod lower_gateway;
mod lower_gateway_limit;
mod lower_incidents;
mod lower_latency;
mod lower_network;
mod lower_operator;
mod lower_price;
mod lower_profile;
mod lower_provider;
mod lower_quota;
mod lower_retry;
mod lower_route;
mod lower_slo;
mod lower_traffic;
mod number;
mod part;
mod path;
mod problem;
pub(crate) mod quantity;
pub(crate) mod setting;
pub(crate) mod shape;
pub(crate) mod source;
mod standalone;
mod trace;
mod trace_locust;
mod trace_table;
pub(crate) mod tree;

pub use document::{Document, Loader, ResolvedSetting, SAID};
pub(crate) use document::{file_source, read_text, value_of};
pub(crate) use files::part_text;
pub use problem::{Problem, Problems};
pub(crate) use problem::{nearest, one_of, suggestion};
pub(crate) use source::given_by_hand;
pub(crate) use trace_table::csv_line;

/// A commented scenario to start from.
pub const TEMPLATE: &str = include_str!("template.toml");

/// The JSON Schema of scenario files, for editors.
pub fn json_schema() -> String {
    shape::published_schema::<file::Scenario>("failover-sim scenario")
}
