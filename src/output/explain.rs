//! `--explain`: one request's life in a line, and why each provider was chosen or skipped.

use crate::engine::{AttemptEnd, Candidate, Ending, Recorder, RequestEnd, Stage, simulate};
use crate::model::{AllEjected, Answer, Model, ProviderId};
use crate::time::{SimDuration, SimTime};
use std::fmt::Write;

/// Listens to one request.
#[derive(Debug, Default)]
struct Witness {
    request: u64,
    attempts: Vec<Sent>,
    end: Option<RequestEnd>,
    request_count: u64,
}

/// An attempt as it was sent, and its end once it has one.
#[derive(Debug)]
struct Sent {
    number: u32,
    provider: ProviderId,
    at: SimTime,
    /// What routing saw.
    candidates: Vec<Candidate>,
    end: Option<(SimTime, Answer)>,
}

impl Recorder for Witness {
    const NEEDS_ORDER: bool = true;
    const NEEDS_ATTEMPTS: bool = true;

    fn request_ended(&mut self, request: &RequestEnd) {
        self.request_count += 1;
        if request.ordinal == self.request {
            self.end = Some(*request);
        }
    }

    fn attempt_sent(&mut self, request: u64, number: u32, to: ProviderId, seen: &[Candidate], at: SimTime) {
        if request == self.request {
            let candidates = seen.to_vec();
            self.attempts.push(Sent { number, provider: to, at, candidates, end: None });
        }
    }

    fn attempt_ended(&mut self, attempt: &AttemptEnd) {
        if attempt.request == self.request
            && let Some(sent) = self.attempts.iter_mut().find(|sent| sent.number == attempt.number)
        {
            sent.end = Some((attempt.ended, attempt.answer));
        }
    }
}

/// The life of request number `request` in one run of `model`, in a line and with its reasons.
///
/// # Errors
/// With how many requests the run has, if there is no such one.
pub fn explain(model: &Model, seed: u64, run: u64, request: u64) -> Result<String, u64> {
    let mut witness = Witness { request, ..Witness::default() };
    simulate(model, seed, run, &mut witness);
    let Some(end) = witness.end else { return Err(witness.request_count) };
    let mut text = format!("{request}: {}\n", life(model, &witness.attempts, &end));
    for (at, words) in story(model, &witness.attempts, &end) {
        writeln!(text, "  {}  {words}", instant(model, at)).expect(GROWS);
    }
    if end.ended == SimTime::NEVER {
        text.push_str("  never ends: nothing answers, and its client waits for ever\n");
    }
    Ok(text)
}

/// What happened to a request, in order of time.
fn story(model: &Model, attempts: &[Sent], end: &RequestEnd) -> Vec<(SimTime, String)> {
    let mut story = vec![(end.arrived, format!("arrives at replica {}", end.replica))];
    for (i, sent) in attempts.iter().enumerate() {
        let before = &attempts[..i];
        let name = &model.provider(sent.provider).name;
        if let Some(since) = idle_since(before, end.arrived, sent.at) {
            let why = if i == 0 { before_the_first(model) } else { String::new() };
            story.push((since, format!("waits {}{why}", short(sent.at.since(since)))));
        }
        let is_hedge = model.gateway.hedge.is_some() && before.iter().any(|it| it.is_in_flight(sent.at));
        let parallel = if is_hedge { " in parallel" } else { "" };
        story.push((sent.at, format!("sent to {name}{parallel}{}", reasons(model, sent, before))));
        if let Some((at, answer)) = sent.end {
            story.push((at, format!("{name} {} after {}", words(answer), short(at.since(sent.at)))));
        }
    }
    if end.ended < SimTime::NEVER {
        if let Some(since) = idle_since(attempts, end.arrived, end.ended) {
            let why = match (attempts.is_empty(), end.ending) {
                (true, _) => before_the_first(model),
                // The way back is all that a good answer still has before it.
                (false, Ending::Succeeded) if model.network.is_some() => ": network".to_owned(),
                (false, _) => String::new(),
            };
            story.push((since, format!("waits {}{why}", short(end.ended.since(since)))));
        }
        for sent in attempts.iter().filter(|sent| sent.end.is_none()) {
            story.push((end.ended, format!("{} is given up", model.provider(sent.provider).name)));
        }
        let took = short(end.ended.since(end.arrived));
        story.push((end.ended, format!("{} after {took}", ending(end))));
    }
    // What happens at one instant stays in the order in which it was told.
    story.sort_by_key(|(at, _)| *at);
    story
}

