//! The one grammar for what a result should be: gates, objectives, when to stop playing runs, what to tune.
//!
//! A *target* is `metric[.statistic]`, the mean if no statistic is named. A *criterion* is `target op value`, and a
//! *precision* is `target half-width`. A value is a number in the metric's unit, has a unit of its own (`30s`,
//! `99.9%`), or is a multiple of the baseline's (`1.0x`).

use super::comparison::{Comparison, Split};
use super::statistics::{Interval, Statistic, Summary};
use crate::metrics::{METRICS, Metric, Outcome, Unit, metric};
use crate::scenario::quantity;
use crate::scenario::{Problem, nearest, one_of};
use std::fmt;

/// One number of what many runs say: `failed_count.p95`.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What each run is measured by.
    pub metric: &'static Metric,
    /// What is said of all runs.
    pub statistic: Statistic,
}

impl Target {
    /// Reads `metric` or `metric.statistic`.
    ///
    /// # Errors
    /// If there is no such metric or statistic.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let (name, statistic) = text.split_once('.').unwrap_or((text, Statistic::Mean.name()));
        let metric = metric(name).ok_or_else(|| no_metric(name, text))?;
        let statistic = Statistic::named(statistic).ok_or_else(|| no_statistic(metric, statistic))?;
        Ok(Target { metric, statistic })
    }

    /// The number; `None` if the metric has no value in any run, or too few for the statistic.
    pub fn of(&self, outcomes: &[Outcome]) -> Option<f64> {
        Summary::of_metric(self.metric, outcomes).value(self.statistic)
    }

    /// The 95% confidence interval of the number; `None` with too few runs for one, and for a statistic without one.
    pub fn interval(&self, outcomes: &[Outcome]) -> Option<Interval> {
        Interval::of(self.statistic, outcomes.iter().map(|outcome| self.metric.of(outcome)))
    }
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        (self.metric.name, self.statistic) == (other.metric.name, other.statistic)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.statistic {
            Statistic::Mean => f.write_str(self.metric.name),
            statistic => write!(f, "{}.{}", self.metric.name, statistic.name()),
        }
    }
}

/// What a result should be: `failed_count.p95 <= 1000`.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// What is judged.
    pub target: Target,
    /// How it should be to the bound.
    pub comparison: Comparison,
    /// What it is compared with.
    pub bound: Bound,
    /// The bound as it was written.
    written: String,
}

/// What a value is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A number in the metric's unit.
    Absolute(f64),
    /// So many times what the baseline has.
    Relative(f64),
}

/// What a criterion says of one scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Whether the criterion holds. It does not for what has no value: a dead system meets nothing.
    pub met: bool,
    /// The scenario's value.
    pub value: Option<f64>,
    /// The bound in the metric's unit; `None` if it is relative to a baseline without a value.
    pub bound: Option<f64>,
}

impl Criterion {
    /// Reads `metric[.statistic] op value`.
    ///
    /// # Errors
    /// If a part of it is missing or unknown, or the value cannot be one of the metric. Whether there is a baseline
    /// for a relative bound is for the caller to know.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let Some(split) = Split::of(text) else {
            return Err(Problem::new(format!("the criterion \"{}\" compares nothing", text.trim()))
                .help(format!("write it like \"failed_count.p95 <= 1000\", with {}", Comparison::signs())));
        };
        let target = Target::read(split.left)?;
        let Some(comparison) = split.comparison() else {
            let help = match split.sign {
                "=" => format!("write {} for equal, or {}", Comparison::Equal, Comparison::LessOrEqual),
                "=<" => format!("write {}", Comparison::LessOrEqual),
                "=>" => format!("write {}", Comparison::GreaterOrEqual),
                _ => format!("write {}", Comparison::signs()),
            };
            return Err(Problem::new(format!("there is no comparison `{}`", split.sign)).help(help));
        };
        let bound = Bound::read(target.metric, split.right)?;
        Ok(Criterion { target, comparison, bound, written: split.right.to_owned() })
    }

    /// Whether the bound is a multiple of what a baseline has.
    pub fn is_relative(&self) -> bool {
        matches!(self.bound, Bound::Relative(_))
    }

    /// Judges a scenario's value of the target; `baseline` is the baseline's.
    pub fn judge(&self, value: Option<f64>, baseline: Option<f64>) -> Judgement {
        let bound = match self.bound {
            Bound::Absolute(bound) => Some(bound),
            Bound::Relative(factor) => baseline.map(|baseline| factor * baseline),
        };
        let order = value.zip(bound).and_then(|(value, bound)| value.partial_cmp(&bound));
        Judgement { met: order.is_some_and(|order| self.comparison.holds(order)), value, bound }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {} {}", self.target, self.comparison, self.written)
    }
}

