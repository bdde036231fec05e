//! Words of a report that are not about one of its parts.

use super::number::Number;
use crate::engine::{Cause, Stage};
use crate::metrics::Unit;
use crate::time::SimDuration;

/// Why a request failed, for readers.
pub(super) fn cause_label(cause: Cause) -> &'static str {
    match cause {
        Cause::Status => "error status",
        Cause::Refused => "connection refused",
        Cause::InFlightAtOnset => "connection broke when the fault started",
        Cause::Timeout => "no answer in time",
        Cause::NoProvider => "no provider to send it to",
        Cause::Truncated => "answer cut short",
        Cause::GatewayDown => "gateway replica down",
        Cause::GatewayLimit => "gateway above its limits",
    }
}

/// Where a request was lost, for readers.
pub(super) fn stage_label(stage: Stage) -> &'static str {
    match stage {
        Stage::InFlightAtOnset => "in flight when the fault started",
        Stage::Undetected => "before the fault was noticed",
        Stage::AllEjected => "nowhere left to send it",
        Stage::FalseEjection => "a good provider was ejected",
        Stage::AfterRecovery => "still ejected after recovery",
        Stage::Background => "in calm: quiet errors, impatient clients",
        Stage::GatewayDown => "gateway replica failed",
        Stage::OverQuota => "first choice over its quota",
        Stage::BackupOverQuota => "backup over its quota",
        Stage::GatewayLimit => "gateway above its limits",
    }
}

/// What a metric is in, for pages.
pub(super) fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Ratio => "ratio",
        Unit::Quotient => "quotient",
        Unit::Milliseconds => "ms",
        Unit::PerSecond => "per_second",
        Unit::PerDay => "per_day",
        Unit::Usd => "usd",
        Unit::UsdPerDay => "usd_per_day",
    }
}

/// A number as a sentence has it: `12`, `4.056`, `14,000`.
pub(super) fn digits(value: f64) -> String {
    let rounded = Number(value).rounded();
    if rounded.abs() >= 1000.0 { crate::output::terminal::thousands(rounded) } else { rounded.to_string() }
}

/// A length of time; days are not made into months.
pub(super) fn span(duration: SimDuration) -> String {
    let days = duration.as_secs_f64() / 86_400.0;
    if days >= 2.0 { format!("{} days", digits(days)) } else { duration.to_string() }
}
