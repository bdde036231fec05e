//! Shards that others play into a sweep's folder: each writes a segment, and the tables are those of one process.

use failover_sim::experiment::file::Experiment;
use failover_sim::job::Failure;
use failover_sim::job::shard::Order;
use failover_sim::job::sweep::{OpenSweep, SweepJob, SweepOptions};
use failover_sim::output::{BUILD, Existing, Recorded, ResultFolder};
use failover_sim::scenario::Loader;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SCENARIO: &str = r#"
duration = "20s"
traffic = { arrivals = { trace = { file = "trace.csv", column = "seconds", unit = "s" } } }
provider.a = { latency = { exponential = { mean = "1s" } }, error_rate = 0.2 }
provider.b = { latency = { constant = "1s" } }
fault.outage = { on = { name = "a" }, at = "5s", lasts = "5s", requests = { status = 502 }, probes = "hang" }
gateway.route = { prefer = ["a", "b"] }
gateway.health_check = { interval = "3s", timeout = "1s" }
"#;
/// Some points have a fault that begins after the end.
const EXPERIMENT: &str = r#"
question = "?"
scenarios = ["s.toml"]
runs = 9
[[sweep.axis]]
path = "gateway.health_check.interval"
values = ["2s", "3s", "4s", "5s", "6s"]
[[sweep.axis]]
path = "fault.outage.at"
values = ["5s", "10s", "2m"]
"#;
const TRACE: &str = "seconds\n1\n2\n3\n5\n6\n7\n8\n11\n15\n19\n";

fn experiment() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("s.toml", SCENARIO), ("experiment.toml", EXPERIMENT), ("trace.csv", TRACE)] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn open(
    folder: &TempDir,
    out: &str,
    existing: Existing,
    until: Option<&str>,
    runs: Option<u64>,
) -> OpenSweep {
    let experiment = Experiment::open(folder.path(), &mut Loader::new()).expect("an experiment");
    let options = SweepOptions {
        seed: 3,
        runs,
        until: until.map(str::to_owned),
        min_runs: until.map(|_| 2),
        max_runs: None,
        metrics: Recorded::All,
        shard: None,
        set: vec![],
        yes: false,
    };
    let surveyed = SweepJob::new(experiment, folder.path(), options).and_then(|job| job.survey(&()));
    let results = ResultFolder::create(&folder.path().join(out), existing).expect("a folder");
    surveyed.expect("a sweep").open(results).expect("a ledger")
}

fn tables(out: &Path) -> Vec<Vec<u8>> {
    ["runs.csv", "points.csv"].map(|name| fs::read(out.join(name)).expect("a table")).into()
}

fn of_one_process(folder: &TempDir, until: Option<&str>, runs: Option<u64>) -> Vec<Vec<u8>> {
    let mut sweep = open(folder, "whole", Existing::Replace, until, runs);
    sweep.play(&()).expect("it is played");
    sweep.finish(vec![]).expect("it is written");
    tables(&folder.path().join("whole"))
}

/// What a segment holds.
fn bytes(folder: &TempDir, name: &str) -> Vec<u8> {
    fs::read(folder.path().join("out/ledger").join(name)).expect("a segment")
}

fn sent(order: &Order) -> Order {
    let text = serde_json::to_string(order).expect("plain data");
    serde_json::from_str(&text).expect("an order")
}

#[test]
fn the_tables_are_those_of_one_process() {
    let folder = experiment();
    for (until, runs) in
        [(None, Some(2)), (None, None), (Some("failed_count 5%"), Some(30)), (None, Some(40))]
    {
        let mut sweep = open(&folder, "out", Existing::GoOn, until, runs);
        let token = format!("t{}{}", runs.unwrap_or_default(), until.is_some());
        let orders = sweep.orders(4, "me", &token).expect("orders");
        for (nth, order) in orders.iter().enumerate() {
            // Others play on one thread, and some play twice.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1 + nth % 2).build().expect("threads");
            let name = format!("shard-{:04}-of-0004-{token}.segment", order.shard.index);
            pool.install(|| sent(order).play(&())).expect("it is played");
            let once = bytes(&folder, &name);
            order.play(&()).expect("it is played again");
            assert!(bytes(&folder, &name) == once, "{name} is not what it was");
            sweep.take(order).expect("it is there");
        }
        assert!(!orders.is_empty() || until.is_some());
        let (all, done) = sweep.counts();
        assert!(until.is_some() || done == all - 5 * all / 15, "{done} of {all}");
        sweep.finish(vec![]).expect("it has everything");
        assert!(
            tables(&folder.path().join("out")) == of_one_process(&folder, until, runs),
            "{until:?} {runs:?}"
        );
    }
    let mut sweep = open(&folder, "out", Existing::GoOn, None, Some(40));
    assert_eq!(sweep.orders(4, "me", "again").expect("orders"), []);
}

