//! What people read: the summaries of `run` and `tune`.
//!
//! `text` lays words out for a screen, `summary` says what each scenario lost, side by side, and `lanes` draws how
//! it came about, on the columns of `strip`.

mod lanes;
mod strip;
mod summary;
mod text;
mod words;

pub use summary::summary;
pub use text::{Screen, thousands};
pub(super) use text::{Text, plain, short};
pub(crate) use text::{counted, large};
pub(super) use words::{certainty_words, objective_percent};
