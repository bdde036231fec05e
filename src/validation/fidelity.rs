//! How well outages were predicted: by cell (a gateway's config in a kind of outage), by gateway, and against the bars.

use super::measure::Measures;
use super::rows::{LeftOut, OutageKind};
use super::{Compared, PRODUCTS};
use crate::experiment::statistics::Summary;

/// A gateway passes unless so few of its rows lie inside their prediction interval that, were the intervals right, this
/// would come about with less than this probability. One-sided: counts are whole numbers, and many are always zero, so
/// that an interval of whole numbers holds more than 95% even where the prediction is perfect.
pub const COVERAGE_LEVEL: f64 = 0.01;
/// What a prediction interval should hold.
pub const COVERAGE: f64 = 0.95;
/// A cell's mean may be off by this share of what was measured...
pub const MEAN_SHARE: f64 = 0.05;
/// ... or by so many requests.
pub const MEAN_REQUESTS: f64 = 3.0;
/// A cell's mean that is off by more is told from chance by a two-sided test at this level, whose quantile this is.
const MEAN_Z: f64 = 2.575_829_3;
/// A time may be off by so many seconds...
pub const TIME_SECONDS: f64 = 0.1;
/// ... or by this share of what was measured.
pub const TIME_SHARE: f64 = 0.03;
/// This share of the rows whose times are determined must be so close.
pub const TIMES_WITHIN: f64 = 0.95;

/// One row against its predictions.
#[derive(Debug, Clone)]
pub struct RowResult<'a> {
    /// The row.
    pub compared: &'a Compared,
    /// What was predicted; `None` if the row is left out.
    pub predicted: Option<Prediction>,
}

/// What the runs of one row say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The mean number of failed requests.
    pub failed_mean: f64,
    /// Its standard deviation over runs.
    pub failed_sd: f64,
    /// The range in which 95% of runs fall.
    pub failed_pi95: (f64, f64),
    /// The median run's times; `None` where less than half of the runs have one.
    pub detect_s: Option<f64>,
    /// The same for the first answer from A.
    pub recover_first_s: Option<f64>,
    /// The same for 90% from A.
    pub recover_90_s: Option<f64>,
}

impl Prediction {
    /// `None` without runs.
    pub fn of(runs: &[Measures]) -> Option<Prediction> {
        if runs.is_empty() {
            return None;
        }
        let mut failed: Vec<f64> = runs.iter().map(|run| run.failed as f64).collect();
        failed.sort_unstable_by(f64::total_cmp);
        let last = failed.len() - 1;
        let mean = failed.iter().sum::<f64>() / failed.len() as f64;
        let squares: f64 = failed.iter().map(|n| (n - mean) * (n - mean)).sum();
        // Order statistics, outwards: a whole number is inside or not.
        let low = failed[(0.025 * last as f64).floor() as usize];
        let high = failed[(0.975 * last as f64).ceil() as usize];
        Some(Prediction {
            failed_mean: mean,
            failed_sd: (squares / last.max(1) as f64).sqrt(),
            failed_pi95: (low, high),
            detect_s: median(runs.iter().map(|run| run.detect_s)),
            recover_first_s: median(runs.iter().map(|run| run.recover_first_s)),
            recover_90_s: median(runs.iter().map(|run| run.recover_90_s)),
        })
    }
}

/// `None` where most have no value.
fn median(values: impl Iterator<Item = Option<f64>> + Clone) -> Option<f64> {
    let all = values.clone().count() as u64;
    let summary = Summary::of(values);
    summary.p50.filter(|_| summary.n * 2 > all)
}

impl RowResult<'_> {
    /// Whether the measured number of failed requests lies inside the prediction interval.
    pub fn is_inside(&self) -> bool {
        let failed = self.compared.prepared.run.measured.failed as f64;
        self.predicted.is_some_and(|p| (p.failed_pi95.0..=p.failed_pi95.1).contains(&failed))
    }

    /// Whether the row is judged.
    pub fn is_judged(&self) -> bool {
        self.predicted.is_some() && self.compared.prepared.setup.exempt.is_none()
    }

    /// Whether the moment of the last probe determines when the outage is detected and over.
    pub fn times_are_determined(&self) -> bool {
        let (run, setup) = (&self.compared.prepared.run, &self.compared.prepared.setup);
        let partial = matches!(run.outage.kind, OutageKind::Brownout(_));
        let seen_by_probes = run.outage.health_follows || run.outage.kind == OutageKind::Refused;
        self.is_judged() && setup.phase_is_known && seen_by_probes && !partial
    }

    /// Predicted less measured time to detect, in seconds; `None` if either is missing.
    pub fn detect_error(&self) -> Option<f64> {
        Some(self.predicted?.detect_s? - self.compared.prepared.run.measured.detect_s?)
    }

    /// The same for the recovery.
    pub fn recover_error(&self) -> Option<f64> {
        Some(self.predicted?.recover_first_s? - self.compared.prepared.run.measured.recover_first_s?)
    }

    /// Whether the time to detect is close to the measured one.
    pub fn detects_in_time(&self) -> bool {
        let measured = self.compared.prepared.run.measured.detect_s;
        self.predicted.is_some_and(|p| is_close(p.detect_s, measured, f64::INFINITY))
    }

    /// The same for the recovery. What comes at the very end of the run may be missed by either.
    pub fn recovers_in_time(&self) -> bool {
        let run = &self.compared.prepared.run;
        let end = run.cool.as_secs_f64();
        self.predicted.is_some_and(|p| is_close(p.recover_first_s, run.measured.recover_first_s, end))
    }
}

