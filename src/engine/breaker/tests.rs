use super::*;
use crate::model::{
    AnswerSet, BucketStart, EjectedFrom, Ejection, Growth, Probability, SlowRatio, Trips, WindowStart,
};
use std::num::NonZeroU32;

pub(super) fn secs(secs: f64) -> SimDuration {
    SimDuration::from_secs_f64(secs)
}

pub(super) fn at(seconds: f64) -> SimTime {
    SimTime::START.after(secs(seconds))
}

pub(super) fn n(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

pub(super) fn ratio(of: f64, inclusive: bool, min_calls: u32) -> Option<Ratio> {
    Some(Ratio { of: Probability::new(of).unwrap(), inclusive, min_calls })
}

pub(super) fn tumbling(length: f64, from: WindowStart) -> Window {
    Window::Tumbling { length: secs(length), from }
}

/// A detector that 5xx count for and 404 does not, and that ejects for 30 s.
pub(super) fn detector(trips: Trips, window: Window) -> Detector {
    let detector = Detector::new(secs(30.0));
    Detector {
        name: "detector".into(),
        failures: AnswerSet::class(5).or(AnswerSet::of([Answer::Timeout])),
        ignored: AnswerSet::of([Answer::Status(404), Answer::Status(599)]),
        trips,
        window,
        ejection: Ejection { max: secs(300.0), ..detector.ejection },
        ..detector
    }
}

pub(super) fn consecutive(failures: u32) -> Detector {
    detector(Trips { consecutive: Some(n(failures)), ..Trips::default() }, Window::SinceAdmission)
}

pub(super) fn count(failures: u32, window: Window) -> Detector {
    detector(Trips { count: Some(n(failures)), ..Trips::default() }, window)
}

fn on_trial(permits: u32, decide: Decide) -> Detector {
    Detector { half_open: Some(HalfOpen { permits: n(permits), decide }), ..consecutive(1) }
}

pub(super) struct Play<'s> {
    pub settings: &'s Detector,
    pub breaker: Breaker,
    pub now: SimTime,
    pub spares: bool,
    /// When there was a change, and what there was then.
    pub log: Vec<String>,
}

impl<'s> Play<'s> {
    pub fn new(settings: &'s Detector, phase: f64) -> Self {
        let breaker = Breaker::new(settings, Key::for_run(1, 0), secs(phase));
        Play { settings, breaker, now: SimTime::START, spares: false, log: Vec::new() }
    }

    fn step(&mut self, now: SimTime, step: impl FnOnce(&mut Breaker, &Detector) -> Reaction) {
        let state = |b: &Breaker| match (b.is_ejected(), b.is_blocked(), &b.nginx) {
            (false, ..) => "in",
            (true, false, _) | (true, true, None) if !matches!(b.state, State::Ejected { .. }) => "trial",
            (true, ..) => "out",
        };
        let before = state(&self.breaker);
        self.now = now;
        match step(&mut self.breaker, self.settings) {
            Reaction::Trips { evidence_began } => {
                let what = if self.spares { "spared" } else { "trip" };
                self.say(&format!("{what}({})", seconds(evidence_began)));
                if self.spares {
                    self.breaker.spare(now);
                } else {
                    self.breaker.eject(self.settings, now);
                }
                assert_eq!(self.breaker.is_ejected(), !self.spares);
            }
            reaction => {
                let after = state(&self.breaker);
                assert_eq!(reaction == Reaction::Admits, after == "in" && before != "in");
                if after != before {
                    self.say(after);
                }
            }
        }
    }

    fn say(&mut self, what: &str) {
        self.log.push(format!("{} {what}", seconds(self.now)));
    }

