//! A scenario and the question what it would be with other settings. Knows nothing of HTTP.

use super::controls::{Section, sections};
use super::{Answer, Asked, CloseupDocument};
use crate::experiment::objective::Objective;
use crate::experiment::runner::{Progress, RunPlan, Task};
use crate::experiment::survey::Surveyed;
use crate::metrics::{Outcome, Wanted};
use crate::model::Model;
use crate::output::terminal::thousands;
use crate::output::{self, ScenarioResult, assumptions};
use crate::scenario::{Document, Problem, Problems};
use std::fmt::Write;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How long the runs of an answer may take that somebody waits for with a finger on a slider.
const AT_ONCE: Duration = Duration::from_millis(50);
/// Numbers of runs at which it is seen how long they took.
const ROUNDS: [u64; 12] = [2, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000];
/// The work up to which a run is looked at closely in such an answer, in events of the plain path: some 20 ms.
const CLOSEUP_AT_ONCE: f64 = 5e5;
/// The most work of one answer, in events of the plain path: some 3 s on two cores.
const WORK_MAX: f64 = 1e8;

/// Why there is no answer.
#[derive(Debug)]
pub enum Refusal {
    /// The settings make no valid scenario.
    BadInput(Problems),
    /// One run is more than an answer may take.
    TooMuch(Problems),
    /// Nobody wants it any more.
    Cancelled,
    /// The engine failed: a bug.
    Bug(String),
}

/// A scenario as it was read, how it does, and what can be changed in it.
#[derive(Debug)]
pub struct WhatIf {
    document: Document,
    seed: u64,
    model: Model,
    objectives: Vec<Objective>,
    /// One for each run.
    written: Vec<Outcome>,
    sections: Vec<Section>,
}

impl WhatIf {
    /// Plays the scenario as it is written; fewer runs where so many would be too much work for one answer. Reads no
    /// other files from then on.
    ///
    /// # Errors
    /// If the scenario is not valid, or one run of it is too much work.
    pub fn new(
        mut document: Document,
        seed: u64,
        runs: u64,
        progress: &dyn Progress,
    ) -> Result<Self, Refusal> {
        let model = document.model()?;
        let objectives = Objective::all_of(&document)?;
        document.seal();
        let cost = Cost::of(&model);
        let runs = cost.runs(WORK_MAX, runs);
        if runs == 0 {
            return Err(too_much(&cost));
        }
        let written = play(&model, seed, 0..runs, progress)?;
        let sections = sections(&document);
        let name = document.name().to_owned();
        document.rename(format!("{name}_what_if"));
        Ok(WhatIf { document, seed, model, objectives, written, sections })
    }

    /// The scenario's name.
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// What it says it is about.
    pub fn about(&self) -> Option<&str> {
        self.model.about.as_deref()
    }

    /// The path of its file, as it was given.
    pub fn path(&self) -> &str {
        self.document.path()
    }

    /// The seed of all random numbers.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The most runs of an answer.
    pub fn runs(&self) -> u64 {
        self.written.len() as u64
    }

    /// What can be changed.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// How the scenario does with these settings, against how it does as written, run by run.
    ///
    /// # Errors
    /// As [`Refusal`] says.
    pub fn answer(&self, asked: &Asked, progress: &dyn Progress) -> Result<Answer, Refusal> {
        let model = self.document_with(asked)?.model()?;
        let cost = Cost::of(&model);
        let wanted = asked.runs.map_or(self.runs(), |runs| runs.clamp(1, self.runs()));
        let runs_possible = cost.runs(WORK_MAX, wanted);
        if runs_possible == 0 {
            return Err(too_much(&cost));
        }
        let (outcomes, closeup_max) = match asked.runs {
            None => (play_at_once(&model, self.seed, runs_possible, progress)?, CLOSEUP_AT_ONCE),
            Some(_) => (play(&model, self.seed, 0..runs_possible, progress)?, WORK_MAX),
        };
        let runs = outcomes.len() as u64;
        if progress.is_cancelled() {
            return Err(Refusal::Cancelled);
        }
        let closeup = (cost.closeup <= closeup_max).then(|| CloseupDocument::of(&model, self.seed, 0));
        let written = &self.written[..runs as usize];
        let sides = [(&self.model, written), (&model, outcomes.as_slice())];
        let assumptions = sides.map(|(model, _)| assumptions(model));
        let findings = sides.map(|(_, outcomes)| {
            self.objectives.iter().map(|objective| objective.judge(outcomes, None)).collect::<Vec<_>>()
        });
        let result = |side: usize| {
            let (model, outcomes) = sides[side];
            ScenarioResult {
                model,
                path: PLAN.path_of(model),
                first_run: 0,
                outcomes,
                seconds: &[],
                // It has an entry for each time that each replica changed its mind; the close-up has what is drawn.
                timeline: &[],
                assumptions: &assumptions[side],
                findings: &findings[side],
            }
        };
        let document = output::document(self.seed, runs, None, &[result(0), result(1)]);
        Ok(Answer { runs, runs_possible, document, closeup })
    }

