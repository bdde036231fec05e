//! The report of a sweep: all of its points in little room, and which of them to take.

use super::candidates::{self, Candidate, Field, PointRuns};
use super::decision::amount;
use super::fit::fit;
use super::number::Number;
use super::points::{
    AxisPoints, AxisReport, Counts, Estimates, MetricReport, TELLING, axis, estimates, is_decided, readable,
    shown,
};
use crate::experiment::axis::{AxisValue, axis_value};
use crate::experiment::criterion::Target;
use crate::experiment::file::Experiment;
use crate::experiment::objective::Objective;
use crate::experiment::statistics::{Statistic, Summary};
use crate::metrics::metric;
use crate::output::read::{Lost, ReadError, Results};
use crate::output::terminal::{plain, thousands};
use crate::output::{AxisColumn, Table, Values};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Different reasons for which points failed that are told.
const ERRORS_MAX: usize = 20;

/// The points of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepReport {
    /// What the experiment asks.
    pub question: String,
    /// The swept settings.
    pub axes: Vec<AxisReport>,
    /// What points are compared by, the most important first.
    pub metrics: Vec<MetricReport>,
    /// The scenarios that points are of.
    pub scenarios: Vec<String>,
    /// All points.
    pub points: PointsReport,
    /// Why points failed.
    pub errors: Vec<String>,
    /// What scenarios ask of themselves.
    pub objectives: Vec<SweptObjective>,
    /// How many situations each choice of settings was played in: scenarios, and values of axes that nobody decides on.
    pub situations: usize,
    /// Places of the points with the settings to take, one for each situation; empty if there is nothing to choose.
    pub best: Vec<usize>,
    /// Places of the points with settings as the scenario has them; empty if the sweep has none.
    pub baseline: Vec<usize>,
    /// Places of the points with settings that cannot be told from the best.
    pub cannot_tell: Vec<usize>,
    /// The settings to take.
    pub best_settings: Vec<SettingValue>,
    /// Where along one axis there is little left to win.
    pub knee: Option<Knee>,
    /// What to do, in sentences.
    pub decision: String,
    /// What was played, in a sentence.
    pub simulated: String,
    /// What there was no room for, or what failed, in sentences.
    pub left_out: Vec<String>,
}

/// Columns with a number for each point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointsReport {
    /// The number of the point in tables.
    pub point: Vec<u64>,
    /// The place of its scenario in [`SweepReport::scenarios`].
    pub scenario: Vec<usize>,
    /// By axis: where the point is on it.
    pub axes: Vec<AxisPoints>,
    /// Runs.
    pub runs: Counts,
    /// The commonest verdict of its runs; null if none has one.
    pub verdict: Vec<Option<String>>,
    /// The place of why it failed in [`SweepReport::errors`]; null if it did not.
    pub error: Vec<Option<usize>>,
    /// By metric.
    pub estimates: Estimates,
}

/// An objective of a scenario, at its points.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweptObjective {
    /// As it was written.
    pub criterion: String,
    /// Why, in words.
    pub about: Option<String>,
    /// The scenario that asks for it.
    pub scenario: String,
    /// By point; null for those of other scenarios, and for those that failed.
    pub met: Vec<Option<bool>>,
}

/// A setting and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingValue {
    /// Such as `gateway.health_check.interval`.
    pub path: String,
    /// As TOML text.
    pub value: String,
}

/// A curve over one axis, all else being as in the best settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Knee {
    /// The axis.
    pub path: String,
    /// The value from which it is told.
    pub from: String,
    /// From where on there is little to win.
    pub at: String,
    /// The best value.
    pub best: String,
    /// Failed requests of a run at each value on the curve, on average over situations.
    pub curve: Vec<(String, Number)>,
    /// In words.
    pub words: String,
}

/// A report, and what its first page is about.
#[derive(Debug, Clone)]
pub struct Swept {
    /// The points.
    pub report: SweepReport,
    /// The number of a point with the settings to take, if there is something to choose.
    pub best_point: Option<usize>,
    /// That, or else of the first point that has runs.
    pub shown_point: usize,
    /// What each run of that point loses.
    pub shown_lost: Vec<f64>,
    /// The columns of the axes that somebody decides on.
    pub decided: Vec<String>,
}

