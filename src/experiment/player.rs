//! Plays the points of a sweep into a ledger, a block of about a second of work at a time.
//!
//! A block that was kept is never played again; one that was not is all that an interrupted sweep loses. Where blocks
//! begin and end depends on the machine, and shows in no result. Models live as long as their block.

use super::ledger::{Ledger, Standing, standing};
use super::runner::{Cancelled, Progress, RunPlan, Task};
use super::segment::{Content, PointFacts, PointFailure, Record};
use super::stopping::Stopping;
use crate::model::Model;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Points whose models are held at once.
const POINTS_AT_ONCE: usize = 512;
/// Outcomes that are held at once, some 10 MB.
const RUNS_AT_ONCE: u64 = 20_000;

/// Makes the model of the point of this number.
pub type ModelOf<'a> = dyn Fn(usize) -> Result<Model, PointFailure> + Sync + 'a;

/// How the points of a sweep are played.
pub struct Player<'a> {
    /// The seed and what to record; the runs are not looked at.
    pub plan: &'a RunPlan,
    /// How many runs a point gets.
    pub stopping: &'a Stopping,
    /// The model of a point.
    pub model_of: &'a ModelOf<'a>,
    /// About what a run of a point costs, in events; above zero.
    pub work_of: &'a dyn Fn(usize) -> f64,
}

/// Why playing stopped before its end. What was kept until then is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped<E> {
    /// Somebody asked to.
    Cancelled,
    /// The ledger failed.
    Ledger(E),
}

impl<E> From<Cancelled> for Stopped<E> {
    fn from(_: Cancelled) -> Self {
        Stopped::Cancelled
    }
}

/// A point that is being played.
struct Live {
    point: usize,
    model: Model,
    facts: PointFacts,
    lacks: Vec<Range<u64>>,
}

