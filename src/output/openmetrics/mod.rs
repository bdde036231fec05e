//! `--openmetrics`: the simulated incident as a gateway's metrics would have shown it, scrape by scrape.
//!
//! The text is OpenMetrics 1.0 with timestamps, which `promtool tsdb create-blocks-from openmetrics` reads. A scrape sees what
//! has happened up to and with its moment: requests count when they end, states are what they are then. Scrapes go on until
//! the last request has ended. Every label has the value that the scenario uses; beside its own ones each metric has
//! `scenario`.

mod families;
mod recorder;
mod text;

use super::FileError;
use super::partial::PartialFile;
use crate::engine::{faults_of, simulate};
use crate::model::{Fault, Model};
use crate::time::SimDuration;
use families::{FAMILIES, HISTOGRAM_SAMPLES, Metric};
use recorder::ScrapeRecorder;
use std::path::Path;
use text::Writer;

/// The most samples that are written to one file: some 500 MB.
pub const MOST_SAMPLES: u64 = 4_000_000;

/// A run as it was scraped.
#[derive(Debug)]
pub struct ScrapedRun<'m> {
    recorder: ScrapeRecorder<'m>,
    faults: Vec<Fault>,
    seed: u64,
    run: u64,
    step: SimDuration,
    start: u64,
}

impl<'m> ScrapedRun<'m> {
    /// Plays the run of this number and seed, and scrapes it every `step`, whole seconds, as if it began so many seconds
    /// after 1970.
    pub fn play(model: &'m Model, seed: u64, run: u64, step: SimDuration, start: u64) -> Self {
        let mut recorder = ScrapeRecorder::new(model, step);
        simulate(model, seed, run, &mut recorder);
        recorder.finish();
        ScrapedRun { recorder, faults: faults_of(model, seed, run), seed, run, step, start }
    }

    fn model(&self) -> &'m Model {
        self.recorder.model()
    }

    fn metrics(&self) -> impl Iterator<Item = Metric<'_>> {
        FAMILIES.iter().flat_map(|family| (family.of)(self))
    }

    /// How many samples it has.
    pub fn sample_count(&self) -> u64 {
        let at_once: u64 = self.metrics().map(|metric| metric.samples()).sum();
        at_once.saturating_mul(self.recorder.last.saturating_add(1))
    }
}

/// How many samples any run of this model has, at least.
pub fn least_samples(model: &Model, step: SimDuration) -> u64 {
    samples(model, step, 1)
}

/// How many it has where requests fail and succeed at every provider, and before any.
pub fn usual_samples(model: &Model, step: SimDuration) -> u64 {
    samples(model, step, 2 * model.providers.len() as u64 + 1)
}

fn samples(model: &Model, step: SimDuration, histograms: u64) -> u64 {
    let gateway = &model.gateway;
    let detectors = gateway.detectors.len() as u64 + u64::from(gateway.health_check.is_some());
    let providers = model.providers.len() as u64;
    // Whether a replica has it admitted and ejected, by whom, and how often.
    let of_pairs = u64::from(gateway.replicas.get()) * providers * (3 + detectors);
    let at_once = histograms * HISTOGRAM_SAMPLES + 2 * providers + of_pairs;
    at_once.saturating_mul(model.duration.as_nanos().div_ceil(step.as_nanos()))
}

/// A file of metrics in the making.
#[derive(Debug)]
pub struct MetricsFile(PartialFile);

impl MetricsFile {
    /// Opens the file.
    ///
    /// # Errors
    /// If it exists and `force` is not given, or if it cannot be created.
    pub fn create(path: &Path, force: bool) -> Result<Self, FileError> {
        PartialFile::create(path, force).map(MetricsFile)
    }

    /// Writes runs of different scenarios, gives the file its name and returns its size in bytes.
    ///
    /// # Errors
    /// If that fails; the file is then gone.
    pub fn write(mut self, runs: &[ScrapedRun]) -> Result<u64, FileError> {
        Writer(&mut self.0).write(runs).map_err(FileError::write(self.0.path()))?;
        self.0.commit()
    }
}
