//! Defaults that a type cannot say by itself, for [`super::file`] and its parts.

use super::file_fault::{Effect, InFlight};
use super::file_gateway::{AllEjected, OnEjection};
use super::file_health_check::{FirstProbe, NextProbe};
use super::file_latency::Latency;
use super::file_traffic::TokenCount;
use super::file_traffic::Weekday;
use super::setting::{
    AnswerItem, Count, Duration, NonNegative, Positive, PositiveDuration, Share, Weight, Whole,
};
use serde::Deserialize;

/// A default, read as if it stood in the file.
fn literal<T: for<'de> Deserialize<'de>>(value: impl Into<toml::Value>) -> T {
    match T::deserialize(value.into()) {
        Ok(value) => value,
        Err(error) => panic!("a default {error}"),
    }
}

pub(super) fn never() -> Share {
    literal(0.0)
}
pub(super) fn always() -> Share {
    literal(1.0)
}
pub(super) fn hundredth() -> Share {
    literal(0.01)
}
pub(super) fn tenth() -> Weight {
    literal(0.1)
}
pub(super) fn one() -> Count {
    literal(1)
}
pub(super) fn thousand() -> Count {
    literal(1000)
}
pub(super) fn one_times() -> Positive {
    literal(1.0)
}
pub(super) fn one_token() -> NonNegative {
    literal(1.0)
}
pub(super) fn three() -> Whole {
    literal(3)
}
pub(super) fn nothing() -> NonNegative {
    literal(0.0)
}
pub(super) fn unchanged() -> NonNegative {
    literal(1.0)
}
pub(super) fn monday() -> Weekday {
    Weekday::Monday
}
pub(super) fn no_time() -> Duration {
    literal("0s")
}
pub(super) fn none() -> Whole {
    literal(0)
}
pub(super) fn half_a_minute() -> PositiveDuration {
    literal("30s")
}
pub(super) fn ten_seconds() -> Duration {
    literal("10s")
}
pub(super) fn ten_seconds_of_decay() -> PositiveDuration {
    literal("10s")
}
pub(super) fn yes() -> bool {
    true
}
pub(super) fn any_failure() -> Vec<AnswerItem> {
    literal(vec!["any"])
}
pub(super) fn refuse() -> Effect {
    Effect::Refuse
}
pub(super) fn finish() -> InFlight {
    InFlight::Finish
}
pub(super) fn drain() -> OnEjection {
    OnEjection::Drain
}
pub(super) fn fail() -> AllEjected {
    AllEjected::Fail
}
pub(super) fn random() -> FirstProbe {
    FirstProbe::Random
}
pub(super) fn from_start() -> NextProbe {
    NextProbe::FromStart
}
pub(super) fn probe_latency() -> Latency {
    Latency::Constant(literal("50ms"))
}
pub(super) fn no_tokens() -> TokenCount {
    TokenCount::Constant(literal(0))
}
