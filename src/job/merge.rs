//! `merge`: the shards of a sweep, joined to what one machine would have written.

use super::{Failure, Swept};
use crate::experiment::ledger::{Standing, standing};
use crate::experiment::stopping::Stopping;
use crate::output::{Existing, LedgerFolder, Plan, ResultFolder, Shard, SweepProvenance};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A finished shard.
struct Part<'a> {
    path: &'a Path,
    shard: Shard,
    plan: Plan,
    sweep: SweepProvenance,
}

/// Joins the results folders of every shard, in any order, in the folder `out`; `command` is what the manifest says of how
/// it was asked for.
///
/// # Errors
/// If they are not all shards of one sweep, each once and finished, the folder cannot be written to or has what must not be
/// there, or the disk fails.
pub fn merge(
    shards: &[PathBuf],
    out: &Path,
    existing: Existing,
    command: Vec<String>,
) -> Result<Swept, Failure> {
    let parts = shards.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    check(&parts)?;
    let (Some(first), false) = (parts.first(), shards.iter().any(|shard| shard == out)) else {
        return Err(Failure::refused(
            format!("{} is one of the shards", out.display()),
            "choose a folder of its own for `--out`",
        ));
    };
    let stopping = first.sweep.stopping().ok_or_else(|| unreadable(first.path))?;
    // One at a time: a thousand ledgers at once do not fit into memory.
    parts.iter().try_for_each(|part| open_ledger(part, &stopping).map(drop))?;
    let plans: Vec<&Plan> = parts.iter().map(|part| &part.plan).collect();
    let plan = Plan::joined(&plans).ok_or_else(|| {
        Failure::refused("the plans in the shards' ledgers were changed", "play the shards anew")
    })?;
    let folder = ResultFolder::create(out, existing)?;
    let (mut ledger, _) = folder.ledger(&plan)?;
    for part in &parts {
        ledger.copy(&open_ledger(part, &stopping)?)?;
    }
    Ok(Swept::finish(folder, ledger, plan, stopping, command)?)
}

fn open(path: &Path) -> Result<Part<'_>, Failure> {
    let refused = |what: &str, help: &str| Failure::refused(format!("{} {what}", path.display()), help);
    if !LedgerFolder::exists(path) {
        return Err(refused(
            "is not the results folder of a sweep",
            "name the folders that `sweep --shard` wrote",
        ));
    }
    let plan = LedgerFolder::plan(path)?;
    let Some(shard) = plan.shard else {
        return Err(refused("has all points of its sweep", "there is nothing to merge it with"));
    };
    let finished = SweepProvenance::read(path)?;
    let own = |sweep: &SweepProvenance| sweep.shard == Some(shard) && sweep.fingerprint == plan.fingerprint;
    match finished.filter(own) {
        Some(sweep) => Ok(Part { path, shard, plan, sweep }),
        None => Err(unfinished(path, shard)),
    }
}

fn open_ledger(part: &Part, stopping: &Stopping) -> Result<LedgerFolder, Failure> {
    let (ledger, damaged) = LedgerFolder::open(part.path, &part.plan, false)?;
    if let Some(segment) = damaged.first() {
        return Err(Failure::refused(
            format!("{}: {}", segment.path.display(), segment.damage),
            format!("play what it had with {}", rest_of(part.path, part.shard)),
        ));
    }
    for point in part.plan.points() {
        if let Standing::Lacks(_) = standing(&ledger, stopping, point, 0)? {
            return Err(unfinished(part.path, part.shard));
        }
    }
    Ok(ledger)
}

fn unfinished(path: &Path, shard: Shard) -> Failure {
    Failure::refused(
        format!("{} is not finished", path.display()),
        format!("play the rest of it with {}", rest_of(path, shard)),
    )
}

/// The command that goes on with a shard.
fn rest_of(path: &Path, shard: Shard) -> String {
    format!("`sweep --shard {shard} --out {} --resume`", path.display())
}

/// Refuses shards that are not all of one sweep, each once.
fn check(parts: &[Part]) -> Result<(), Failure> {
    let Some(first) = parts.first() else { return Ok(()) };
    for (nth, part) in parts.iter().enumerate().skip(1) {
        let both = format!("{} and {}", first.path.display(), part.path.display());
        if let Some(difference) = first.plan.difference_of_sweep(&part.plan) {
            return Err(Failure::refused(
                format!("{both} are of different sweeps: of the first, {difference} in the second"),
                "play both from the same experiment, with the same options",
            ));
        }
        let runs = |sweep: &SweepProvenance| (sweep.until.clone(), sweep.min_runs, sweep.max_runs);
        if runs(&first.sweep) != runs(&part.sweep) {
            return Err(Failure::refused(
                format!(
                    "{both} have different runs: {}, and {}",
                    told_runs(&first.sweep),
                    told_runs(&part.sweep)
                ),
                "play one of them on with `--resume` and the options of the other",
            ));
        }
        if first.shard.count != part.shard.count {
            return Err(Failure::refused(
                format!("{both} are of different divisions: shard {}, and shard {}", first.shard, part.shard),
                "play the points in one division",
            ));
        }
        if let Some(twin) = parts[..nth].iter().find(|other| other.shard == part.shard) {
            return Err(Failure::refused(
                format!("{} and {} are both shard {}", twin.path.display(), part.path.display(), part.shard),
                "name each shard once",
            ));
        }
    }
    check_files(parts)?;
    let is_missing = |index: &usize| parts.iter().all(|part| part.shard.index != *index);
    let missing: Vec<String> = (1..=first.shard.count)
        .filter(is_missing)
        .map(|index| Shard { index, ..first.shard }.to_string())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what = if missing.len() == 1 { "shard" } else { "shards" };
    Err(Failure::refused(
        format!(
            "{what} {} of the sweep {} not there",
            missing.join(", "),
            if missing.len() == 1 { "is" } else { "are" }
        ),
        "name the folders of all shards; one that was not played yet is played with `sweep --shard`",
    ))
}

/// Refuses shards that have read other things from a file of the same name.
fn check_files(parts: &[Part]) -> Result<(), Failure> {
    let mut read: BTreeMap<&str, (u32, &Part)> = BTreeMap::new();
    for part in parts {
        for (name, checksum) in &part.plan.files {
            let (first, other) = read.entry(name).or_insert((*checksum, part));
            if first != checksum {
                return Err(Failure::refused(
                    format!(
                        "{} and {} are of different sweeps: `{name}`, which points of both read, has changed in between",
                        other.path.display(),
                        part.path.display()
                    ),
                    "play both with the same files",
                ));
            }
        }
    }
    Ok(())
}

fn told_runs(sweep: &SweepProvenance) -> String {
    match &sweep.until {
        None => sweep.max_runs.to_string(),
        Some(until) => format!("{} to {} until \"{until}\"", sweep.min_runs, sweep.max_runs),
    }
}

fn unreadable(path: &Path) -> Failure {
    Failure::refused(
        format!("the manifest of {} was changed", path.display()),
        "write it anew with `sweep --resume`",
    )
}