/// The points of a sweep, and which of them to take.
///
/// `experiment` and `objectives`, by scenario, are what is known of it beside its tables; `is_random` is whether runs
/// may differ.
///
/// # Errors
/// If a table cannot be read, or no point has a run.
pub fn swept(
    results: &Results,
    experiment: Option<&Experiment>,
    objectives: &[Vec<Objective>],
    is_random: bool,
) -> Result<Swept, ReadError> {
    let wanted: Vec<Target> =
        objectives.iter().flatten().map(|objective| objective.criterion.target).collect();
    let table = results.points(&|name| is_wanted(name, &wanted))?;
    let scenarios: Vec<String> = results.manifest.scenarios.iter().map(|s| s.name.clone()).collect();
    let scenario = (table.texts("scenario").iter())
        .map(|name| scenarios.iter().position(|known| Some(known.as_str()) == name.as_deref()).unwrap_or(0))
        .collect::<Vec<usize>>();
    let number = |name: &str| -> Vec<u64> {
        (0..table.row_count()).map(|row| table.whole(name, row).unwrap_or(0)).collect()
    };
    let runs = number("run_count");
    if runs.iter().all(|runs| *runs == 0) {
        let first = table.texts("error").iter().flatten().next().map_or("there is none", |text| text);
        return Err(results.without_runs(first));
    }
    let columns = axis_columns(&table, results);
    let known = |column: &AxisColumn| {
        let axes = experiment.and_then(|experiment| experiment.sweep.as_ref()).map(|sweep| &sweep.axes)?;
        axes.iter().find(|axis| axis.column == column.name)
    };
    let (axes, places): (Vec<AxisReport>, Vec<AxisPoints>) =
        columns.iter().map(|column| axis(column, known(column))).unzip();
    let (mut metrics, mut by_metric) = (Vec::new(), Vec::new());
    for (name, label, better) in TELLING {
        if let (Some(metric), Some(columns)) = (metric(name), estimates(&table, name)) {
            metrics.push(MetricReport::of(metric, label, better));
            by_metric.push((metric.name.to_owned(), columns));
        }
    }
    let (errors, error) = errors(&table);
    let mut report = SweepReport {
        question: experiment.map_or(String::new(), |experiment| experiment.question.clone()),
        axes,
        metrics,
        points: PointsReport {
            point: number("point"),
            scenario,
            axes: places,
            runs: Counts::of(runs.clone()),
            verdict: table.texts("verdict").iter().map(|text| text.as_deref().map(str::to_owned)).collect(),
            error,
            estimates: Estimates(by_metric),
        },
        objectives: swept_objectives(&table, &scenarios, objectives),
        scenarios,
        errors,
        situations: 0,
        best: vec![],
        baseline: vec![],
        cannot_tell: vec![],
        best_settings: vec![],
        knee: None,
        decision: String::new(),
        simulated: simulated(&runs, results),
        left_out: vec![],
    };
    let failed = report.points.error.iter().flatten().count();
    if failed > 0 {
        let of = thousands(table.row_count() as f64);
        report.left_out.push(format!(
            "{} of {of} points failed and have no numbers: their settings make no valid scenario, or the engine failed.",
            thousands(failed as f64)
        ));
    }
    let lost = results.lost_by_point()?;
    let best = Choosing { experiment, columns: &columns, is_random, lost: &lost }.choose(&mut report, &table);
    fit(&mut report);
    let with_runs = || runs.iter().position(|runs| *runs > 0).unwrap_or(0);
    let shown = report.points.point[best.unwrap_or_else(with_runs)];
    let is_decided = |axis: &&AxisReport| axis.decided == Some(true);
    Ok(Swept {
        best_point: best.map(|row| report.points.point[row] as usize),
        shown_point: shown as usize,
        shown_lost: lost.by_point.get(&shown).cloned().unwrap_or_default(),
        decided: report.axes.iter().filter(is_decided).map(|axis| axis.column.clone()).collect(),
        report,
    })
}

/// Whether a column of `points` is needed.
fn is_wanted(name: &str, targets: &[Target]) -> bool {
    const STATISTICS: [&str; 7] = ["n", "mean", "ci95_low", "ci95_high", "pi95_low", "pi95_high", "max"];
    let is_metric = |metric: &str, statistics: &[&str]| {
        name.strip_prefix(metric)
            .and_then(|rest| rest.strip_prefix('_'))
            .is_some_and(|end| statistics.contains(&end))
    };
    ["scenario", "point", "run_count", "error", "verdict"].contains(&name)
        || TELLING.iter().any(|(metric, ..)| is_metric(metric, &STATISTICS))
        || targets.iter().any(|target| is_metric(target.metric.name, &[target.statistic.name()]))
}