    /// The scenario with these settings as a file that `run` takes, with a heading that says how.
    ///
    /// # Errors
    /// If the settings make no valid scenario.
    pub fn toml(&self, asked: &Asked) -> Result<String, Refusal> {
        let document = self.document_with(asked)?;
        document.model()?;
        let runs = asked.runs.map_or(self.runs(), |runs| runs.clamp(1, self.runs()));
        let mut lines = vec![
            format!(
                "`{}` with other settings, from the what-if page. The same numbers as there:",
                self.name()
            ),
            format!("failover-sim run FILE --seed {} --runs {runs}", self.seed),
        ];
        lines.extend(asked.settings.iter().map(|(path, value)| match value {
            serde_json::Value::Null => format!("without {path}"),
            value => format!("{path} = {value}"),
        }));
        let mut text = String::new();
        for line in lines {
            // Whatever is in a name, it stays in its line.
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            writeln!(text, "# {line}").expect("a string grows");
        }
        Ok(text + "\n" + &document.standalone())
    }

    /// The scenario with these settings, of which only the values' types are checked.
    fn document_with(&self, asked: &Asked) -> Result<Document, Problems> {
        let mut document = self.document.clone();
        let (left_out, set): (Vec<_>, Vec<_>) = asked.settings.iter().partition(|(_, value)| value.is_null());
        for (path, value) in set {
            let value = toml::Value::try_from(value).map_err(|_| {
                Problem::new(format!("`{path}` is {value}, which TOML has no value for"))
                    .help("write null for the whole of a setting that is to be left out")
            })?;
            document.set(path, value, "what-if")?;
        }
        for (path, _) in left_out {
            document.leave_out(path)?;
        }
        Ok(document)
    }
}

/// How answers are played; which runs, their tasks say.
const PLAN: RunPlan = RunPlan { seed: 0, runs: 0..0, wanted: Wanted::METRICS, path: None };

/// As many of the first so many runs as there is time for, at least one.
fn play_at_once(
    model: &Model,
    seed: u64,
    most: u64,
    progress: &dyn Progress,
) -> Result<Vec<Outcome>, Refusal> {
    if !model.is_random() {
        return play(model, seed, 0..most, progress);
    }
    let started = Instant::now();
    let mut outcomes = play(model, seed, 0..1, progress)?;
    for round in ROUNDS.into_iter().chain([most]).filter(|round| *round <= most) {
        let done = outcomes.len() as u64;
        // If the others take as long as those so far.
        let expected = started.elapsed().mul_f64(round as f64 / done as f64);
        if expected > AT_ONCE {
            break;
        }
        outcomes.append(&mut play(model, seed, done..round, progress)?);
    }
    Ok(outcomes)
}

fn play(
    model: &Model,
    seed: u64,
    runs: Range<u64>,
    progress: &dyn Progress,
) -> Result<Vec<Outcome>, Refusal> {
    let task = Task { model, runs };
    let mut played =
        RunPlan { seed, ..PLAN }.play_tasks(&[task], progress).map_err(|_| Refusal::Cancelled)?;
    played.swap_remove(0).map_err(|failure| Refusal::Bug(format!("the engine failed in {failure}")))
}

/// What the runs of a model take, in events of the plain path.
struct Cost {
    surveyed: Surveyed,
    /// To look at one closely.
    closeup: f64,
}

impl Cost {
    fn of(model: &Model) -> Self {
        let surveyed = Surveyed::of(model, Wanted::METRICS);
        // Each request is looked at.
        let closeup = surveyed.work.max(surveyed.events - surveyed.requests);
        Cost { surveyed, closeup }
    }

    /// How many of these runs so much work is enough for: a number that reads well.
    fn runs(&self, work: f64, most: u64) -> u64 {
        let affordable = work / self.surveyed.work;
        if affordable >= most as f64 {
            return most;
        }
        if !self.surveyed.is_random {
            // One is played, and the others are equal.
            return if affordable >= 1.0 { most } else { 0 };
        }
        let powers = (0..7).map(|power| 10_u64.pow(power));
        let round = powers.flat_map(|power| [1, 2, 3, 5].map(|digit| digit * power));
        round.take_while(|runs| *runs as f64 <= affordable).last().unwrap_or(0)
    }
}

fn too_much(cost: &Cost) -> Refusal {
    let events = thousands(cost.surveyed.events.min(1e15));
    let message = format!("one run would be about {events} events, more than a page can wait for");
    let help =
        "lower the request rate, probe less often, or shorten `duration`; `failover-sim run` can play it";
    Refusal::TooMuch(Problem::new(message).help(help).into())
}

impl From<Problems> for Refusal {
    fn from(problems: Problems) -> Self {
        Refusal::BadInput(problems)
    }
}
