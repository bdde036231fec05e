//! What products were seen to do, and what mathematics says they must.

use super::tests::{Play, at, check, check_with, consecutive, count, detector, n, ratio, secs, tumbling};
use super::*;
use crate::model::{AnswerSet, BucketStart, EjectedFrom, Ejection, Growth, Nginx, Trips, WindowStart};
use crate::random::UnitExponential;
use rand_distr::Distribution;

/// Attempts are sent evenly and at this rate, and each ends after as long as `answer` says, until the detector trips.
/// Returns when it has, and how many were sent by then.
fn tripped(
    settings: &Detector,
    sent: impl Iterator<Item = f64>,
    answer: impl Fn(f64) -> (f64, Answer),
) -> Option<(f64, usize)> {
    let mut play = Play::new(settings, 0.0);
    let mut ends: Vec<Ended> = Vec::new();
    for (i, sent) in sent.enumerate() {
        while let Some(end) = ends.first().filter(|end| end.ended <= at(sent)).copied() {
            ends.remove(0);
            play.ended(end);
            if !play.log.is_empty() {
                return Some((end.ended.as_millis_f64() / 1e3, i));
            }
        }
        play.sent(at(sent));
        let (takes, answer) = answer(sent);
        let ended = at(sent + takes);
        let place = ends.partition_point(|end| end.ended <= ended);
        ends.insert(place, Ended { sent: at(sent), ended, answer, retry_after: None });
    }
    None
}

fn evenly(rate: f64, until: f64) -> impl Iterator<Item = f64> {
    (0..(until * rate) as u32).map(move |i| f64::from(i) / rate)
}

/// In a total hang a breaker for n failures in a row admits n + lambda tau attempts on average, and opens after
/// n / lambda + tau.
#[test]
fn a_hang_costs_what_arrives_within_the_timeout() {
    let (runs, rate, tau, failures) = (2000, 10.0, 3.0, 5);
    let settings = consecutive(failures);
    let (mut admitted, mut opened) = (0.0, 0.0);
    for run in 0..runs {
        let mut rng = Key::for_run(7, run).rng();
        let mut now = 0.0;
        let arrivals = std::iter::repeat_with(|| {
            let gap: f64 = UnitExponential.sample(&mut rng);
            now += gap / rate;
            now
        });
        let (when, sent) = tripped(&settings, arrivals, |_| (tau, Answer::Timeout)).unwrap();
        admitted += sent as f64 / runs as f64;
        opened += when / runs as f64;
    }
    // Four standard errors: of Poisson(30), and of a Gamma(5, 10).
    assert!((admitted - 35.0).abs() < 4.0 * (30.0 / runs as f64).sqrt(), "{admitted}");
    assert!((opened - 3.5).abs() < 4.0 * (0.05 / runs as f64).sqrt(), "{opened}");
}

/// A full window of W calls opens at exactly ceil(th W) failures, and a lone failure fewer does not.
#[test]
fn a_full_ring_opens_at_its_share_rounded_up() {
    for (calls, of, failures) in [(20, 0.45, 9), (30, 0.1, 3), (7, 0.5, 4), (100, 0.29, 29), (3, 1.0, 3)] {
        let trips = Trips { ratio: ratio(of, true, 1000), ..Trips::default() };
        let settings = detector(trips, Window::Calls(n(calls)));
        let mut play = Play::new(&settings, 0.0);
        for i in 0..2 * calls {
            play.call(f64::from(i), Answer::Good);
        }
        for failed in 1..=failures {
            assert!(play.log.is_empty(), "{calls} {of}: {failed}");
            play.call(f64::from(2 * calls + failed), Answer::Timeout);
        }
        assert_eq!(play.log.len(), 1, "{calls} {of}");
    }
}

/// In a hang the share of failures in a window of length w is (t - tau) / (w - tau): it reaches th at
/// tau + th (w - tau). Failures that come at once reach it at th w.
#[test]
fn a_window_of_time_opens_as_the_hang_fills_it() {
    let trips = Trips { ratio: ratio(0.5, true, 100), ..Trips::default() };
    let settings = detector(trips, Window::Sliding(secs(10.0)));
    for (tau, expected) in [(1.0, 5.5), (4.0, 7.0), (0.0, 5.0)] {
        let answer = |sent| if sent < 20.0 { (0.0, Answer::Good) } else { (tau, Answer::Timeout) };
        let (opened, _) = tripped(&settings, evenly(100.0, 60.0), answer).unwrap();
        assert!((opened - 20.0 - expected).abs() <= 0.02, "{tau}: {opened}");
    }
}