/// The swept settings of all points.
fn axis_columns(table: &Table, results: &Results) -> Vec<AxisColumn> {
    let column = |axis: &crate::output::ManifestAxis| {
        let values = match table.column(&axis.name).map(|column| &column.values) {
            Some(Values::Float(values)) => values.iter().map(|value| value.map(AxisValue::Number)).collect(),
            Some(Values::Text(values)) => values
                .iter()
                .map(|text| text.as_deref().map(|text| AxisValue::Text(text.to_owned())))
                .collect(),
            _ => vec![None; table.row_count()],
        };
        AxisColumn::new(axis.name.clone(), values)
    };
    results.manifest.axes.iter().map(column).collect()
}

/// Different reasons, and which of them each point failed for.
fn errors(table: &Table) -> (Vec<String>, Vec<Option<usize>>) {
    let mut reasons: Vec<String> = Vec::new();
    let place = |error: &Option<crate::output::Name>| {
        let error = error.as_deref()?;
        let known = reasons.iter().position(|reason| reason == error);
        Some(known.unwrap_or_else(|| {
            match reasons.len() < ERRORS_MAX {
                true => reasons.push(error.to_owned()),
                false if reasons.len() == ERRORS_MAX => reasons.push("other reasons".to_owned()),
                false => {}
            }
            reasons.len() - 1
        }))
    };
    let places = table.texts("error").iter().map(place).collect();
    (reasons, places)
}

fn swept_objectives(
    table: &Table,
    scenarios: &[String],
    objectives: &[Vec<Objective>],
) -> Vec<SweptObjective> {
    let mut all = Vec::new();
    for (scenario, objectives) in scenarios.iter().zip(objectives) {
        for Objective { criterion, about, .. } in objectives {
            let column = format!("{}_{}", criterion.target.metric.name, criterion.target.statistic.name());
            let met = |row: usize| {
                let is_own = table.texts("scenario")[row].as_deref() == Some(scenario);
                let has_runs = table.whole("run_count", row).is_some_and(|runs| runs > 0);
                (is_own && has_runs).then(|| criterion.judge(table.number(&column, row), None).met)
            };
            all.push(SweptObjective {
                criterion: criterion.to_string(),
                about: about.clone(),
                scenario: scenario.clone(),
                met: (0..table.row_count()).map(met).collect(),
            });
        }
    }
    all
}

fn simulated(runs: &[u64], results: &Results) -> String {
    let played: Vec<u64> = runs.iter().copied().filter(|runs| *runs > 0).collect();
    let (fewest, most) = (played.iter().min().unwrap_or(&0), played.iter().max().unwrap_or(&0));
    let [fewest, most, points] = [*fewest, *most, runs.len() as u64].map(|count| thousands(count as f64));
    let each = if fewest == most { most } else { format!("{fewest} to {most}") };
    let until = results.manifest.sweep.as_ref().and_then(|sweep| sweep.until.as_ref());
    let until = until.map_or(String::new(), |until| format!(", until \"{}\"", plain(until)));
    format!(
        "Simulated: {points} points with {each} runs of each{until}; runs of one number see the same random numbers at every point."
    )
}

/// What a choice is made of.
struct Choosing<'a> {
    experiment: Option<&'a Experiment>,
    columns: &'a [AxisColumn],
    is_random: bool,
    lost: &'a Lost,
}