    /// Calls timers and ticks up to then.
    pub fn advance(&mut self, to: SimTime) {
        loop {
            let tick = self.settings.ticks().map_or(SimTime::NEVER, |every| {
                let every = every.as_nanos();
                SimTime::from_nanos((self.now.as_nanos() / every + 1) * every)
            });
            let timer = self.breaker.timer().unwrap_or(SimTime::NEVER);
            let next = timer.min(tick);
            if next > to {
                break;
            }
            if timer <= tick {
                self.step(timer, |b, settings| b.on_timer(settings, timer));
            } else {
                self.step(tick, |b, settings| b.on_tick(settings, tick));
            }
        }
        self.now = to;
    }

    pub fn sent(&mut self, now: SimTime) {
        self.advance(now);
        self.breaker.on_sent(now);
    }

    pub fn ended(&mut self, end: Ended) {
        self.advance(end.ended);
        self.step(end.ended, |b, settings| b.on_ended(settings, &end));
    }

    /// An attempt that ends as it is sent.
    pub fn call(&mut self, now: f64, answer: Answer) {
        self.sent(at(now));
        self.ended(Ended { sent: at(now), ended: at(now), answer, retry_after: None });
    }

    /// Plays `<when>:<what>[<<sent>]`: `s` an attempt is sent; `+` one ends well, `-` with 500, `i` with 404, which is
    /// ignored, `q` with 429, `r` with 429 and a Retry-After of 7 s, `x` abandoned; `e` ejected; `p` readmitted;
    /// `.` nothing.
    /// Without the time when it was sent, an attempt is sent and ends at once.
    pub fn play(&mut self, script: &str) {
        for event in script.split_whitespace() {
            let (when, what) = event.split_once(':').unwrap();
            let now = at(when.parse().unwrap());
            let (what, sent) = what.split_once('<').unwrap_or((what, ""));
            self.advance(now);
            let mut retry_after = None;
            let answer = match what {
                "." => continue,
                "s" => {
                    self.breaker.on_sent(now);
                    continue;
                }
                "e" => {
                    self.breaker.eject(self.settings, now);
                    self.say("out");
                    continue;
                }
                "p" => {
                    if self.breaker.readmit(self.settings, now) {
                        self.say("in");
                    }
                    continue;
                }
                "+" => Answer::Good,
                "-" => Answer::Status(500),
                "i" => Answer::Status(404),
                "x" => Answer::Abandoned,
                "q" => Answer::Status(429),
                "r" => {
                    retry_after = Some(secs(7.0));
                    Answer::Status(429)
                }
                _ => panic!("{event}"),
            };
            let sent = sent.parse().map_or(now, at);
            if sent == now {
                self.breaker.on_sent(now);
            }
            self.ended(Ended { sent, ended: now, answer, retry_after });
        }
    }
}

fn seconds(at: SimTime) -> f64 {
    at.as_millis_f64() / 1e3
}

#[track_caller]
pub(super) fn check(settings: &Detector, script: &str, expected: &str) {
    check_with(Play::new(settings, 0.0), script, expected);
}

#[track_caller]
pub(super) fn check_with(mut play: Play, script: &str, expected: &str) {
    play.play(script);
    assert_eq!(play.log.join(", "), expected, "{script}");
}

#[test]
fn ends_count_as_failures_successes_or_nothing() {
    // 599 is in both sets, so it is ignored; 429 is in neither, so it is a success.
    let trips = Trips {
        slow: Some(SlowRatio { after: secs(2.0), ratio: ratio(1.0, true, 1).unwrap() }),
        ..Trips::default()
    };
    let settings = detector(trips, Window::SinceAdmission);
    let of = |answer, took: f64| {
        outcome(&settings, &Ended { sent: at(1.0), ended: at(1.0 + took), answer, retry_after: None })
    };
    assert_eq!(of(Answer::Good, 2.0), Some(Outcome::Success));
    assert_eq!(of(Answer::Good, 2.001), Some(Outcome::Slow));
    assert_eq!(of(Answer::Status(500), 9.0), Some(Outcome::Failure));
    assert_eq!(of(Answer::Status(429), 9.0), Some(Outcome::Success));
    assert_eq!(of(Answer::Status(404), 0.0), None);
    assert_eq!(of(Answer::Status(599), 0.0), None);
    assert_eq!(of(Answer::Abandoned, 0.0), None);
}