/// W ln(1/thr) = 6.69 s, not the 6 s that a comment in Finagle claims.
#[test]
fn a_decaying_average_opens_after_w_ln_of_the_threshold() {
    let trips = Trips { ratio: ratio(0.2, false, 5), ..Trips::default() };
    let settings = detector(trips, Window::Ewma(secs(30.0)));
    let answer = |sent| (0.0, if sent < 50.0 { Answer::Good } else { Answer::Timeout });
    let (opened, _) = tripped(&settings, evenly(100.0, 90.0), answer).unwrap();
    assert!((opened - 50.0 - 6.694).abs() <= 0.02, "{opened}");
    // It begins with a success rate of 1, and the first 5 calls since admission trip nothing.
    check(&settings, "0:- 60:-", "");
    check(&settings, "0:- 60:- 61:+ 62:+ 62.5:-", "62.5 trip(60)");
    check(&settings, "0:- 1:- 2:+ 60:- 61:- 99:-", "61 trip(60), 91 in");
    // An average has no counts.
    check(&count(1, Window::Ewma(secs(30.0))), "0:- 1:- 2:-", "");
}

/// gobreaker drops what was sent in an earlier interval, so a hang longer than the interval never trips.
#[test]
fn a_timeout_longer_than_the_interval_never_trips_gobreaker() {
    let settings =
        Detector { stale: Stale::Dropped, window: tumbling(10.0, WindowStart::FirstCall), ..consecutive(6) };
    assert_eq!(tripped(&settings, evenly(10.0, 200.0), |_| (15.0, Answer::Timeout)), None);
    let (opened, _) = tripped(&settings, evenly(10.0, 200.0), |_| (3.0, Answer::Timeout)).unwrap();
    assert!((opened - 3.5).abs() < 1e-6, "{opened}");
}

fn litellm(min_calls: u32) -> Detector {
    let trips = Trips {
        ratio: ratio(0.5, false, min_calls),
        at_once_on: AnswerSet::of([Answer::Status(429), Answer::Status(401)]),
        ..Trips::default()
    };
    let settings = detector(trips, tumbling(60.0, WindowStart::FirstOfEach));
    Detector {
        evaluated: Evaluated::OnFailure,
        clears_on_admission: false,
        ejection: Ejection { base: secs(5.0), ..settings.ejection },
        ..settings
    }
}

/// Measured on LiteLLM 1.80.0 and 1.109.1: B and C.
#[test]
fn litellm_cools_after_one_failure_or_five() {
    check(&litellm(0), "0:-", "0 trip(0)");
    check(&litellm(5), "0:- 1:- 2:- 3:- 4:-", "4 trip(0)");
    check(&litellm(5), "0:q", "0 trip(0)");
    // 1 of 2 is not above one half.
    check(&litellm(0), "0:+ 1:- 2:-", "2 trip(1)");
}

/// Nothing is cleared when the cooldown is over: the first failure cools again while failures outnumber successes.
#[test]
fn litellm_cools_again_at_the_first_failure_after_a_cooldown() {
    check(&litellm(5), "0:- 1:- 2:- 3:- 4:- 10:- 20:. 61:- 62:-", "4 trip(0), 9 in, 10 trip(0), 15 in");
    check(&litellm(5), "0:- 1:- 2:- 3:- 4:- 10:+ 11:+ 12:+ 13:+ 14:+ 15:+ 16:-", "4 trip(0), 9 in");
}

/// With `allowed_fails = 2` the third failure within a cooldown's time of the first one cools.
#[test]
fn litellm_allows_failures_per_cooldown_time() {
    let mut settings = count(3, tumbling(5.0, WindowStart::FirstFailure));
    settings.ejection.base = secs(5.0);
    check(&settings, "0:- 1:+ 4:- 4.9:- 10:.", "4.9 trip(0), 9.9 in");
    check(&settings, "0:- 4:- 5.1:- 9:- 10:-", "10 trip(5.1)");
}

/// Measured on LiteLLM: W. A counter that went up at 0 s and 50 s with a time to live of 60 s is gone at 61 s.
#[test]
fn litellm_forgets_all_failures_with_the_first_one() {
    for from in [WindowStart::FirstFailure, WindowStart::FirstOfEach] {
        let settings = count(3, tumbling(60.0, from));
        check(&settings, "0:- 50:- 59:-", "59 trip(0)");
        check(&settings, "0:- 50:- 61:- 62:- 63:-", "63 trip(61)");
    }
}

/// Portkey 2.x: what opened is left of the cooldown, counted from the first failure; then all is forgotten.
#[test]
fn portkey_opens_for_what_is_left_of_the_cooldown() {
    let mut settings = count(3, tumbling(30.0, WindowStart::FirstFailure));
    settings.ejection.from = EjectedFrom::FirstFailure;
    check(&settings, "1:- 10:+ 11:- 26:-<20 40:- 41:- 70:.", "26 trip(1), 31 in");
    check(&settings, "1:- 11:- 31:- 32:-", "31 trip(1), 31 in");
    settings.trips = Trips { ratio: ratio(0.5, true, 5), ..Trips::default() };
    check(&settings, "1:+ 2:+ 3:+ 4:- 5:- 6:+ 7:+ 8:+ 9:-", "9 trip(4)");
}