impl Choosing<'_> {
    /// Finds the best settings, and says so; returns the row of a point with them.
    fn choose(&self, report: &mut SweepReport, table: &Table) -> Option<usize> {
        let decided: Vec<usize> = match self.experiment.and_then(|experiment| experiment.sweep.as_ref()) {
            Some(sweep) => {
                let is_known = |nth: &usize| {
                    sweep.axes.iter().any(|axis| axis.column == self.columns[*nth].name && is_decided(axis))
                };
                (0..self.columns.len()).filter(is_known).collect()
            }
            // A load, or how long an outage lasts, is nothing to take, and nobody knows which axes are.
            None => vec![],
        };
        let points = self.points(table, &decided, &self.lost.by_point);
        let Field { candidates: found, situations, is_mixed } = Field::of(points);
        report.situations = situations;
        let what = if self.lost.has_open { "failed or unanswered requests" } else { "failed requests" };
        let Some(best) = candidates::best(&found).filter(|_| !decided.is_empty() && found.len() > 1) else {
            let why = match self.experiment {
                None => "its experiment is not there to say which settings somebody decides on",
                Some(_) if decided.is_empty() => "no axis is a setting that somebody decides on",
                Some(_) => "there is one choice of settings",
            };
            report.decision = span(why, report, what, table.row_count());
            return None;
        };
        let value_of = |axis: usize, candidate: &Candidate| -> String {
            let value = candidate.rows.iter().find_map(|row| self.columns[axis].values[*row].as_ref());
            value.map_or("not set".to_owned(), |value| shown(value, report.axes[axis].unit))
        };
        let settings: Vec<SettingValue> = decided
            .iter()
            .map(|axis| SettingValue {
                path: report.axes[*axis].path.clone(),
                value: value_of(*axis, &found[best]),
            })
            .collect();
        let tied = candidates::tied(&found, best, self.is_random);
        let baseline = self
            .baseline(&decided)
            .and_then(|as_written| found.iter().position(|candidate| candidate.settings == as_written));
        let knee = self.knee(report, &found, best, baseline, &decided);
        let number = |candidate: &Candidate| spread_words(&candidate.summary());
        let named: Vec<String> = settings
            .iter()
            .map(|setting| format!("{} {}", readable(&setting.path), plain(setting.value.trim_matches('"'))))
            .collect();
        let over = match situations {
            1 => String::new(),
            n => format!(" (on average over {} situations, each counted alike)", thousands(n as f64)),
        };
        let mut words = format!(
            "Of {} points, fewest requests are lost at {}: {} {what} in a run{over}.",
            thousands(table.row_count() as f64),
            list(&named),
            number(&found[best]),
        );
        match baseline {
            Some(same) if same == best => words.push_str(" That is how the scenario has it."),
            Some(other) => {
                let less = found[other].less(&found[best]);
                let may_be = if tied.contains(&other) { ", which may be chance" } else { "" };
                words.push_str(&format!(
                    " As the scenario has it, it loses {}: {} more{may_be}.",
                    number(&found[other]),
                    amount(less.mean.unwrap_or(0.0))
                ));
            }
            None => {}
        }
        match tied.len() {
            0 => {}
            1 => words.push_str(" One other choice of settings cannot be told from it."),
            n => words.push_str(&format!(
                " {} other choices of settings cannot be told from it.",
                thousands(n as f64)
            )),
        }
        if is_mixed {
            words.push_str(
                " Each was played in a situation of its own, so not all of it is the settings' doing.",
            );
        }
        if let Some(knee) = &knee {
            words.push_str(&format!(" {}", knee.words));
        }
        report.decision = words;
        report.knee = knee;
        report.best_settings = settings;
        report.best.clone_from(&found[best].rows);
        report.baseline = baseline.map_or(vec![], |nth| found[nth].rows.clone());
        report.cannot_tell = tied.iter().flat_map(|nth| found[*nth].rows.clone()).collect();
        report.cannot_tell.sort_unstable();
        found[best].rows.first().copied()
    }

    /// Every point with runs, its settings apart from its situation.
    fn points(&self, table: &Table, decided: &[usize], lost: &BTreeMap<u64, Vec<f64>>) -> Vec<PointRuns> {
        let key = |axis: usize, row: usize| match &self.columns[axis].values[row] {
            Some(AxisValue::Number(number)) => number.to_string(),
            Some(AxisValue::Text(text)) => text.clone(),
            None => String::new(),
        };
        let point = |row: usize| {
            let scenario = table.texts("scenario").get(row)?.as_deref()?.to_owned();
            let lost = lost.get(&table.whole("point", row)?)?.clone();
            let others = (0..self.columns.len()).filter(|axis| !decided.contains(axis));
            Some(PointRuns {
                row,
                settings: decided.iter().map(|axis| key(*axis, row)).collect(),
                situation: std::iter::once(scenario).chain(others.map(|axis| key(axis, row))).collect(),
                lost,
            })
        };
        (0..table.row_count()).filter_map(point).collect()
    }

    /// The settings on these axes that the first scenario has.
    fn baseline(&self, decided: &[usize]) -> Option<Vec<String>> {
        let experiment = self.experiment?;
        let (sweep, document) = (experiment.sweep.as_ref()?, experiment.scenarios.first()?);
        let as_written = |nth: &usize| {
            let axis = sweep.axes.iter().find(|axis| axis.column == self.columns[*nth].name)?;
            match axis_value(axis, &document.get(&axis.path)?) {
                AxisValue::Number(number) => Some(number.to_string()),
                AxisValue::Text(text) => Some(text),
            }
        };
        decided.iter().map(as_written).collect()
    }

    /// The knee of the steepest of the curves through the best settings.
    fn knee(
        &self,
        report: &SweepReport,
        found: &[Candidate],
        best: usize,
        baseline: Option<usize>,
        decided: &[usize],
    ) -> Option<Knee> {
        let mut steepest: Option<(f64, Knee)> = None;
        for (nth, axis) in decided.iter().enumerate() {
            let number = |candidate: &Candidate| {
                candidate.rows.iter().find_map(|row| match self.columns[*axis].values[*row] {
                    Some(AxisValue::Number(number)) => Some(number),
                    _ => None,
                })
            };
            let is_on = |candidate: &&Candidate| {
                let mut others = candidate.settings.iter().zip(&found[best].settings).enumerate();
                number(candidate).is_some() && others.all(|(other, (a, b))| other == nth || a == b)
            };
            let mut curve: Vec<&Candidate> = found.iter().filter(is_on).collect();
            curve.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)));
            let Some(top) = curve.iter().position(|candidate| **candidate == found[best]) else { continue };
            let Some((worst, knee)) = candidates::knee(&curve, top, self.is_random) else { continue };
            // As the scenario has it, where that lies on the way.
            let own = baseline.and_then(|own| {
                let own = number(&found[own])?;
                curve.iter().position(|candidate| number(candidate) == Some(own))
            });
            let on_way = |own: &usize| (worst.min(knee)..=worst.max(knee)).contains(own) && *own != knee;
            let from = own.filter(on_way).unwrap_or(worst);
            let value = |at: usize| {
                shown(&AxisValue::Number(number(curve[at]).unwrap_or(0.0)), report.axes[*axis].unit)
            };
            let saved = curve[from].less(curve[knee]);
            let rest = curve[knee].less(curve[top]);
            let name = readable(&report.axes[*axis].path);
            let beyond =
                match (knee == top, candidates::may_be_chance(&rest, curve.len() - 1, self.is_random)) {
                    (true, _) => String::new(),
                    (_, true) => format!("; beyond, down to {}, it saves less than noise", value(top)),
                    (_, false) => format!(
                        "; from there to {} it saves {} more",
                        value(top),
                        amount(rest.mean.unwrap_or(0.0))
                    ),
                };
            let beyond = if number(curve[top]) > number(curve[knee]) {
                beyond.replace("beyond, down to", "beyond, up to")
            } else {
                beyond
            };
            let words = format!(
                "With {name}, going from {} to {} saves {}{beyond}.",
                value(from),
                value(knee),
                spread_words(&saved)
            );
            let span = curve[worst].mean() - curve[top].mean();
            if steepest.as_ref().is_none_or(|(steepest, _)| span > *steepest) {
                let curve_report = (0..curve.len()).map(|at| (value(at), Number(curve[at].mean()))).collect();
                let path = report.axes[*axis].path.clone();
                let knee = Knee {
                    path,
                    from: value(from),
                    at: value(knee),
                    best: value(top),
                    curve: curve_report,
                    words,
                };
                steepest = Some((span, knee));
            }
        }
        steepest.map(|(_, knee)| knee)
    }
}

