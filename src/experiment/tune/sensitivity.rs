//! What inputs that nobody has measured do to the recommendation: each is changed, and the recommended candidate is
//! played again beside those that came nearest to it.

use super::analysis::{difference, misses};
use super::field::TuneError;
use super::judge::{CHANCE, Standing, best};
use super::mix::Scatter;
use super::report::GuessEffect;
use super::search::Search;
use super::space::Space;
use super::{Guess, Tune};
use crate::scenario::quantity;
use crate::scenario::shape::inline;
use crate::scenario::{Document, value_of};

/// What a guessed input is multiplied by where nobody has said what else it could be.
const FACTORS: [f64; 2] = [0.5, 2.0];
/// Candidates that are played beside the recommended one.
const RIVALS: usize = 16;
/// Runs of each of them; what then looks better gets as many as everything that is named.
const RUNS: u64 = 20;

/// Inputs that every scenario guesses.
const INPUTS: [Input; 4] = [
    Input { name: "probe latency", is_meant: |path| path.starts_with("gateway.health_check.latency") },
    Input { name: "quiet error rate", is_meant: |path| is_of("provider", path, "error_rate") },
    Input { name: "outage length", is_meant: |path| is_of("fault", path, "lasts") },
    Input { name: "request rate", is_meant: |path| path.starts_with("traffic.arrivals.") },
];

/// An input that may be written in several places.
struct Input {
    name: &'static str,
    is_meant: fn(&str) -> bool,
}

/// `provider.NAME.error_rate`.
fn is_of(table: &str, path: &str, setting: &str) -> bool {
    let mut steps = path.split('.');
    (steps.next(), steps.nth(1), steps.next()) == (Some(table), Some(setting), None)
}

/// The scenarios with one input changed, and what to call it.
struct Variant {
    name: String,
    scenarios: Vec<Document>,
}

/// What each guess does, and how many runs it took to see it.
pub(super) fn guesses(
    search: &Search,
    recommended: usize,
    tied: &[usize],
) -> Result<(Vec<GuessEffect>, u64), TuneError> {
    let (mut effects, mut runs) = (Vec::new(), 0);
    let rivals = rivals(search, recommended, tied);
    let variants = variants(search.field.tune, &search.field.space);
    // The search keeps to its budget, and so do the questions that follow from it.
    let tune = Tune { budget: None, ..search.field.tune.clone() };
    for variant in variants {
        let (effect, spent) = effect(search, &tune, recommended, &rivals, &variant)?;
        effects.push(effect);
        runs += spent;
        if search.field.left() < runs {
            break;
        }
    }
    Ok((effects, runs))
}

/// The candidates that came nearest to the recommended one: what cannot be told from it, and then the next best.
fn rivals(search: &Search, recommended: usize, tied: &[usize]) -> Vec<usize> {
    let standings = search.standings(None);
    let mut others: Vec<usize> = (0..standings.len()).filter(|i| *i != recommended).collect();
    let mut rivals = Vec::new();
    // Those next to it on an axis come first: a change of an input moves the best there.
    let here = &search.field.candidate(recommended).position;
    let is_beside = |i: &usize| {
        let differs = search.field.candidate(*i).position.iter().zip(here).filter(|(a, b)| a != b);
        differs.count() == 1
    };
    for among in [others.iter().copied().filter(is_beside).collect(), tied.to_vec(), others.clone()] {
        let mut among: Vec<usize> = among;
        let room = rivals.len() + RIVALS / 3 + 1;
        while rivals.len() < room.min(RIVALS)
            && let Some(next) = best(&standings, &among)
        {
            among.retain(|i| *i != next);
            if !rivals.contains(&next) && standings[next].violation().is_finite() {
                rivals.push(next);
            }
        }
        others.retain(|i| !rivals.contains(i));
    }
    rivals
}

