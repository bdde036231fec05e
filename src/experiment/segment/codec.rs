//! Outcomes as varints and back.

use super::{Damage, FAILED, FaultFacts, PLAYED, PointFacts, PointFailure};
use crate::engine::{Cause, Stage};
use crate::metrics::{Failures, FaultOutcome, LatencyQuantiles, Outcome, PeriodCounts};
use crate::model::ProviderId;
use crate::time::{SimDuration, SimTime};

#[derive(Default)]
pub(super) struct Writer(pub Vec<u8>);

impl Writer {
    /// Seven bits a byte, the lowest first; the top bit says that more follow (LEB128).
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn numbers(&mut self, numbers: &[u64]) {
        numbers.iter().for_each(|number| self.number(*number));
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    fn optional_number(&mut self, number: Option<u64>) {
        self.number(u64::from(number.is_some()));
        number.into_iter().for_each(|number| self.number(number));
    }

    fn optional(&mut self, duration: Option<SimDuration>) {
        self.optional_number(duration.map(SimDuration::as_nanos));
    }

    pub fn played(&mut self, first_run: u64, facts: &PointFacts, outcomes: &[Outcome]) {
        self.numbers(&[PLAYED, first_run, outcomes.len() as u64]);
        let PointFacts { scenario, path, faults, providers } = facts;
        self.text(scenario);
        self.text(path);
        self.number(faults.len() as u64);
        for FaultFacts { name, start, end } in faults {
            self.text(name);
            self.numbers(&[start.as_nanos(), end.as_nanos()]);
        }
        self.number(providers.len() as u64);
        providers.iter().for_each(|name| self.text(name));
        outcomes.iter().for_each(|outcome| self.outcome(outcome));
    }

    pub fn failed(&mut self, failure: &PointFailure) {
        let PointFailure { scenario, run, message } = failure;
        self.numbers(&[FAILED, *run]);
        self.text(scenario);
        self.text(message);
    }

    pub fn outcome(&mut self, outcome: &Outcome) {
        let Outcome {
            request_count,
            succeeded_count,
            failures,
            open_count,
            attempt_count,
            probe_count,
            false_ejection_count,
            saved_by_hand_count,
            error_budget,
            alert_count,
            alerted_after,
            paged_after,
            switched_after,
            before_faults,
            after_faults,
            latency,
            faults,
            duration,
            event_count,
            series: _,
            timeline: _,
        } = outcome;
        self.numbers(&[*request_count, *succeeded_count, *open_count, *attempt_count, *probe_count]);
        self.numbers(&[*false_ejection_count, *saved_by_hand_count, duration.as_nanos(), *event_count]);
        self.numbers(&Cause::ALL.map(|cause| failures.of_cause(cause)));
        self.numbers(&Stage::ALL.map(|stage| failures.of_stage(stage)));
        self.optional_number(error_budget.map(f64::to_bits));
        self.optional_number(*alert_count);
        [alerted_after, paged_after, switched_after].into_iter().for_each(|after| self.optional(*after));
        for PeriodCounts { request_count, succeeded_count, attempt_count } in [before_faults, after_faults] {
            self.numbers(&[*request_count, *succeeded_count, *attempt_count]);
        }
        self.number(u64::from(latency.is_some()));
        if let Some(LatencyQuantiles { p50, p95, p99 }) = latency {
            self.numbers(&[p50.as_nanos(), p95.as_nanos(), p99.as_nanos()]);
        }
        self.number(faults.len() as u64);
        for row in faults {
            let FaultOutcome {
                fault,
                provider,
                replica,
                detected_after,
                was_ejected_at_end,
                recovered_after,
            } = row;
            self.numbers(&[*fault as u64, provider.index() as u64, u64::from(*replica)]);
            self.optional(*detected_after);
            self.number(u64::from(*was_ejected_at_end));
            self.optional(*recovered_after);
        }
    }
}

pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, length: u64) -> Result<&'a [u8], Damage> {
        let length = usize::try_from(length).map_err(|_| Damage::Torn)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Damage::Torn)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn number(&mut self) -> Result<u64, Damage> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Damage::Torn)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Damage::Torn)
    }

    fn numbers<const N: usize>(&mut self) -> Result<[u64; N], Damage> {
        let mut numbers = [0; N];
        numbers.iter_mut().try_for_each(|number| self.number().map(|read| *number = read))?;
        Ok(numbers)
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Damage>) -> Result<Vec<T>, Damage> {
        let length = self.number()?;
        (0..length).map(|_| item(self)).collect()
    }

    fn text(&mut self) -> Result<String, Damage> {
        let length = self.number()?;
        String::from_utf8(self.take(length)?.to_vec()).map_err(|_| Damage::Torn)
    }

    fn flag(&mut self) -> Result<bool, Damage> {
        Ok(self.number()? > 0)
    }

    fn duration(&mut self) -> Result<SimDuration, Damage> {
        self.number().map(SimDuration::from_nanos)
    }

    fn optional_number(&mut self) -> Result<Option<u64>, Damage> {
        if self.flag()? { self.number().map(Some) } else { Ok(None) }
    }

    fn optional(&mut self) -> Result<Option<SimDuration>, Damage> {
        Ok(self.optional_number()?.map(SimDuration::from_nanos))
    }

    pub fn facts(&mut self) -> Result<PointFacts, Damage> {
        Ok(PointFacts {
            scenario: self.text()?,
            path: self.text()?,
            faults: self.list(|reader| {
                Ok(FaultFacts {
                    name: reader.text()?,
                    start: SimTime::from_nanos(reader.number()?),
                    end: SimTime::from_nanos(reader.number()?),
                })
            })?,
            providers: self.list(Reader::text)?,
        })
    }

    pub fn failure(&mut self) -> Result<PointFailure, Damage> {
        Ok(PointFailure { run: self.number()?, scenario: self.text()?, message: self.text()? })
    }

    fn period(&mut self) -> Result<PeriodCounts, Damage> {
        let [request_count, succeeded_count, attempt_count] = self.numbers()?;
        Ok(PeriodCounts { request_count, succeeded_count, attempt_count })
    }

    pub fn outcome(&mut self) -> Result<Outcome, Damage> {
        let [request_count, succeeded_count, open_count, attempt_count, probe_count] = self.numbers()?;
        let [false_ejection_count, saved_by_hand_count, duration, event_count] = self.numbers()?;
        Ok(Outcome {
            request_count,
            succeeded_count,
            open_count,
            attempt_count,
            probe_count,
            false_ejection_count,
            saved_by_hand_count,
            duration: SimDuration::from_nanos(duration),
            event_count,
            failures: Failures::from_counts(self.numbers()?, self.numbers()?),
            error_budget: self.optional_number()?.map(f64::from_bits),
            alert_count: self.optional_number()?,
            alerted_after: self.optional()?,
            paged_after: self.optional()?,
            switched_after: self.optional()?,
            before_faults: self.period()?,
            after_faults: self.period()?,
            latency: match self.flag()? {
                true => Some(LatencyQuantiles {
                    p50: self.duration()?,
                    p95: self.duration()?,
                    p99: self.duration()?,
                }),
                false => None,
            },
            faults: self.list(|reader| {
                let [fault, provider, replica] = reader.numbers()?;
                Ok(FaultOutcome {
                    fault: usize::try_from(fault).map_err(|_| Damage::Torn)?,
                    provider: ProviderId::new(usize::from(
                        u16::try_from(provider).map_err(|_| Damage::Torn)?,
                    )),
                    replica: u32::try_from(replica).map_err(|_| Damage::Torn)?,
                    detected_after: reader.optional()?,
                    was_ejected_at_end: reader.flag()?,
                    recovered_after: reader.optional()?,
                })
            })?,
            series: None,
            timeline: None,
        })
    }
}