impl Bound {
    fn read(metric: &Metric, text: &str) -> Result<Self, Problem> {
        let about_baseline = "such as 1.0x for no more than the baseline";
        let Some(factor) = text.strip_suffix('x') else { return absolute(metric, text).map(Bound::Absolute) };
        match factor.trim().parse::<f64>() {
            Ok(factor) if factor.is_finite() && factor >= 0.0 => Ok(Bound::Relative(factor)),
            _ => Err(Problem::new(format!("\"{text}\" is no multiple of the baseline"))
                .help(format!("write a number from 0 with an x, {about_baseline}"))),
        }
    }
}

/// How narrow an interval should be: `failed_count 2%`.
#[derive(Debug, Clone, PartialEq)]
pub struct Precision {
    /// Whose interval.
    pub target: Target,
    /// The widest that half of the interval may be.
    pub half_width: HalfWidth,
    written: String,
}

/// Half the width of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HalfWidth {
    /// In the metric's unit.
    Absolute(f64),
    /// As a share of the number that the interval is of.
    Relative(f64),
}

impl Precision {
    /// Reads `metric[.statistic] half-width`: a share of the number itself (`2%`), or a number in the metric's unit.
    ///
    /// # Errors
    /// If a part of it is missing or unknown, the width is zero, or the statistic has no interval.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let Some((target, width)) = text.split_once(char::is_whitespace) else {
            // A misspelt name is better complained about than a missing width.
            Target::read(text)?;
            return Err(Problem::new(format!("\"{text}\" does not say how precise"))
                .help(format!("add half the width of the interval, as in \"{text} 2%\"")));
        };
        let (target, width) = (Target::read(target)?, width.trim());
        if !target.statistic.has_interval() {
            let with: Vec<&str> =
                Statistic::ALL.into_iter().filter(|s| s.has_interval()).map(Statistic::name).collect();
            return Err(Problem::new(format!("`{}` has no confidence interval", target.statistic.name()))
                .help(format!("choose {}", one_of(with))));
        }
        let half_width = match width.strip_suffix('%').map(hundredths) {
            Some(Some(share)) => HalfWidth::Relative(share),
            Some(None) => {
                return Err(
                    Problem::new(format!("\"{width}\" is no percentage")).help("write it like \"2%\"")
                );
            }
            None => HalfWidth::Absolute(absolute(target.metric, width)?),
        };
        let (HalfWidth::Absolute(size) | HalfWidth::Relative(size)) = half_width;
        if size <= 0.0 {
            return Err(Problem::new(format!("no number of runs makes an interval as narrow as {width}"))
                .help("write a half-width above zero, such as \"2%\""));
        }
        Ok(Precision { target, half_width, written: width.to_owned() })
    }

    /// Whether an interval of a number is narrow enough; without either it is not.
    pub fn is_reached(&self, value: Option<f64>, interval: Option<Interval>) -> bool {
        let Some((value, interval)) = value.zip(interval) else { return false };
        let widest = match self.half_width {
            HalfWidth::Absolute(half_width) => half_width,
            HalfWidth::Relative(share) => share * value.abs(),
        };
        (interval.high - interval.low) / 2.0 <= widest
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.target, self.written)
    }
}

/// A percentage as a share: 99.9 is 0.999 to the last bit, as if it had been written so.
fn hundredths(percent: &str) -> Option<f64> {
    format!("{}e-2", percent.trim()).parse().ok().filter(|share: &f64| share.is_finite())
}

