//! What goes wrong now and then: incidents that are drawn for each run.
//!
//! A source of incidents is a renewal process. Gaps between starts are drawn from a distribution with a tail, because real
//! incidents cluster, and may be stretched and squeezed by hour of the week; how long each lasts and whom it hits are
//! drawn apart. What comes of it is a list of [`Fault`]s, which differ from scripted ones in nothing.

use super::{Effect, Fault, InFlight, Latency, Probability, Provider, ProviderId, Recovery};
use crate::random::{Key, UnitExponential};
use crate::time::{SimDuration, SimTime};
use rand_distr::Distribution;

const SECONDS_PER_HOUR: f64 = 3600.0;

/// The time from the start of an incident to the start of the next one of its source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gaps {
    /// Exponential: starts are independent of each other.
    Exponential {
        /// The mean; above zero.
        mean: SimDuration,
    },
    /// Weibull: with a shape below 1 incidents cluster, with one above 1 they keep apart.
    Weibull {
        /// The exponent; above zero.
        shape: f64,
        /// The gap that 63% stay below; above zero.
        scale: SimDuration,
    },
}

impl Gaps {
    /// The mean in seconds: of a Weibull distribution its scale times Γ(1 + 1 / shape).
    pub fn mean_seconds(&self) -> f64 {
        match *self {
            Gaps::Exponential { mean } => mean.as_secs_f64(),
            Gaps::Weibull { shape, scale } => scale.as_secs_f64() * libm::tgamma(1.0 + 1.0 / shape),
        }
    }

    /// The gap that belongs to `key`, in seconds.
    fn draw(&self, key: Key) -> f64 {
        let unit = UnitExponential.sample(&mut key.rng());
        match *self {
            Gaps::Exponential { mean } => mean.as_secs_f64() * unit,
            Gaps::Weibull { shape, scale } => scale.as_secs_f64() * libm::pow(unit, 1.0 / shape),
        }
    }
}

/// The share of calls that an incident hits.
#[derive(Debug, Clone, PartialEq)]
pub enum Severity {
    /// The same for all.
    Constant(Probability),
    /// Any share between these is as likely as any other.
    Uniform(Probability, Probability),
    /// Classes of incidents: how many of 1 are of each, and the share that these hit. The first numbers add up to 1.
    Classes(Vec<(f64, Probability)>),
}

impl Severity {
    fn draw(&self, key: Key) -> Probability {
        match self {
            Severity::Constant(share) => *share,
            Severity::Uniform(low, high) => {
                let share = low.get() + (high.get() - low.get()) * key.unit();
                Probability::new(share).expect("between two probabilities")
            }
            Severity::Classes(classes) => {
                let mut left = key.unit();
                let class = classes.iter().find(|(share, _)| {
                    left -= share;
                    left < 0.0
                });
                // Rounding may leave a little beyond the last class.
                class.or(classes.last()).map_or(Probability::ZERO, |(_, fraction)| *fraction)
            }
        }
    }
}

/// How the chance of an incident changes in a week: it is constant within each hour.
///
/// Gaps are drawn in operational time, in which incidents come evenly, and that is mapped onto the clock (Çinlar,
/// "Introduction to stochastic processes", 1975, section 4.7). The mean gap over a week stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Week {
    /// Operational seconds from the beginning of the week to that of each hour, and to its end.
    passed: Vec<f64>,
    /// The operational second of the week in which the run starts, and the one on the clock.
    start: (f64, f64),
}

impl Week {
    const HOURS: usize = 7 * 24;
    const SECONDS: f64 = Week::HOURS as f64 * SECONDS_PER_HOUR;

    /// The week whose days have these weights by hour, of which Saturdays and Sundays have `weekend` times as much.
    /// The run starts on a Monday, so many seconds after midnight. `None` unless some weight is above zero and none below.
    pub fn new(hours: &[f64; 24], weekend: f64, start_seconds: u64) -> Option<Self> {
        let weight = |hour: usize| hours[hour % 24] * if hour / 24 < 5 { 1.0 } else { weekend };
        let total: f64 = (0..Week::HOURS).map(weight).sum();
        let is_valid = hours.iter().all(|weight| *weight >= 0.0) && weekend >= 0.0;
        if !is_valid || total <= 0.0 || total.is_nan() {
            return None;
        }
        let mut passed = vec![0.0];
        passed.extend((0..Week::HOURS).scan(0.0, |sum, hour| {
            *sum += weight(hour) / total * Week::SECONDS;
            Some(*sum)
        }));
        let clock = start_seconds as f64;
        let (hour, within) = ((clock / SECONDS_PER_HOUR) as usize % Week::HOURS, clock % SECONDS_PER_HOUR);
        let operational = passed[hour] + (passed[hour + 1] - passed[hour]) * within / SECONDS_PER_HOUR;
        Some(Week { passed, start: (operational, clock) })
    }

