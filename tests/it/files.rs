//! Result files: what is in them, that their bytes are reproducible, and that nothing is overwritten or half-written.

use crate::support::story_model;
use failover_sim::engine::{self, Cause, Path as EnginePath, Stage};
use failover_sim::experiment::axis::AxisValue;
use failover_sim::experiment::segment::PointFacts;
use failover_sim::metrics::{METRICS, Outcome, Series, Unit, Wanted, measure};
use failover_sim::model::{FirstProbe, InFlight, Model};
use failover_sim::output::schema;
use failover_sim::output::{
    self, AxisColumn, Design, EventLog, Existing, FileError, PARQUET_AVAILABLE, Point, Provenance, Request,
    RequestFile, ResultFolder, ScenarioProvenance, Table, Values,
};
use failover_sim::time::SimDuration;
use std::fs;
use std::path::Path;

#[cfg(feature = "files")]
mod parquet;

const SEED: u64 = 1;
const WANTED: Wanted = Wanted { latency: true, series: Series::All, timeline: true };

fn outcomes(model: &Model, runs: u64) -> Vec<Outcome> {
    (0..runs).map(|run| measure(model, SEED, run, WANTED, None)).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Two points; the second has no value on the first axis.
fn design() -> Design {
    let interval = vec![Some(AxisValue::Number(60.0)), None];
    let probes = vec![Some(AxisValue::Text("hang".to_owned())), Some(AxisValue::Number(503.0))];
    Design {
        seed: SEED,
        first_run: 0,
        axes: vec![AxisColumn::new("interval_s", interval), AxisColumn::new("probes", probes)],
    }
}

fn provenance() -> Provenance {
    Provenance {
        command: vec!["failover-sim".to_owned(), "sweep".to_owned()],
        runs: 3,
        request: Request::default(),
        scenarios: vec![ScenarioProvenance {
            name: "story".to_owned(),
            path: "story.toml".to_owned(),
            resolved: serde_json::json!({ "duration": "30m" }),
            text: "duration = \"30m\"".to_owned(),
            standalone: "duration = \"30m\"".to_owned(),
        }],
        sweep: None,
    }
}

fn write_results(folder: &Path, force: bool) -> Result<Vec<output::WrittenFile>, FileError> {
    let model = story_model();
    let outcomes = outcomes(&model, 3);
    let mut sink = ResultFolder::create(folder, if force { Existing::Replace } else { Existing::Refuse })?
        .begin(design(), true)?;
    let facts = PointFacts::of(&model, EnginePath::Plain);
    sink.points(&[0, 1].map(|number| Point { number, facts: &facts, outcomes: &outcomes, error: None }))?;
    sink.finish(provenance())
}

fn uints(table: &Table, name: &str) -> Vec<u64> {
    match &table.column(name).unwrap_or_else(|| panic!("no column {name}")).values {
        Values::UInt(values) => values.iter().map(|n| n.unwrap()).collect(),
        other => panic!("{name} is {other:?}"),
    }
}

/// Adds columns of counts up, row by row.
fn sum(table: &Table, columns: &[String]) -> Vec<u64> {
    let mut total = vec![0; table.row_count()];
    for column in columns {
        total.iter_mut().zip(uints(table, column)).for_each(|(total, n)| *total += n);
    }
    total
}

#[test]
fn requests_are_conserved_in_every_row() {
    let mut patient = story_model();
    patient.name = "patient".to_owned();
    patient.traffic.client_timeout = None;
    patient.faults[0].in_flight = InFlight::Hang;
    let models = [story_model(), patient];
    let outcomes: Vec<Vec<Outcome>> = models.iter().map(|model| outcomes(model, 3)).collect();
    let facts = models.each_ref().map(|model| PointFacts::of(model, EnginePath::Plain));
    let points: Vec<Point> = (facts.iter().zip(&outcomes))
        .map(|(facts, outcomes)| Point { number: 0, facts, outcomes, error: None })
        .collect();
    let design = Design::default();

    let runs = schema::runs(&design, &points);
    assert_eq!(runs.row_count(), 6);
    let parts = ["succeeded_count", "failed_count", "open_count"].map(str::to_owned);
    assert_eq!(uints(&runs, "request_count"), sum(&runs, &parts));
    let causes = Cause::ALL.map(|cause| format!("failed_cause_{}_count", cause.name()));
    let stages = Stage::ALL.map(|stage| format!("failed_stage_{}_count", stage.name()));
    assert_eq!(uints(&runs, "failed_count"), sum(&runs, &causes));
    assert_eq!(uints(&runs, "failed_count"), sum(&runs, &stages));
    assert!(uints(&runs, "failed_count").iter().all(|n| *n > 1000), "the incident was there");
    assert!(uints(&runs, "open_count")[3..].iter().all(|n| *n > 10), "patient clients wait for ever");

    let series = schema::series(&design, &points);
    assert_eq!(series.row_count(), 6 * 30 * 60);
    assert_eq!(uints(&series, "request_count"), sum(&series, &parts));
    for column in ["request_count", "succeeded_count", "failed_count", "open_count"] {
        let by_run: Vec<u64> = uints(&series, column).chunks(30 * 60).map(|run| run.iter().sum()).collect();
        assert_eq!(by_run, uints(&runs, column), "{column}");
    }

    let faults = schema::faults(&design, &points);
    assert_eq!(uints(&faults, "run"), [0, 1, 2, 0, 1, 2]);
}

#[test]
fn what_is_missing_is_null() {
    let mut model = story_model();
    model.gateway.health_check = None;
    let outcomes = outcomes(&model, 1);
    let facts = PointFacts::of(&model, EnginePath::Plain);
    let points = [Point { number: 0, facts: &facts, outcomes: &outcomes, error: None }];
    let value = |table: &Table, column: &str| table.column(column).unwrap().values.clone();

    let runs = schema::runs(&Design::default(), &points);
    assert_eq!(value(&runs, "time_to_detect_ms"), Values::Float(vec![None]));
    assert_eq!(value(&runs, "probe_count"), Values::UInt(vec![Some(0)]));
    let summary = schema::points(&Design::default(), &points);
    assert_eq!(value(&summary, "time_to_detect_ms_n"), Values::UInt(vec![Some(0)]));
    assert_eq!(value(&summary, "time_to_detect_ms_mean"), Values::Float(vec![None]));
    assert_eq!(value(&summary, "failed_count_ci95_low"), Values::Float(vec![None]), "one run");
    let faults = schema::faults(&Design::default(), &points);
    assert_eq!(value(&faults, "time_to_recover_ms"), Values::Float(vec![None]));
}

#[test]
fn every_column_is_in_the_dictionary_with_a_unit_and_a_meaning() {
    let tables = [
        schema::runs(&Design::default(), &[]),
        schema::faults(&Design::default(), &[]),
        schema::series(&Design::default(), &[]),
        schema::requests("", &[], 0, &[]),
    ];
    let dictionary = output::data_dictionary();
    for table in &tables {
        let about = dictionary.split(&format!("\n## {}\n", table.name)).nth(1).unwrap();
        let about = about.split("\n## ").next().unwrap();
        for column in &table.columns {
            assert!(!column.unit.is_empty() && !column.meaning.is_empty(), "{}", column.name);
            assert!(!column.meaning.ends_with('.'), "{}", column.name);
            assert!(about.contains(&format!("| `{}` | {} |", column.name, column.unit)), "{}", column.name);
        }
    }
    for metric in METRICS.iter().filter(|metric| metric.unit == Unit::Count) {
        let unit = tables[0].column(metric.name).unwrap().unit;
        assert_eq!(unit, "count");
    }
}

#[test]
fn the_committed_dictionary_is_in_step() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/columns.md");
    let generated = output::data_dictionary();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/columns.md is out of step: run the tests with UPDATE_DOCS=1 and commit it"
    );
}

