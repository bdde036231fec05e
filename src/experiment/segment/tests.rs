//! Segments survive the way to bytes and back, and nothing else passes for one.

use super::*;
use crate::engine::{Cause, Stage};
use crate::metrics::{Failures, FaultOutcome, LatencyQuantiles, PeriodCounts};
use crate::model::ProviderId;
use crate::time::SimDuration;
use proptest::prelude::*;

const FINGERPRINT: u64 = 0x1234_5678_9abc_def0;

fn duration() -> impl Strategy<Value = SimDuration> {
    prop_oneof![Just(0_u64), 0..1_000_000_000_000_u64, Just(u64::MAX), any::<u64>()]
        .prop_map(SimDuration::from_nanos)
}

fn period() -> impl Strategy<Value = PeriodCounts> {
    any::<[u64; 3]>().prop_map(|[request_count, succeeded_count, attempt_count]| PeriodCounts {
        request_count,
        succeeded_count,
        attempt_count,
    })
}

fn fault() -> impl Strategy<Value = FaultOutcome> {
    let durations = (proptest::option::of(duration()), any::<bool>(), proptest::option::of(duration()));
    (any::<(usize, u16, u32)>(), durations).prop_map(
        |((fault, provider, replica), (detected_after, was_ejected_at_end, recovered_after))| FaultOutcome {
            fault,
            provider: ProviderId::new(provider.into()),
            replica,
            detected_after,
            was_ejected_at_end,
            recovered_after,
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let counts = any::<([u64; 8], [u64; Cause::ALL.len()], [u64; Stage::ALL.len()])>();
    let optional = || proptest::option::of(duration());
    let answer = (proptest::option::of(0.0..1e18), any::<Option<u64>>(), optional(), optional(), optional());
    let latency = proptest::option::of((duration(), duration(), duration()));
    let faults = proptest::collection::vec(fault(), 0..4);
    (counts, answer, period(), period(), latency, faults, duration()).prop_map(
        |((counts, by_cause, by_stage), answer, before_faults, after_faults, latency, faults, duration)| {
            Outcome {
                request_count: counts[0],
                succeeded_count: counts[1],
                failures: Failures::from_counts(by_cause, by_stage),
                open_count: counts[2],
                attempt_count: counts[3],
                probe_count: counts[4],
                false_ejection_count: counts[5],
                saved_by_hand_count: counts[6],
                error_budget: answer.0,
                alert_count: answer.1,
                alerted_after: answer.2,
                paged_after: answer.3,
                switched_after: answer.4,
                before_faults,
                after_faults,
                latency: latency.map(|(p50, p95, p99)| LatencyQuantiles { p50, p95, p99 }),
                faults,
                duration,
                event_count: counts[7],
                series: None,
                timeline: None,
            }
        },
    )
}

fn facts() -> impl Strategy<Value = PointFacts> {
    let fault = (".{0,9}", any::<[u64; 2]>()).prop_map(|(name, [start, end])| FaultFacts {
        name,
        start: SimTime::from_nanos(start),
        end: SimTime::from_nanos(end),
    });
    let lists = (proptest::collection::vec(fault, 0..3), proptest::collection::vec(".{0,9}", 0..3));
    (".{0,20}", "plain|direct", lists).prop_map(|(scenario, path, (faults, providers))| PointFacts {
        scenario,
        path,
        faults,
        providers,
    })
}

fn content() -> impl Strategy<Value = Content> {
    let played = (0..1_000_000_u64, facts(), proptest::collection::vec(outcome(), 0..4));
    prop_oneof![
        played.prop_map(|(first_run, facts, outcomes)| Content::Played { first_run, facts, outcomes }),
        (".{0,9}", any::<u64>(), ".{0,40}").prop_map(|(scenario, run, message)| {
            Content::Failed(PointFailure { scenario, run, message })
        }),
    ]
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let record = (0..1_000_000_usize, content()).prop_map(|(point, content)| Record { point, content });
    proptest::collection::vec(record, 0..4)
}

fn decoded(bytes: &[u8], entry: Entry) -> Record {
    let content = match entry.kind {
        EntryKind::Failed(failure) => Content::Failed(failure),
        EntryKind::Played { runs, bytes: range } => {
            let (first_run, facts, outcomes) =
                decode_played(&bytes[range.start as usize..range.end as usize]).expect("a played entry");
            assert_eq!(runs, first_run..first_run + outcomes.len() as u64);
            Content::Played { first_run, facts, outcomes }
        }
    };
    Record { point: entry.point, content }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(records in records()) {
        let (bytes, written) = encode(FINGERPRINT, &records);
        let found = entries(FINGERPRINT, &bytes).expect("a whole segment");
        prop_assert_eq!(&found, &written);
        let read: Vec<Record> = found.into_iter().map(|entry| decoded(&bytes, entry)).collect();
        prop_assert_eq!(read, records);
        prop_assert_eq!(entries(FINGERPRINT + 1, &bytes), Err(Damage::Foreign));
    }

    #[test]
    fn a_torn_or_changed_segment_is_seen(records in records(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let (mut bytes, _) = encode(FINGERPRINT, &records);
        let at = at.index(bytes.len());
        prop_assert_eq!(entries(FINGERPRINT, &bytes[..at]), Err(Damage::Torn));
        bytes[at] ^= 1_u8 << bit;
        prop_assert_eq!(entries(FINGERPRINT, &bytes), Err(Damage::Torn));
    }

    /// A checksum can be right by chance.
    #[test]
    fn nonsense_is_no_outcome_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_played(&bytes);
        let _ = decode_played(&[&[0, 0, 1], &bytes[..]].concat());
        // Nor is an outcome followed by any.
        let content = Content::Played { first_run: 3, facts: PointFacts::default(), outcomes: vec![] };
        let (segment, entries) = encode(FINGERPRINT, &[Record { point: 0, content }]);
        let EntryKind::Played { bytes: at, .. } = &entries[0].kind else { panic!("runs were played") };
        let played = &segment[at.start as usize..at.end as usize];
        prop_assert!(decode_played(played).is_ok());
        prop_assert!(bytes.is_empty() || decode_played(&[played, &bytes[..]].concat()).is_err());
    }
}

#[test]
fn an_outcome_is_small() {
    let model = crate::scenario::Loader::new()
        .parse("new", crate::scenario::TEMPLATE)
        .and_then(|document| document.model())
        .expect("the template is valid");
    let outcome = crate::metrics::measure(&model, 1, 0, crate::metrics::Wanted::METRICS, None);
    let bytes = |count: usize| {
        let facts = PointFacts::of(&model, Path::Plain);
        let content = Content::Played { first_run: 0, facts, outcomes: vec![outcome.clone(); count] };
        encode(FINGERPRINT, &[Record { point: 0, content }]).0.len()
    };
    assert!(bytes(101) - bytes(1) < 100 * 120, "{} bytes", (bytes(101) - bytes(1)) / 100);
}