/// Azure's `acceptRetryAfter`.
#[test]
fn azure_trips_for_as_long_as_the_answer_says() {
    let mut settings = count(1, tumbling(60.0, WindowStart::FirstCall));
    settings.failures = AnswerSet::of([Answer::Status(429)]);
    settings.ejection.base = secs(60.0);
    check(&settings, "1:r 70:.", "1 trip(1), 61 in");
    settings.ejection.retry_after = Some(SimDuration::ZERO);
    check(&settings, "1:r 10:q 80:.", "1 trip(1), 8 in, 10 trip(10), 70 in");
}

fn envoy(growth: Growth) -> Detector {
    let settings = consecutive(5);
    Detector {
        evaluated: Evaluated::OnTicks { every: secs(10.0), first: None },
        window: tumbling(10.0, WindowStart::Clock),
        ejection: Ejection { growth, ..settings.ejection },
        ..settings
    }
}

/// The first ejection lasts base to base + interval; a dead host's later ones lock to the ticks:
/// interval x ceil((time to fail + base) / interval).
#[test]
fn envoy_readmits_on_its_ticks() {
    check(&envoy(Growth::Constant), "11:- 11:- 11:- 11:- 12:- 60:.", "12 trip(11), 50 in");
    check(&envoy(Growth::Constant), "10:- 10:- 10:- 10:- 10:- 60:.", "10 trip(10), 40 in");
    for (rate, cycle) in [(100.0, 40.0), (0.3, 50.0)] {
        let settings = envoy(Growth::Constant);
        let mut play = Play::new(&settings, 0.0);
        for sent in evenly(rate, 800.0).skip(1) {
            play.advance(at(sent));
            if !play.breaker.is_blocked() {
                play.call(sent, Answer::Status(503));
            }
        }
        let admitted: Vec<f64> =
            play.log.iter().filter_map(|l| l.strip_suffix(" in")?.parse().ok()).collect();
        assert!(admitted.len() > 10);
        assert!(admitted.windows(2).all(|pair| pair[1] - pair[0] == cycle), "{admitted:?}");
    }
}

/// 30 s, 60 s, 90 s; each tick that it stays admitted takes 30 s off again, from one interval after admission on.
#[test]
fn envoy_ejects_for_longer_each_time() {
    let five = |at: u32| format!("{at}:- {at}:- {at}:- {at}:- {at}:- ");
    let twice = five(1) + &five(41);
    check(&envoy(Growth::Linear), &(twice.clone() + "110:."), "1 trip(1), 40 in, 41 trip(41), 110 in");
    for (third, readmitted) in [(111, 210), (121, 190), (131, 170), (171, 210)] {
        let expected =
            format!("1 trip(1), 40 in, 41 trip(41), 110 in, {third} trip({third}), {readmitted} in");
        check(&envoy(Growth::Linear), &(twice.clone() + &five(third) + "260:."), &expected);
    }
    // Ten times and more: at most 300 s.
    let mut settings = envoy(Growth::Linear);
    settings.ejection.max = secs(70.0);
    let thrice = twice + &five(111);
    check(&settings, &(thrice + "260:."), "1 trip(1), 40 in, 41 trip(41), 110 in, 111 trip(111), 190 in");
}

/// A window is exactly the last interval, judged and compared when it is over.
#[test]
fn envoy_judges_the_last_interval_on_its_tick() {
    let mut settings = envoy(Growth::Linear);
    settings.trips = Trips { ratio: ratio(0.5, true, 4), ..Trips::default() };
    check(&settings, "1:- 2:- 8:- 11:- 12:- 40:.", "");
    check(&settings, "1:- 12:-<3 13:- 14:+ 15:+ 60:.", "20 trip(3), 50 in");
    let mut play = Play::new(&settings, 0.0);
    play.play("1:- 2:+ 11:-");
    assert_eq!(play.breaker.tally(at(11.0)), (2, 1));
    play.play("20:.");
    assert_eq!(play.breaker.tally(at(20.0)), (1, 1));
    // An ejection on a tick comes before the tick's decay: twice the base, as no tick without it has passed.
    let four = |at: u32| format!("{at}:- {at}:- {at}:- {at}:- ");
    let script = four(1) + &four(41) + "200:.";
    check(&settings, &script, "10 trip(1), 40 in, 50 trip(41), 110 in");
}

