//! What each verb does, without arguments and without printing: the command line and the Python package both ask for it
//! here, so that both say the same words and give the same numbers.
//!
//! A job is made of what is read and of options, says all that is wrong with them, and is then played. Where texts name
//! an option, it is that of the command line.

mod failure;
pub mod limits;
mod merge;
mod opened;
pub mod run;
pub mod settings;
pub mod sweep;
mod swept;
pub mod tune;

pub use failure::Failure;
pub(crate) use failure::all_or_failures;
pub use merge::merge;
pub use opened::{DEFAULT_RUNS, Opened, SweptPoint, is_experiment};
pub use swept::Swept;

use crate::experiment::axis::{Axis, axis_value};
use crate::experiment::design::{Point, Sweep};
use crate::output::AxisColumn;

/// The swept settings as columns of tables.
fn axis_columns(sweep: &Sweep, points: &[Point]) -> Vec<AxisColumn> {
    let column = |(i, axis): (usize, &Axis)| AxisColumn {
        name: axis.column.clone(),
        values: points.iter().map(|point| point.values[i].as_ref().map(|v| axis_value(axis, v))).collect(),
    };
    sweep.axes.iter().enumerate().map(column).collect()
}
