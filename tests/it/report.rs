//! The report of runs: its numbers are those of the outcomes, its decision is the right one, and no name gets out of it.

use failover_sim::experiment::objective::Objective;
use failover_sim::experiment::runner::RunPlan;
use failover_sim::metrics::{Outcome, Series, Wanted};
use failover_sim::output::report::{
    DecisionVerdict, ReportDocument, RunsInput, ScenarioReport, html, report_of_runs,
};
use failover_sim::output::{ScenarioResult, SecondTotal, add_seconds, assumptions};
use failover_sim::scenario::{Document, Loader};
use serde_json::Value;

/// Twenty requests a second for a minute, and a provider that dies for a third of it.
const OUTAGE: &str = r#"
about = "a small outage"
clock = "02:45:00 UTC"
duration = "60s"
[traffic]
arrivals = { poisson = "20/s" }
client_timeout = "5s"
[provider.a]
labels = { vendor = "x" }
latency = { constant = "400ms" }
[provider.b]
latency = { constant = "500ms" }
[fault.outage]
on = { vendor = "x" }
at = "20s"
lasts = "20s"
requests = { status = 502 }
probes = "hang"
[gateway]
route = { prefer = ["a", "b"] }
health_check = { interval = "10s", timeout = "5s" }
"#;

fn document(name: &str, text: &str, set: &[&str]) -> Document {
    let mut document = Loader::new().parse(name, text).unwrap_or_else(|p| panic!("{}", p.render(false)));
    for setting in set {
        document.set_text(setting).unwrap_or_else(|p| panic!("{}", p.render(false)));
    }
    document
}

/// The report of these scenarios, and the outcomes that it is made of.
fn report(documents: &[Document], runs: u64) -> (ReportDocument, Vec<Vec<Outcome>>) {
    report_at(documents, runs, None)
}

fn report_at(
    documents: &[Document],
    runs: u64,
    incidents_per_year: Option<f64>,
) -> (ReportDocument, Vec<Vec<Outcome>>) {
    report_with(documents, runs, incidents_per_year, &[])
}

/// The same with gates, which are for all but the first to pass.
fn report_with(
    documents: &[Document],
    runs: u64,
    incidents_per_year: Option<f64>,
    gates: &[&str],
) -> (ReportDocument, Vec<Vec<Outcome>>) {
    let model = |document: &Document| document.model().unwrap_or_else(|p| panic!("{}", p.render(false)));
    let models: Vec<_> = documents.iter().map(model).collect();
    let wanted = Wanted { series: Series::Failures, ..Wanted::METRICS };
    let plan = RunPlan { seed: 1, runs: 0..runs, wanted, path: None };
    let mut outcomes = plan.play(&models, &()).expect("nobody cancels");
    let seconds: Vec<Vec<SecondTotal>> = (outcomes.iter_mut())
        .map(|outcomes| {
            let mut seconds = vec![];
            add_seconds(&mut seconds, outcomes);
            seconds
        })
        .collect();
    let findings: Vec<_> = (documents.iter().zip(&outcomes))
        .enumerate()
        .map(|(nth, (document, played))| {
            let mut objectives = Objective::all_of(document).expect("valid objectives");
            if nth > 0 {
                objectives.extend(gates.iter().map(|gate| Objective::gate(gate, true).expect("a gate")));
            }
            let judged = objectives.iter().map(|objective| objective.judge(played, Some(&outcomes[0])));
            judged.collect::<Vec<_>>()
        })
        .collect();
    let assumed: Vec<_> = models.iter().map(assumptions).collect();
    let results: Vec<ScenarioResult> = (0..models.len())
        .map(|i| ScenarioResult {
            model: &models[i],
            path: plan.path_of(&models[i]),
            first_run: 0,
            outcomes: &outcomes[i],
            seconds: &seconds[i],
            timeline: &[],
            assumptions: &assumed[i],
            findings: &findings[i],
        })
        .collect();
    let input = RunsInput {
        documents,
        results: &results,
        plan: &plan,
        preface: &[],
        command: "failover-sim run small.toml --report report.html".to_owned(),
        incidents_per_year,
        plays_alike: true,
    };
    let report = report_of_runs(&input, &()).expect("nobody cancels");
    drop(results);
    (report, outcomes)
}