/// `1,204 (1,190 to 1,222 in 95% of runs)`.
fn spread_words(summary: &Summary) -> String {
    let Some(mean) = summary.value(Statistic::Mean) else { return "nothing known".to_owned() };
    match summary.pi95_low.zip(summary.pi95_high).filter(|(low, high)| low < high) {
        Some((low, high)) => format!("{} ({} to {} in 95% of runs)", amount(mean), amount(low), amount(high)),
        None => amount(mean),
    }
}

pub(super) fn list(words: &[String]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Where there is nothing to choose: from how little to how much is lost.
fn span(why: &str, report: &SweepReport, what: &str, points: usize) -> String {
    let means = report.points.estimates.0.iter().find(|(name, _)| name == "failed_count");
    let means: Vec<f64> =
        means.map_or(vec![], |(_, columns)| columns.mean.values.iter().copied().flatten().collect());
    let (low, high) = means
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), mean| (low.min(*mean), high.max(*mean)));
    let paths: BTreeSet<String> = report.axes.iter().map(|axis| readable(&axis.path)).collect();
    let paths: Vec<String> = paths.into_iter().collect();
    format!(
        "Nothing is chosen here, as {why}: over {} points of {}, {what} of a run go from {} to {} on average.",
        thousands(points as f64),
        list(&paths),
        amount(low),
        amount(high)
    )
}