/// A number in the unit of the metric, which may be written with a unit of its own.
fn absolute(metric: &Metric, text: &str) -> Result<f64, Problem> {
    const SHARES: &str = "write it like 0.999 or 99.9%";
    let what = || format!("`{}` is compared with \"{text}\"", metric.name);
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    if number.is_some_and(|number| number < 0.0) {
        return Err(Problem::new(format!("{}, and is never negative", what())).help("write a number from 0"));
    }
    match (metric.unit, number) {
        (Unit::Ratio, Some(share)) if share > 1.0 => {
            let help = if share <= 100.0 { format!("write {text}%") } else { SHARES.to_owned() };
            Err(Problem::new(format!("{}, and is a share from 0 to 1", what())).help(help))
        }
        (_, Some(number)) => Ok(number),
        (Unit::Ratio | Unit::Quotient, None) => {
            let most = if metric.unit == Unit::Ratio { 1.0 } else { f64::MAX };
            let share =
                text.strip_suffix('%').and_then(hundredths).filter(|share| (0.0..=most).contains(share));
            let problem = || Problem::new(format!("{}, which is no share", what()));
            share.ok_or_else(|| problem().help(SHARES))
        }
        (Unit::Milliseconds, None) => {
            let duration = quantity::duration(&toml::Value::from(text));
            duration.map(|duration| duration.as_millis_f64()).map_err(|_| {
                Problem::new(format!("{}, which is no duration", what()))
                    .help("write it like 30s, 250ms or 1m 30s; a number without a unit is in milliseconds")
            })
        }
        (Unit::Count | Unit::PerSecond | Unit::PerDay, None) => {
            let plain = text.replace([',', '_', ' '], "");
            let is_number =
                |text: &str| text.parse().is_ok_and(|number: f64| number.is_finite() && number >= 0.0);
            let help = match (plain.strip_suffix('X'), plain.strip_suffix('%').and_then(hundredths)) {
                _ if is_number(&plain) => format!("write {plain}"),
                (Some(factor), _) if is_number(factor) => format!("write {factor}x"),
                (_, Some(share)) if share >= 0.0 => {
                    format!(
                        "write a number, such as 1000, or {share}x for so many times what the baseline has"
                    )
                }
                _ => "write a number, such as 1000".to_owned(),
            };
            Err(Problem::new(format!("{}, which is no number", what())).help(help))
        }
    }
}