#[test]
fn a_folder_has_every_file_and_a_manifest_that_lists_them() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("a/b");
    let written = write_results(&folder, false).unwrap();
    let mut expected = vec!["manifest.json", "points.csv", "runs.csv"];
    if PARQUET_AVAILABLE {
        expected.extend(["faults.parquet", "points.parquet", "runs.parquet", "series.parquet"]);
    }
    expected.sort_unstable();
    assert_eq!(names(&folder), expected);

    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
    let keys: Vec<&String> = manifest.as_object().unwrap().keys().collect();
    let expected_keys = "schema_version program version command seed first_run runs request scenarios axes files created finished";
    assert_eq!(keys, expected_keys.split(' ').collect::<Vec<_>>());
    assert_eq!(manifest["axes"][1], serde_json::json!({ "name": "probes", "values": ["hang", 503.0] }));
    assert_eq!(manifest["files"].as_array().unwrap().len(), written.len());
    for file in &written {
        assert_eq!(fs::metadata(folder.join(&file.name)).unwrap().len(), file.bytes, "{}", file.name);
    }
    let rows = |name: &str| written.iter().find(|file| file.name == name).unwrap().rows;
    assert_eq!((rows("runs.csv"), rows("points.csv")), (6, 2));
    assert!(manifest["created"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
}

#[test]
fn csv_keeps_types_apart_and_leaves_nulls_empty() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("out");
    write_results(&folder, false).unwrap();
    let mut reader = csv::Reader::from_path(folder.join("runs.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    assert_eq!(
        header.iter().take(6).collect::<Vec<_>>(),
        ["scenario", "point", "interval_s", "probes", "run", "seed"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows[2].iter().take(6).collect::<Vec<_>>(), ["story", "0", "60.0", "hang", "2", "1"]);
    assert_eq!(rows[3].iter().take(6).collect::<Vec<_>>(), ["story", "1", "", "503", "0", "1"]);
    let column = header.iter().position(|name| name == "availability_ratio").unwrap();
    let outcome = measure(&story_model(), SEED, 0, WANTED, None);
    let exact = failover_sim::metrics::metric("availability_ratio").unwrap().of(&outcome).unwrap();
    assert_eq!(rows[0][column].parse::<f64>().unwrap(), exact);
}

#[test]
fn a_folder_with_something_in_it_is_refused_without_force() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("notes.txt"), "mine").unwrap();
    let error = ResultFolder::create(temp.path(), Existing::Refuse).err().unwrap();
    assert!(matches!(error, FileError::NotEmpty { .. }) && error.is_bad_input());
    let message = error.to_string();
    assert!(message.contains("--force") && message.contains(temp.path().to_str().unwrap()), "{message}");
    assert_eq!(names(temp.path()), ["notes.txt"]);

    let file = temp.path().join("notes.txt");
    assert!(matches!(
        ResultFolder::create(&file, Existing::Replace).err(),
        Some(FileError::NotAFolder { .. })
    ));
}

