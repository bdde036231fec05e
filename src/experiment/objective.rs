//! Objectives: criteria that the runs of a scenario are judged by, and what they say of them.
//!
//! A gate is an objective that the command line gives; a scenario brings its own in `[[objective]]`.

use super::criterion::{Bound, Criterion, Judgement};
use super::statistics::{Interval, Statistic, Summary};
use crate::metrics::Outcome;
use crate::scenario::{Document, Problem, Problems, given_by_hand};

/// Where gates are written.
const GATE: &str = "--gate";

/// A criterion, and who asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// What the result should be.
    pub criterion: Criterion,
    /// Why, in words.
    pub about: Option<String>,
    /// Where it is written: `--gate`, or a file and line.
    pub origin: String,
}

/// What the runs of one scenario say of an objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What was judged.
    pub objective: Objective,
    /// The value, the bound, and whether it is met.
    pub judgement: Judgement,
    /// The 95% confidence interval of the value.
    pub interval: Option<Interval>,
    /// Whether other runs may have it the other way: the bound is inside the interval.
    pub is_within_noise: bool,
    /// Whether runs differ, and are too few for an interval: how noisy the value is, nobody knows.
    pub lacks_runs: bool,
    /// Runs.
    pub run_count: u64,
    /// Runs in which the metric has a value; only they are judged.
    pub valued_run_count: u64,
}

impl Objective {
    /// Reads a gate: `failed_count <= 1.0x`. It is relative to the baseline only where there is one.
    ///
    /// # Errors
    /// If it is no criterion, or is relative without a baseline.
    pub fn gate(text: &str, has_baseline: bool) -> Result<Self, Problems> {
        let place = given_by_hand(GATE, text);
        let criterion = Criterion::read(text).map_err(|problem| problem.at(&place))?;
        if criterion.is_relative() && !has_baseline {
            let problem = Problem::new(format!(
                "`{criterion}` is relative to a baseline, and there is one scenario"
            ))
            .at(&place)
            .help("name the baseline first, as in `run before.toml after.toml`, or compare with a number");
            return Err(problem.into());
        }
        Ok(Objective { criterion, about: None, origin: place.origin() })
    }

    /// Whether it is a gate: it asks the same of every scenario, and not only of its own.
    pub fn is_gate(&self) -> bool {
        self.origin == GATE
    }

    /// Reads what a scenario asks for itself, in its order.
    ///
    /// # Errors
    /// All that are no criteria, or are relative: a scenario has no baseline. What is no objective at all
    /// [`Document::model`] says.
    pub fn all_of(document: &Document) -> Result<Vec<Self>, Problems> {
        let (mut objectives, mut problems) = (vec![], vec![]);
        for written in document.objectives() {
            match Criterion::read(&written.expect) {
                Ok(criterion) if criterion.is_relative() => {
                    let message =
                        format!("`{criterion}` is relative to a baseline, which a scenario does not have");
                    let help = format!(
                        "write a number, or give it to the comparison: \
                         failover-sim run before.toml after.toml --gate \"{criterion}\""
                    );
                    problems.push(Problem::new(message).at(&written.place).help(help));
                }
                Ok(criterion) => {
                    let origin = written.place.origin();
                    objectives.push(Objective { criterion, about: written.about, origin });
                }
                Err(problem) => problems.push(problem.at(&written.place)),
            }
        }
        Problems::check(problems)?;
        Ok(objectives)
    }

    /// Judges the runs of a scenario; a relative criterion is not met without a baseline's.
    pub fn judge(&self, outcomes: &[Outcome], baseline: Option<&[Outcome]>) -> Finding {
        let Criterion { target, bound, .. } = self.criterion;
        let baseline_value = baseline.and_then(|baseline| target.of(baseline));
        let judgement = self.criterion.judge(target.of(outcomes), baseline_value);
        let interval = target.interval(outcomes);
        let is_within_noise = match (bound, baseline) {
            (Bound::Relative(factor), Some(baseline)) if target.statistic == Statistic::Mean => {
                // Common random numbers move both alike, so it is the difference that is uncertain.
                let pairs = outcomes.iter().zip(baseline);
                let differences = pairs.map(|(outcome, base)| {
                    Some(target.metric.of(outcome)? - factor * target.metric.of(base)?)
                });
                Interval::of(Statistic::Mean, differences).is_some_and(|interval| straddles(interval, 0.0))
            }
            (Bound::Relative(factor), Some(baseline)) => {
                interval.zip(target.interval(baseline)).is_some_and(|(interval, base)| {
                    interval.low < factor * base.high && factor * base.low < interval.high
                })
            }
            _ => interval.zip(judgement.bound).is_some_and(|(interval, bound)| straddles(interval, bound)),
        };
        let summary = Summary::of_metric(target.metric, outcomes);
        Finding {
            objective: self.clone(),
            judgement,
            interval,
            is_within_noise,
            lacks_runs: target.statistic.has_interval() && interval.is_none() && summary.min != summary.max,
            run_count: outcomes.len() as u64,
            valued_run_count: summary.n,
        }
    }
}