#[test]
fn failures_in_a_row_trip() {
    let three = consecutive(3);
    check(&three, "1:- 2:- 3:+ 4:- 5:- 6:i 7:x 8:-", "8 trip(4)");
    // The evidence begins with the earliest that was sent.
    check(&three, "5:-<3 6:-<1 7:-<6", "7 trip(1)");
    // An ejected provider's ends are ignored, and nothing is left of before.
    check(&three, "1:- 2:- 3:- 4:- 33:- 34:- 35:-", "3 trip(1), 33 in, 35 trip(33)");
    let spared = Play { spares: true, ..Play::new(&three, 0.0) };
    check_with(spared, "1:- 2:- 3:- 4:- 5:- 6:-", "3 spared(1), 6 spared(4)");
}

#[test]
fn what_trips_at_once_needs_no_second_one() {
    let trips = Trips { at_once_on: AnswerSet::of([Answer::Status(429)]), ..Trips::default() };
    let mut settings = detector(trips, Window::SinceAdmission);
    check(&settings, "1:- 2:q<1.5 40:.", "2 trip(1.5), 32 in");
    settings.ignored = AnswerSet::of([Answer::Status(429)]);
    check(&settings, "2:q", "2 trip(2)");
    settings.ejection.retry_after = Some(secs(30.0));
    check(&settings, "2:q 40:r 90:.", "2 trip(2), 32 in, 40 trip(40), 77 in");
    // An end that does not decide leaves no Retry-After behind.
    settings.trips.consecutive = Some(n(2));
    settings.trips.at_once_on = AnswerSet::NONE;
    check(&settings, "1:r 2:- 3:- 40:.", "3 trip(2), 33 in");
    // Nor does one that does, to an ejection that comes of something else; ejecting twice is ejecting once.
    settings.failures = AnswerSet::of([Answer::Status(429)]);
    settings.ignored = AnswerSet::NONE;
    check(&settings, "1:q 2:r 50:e 60:e 90:.", "2 trip(1), 39 in, 50 out, 60 out, 80 in");
}

#[test]
fn a_ring_of_calls_forgets_the_oldest() {
    let settings = count(2, Window::Calls(n(3)));
    check(&settings, "1:- 2:+ 3:+ 4:- 5:+ 6:-", "6 trip(4)");
}

#[test]
fn a_sliding_window_forgets_each_failure_by_itself() {
    let settings = count(3, Window::Sliding(secs(10.0)));
    check(&settings, "0:- 5:- 10:- 14:-", "14 trip(5)");
    check(&settings, "0:- 5:- 9.999:-", "9.999 trip(0)");
}

#[test]
fn buckets_are_dropped_as_a_whole() {
    let buckets = |from| Window::Buckets { length: secs(10.0), count: n(5), from };
    // Clock buckets of 2 s from 1.5 s on: 5.4 and 3.6 lie in one that begins at 3.5 and leaves at 13.5.
    let mut settings = count(3, buckets(BucketStart::Clock));
    check_with(Play::new(&settings, 101.5), "3.6:- 5.4:- 13.4:-", "13.4 trip(3.6)");
    check_with(Play::new(&settings, 101.5), "3.6:- 5.4:- 13.5:- 13.6:-", "");
    check_with(Play::new(&settings, 101.5), "3.6:- 5.6:- 13.5:- 13.6:-", "13.6 trip(5.6)");
    // The first bucket of a run began before it.
    check_with(Play::new(&settings, 1.5), "1.4:- 1.5:- 9.4:-", "9.4 trip(1.4)");
    check_with(Play::new(&settings, 1.5), "1.4:- 1.5:- 9.5:- 9.6:-", "9.6 trip(1.5)");
    // Lazy ones: 3.6 to 5.6, whatever the clock says, and both leave 10 s after the first.
    settings.window = buckets(BucketStart::FirstCall);
    check(&settings, "3.6:- 5.5:- 13.5:-", "13.5 trip(3.6)");
    check(&settings, "3.6:- 5.5:- 13.6:- 13.7:-", "");
    check(&settings, "3.6:- 5.6:- 13.6:- 13.7:-", "13.7 trip(5.6)");
}