/// What a request may wait for before its first attempt.
fn before_the_first(model: &Model) -> String {
    let gateway = &model.gateway;
    let for_admission = gateway.all_ejected == AllEjected::Wait && model.traffic.client_retry.is_none();
    let reasons = [
        (model.network.is_some(), "network"),
        (gateway.limit.is_some_and(|limit| limit.queue > 0), "the gateway's queue"),
        (gateway.overhead.is_some(), "the gateway's overhead"),
        (for_admission, "no provider is admitted"),
    ];
    let reasons: Vec<&str> = reasons.into_iter().filter(|(may, _)| *may).map(|(_, why)| why).collect();
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) }
}

/// Since when, before `now`, no attempt was in flight; `None` if one was, or if that is no time.
fn idle_since(attempts: &[Sent], arrived: SimTime, now: SimTime) -> Option<SimTime> {
    if attempts.iter().any(|sent| sent.is_in_flight(now)) {
        return None;
    }
    let ends = attempts.iter().filter_map(|sent| Some(sent.end?.0));
    let since = ends.fold(arrived, SimTime::max);
    (since < now).then_some(since)
}

impl Sent {
    fn is_in_flight(&self, now: SimTime) -> bool {
        self.at < now && self.end.is_none_or(|(at, _)| at > now)
    }
}

const GROWS: &str = "a string grows";

/// `claude_east ✗ 502 (3 ms) -> gpt4o_west ✓ 1.2 s`
fn life(model: &Model, attempts: &[Sent], end: &RequestEnd) -> String {
    let attempt = |sent: &Sent| {
        let name = &model.provider(sent.provider).name;
        match sent.end {
            Some((at, Answer::Good)) => format!("{name} ✓ {}", short(at.since(sent.at))),
            Some((at, answer)) => format!("{name} ✗ {} ({})", words(answer), short(at.since(sent.at))),
            None => format!("{name} …"),
        }
    };
    let steps: Vec<String> = attempts.iter().map(attempt).collect();
    match steps.is_empty() {
        true if end.ending == Ending::Succeeded => format!("✓ {}", ending(end)),
        true => format!("✗ {}", ending(end)),
        false => steps.join(" -> "),
    }
}

/// Why an attempt went where it went: what was ejected or tried before, among the providers that come first.
fn reasons(model: &Model, sent: &Sent, before: &[Sent]) -> String {
    let mut skipped = Vec::new();
    for candidate in &sent.candidates {
        let name = &model.provider(candidate.provider).name;
        if candidate.provider == sent.provider {
            break;
        }
        let mut why = Vec::new();
        let earlier = || before.iter().filter(|earlier| earlier.provider == candidate.provider);
        if model.gateway.hedge.is_some() && earlier().any(|earlier| earlier.is_in_flight(sent.at)) {
            why.push("still in flight".to_owned());
        } else if earlier().next().is_some() {
            why.push("tried before".to_owned());
        }
        if candidate.ejected_by.has_health_check() {
            why.push("ejected by the health check".to_owned());
        }
        for (i, detector) in model.gateway.detectors.iter().enumerate() {
            if candidate.ejected_by.has_detector(i) {
                why.push(format!("ejected by {}", detector.name));
            }
        }
        if !why.is_empty() {
            skipped.push(format!("{name} {}", why.join(" and ")));
        }
    }
    let mine = sent.candidates.iter().find(|candidate| candidate.provider == sent.provider);
    let again = before.iter().filter(|earlier| earlier.provider == sent.provider).count();
    let mut reasons = Vec::new();
    if again > 0 {
        reasons.push(format!("try number {}", again + 1));
    }
    if mine.is_some_and(|mine| !mine.admitted) {
        reasons.push("although it is ejected".to_owned());
    }
    reasons.extend(skipped);
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}

