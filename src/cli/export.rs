//! What of each scenario's first run `run` gives to the tools that watch gateways.

use super::Failure;
use super::progress::Bar;
use crate::experiment::runner::RunPlan;
use crate::model::Model;
use crate::output::openmetrics::{MOST_SAMPLES, MetricsFile, ScrapedRun, least_samples, usual_samples};
use crate::output::terminal::thousands;
use crate::output::{TraceFile, Traced, start_of};
use crate::time::SimDuration;
use std::path::{Path, PathBuf};

const DEFAULT_STEP: SimDuration = SimDuration::from_secs(5);
const DEFAULT_SAMPLE: u64 = 1_000;
const MOST_TRACES: u64 = 100_000;

/// Options that write metrics and traces.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Write each scenario's first run as a gateway's metrics, in OpenMetrics text with timestamps
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resolved", "explain"])]
    openmetrics: Option<PathBuf>,
    /// The time between two scrapes, in whole seconds; without it, 5s
    #[arg(long, value_name = "DURATION", requires = "openmetrics", value_parser = step)]
    step: Option<SimDuration>,
    /// Write some requests of each scenario's first run as traces, in OTLP's JSON, one batch a line
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["resolved", "explain"])]
    otlp: Option<PathBuf>,
    /// How many requests of each scenario become traces, half of them failed ones if there are so many; without it, 1000
    #[arg(
        long, value_name = "N", allow_negative_numbers = true, requires = "otlp",
        value_parser = super::whole::<1, MOST_TRACES>,
    )]
    otlp_sample: Option<u64>,
    /// When runs begin, for metrics and traces: 2026-11-02T02:40:00Z; without it, on 2024-01-01 by the scenario's clock
    #[arg(long, value_name = "TIME", value_parser = start)]
    start: Option<u64>,
}

fn step(text: &str) -> Result<SimDuration, String> {
    let whole = |d: &std::time::Duration| d.subsec_nanos() == 0 && (1..=86_400).contains(&d.as_secs());
    let step = humantime::parse_duration(text).ok().filter(whole);
    let step = step.ok_or("write whole seconds from 1s to 1d, as in `5s` or `1m`")?;
    Ok(SimDuration::from_secs(step.as_secs()))
}

/// Seconds after 1970.
fn start(text: &str) -> Result<u64, String> {
    /// The year 2200: nanoseconds of a run that begins before it fit in 64 bits.
    const LATEST: i64 = 7_258_118_400;
    let start = text.parse::<jiff::Timestamp>().ok().filter(|start| start.subsec_nanosecond() == 0);
    let start = start.map(|start| start.as_second()).filter(|start| (0..LATEST).contains(start));
    let start = start.and_then(|start| u64::try_from(start).ok());
    start.ok_or_else(|| {
        "write a time to the second from 1970 to 2199, as in `2026-11-02T02:40:00Z`".to_owned()
    })
}

/// The files of a command, opened before its work.
pub(super) struct Exports {
    metrics: Option<MetricsFile>,
    traces: Option<TraceFile>,
}

impl ExportArgs {
    /// The files to write, and the options that name them.
    pub fn files(&self) -> [(&'static str, Option<&Path>); 2] {
        [("--openmetrics", self.openmetrics.as_deref()), ("--otlp", self.otlp.as_deref())]
    }

    fn step(&self) -> SimDuration {
        self.step.unwrap_or(DEFAULT_STEP)
    }

    fn start_of(&self, model: &Model) -> u64 {
        self.start.unwrap_or_else(|| start_of(model))
    }

    /// Refuses what cannot be done, before anything is opened.
    pub fn check(&self, models: &[Model]) -> Result<(), Failure> {
        if self.start.is_some() && self.openmetrics.is_none() && self.otlp.is_none() {
            return Err(Failure::refused(
                "`--start` would change nothing: results have no date",
                "add `--openmetrics FILE` or `--otlp FILE`, or leave it out",
            ));
        }
        if self.openmetrics.is_some() {
            let sum = |of: fn(&Model, SimDuration) -> u64| {
                models.iter().map(|model| of(model, self.step())).fold(0, u64::saturating_add)
            };
            self.check_samples(sum(least_samples), sum(usual_samples))?;
        }
        Ok(())
    }

    /// Opens the files.
    pub fn open(&self, force: bool) -> Result<Exports, Failure> {
        let metrics = self.openmetrics.as_deref().map(|path| MetricsFile::create(path, force)).transpose()?;
        let traces = self.otlp.as_deref().map(|path| TraceFile::create(path, force)).transpose()?;
        Ok(Exports { metrics, traces })
    }

    /// Refuses too many samples; `expected` is what a longer step is proposed for.
    fn check_samples(&self, samples: u64, expected: u64) -> Result<(), Failure> {
        if samples <= MOST_SAMPLES {
            return Ok(());
        }
        let step = self.step();
        let seconds = (step.as_nanos() / 1_000_000_000).saturating_mul(expected.div_ceil(MOST_SAMPLES));
        let longer = match seconds.div_ceil(60) {
            minutes @ ..=1440 => format!("scrape less often, as in `--step {minutes}m`, or "),
            _ => String::new(),
        };
        Err(Failure::refused(
            format!(
                "`--openmetrics` would write {} samples or more, a scrape every {step}; the most are {}",
                thousands(samples as f64),
                thousands(MOST_SAMPLES as f64)
            ),
            format!("{longer}shorten `duration`, or run fewer scenarios"),
        ))
    }

    /// Plays each scenario's first run again, and writes what was asked for.
    pub fn write(
        &self,
        exports: Exports,
        models: &[Model],
        plan: &RunPlan,
        bar: &Bar,
    ) -> Result<(), Failure> {
        let (seed, run) = (plan.seed, plan.runs.start);
        if let Some(file) = exports.metrics {
            let mut scraped = Vec::new();
            let mut samples = 0_u64;
            for model in models {
                bar.check()?;
                let played = ScrapedRun::play(model, seed, run, self.step(), self.start_of(model));
                samples = samples.saturating_add(played.sample_count());
                self.check_samples(samples, samples)?;
                scraped.push(played);
            }
            file.write(&scraped)?;
        }
        if let Some(mut file) = exports.traces {
            let most = self.otlp_sample.unwrap_or(DEFAULT_SAMPLE) as usize;
            for model in models {
                bar.check()?;
                file.write(&Traced::play(model, seed, run, self.start_of(model), most))?;
            }
            file.finish()?;
        }
        Ok(())
    }
}