#[test]
fn tumbling_windows_begin_where_they_say() {
    let clock = count(2, tumbling(10.0, WindowStart::Clock));
    check_with(Play::new(&clock, 23.0), "1:- 2.9:-", "2.9 trip(1)");
    check_with(Play::new(&clock, 23.0), "2.9:- 3:- 12.9:-", "12.9 trip(3)");
    let first_call = count(2, tumbling(10.0, WindowStart::FirstCall));
    check(&first_call, "1:+ 5:- 11:-", "11 trip(5)");
    check(&first_call, "1:+ 5:- 11.1:- 21.1:-", "21.1 trip(11.1)");
    let half = Trips { ratio: ratio(0.5, true, 2), ..Trips::default() };
    // The first failure forgets the successes before it.
    let first_failure = detector(half, tumbling(10.0, WindowStart::FirstFailure));
    check(&first_failure, "1:+ 2:+ 3:- 4:+", "4 trip(3)");
    check(&first_failure, "1:+ 3:- 13.1:+ 14:- 15:-", "15 trip(14)");
    // Successes and failures are forgotten independently: those of 1 s at 11 s.
    let first_of_each = detector(half, tumbling(10.0, WindowStart::FirstOfEach));
    check(&first_of_each, "1:+ 2:+ 3:+ 9:- 10:- 11.1:+", "11.1 trip(9)");
    check(&first_of_each, "1:+ 2:+ 3:+ 9:- 10:- 11:+", "");
    check(&first_of_each, "1:+ 2:+ 9:- 10:+ 10.5:+ 10.7:+ 11.1:-", "11.1 trip(9)");
}

#[test]
fn a_tally_is_of_what_is_in_the_window_now() {
    let settings = count(2, Window::Sliding(secs(10.0)));
    let mut play = Play::new(&settings, 0.0);
    play.play("1:- 2:+ 5:+");
    let tallies = [10.0, 11.0, 12.0, 15.0].map(|now| play.breaker.tally(at(now)));
    assert_eq!(tallies, [(3, 1), (2, 0), (1, 0), (0, 0)]);
    play.play("10:-");
    assert!(play.breaker.is_ejected());
    assert_eq!(play.breaker.tally(at(10.0)), (0, 0));
    // On ticks, too, only what is left is judged, and not on the tick that readmits.
    let every = secs(4.0);
    let mut settings = Detector { evaluated: Evaluated::OnTicks { every, first: None }, ..settings };
    check(&settings, "1:- 10.5:- 11.5:+ 13:.", "");
    check(&settings, "1:- 10:- 14:- 21:.", "16 trip(10)");
    settings.clears_on_admission = false;
    settings.window = Window::Sliding(secs(100.0));
    check(&settings, "1:- 2:- 36:.", "4 trip(1), 36 in");
    check(&settings, "1:- 2:- 40:.", "4 trip(1), 36 in, 40 trip(1)");
}