impl Player<'_> {
    /// Plays what the ledger lacks of these points. A point that fails is kept as failed, and the others go on.
    ///
    /// # Errors
    /// If `progress` said to stop, or the ledger fails.
    pub fn play<L: Ledger>(
        &self,
        points: &[usize],
        ledger: &mut L,
        progress: &dyn Progress,
    ) -> Result<(), Stopped<L::Error>> {
        let mut budget = Budget::default();
        let mut rest = points;
        while !rest.is_empty() {
            if progress.is_cancelled() {
                return Err(Stopped::Cancelled);
            }
            let (block, after) = rest.split_at(self.block_size(rest, &budget));
            self.play_block(block, ledger, progress, &mut budget)?;
            rest = after;
        }
        Ok(())
    }

    /// How many of these points are played together.
    fn block_size(&self, points: &[usize], budget: &Budget) -> usize {
        let runs = self.stopping.checkpoints().next().unwrap_or_default();
        let mut events = 0.0;
        let fits = |point: &&usize| {
            events += (self.work_of)(**point) * runs as f64;
            events <= budget.events
        };
        points.iter().take(POINTS_AT_ONCE).take_while(fits).count().max(1)
    }

    fn play_block<L: Ledger>(
        &self,
        points: &[usize],
        ledger: &mut L,
        progress: &dyn Progress,
        budget: &mut Budget,
    ) -> Result<(), Stopped<L::Error>> {
        let mut lacking = Vec::new();
        for &point in points {
            match standing(ledger, self.stopping, point, 0).map_err(Stopped::Ledger)? {
                Standing::Lacks(lacks) => lacking.push((point, lacks)),
                Standing::Settled(_) | Standing::Failed => progress.skip(self.unplayed(ledger, point)),
            }
        }
        let mut live = self.models(lacking, ledger, progress)?;
        while !live.is_empty() {
            self.play_lacking(&live, ledger, progress, budget)?;
            let mut lacking = Vec::new();
            for mut point in live {
                // The checkpoints before the one that was lacking are judged already.
                let judged = point.lacks.last().map_or(0, |runs| runs.end - 1);
                match standing(ledger, self.stopping, point.point, judged).map_err(Stopped::Ledger)? {
                    Standing::Lacks(lacks) => {
                        point.lacks = lacks;
                        lacking.push(point);
                    }
                    Standing::Settled(_) | Standing::Failed => {
                        progress.skip(self.unplayed(ledger, point.point));
                    }
                }
            }
            live = lacking;
        }
        Ok(())
    }

    /// Runs that the point could have had.
    fn unplayed<L: Ledger>(&self, ledger: &L, point: usize) -> u64 {
        ledger.missing(point, self.stopping.max).iter().map(|runs| runs.end - runs.start).sum()
    }

    /// Makes the models of points; those that have none are kept as failed.
    fn models<L: Ledger>(
        &self,
        lacking: Vec<(usize, Vec<Range<u64>>)>,
        ledger: &mut L,
        progress: &dyn Progress,
    ) -> Result<Vec<Live>, Stopped<L::Error>> {
        let made: Vec<(usize, Result<Live, PointFailure>)> = lacking
            .into_par_iter()
            .map(|(point, lacks)| {
                let live = |model| {
                    let facts = PointFacts::of(&model, self.plan.path_of(&model));
                    Live { point, model, facts, lacks }
                };
                (point, (self.model_of)(point).map(live))
            })
            .collect();
        let (mut live, mut failed) = (Vec::new(), Vec::new());
        for (point, made) in made {
            match made {
                Ok(point) => live.push(point),
                Err(failure) => failed.push(Record { point, content: Content::Failed(failure) }),
            }
        }
        if !failed.is_empty() {
            ledger.keep(&failed).map_err(Stopped::Ledger)?;
            failed.iter().for_each(|record| progress.skip(self.unplayed(ledger, record.point)));
        }
        Ok(live)
    }

    fn play_lacking<L: Ledger>(
        &self,
        live: &[Live],
        ledger: &mut L,
        progress: &dyn Progress,
        budget: &mut Budget,
    ) -> Result<(), Stopped<L::Error>> {
        let mut queue: VecDeque<(usize, Range<u64>)> = (live.iter().enumerate())
            .flat_map(|(nth, point)| point.lacks.iter().map(move |runs| (nth, runs.clone())))
            .collect();
        while !queue.is_empty() {
            let (pieces, events) =
                budget.take(&mut queue, |nth| ((self.work_of)(live[nth].point), live[nth].model.is_random()));
            let task =
                |(nth, runs): &(usize, Range<u64>)| Task { model: &live[*nth].model, runs: runs.clone() };
            let tasks: Vec<Task> = pieces.iter().map(task).collect();
            // The clock decides how much is kept at a time, and nothing else.
            let started = Instant::now();
            let played = self.plan.play_tasks(&tasks, progress)?;
            budget.learn(events, started.elapsed());

            let (mut records, mut failed) = (Vec::with_capacity(pieces.len()), Vec::new());
            for ((nth, runs), outcomes) in pieces.into_iter().zip(played) {
                let Live { point, facts, .. } = &live[nth];
                // Only the first failure counts: what comes after it depends on what is lacking.
                if failed.contains(&nth) {
                    continue;
                }
                let content = match outcomes {
                    Ok(outcomes) => Content::Played { first_run: runs.start, facts: facts.clone(), outcomes },
                    Err(failure) => {
                        queue.retain(|(other, _)| *other != nth);
                        failed.push(nth);
                        let message = failure.to_string();
                        let scenario = facts.scenario.clone();
                        Content::Failed(PointFailure { scenario, run: failure.run, message })
                    }
                };
                records.push(Record { point: *point, content });
            }
            ledger.keep(&records).map_err(Stopped::Ledger)?;
        }
        Ok(())
    }
}

/// How many events are a second of work.
struct Budget {
    events: f64,
}

impl Default for Budget {
    fn default() -> Self {
        // Some hundredths of a second at first: what a block really takes shows soon.
        Budget { events: 2e5 }
    }
}

impl Budget {
    const TIME: Duration = Duration::from_secs(1);

