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
pub mod shard;
pub mod sweep;
mod swept;
pub mod tune;

pub use failure::Failure;
pub(crate) use failure::all_or_failures;
pub use merge::merge;
pub use opened::{DEFAULT_RUNS, Opened, SweptPoint, is_experiment};
pub use swept::Swept;

use crate::experiment::axis::{Axis, axis_value};
use crate::experiment::design::{Layout, Sweep};
use crate::output::AxisColumn;
use crate::scenario::Document;

/// The swept settings of points as columns of tables.
fn axis_columns(
    sweep: &Sweep,
    scenarios: &[Document],
    layout: &Layout,
    points: impl Iterator<Item = usize>,
) -> Vec<AxisColumn> {
    let mut columns = vec![Vec::with_capacity(points.size_hint().0); sweep.axes.len()];
    for point in points {
        let values = sweep.point(scenarios, layout, point).values;
        for ((column, axis), value) in columns.iter_mut().zip(&sweep.axes).zip(values) {
            column.push(value.map(|value| axis_value(axis, &value)));
        }
    }
    let column = |(axis, values): (&Axis, _)| AxisColumn::new(axis.column.clone(), values);
    sweep.axes.iter().zip(columns).map(column).collect()
}