#[test]
fn a_ratio_is_inclusive_or_not_and_needs_calls() {
    let with = |of, inclusive, min_calls, window| {
        detector(Trips { ratio: ratio(of, inclusive, min_calls), ..Trips::default() }, window)
    };
    check(&with(0.5, true, 4, Window::SinceAdmission), "1:- 2:- 3:+ 4:+", "4 trip(1)");
    check(&with(0.5, false, 4, Window::SinceAdmission), "1:- 2:- 3:+ 4:+ 5:-", "5 trip(1)");
    check(&with(0.5, true, 100, Window::Calls(n(3))), "1:- 2:- 3:-", "3 trip(1)");
    check(&with(0.5, true, 2, Window::Calls(n(30))), "1:- 2:-", "2 trip(1)");
    // Nothing is nothing, even where every share is too much.
    check(&with(0.0, true, 0, Window::SinceAdmission), "1:x 2:i 3:+", "3 trip(3)");
    let never_called = Detector {
        evaluated: Evaluated::OnTicks { every: secs(1.0), first: None },
        ..with(0.0, true, 0, Window::SinceAdmission)
    };
    check(&never_called, "9:.", "");
    // Where only failures are looked at, a success trips nothing.
    let settings = Detector { evaluated: Evaluated::OnFailure, ..with(0.5, true, 4, Window::SinceAdmission) };
    check(&settings, "1:- 2:- 3:+ 4:+ 5:-", "5 trip(1)");
}

#[test]
fn slow_answers_have_a_ratio_of_their_own() {
    let slow = SlowRatio { after: secs(1.0), ratio: ratio(0.5, true, 4).unwrap() };
    let settings = detector(Trips { slow: Some(slow), ..Trips::default() }, Window::SinceAdmission);
    check(&settings, "1:-<0 2:-<0 5:-<0 6:-<0 7:-<0 8:-<0", "");
    check(&settings, "2:+<0 3:+<2 4:+<3 6:+<3", "6 trip(0)");
}

#[test]
fn a_window_is_cleared_on_admission_or_not() {
    let mut settings = count(2, Window::Sliding(secs(100.0)));
    check(&settings, "1:- 2:- 33:- 34:-", "2 trip(1), 32 in, 34 trip(33)");
    settings.clears_on_admission = false;
    check(&settings, "1:- 2:- 33:- 34:-", "2 trip(1), 32 in, 33 trip(1)");
    settings.window = Window::SinceAdmission;
    check(&settings, "1:- 2:- 33:- 34:-", "2 trip(1), 32 in, 34 trip(33)");
    // What ends in a trial counts in the window then: 3 failures of 5, and 3 of 6.
    let trips = Trips { ratio: ratio(0.6, true, 2), ..Trips::default() };
    let settings = Detector {
        clears_on_admission: false,
        half_open: Some(HalfOpen { permits: n(2), decide: Decide::All }),
        ..detector(trips, Window::Sliding(secs(100.0)))
    };
    check(&settings, "1:- 2:- 33:+ 34:+ 35:-", "2 trip(1), 32 trial, 34 in, 35 trip(1)");
    check(&settings, "1:- 2:- 33:+ 34:+ 35:+ 36:-", "2 trip(1), 32 trial, 34 in");
}

#[test]
fn an_ejection_from_the_first_failure_may_be_over_at_once() {
    let mut settings = count(2, Window::Sliding(secs(100.0)));
    settings.ejection.from = EjectedFrom::FirstFailure;
    check(&settings, "1:- 21:- 40:.", "21 trip(1), 31 in");
    check(&settings, "1:- 50:- 51:.", "50 trip(1), 50 in");
}

#[test]
fn a_spared_provider_counts_what_tripped_from_zero() {
    let mut settings = count(3, Window::SinceAdmission);
    let spared = Play { spares: true, ..Play::new(&settings, 0.0) };
    check_with(spared, "1:- 2:- 3:- 4:- 5:- 6:-", "3 spared(1), 6 spared(4)");
    settings.trips.consecutive = Some(n(2));
    let spared = Play { spares: true, ..Play::new(&settings, 0.0) };
    check_with(spared, "1:- 2:- 3:- 4:- 5:-", "2 spared(1), 3 spared(1), 4 spared(3)");
}

