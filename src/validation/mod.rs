//! Holds the simulator against real gateways: measured outages in, a table of how well they were predicted out.
//!
//! A CSV file has one row for each outage that a real gateway went through ([`rows`]). For each row the gateway's own
//! config becomes a scenario (`haproxy`, `envoy`, ...; what they share is in `scenario`), which is played many times;
//! the same definitions are applied to what clients saw in each run ([`measure`]), and the two are compared
//! ([`fidelity`], shown by [`report`]).
//!
//! For another gateway, write a file beside `haproxy.rs` with its [`Product`], and add it to [`PRODUCTS`].

mod config;
pub mod document;
mod envoy;
mod envoy_outlier;
pub mod fidelity;
mod haproxy;
mod litellm;
pub mod measure;
mod nginx;
mod portkey;
pub mod report;
pub mod rows;
mod scenario;

use crate::experiment::runner::{Cancelled, Progress};
use crate::model::Model;
use crate::scenario::{Loader, Problem, Problems};
use config::Complaint;
use measure::{Measures, play};
use rayon::prelude::*;
use rows::MeasuredRun;
pub use scenario::{Script, Setup};

/// A gateway whose configs can be turned into scenarios.
#[derive(Debug)]
pub struct Product {
    /// What the column `gateway` calls it.
    pub name: &'static str,
    /// The part of `models/` with what the product does however it is configured.
    pub part: &'static str,
    /// A burst of failures is over after so many seconds without one that was sent.
    pub burst_gap_s: f64,
    /// Writes what the row's config says into the scenario.
    setup: fn(&MeasuredRun, &mut Script) -> Result<Setup, Complaint>,
}

/// Every gateway that can be validated.
pub const PRODUCTS: [&Product; 5] =
    [&haproxy::PRODUCT, &envoy::PRODUCT, &nginx::PRODUCT, &litellm::PRODUCT, &portkey::PRODUCT];

/// A measured run, ready to be played.
#[derive(Debug)]
pub struct Prepared {
    /// What was measured.
    pub run: MeasuredRun,
    /// The scenario that stands for it.
    pub text: String,
    /// What the config has to do with the comparison.
    pub setup: Setup,
    model: Model,
}

/// A measured run and its predictions.
#[derive(Debug)]
pub struct Compared {
    /// What was measured, and how it is set up.
    pub prepared: Prepared,
    /// What each simulated run gave; empty if the row is left out.
    pub predicted: Vec<Measures>,
}

/// Makes a scenario of each row.
///
/// # Errors
/// Everything in any row that is not known, with the row's place.
pub fn prepare(runs: Vec<MeasuredRun>) -> Result<Vec<Prepared>, Problems> {
    let loader = Loader::new();
    let (mut prepared, mut problems) = (Vec::new(), Vec::new());
    for run in runs {
        match prepare_one(run, &mut loader.clone()) {
            Ok(ready) => prepared.push(ready),
            Err(found) => problems.extend(found),
        }
    }
    Problems::check(problems)?;
    Ok(prepared)
}

fn prepare_one(run: MeasuredRun, loader: &mut Loader) -> Result<Prepared, Vec<Problem>> {
    let (text, setup) = scenario::text(&run).map_err(|complaint| vec![complaint.in_row(&run.place)])?;
    let document = loader.parse(&run.scenario_name(), &text);
    let model = document.and_then(|document| document.model()).map_err(Problems::into_vec)?;
    Ok(Prepared { run, text, setup, model })
}

/// Plays every row that counts `runs` times, on all threads.
///
/// # Errors
/// If `progress` said to stop.
pub fn compare(
    prepared: Vec<Prepared>,
    seed: u64,
    runs: u64,
    progress: &dyn Progress,
) -> Result<Vec<Compared>, Cancelled> {
    let rows = prepared.into_par_iter().enumerate().map(|(index, prepared)| {
        if progress.is_cancelled() {
            return Err(Cancelled);
        }
        let mut predicted = Vec::new();
        if prepared.run.left_out.is_none() {
            // Rows share no random numbers: what one has too much of, another should not have as well.
            let first = index as u64 * runs;
            let numbers = first..first + runs;
            predicted = numbers.map(|number| play(&prepared, &prepared.model, seed, number)).collect();
        }
        progress.advance(runs);
        Ok(Compared { prepared, predicted })
    });
    rows.collect()
}