fn is_close(predicted: Option<f64>, measured: Option<f64>, end: f64) -> bool {
    match (predicted, measured) {
        (Some(predicted), Some(measured)) => {
            (predicted - measured).abs() <= TIME_SECONDS.max(TIME_SHARE * measured.abs())
        }
        (Some(one), None) | (None, Some(one)) => one >= end - TIME_SECONDS,
        (None, None) => true,
    }
}

/// A gateway's config in a kind of outage.
#[derive(Debug)]
pub struct Cell<'a> {
    /// The gateway.
    pub gateway: &'static str,
    /// The config's name.
    pub config: &'a str,
    /// The outage's name.
    pub outage: String,
    /// The rows that count.
    pub rows: Vec<RowResult<'a>>,
    /// Over all runs of all rows, the range in which 95% fall.
    pub pi95: (f64, f64),
}

impl<'a> Cell<'a> {
    fn mean(&self, of: impl Fn(&RowResult<'a>) -> f64) -> f64 {
        self.rows.iter().map(of).sum::<f64>() / self.rows.len() as f64
    }

    /// The mean of what was measured.
    pub fn measured(&self) -> f64 {
        self.mean(|row| row.compared.prepared.run.measured.failed as f64)
    }

    /// The mean of what was predicted.
    pub fn predicted(&self) -> f64 {
        self.mean(|row| row.predicted.map_or(0.0, |p| p.failed_mean))
    }

    /// How many rows lie inside their intervals.
    pub fn inside(&self) -> usize {
        self.rows.iter().filter(|row| row.is_inside()).count()
    }

    /// Whether the cell is judged.
    pub fn is_judged(&self) -> bool {
        self.rows.iter().all(RowResult::is_judged)
    }

    /// Whether the means are within 5% of each other, or three requests.
    pub fn mean_is_close(&self) -> bool {
        let measured = self.measured();
        (self.predicted() - measured).abs() <= MEAN_REQUESTS.max(MEAN_SHARE * measured)
    }

    /// By how many standard errors the measured mean lies above the predicted one, if runs scatter as predicted.
    pub fn z(&self) -> f64 {
        let variance: f64 =
            self.rows.iter().filter_map(|row| row.predicted).map(|p| p.failed_sd * p.failed_sd).sum();
        let difference = (self.measured() - self.predicted()) * self.rows.len() as f64;
        if difference == 0.0 { 0.0 } else { difference / variance.sqrt() }
    }

    /// Whether a mean that is not close may yet be chance: so few rows of what scatters so much say no more.
    pub fn may_be_chance(&self) -> bool {
        self.z().abs() <= MEAN_Z
    }

    /// The median error of a time over rows, in seconds.
    pub fn time_error(&self, of: impl Fn(&RowResult<'a>) -> Option<f64>) -> Option<f64> {
        median(self.rows.iter().map(of).collect::<Vec<_>>().into_iter())
    }
}

/// All cells, in the order of the rows.
pub fn cells(compared: &[Compared]) -> Vec<Cell<'_>> {
    let mut cells: Vec<Cell> = Vec::new();
    for one in compared {
        let run = &one.prepared.run;
        let Some(predicted) = Prediction::of(&one.predicted) else { continue };
        let row = RowResult { compared: one, predicted: Some(predicted) };
        let outage = run.outage.name();
        let is_same = |cell: &&mut Cell| {
            cell.gateway == run.product.name && cell.config == run.config && cell.outage == outage
        };
        match cells.iter_mut().find(is_same) {
            Some(cell) => cell.rows.push(row),
            None => cells.push(Cell {
                gateway: run.product.name,
                config: &run.config,
                outage,
                rows: vec![row],
                pi95: (0.0, 0.0),
            }),
        }
    }
    for cell in &mut cells {
        let runs: Vec<Measures> = cell.rows.iter().flat_map(|row| &row.compared.predicted).copied().collect();
        cell.pi95 = Prediction::of(&runs).map_or((0.0, 0.0), |p| p.failed_pi95);
    }
    cells
}

/// One gateway against the bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The gateway.
    pub gateway: &'static str,
    /// Rows judged, and how many lie inside their intervals.
    pub coverage: (u64, u64),
    /// The probability of so few inside, or fewer, were the intervals right.
    pub coverage_p: f64,
    /// Cells judged, how many means are close, and how many are not and cannot be chance.
    pub means: (usize, usize, usize),
    /// Rows whose times are determined, and how many times to detect are close.
    pub detection: (usize, usize),
    /// The same for the recovery.
    pub recovery: (usize, usize),
}