fn mean(outcomes: &[Outcome], of: impl Fn(&Outcome) -> u64) -> f64 {
    outcomes.iter().map(of).sum::<u64>() as f64 / outcomes.len() as f64
}

#[track_caller]
fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what}: {found}, not {expected}");
}

/// Slow and fast health checks before the same outage.
fn slow_and_fast() -> [Document; 2] {
    let fast = ["gateway.health_check.interval=2s", "gateway.health_check.timeout=1s"];
    [document("slow", OUTAGE, &[]), document("fast", OUTAGE, &fast)]
}

#[test]
fn its_numbers_are_those_of_the_runs() {
    let documents = slow_and_fast();
    let (report, outcomes) = report(&documents, 50);
    let failed = |i: usize| mean(&outcomes[i], |o| o.failures.total());

    let [incident, year, cost] = report.numbers.as_slice() else { panic!("three numbers") };
    assert_close(incident.baseline.expect("a number").mean.0, failed(0), "the baseline");
    assert_close(incident.compared.expect("a number").mean.0, failed(1), "the other one");
    let difference = incident.difference.as_ref().expect("a difference");
    assert_close(difference.mean.0, failed(1) - failed(0), "their difference");
    // 67 incidents a year, give or take the chance of 2,000 drawn years.
    let a_year = year.baseline.expect("a number").mean.0 / failed(0);
    assert!((a_year - 67.0).abs() < 2.0, "{a_year} incidents a year");
    assert!(cost.baseline.is_none() && cost.missing.as_ref().is_some_and(|how| how.contains("--set cost.")));

    let strips = report.strips.as_ref().expect("strips");
    for (row, played) in strips.rows.iter().zip(&outcomes) {
        let sum: f64 = row.failed_per_s.iter().map(|value| value.0 * strips.bin_s.0).sum();
        assert_close(sum, mean(played, |o| o.failures.total()), &row.scenario);
    }

    for scenario in &report.scenarios {
        let closeup = scenario.closeup.as_ref().expect("a close-up");
        let sum = |counts: &[u64]| counts.iter().sum::<u64>();
        let failed: u64 = closeup.failed.iter().map(|series| sum(&series.counts)).sum();
        assert_eq!(failed, closeup.failed_count);
        assert_eq!(sum(&closeup.succeeded) + failed + sum(&closeup.open), closeup.request_count);
        assert_eq!(closeup.served_by.iter().map(|s| sum(&s.counts)).sum::<u64>(), sum(&closeup.succeeded));
        let first = &outcomes[usize::from(scenario.name == "fast")][0];
        assert_eq!(
            (closeup.failed_count, closeup.request_count),
            (first.failures.total(), first.request_count)
        );
        let of = |numbers: &[failover_sim::output::report::NamedNumber]| {
            numbers.iter().map(|n| n.value.0).sum::<f64>()
        };
        let failed = scenario.metrics.iter().find(|row| row.name == "failed_count").expect("the metric");
        let failed = failed.estimate.expect("a value").mean.0;
        assert_close(of(&scenario.failed_by_cause), failed, "causes");
        assert_close(of(&scenario.failed_by_stage), failed, "stages");
    }
}

#[test]
fn the_waterfall_adds_up_by_stage_and_by_change() {
    let (report, outcomes) = report(&slow_and_fast(), 50);
    let waterfall = report.waterfall.expect("a waterfall");
    let [before, after] = [0, 1].map(|i: usize| mean(&outcomes[i], |o| o.failures.total()));
    assert_close(waterfall.stages.iter().map(|s| s.baseline.0).sum(), before, "the baseline's stages");
    assert_close(
        waterfall.stages.iter().map(|s| s.compared.expect("a number").0).sum(),
        after,
        "the other's",
    );
    let paths: Vec<&str> = waterfall.changes.iter().map(|step| step.settings[0].path.as_str()).collect();
    assert_eq!(paths, ["gateway.health_check.interval", "gateway.health_check.timeout"]);
    assert_close(
        before + waterfall.changes.iter().map(|s| s.change.mean.0).sum::<f64>(),
        after,
        "the changes",
    );
    // The step in the middle is a scenario of its own.
    let middle = document("middle", OUTAGE, &["gateway.health_check.interval=2s"]);
    let (_, outcomes) = self::report(&[middle], 50);
    assert_close(waterfall.changes[0].failed.0, mean(&outcomes[0], |o| o.failures.total()), "the first step");
}