/// Helicone judges 60 s in 10 buckets every 5 s, and removes a provider while they hold more than one failure in ten.
#[test]
fn helicone_looks_at_its_buckets_every_five_seconds() {
    let trips = Trips { ratio: ratio(0.1, false, 20), ..Trips::default() };
    let window = Window::Buckets { length: secs(60.0), count: n(10), from: BucketStart::Clock };
    let settings = Detector {
        evaluated: Evaluated::OnTicks { every: secs(5.0), first: None },
        clears_on_admission: false,
        ..detector(trips, window)
    };
    let mut play = Play::new(&settings, 2.0);
    for i in 0..600 {
        let now = f64::from(i) * 0.2;
        play.call(now, if now < 62.0 { Answer::Good } else { Answer::Status(500) });
    }
    // At 65 s 15 of the 285 calls since 8 s have failed, at 70 s 40 of the 280 since 14 s.
    assert_eq!(play.log[..3], ["70 trip(62)", "100 in", "105 trip(62)"]);
}

fn nginx(max_fails: u32) -> Detector {
    let nginx = Nginx { max_fails: n(max_fails), fail_timeout: secs(10.0) };
    detector(Trips { nginx: Some(nginx), ..Trips::default() }, Window::SinceAdmission)
}

/// F + 1 + E floor(e + tau), where e is the wait for a request: 11 s for 10 s in dense traffic.
#[test]
fn nginx_tries_a_dead_peer_every_eleven_seconds() {
    let settings = nginx(1);
    let trials = |phase: f64, requests: &mut dyn Iterator<Item = f64>| {
        let mut play = Play::new(&settings, phase);
        let mut trials = Vec::new();
        for sent in requests {
            play.advance(at(sent));
            if !play.breaker.is_blocked() {
                play.call(sent, Answer::Status(502));
                trials.push(sent);
            }
        }
        trials
    };
    let dense = trials(0.25, &mut evenly(100.0, 60.0));
    assert_eq!(dense, [0.0, 10.25, 21.25, 32.25, 43.25, 54.25], "the first second is 0.25 s long");
    let mut rng = Key::for_run(3, 0).rng();
    let mut now = 0.0;
    let mut poisson = std::iter::repeat_with(|| {
        let gap: f64 = UnitExponential.sample(&mut rng);
        now += gap / 2.0;
        now
    });
    let trials = trials(0.0, &mut poisson.by_ref().take_while(|now| *now < 50_000.0));
    let cycle = (trials.last().unwrap() - trials[0]) / (trials.len() - 1) as f64;
    let expected = 11.0 + 1.0 / (libm::exp(2.0) - 1.0);
    // Four standard errors; the geometric part has standard deviation 0.43.
    assert!(
        (cycle - expected).abs() < 4.0 * 0.43 / (trials.len() as f64).sqrt() + 1e-3,
        "{cycle} {expected}"
    );
}

#[test]
fn nginx_adds_failures_up_until_a_gap() {
    // Not a sliding window: 0, 9 and 18 s add up in spite of the successes between.
    check(&nginx(3), "0:- 1:+ 5:+ 9:- 10:+ 18:-", "18 trip(0)");
    // A success that was let through more than 10 s after the last failure clears them.
    check(&nginx(3), "0:- 9:- 19:+ 19:-", "19 trip(0)");
    check(&nginx(3), "0:- 9:- 20:+ 20:- 21:- 22:-", "22 trip(20)");
    // Ignored answers are neither; a timeout is a failure as any other.
    check(&nginx(2), "0:- 20:x 20:i 21:-", "21 trip(0)");
}

#[test]
fn nginx_lets_one_request_through_and_its_end_decides() {
    check(&nginx(1), "0.5:- 11:+", "0.5 trip(0.5), 11 trial, 11 in");
    check(&nginx(1), "0.5:- 5:-<0.2 20:.", "0.5 trip(0.5), 16 trial");
    let settings = nginx(1);
    let mut play = Play::new(&settings, 0.0);
    play.play("0.5:- 10.999:.");
    assert!(play.breaker.is_blocked() && play.breaker.is_ejected());
    play.play("11:.");
    assert!(!play.breaker.is_blocked() && play.breaker.is_ejected());
    play.play("11.5:s");
    assert!(play.breaker.is_blocked(), "one trial only");
    assert_eq!(play.breaker.timer(), Some(at(22.0)), "unless it takes too long");
    // The end of an earlier request decides, too.
    play.play("12:+<0.4");
    assert!(!play.breaker.is_blocked() && !play.breaker.is_ejected());
    // What fails while it is ejected puts the trial off.
    play.play("13:- 20:-<12.5 24:.");
    assert_eq!(play.breaker.timer(), Some(at(31.0)));
    assert!(play.breaker.readmit(&settings, at(25.0)) && !play.breaker.is_blocked());
    check_with(Play { spares: true, ..Play::new(&settings, 0.0) }, "1:- 2:-", "1 spared(1), 2 spared(2)");
}
