//! Lowers what a gateway has, but its route, detectors and retries.
//!
//! A part of [`super::lower`].

use super::file_gateway::{AllEjected, Gateway, HealthScope, OnEjection, Propagation, Timeouts};
use super::file_health_check::{Counting, FirstProbe, HealthCheck, NextProbe};
use super::lower::{Lowering, answers, at_least_one};
use super::lower_gateway_limit::cache;
use super::lower_price::{fee, probe_tokens};
use super::setting::PositiveDuration;
use crate::model;
use crate::time::SimDuration;

/// More than any gateway has: each has its own view of health, and probes every provider.
const REPLICAS_MAX: u32 = 1_000;

/// More than any health checker has.
const OBSERVERS_MAX: u32 = 64;

/// The most of all replicas together.
const ALL_OBSERVERS_MAX: u32 = 4_000;

impl Lowering<'_> {
    /// Every part is lowered even if another one failed, so that all problems come out.
    pub(super) fn gateway(&mut self) -> Option<model::Gateway> {
        let file = self.file;
        let gateway = &file.gateway;
        let route = self.route();
        self.at_most(REPLICAS_MAX, gateway.replicas.value, "gateway.replicas");
        let check = gateway.health_check.as_ref();
        let health_check = check.map(|check| self.health_check(gateway, check));
        let detectors = self.detectors();
        let retry = gateway.retry.as_ref().map(|retry| self.retry(retry, "gateway.retry"));
        let fallback = gateway.fallback.as_ref().map(|fallback| self.fallback(fallback, route.as_ref()));
        let hedge = gateway
            .hedge
            .as_ref()
            .map(|hedge| model::Hedge { after: hedge.after.value, max: at_least_one(hedge.max.value) });
        let limit = gateway.limit.as_ref().map(|limit| self.gateway_limit(limit));
        let faults = self.gateway_faults();
        let overhead = gateway.overhead.as_ref().map(|latency| self.latency(latency, "gateway.overhead"));
        let health_check = match health_check {
            Some(check) => Some(check?),
            None => None,
        };
        let overhead = match overhead {
            Some(overhead) => Some(overhead?),
            None => None,
        };
        Some(model::Gateway {
            replicas: at_least_one(gateway.replicas.value),
            overhead,
            health: match &gateway.health {
                HealthScope::Own => model::HealthScope::Own,
                HealthScope::Shared(staleness) => model::HealthScope::Shared(staleness.value),
            },
            propagation: gateway.propagation.as_ref().map(propagation).unwrap_or_default(),
            limit,
            cache: gateway.cache.as_ref().map(cache),
            health_check,
            detectors: detectors?,
            timeouts: gateway.timeouts.as_ref().map(timeouts).unwrap_or_default(),
            retry,
            fallback,
            hedge,
            on_ejection: match gateway.on_ejection {
                OnEjection::Drain => model::OnEjection::Drain,
                OnEjection::Close => model::OnEjection::Close,
            },
            all_ejected: match gateway.all_ejected {
                AllEjected::Fail => model::AllEjected::Fail,
                AllEjected::IgnoreHealth => model::AllEjected::IgnoreHealth,
                AllEjected::Wait => model::AllEjected::Wait,
            },
            panic_below: gateway.panic_below.value,
            overprovisioning: gateway.overprovisioning.as_ref().map(|times| times.value),
            slow_start: gateway.slow_start.value,
            faults: faults?,
            fee: gateway.fee.as_ref().map(fee).unwrap_or_default(),
            ..model::Gateway::new(route?)
        })
    }

    fn health_check(&mut self, gateway: &Gateway, check: &HealthCheck) -> Option<model::HealthCheck> {
        let path = "gateway.health_check";
        let (of_observers, of_quorum) = (format!("{path}.observers"), format!("{path}.quorum"));
        let (observers, replicas) = (check.observers.value, gateway.replicas.value);
        self.at_most(OBSERVERS_MAX, observers, &of_observers);
        let all = observers.saturating_mul(replicas);
        let sound = self.findings.sound(&of_observers) && self.findings.sound("gateway.replicas");
        if sound && observers <= OBSERVERS_MAX && replicas <= REPLICAS_MAX && all > ALL_OBSERVERS_MAX {
            let message =
                format!("`{of_observers}` is {observers}, which makes {all} for {replicas} replicas");
            let most = ALL_OBSERVERS_MAX / replicas;
            let help = format!("use at most {most}, or fewer replicas: {ALL_OBSERVERS_MAX} for all together");
            self.problem(&of_observers, message, help);
        }
        let alone = observers == 1 && self.findings.sound(&of_observers) && self.findings.sound(&of_quorum);
        if alone && check.quorum.value > model::Probability::ZERO {
            let message = format!("`{of_quorum}` has no effect: there is one observer");
            self.problem(&of_quorum, message, "remove it, or add several observers: observers = 16");
        }
        let interval = |interval: &Option<PositiveDuration>| interval.as_ref().map(|interval| interval.value);
        let latency = self.latency(&check.latency, &format!("{path}.latency"))?;
        Some(model::HealthCheck {
            intervals: model::Intervals {
                falling: interval(&check.interval_falling),
                down: interval(&check.interval_down),
                rising: interval(&check.interval_rising),
                no_traffic: interval(&check.interval_no_traffic),
            },
            jitter: check.jitter.value,
            jitter_share: check.jitter_share.value,
            spread: check.spread.value,
            eject_after: at_least_one(check.eject_after.value),
            readmit_after: at_least_one(check.readmit_after.value),
            counting: match check.counting {
                Counting::Consecutive => model::Counting::Consecutive,
                Counting::Cumulative => model::Counting::Cumulative,
            },
            eject_at_once_on: answers(&check.eject_at_once_on),
            first_probe: match &check.first_probe {
                FirstProbe::Random => model::FirstProbe::Random,
                FirstProbe::At(delay) => model::FirstProbe::At(delay.value),
            },
            next_probe: match check.next_probe {
                NextProbe::FromStart => model::NextProbe::FromStart,
                NextProbe::FromStartNoOverlap => model::NextProbe::FromStartNoOverlap,
                NextProbe::FromEnd => model::NextProbe::FromEnd,
                NextProbe::OnTicks => model::NextProbe::OnTicks,
            },
            observers: at_least_one(observers),
            quorum: check.quorum.value,
            latency,
            tokens: check.tokens.as_ref().map(probe_tokens),
            ..model::HealthCheck::new(check.interval.value, check.timeout.value)
        })
    }
}

fn propagation(propagation: &Propagation) -> model::Propagation {
    model::Propagation {
        delay: propagation.delay.value,
        ttl: propagation.ttl.value,
        merge_window: propagation.merge_window.value,
    }
}

fn timeouts(timeouts: &Timeouts) -> model::Timeouts {
    let value = |timeout: &Option<PositiveDuration>| -> Option<SimDuration> {
        timeout.as_ref().map(|timeout| timeout.value)
    };
    model::Timeouts {
        connect: value(&timeouts.connect),
        first_token: value(&timeouts.first_token),
        idle: value(&timeouts.idle),
        attempt: value(&timeouts.attempt),
        request: value(&timeouts.request),
        spares_last: timeouts.spares_last,
        buffers: timeouts.buffers,
    }
}
