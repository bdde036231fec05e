//! A look at every point of a sweep before the first run: which are valid, what they cost, and what they are.

use super::design::{Layout, Point, Sweep};
use super::runner::{Cancelled, Progress};
use crate::engine::{Path, fastest_path};
use crate::metrics::{MetricsRecorder, Wanted};
use crate::model::{Arrivals, Model, TokenCount};
use crate::scenario::{Document, Problems, SAID};
use rayon::prelude::*;
use std::fmt::{self, Write};

/// What is known of points of a sweep before they are played: of all, or of a shard's.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The numbers of the points, ascending.
    pub own: Vec<usize>,
    /// By place among these.
    pub points: Vec<Surveyed>,
    /// By place among these: a number for everything that its result depends on.
    fingerprints: Vec<u64>,
    /// The points that are no valid scenario, ascending, and the first thing that is wrong with each.
    pub invalid: Vec<(usize, String)>,
}

/// What one point costs; nothing where it is no valid scenario.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Surveyed {
    /// Events in a run, about.
    pub events: f64,
    /// What a run costs, in events of the plain path, about: other paths settle many requests at once.
    pub work: f64,
    /// Requests in a run, about.
    pub requests: f64,
    /// Probes in a run, about.
    pub probes: f64,
    /// Whether its runs differ.
    pub is_random: bool,
}

/// So many points are looked at before somebody is asked whether that is enough.
const POINTS_AT_ONCE: usize = 1000;
/// What a run costs before its first event, in events.
const A_RUN: f64 = 50.0;

impl Surveyed {
    /// What a point with this model costs, if so much is recorded of its runs.
    pub fn of(model: &Model, wanted: Wanted) -> Self {
        let (events, requests, probes) =
            (model.expected_events(), model.expected_requests(), model.expected_probes());
        let of_a_request = match fastest_path::<MetricsRecorder>(model) {
            Path::Plain => 2.0,
            Path::Direct => 1.0,
            Path::Counting if wanted.latency => 0.5,
            Path::Counting => 0.0,
        };
        Surveyed {
            events,
            work: A_RUN + events - (2.0 - of_a_request) * requests,
            requests,
            probes,
            is_random: model.is_random(),
        }
    }
}

/// The model of a point.
///
/// # Errors
/// Everything that is wrong with its combination of settings.
pub fn point_model(sweep: &Sweep, scenarios: &[Document], point: &Point) -> Result<Model, Problems> {
    sweep.document(scenarios, point)?.model()
}

impl Survey {
    /// Makes the model of each of these points once, on all threads, and keeps none of them.
    ///
    /// `go_on` gets what was seen of some more of them, in order, and whether these are the last.
    ///
    /// # Errors
    /// If `progress` said to stop, or with what `go_on` says.
    pub fn of<E: From<Cancelled>>(
        sweep: &Sweep,
        scenarios: &[Document],
        layout: &Layout,
        own: Vec<usize>,
        wanted: Wanted,
        progress: &dyn Progress,
        mut go_on: impl FnMut(&[Surveyed], bool) -> Result<(), E>,
    ) -> Result<Survey, E> {
        type Look = (u64, Result<Surveyed, String>);
        let look_at = |&index: &usize| {
            if progress.is_cancelled() {
                return Err(Cancelled);
            }
            let point = sweep.point(scenarios, layout, index);
            let model = point_model(sweep, scenarios, &point);
            let fingerprint = fingerprint(&point, model.as_ref());
            let look = model.map(|model| Surveyed::of(&model, wanted));
            Ok((fingerprint, look.map_err(|problems| first_line(&problems))))
        };
        let mut points: Vec<Surveyed> = Vec::with_capacity(own.len());
        let mut fingerprints = Vec::with_capacity(own.len());
        let mut invalid = Vec::new();
        for some in own.chunks(POINTS_AT_ONCE) {
            let first = points.len();
            let looks: Vec<Look> = some.par_iter().map(look_at).collect::<Result<_, Cancelled>>()?;
            for (index, (fingerprint, look)) in some.iter().zip(looks) {
                fingerprints.push(fingerprint);
                points.push(look.as_ref().copied().unwrap_or_default());
                invalid.extend(look.err().map(|message| (*index, message)));
            }
            go_on(&points[first..], points.len() == own.len())?;
        }
        Ok(Survey { own, points, fingerprints, invalid })
    }

    /// What the point of this number costs.
    ///
    /// # Panics
    /// If it was not looked at.
    pub fn cost_of(&self, point: usize) -> Surveyed {
        self.points[self.place_of(point)]
    }

    /// The fingerprint of all points that were looked at.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint_of(&self.own)
    }

    /// A number for everything that the results of these points depend on, whoever looks at them: two machines with the
    /// same one have made the same models. It is a sum over points, so those of shards add up to that of the sweep.
    ///
    /// # Panics
    /// If one was not looked at.
    pub fn fingerprint_of(&self, points: &[usize]) -> u64 {
        let of_point = |point: &usize| {
            let mut hash = Hash::default();
            hash.number(*point as u64);
            hash.number(self.fingerprints[self.place_of(*point)]);
            hash.0
        };
        points.iter().map(of_point).fold(0, u64::wrapping_add)
    }

    fn place_of(&self, point: usize) -> usize {
        self.own.binary_search(&point).expect("the point was looked at")
    }
}