    /// Takes runs from the front of the queue that are worth keeping together; returns them and their events.
    fn take(
        &self,
        queue: &mut VecDeque<(usize, Range<u64>)>,
        cost_of: impl Fn(usize) -> (f64, bool),
    ) -> (Vec<(usize, Range<u64>)>, f64) {
        // Every thread should have something to do, even if a run takes long.
        let least = rayon::current_num_threads() as u64;
        let (mut pieces, mut events, mut runs) = (Vec::new(), 0.0, 0);
        while let Some((nth, range)) = queue.pop_front() {
            let (each, is_random) = cost_of(nth);
            let fits = if is_random { ((self.events - events) / each).max(0.0) as u64 } else { u64::MAX };
            let count = fits.max(least.saturating_sub(runs)).min(RUNS_AT_ONCE - runs);
            let count = count.min(range.end - range.start);
            let middle = range.start + count;
            if middle < range.end {
                queue.push_front((nth, middle..range.end));
            }
            if count == 0 {
                break;
            }
            events += each * if is_random { count as f64 } else { 1.0 };
            runs += count;
            pieces.push((nth, range.start..middle));
        }
        (pieces, events)
    }

    fn learn(&mut self, events: f64, took: Duration) {
        let a_second = events * Budget::TIME.as_secs_f64() / took.as_secs_f64().max(1e-3);
        self.events = a_second.clamp(self.events / 4.0, self.events * 4.0).max(1e4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::criterion::Precision;
    use crate::metrics::{Outcome, Wanted, measure};
    use crate::scenario::Loader;
    use std::collections::BTreeMap;

    /// A ledger that is lost with the test.
    #[derive(Default)]
    struct Memory {
        outcomes: BTreeMap<(usize, u64), Outcome>,
        failures: BTreeMap<usize, PointFailure>,
        room: Option<usize>,
    }

    impl Ledger for Memory {
        type Error = &'static str;

        fn missing(&self, point: usize, runs: u64) -> Vec<Range<u64>> {
            let is_missing = |run: &u64| !self.outcomes.contains_key(&(point, *run));
            (0..runs).filter(is_missing).map(|run| run..run + 1).collect()
        }

        fn failure(&self, point: usize) -> Option<&PointFailure> {
            self.failures.get(&point)
        }

        fn outcomes(&self, point: usize, runs: u64) -> Result<(PointFacts, Vec<Outcome>), Self::Error> {
            let facts = PointFacts {
                scenario: String::new(),
                path: String::new(),
                faults: vec![],
                providers: vec![],
            };
            let outcomes = (0..runs).map(|run| self.outcomes.get(&(point, run)).cloned().ok_or("missing"));
            Ok((facts, outcomes.collect::<Result<_, _>>()?))
        }

        fn keep(&mut self, records: &[Record]) -> Result<(), Self::Error> {
            if self.room == Some(0) {
                return Err("full");
            }
            self.room = self.room.map(|room| room - 1);
            for Record { point, content } in records {
                match content {
                    Content::Failed(failure) => {
                        self.failures.insert(*point, failure.clone());
                    }
                    Content::Played { first_run, outcomes, .. } => {
                        for (run, outcome) in (*first_run..).zip(outcomes) {
                            let before = self.outcomes.insert((*point, run), outcome.clone());
                            assert_eq!(before, None, "run {run} of point {point} was played twice");
                        }
                    }
                }
            }
            Ok(())
        }
    }

    fn model(rate: u32) -> Model {
        let text = format!(
            "duration = \"5s\"\ntraffic.arrivals = {{ poisson = \"{rate}/s\" }}\nprovider.a.latency = {{ constant = \"1s\" }}\n"
        );
        Loader::new().parse("small", &text).and_then(|document| document.model()).expect("a valid scenario")
    }

    /// Points of growing rate, of which number 3 is invalid and number 5 makes the engine panic.
    fn model_of(point: usize) -> Result<Model, PointFailure> {
        let invalid = PointFailure { scenario: "small".to_owned(), run: 0, message: "no".to_owned() };
        let mut made = (point != 3).then(|| model(10 * (point as u32 + 1))).ok_or(invalid)?;
        if point == 5 {
            made.providers.clear();
        }
        Ok(made)
    }

    const PLAN: RunPlan = RunPlan { seed: 1, runs: 0..0, wanted: Wanted::METRICS, path: None };
    const POINTS: [usize; 6] = [0, 2, 3, 4, 5, 7];

    fn play(ledger: &mut Memory, stopping: &Stopping) -> Result<(), Stopped<&'static str>> {
        let player = Player { plan: &PLAN, stopping, model_of: &model_of, work_of: &|_| 40_000.0 };
        player.play(&POINTS, ledger, &())
    }

    #[test]
    fn every_run_is_played_once_however_often_it_is_stopped() {
        let mut ledger = Memory::default();
        for _ in 0..100 {
            ledger.room = Some(1);
            if play(&mut ledger, &Stopping::fixed(4)).is_ok() {
                break;
            }
        }
        ledger.room = None;
        assert_eq!(play(&mut ledger, &Stopping::fixed(9)), Ok(()));
        let played: Vec<usize> = ledger.outcomes.keys().map(|(point, _)| *point).collect();
        assert_eq!(played, [0, 2, 4, 7].map(|point| [point; 9]).concat());
        for ((point, run), outcome) in &ledger.outcomes {
            let model = model_of(*point).expect("a valid point");
            assert_eq!(*outcome, measure(&model, 1, *run, Wanted::METRICS, None), "run {run} of {point}");
        }
        let failed: Vec<(usize, u64)> = ledger.failures.iter().map(|(point, f)| (*point, f.run)).collect();
        assert_eq!(failed, [(3, 0), (5, 0)]);
    }

    /// However many pieces its runs are cut into.
    #[test]
    fn a_point_fails_by_its_first_failure() {
        let mut ledger = Memory::default();
        play(&mut ledger, &Stopping::fixed(30)).expect("it is in memory");
        assert_eq!(ledger.failures[&5].run, 0);

        // Who asks for no more than the runs before a failure gets them.
        let mut later = Memory::default();
        play(&mut later, &Stopping::fixed(4)).expect("it is in memory");
        let failure = PointFailure { scenario: "small".to_owned(), run: 4, message: "no".to_owned() };
        later.failures.insert(0, failure);
        let standing = |runs| standing(&later, &Stopping::fixed(runs), 0, 0).expect("it is in memory");
        assert_eq!((standing(4), standing(5)), (Standing::Settled(4), Standing::Failed));
    }

    #[test]
    fn a_point_gets_as_many_runs_as_its_interval_needs() {
        let until = |width| Stopping {
            min: 2,
            max: 40,
            until: Some(Precision::read(&format!("request_count {width}")).expect("a precision")),
        };
        let runs_of = |ledger: &Memory, stopping: &Stopping| -> Vec<Standing> {
            let standing = |point| standing(ledger, stopping, point, 0).expect("it is in memory");
            [0, 2, 4, 7].map(standing).into()
        };
        let mut ledger = Memory::default();
        let narrow = until("8%");
        play(&mut ledger, &narrow).expect("it is in memory");
        let runs = runs_of(&ledger, &narrow);
        let played = |point| ledger.outcomes.range((point, 0)..(point + 1, 0)).count() as u64;
        assert_eq!(runs, [0, 2, 4, 7].map(|point| Standing::Settled(played(point))));
        assert!(played(0) > played(7), "a small count spreads wider: {runs:?}");

        // More than was needed is no hindrance, and changes no decision.
        play(&mut ledger, &Stopping::fixed(60)).expect("it is in memory");
        assert_eq!(runs_of(&ledger, &narrow), runs);
    }

    #[test]
    fn work_is_cut_into_pieces_of_the_budget() {
        let budget = Budget { events: 100.0 };
        let mut queue = VecDeque::from([(0, 0..7), (1, 0..25), (2, 5..9)]);
        let mut taken = Vec::new();
        while !queue.is_empty() {
            let (pieces, events) = budget.take(&mut queue, |nth| (10.0, nth != 2));
            let runs: u64 = pieces.iter().map(|(_, runs)| runs.end - runs.start).sum();
            assert!(events <= 100.0 || runs <= rayon::current_num_threads() as u64, "{pieces:?}");
            taken.extend(pieces);
        }
        let runs = |nth| taken.iter().filter(move |(n, _)| *n == nth).flat_map(|(_, runs)| runs.clone());
        assert!(runs(0).eq(0..7) && runs(1).eq(0..25) && runs(2).eq(5..9));
    }
}