/// Tables that only one has, choices that are others, providers that are added: setting by setting one scenario becomes the
/// other one.
#[test]
fn adopting_all_that_differs_makes_one_scenario_the_other() {
    let other = OUTAGE.replace("prefer = [\"a\", \"b\"]", "weighted = { a = 1, b = 3 }").replace(
        "health_check = { interval = \"10s\", timeout = \"5s\" }",
        "retry = { attempts = 1, on = [\"5xx\"] }",
    ) + "detector.breaker = { consecutive = 5, eject_for = \"8s\" }\n[provider.c]\nlatency = { constant = \"1s\" }\n";
    let documents = [document("x", OUTAGE, &[]), document("x", &other, &["traffic.client_timeout=4s"])];
    let (report, _) = report(&documents, 3);
    for (from, to) in [(0, 1), (1, 0)] {
        let mut adopted = documents[from].clone();
        for row in &report.settings {
            adopted.adopt(&row.path, &documents[to]);
        }
        // What is left of a table that had only these settings.
        for table in
            ["gateway.detector", "gateway.health_check", "gateway.retry", "gateway.route", "provider.c"]
        {
            adopted.adopt(table, &documents[to]);
        }
        assert_eq!(adopted.model().expect("a model"), documents[to].model().expect("a model"));
    }
    let waterfall = report.waterfall.expect("a waterfall");
    let last = waterfall.changes.last().expect("steps").failed;
    assert_eq!(Some(last), waterfall.compared_failed);
}

fn verdict(documents: &[Document], runs: u64) -> (DecisionVerdict, Option<String>, String) {
    let decision = report(documents, runs).0.decision;
    (decision.verdict, decision.choice, decision.sentence)
}

#[test]
fn the_decision_is_the_scenario_that_loses_least() {
    let [slow, fast] = slow_and_fast();
    let middle = document("middle", OUTAGE, &["gateway.health_check.timeout=3s"]);
    let (verdict, choice, sentence) = verdict(&[slow.clone(), middle.clone(), fast.clone()], 30);
    assert_eq!((verdict, choice.as_deref()), (DecisionVerdict::Change, Some("fast")), "{sentence}");
    let words = "Take fast, with health check interval 10s → 2s and health check timeout 5s → 1s: ";
    assert!(
        sentence.starts_with(words) && sentence.contains("fewer failed requests in an incident than slow"),
        "{sentence}"
    );

    let (verdict, choice, sentence) = self::verdict(&[fast.clone(), slow.clone(), middle], 30);
    assert_eq!((verdict, choice.as_deref()), (DecisionVerdict::Keep, Some("fast")), "{sentence}");
    assert!(sentence.starts_with("Keep fast, as no other loses fewer requests: middle has "), "{sentence}");

    let (verdict, choice, sentence) = self::verdict(&[slow], 30);
    assert_eq!((verdict, choice.as_deref()), (DecisionVerdict::Single, Some("slow")), "{sentence}");
    assert!(sentence.contains("and notices after "), "{sentence}");
}

#[test]
fn nothing_is_decided_where_the_difference_may_be_chance() {
    // Of two that are much alike one happens to lose less: it is kept if it is what people have, and not taken if not.
    let of_interval = |name: &str, interval: &str| {
        document(name, OUTAGE, &[&format!("gateway.health_check.interval={interval}")])
    };
    let [a, b] = [of_interval("a", "10s"), of_interval("b", "10700ms")];
    for (runs, why) in [(1, "one run cannot tell"), (5, "5 runs cannot tell")] {
        let found = [verdict(&[a.clone(), b.clone()], runs), verdict(&[b.clone(), a.clone()], runs)];
        let kept = found.iter().filter(|(verdict, ..)| *verdict == DecisionVerdict::Keep).count();
        let open: Vec<_> = found.iter().filter(|(v, ..)| *v == DecisionVerdict::CannotTell).collect();
        assert_eq!((kept, open.len()), (1, 1), "{found:?}");
        assert!(open[0].1.is_none() && open[0].2.contains(why), "{found:?}");
    }
}