#[test]
fn force_replaces_results_and_nothing_else() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    write_results(folder, false).unwrap();
    let before = names(folder);
    for foreign in ["notes.txt", "my.parquet", ".hidden.partial"] {
        fs::write(folder.join(foreign), "mine").unwrap();
    }

    // Until the new results are complete the old ones stay.
    let sink = ResultFolder::create(folder, Existing::Replace).unwrap().begin(design(), false).unwrap();
    assert!(names(folder).contains(&"runs.csv".to_owned()));
    drop(sink);
    assert!(before.iter().all(|name| names(folder).contains(name)));

    let sink =
        ResultFolder::create(folder, Existing::Replace).unwrap().begin(Design::default(), false).unwrap();
    sink.finish(provenance()).unwrap();
    let mut expected: Vec<String> = before.into_iter().filter(|name| name != "series.parquet").collect();
    expected.extend(["notes.txt", "my.parquet", ".hidden.partial"].map(str::to_owned));
    expected.sort();
    assert_eq!(names(folder), expected);
    assert_eq!(fs::read_to_string(folder.join("my.parquet")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(folder.join("runs.csv")).unwrap().lines().count(), 1, "only the names");
}

#[test]
fn what_ends_half_way_leaves_no_final_name() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("out");
    let model = story_model();
    let mut sink = ResultFolder::create(&folder, Existing::Refuse).unwrap().begin(design(), true).unwrap();
    let facts = PointFacts::of(&model, EnginePath::Plain);
    let outcomes = outcomes(&model, 1);
    sink.points(&[Point { number: 0, facts: &facts, outcomes: &outcomes, error: None }]).unwrap();
    assert!(names(&folder).iter().all(|name| name.ends_with(".partial")), "{:?}", names(&folder));
    assert!(matches!(ResultFolder::create(&folder, Existing::Refuse).err(), Some(FileError::InUse { .. })));
    drop(sink);
    assert!(!folder.exists(), "a folder that we made and left empty goes again");

    // A killed process cannot clean up after itself; the next one does.
    fs::create_dir(&folder).unwrap();
    for leftover in [".runs.parquet.partial", ".series.parquet.partial", ".manifest.json.partial"] {
        fs::write(folder.join(leftover), "half").unwrap();
    }
    write_results(&folder, false).unwrap();
    assert!(names(&folder).iter().all(|name| !name.ends_with(".partial")), "{:?}", names(&folder));
}

