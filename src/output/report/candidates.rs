//! Which point of a sweep to take: settings that people decide on, held against each other over all situations that the
//! sweep puts them in.
//!
//! A *candidate* is one combination of values on the axes that are decided on; a *situation* is a scenario with one
//! combination of the others. What a candidate loses is the mean over its situations, run by run, as runs of one number
//! see the same random numbers everywhere.

use crate::experiment::distribution::student_t;
use crate::experiment::statistics::{Interval, Summary};
use std::collections::{BTreeMap, BTreeSet};

/// Told apart at this level, over all that a list names.
const TAIL: f64 = 0.05;

/// One point, as far as candidates go.
#[derive(Debug, Clone)]
pub(super) struct PointRuns {
    /// Its place in the table.
    pub row: usize,
    /// Its values on the axes that are decided on.
    pub settings: Vec<String>,
    /// Its scenario, and its values on the others.
    pub situation: Vec<String>,
    /// What each run loses.
    pub lost: Vec<f64>,
}

/// Settings, and what runs with them lose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// The places of its points in the table.
    pub rows: Vec<usize>,
    /// By axis.
    pub settings: Vec<String>,
    /// What each run loses, on average over situations.
    pub lost: Vec<f64>,
}

impl Candidate {
    /// What runs say.
    pub fn summary(&self) -> Summary {
        Summary::of(self.lost.iter().copied().map(Some))
    }

    pub fn mean(&self) -> f64 {
        self.summary().mean.unwrap_or(f64::INFINITY)
    }

    /// What it loses more than another one, run by run.
    pub fn less(&self, other: &Candidate) -> Summary {
        Summary::of(self.lost.iter().zip(&other.lost).map(|(own, other)| Some(own - other)))
    }
}

/// Candidates that can be held against each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Field {
    /// In order of their points.
    pub candidates: Vec<Candidate>,
    /// In how many situations each was played.
    pub situations: usize,
    /// Whether each was played in a situation of its own, as in a sampled design, so that it is not the settings alone
    /// that make them differ.
    pub is_mixed: bool,
}

impl Field {
    /// The candidates that were played in all situations that any of them was played in.
    pub fn of(points: Vec<PointRuns>) -> Field {
        let mut by_settings: BTreeMap<Vec<String>, Vec<PointRuns>> = BTreeMap::new();
        let mut all: BTreeSet<Vec<String>> = BTreeSet::new();
        for point in points {
            all.insert(point.situation.clone());
            by_settings.entry(point.settings.clone()).or_default().push(point);
        }
        let most = by_settings.values().map(Vec::len).max().unwrap_or(0);
        let is_mixed = most < all.len();
        let mut candidates: Vec<Candidate> = by_settings
            .into_iter()
            .filter(|(_, points)| points.len() == most && points.iter().all(|point| !point.lost.is_empty()))
            .map(|(settings, points)| {
                let runs = points.iter().map(|point| point.lost.len()).min().unwrap_or(0);
                let lost = |run: usize| points.iter().map(|p| p.lost[run]).sum::<f64>() / points.len() as f64;
                let rows = points.iter().map(|point| point.row).collect();
                Candidate { rows, settings, lost: (0..runs).map(lost).collect() }
            })
            .collect();
        candidates.sort_by_key(|candidate| candidate.rows.first().copied());
        Field { candidates, situations: most, is_mixed }
    }
}

/// The one that loses least; of several the first.
pub(super) fn best(candidates: &[Candidate]) -> Option<usize> {
    (0..candidates.len()).min_by(|a, b| candidates[*a].mean().total_cmp(&candidates[*b].mean()))
}

/// The confidence interval of a mean that holds for so many at once; `None` below two runs.
pub(super) fn interval(summary: &Summary, family: usize) -> Option<Interval> {
    let (mean, low, high) = (summary.mean?, summary.ci95_low?, summary.ci95_high?);
    let df = summary.n.checked_sub(1).filter(|df| *df > 0)? as f64;
    let error = (high - low) / 2.0 / student_t(TAIL, df);
    let half = error * student_t(TAIL / family.max(1) as f64, df);
    Some(Interval { low: mean - half, high: mean + half })
}

