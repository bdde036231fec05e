//! Lowers passive detectors: which of their settings go together.
//!
//! A part of [`super::lower`].

use super::file_detector::{
    BucketStart, Decide, Detector, EjectedFrom, Evaluated, Judges, MaxEjectedRule, OnError, Stale,
    TripAction, Window, WindowStart,
};
use super::file_retry::Growth;
use super::lower::{Lowering, answers, at_least_one};
use super::setting::{Count, Share};
use crate::model::{self, Probability};
use crate::time::SimDuration;

/// What says when a provider is ejected.
const TRIPS: [&str; 7] = ["consecutive", "count", "ratio", "slow", "at_once_on", "success_rate", "nginx"];

/// What says how long a provider is ejected, and how it is tried again.
const EJECTION: [&str; 7] =
    ["eject_for", "growth", "max_eject_for", "eject_jitter", "eject_from", "retry_after", "half_open"];

impl Lowering<'_> {
    /// All of them, in order of name.
    pub(super) fn detectors(&mut self) -> Option<Vec<model::Detector>> {
        let file = self.file;
        let detectors = &file.gateway.detector;
        if let Some(first_too_many) = detectors.keys().nth(model::Gateway::DETECTORS_MAX) {
            let message = format!("there are {} detectors", detectors.len());
            let help = format!("use at most {}", model::Gateway::DETECTORS_MAX);
            self.problem(&format!("gateway.detector.{first_too_many}"), message, help);
        }
        let mut lowered = vec![];
        for (name, detector) in detectors {
            lowered.push(self.detector(name, detector));
        }
        lowered.into_iter().collect()
    }

    fn detector(&mut self, name: &str, detector: &Detector) -> Option<model::Detector> {
        let path = format!("gateway.detector.{name}");
        self.names_a_failure(&detector.failures, &format!("{path}.failures"));
        let trips = self.trips(detector, &path);
        self.what_goes_together(detector, &path);
        let ejection = self.ejection(detector, &path);
        Some(model::Detector {
            name: name.to_owned(),
            judges: match detector.judges {
                Judges::Attempts => model::Judges::Attempts,
                Judges::AfterRetries => model::Judges::AfterRetries,
            },
            failures: answers(&detector.failures),
            ignored: answers(&detector.ignored),
            trips: trips?,
            window: window(&detector.window),
            evaluated: match &detector.evaluated {
                Evaluated::OnCall => model::Evaluated::OnCall,
                Evaluated::OnFailure => model::Evaluated::OnFailure,
                Evaluated::OnTicks(ticks) => model::Evaluated::OnTicks {
                    every: ticks.every.value,
                    first: ticks.first.as_ref().map(|first| first.value),
                },
            },
            stale: match detector.stale {
                Stale::Counts => model::Stale::Counts,
                Stale::Dropped => model::Stale::Dropped,
            },
            enforced: detector.enforced.value,
            action: match detector.on_trip {
                TripAction::Eject => model::TripAction::Eject,
                TripAction::HealthCheck(on_error) => model::TripAction::HealthCheck(match on_error {
                    OnError::Hurry => model::OnError::Hurry,
                    OnError::Fail => model::OnError::Fail,
                    OnError::Brink => model::OnError::Brink,
                    OnError::Down => model::OnError::Down,
                }),
            },
            ejection: ejection?,
            half_open: detector.half_open.as_ref().map(|half_open| model::HalfOpen {
                permits: at_least_one(half_open.permits.value),
                decide: match half_open.decide {
                    Decide::First => model::Decide::First,
                    Decide::All => model::Decide::All,
                    Decide::Ratio => model::Decide::Ratio,
                },
            }),
            clears_on_admission: detector.clears_on_admission,
            readmit_on_probe: detector.readmit_on_probe,
            max_ejected: detector.max_ejected.as_ref().map(|max| model::MaxEjected {
                share: max.share.value,
                rule: match max.rule {
                    MaxEjectedRule::WithThis => model::MaxEjectedRule::WithThis,
                    MaxEjectedRule::BeforeThis => model::MaxEjectedRule::BeforeThis,
                },
            }),
            spares_lone: detector.spares_lone,
        })
    }

    /// When it ejects; `None` if a share is not said.
    fn trips(&mut self, detector: &Detector, path: &str) -> Option<model::Trips> {
        if TRIPS.iter().all(|trip| !self.is_written(&format!("{path}.{trip}"))) && self.findings.sound(path) {
            let message = format!("`{path}` does not say what trips it");
            let help = format!("add one of {}: consecutive = 5, for example", super::problem::one_of(TRIPS));
            self.problem(path, message, help);
        }
        let of_at_once = format!("{path}.at_once_on");
        if self.is_written(&of_at_once) {
            self.names_a_failure(&detector.at_once_on, &of_at_once);
        }
        let nginx = detector.nginx.as_ref().map(|nginx| {
            let timeout = nginx.fail_timeout.value;
            let of_timeout = format!("{path}.nginx.fail_timeout");
            let whole = timeout.as_nanos().is_multiple_of(SimDuration::from_secs(1).as_nanos());
            if !whole && self.findings.sound(&of_timeout) {
                let message = format!("`{of_timeout}` is {timeout}, but nginx counts whole seconds");
                let help = format!("write \"{}s\", for example", timeout.as_secs_f64().ceil());
                self.problem(&of_timeout, message, help);
            }
            model::Nginx { max_fails: at_least_one(nginx.max_fails.value), fail_timeout: timeout }
        });
        let ratio = match &detector.ratio {
            Some(ratio) => {
                let (above, at_least) = (ratio.above.as_ref(), ratio.at_least.as_ref());
                self.ratio(above, at_least, &ratio.min_calls, &format!("{path}.ratio")).map(Some)
            }
            None => Some(None),
        };
        let slow = match &detector.slow {
            Some(slow) => {
                let (above, at_least) = (slow.above.as_ref(), slow.at_least.as_ref());
                let ratio = self.ratio(above, at_least, &slow.min_calls, &format!("{path}.slow"));
                ratio.map(|ratio| Some(model::SlowRatio { after: slow.after.value, ratio }))
            }
            None => Some(None),
        };
        Some(model::Trips {
            consecutive: detector.consecutive.as_ref().map(|count| at_least_one(count.value)),
            count: detector.count.as_ref().map(|count| at_least_one(count.value)),
            ratio: ratio?,
            slow: slow?,
            at_once_on: answers(&detector.at_once_on),
            success_rate: detector.success_rate.as_ref().map(|rate| model::SuccessRate {
                stdev_factor: rate.stdev_factor.value,
                min_providers: rate.min_providers.value,
                min_calls: rate.min_calls.value,
            }),
            nginx,
        })
    }

    /// A share that ejects is said in one of two ways.
    fn ratio(
        &mut self,
        above: Option<&Share>,
        at_least: Option<&Share>,
        min_calls: &Count,
        path: &str,
    ) -> Option<model::Ratio> {
        let of = match (above, at_least) {
            (Some(share), None) | (None, Some(share)) => share.value,
            (both, _) => {
                if self.findings.sound(path) {
                    let (message, help) = match both {
                        Some(_) => (
                            format!("`{path}` has both `above` and `at_least`"),
                            "remove one of the two".to_owned(),
                        ),
                        None => (
                            format!("`{path}` does not say which share ejects"),
                            "add `above`, the largest share that does not, or `at_least`, the smallest that does"
                                .to_owned(),
                        ),
                    };
                    self.problem(path, message, help);
                }
                return None;
            }
        };
        Some(model::Ratio { of, inclusive: at_least.is_some(), min_calls: min_calls.value })
    }

    /// Settings that need another one, or that another one makes pointless.
    fn what_goes_together(&mut self, detector: &Detector, path: &str) {
        let inner = |setting: &str| format!("{path}.{setting}");
        if detector.nginx.is_some() {
            let why = "`nginx` says it all";
            self.without_effect(path, &TRIPS[..6], why);
            self.without_effect(
                path,
                &["window", "evaluated", "stale", "on_trip", "clears_on_admission"],
                why,
            );
            self.without_effect(path, &EJECTION, why);
            return;
        }
        self.can_trip(detector, path);
        let on_ticks = matches!(detector.evaluated, Evaluated::OnTicks(_));
        if detector.success_rate.is_some() && !on_ticks && self.findings.sound(&inner("evaluated")) {
            let message = format!("`{path}.success_rate` compares providers, which takes a clock");
            let help = "add to the detector: evaluated = { on_ticks = { every = \"10s\" } }";
            self.problem(&inner("success_rate"), message, help);
        }
        if matches!(detector.window, Window::Ewma(_)) {
            for setting in ["count", "success_rate"] {
                if self.is_written(&inner(setting)) {
                    let message = format!("`{path}.{setting}` counts, but its window is an average");
                    self.problem(&inner(setting), message, "use `ratio`, or another `window`");
                }
            }
        }
        let by_ratio = detector.half_open.as_ref().is_some_and(|half_open| half_open.decide == Decide::Ratio);
        if by_ratio && detector.ratio.is_none() && self.findings.sound(&inner("ratio")) {
            let message = format!("`{path}.half_open.decide` is \"ratio\", but the detector has no `ratio`");
            let help = "add one, ratio = { at_least = 0.5 }, or choose \"first\" or \"all\"";
            self.problem(&inner("half_open.decide"), message, help);
        }
        let probes = self.file.gateway.health_check.is_some() || !self.findings.sound("gateway.health_check");
        if detector.readmit_on_probe && !probes {
            let message = format!("`{path}.readmit_on_probe` has no effect: nothing probes");
            self.problem(&inner("readmit_on_probe"), message, "remove it, or add a [gateway.health_check]");
        }
        let longest = detector.max_eject_for.as_ref().map_or(SimDuration::MAX, |max| max.value);
        let first = detector.eject_for.as_ref().map_or(SimDuration::ZERO, |length| length.value);
        if first > longest && self.findings.sound(&inner("max_eject_for")) {
            let message = format!("`{path}.max_eject_for` is {longest}, below the first ejection of {first}");
            self.problem(&inner("max_eject_for"), message, "raise it, or lower `eject_for`");
        }
        if let TripAction::HealthCheck(_) = detector.on_trip {
            let why = "`on_trip` leaves ejections to the health check";
            self.without_effect(path, &EJECTION, why);
            if self.file.gateway.health_check.is_none() && self.findings.sound("gateway.health_check") {
                let message = format!("`{path}.on_trip` is for a health check, but the gateway has none");
                let help = "add, for example:\n[gateway.health_check]\ninterval = \"5s\"\ntimeout = \"1s\"";
                self.problem(&inner("on_trip"), message, help);
            }
        }
    }

    /// Thresholds that nothing reaches.
    fn can_trip(&mut self, detector: &Detector, path: &str) {
        let inner = |setting: &str| format!("{path}.{setting}");
        let counted = answers(&detector.failures).without(answers(&detector.ignored));
        let sound = self.findings.sound(&inner("failures")) && self.findings.sound(&inner("ignored"));
        if sound && !detector.failures.is_empty() && counted.is_empty() && !self.is_written(&inner("slow")) {
            let message =
                format!("`{path}.ignored` has all that `failures` has: nothing counts as a failure");
            self.problem(&inner("ignored"), message, "name less in it, or more in `failures`");
        }
        if let (Window::Calls(calls), Some(count)) = (&detector.window, &detector.count)
            && count.value > calls.value
            && self.findings.sound(&inner("window"))
        {
            let (count, calls) = (count.value, calls.value);
            let message = format!("`{path}.count` is {count}, in a window of {calls} calls: it never trips");
            self.problem(&inner("count"), message, "lower it, or make the window longer");
        }
        let above_all = |share: &Option<Share>| share.as_ref().is_some_and(|s| s.value == Probability::ONE);
        let of_ratio = detector.ratio.as_ref().map(|ratio| ("ratio", above_all(&ratio.above)));
        let of_slow = detector.slow.as_ref().map(|slow| ("slow", above_all(&slow.above)));
        for (setting, _) in [of_ratio, of_slow].into_iter().flatten().filter(|(_, never)| *never) {
            let inner = format!("{path}.{setting}.above");
            let message = format!("`{inner}` is 1, and no share is larger: it never trips");
            self.problem(&inner, message, "write at_least = 1.0 to eject when all fail");
        }
        let says = |trip: &str| self.is_written(&inner(trip));
        let has_none = says("consecutive") || says("at_once_on");
        let has_one = ["count", "ratio", "slow", "success_rate"].into_iter().any(says);
        if has_none && !has_one && !matches!(detector.window, Window::SinceAdmission) {
            let message =
                format!("`{path}.window` has no effect: failures in a row are counted over no window");
            let help = "count them in the window, `count = 5` instead of `consecutive`, or remove it";
            self.problem(&inner("window"), message, help);
        }
    }

    /// How long its ejections last; `None` if that is not said.
    fn ejection(&mut self, detector: &Detector, path: &str) -> Option<model::Ejection> {
        let says_itself = matches!(detector.on_trip, TripAction::HealthCheck(_)).then_some(SimDuration::ZERO);
        let says_itself = detector.nginx.as_ref().map(|nginx| nginx.fail_timeout.value).or(says_itself);
        let base = says_itself.or(detector.eject_for.as_ref().map(|length| length.value));
        if base.is_none() && self.findings.sound(path) {
            let message = format!("`{path}` does not say how long it ejects");
            self.problem(path, message, "add, for example: eject_for = \"30s\"");
        }
        Some(model::Ejection {
            base: base?,
            growth: match &detector.growth {
                Growth::Constant => model::Growth::Constant,
                Growth::Linear => model::Growth::Linear,
                Growth::Exponential(times) => model::Growth::Exponential(times.value),
            },
            max: detector.max_eject_for.as_ref().map_or(SimDuration::MAX, |max| max.value),
            jitter: detector.eject_jitter.value,
            from: match detector.eject_from {
                EjectedFrom::Trip => model::EjectedFrom::Trip,
                EjectedFrom::FirstFailure => model::EjectedFrom::FirstFailure,
            },
            retry_after: detector.retry_after.as_ref().map(|added| added.value),
        })
    }
}

fn window(window: &Window) -> model::Window {
    match window {
        Window::SinceAdmission => model::Window::SinceAdmission,
        Window::Calls(count) => model::Window::Calls(at_least_one(count.value)),
        Window::Sliding(length) => model::Window::Sliding(length.value),
        Window::Buckets(buckets) => model::Window::Buckets {
            length: buckets.length.value,
            count: at_least_one(buckets.count.value),
            from: match buckets.from {
                BucketStart::Clock => model::BucketStart::Clock,
                BucketStart::FirstCall => model::BucketStart::FirstCall,
            },
        },
        Window::Tumbling(tumbling) => model::Window::Tumbling {
            length: tumbling.length.value,
            from: match tumbling.from {
                WindowStart::Clock => model::WindowStart::Clock,
                WindowStart::FirstCall => model::WindowStart::FirstCall,
                WindowStart::FirstFailure => model::WindowStart::FirstFailure,
                WindowStart::FirstOfEach => model::WindowStart::FirstOfEach,
            },
        },
        Window::Ewma(constant) => model::Window::Ewma(constant.value),
    }
}
