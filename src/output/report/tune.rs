//! The report of a search for the best settings.

use serde::Serialize;

/// A search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TuneReport {}