#[test]
fn the_ends_of_attempts_sent_before_the_last_change_count_or_not() {
    let mut settings = on_trial(1, Decide::First);
    check(&settings, "1:- 31:. 32:+<0.5 33:-<0.6", "1 trip(1), 31 trial, 32 in, 33 trip(0.6)");
    check(&settings, "1:- 31:. 32:-<0.5", "1 trip(1), 31 trial, 32 out");
    settings.stale = Stale::Dropped;
    check(
        &settings,
        "1:- 31:. 31.5:s 32:+<0.5 33:-<0.6 34:+<31.5 35:-<31.5 36:-<34",
        "1 trip(1), 31 trial, 34 in, 36 trip(34)",
    );
    // Of tumbling windows also those sent in an earlier one.
    let windows = [WindowStart::Clock, WindowStart::FirstCall, WindowStart::FirstFailure];
    for from in windows {
        let settings = Detector { stale: Stale::Dropped, ..count(2, tumbling(10.0, from)) };
        check(&settings, "0:- 5:s 8:s 11:-<5 12:-<8 13:- 14:-", "14 trip(13)");
        let settings = Detector { stale: Stale::Counts, ..settings };
        check(&settings, "0:- 5:s 8:s 11:-<5 12:-<8", "12 trip(5)");
    }
}

#[test]
fn a_trial_is_decided_by_its_first_end() {
    let settings = on_trial(2, Decide::First);
    check(&settings, "1:- 32:+ 33:-", "1 trip(1), 31 trial, 32 in, 33 trip(33)");
    check(&settings, "1:- 32:- 62:+", "1 trip(1), 31 trial, 32 out, 62 trial, 62 in");
    check(&settings, "1:- 40:p 41:- 80:p 81:p", "1 trip(1), 31 trial, 40 in, 41 trip(41), 71 trial, 80 in");
}

#[test]
fn a_trial_of_all_needs_all_to_succeed() {
    let settings = on_trial(3, Decide::All);
    check(&settings, "1:- 32:+ 33:+ 34:+", "1 trip(1), 31 trial, 34 in");
    check(&settings, "1:- 32:+ 33:-", "1 trip(1), 31 trial, 33 out");
}

#[test]
fn a_trial_by_ratio_is_judged_when_all_have_ended() {
    let mut settings = on_trial(4, Decide::Ratio);
    settings.trips = Trips { ratio: ratio(0.5, true, 100), consecutive: Some(n(1)), ..Trips::default() };
    check(&settings, "1:- 32:- 33:- 34:+ 35:+", "1 trip(1), 31 trial, 35 out");
    check(&settings, "1:- 32:- 33:+ 34:+ 35:+", "1 trip(1), 31 trial, 35 in");
    settings.trips.ratio = ratio(0.5, false, 100);
    check(&settings, "1:- 32:- 33:- 34:+ 35:+", "1 trip(1), 31 trial, 35 in");
    settings.trips.ratio = None;
    check(&settings, "1:- 32:+ 33:-", "1 trip(1), 31 trial, 33 out");
    // What trips at once does so in a trial, and its Retry-After counts there.
    settings.trips = Trips { ratio: ratio(1.0, true, 1), ..Trips::default() };
    settings.trips.at_once_on = AnswerSet::of([Answer::Status(429)]);
    settings.ejection.retry_after = Some(secs(1.0));
    check(&settings, "1:q 32:+ 33:r 50:.", "1 trip(1), 31 trial, 33 out, 41 trial");
}

#[test]
fn a_trial_lets_as_many_through_as_it_has_permits() {
    for decide in [Decide::First, Decide::All, Decide::Ratio] {
        let settings = on_trial(2, decide);
        let mut play = Play::new(&settings, 0.0);
        let mut blocked = |script: &str, is: bool| {
            play.play(script);
            assert_eq!(play.breaker.is_blocked(), is, "{script}");
            assert!(play.breaker.is_ejected());
        };
        blocked("1:- 30:.", true);
        blocked("31:s", false);
        blocked("32:s", true);
        // Abandoned and ignored attempts give their permits back, but not attempts from before.
        blocked("33:x<0.5", true);
        blocked("34:x<31", false);
        blocked("35:s", true);
        blocked("36:i<32", false);
        // More than the permits are sent where the group has nobody else.
        blocked("37:s 38:s 39:s", true);
        blocked("40:x<37", false);
    }
    let settings = on_trial(2, Decide::All);
    let mut play = Play::new(&settings, 0.0);
    // What has succeeded is not let through again.
    play.play("1:- 31:s 32:s 33:+<31");
    assert!(play.breaker.is_blocked());
}