#[test]
fn what_is_not_the_sweep_s_is_never_mixed_into_it() {
    let folder = experiment();
    let mut sweep = open(&folder, "out", Existing::Refuse, None, None);
    let orders = sweep.orders(2, "node-a, process 1", "a").expect("orders");
    let refused = |played: Result<(), Failure>| {
        let failure = played.expect_err("it is refused");
        assert_eq!(failure.code(), 2);
        failure.text(false)
    };
    let text = serde_json::to_string(&orders[0]).expect("plain data").replace(BUILD, "0123456789abcdef");
    let of_other_build: Order = serde_json::from_str(&text).expect("an order");
    let told = refused(of_other_build.play(&()));
    assert!(
        told.contains("begun with build 0123456789abcdef") && told.contains("same build on every node"),
        "{told}"
    );

    // The same as many requests, a second later.
    fs::write(folder.path().join("trace.csv"), TRACE.replace("19", "18")).expect("a file");
    let told = refused(orders[0].play(&()));
    assert!(
        told.contains("the points of shard 1/2 are others here") && told.contains("such as a trace"),
        "{told}"
    );
    fs::remove_file(folder.path().join("trace.csv")).expect("it was there");
    let told = refused(orders[0].play(&()));
    assert!(told.contains("trace.csv"), "{told}");
    fs::write(folder.path().join("trace.csv"), TRACE).expect("a file");

    // A machine that does not see the folder's lock takes it over.
    let driver = folder.path().join("out/ledger/driver");
    assert_eq!(fs::read_to_string(&driver).expect("a driver"), "node-a, process 1");
    fs::write(&driver, "node-b, process 2").expect("a file");
    let told = refused(orders[0].play(&()));
    assert!(told.contains("taken over by another command: node-b, process 2"), "{told}");
    let told = refused(sweep.take(&orders[0]));
    assert!(told.contains("node-b, process 2"), "{told}");
    fs::remove_file(&driver).expect("it was there");
    let told = refused(orders[0].play(&()));
    assert!(told.contains("does not belong to node-a, process 1 any more"), "{told}");
    fs::write(&driver, "node-a, process 1").expect("a file");

    orders[0].play(&()).expect("it is played");
    let segment = folder.path().join("out/ledger/shard-0001-of-0002-a.segment");
    let whole = fs::read(&segment).expect("a segment");
    fs::write(&segment, &whole[..whole.len() - 1]).expect("a file");
    let told = refused(sweep.take(&orders[0]));
    assert!(told.contains("it is damaged") && told.contains("all nodes share"), "{told}");
    fs::write(&segment, whole).expect("a file");
    sweep.take(&orders[0]).expect("it is there");
    let told = refused(sweep.take(&orders[1]));
    assert!(told.contains("cannot be seen here"), "{told}");
    fs::remove_dir_all(folder.path().join("out/ledger")).expect("it was there");
    let told = refused(orders[1].play(&()));
    assert!(told.contains("the sweep's folder is not there"), "{told}");
}

/// Its tables may be out of date by the time they are complete, so they get no names.
#[test]
fn a_command_that_lost_its_folder_publishes_nothing() {
    let folder = experiment();
    let driver = folder.path().join("out/ledger/driver");
    for (other, complaint) in [
        (Some("node-b, process 2"), "taken over by another command: node-b, process 2"),
        (None, "does not belong to me any more"),
    ] {
        let mut sweep = open(&folder, "out", Existing::Replace, None, None);
        let orders = sweep.orders(1, "me", "a").expect("orders");
        orders[0].play(&()).expect("it is played");
        sweep.take(&orders[0]).expect("it is there");
        match other {
            Some(other) => fs::write(&driver, other).expect("a file"),
            None => fs::remove_file(&driver).expect("it was there"),
        }
        let failure = sweep.finish(vec![]).expect_err("it is not ours");
        assert!(failure.text(false).contains(complaint), "{}", failure.text(false));
        assert_eq!(fs::read_to_string(&driver).ok().as_deref(), other, "it is the other's");
        assert!(!folder.path().join("out/points.csv").exists());
    }
    let mut sweep = open(&folder, "out", Existing::GoOn, None, None);
    assert_eq!(sweep.orders(1, "me", "b").expect("orders"), []);
    sweep.finish(vec![]).expect("it has everything");
    assert!(!driver.exists());
    assert!(tables(&folder.path().join("out")) == of_one_process(&folder, None, None));
}

/// What tasks have written goes with the ledger, and what they were writing, too.
#[test]
fn a_ledger_goes_with_all_of_its_segments() {
    let folder = experiment();
    let mut sweep = open(&folder, "out", Existing::Refuse, None, None);
    let orders = sweep.orders(3, "me", "a").expect("orders");
    orders.iter().for_each(|order| order.play(&()).expect("it is played"));
    drop(sweep);
    let ledger = folder.path().join("out/ledger");
    let names = || {
        let entries =
            fs::read_dir(&ledger).expect("a ledger").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().expect("UTF-8")).collect();
        names.sort();
        names
    };
    fs::write(ledger.join(".shard-0001-of-0003-a.segment~1.partial"), "half").expect("a file");
    fs::write(ledger.join("driver"), "one that was killed").expect("a file");
    fs::write(ledger.join("mine.segment"), "not ours").expect("a file");
    assert_eq!(names().len(), 7);
    let mut sweep = open(&folder, "out", Existing::GoOn, None, None);
    assert_eq!(sweep.orders(3, "me", "b").expect("orders"), []);
    drop(sweep);
    assert_eq!(names().len(), 5);
    drop(open(&folder, "out", Existing::Replace, None, None));
    assert_eq!(names(), ["mine.segment", "plan.json"]);
}

#[test]
fn shards_are_as_many_as_points_at_most() {
    let folder = experiment();
    let mut sweep = open(&folder, "out", Existing::Refuse, None, None);
    for count in [0, 16] {
        let told = sweep.orders(count, "me", "a").expect_err("no").text(false);
        assert!(told.contains("the sweep has 15 points") && told.contains("make 1 to 15 shards"), "{told}");
    }
}