impl Verdict {
    /// Whether the intervals hold as many rows as they should.
    pub fn coverage_holds(&self) -> bool {
        self.coverage_p >= COVERAGE_LEVEL
    }

    /// Whether every mean is close, or as close as can be told.
    pub fn means_hold(&self) -> bool {
        self.means.2 == 0
    }

    /// Whether enough times are close.
    pub fn times_hold(&self) -> bool {
        let enough = |(all, close): (usize, usize)| close as f64 >= TIMES_WITHIN * all as f64;
        enough(self.detection) && enough(self.recovery)
    }

    /// Whether all bars are reached.
    pub fn holds(&self) -> bool {
        self.coverage_holds() && self.means_hold() && self.times_hold()
    }
}

/// A verdict for each gateway that has rows.
pub fn verdicts(cells: &[Cell]) -> Vec<Verdict> {
    let names = PRODUCTS.iter().map(|product| product.name);
    let present = names.filter(|name| cells.iter().any(|cell| cell.gateway == *name));
    present.map(|name| verdict(name, cells)).collect()
}

fn verdict(gateway: &'static str, cells: &[Cell]) -> Verdict {
    let cells = || cells.iter().filter(|cell| cell.gateway == gateway && cell.is_judged());
    let rows = || cells().flat_map(|cell| &cell.rows);
    let count = rows().count() as u64;
    let inside = rows().filter(|row| row.is_inside()).count() as u64;
    let timed = || rows().filter(|row| row.times_are_determined());
    let close = cells().filter(|cell| cell.mean_is_close()).count();
    let wrong = cells().filter(|cell| !cell.mean_is_close() && !cell.may_be_chance()).count();
    Verdict {
        gateway,
        coverage: (count, inside),
        coverage_p: binomial_at_most(inside, count, COVERAGE),
        means: (cells().count(), close, wrong),
        detection: (timed().count(), timed().filter(|row| row.detects_in_time()).count()),
        recovery: (timed().count(), timed().filter(|row| row.recovers_in_time()).count()),
    }
}

/// The probability of at most `most` successes in `n` trials of probability `p` in (0, 1).
fn binomial_at_most(most: u64, n: u64, p: f64) -> f64 {
    let log_choose = |k: u64| {
        libm::lgamma(n as f64 + 1.0) - libm::lgamma(k as f64 + 1.0) - libm::lgamma((n - k) as f64 + 1.0)
    };
    let term =
        |k: u64| libm::exp(log_choose(k) + k as f64 * libm::log(p) + (n - k) as f64 * libm::log(1.0 - p));
    (0..=most.min(n)).map(term).sum::<f64>().min(1.0)
}

/// How many rows were left out for a reason.
pub fn left_out(compared: &[Compared], why: LeftOut) -> usize {
    compared.iter().filter(|one| one.prepared.run.left_out == Some(why)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measures(failed: u64, detect_s: Option<f64>) -> Measures {
        Measures {
            failed,
            failed_first_burst: failed,
            detect_s,
            last_fail_s: detect_s,
            recover_first_s: Some(1.0),
            recover_90_s: None,
        }
    }

    #[test]
    fn the_binomial_tail_is_exact() {
        // By hand: 0.95^2, and one miss more.
        assert!((binomial_at_most(1, 2, 0.95) - (1.0 - 0.9025)).abs() < 1e-12);
        assert!((binomial_at_most(0, 2, 0.95) - 0.0025).abs() < 1e-12);
        assert!((binomial_at_most(2, 2, 0.95) - 1.0).abs() < 1e-12);
        // R: pbinom(85, 100, 0.95) = 0.0001468...
        let tail = binomial_at_most(85, 100, 0.95);
        assert!((1e-4..2e-4).contains(&tail), "{tail}");
    }

    #[test]
    fn a_prediction_is_what_most_runs_say() {
        let runs: Vec<Measures> = (0..=100).map(|n| measures(n, (n >= 60).then_some(2.0))).collect();
        let prediction = Prediction::of(&runs).unwrap();
        assert_eq!(prediction.failed_mean, 50.0);
        // Positions 2.5 and 97.5 of 0 to 100, outwards.
        assert_eq!(prediction.failed_pi95, (2.0, 98.0));
        // 41 of 101 have a time, which is less than half.
        assert_eq!(prediction.detect_s, None);
        assert_eq!((prediction.recover_first_s, prediction.recover_90_s), (Some(1.0), None));
        assert_eq!(Prediction::of(&[]), None);
    }

    #[test]
    fn times_are_close_within_a_tenth_of_a_second_or_three_percent() {
        let never = f64::INFINITY;
        assert!(is_close(Some(1.09), Some(1.0), never) && !is_close(Some(1.11), Some(1.0), never));
        assert!(is_close(Some(10.29), Some(10.0), never) && !is_close(Some(9.6), Some(10.0), never));
        assert!(is_close(None, None, never) && !is_close(None, Some(1.0), never));
        // A recovery at the end of the run may have been missed.
        assert!(is_close(Some(2.95), None, 3.0) && !is_close(Some(2.5), None, 3.0));
    }
}
