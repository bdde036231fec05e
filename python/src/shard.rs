//! Shards of a sweep that tasks on other machines play into its folder.

use crate::failure::{failed, input_error, not_done};
use crate::sweep::OpenSweep;
use crate::watch::watched;
use failover_sim::job::shard;
use failover_sim::output::BUILD;
use pyo3::prelude::*;

/// What a task is to play.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct Order {
    order: shard::Order,
}

#[pymethods]
impl Order {
    /// Which part of how many, such as `7/64`.
    #[getter]
    fn shard(&self) -> String {
        self.order.shard.to_string()
    }

    /// Runs that are lacking, at most.
    #[getter]
    fn runs(&self) -> u64 {
        self.order.runs
    }

    /// What to hand to [`play_order`].
    fn text(&self) -> PyResult<String> {
        // A path that is no text cannot be sent.
        serde_json::to_string(&self.order).map_err(|error| failed(format!("error: {error}")))
    }
}

/// Cuts a sweep into so many shards, and makes an order for each that lacks something. `driver` is what this process is
/// called in the ledger; `token` tells its segments from those of others.
#[pyfunction]
pub fn orders(
    py: Python<'_>,
    sweep: &OpenSweep,
    shards: usize,
    driver: &str,
    token: &str,
) -> PyResult<Vec<Order>> {
    let orders = sweep.with(py, |open| open.orders(shards, driver, token))?;
    Ok(orders.into_iter().map(|order| Order { order }).collect())
}

/// Plays an order, on any machine that shares the folder.
#[pyfunction]
pub fn play_order(py: Python<'_>, order: &str, threads: usize) -> PyResult<()> {
    let order: shard::Order = serde_json::from_str(order).map_err(|_| {
        // Where orders have changed, so has the build.
        input_error(format!(
            "error: this is build {} of failover-sim, and the sweep was begun with another\n  = help: install the same build on every node",
            BUILD
        ))
    })?;
    watched(py, Some(threads), None, |watch| order.play(watch))?.map_err(not_done)
}

/// Takes in what came of an order.
#[pyfunction]
pub fn take_order(py: Python<'_>, sweep: &OpenSweep, order: &Order) -> PyResult<()> {
    sweep.with(py, |open| open.take(&order.order))
}
