//! Runs of scenarios that were played side by side.

use crate::failure::{interrupted, refused};
use crate::scenario::Scenario;
use crate::table::Table;
use crate::watch::{Watch, watched};
use failover_sim::experiment::objective::{Finding, Objective};
use failover_sim::experiment::runner::RunPlan;
use failover_sim::experiment::segment::PointFacts;
use failover_sim::metrics::{Beliefs, Outcome, Series, Wanted};
use failover_sim::model::Model;
use failover_sim::output::terminal::{Screen, summary};
use failover_sim::output::{
    Design, Point, ScenarioResult, SecondTotal, add_seconds, assumptions, differences, document, schema,
};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;

/// Scenarios and their runs; the first is the baseline.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct Played {
    preface: Vec<String>,
    plan: RunPlan,
    scenarios: Vec<One>,
}

/// One scenario's.
struct One {
    model: Model,
    facts: PointFacts,
    outcomes: Vec<Outcome>,
    seconds: Vec<SecondTotal>,
    findings: Vec<Finding>,
}

/// Plays so many runs of each scenario. `preface` is what a summary begins with.
#[pyfunction]
pub fn play(
    py: Python<'_>,
    scenarios: Vec<PyRef<'_, Scenario>>,
    preface: Vec<String>,
    runs: u64,
    seed: u64,
    threads: Option<usize>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Played> {
    // The terminal's picture is of failures by second; a table of all requests is made when somebody asks for it.
    let wanted = Wanted { series: Series::Failures, ..Wanted::METRICS };
    let plan = RunPlan { seed, runs: 0..runs, wanted, path: None };
    let models = scenarios.iter().map(|scenario| scenario.document.model().map_err(refused));
    let models: Vec<Model> = models.collect::<PyResult<_>>()?;
    let objectives = scenarios.iter().map(|s| Objective::all_of(&s.document).map_err(refused));
    let objectives: Vec<Vec<Objective>> = objectives.collect::<PyResult<_>>()?;
    let played = watched(py, threads, progress.as_ref(), |watch| {
        watch.expect(runs * models.len() as u64);
        let play = |model: &Model| -> Result<_, _> {
            let mut outcomes = plan.play(std::slice::from_ref(model), watch)?.swap_remove(0);
            let mut seconds = vec![];
            add_seconds(&mut seconds, &mut outcomes);
            Ok((outcomes, seconds))
        };
        models.iter().map(play).collect::<Result<Vec<_>, _>>()
    })?
    .map_err(interrupted)?;

    let baseline = played.first().map(|(outcomes, _)| outcomes.clone()).unwrap_or_default();
    let one = |((model, (outcomes, seconds)), objectives): ((Model, (Vec<Outcome>, _)), Vec<Objective>)| {
        let findings = objectives.iter().map(|o| o.judge(&outcomes, Some(&baseline))).collect();
        let facts = PointFacts::of(&model, plan.path_of(&model));
        One { model, facts, outcomes, seconds, findings }
    };
    let scenarios = models.into_iter().zip(played).zip(objectives).map(one).collect();
    Ok(Played { preface, plan, scenarios })
}

#[pymethods]
impl Played {
    /// A table of what was played.
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<Table> {
        let make = match name {
            "runs" => schema::runs,
            "points" => schema::points,
            "faults" => schema::faults,
            _ => return Err(PyKeyError::new_err(name.to_owned())),
        };
        let outcomes = self.scenarios.iter().map(|one| one.outcomes.as_slice()).collect::<Vec<_>>();
        Ok(py.detach(|| Table::of(&make(&self.design(), &self.points(&outcomes)))))
    }

    /// What each scenario but the first differs by from it.
    fn differences(&self, py: Python<'_>) -> Table {
        let scenarios: Vec<(&str, &[Outcome])> =
            self.scenarios.iter().map(|one| (one.model.name.as_str(), one.outcomes.as_slice())).collect();
        py.detach(|| Table::of(&differences(&scenarios)))
    }

    /// Plays the runs again for the table of their seconds.
    fn series(
        &self,
        py: Python<'_>,
        threads: Option<usize>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Table> {
        let models: Vec<Model> = self.scenarios.iter().map(|one| one.model.clone()).collect();
        let wanted = Wanted { series: Series::All, ..Wanted::COUNTS };
        let plan = RunPlan { wanted, ..self.plan.clone() };
        let made = watched(py, threads, progress.as_ref(), |watch: &Watch| {
            watch.expect(plan.count() * models.len() as u64);
            let outcomes = plan.play(&models, watch)?;
            let outcomes: Vec<&[Outcome]> = outcomes.iter().map(Vec::as_slice).collect();
            Ok(Table::of(&schema::series(&self.design(), &self.points(&outcomes))))
        })?;
        made.map_err(interrupted)
    }

    /// What the command line prints of it.
    fn summary(&self, py: Python<'_>) -> String {
        py.detach(|| {
            self.show(|results, beliefs| {
                summary(&self.preface, self.plan.seed, results, beliefs, Screen::PAPER)
            })
        })
    }

    /// The document of `run --format json`.
    fn to_json(&self, py: Python<'_>) -> String {
        py.detach(|| {
            self.show(|results, _| {
                let document = document(self.plan.seed, self.plan.count(), None, results);
                serde_json::to_string_pretty(&document).expect("results are plain data") + "\n"
            })
        })
    }
}

impl Played {
    fn design(&self) -> Design {
        Design { seed: self.plan.seed, first_run: self.plan.runs.start, axes: vec![] }
    }

    fn points<'a>(&'a self, outcomes: &[&'a [Outcome]]) -> Vec<Point<'a>> {
        let both = self.scenarios.iter().zip(outcomes).enumerate();
        both.map(|(number, (one, outcomes))| Point { number, facts: &one.facts, outcomes, error: None })
            .collect()
    }

    /// Shows it, with what is seen in each scenario's first run.
    fn show(&self, show: impl FnOnce(&[ScenarioResult], &[Beliefs]) -> String) -> String {
        let RunPlan { seed, runs, path, .. } = &self.plan;
        let beliefs: Vec<Beliefs> =
            self.scenarios.iter().map(|one| Beliefs::of(&one.model, *seed, runs.start, *path)).collect();
        let assumptions: Vec<Vec<String>> =
            self.scenarios.iter().map(|one| assumptions(&one.model)).collect();
        let results: Vec<ScenarioResult> = (self.scenarios.iter())
            .zip(beliefs.iter().zip(&assumptions))
            .map(|(one, (beliefs, assumptions))| ScenarioResult {
                model: &one.model,
                path: self.plan.path_of(&one.model),
                first_run: runs.start,
                outcomes: &one.outcomes,
                seconds: &one.seconds,
                timeline: &beliefs.timeline,
                assumptions,
                findings: &one.findings,
            })
            .collect();
        show(&results, &beliefs)
    }
}