#[test]
fn ejections_grow_by_a_factor_until_a_trial_succeeds() {
    let mut settings = on_trial(1, Decide::First);
    settings.ejection.base = secs(10.0);
    settings.ejection.max = secs(35.0);
    settings.ejection.growth = Growth::Exponential(2.0);
    check(
        &settings,
        "0:- 10:- 30:- 65:- 100:+ 101:- 200:.",
        "0 trip(0), 10 trial, 10 out, 30 trial, 30 out, 65 trial, 65 out, 100 trial, 100 in, 101 trip(101), 111 trial",
    );
    // Without a trial: after as long an admission as the ejection was.
    settings.half_open = None;
    check(
        &settings,
        "0:- 11:- 50.999:- 86:- 121:- 160:.",
        "0 trip(0), 10 in, 11 trip(11), 31 in, 50.999 trip(50.999), 85.999 in, 86 trip(86), 121 in, 121 trip(121), 156 in",
    );
    check(&settings, "0:- 11:- 51:- 80:.", "0 trip(0), 10 in, 11 trip(11), 31 in, 51 trip(51), 61 in");
    // A tick takes nothing off.
    settings.evaluated = Evaluated::OnTicks { every: secs(4.0), first: None };
    check(&settings, "0:- 18:- 50:.", "0 trip(0), 12 in, 18 trip(18), 40 in");
}

#[test]
fn ejections_grow_linearly_and_fall_with_time() {
    let mut settings = consecutive(1);
    settings.ejection =
        Ejection { base: secs(10.0), growth: Growth::Linear, max: secs(30.0), ..settings.ejection };
    // 10, 20, 30, and 30 again; at 4 x 10 >= 30 + 10 it has stopped growing. Three base lengths take 30 off it.
    check(
        &settings,
        "0:- 10:- 30:- 60:- 90:- 150:- 180:.",
        "0 trip(0), 10 in, 10 trip(10), 30 in, 30 trip(30), 60 in, 60 trip(60), 90 in, 90 trip(90), 120 in, \
         150 trip(150), 170 in",
    );
    check(
        &settings,
        "0:- 10:- 39.9:- 70:.",
        "0 trip(0), 10 in, 10 trip(10), 30 in, 39.9 trip(39.9), 69.9 in",
    );
    check(&settings, "0:- 10:- 40:- 70:.", "0 trip(0), 10 in, 10 trip(10), 30 in, 40 trip(40), 60 in");
}

#[test]
fn jitter_is_uniform_and_its_own_for_every_ejection() {
    let mut settings = consecutive(1);
    settings.ejection.jitter = secs(12.0);
    let mut play = Play::new(&settings, 0.0);
    let mut lengths = Vec::new();
    let mut now = SimTime::START;
    for _ in 0..1000 {
        play.ended(Ended { sent: now, ended: now, answer: Answer::Timeout, retry_after: None });
        let until = play.breaker.timer().unwrap();
        lengths.push(until.since(now).as_secs_f64() - 30.0);
        now = until;
    }
    assert!(lengths.iter().all(|length| (0.0..12.0).contains(length)));
    // Four standard errors.
    let mean = lengths.iter().sum::<f64>() / 1000.0;
    assert!((mean - 6.0).abs() < 4.0 * 12.0 / 12f64.sqrt() / 1000f64.sqrt(), "{mean}");
    // The largest of 1000 distinct uniforms is above 99 % of the range.
    assert!(lengths.iter().any(|length| *length > 11.88));
}