    /// The second of the run, on the clock, of one in operational time.
    fn on_clock(&self, operational: f64) -> f64 {
        let whole = self.passed[Week::HOURS];
        let since = self.start.0 + operational;
        let weeks = libm::floor(since / whole);
        let rest = since - weeks * whole;
        // The hour in which it lies; hours in which nothing happens take no operational time.
        let hour = self.passed.partition_point(|start| *start <= rest).clamp(1, Week::HOURS) - 1;
        let width = self.passed[hour + 1] - self.passed[hour];
        let within = if width > 0.0 { (rest - self.passed[hour]) / width } else { 0.0 };
        weeks * Week::SECONDS + (hour as f64 + within.min(1.0)) * SECONDS_PER_HOUR - self.start.1
    }
}

/// A source of incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct Incidents {
    /// The name in the scenario; draws are keyed by it.
    pub name: String,
    /// The providers that it hits, in order.
    pub providers: Vec<ProviderId>,
    /// Between starts.
    pub gaps: Gaps,
    /// By hour of the week; `None` where all hours are alike.
    pub week: Option<Week>,
    /// From the start of an incident to the end of its full force.
    pub lasts: Latency,
    /// The share of attempts, and of probes, that an incident hits.
    pub severity: Severity,
    /// The share of incidents that hit only one of the providers, each with the same chance; the others hit all of them.
    pub one_of: Probability,
    /// What happens to requests' attempts.
    pub requests: Effect,
    /// What happens to probes.
    pub probes: Effect,
    /// What happens to attempts and probes in flight at the start, if it affects their kind at all.
    pub in_flight: InFlight,
    /// The Retry-After that comes with an error status.
    pub retry_after: Option<SimDuration>,
    /// How an incident goes away after its full force.
    pub recovery: Recovery,
}

const INCIDENTS: Key = Key::purpose("incidents");

impl Incidents {
    /// So many mean gaps before the run the first gap begins, so that a run starts at no special moment.
    const GAPS_BEFORE: u64 = 64;

    /// About how many incidents start in a run of this length.
    pub fn expected_count(&self, duration: SimDuration) -> f64 {
        duration.as_secs_f64() / self.gaps.mean_seconds()
    }

    /// The incidents of a run, in order of start.
    ///
    /// One that has its full force when the run starts is there from then on. Each draws for itself, under the source's name
    /// and its own number: other sources, and other providers, change none of it.
    pub fn of_run(&self, run: Key, duration: SimDuration, providers: &[Provider]) -> Vec<Fault> {
        let key = run.joined(INCIDENTS).named(&self.name);
        let mut faults = Vec::new();
        let mut started = -(Self::GAPS_BEFORE as f64) * self.gaps.mean_seconds();
        for ordinal in 0.. {
            let key = key.numbered(ordinal);
            started += self.gaps.draw(key.named("gap"));
            let seconds = self.week.as_ref().map_or(started, |week| week.on_clock(started));
            if seconds >= duration.as_secs_f64() {
                break;
            }
            let lasts = self.lasts.draw(key.named("lasts"));
            // Its full force is over; what is before the run is no `SimTime`.
            // What was before the run began has no `SimTime`: negative seconds become zero.
            let start = SimTime::START.after(SimDuration::from_secs_f64(seconds));
            let passed = SimDuration::from_secs_f64(-seconds);
            let force_ends =
                start.after(SimDuration::from_nanos(lasts.as_nanos().saturating_sub(passed.as_nanos())));
            if force_ends == start || start >= SimTime::START.after(duration) {
                continue;
            }
            let severity = self.severity.draw(key.named("severity"));
            faults.push(Fault {
                recovery: self.recovery,
                probes: self.probes,
                in_flight: self.in_flight,
                fraction: severity,
                probe_fraction: severity,
                retry_after: self.retry_after,
                ..Fault::new(
                    format!("{}#{ordinal}", self.name),
                    self.hit(key, providers),
                    start,
                    force_ends.after(self.recovery.lasts()),
                    self.requests,
                )
            });
        }
        faults
    }

    /// Whom the incident of this key hits.
    fn hit(&self, key: Key, providers: &[Provider]) -> Vec<ProviderId> {
        if !key.named("one of").coin(self.one_of.get()) {
            return self.providers.clone();
        }
        // Each provider draws a number and the lowest is hit: another provider takes some incidents over, and the rest
        // hit whom they hit before.
        let key = key.named("whom");
        let number = |id: &ProviderId| key.named(&providers[id.index()].name).unit();
        let lowest = self.providers.iter().min_by(|a, b| number(a).total_cmp(&number(b)));
        lowest.copied().into_iter().collect()
    }
}