fn words(answer: Answer) -> String {
    match answer {
        Answer::Good => "✓".to_owned(),
        Answer::Status(code) => code.to_string(),
        Answer::Refused => "refused".to_owned(),
        Answer::ConnectTimeout => "no connection".to_owned(),
        Answer::Timeout => "no answer".to_owned(),
        Answer::ConnectionLost => "connection lost".to_owned(),
        Answer::Stalled => "stalled".to_owned(),
        Answer::Cut => "cut off".to_owned(),
        Answer::Abandoned => "given up by its client".to_owned(),
    }
}

fn ending(end: &RequestEnd) -> String {
    match end.ending {
        Ending::Succeeded if end.provider.is_none() => "answered from the cache".to_owned(),
        Ending::Succeeded => "succeeded".to_owned(),
        Ending::Failed(cause, stage @ (Stage::OverQuota | Stage::BackupOverQuota)) => {
            format!("failed: {} ({})", cause.name(), stage.name()).replace('_', " ")
        }
        Ending::Failed(cause, _) => format!("failed: {}", cause.name().replace('_', " ")),
        Ending::Open => "open".to_owned(),
    }
}

/// To the millisecond, on the scenario's clock or in seconds since the start.
fn instant(model: &Model, at: SimTime) -> String {
    let (seconds, millis) = (at.as_nanos() / 1_000_000_000, at.as_nanos() / 1_000_000 % 1000);
    match &model.clock {
        Some(clock) => format!("{}.{millis:03}", clock.show(SimTime::from_nanos(seconds * 1_000_000_000))),
        None => format!("{seconds}.{millis:03}s"),
    }
}

/// A length of time to three digits: `3 ms`, `1.2 s`.
fn short(duration: SimDuration) -> String {
    let millis = duration.as_millis_f64();
    match millis {
        ..9.95 if millis.fract() != 0.0 => format!("{millis:.1} ms"),
        ..999.5 => format!("{millis:.0} ms"),
        ..99_950.0 => format!("{:.1} s", millis / 1000.0),
        _ => format!("{:.0} s", millis / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Loader;

    fn first(gateway: &str) -> String {
        let text = format!(
            "duration = \"10s\"\ntraffic = {{ arrivals = {{ constant = \"1/s\" }}, region = \"x\" }}\n\
             network.rtt.x.y = \"40ms\"\n\
             [provider.a]\nlatency = {{ constant = \"1s\" }}\nlabels = {{ region = \"y\" }}\n\
             [gateway]\nregion = \"y\"\n{gateway}\n"
        );
        let document = Loader::new().parse("mine.toml", &text).expect("a scenario");
        explain(&document.model().expect("a valid scenario"), 1, 0, 2).expect("there is a third request")
    }

    #[test]
    fn what_a_request_waits_for_on_its_way_is_told() {
        let told = first("overhead = { constant = \"15ms\" }");
        assert!(told.contains("waits 35 ms: network, the gateway's overhead"), "{told}");
        assert!(told.contains("waits 20 ms: network\n"), "{told}");
    }

    #[test]
    fn an_answer_from_the_cache_is_a_good_one() {
        let told = first("cache = { hit_ratio = 1.0 }");
        assert!(told.starts_with("2: ✓ answered from the cache\n"), "{told}");
    }

    #[test]
    fn what_is_above_a_quota_says_so() {
        let told = first("[quota.q]\non = { name = \"a\" }\nrequests = \"1/h\"");
        assert!(told.contains("failed: status (over quota)"), "{told}");
    }
}
