//! The text format: families with their metadata, and in each the metrics of all runs, point by point.
//!
//! Source: "OpenMetrics, a cloud-native, highly scalable metrics protocol", version 1.0.0, section "Text Format".

use super::ScrapedRun;
use super::families::{BUCKET_SECONDS, FAMILIES, Family, Metric, Points};
use super::recorder::{ByScrape, Durations};
use std::fmt::{Display, Write as _};
use std::io::{self, Write};

/// Writes an exposition.
pub(super) struct Writer<W>(pub W);

impl<W: Write> Writer<W> {
    /// Writes all of it.
    pub fn write(&mut self, runs: &[ScrapedRun]) -> io::Result<()> {
        for family in &FAMILIES {
            let of = |run| (family.of)(run).into_iter().map(move |metric| (run, metric));
            let metrics: Vec<(&ScrapedRun, Metric)> = runs.iter().flat_map(of).collect();
            if !metrics.is_empty() {
                self.write_metadata(family)?;
            }
            for (run, metric) in &metrics {
                self.write_metric(family, run, metric)?;
            }
        }
        self.0.write_all(b"# EOF\n")
    }

    fn write_metadata(&mut self, family: &Family) -> io::Result<()> {
        let Family { name, kind, unit, help, .. } = family;
        writeln!(self.0, "# TYPE {name} {}", kind.name())?;
        if let Some(unit) = unit {
            writeln!(self.0, "# UNIT {name} {unit}")?;
        }
        writeln!(self.0, "# HELP {name} {help}")
    }

    fn write_metric(&mut self, family: &Family, run: &ScrapedRun, metric: &Metric) -> io::Result<()> {
        let mut labels = String::new();
        label(&mut labels, "scenario", &run.model().name);
        metric.labels.iter().for_each(|(name, value)| label(&mut labels, name, value));
        let series = format!("{}{}{{{labels}}}", family.name, family.kind.suffix());
        match &metric.points {
            Points::Counts(counts) => {
                let mut sum = 0;
                self.write_points(run, &series, counts, |more| {
                    sum += more;
                    sum
                })
            }
            Points::States(states) => self.write_points(run, &series, states, |state| *state),
            Points::Amounts(amounts) => self.write_points(run, &series, amounts, |amount| *amount),
            Points::Durations(durations) => self.write_histogram(run, family.name, &labels, durations),
        }
    }

    /// A sample for each scrape; `value` is asked for one where there is something new.
    fn write_points<T, V: Display + Default>(
        &mut self,
        run: &ScrapedRun,
        series: &str,
        changes: &ByScrape<T>,
        mut value: impl FnMut(&T) -> V,
    ) -> io::Result<()> {
        let mut now = V::default();
        for scrape in 0..=run.recorder.last {
            if let Some(change) = changes.get(&scrape) {
                now = value(change);
            }
            writeln!(self.0, "{series} {now} {}", timestamp(run, scrape))?;
        }
        Ok(())
    }

    fn write_histogram(
        &mut self,
        run: &ScrapedRun,
        name: &str,
        labels: &str,
        durations: &ByScrape<Durations>,
    ) -> io::Result<()> {
        let bounds = BUCKET_SECONDS.iter().map(|bound| format!("{bound:?}")).chain(["+Inf".to_owned()]);
        let series: Vec<String> =
            bounds.map(|bound| format!("{name}_bucket{{{labels},le=\"{bound}\"}}")).collect();
        let mut now = Durations::default();
        for scrape in 0..=run.recorder.last {
            if let Some(more) = durations.get(&scrape) {
                now.counts.iter_mut().zip(more.counts).for_each(|(count, more)| *count += more);
                now.total_nanos += more.total_nanos;
            }
            let at = timestamp(run, scrape);
            let mut count = 0;
            for (series, in_bucket) in series.iter().zip(now.counts) {
                count += in_bucket;
                writeln!(self.0, "{series} {count} {at}")?;
            }
            writeln!(self.0, "{name}_count{{{labels}}} {count} {at}")?;
            let total_seconds = now.total_nanos as f64 / 1e9;
            writeln!(self.0, "{name}_sum{{{labels}}} {total_seconds} {at}")?;
        }
        Ok(())
    }
}

/// In whole seconds, so that nobody has to round.
fn timestamp(run: &ScrapedRun, scrape: u64) -> u64 {
    run.start + scrape * (run.step.as_nanos() / 1_000_000_000)
}

/// Adds a label, with what the format has its own meaning for escaped.
fn label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    write!(labels, "{name}=\"{value}\"").expect("a string grows");
}
