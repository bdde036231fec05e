//! The types of single settings, as the deserialiser and the schema see them.
//!
//! Reading, and all complaints, are left to [`super::quantity`].

use super::number::{answer, count, factor, multiple, non_negative, positive, share, status, weight, whole};
use super::quantity::{Kind, When, allowance, clock, duration, moment, positive_duration, rate};
use crate::model;
use crate::time::SimDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use toml::Value;

/// A setting's type: a value read by its kind's function, which keeps the text it was read from.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($inner:ty), $kind:expr, $read:path, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $name { pub value: $inner, written: Value }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let written = Value::deserialize(deserializer)?;
                match $read(&written) {
                    Ok(value) => Ok($name { value, written }),
                    Err(complaint) => Err(serde::de::Error::custom(complaint.what)),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.written.serialize(serializer)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($schema);
                schema.insert("x-kind".to_owned(), $kind.mark().into());
                schema
            }
        }
    };
}

quantity!(
    /// A length of time, possibly zero.
    Duration(SimDuration), Kind::Duration, duration,
    { "type": "string", "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*[a-zA-Zµ]+\s*)+$" }
);
quantity!(
    /// A length of time above zero.
    PositiveDuration(SimDuration), Kind::PositiveDuration, positive_duration,
    { "type": "string", "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*[a-zA-Zµ]+\s*)+$" }
);
quantity!(
    /// How often something happens.
    Rate(model::Rate), Kind::Rate, rate,
    { "type": "string", "pattern": r"^\s*[0-9.]+([eE][0-9]+)?\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day)\s*$" }
);
quantity!(
    /// So many in a period.
    Allowance(model::Allowance), Kind::Allowance, allowance,
    { "type": "string", "pattern": r"^\s*[0-9]+\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day)\s*$" }
);
quantity!(
    /// An instant of the run.
    Moment(When), Kind::Moment, moment,
    { "type": "string", "pattern": r"^\s*([0-9]{1,2}:[0-9]{2}(:[0-9]{2})?|([0-9]+(\.[0-9]+)?\s*[a-zA-Zµ]+\s*)+)\s*$" }
);
quantity!(
    /// A time of day and a zone's label.
    TimeOfDay(model::Clock), Kind::TimeOfDay, clock,
    { "type": "string", "pattern": r"^\s*[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( .*)?$" }
);
quantity!(
    /// A probability.
    Share(model::Probability), Kind::Share, share,
    { "type": "number", "minimum": 0, "maximum": 1 }
);
quantity!(
    /// A weight in (0, 1].
    Weight(f64), Kind::Weight, weight,
    { "type": "number", "exclusiveMinimum": 0, "maximum": 1 }
);
quantity!(
    /// How many times as much.
    Factor(f64), Kind::Factor, factor,
    { "type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000 }
);
quantity!(
    /// A number above zero.
    Positive(f64), Kind::Positive, positive,
    { "type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000_000 }
);
quantity!(
    /// A number from zero.
    NonNegative(f64), Kind::NonNegative, non_negative,
    { "type": "number", "minimum": 0, "maximum": 1_000_000_000 }
);
quantity!(
    /// How many times as much; at least one.
    Multiple(f64), Kind::Multiple, multiple,
    { "type": "number", "minimum": 1, "maximum": 1_000_000_000 }
);
quantity!(
    /// How many; at least one.
    Count(u32), Kind::Count, count,
    { "type": "integer", "minimum": 1, "maximum": 1_000_000 }
);
quantity!(
    /// An HTTP error status.
    Status(u16), Kind::Status, status,
    { "type": "integer", "minimum": 400, "maximum": 599 }
);
quantity!(
    /// How many, possibly none.
    Whole(u32), Kind::Whole, whole,
    { "type": "integer", "minimum": 0, "maximum": 1_000_000 }
);
quantity!(
    /// One or several ways in which a call fails: a word, or an HTTP error status.
    AnswerItem(model::AnswerSet), Kind::Answer, answer,
    {
        "anyOf": [
            { "type": "string", "enum": (model::AnswerSet::words().collect::<Vec<_>>()) },
            { "type": "integer", "minimum": 400, "maximum": 599 }
        ]
    }
);