fn request_file(path: &Path, model: &Model, engine_path: EnginePath) -> Vec<u8> {
    let mut file = RequestFile::create(path, true).unwrap();
    let mut recorder = file.recorder(model, 0);
    engine::simulate_on(engine_path, model, SEED, 0, &mut recorder);
    recorder.finish();
    file.finish().unwrap();
    fs::read(path).unwrap()
}

#[test]
fn a_request_file_is_the_same_on_every_path_of_the_engine() {
    let temp = tempfile::tempdir().unwrap();
    let mut model = story_model();
    model.duration = SimDuration::from_secs(12 * 60);
    model.operator.clear();
    let path = temp.path().join("requests.csv");
    let direct = request_file(&path, &model, EnginePath::Direct);
    assert!(direct == request_file(&path, &model, EnginePath::Plain));

    let outcome = measure(&model, SEED, 0, Wanted::METRICS, None);
    let mut reader = csv::Reader::from_reader(direct.as_slice());
    let header = reader.headers().unwrap().clone();
    let column_of = |name: &str| header.iter().position(|h| h == name).unwrap();
    let (request, result, stage) = (column_of("request"), column_of("outcome"), column_of("stage"));
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len() as u64, outcome.request_count);
    assert!(rows.iter().enumerate().all(|(i, row)| row[request] == i.to_string()));
    let count = |wanted: Stage| rows.iter().filter(|row| row[stage] == *wanted.name()).count() as u64;
    for wanted in Stage::ALL {
        assert_eq!(count(wanted), outcome.failures.of_stage(wanted), "{wanted:?}");
    }
    let failed = rows.iter().filter(|row| &row[result] == "failed").count() as u64;
    assert_eq!(failed, outcome.failures.total());
}

#[test]
fn a_request_file_refuses_what_it_should() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("requests.csv");
    fs::write(&path, "mine").unwrap();
    assert!(matches!(RequestFile::create(&path, false).err(), Some(FileError::Exists { .. })));
    let odd = temp.path().join("requests.xlsx");
    assert!(matches!(RequestFile::create(&odd, false).err(), Some(FileError::UnknownFormat { .. })));
    drop(RequestFile::create(&path, true).unwrap());
    assert_eq!(
        (names(temp.path()), fs::read(&path).unwrap()),
        (vec!["requests.csv".to_owned()], b"mine".to_vec())
    );
}