/// A number for what defines a sweep, the same in each of its shards and in no other sweep: the settings of its scenarios,
/// its axes, which points there are, and `played`, which is how their runs are played. What it reads beside the scenarios
/// is not in it.
pub fn sweep_fingerprint(
    sweep: &Sweep,
    scenarios: &[Document],
    layout: &Layout,
    played: &impl fmt::Debug,
) -> u64 {
    let mut hash = Hash::default();
    for document in scenarios {
        let mut settings = document.to_json();
        if let Some(table) = settings.as_object_mut() {
            table.retain(|name, _| !SAID.contains(&name.as_str()));
        }
        write!(hash, "{} {settings} ", document.name()).expect(INFALLIBLE);
    }
    for axis in &sweep.axes {
        write!(hash, "{} {:?} {:?} ", axis.path, axis.domain, axis.scenarios).expect(INFALLIBLE);
    }
    write!(hash, "{:?} {} {played:?} ", sweep.design, sweep.seed).expect(INFALLIBLE);
    layout.numbers().for_each(|number| hash.number(number as u64));
    hash.0
}

/// The first thing that is wrong, in one line.
pub(crate) fn first_line(problems: &Problems) -> String {
    let first = problems.iter().next().map_or("it is no valid scenario", |problem| problem.message());
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number for everything about a point that its result depends on.
fn fingerprint(point: &Point, model: Result<&Model, &Problems>) -> u64 {
    let mut hash = Hash::default();
    write!(hash, "{} {:?} ", point.scenario, point.values).expect(INFALLIBLE);
    match model {
        Err(problems) => hash.write_str(&first_line(problems)).expect(INFALLIBLE),
        Ok(model) => {
            // What people say about a scenario changes no result.
            let mut model = Model { about: None, weakest_evidence: None, ..model.clone() };
            // A trace may have millions of times, too many to print for each point.
            if let Arrivals::Trace(trace) = &model.traffic.arrivals {
                write!(hash, "{:?} {:?} ", trace.rate(), trace.bootstrap()).expect(INFALLIBLE);
                trace.times().iter().for_each(|time| hash.number(time.as_nanos()));
                let tokens = trace.tokens().into_iter().flatten().flat_map(|tokens| tokens.iter());
                tokens.for_each(|tokens| hash.number(u64::from(*tokens)));
                model.traffic.arrivals = Arrivals::Constant(trace.recorded_rate());
            }
            // So may a file of tokens have rows.
            for class in &mut model.traffic.classes {
                for count in [&mut class.input_tokens, &mut class.output_tokens] {
                    if let TokenCount::Rows(rows) = count {
                        rows.iter().for_each(|tokens| hash.number(u64::from(*tokens)));
                        *count = TokenCount::Recorded;
                    }
                }
            }
            write!(hash, "{model:?}").expect(INFALLIBLE);
        }
    }
    hash.0
}

/// FNV-1a of 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Hash(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn step(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x100_0000_01b3);
    }

    fn number(&mut self, number: u64) {
        number.to_le_bytes().into_iter().for_each(|byte| self.step(byte.into()));
    }
}

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.step(byte.into()));
        Ok(())
    }
}

const INFALLIBLE: &str = "a hash takes what it is given";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Rate, Trace};
    use crate::scenario::{Loader, TEMPLATE};
    use crate::time::SimTime;

    /// What a ledger was made for is told from all else that would give other results, and from nothing more.
    #[test]
    fn a_fingerprint_is_of_all_that_a_result_depends_on() {
        let model =
            Loader::new().parse("new", TEMPLATE).and_then(|document| document.model()).expect("valid");
        let point = Point { index: 0, scenario: 0, values: vec![Some(1.into())] };
        let replayed = |last: u64, rate: Option<f64>| {
            let times = [0, 5, last].map(SimTime::from_nanos);
            let trace = Trace::new(times, rate.and_then(Rate::new)).expect("a trace");
            let mut model = model.clone();
            model.traffic.arrivals = Arrivals::Trace(trace);
            model
        };
        let mut longer = model.clone();
        longer.duration = longer.duration.plus(crate::time::SimDuration::from_nanos(1));
        let others = [
            (Point { scenario: 1, ..point.clone() }, model.clone()),
            (Point { values: vec![Some(2.into())], ..point.clone() }, model.clone()),
            (Point { values: vec![None], ..point.clone() }, model.clone()),
            (point.clone(), longer),
            (point.clone(), replayed(9, None)),
            (point.clone(), replayed(9, Some(3.0))),
            (point.clone(), replayed(9, Some(4.0))),
            // Of the same rate on the whole.
            (point.clone(), {
                let mut model = replayed(9, None);
                let times = [0, 6, 9].map(SimTime::from_nanos);
                model.traffic.arrivals = Arrivals::Trace(Trace::new(times, None).expect("a trace"));
                model
            }),
        ];
        let mut seen = vec![fingerprint(&point, Ok(&model))];
        for (point, model) in &others {
            let found = fingerprint(point, Ok(model));
            assert!(!seen.contains(&found), "{point:?} {:?}", model.traffic.arrivals);
            seen.push(found);
        }
        let told = Model { about: Some("in other words".to_owned()), ..model.clone() };
        assert_eq!(fingerprint(&point, Ok(&told)), seen[0]);
        assert_eq!(fingerprint(&Point { index: 7, ..point.clone() }, Ok(&model)), seen[0]);
    }
}