/// Whether a value is strictly inside: an interval of no width has nothing inside.
fn straddles(interval: Interval, value: f64) -> bool {
    interval.low < value && value < interval.high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::LatencyQuantiles;
    use crate::time::SimDuration;

    fn outcomes(probes: impl IntoIterator<Item = u64>) -> Vec<Outcome> {
        probes.into_iter().map(|probe_count| Outcome { probe_count, ..Outcome::default() }).collect()
    }

    #[track_caller]
    fn judge(gate: &str, outcomes: &[Outcome], baseline: Option<&[Outcome]>) -> Finding {
        Objective::gate(gate, baseline.is_some()).expect("a gate").judge(outcomes, baseline)
    }

    #[test]
    fn a_bound_inside_the_interval_may_be_noise() {
        let runs = outcomes([90, 100, 110, 100]);
        // Mean 100, with an interval of 87 to 113.
        for (gate, met, noise) in [
            ("probe_count <= 99", false, true),
            ("probe_count <= 101", true, true),
            ("probe_count <= 50", false, false),
            ("probe_count <= 150", true, false),
            ("probe_count.max <= 109", false, false),
        ] {
            let finding = judge(gate, &runs, None);
            assert_eq!((finding.judgement.met, finding.is_within_noise), (met, noise), "{gate}");
        }
        for (gate, lacks_runs) in [
            ("probe_count.p95 <= 109", true),
            ("probe_count.p50 <= 109", true),
            ("probe_count <= 109", false),
            ("probe_count.max <= 109", false),
        ] {
            assert_eq!(judge(gate, &runs, None).lacks_runs, lacks_runs, "{gate}");
        }
        assert!(!judge("probe_count.p95 <= 109", &outcomes(0..72), None).lacks_runs);
        // What does not vary is not noise.
        assert!(!judge("probe_count.p95 <= 109", &outcomes([100; 9]), None).lacks_runs);
        assert!(!judge("probe_count < 100", &outcomes([100; 9]), None).is_within_noise);
    }

    #[test]
    fn what_is_relative_is_judged_in_pairs() {
        let (before, after) = (outcomes([100, 1000, 10_000]), outcomes([90, 900, 9_000]));
        let finding = judge("probe_count <= 1.0x", &after, Some(&before));
        assert_eq!((finding.judgement.met, finding.judgement.bound), (true, Some(3_700.0)));
        // Run by run it is nine tenths, however much the runs vary.
        let exactly = judge("probe_count <= 0.9x", &after, Some(&before));
        assert!(exactly.judgement.met && !exactly.is_within_noise);
        assert!(judge("probe_count <= 0.5x", &after, Some(&before)).is_within_noise);
        let (low, high) = (outcomes(0..100), outcomes(1000..1100));
        assert!(judge("probe_count.p50 <= 1x", &low, Some(&outcomes(5..105))).is_within_noise);
        assert!(!judge("probe_count.p50 <= 1x", &low, Some(&high)).is_within_noise);
    }

    #[test]
    fn a_dead_system_meets_nothing_and_few_values_are_judged_and_counted() {
        let dead = outcomes([0; 4]);
        let finding = judge("request_latency_ms_p99 <= 5000", &dead, None);
        assert_eq!((finding.judgement.met, finding.judgement.value), (false, None));
        assert_eq!((finding.valued_run_count, finding.run_count), (0, 4));

        let mut half_dead = dead.clone();
        let latency = SimDuration::from_secs(1);
        half_dead[1].latency = Some(LatencyQuantiles { p50: latency, p95: latency, p99: latency });
        let finding = judge("request_latency_ms_p99 <= 5000", &half_dead, None);
        assert_eq!((finding.judgement.met, finding.judgement.value), (true, Some(1000.0)));
        assert_eq!((finding.valued_run_count, finding.run_count), (1, 4));
        // Relative to a dead baseline says nothing.
        assert!(!judge("request_latency_ms_p99 <= 1x", &half_dead, Some(&dead)).judgement.met);
    }

    #[test]
    fn a_relative_gate_needs_a_baseline() {
        assert!(Objective::gate("failed_count <= 1.0x", true).expect("a gate").is_gate());
        let problem = Objective::gate("failed_count <= 1.0x", false).expect_err("there is no baseline");
        insta::assert_snapshot!(problem.render(false));
    }
}