/// Whether a difference may be chance; always below two runs, unless it is none.
pub(super) fn may_be_chance(difference: &Summary, family: usize, is_random: bool) -> bool {
    match interval(difference, family) {
        Some(interval) => interval.low <= 0.0 && interval.high >= 0.0,
        None => is_random || difference.mean == Some(0.0),
    }
}

/// The candidates that cannot be told from one of them.
pub(super) fn tied(candidates: &[Candidate], with: usize, is_random: bool) -> Vec<usize> {
    let family = candidates.len().saturating_sub(1);
    let is_tied = |nth: &usize| {
        *nth != with && may_be_chance(&candidates[*nth].less(&candidates[with]), family, is_random)
    };
    (0..candidates.len()).filter(is_tied).collect()
}

/// The knee of a curve of at least three candidates in the order of an axis, the best of them at `best`: the first
/// place, from the end that loses most, from where on there is less than a tenth to win, or nothing that can be told
/// from chance.
pub(super) fn knee(curve: &[&Candidate], best: usize, is_random: bool) -> Option<(usize, usize)> {
    if curve.len() < 3 {
        return None;
    }
    let (first, last) = (0, curve.len() - 1);
    let worst = if curve[first].mean() >= curve[last].mean() { first } else { last };
    let span = curve[worst].mean() - curve[best].mean();
    if worst == best || may_be_chance(&curve[worst].less(curve[best]), 1, is_random) {
        return None;
    }
    let towards: Vec<usize> =
        if worst < best { (worst..=best).collect() } else { (best..=worst).rev().collect() };
    let is_enough = |nth: &&usize| {
        let left = curve[**nth].less(curve[best]);
        left.mean.is_some_and(|left| left <= 0.1 * span) || may_be_chance(&left, curve.len() - 1, is_random)
    };
    let knee = *towards.iter().find(is_enough)?;
    (knee != worst).then_some((worst, knee))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(row: usize, settings: &str, situation: &str, lost: &[f64]) -> PointRuns {
        let list = |text: &str| vec![text.to_owned()];
        PointRuns { row, settings: list(settings), situation: list(situation), lost: lost.to_vec() }
    }

    #[test]
    fn candidates_are_compared_over_all_situations_and_run_by_run() {
        let points = vec![
            point(0, "5s", "refuse", &[10.0, 20.0, 30.0]),
            point(1, "5s", "hang", &[30.0, 40.0, 50.0]),
            point(2, "60s", "refuse", &[11.0, 21.0, 31.0]),
            point(3, "60s", "hang", &[31.0, 41.0, 51.0]),
            point(4, "1s", "refuse", &[0.0, 0.0, 0.0]),
        ];
        let Field { candidates: found, situations, is_mixed } = Field::of(points);
        assert_eq!((situations, is_mixed), (2, false));
        let told: Vec<(&str, f64)> = found.iter().map(|c| (c.settings[0].as_str(), c.mean())).collect();
        assert_eq!(told, [("5s", 30.0), ("60s", 31.0)], "what was not played everywhere is no candidate");
        assert_eq!((best(&found), tied(&found, 0, true)), (Some(0), vec![]), "paired, one more is no chance");
    }

    #[test]
    fn what_differs_by_chance_is_tied() {
        let points = vec![point(0, "a", "", &[1.0, 9.0, 5.0, 2.0]), point(1, "b", "", &[8.0, 2.0, 4.0, 4.0])];
        let found = Field::of(points).candidates;
        assert_eq!((best(&found), tied(&found, 0, true)), (Some(0), vec![1]));
    }

    #[test]
    fn the_knee_is_where_nine_tenths_are_won() {
        let means = [2.0, 5.0, 7.0, 60.0, 100.0];
        let curve: Vec<Candidate> = means
            .iter()
            .map(|mean| Candidate { rows: vec![], settings: vec![], lost: vec![*mean, mean + 0.5] })
            .collect();
        let curve: Vec<&Candidate> = curve.iter().collect();
        assert_eq!(knee(&curve, 0, true), Some((4, 2)));
        assert_eq!(knee(&curve[..2], 0, true), None, "two values are no curve");
        let flat = [curve[0], curve[0], curve[0]];
        assert_eq!(knee(&flat, 0, true), None);
    }
}
