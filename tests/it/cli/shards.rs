//! `sweep --shard` and `merge`: the parts of a sweep, and what is no part of it.

use super::ledger::{experiment, segments, sweep, swept, tables, write};
use super::results::{Csv, EXPERIMENT};
use super::{SMALL, folder, run_in, snapshot};
use std::fs;

#[test]
fn shards_are_joined_to_the_bytes_of_the_whole() {
    let folder = swept(&experiment(3));
    for until in [&[][..], &["--until", "failed_count 5%", "--min-runs", "2", "--max-runs", "8"]] {
        for out in ["whole", "part1", "part2", "part3", "out"] {
            let _ = fs::remove_dir_all(folder.path().join(out));
        }
        sweep(&folder, "whole", until).ok();
        let mut points = vec![];
        for shard in 1..=3 {
            let (name, out) = (format!("{shard}/3"), format!("part{shard}"));
            let printed = sweep(&folder, &out, &[&["--shard", &name][..], until].concat()).ok();
            assert!(printed.starts_with(&format!("20 of 60 points (shard {name}) of ")), "{printed}");
            points.extend(Csv::read(&folder.path().join(out).join("points.csv")).counts("point"));
        }
        points.sort_unstable();
        assert!(points.into_iter().eq(0..60), "points keep their numbers");
        // Far from the experiment, and in any order.
        let elsewhere = self::folder(&[]);
        let part = |shard: u64| folder.path().join(format!("part{shard}")).display().to_string();
        let printed = run_in(&elsewhere, &["merge", &part(3), &part(1), &part(2), "--out", "out"]).ok();
        assert!(printed.starts_with("60 points of "), "{printed}");
        let (merged, whole) = (tables(&elsewhere, "out"), tables(&folder, "whole"));
        assert!(merged == whole, "{until:?}");
        // And it goes on like any other.
        fs::rename(elsewhere.path().join("out"), folder.path().join("out")).unwrap();
        sweep(&folder, "out", &["--resume", "--runs", "9"]).ok();
    }
}

#[test]
fn shards_that_do_not_fit_are_refused() {
    let folder = swept(EXPERIMENT);
    let parts: [(&str, &[&str]); 7] = [
        ("a", &["--shard", "1/2"]),
        ("b", &["--shard", "2/2"]),
        ("twin", &["--shard", "1/2", "--threads", "1"]),
        ("third", &["--shard", "2/3"]),
        ("seed", &["--shard", "2/2", "--seed", "2"]),
        ("more", &["--shard", "2/2", "--runs", "5"]),
        ("whole", &[]),
    ];
    for (out, args) in parts {
        sweep(&folder, out, args).ok();
    }
    sweep(&folder, "unfinished", &["--shard", "2/2"]).ok();
    fs::remove_file(folder.path().join("unfinished/manifest.json")).unwrap();
    sweep(&folder, "damaged", &["--shard", "2/2"]).ok();
    fs::write(&segments(&folder, "damaged")[0], "nonsense").unwrap();
    // Its results are complete, and its ledger is not: it was begun anew, and stopped.
    sweep(&folder, "begun", &["--shard", "2/2"]).ok();
    fs::remove_file(&segments(&folder, "begun")[0]).unwrap();
    let mut complaints: Vec<String> = [
        &["a"][..],
        &["a", "b", "twin"],
        &["b", "third"],
        &["a", "seed"],
        &["a", "more"],
        &["a", "whole"],
        &["a", "unfinished"],
        &["a", "begun"],
        &["a", "damaged"],
        &["a", "nowhere"],
    ]
    .iter()
    .map(|shards| {
        let args = [&["merge"], *shards, &["--out", "out"]].concat();
        let complaint = run_in(&folder, &args).refused();
        format!("$ failover-sim {}\n{complaint}", args.join(" "))
    })
    .collect();
    for args in [
        &["merge", "a", "b", "--out", "a"][..],
        &["sweep", ".", "--shard", "1/5", "--out", "out"],
        &["sweep", ".", "--shard", "3/2", "--out", "out"],
        &["sweep", ".", "--until", "failed_cuont 2%", "--out", "out"],
        &["sweep", ".", "--until", "failed_count", "--out", "out"],
        &["sweep", ".", "--until", "failed_count 2%", "--min-runs", "8", "--out", "out"],
        &["sweep", ".", "--until", "request_latency_ms_p50 2%", "--metrics", "counts", "--out", "out"],
        &["sweep", ".", "--min-runs", "8", "--out", "out"],
        &["run", ".", "--point", "4"],
        &["run", "small.toml", "--point", "0"],
    ] {
        let complaint = run_in(&folder, args).refused();
        complaints.push(format!("$ failover-sim {}\n{complaint}", args.join(" ")));
    }
    assert!(!folder.path().join("out").exists());
    snapshot("shards", &complaints.join("\n"));
}