#[test]
fn what_was_asked_for_comes_before_what_is_lost() {
    let [slow, fast] = slow_and_fast();
    let asks = |name: &str, expect: &str, set: &[&str]| {
        document(name, &format!("{OUTAGE}[[objective]]\nexpect = \"{expect}\"\n"), set)
    };
    let set = ["gateway.health_check.interval=2s", "gateway.health_check.timeout=1s"];
    let missed = asks("missed", "probe_count <= 1", &set);
    let middle = document("middle", OUTAGE, &["gateway.health_check.timeout=3s"]);
    let (verdict, choice, sentence) = verdict(&[slow, missed, middle], 30);
    assert_eq!((verdict, choice.as_deref()), (DecisionVerdict::Change, Some("middle")), "{sentence}");
    let asked = asks("asked", "failed_count.p95 <= 1", &["gateway.health_check.interval=2500ms"]);
    let (verdict, choice, sentence) = self::verdict(&[asked, fast], 80);
    assert_eq!((verdict, choice.as_deref()), (DecisionVerdict::Change, Some("fast")), "{sentence}");
    assert!(sentence.contains("It meets what is asked of it, which the baseline does not."), "{sentence}");
}

/// To keep the baseline is to say that it passes, too.
#[test]
fn a_baseline_that_misses_a_gate_is_not_kept_for_passing_it() {
    let documents = slow_and_fast();
    let decided = |gate: &str| report_with(&documents, 30, None, &[gate]).0.decision;
    for impossible in ["failed_count <= 3", "failed_count <= 0.01x"] {
        let decision = decided(impossible);
        assert_eq!(decision.choice.as_deref(), Some("fast"), "{impossible}: {}", decision.sentence);
        assert!(decision.sentence.contains("It does not meet all that is asked of it."), "{decision:?}");
    }
    let of_baseline = report(&documents, 30).0.numbers[0].baseline.expect("a number").mean.0;
    let between = decided(&format!("failed_count <= {}", of_baseline - 10.0));
    assert!(between.sentence.contains("It meets what is asked of it, which the baseline does not."));
    let only_before = decided("probe_count <= 1.5x");
    assert!(
        only_before.sentence.starts_with("Keep slow, as it meets what is asked of it, and no other does"),
        "{}",
        only_before.sentence
    );
}

/// What never ends with one fails with the other: both gaps are sure, and what is lost in all may be the same.
#[test]
fn a_sure_gap_in_a_part_of_what_is_lost_is_no_decision() {
    let hangs = OUTAGE.replace("{ status = 502 }", "\"hang\"");
    let patient = document("patient", &hangs.replace("client_timeout = \"5s\"", ""), &[]);
    let hasty = document("hasty", &hangs, &["gateway.health_check.interval=10700ms"]);
    let orders = [[patient.clone(), hasty.clone()], [hasty, patient]];
    let verdicts = orders.map(|documents| {
        let (report, outcomes) = report(&documents, 5);
        let gaps = [0, 1].map(|i: usize| mean(&outcomes[i], |o| o.open_count));
        assert!(gaps.iter().any(|open| *open > 100.0) && gaps.contains(&0.0), "{gaps:?}");
        assert_eq!(report.decision.difference.expect("a difference").may_be_chance, Some(false));
        report.decision.verdict
    });
    assert!(verdicts.contains(&DecisionVerdict::Keep), "{verdicts:?}");
    assert!(verdicts.contains(&DecisionVerdict::CannotTell), "{verdicts:?}");
}

