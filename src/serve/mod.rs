//! The what-if page: a scenario, controls for the settings that matter, and what the outage costs with them.
//!
//! [`WhatIf`] holds the scenario as it was read, and answers "and with these settings?"; it knows nothing of HTTP. [`Server`]
//! answers browsers. There is no state beside the scenario, nothing is written, and once the page is up no file is read but those
//! that the scenario named by then: a trace again, and each time, if a setting wants it read in another way.

mod answer;
mod closeup;
mod controls;
mod page;
mod server;
mod stops;
mod what_if;

pub use answer::{Answer, Asked};
pub use closeup::{CloseupDocument, EjectionBand};
pub use controls::{Control, Section, Switch};
pub use server::{Hosts, Server, Stopper};
pub use stops::Stop;
pub use what_if::{Refusal, WhatIf};