fn effect(
    search: &Search,
    tune: &Tune,
    recommended: usize,
    rivals: &[usize],
    variant: &Variant,
) -> Result<(GuessEffect, u64), TuneError> {
    let space = Space { sweep: search.field.space.sweep, scenarios: &variant.scenarios };
    let mut field = search.field.with(space, tune);
    let mut effect = GuessEffect {
        guess: variant.name.clone(),
        value: None,
        difference: None,
        misses: Vec::new(),
        instead: None,
    };
    let mut added = Vec::new();
    for candidate in [recommended].iter().chain(rivals) {
        // A setting that was valid may not be with another input.
        match field.add(search.field.candidate(*candidate).position.clone()) {
            Ok(Some(new)) if !added.contains(&new) => added.push(new),
            Ok(_) => {}
            Err(_) if added.is_empty() => return Ok((effect, 0)),
            Err(_) => {}
        }
    }
    let Some(&own) = added.first() else { return Ok((effect, 0)) };
    let few: Vec<(usize, u64)> = added.iter().map(|i| (*i, RUNS.min(search.runs))).collect();
    field.play(&few)?;
    field.play(&[(own, search.runs)])?;
    let objective = &tune.goal.as_ref().expect("somebody has said what is to be found").objectives[0];
    let now = field.objective(own, objective, None);
    let before = search.field.objective(recommended, objective, None);
    effect.value = Some(now.value).filter(|value| value.is_finite());
    effect.difference = Some(difference(&now, &before, CHANCE));
    effect.misses = misses(&field, own);
    let standings: Vec<Standing> = added.iter().map(|i| Standing::of(&field, *i, None)).collect();
    let feasible: Vec<usize> = (0..added.len()).filter(|nth| standings[*nth].is_feasible()).collect();
    if let Some(rival) = best(&standings, &feasible).map(|nth| added[nth]).filter(|rival| *rival != own) {
        // What looks better on few runs has to look better on many.
        field.play(&[(rival, search.runs)])?;
        let [own_standing, standing] = [own, rival].map(|i| Standing::of(&field, i, None));
        let lead = Scatter::of_difference(&own_standing.objectives[0], &standing.objectives[0]);
        let is_better = lead.is_above_zero(CHANCE / added.len() as f64);
        if standing.is_feasible() && (is_better || !own_standing.is_feasible()) {
            let position = &field.candidate(rival).position;
            let known = rivals.iter().find(|i| search.field.candidate(**i).position == *position);
            effect.instead = known.map(|i| search.choice(*i).settings);
        }
    }
    Ok((effect, field.spent()))
}

/// The scenarios with each input changed.
fn variants(tune: &Tune, space: &Space) -> Vec<Variant> {
    if !tune.guesses.is_empty() {
        let each = |guess: &Guess| {
            let named = |value: &toml::Value| Variant {
                name: format!("{} = {}", guess.path, inline(value)),
                scenarios: space.scenarios.iter().map(|document| set(document, &guess.path, value)).collect(),
            };
            guess.values.iter().map(named).collect::<Vec<_>>()
        };
        return tune.guesses.iter().flat_map(each).collect();
    }
    let is_axis = |path: &str| space.sweep.axes.iter().any(|axis| axis.paths().contains(&path));
    let mut variants = Vec::new();
    for input in INPUTS {
        for factor in FACTORS {
            let mut changed = false;
            let scenarios = space.scenarios.iter().map(|document| {
                let mut scaled = document.clone();
                let settings = document.resolved().into_iter();
                for setting in settings.filter(|s| (input.is_meant)(&s.path) && !is_axis(&s.path)) {
                    let value = value_of(&setting.value);
                    if let Some(other) = scale(&value, factor).filter(|other| *other != value) {
                        changed |= scaled.set(&setting.path, other, "guess").is_ok();
                    }
                }
                scaled
            });
            let variant =
                Variant { name: format!("{} x {factor}", input.name), scenarios: scenarios.collect() };
            if changed {
                variants.push(variant);
            }
        }
    }
    variants
}

/// A scenario with another value, where it has the setting.
fn set(document: &Document, path: &str, value: &toml::Value) -> Document {
    let mut changed = document.clone();
    match changed.set(path, value.clone(), "guess") {
        Ok(()) => changed,
        Err(_) => document.clone(),
    }
}

/// A duration, a rate or a share times a factor; `None` for anything else.
fn scale(value: &toml::Value, factor: f64) -> Option<toml::Value> {
    if let Ok(duration) = quantity::duration(value) {
        return Some(duration.scaled(factor).to_string().into());
    }
    if let Ok(rate) = quantity::rate(value) {
        return Some(format!("{}/s", rate.per_second() * factor).into());
    }
    value.as_float().map(|share| (share * factor).min(1.0).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_rates_and_shares_are_scaled_as_they_are_written() {
        for (value, scaled) in
            [("\"90s\"", "\"3m\""), ("\"60/min\"", "\"2/s\""), ("0.25", "0.5"), ("0.75", "1.0")]
        {
            assert_eq!(scale(&value_of(value), 2.0), Some(value_of(scaled)), "{value}");
        }
        assert_eq!(scale(&value_of("\"trace.csv\""), 2.0), None);
    }

    #[test]
    fn inputs_are_known_by_their_paths() {
        let named = |path: &str| INPUTS.iter().find(|input| (input.is_meant)(path)).map(|input| input.name);
        assert_eq!(named("gateway.health_check.latency.lognormal.p50"), Some("probe latency"));
        assert_eq!(named("provider.a.error_rate"), Some("quiet error rate"));
        assert_eq!(named("fault.outage.lasts"), Some("outage length"));
        assert_eq!(named("traffic.arrivals.poisson"), Some("request rate"));
        assert_eq!(named("provider.a.latency.lognormal.p50"), None);
        assert_eq!(named("fault.outage.at"), None);
    }
}
