//! What is lost where, what the compared scenario saves there, and which of its changes saves what.

use super::decision::gap_of;
use super::document::{ChangeStep, SettingChange, StageStep, Waterfall};
use super::number::Number;
use super::numbers::Pair;
use super::scenario::mean;
use super::settings::{ChangeGroup, Changes};
use super::words::stage_label;
use crate::engine::Stage;
use crate::experiment::runner::{Cancelled, Progress, RunPlan};
use crate::experiment::statistics::Summary;
use crate::experiment::survey::Surveyed;
use crate::metrics::{Outcome, Series, Wanted};
use crate::scenario::Document;

/// More steps than these are grouped.
const STEPS: usize = 6;

/// Steps are left out above so many events of the plain path, which take a minute or so.
const WORK: f64 = 1e9;

/// The waterfall from the baseline to the compared scenario; each comes with its document.
///
/// # Errors
/// If `progress` said to stop.
pub(super) fn waterfall(
    pair: &Pair,
    documents: (&Document, Option<&Document>),
    changes: Option<&Changes>,
    plan: &RunPlan,
    progress: &dyn Progress,
) -> Result<Waterfall, Cancelled> {
    let failed = |outcomes: &[Outcome]| mean(outcomes, |o| o.failures.total());
    let of_stage = |stage: Stage| {
        let baseline = mean(pair.baseline.outcomes, |o| o.failures.of_stage(stage));
        let compared = pair.compared.map(|compared| mean(compared.outcomes, |o| o.failures.of_stage(stage)));
        StageStep {
            stage: stage.name(),
            label: stage_label(stage),
            baseline: Number(baseline),
            compared: compared.map(Number),
            change: compared.map(|compared| Number(compared - baseline)),
        }
    };
    let occurs = |step: &StageStep| step.baseline.0 > 0.0 || step.compared.is_some_and(|n| n.0 > 0.0);
    let mut waterfall = Waterfall {
        baseline_failed: Number(failed(pair.baseline.outcomes)),
        compared_failed: pair.compared.map(|compared| Number(failed(compared.outcomes))),
        stages: Stage::ALL.into_iter().map(of_stage).filter(occurs).collect(),
        changes: vec![],
        changes_note: None,
    };
    if let (Some(compared), (from, Some(to)), Some(changes)) = (pair.compared, documents, changes)
        && pair.plays_alike
    {
        let mut steps = Steps { from, to, plan, progress, baseline: pair.baseline.outcomes, found: vec![] };
        waterfall.changes_note = Some(steps.play(changes, compared.outcomes)?);
        waterfall.changes = steps.found;
    }
    Ok(waterfall)
}

/// Changes that are made one after the other, with the same runs played after each.
struct Steps<'a> {
    from: &'a Document,
    to: &'a Document,
    plan: &'a RunPlan,
    progress: &'a dyn Progress,
    baseline: &'a [Outcome],
    found: Vec<ChangeStep>,
}

impl Steps<'_> {
    /// Plays all steps but the last, which is the compared scenario itself; returns what there is to say of them.
    fn play(&mut self, changes: &Changes, compared: &[Outcome]) -> Result<String, Cancelled> {
        let groups = at_most(STEPS, &changes.groups);
        let Some((last, before)) = groups.split_last() else {
            return Ok("No setting differs that could change anything.".to_owned());
        };
        let work: f64 = [self.from, self.to]
            .iter()
            .filter_map(|document| document.model().ok())
            .map(|model| Surveyed::of(&model, Wanted::COUNTS).work)
            .fold(0.0, f64::max);
        if work * self.plan.count() as f64 * before.len() as f64 > WORK {
            return Ok("There is too much to simulate to make the changes one by one: fewer runs would do."
                .to_owned());
        }
        let mut document = self.from.clone();
        let mut outcomes = self.baseline.to_vec();
        // Changes that cannot stand without the next one.
        let mut pending: Vec<&Step> = vec![];
        for group in before {
            pending.push(group);
            group.paths.iter().for_each(|path| document.adopt(path, self.to));
            let Ok(model) = document.model() else { continue };
            let wanted = Wanted { series: Series::None, ..Wanted::COUNTS };
            let plan = RunPlan { wanted, ..self.plan.clone() };
            let played = plan.play(std::slice::from_ref(&model), self.progress)?.swap_remove(0);
            self.step(&std::mem::take(&mut pending), &outcomes, &played);
            outcomes = played;
        }
        pending.push(last);
        self.step(&pending, &outcomes, compared);
        Ok(match self.found.len() {
            1 if groups.len() == 1 => "There is one change.".to_owned(),
            1 => "All changes make one step: none of them stands without the others.".to_owned(),
            _ => "Changes are made one after the other, and the same runs played after each. What one saves depends on \
                  those before it: in another order the shares are others, and the sum is the same."
                .to_owned(),
        })
    }

    fn step(&mut self, groups: &[&Step], before: &[Outcome], after: &[Outcome]) {
        let failed = |outcome: &Outcome| outcome.failures.total() as f64;
        let pairs = after.iter().zip(before).map(|(after, before)| Some(failed(after) - failed(before)));
        let summary = Summary::of(pairs);
        let change = summary.mean.unwrap_or(0.0);
        let ci95 = summary.ci95_low.zip(summary.ci95_high).map(|(low, high)| [low, high]);
        let may_be_chance = ci95.map(|[low, high]| low <= 0.0 && 0.0 <= high);
        let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
        let settings: Vec<SettingChange> = groups.iter().flat_map(|group| group.list.clone()).collect();
        self.found.push(ChangeStep {
            label: labels.join(", "),
            settings,
            failed: Number(mean(after, |o| o.failures.total())),
            change: gap_of(change, ci95, may_be_chance),
        });
    }
}

/// Changes that are made at once.
#[derive(Debug, Clone)]
struct Step {
    paths: Vec<String>,
    label: String,
    list: Vec<SettingChange>,
}

/// A step for each of the first groups, and one for the rest.
fn at_most(most: usize, groups: &[ChangeGroup]) -> Vec<Step> {
    let step = |group: &ChangeGroup| Step {
        paths: vec![group.path.clone()],
        label: group.label.clone(),
        list: group.list.clone(),
    };
    if groups.len() <= most {
        return groups.iter().map(step).collect();
    }
    let (alone, rest) = groups.split_at(most - 1);
    let rest = Step {
        paths: rest.iter().map(|group| group.path.clone()).collect(),
        label: format!("{} more changes", rest.len()),
        list: rest.iter().flat_map(|group| group.list.clone()).collect(),
    };
    alone.iter().map(step).chain(std::iter::once(rest)).collect()
}