#[test]
fn another_world_is_no_choice() {
    let [slow, fast] = slow_and_fast();
    let short = document("short", OUTAGE, &["fault.outage.lasts=1s"]);
    let (report, _) = report(&[slow.clone(), short.clone(), fast], 20);
    assert_eq!(report.decision.choice.as_deref(), Some("fast"));
    let [other] = report.decision.not_compared.as_slice() else { panic!("one other world") };
    assert_eq!(
        (other.scenario.as_str(), other.differs_in.join(" ")),
        ("short", "fault.outage.lasts".to_owned())
    );

    let (alone, _) = self::report(&[slow, short], 20);
    assert_eq!((alone.decision.verdict, &alone.decision.compared), (DecisionVerdict::CannotTell, &None));
}

/// At a constant price of a call, the year's bill is that of its calls: incidents lose nothing of it.
#[test]
fn the_cost_of_a_year_has_the_calm_in_it() {
    let priced = OUTAGE.replace("poisson = \"20/s\"", "constant = \"20/s\"");
    let set = [
        "provider.a.price.request=0.001",
        "provider.b.price.request=0.001",
        "gateway.health_check.tokens={ input = 0, output = 0 }",
    ];
    let free_probes = document("priced", &priced, &set[..2]);
    let (report, outcomes) = report_at(&[free_probes], 20, Some(12.0));
    let cost = report.numbers[2].baseline.expect("a cost");
    let calls_a_year = 20.0 * 365.0 * 86_400.0;
    // Failed attempts are free, and that is all that twelve incidents change.
    let failed = mean(&outcomes[0], |o| o.failures.total());
    let expected = 0.001 * (calls_a_year - 12.0 * failed);
    assert!((cost.mean.0 / expected - 1.0).abs() < 1e-4, "{} instead of {expected}", cost.mean.0);
    assert!(report.numbers[2].note.contains("cost.failed_request"), "{}", report.numbers[2].note);

    // Probes cost all year, and lost business twelve times.
    let lost = ["cost.failed_request=1.0"];
    let [slow, fast] = slow_and_fast().map(|mut document| {
        lost.iter().for_each(|set| document.set_text(set).expect("a setting"));
        document
    });
    let (report, _) = report_at(&[slow, fast], 20, Some(12.0));
    let [_, year, cost] = report.numbers.as_slice() else { panic!("three numbers") };
    assert_eq!(cost.baseline, year.baseline, "a dollar for each failed request");
    let words = &cost.difference.as_ref().expect("a difference").words;
    assert!(
        words.ends_with(" less")
            && report.decision.sentence.ends_with(&format!(" In a year fast costs {words}."))
    );
}

#[test]
fn what_a_year_differs_by_is_only_said_if_it_is_no_chance() {
    let of_interval = |name: &str, interval: &str| {
        let set = [&format!("gateway.health_check.interval={interval}"), "cost.failed_request=1.0"];
        document(name, OUTAGE, &set)
    };
    let (report, _) = report_at(&[of_interval("a", "10s"), of_interval("b", "10700ms")], 5, Some(12.0));
    for number in &report.numbers[1..] {
        let gap = number.difference.as_ref().expect("a difference");
        assert!(gap.may_be_chance == Some(true) && gap.words.ends_with(", which may be chance"), "{gap:?}");
    }
    assert!(!report.decision.sentence.contains("In a year"), "{}", report.decision.sentence);
}

#[test]
fn what_an_answer_rests_on_is_turned_round() {
    let (report, _) = report(&slow_and_fast(), 30);
    let certainty = report.certainty;
    let strongest = &certainty.strongest_assumptions;
    assert_eq!(strongest.len(), 3);
    // If probes go on, no health check finds out.
    assert_eq!(strongest[0].words, "health checks fail when requests do");
    assert_eq!(
        (strongest[0].baseline_failed, strongest[0].decision_holds),
        (strongest[0].compared_failed, Some(false))
    );
    let change =
        |report: &failover_sim::output::report::AssumptionReport| report.baseline_failed.expect("a number").0;
    assert!(change(&strongest[0]) > change(&strongest[2]));
    assert!(
        certainty.would_change[0].starts_with("If the provider goes on answering health checks, fast loses")
    );
    let [slow, _] = slow_and_fast();
    let alike = document("alike", OUTAGE, &["gateway.health_check.interval=10700ms"]);
    let open = [[slow.clone(), alike.clone()], [alike, slow]].map(|pair| self::report(&pair, 5).0);
    let open = open.iter().find(|report| report.decision.verdict == DecisionVerdict::CannotTell);
    let mut strongest = open.expect("no decision").certainty.strongest_assumptions.iter();
    assert!(strongest.all(|assumption| assumption.decision_holds.is_none()), "there is none to hold");
    let paired = certainty.paired.expect("pairs");
    assert_eq!((paired.runs, paired.fewer + paired.equal + paired.more), (30, 30));
    assert!(certainty.untested.iter().any(|words| words.contains("b failing, too")));
}