/// Three traces as an axis, cut so that shard 2 has no point with the third.
const TRACES: &str = r#"
question = "?"
scenarios = ["small.toml"]
runs = 2
[[sweep.axis]]
path = "gateway.health_check.interval"
values = ["5s", "20s"]
[[sweep.axis]]
path = "traffic.arrivals.trace.file"
values = ["a.csv", "b.csv", "c.csv"]
"#;

#[test]
fn a_trace_that_changed_between_shards_is_noticed() {
    let trace = |gap: u64| {
        let times: Vec<String> = (0..200).map(|nth| (gap * nth).to_string()).collect();
        format!("t_ms\n{}\n", times.join("\n"))
    };
    let small = SMALL.replace("poisson = \"20/s\"", "trace = { file = \"a.csv\" }");
    let files = [("a.csv", trace(200)), ("b.csv", trace(210)), ("c.csv", trace(220))];
    let folder = folder(&[("small.toml", &small), ("experiment.toml", TRACES)]);
    files.iter().for_each(|(name, text)| write(&folder, name, text));
    sweep(&folder, "1", &["--shard", "1/3"]).ok();
    write(&folder, "c.csv", &trace(230));
    for shard in ["2", "3"] {
        sweep(&folder, shard, &["--shard", &format!("{shard}/3")]).ok();
    }
    let second = Csv::read(&folder.path().join("2/points.csv"));
    assert!(!second.texts("traffic.arrivals.trace.file").contains(&"c.csv"));
    let merge = ["merge", "1", "2", "3", "--out", "out"];
    let complaint = run_in(&folder, &merge).refused();
    assert!(complaint.contains("`c.csv`, which points of both read, has changed"), "{complaint}");
    let complaint = sweep(&folder, "1", &["--shard", "1/3", "--resume"]).refused();
    assert!(complaint.contains("`c.csv` has changed, which its points read"), "{complaint}");
    sweep(&folder, "1", &["--shard", "1/3", "--force"]).ok();
    run_in(&folder, &merge).ok();
    sweep(&folder, "whole", &[]).ok();
    assert!(tables(&folder, "out") == tables(&folder, "whole"));
}

/// The first of its points are no valid scenarios, and read nothing that counts.
#[test]
fn a_trace_that_changed_is_noticed_whatever_else_is_wrong() {
    let trace = |gap: u64| {
        let times: Vec<String> = (0..200).map(|nth| (gap * nth).to_string()).collect();
        format!("t_ms\n{}\n", times.join("\n"))
    };
    let small = SMALL.replace("poisson = \"20/s\"", "trace = { file = \"a.csv\" }");
    let experiment = TRACES.replace(
        "[[sweep.axis]]\npath = \"gateway",
        "[[sweep.axis]]\npath = \"fault.outage.at\"\nvalues = [\"2m\", \"5s\"]\n[[sweep.axis]]\npath = \"gateway",
    );
    let folder = folder(&[("small.toml", &small), ("experiment.toml", &experiment)]);
    for (name, gap) in [("a.csv", 200), ("b.csv", 210), ("c.csv", 220)] {
        write(&folder, name, &trace(gap));
    }
    let play = |shard: &str, args: &[&str]| {
        let args = [&["--shard", shard], args].concat();
        assert_eq!(sweep(&folder, &shard[..1], &args).code, Some(3));
    };
    play("1/2", &[]);
    write(&folder, "b.csv", &trace(230));
    play("2/2", &[]);
    let complaint = run_in(&folder, &["merge", "2", "1", "--out", "out"]).refused();
    assert!(complaint.contains("`b.csv`, which points of both read, has changed"), "{complaint}");
    play("1/2", &["--force"]);
    assert_eq!(run_in(&folder, &["merge", "2", "1", "--out", "out"]).code, Some(3));
}

/// A plan says of the sweep's points only what a shard has of them.
#[test]
fn the_plan_of_a_shard_is_as_large_as_its_share() {
    let experiment = "question = \"?\"\nscenarios = [\"small.toml\"]\nruns = 1\n\
         [sweep]\ndesign = { random = 2000 }\n\
         [[sweep.axis]]\npath = \"gateway.health_check.interval\"\nrange = { from = \"4s\", to = \"60s\" }\n\
         [[sweep.axis]]\npath = \"fault.outage.lasts\"\nrange = { from = \"4s\", to = \"30s\" }\n";
    let folder = swept(experiment);
    let plan_bytes = |out: &str, shard: &str| {
        sweep(&folder, out, &["--shard", shard, "--metrics", "counts"]).ok();
        fs::metadata(folder.path().join(out).join("ledger/plan.json")).expect("a plan").len()
    };
    let (small, large) = (plan_bytes("small", "7/1000"), plan_bytes("large", "1/10"));
    assert!(small + 1000 < large && small < 12_000, "{small} and {large} bytes");
}
