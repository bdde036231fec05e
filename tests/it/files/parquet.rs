//! Parquet files, read back by polars.

use super::{SEED, outcomes, request_file, write_results};
use crate::support::story_model;
use failover_sim::engine::Path as EnginePath;
use failover_sim::metrics::{METRICS, Unit, metric};
use polars::prelude::{DataFrame, DataType, ParquetReader, SerReader};
use std::fs::{self, File};
use std::path::Path;

fn read(path: &Path) -> DataFrame {
    ParquetReader::new(File::open(path).unwrap()).finish().unwrap()
}

fn floats(frame: &DataFrame, column: &str) -> Vec<Option<f64>> {
    frame.column(column).unwrap().f64().unwrap().iter().collect()
}

#[test]
fn polars_reads_back_types_values_and_nulls() {
    let temp = tempfile::tempdir().unwrap();
    write_results(temp.path(), false).unwrap();
    let outcomes = outcomes(&story_model(), 3);

    let runs = read(&temp.path().join("runs.parquet"));
    assert_eq!(runs.height(), 6);
    assert_eq!(runs.column("scenario").unwrap().dtype(), &DataType::String);
    assert_eq!(floats(&runs, "interval_s"), [Some(60.0), Some(60.0), Some(60.0), None, None, None]);
    let probes: Vec<Option<&str>> = runs.column("probes").unwrap().str().unwrap().iter().collect();
    assert_eq!(probes[2..4], [Some("hang"), Some("503")]);
    let run: Vec<Option<u64>> = runs.column("run").unwrap().u64().unwrap().iter().collect();
    assert_eq!(run, [0, 1, 2, 0, 1, 2].map(Some));
    for metric in METRICS {
        let expected = if metric.unit == Unit::Count { DataType::UInt64 } else { DataType::Float64 };
        let column = runs.column(metric.name).unwrap();
        assert_eq!(column.dtype(), &expected, "{}", metric.name);
        let values = column.cast(&DataType::Float64).unwrap();
        let values: Vec<Option<f64>> = values.f64().unwrap().iter().collect();
        let exact: Vec<Option<f64>> = outcomes.iter().map(|outcome| metric.of(outcome)).collect();
        assert_eq!(values, [&exact[..], &exact[..]].concat(), "{}", metric.name);
    }

    let points = read(&temp.path().join("points.parquet"));
    assert_eq!(points.height(), 2);
    let mean = outcomes.iter().map(|o| metric("failed_count").unwrap().of(o).unwrap()).sum::<f64>() / 3.0;
    assert_eq!(floats(&points, "failed_count_mean"), [Some(mean); 2]);
    let faults = read(&temp.path().join("faults.parquet"));
    assert_eq!(floats(&faults, "fault_start_ms"), [Some(420_000.0); 6]);
    let series = read(&temp.path().join("series.parquet"));
    assert_eq!(series.height(), 6 * 30 * 60);
}

#[test]
fn two_writings_give_the_same_bytes() {
    let temp = tempfile::tempdir().unwrap();
    let folders = ["a", "b"].map(|name| temp.path().join(name));
    for folder in &folders {
        write_results(folder, false).unwrap();
    }
    for entry in fs::read_dir(&folders[0]).unwrap() {
        let name = entry.unwrap().file_name();
        if name != "manifest.json" {
            let [a, b] = folders.each_ref().map(|folder| fs::read(folder.join(&name)).unwrap());
            assert!(a == b, "{name:?}");
        }
    }
}

#[test]
fn requests_come_back_with_nulls_where_nothing_was() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("requests.parquet");
    let mut model = story_model();
    model.traffic.client_timeout = None;
    model.faults[0].requests = failover_sim::model::Effect::Hang;
    request_file(&path, &model, EnginePath::Direct);

    let requests = read(&path);
    let outcome = failover_sim::metrics::measure(&model, SEED, 0, super::WANTED, None);
    assert_eq!(requests.height() as u64, outcome.request_count);
    assert!(requests.height() > 2 * 65_536, "several row groups");
    assert!(outcome.open_count > 1000);
    let nulls = |column: &str| requests.column(column).unwrap().null_count() as u64;
    assert_eq!((nulls("end_ms"), nulls("latency_ms")), (outcome.open_count, outcome.open_count));
    assert_eq!(nulls("cause"), outcome.request_count - outcome.failures.total());
    assert_eq!((nulls("arrival_ms"), nulls("outcome"), nulls("provider")), (0, 0, 0));
    assert_eq!(requests.column("saved_by_hand").unwrap().dtype(), &DataType::Boolean);
    let ordinals: Vec<Option<u64>> = requests.column("request").unwrap().u64().unwrap().iter().collect();
    assert!(ordinals.iter().enumerate().all(|(i, ordinal)| *ordinal == Some(i as u64)));
}