#[test]
fn the_game_day_says_what_to_inject_and_what_to_see() {
    let (report, _) = report(&slow_and_fast(), 30);
    let [_, drill] = report.game_day.as_slice() else { panic!("a drill for each") };
    assert_eq!(drill.scenario, "fast");
    assert!(drill.steps[0].inject.contains("At a, for 20s: requests fail at once with 502"), "{drill:?}");
    assert!(drill.steps[0].how[0].contains("http_status: 502"), "{drill:?}");
    assert!(drill.load.starts_with("20 requests a second for 1m"), "{}", drill.load);
    let words: Vec<&str> = drill.expect.iter().map(|expectation| expectation.what.as_str()).collect();
    assert!(
        words.iter().any(|what| what.contains("ejected")) && words.contains(&"failed requests"),
        "{words:?}"
    );
    assert_eq!(
        drill.refuted_by.len(),
        drill.expect.len(),
        "30 runs are too few to say how often chance does"
    );
    let (many, _) = self::report(&slow_and_fast(), 40);
    assert!(
        many.game_day[1].refuted_by.last().expect("words").starts_with("any one number is outside of its")
    );

    let (before, fault) = OUTAGE.split_once("[fault.outage]").expect("a fault");
    let (_, gateway) = fault.split_once("[gateway]").expect("a gateway");
    let calm = format!("{before}[gateway]{gateway}");
    let (report, _) = self::report(&[document("calm", &calm, &[])], 5);
    assert!(report.game_day.is_empty() && report.numbers[0].label == "Failed requests in a run");
    let notes = [None, Some(12.0)].map(|rate| {
        let (report, _) = report_at(&[document("calm", &calm, &[])], 5, rate);
        report.numbers[1].note.clone()
    });
    assert!(
        notes.iter().all(|note| note.contains("95% of years, as far as these 5 runs tell.")),
        "{notes:?}"
    );
    assert!(notes[1].ends_with(
        "`--incidents-per-year` changes nothing here, as a run is no incident but a stretch of time."
    ));
    assert!(!notes[0].contains("--incidents-per-year"), "{notes:?}");
}

/// The data of a page, as a browser reads it.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"report\">").expect("the data");
    let (json, _) = rest.split_once("</script>").expect("the end of the data");
    serde_json::from_str(json).expect("JSON")
}

#[test]
fn no_name_gets_out_of_the_data() {
    let evil =
        "</script><script>alert(1)</script><!-- ]]> \u{2028}\u{2029} & \" ' {{data}} {{script}} \\u003c";
    let text = OUTAGE.replace("a small outage", &evil.replace('\\', "\\\\").replace('"', "\\\""));
    let name = "<img src=x onerror=alert(2)>&{{data}}";
    let (harmless, _) = report(&[document("x", OUTAGE, &[])], 2);
    let (report, _) = report(&[document(name, &text, &[])], 2);
    let page = html(&report);
    let count = |page: &str, what: &str| page.matches(what).count();
    for markup in ["<script", "</script", "<img", "<!--", "</title"] {
        assert_eq!(count(&page, markup), count(&html(&harmless), markup), "{markup}");
    }
    assert!(!page.contains('\u{2028}') && !page.contains('\u{2029}'));
    let data = data(&page);
    assert_eq!(data["scenarios"][0]["about"], evil);
    assert_eq!(data["scenarios"][0]["name"], name);
    assert_eq!(data, serde_json::to_value(&report).expect("JSON"));
    assert!(page.contains("<title>&lt;img src=x onerror=alert(2)&gt;&amp;{{data}}</title>"));
}