#[test]
fn an_event_log_tells_the_whole_run_in_order() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("events.jsonl");
    let mut model = story_model();
    // The first probe after the fault's start comes 30 s into it, and fails 30 s later.
    model.gateway.health_check.as_mut().unwrap().first_probe = FirstProbe::At(SimDuration::from_secs(30));
    model.duration = SimDuration::from_secs(9 * 60);
    model.operator.clear();
    let mut log = EventLog::create(&path, false).unwrap();
    let mut recorder = log.recorder(&model, SEED, 0);
    let stats = engine::simulate(&model, SEED, 0, &mut recorder);
    log.finish().unwrap();

    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times: Vec<f64> = lines.iter().map(|line| line["at_ms"].as_f64().unwrap()).collect();
    assert!(times.is_sorted());
    let of_kind =
        |kind: &str| -> Vec<&serde_json::Value> { lines.iter().filter(|l| l["event"] == kind).collect() };
    assert_eq!(of_kind("request_ended").len() as u64, stats.arrived);
    let shown = |kind: &str| serde_json::to_string(of_kind(kind)[0]).unwrap();
    assert_eq!(
        shown("run_starts"),
        r#"{"at_ms":0.0,"clock":"02:40:00","event":"run_starts","scenario":"story","run":0,"seed":1}"#
    );
    assert_eq!(
        shown("fault_starts"),
        r#"{"at_ms":420000.0,"clock":"02:47:00","event":"fault_starts","fault":"night"}"#
    );
    assert_eq!(
        shown("ejected"),
        r#"{"at_ms":480000.0,"clock":"02:48:00","event":"ejected","provider":"claude_east","replica":0,"false_ejection":false}"#
    );
    let failed = of_kind("request_ended").into_iter().find(|line| line["stage"] == "undetected").unwrap();
    assert_eq!((&failed["cause"], &failed["status"]), (&"status".into(), &502.into()));
    assert_eq!(failed["provider"], "claude_east");
}

#[test]
fn the_json_document_has_every_metric_in_order() {
    let model = story_model();
    let outcomes = outcomes(&model, 4);
    let mut quick = model.clone();
    quick.name = "quick".to_owned();
    quick.gateway.health_check.as_mut().unwrap().interval = SimDuration::from_secs(5);
    quick.gateway.health_check.as_mut().unwrap().timeout = SimDuration::from_secs(1);
    let quick_outcomes = self::outcomes(&quick, 4);
    let assumptions = ["backup has no limit".to_owned()];
    let scenario = |model, outcomes| output::ScenarioResult {
        model,
        path: EnginePath::Direct,
        first_run: 0,
        outcomes,
        seconds: &[],
        timeline: &[],
        assumptions: &assumptions,
        findings: &[],
    };
    let mut scenarios = [scenario(&model, &outcomes[..]), scenario(&quick, &quick_outcomes[..])];
    scenarios[0].timeline = outcomes[0].timeline.as_deref().unwrap();
    let json = serde_json::to_value(output::document(SEED, 4, None, &scenarios)).unwrap();

    let first = &json["scenarios"][0];
    assert_eq!((&first["name"], &first["path"]), (&"story".into(), &"direct".into()));
    assert_eq!((&first["runs"], &first["nothing_random"]), (&4.into(), &false.into()));
    let keys: Vec<&str> = first["metrics"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, METRICS.iter().map(|metric| metric.name).collect::<Vec<_>>());
    let failed = &first["metrics"]["failed_count"];
    let keys: Vec<&str> = failed.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "n",
            "mean",
            "ci95_low",
            "ci95_high",
            "pi95_low",
            "pi95_high",
            "p50",
            "p95",
            "min",
            "max",
            "p50_ci95",
            "p95_ci95",
        ]
    );
    for parts in ["failed_by_cause", "failed_by_stage"] {
        let sum: f64 = first[parts].as_object().unwrap().values().map(|mean| mean.as_f64().unwrap()).sum();
        assert!((sum - failed["mean"].as_f64().unwrap()).abs() < 1e-6, "{parts}");
    }
    assert_eq!(first["difference_to_baseline"], serde_json::Value::Null);
    let difference = &json["scenarios"][1]["difference_to_baseline"]["failed_count"];
    assert!(difference["mean"].as_f64().unwrap() < -1000.0, "{difference}");
    // One scenario is compared, so nothing is corrected; four runs are too few for a quantile.
    assert_eq!(difference["corrected_ci95"]["low"], difference["ci95_low"]);
    assert!(difference["corrected_p_value"].as_f64().unwrap() < 0.05, "{difference}");
    assert_eq!((&difference["differs"], &difference["p50_ci95"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(first["timeline"][0]["event"], "fault_starts");
    let events: Vec<&str> =
        first["timeline"].as_array().unwrap().iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert!(events.ends_with(&["admitted", "operator_acts"]), "{events:?}");
}