fn no_metric(name: &str, text: &str) -> Problem {
    let names = || METRICS.iter().map(|metric| metric.name);
    // The column of a table, failed_count_p95, is what people copy.
    let column = Statistic::ALL.into_iter().find_map(|statistic| {
        let metric = metric(text.strip_suffix(statistic.name())?.strip_suffix('_')?)?;
        Some(Target { metric, statistic }.to_string())
    });
    let help = match (column, nearest(name, names())) {
        (Some(target), _) => format!("did you mean `{target}`?"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => {
            "choose `failed_count`, `availability_ratio`, `request_latency_ms_p99` or another of docs/columns.md"
                .to_owned()
        }
    };
    let message = match name {
        "" => "no metric is named".to_owned(),
        name => format!("there is no metric `{name}`"),
    };
    Problem::new(message).help(help)
}

fn no_statistic(metric: &Metric, name: &str) -> Problem {
    let known = Statistic::ALL.map(Statistic::name);
    // `nearest` takes p99 for p95, which are not the same at all.
    let near = nearest(name, known).filter(|near| !near.starts_with('p') || near.starts_with("pi"));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("choose {}", one_of(known)),
    };
    Problem::new(format!("`{}` has no statistic `{name}`", metric.name)).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Criterion {
        Criterion::read(text).unwrap_or_else(|problem| panic!("{text}: {}", problem.message()))
    }

    #[test]
    fn criteria_are_read_as_people_write_them_and_shown_as_they_were_written() {
        for (text, metric, statistic, comparison, bound) in [
            ("failed_count <= 1000", "failed_count", "mean", "<=", Bound::Absolute(1000.0)),
            ("failed_count.p95 < 1e3", "failed_count", "p95", "<", Bound::Absolute(1000.0)),
            ("failed_count <= 1.0x", "failed_count", "mean", "<=", Bound::Relative(1.0)),
            ("failed_count.pi95_high > 0.5x", "failed_count", "pi95_high", ">", Bound::Relative(0.5)),
            ("time_to_detect_ms.max <= 30s", "time_to_detect_ms", "max", "<=", Bound::Absolute(30e3)),
            ("time_to_detect_ms != 1m 30s", "time_to_detect_ms", "mean", "!=", Bound::Absolute(90e3)),
            ("availability_ratio >= 99.9%", "availability_ratio", "mean", ">=", Bound::Absolute(0.999)),
            ("availability_ratio == 1", "availability_ratio", "mean", "==", Bound::Absolute(1.0)),
            ("budget_spent_ratio <= 110%", "budget_spent_ratio", "mean", "<=", Bound::Absolute(1.1)),
            ("budget_spent_ratio <= 2", "budget_spent_ratio", "mean", "<=", Bound::Absolute(2.0)),
            ("false_ejection_per_day <= 0.5", "false_ejection_per_day", "mean", "<=", Bound::Absolute(0.5)),
        ] {
            let criterion = read(text);
            assert_eq!(criterion.target.metric.name, metric);
            assert_eq!(criterion.target.statistic.name(), statistic);
            assert_eq!((criterion.comparison.sign(), criterion.bound), (comparison, bound), "{text}");
            assert_eq!(criterion.to_string(), text);
            assert_eq!(read(&criterion.to_string()), criterion);
        }
        assert_eq!(read(" failed_count.mean<=7 ").to_string(), "failed_count <= 7");
    }

    #[test]
    fn a_value_is_held_against_its_bound() {
        let judged = |text: &str, value, baseline| {
            let Judgement { met, bound, .. } = read(text).judge(value, baseline);
            (met, bound)
        };
        assert_eq!(judged("failed_count <= 10", Some(10.0), None), (true, Some(10.0)));
        assert_eq!(judged("failed_count < 10", Some(10.0), None), (false, Some(10.0)));
        assert_eq!(judged("failed_count <= 0.5x", Some(10.0), Some(20.0)), (true, Some(10.0)));
        assert_eq!(judged("failed_count <= 0.5x", Some(10.1), Some(20.0)), (false, Some(10.0)));
        assert_eq!(judged("failed_count <= 1x", Some(0.0), Some(0.0)), (true, Some(0.0)));
        // What has no value meets nothing, whichever way it is compared.
        for text in ["request_latency_ms_p99 <= 5s", "request_latency_ms_p99 != 5s"] {
            assert_eq!(judged(text, None, None), (false, Some(5000.0)));
        }
        assert_eq!(judged("request_latency_ms_p99 <= 1x", Some(1.0), None), (false, None));
    }

    #[test]
    fn a_precision_is_a_share_of_the_number_or_in_its_unit() {
        let precision = |text: &str| Precision::read(text).expect("a precision");
        for text in
            ["failed_count 2%", "failed_count.p95 50", "time_to_detect_ms 500ms", "availability_ratio 0.001"]
        {
            assert_eq!(precision(text).to_string(), text);
        }
        let interval = |low, high| Some(Interval { low, high });
        let share = precision("failed_count 2%");
        assert!(share.is_reached(Some(100.0), interval(98.0, 102.0)));
        assert!(!share.is_reached(Some(100.0), interval(97.9, 102.0)));
        assert!(share.is_reached(Some(0.0), interval(0.0, 0.0)));
        assert!(precision("time_to_detect_ms 0.5s").is_reached(Some(9e3), interval(8.5e3, 9.5e3)));
        assert!(!share.is_reached(Some(100.0), None) && !share.is_reached(None, None));
    }

    #[test]
    fn what_cannot_be_read_says_what_to_write() {
        let criteria = [
            "failed_count",
            "",
            "<= 5",
            "failed_coun <= 5",
            "failed_count_p95 <= 5",
            "cost <= 5",
            "failed_count.p99 <= 5",
            "failed_count.maen <= 5",
            "failed_count = 5",
            "failed_count => 5",
            "failed_count <> 5",
            "failed_count <=",
            "failed_count <= few",
            "failed_count <= 1,000",
            "failed_count <= 5%",
            "failed_count <= 110%",
            "failed_count <= 1.0X",
            "failed_count <= 5s",
            "failed_count <= -5",
            "failed_count <= inf",
            "failed_count <= -1x",
            "failed_count <= ax",
            "availability_ratio >= 99.9",
            "availability_ratio >= 101%",
            "availability_ratio >= high",
            "time_to_detect_ms <= soon",
        ];
        let precisions = [
            "failed_count",
            "failed_coun",
            "failed_count 0%",
            "failed_count 0",
            "failed_count two%",
            "failed_count.max 2%",
            "failed_count narrow",
        ];
        let told = |text: &str, problem: Problem| {
            let fix = problem.fix().expect("what to write instead");
            format!("{text:<30}  {}\n{:30}  {fix}\n", problem.message(), "")
        };
        let criteria = criteria.iter().map(|text| told(text, Criterion::read(text).expect_err(text)));
        let precisions = precisions.iter().map(|text| told(text, Precision::read(text).expect_err(text)));
        insta::assert_snapshot!(criteria.chain(precisions).collect::<String>());
    }
}