/// Numbers stand in one line; the rest is as `serde_json` has it.
fn pretty(report: &ReportDocument) -> String {
    let json = serde_json::to_string_pretty(report).expect("JSON");
    let is_number = |line: &str| {
        let word = line.trim().trim_end_matches(',');
        word == "null" || word.parse::<f64>().is_ok()
    };
    let mut text = String::new();
    let lines: Vec<&str> = json.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        let joins = i > 0 && (is_number(line) || line.trim().starts_with(']') && is_number(lines[i - 1]));
        text.push_str(if joins { " " } else { "\n" });
        text.push_str(if joins { line.trim() } else { line });
    }
    text.trim_start().replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn the_document_of_a_small_scenario() {
    let short = OUTAGE.replace("duration = \"60s\"", "duration = \"12s\"").replace("20s", "4s");
    let fast = ["gateway.health_check.interval=2s", "gateway.health_check.timeout=1s"];
    let (report, _) = report(&[document("slow", &short, &[]), document("fast", &short, &fast)], 5);
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("report_document", pretty(&report));
    });
}

/// Scenarios in which every setting of `[[objective]]`, alerts, incidents and replicas leaves something to draw.
#[test]
fn what_is_too_much_is_cut_and_said_to_be() {
    let flapping = OUTAGE.replace(
        "requests = { status = 502 }",
        "requests = { status = 502 }\nfraction = 0.5\nprobe_fraction = 0.5",
    ) + "replicas = 40\n";
    let text = flapping
        .replace("duration = \"60s\"", "duration = \"40m\"")
        .replace("lasts = \"20s\"", "lasts = \"39m\"");
    let (report, _) = report(&[document("flaps", &text, &["gateway.health_check.timeout=1s"])], 1);
    let closeup = report.scenarios[0].closeup.as_ref().expect("a close-up");
    assert!(closeup.ejections.len() == 400 && closeup.log.len() == 200, "{}", closeup.ejections.len());
    assert!(closeup.succeeded.len() <= 360);
    assert!(
        report.left_out.iter().any(|words| words.starts_with("flaps: ejections after the first 400 of "))
    );

    let [slow, _] = slow_and_fast();
    let many: Vec<Document> = (0..20)
        .map(|i| {
            let mut document = slow.clone();
            document.rename(format!("s{i}"));
            document
        })
        .collect();
    let (report, _) = self::report(&many, 1);
    let with_closeup =
        |scenarios: &[ScenarioReport]| scenarios.iter().filter(|s| s.closeup.is_some()).count();
    assert_eq!(with_closeup(&report.scenarios), 16);
    assert!(report.left_out.iter().any(|words| words.contains("close-ups of 4 scenarios")));
}

/// A close-up names whoever serves: with very long names it is long.
#[test]
fn a_page_stays_small_enough_to_send() {
    let name = "b".repeat(40_000);
    let text = OUTAGE.replace("[provider.b]", &format!("[provider.{name}]"));
    let text = text.replace("\"b\"", &format!("\"{name}\""));
    let interval = |nth: u64| format!("gateway.health_check.interval={}s", 10 + nth);
    let of = |nth: u64| document(&format!("s{nth:02}.toml"), &text, &[&interval(nth)]);
    let documents: Vec<Document> = (0..16).map(of).collect();
    let (report, _) = report(&documents, 2);
    let bytes = html(&report).len();
    assert!(bytes <= 2_000_000, "{bytes}");
    let closeups: Vec<bool> = report.scenarios.iter().map(|s| s.closeup.is_some()).collect();
    assert!(closeups[0] && !closeups[15], "{closeups:?}");
    let said = report.left_out.last().expect("something is left out");
    let gone = closeups.iter().filter(|has| !**has).count();
    assert!(said.contains(&format!("no room in this page for close-ups of {gone} scenarios")), "{said}");
}
