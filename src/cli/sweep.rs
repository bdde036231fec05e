//! `sweep`: every point of an experiment's sweep, into a results folder.

use super::again::CommandLine;
use super::dry_run::DryRun;
use super::page::PageArgs;
use super::print::{Format, PrintArgs, print_out, printed};
use super::progress::Bar;
use super::report::of_results;
use super::{Failure, PlayArgs, RUNS_MAX, all_or_failures, counted, whole};
use crate::experiment::axis::{Axis, axis_value};
use crate::experiment::criterion::Precision;
use crate::experiment::design::{Point, Sweep};
use crate::experiment::file::Experiment;
use crate::experiment::ledger::Ledger;
use crate::experiment::objective::Objective;
use crate::experiment::player::{Player, Stopped};
use crate::experiment::runner::RunPlan;
use crate::experiment::segment::PointFailure;
use crate::experiment::stopping::Stopping;
use crate::experiment::survey::{Survey, first_line, point_model};
use crate::metrics::Wanted;
use crate::output::terminal::thousands;
use crate::output::{
    AxisColumn, Design, Existing, ExperimentProvenance, FileError, LedgerFolder, Plan, Provenance, Recorded,
    Request, ResultFolder, Results, ScenarioProvenance, SetAside, Shard, SweepDocument, SweepProvenance,
    Tally, WrittenFile, point_lines, write_ledger,
};
use crate::scenario::{Loader, Problems};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// With fewer runs an interval may be narrow by luck.
const MIN_RUNS: u64 = 10;

/// Play every point of an experiment's sweep and write tables
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  failover-sim sweep experiments/02_health_check_interval
  failover-sim sweep experiments/02_health_check_interval --dry-run
  failover-sim sweep experiments/02_health_check_interval --runs 10 --out quick
  failover-sim sweep experiments/02_health_check_interval --runs 100 --resume
  failover-sim sweep experiments/02_health_check_interval --shard 1/4 --out 1

What is played is kept in the folder's ledger/ about every second, so a sweep can be
stopped or killed at any moment and goes on with `--resume`. The results are the same.

Exit codes: 0 done, 1 writing failed midway, 2 bad input or unwritable output,
3 some points failed, 130 interrupted")]
pub struct SweepArgs {
    /// An experiment folder with a `[sweep]` in its experiment.toml
    experiment: PathBuf,
    #[command(flatten)]
    play: PlayArgs,
    /// The folder to write to; without it, results/ and the experiment's name
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the sweep in the folder, or give its points more runs: what is there is not played again
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Play only part I of N; `merge` joins the parts' folders
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Give a point more runs until half its interval is this narrow: "failed_count 2%", "failed_count.p95 50"
    #[arg(long, value_name = "PRECISION")]
    until: Option<String>,
    /// With `--until`: how many runs a point gets at least; without it 10. It is judged then, and each time that its
    /// runs have grown by half
    #[arg(
        long, value_name = "N", requires = "until", allow_negative_numbers = true, value_parser = whole::<2, RUNS_MAX>,
    )]
    min_runs: Option<u64>,
    /// With `--until`: how many runs a point gets at most; without it, what the experiment says
    #[arg(
        long, value_name = "N", requires = "until", conflicts_with = "runs", allow_negative_numbers = true,
        value_parser = whole::<2, RUNS_MAX>,
    )]
    max_runs: Option<u64>,
    /// What to record of a run: with `counts`, no latency, which is faster
    #[arg(long, value_enum, default_value_t = Metrics::All)]
    metrics: Metrics,
    #[command(flatten)]
    page: PageArgs,
    /// Say how many points and runs there are, and about how long they take here; write nothing
    #[arg(long, conflicts_with_all = ["resume", "shard", "report"])]
    dry_run: bool,
    #[command(flatten)]
    print: PrintArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Metrics {
    All,
    Counts,
}

impl Metrics {
    fn wanted(self) -> Wanted {
        match self {
            Metrics::All => Wanted::METRICS,
            Metrics::Counts => Wanted::COUNTS,
        }
    }
}

impl SweepArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let format = match self.dry_run {
            true => self.print.format("sweep --dry-run", &[])?,
            false => self.print.format("sweep", &[Format::Json, Format::Csv])?,
        };
        let mut loader = Loader::new();
        let mut experiment = Experiment::open(&self.experiment, &mut loader)?;
        self.play.make_settings(&mut experiment.scenarios)?;
        let Some(sweep) = &experiment.sweep else {
            return Err(Failure::refused(
                format!("{} has no `[sweep]`", self.experiment.display()),
                "add one to its experiment.toml, or use `run`",
            ));
        };
        let scenarios = &experiment.scenarios;
        // Nothing here is judged by them; a slip in one had better be told before `run` does.
        all_or_failures(scenarios.iter().map(|scenario| Objective::all_of(scenario).map_err(Failure::from)))?;
        self.play.check_settings(sweep)?;
        let stopping = self.stopping(experiment.runs)?;
        if self.dry_run {
            self.play.start_threads();
            let (seed, wanted) = (self.play.seed, self.metrics.wanted());
            return print_out(&DryRun { sweep, scenarios, seed, stopping: &stopping, wanted }.report()?);
        }
        let points = sweep.points(scenarios)?;
        self.play.start_threads();
        let wanted = self.metrics.wanted();
        let survey = Survey::of(sweep, scenarios, &points, wanted);
        if survey.invalid.len() == points.len()
            && let Err(problems) = point_model(sweep, scenarios, &points[0])
        {
            return Err(problems.into());
        }
        let run_plan = RunPlan { seed: self.play.seed, runs: 0..stopping.max, wanted, path: None };
        let plan = self.plan(&experiment, sweep, &points, &survey)?;
        let own = plan.points();
        let own_costs: Vec<_> = own.iter().map(|&point| survey.points[point]).collect();
        self.play.check_events(&own_costs, stopping.max)?;

        let out = self.out.clone().unwrap_or_else(|| PathBuf::from("results").join(&experiment.name));
        plan.design().check()?;
        let folder = ResultFolder::create(&out, self.existing())?;
        let page = self.page.open(Some(&out), self.play.force)?;
        let (mut ledger, set_aside) = folder.ledger(&plan)?;
        self.note_set_aside(&set_aside);
        self.print.note_missing_parquet();
        self.warn_of_invalid(&survey, &points, &own);

        let bar = self.start_bar(&ledger, &own, stopping.max)?;
        let player = Player {
            plan: &run_plan,
            stopping: &stopping,
            model_of: &|point| {
                let failure = |problems: Problems| PointFailure {
                    scenario: scenarios[points[point].scenario].name().to_owned(),
                    run: 0,
                    message: first_line(&problems),
                };
                point_model(sweep, scenarios, &points[point]).map_err(failure)
            },
            work_of: &|point| survey.points[point].work,
        };
        let go_on =
            format!("what was played is in {}, go on with the same command and `--resume`", out.display());
        player.play(&own, &mut ledger, &bar).map_err(|stopped| {
            let failure = match stopped {
                Stopped::Cancelled => Failure::interrupted(),
                Stopped::Ledger(error) => error.into(),
            };
            failure.advised(&go_on)
        })?;
        bar.finish();
        let (files, tally) =
            finish(folder, &ledger, &plan, &stopping).map_err(|e| Failure::from(e).advised(&go_on))?;
        self.note_longer(&ledger, tally.most);
        let printed = Finished {
            out: &out,
            plan: &plan,
            ledger: &ledger,
            stopping: &stopping,
            files: &files,
            tally: &tally,
        }
        .report(&self.print, format);
        if let Some(page) = page {
            let results = Results::open(&out)?;
            page.write(&of_results(&results, self.command(), self.page.incidents_per_year, &bar)?)?;
        }
        printed
    }

    /// The command that makes the report again, wherever its results go.
    fn command(&self) -> String {
        let line = CommandLine::new("sweep").word(&self.experiment.to_string_lossy()).play(&self.play);
        let line = line.option("--shard", self.shard).option("--until", self.until.as_ref());
        let line = line.option("--min-runs", self.min_runs).option("--max-runs", self.max_runs);
        let counts = (self.metrics == Metrics::Counts).then_some("counts");
        self.page.again(line.option("--metrics", counts)).text()
    }

    /// Says that tables have fewer runs than were played, as when `--runs` is forgotten with `--resume`.
    fn note_longer(&self, ledger: &LedgerFolder, most: u64) {
        let kept = ledger.most_runs();
        if self.until.is_none() && kept > most {
            let [most, kept] = [most, kept].map(|runs| thousands(runs as f64));
            self.print.note(&format!(
                "note: the tables have {most} runs of each point, and the ledger has up to {kept}: name as many with `--runs`"
            ));
        }
    }

    fn existing(&self) -> Existing {
        match (self.play.force, self.resume) {
            (true, _) => Existing::Replace,
            (_, true) => Existing::GoOn,
            _ => Existing::Refuse,
        }
    }

    fn stopping(&self, of_experiment: u64) -> Result<Stopping, Failure> {
        let runs = self.play.runs.unwrap_or(of_experiment);
        let Some(until) = &self.until else { return Ok(Stopping::fixed(runs)) };
        let until = Precision::read(until).map_err(Problems::from)?;
        let wants_latency = until.target.metric.needs_latency();
        if wants_latency && self.metrics == Metrics::Counts {
            return Err(Failure::refused(
                format!("`--metrics counts` does not record `{}`", until.target.metric.name),
                "leave it out, or name another metric to `--until`",
            ));
        }
        let max = self.max_runs.unwrap_or(runs);
        let min = self.min_runs.unwrap_or(MIN_RUNS.min(max));
        if min > max {
            return Err(Failure::refused(
                format!("`--min-runs` is {min}, more than the {max} runs that a point gets at most"),
                format!("lower it, or raise `--max-runs` to {min}"),
            ));
        }
        Ok(Stopping { min, max, until: Some(until) })
    }

    /// A bar that begins with what the ledger has.
    fn start_bar(&self, ledger: &LedgerFolder, points: &[usize], runs: u64) -> Result<Bar, Failure> {
        let missing = |&point: &usize| {
            ledger.missing(point, runs).iter().map(|missing| missing.end - missing.start).sum::<u64>()
        };
        let all = runs * points.len() as u64;
        self.print.bar(all, all - points.iter().map(missing).sum::<u64>())
    }

    fn note_set_aside(&self, segments: &[SetAside]) {
        for SetAside { path, damage } in segments {
            let path = path.display();
            self.print.note(&format!("note: {path}: {damage}; it is removed, and its runs are played again"));
        }
    }

    fn plan(
        &self,
        experiment: &Experiment,
        sweep: &Sweep,
        points: &[Point],
        survey: &Survey,
    ) -> Result<Plan, Failure> {
        if let Some(shard) = self.shard.filter(|shard| shard.count > points.len()) {
            return Err(Failure::refused(
                format!("the sweep has only {} points for {} shards", points.len(), shard.count),
                "make fewer shards",
            ));
        }
        let design = Design { seed: self.play.seed, first_run: 0, axes: axis_columns(sweep, points) };
        let metrics = match self.metrics {
            Metrics::All => Recorded::All,
            Metrics::Counts => Recorded::Counts,
        };
        let request = Request {
            set: self.play.set.clone(),
            preface: vec![experiment.question.clone()],
            experiment: Some(ExperimentProvenance::of(experiment)),
            ..Request::default()
        };
        let scenarios = experiment.scenarios.iter().map(ScenarioProvenance::of).collect();
        Ok(Plan::new(&design, metrics, survey.fingerprint, self.shard, points.len(), request, scenarios))
    }

    /// Says before the long work which points will have no result.
    fn warn_of_invalid(&self, survey: &Survey, points: &[Point], own: &[usize]) {
        let is_own = |(point, _): &&(usize, String)| own.binary_search(point).is_ok();
        let mut invalid = survey.invalid.iter().filter(is_own);
        let Some((first, message)) = invalid.next() else { return };
        let count = 1 + invalid.count();
        self.print.note(&format!(
            "warning: {count} of {} points {} no valid scenario, the others are played; the first is point {first}: {message}",
            if self.shard.is_some() { own.len() } else { points.len() },
            if count == 1 { "is" } else { "are" },
        ));
    }
}

/// The swept settings as columns of tables.
pub(super) fn axis_columns(sweep: &Sweep, points: &[Point]) -> Vec<AxisColumn> {
    let column = |(i, axis): (usize, &Axis)| AxisColumn {
        name: axis.column.clone(),
        values: points.iter().map(|point| point.values[i].as_ref().map(|v| axis_value(axis, v))).collect(),
    };
    sweep.axes.iter().enumerate().map(column).collect()
}

/// Makes the tables of a ledger that has everything.
pub(super) fn finish(
    folder: ResultFolder,
    ledger: &LedgerFolder,
    plan: &Plan,
    stopping: &Stopping,
) -> Result<(Vec<WrittenFile>, Tally), FileError> {
    let mut sink = folder.begin(plan.design(), false)?;
    let tally = write_ledger(ledger, stopping, &plan.points(), |points| sink.points(points))?;
    let provenance = Provenance {
        command: std::env::args().collect(),
        runs: stopping.max,
        request: plan.request.clone(),
        scenarios: plan.scenarios.clone(),
        sweep: Some(SweepProvenance {
            points: plan.point_count,
            failed_points: tally.failed,
            metrics: plan.metrics,
            until: stopping.until.as_ref().map(ToString::to_string),
            min_runs: stopping.min,
            max_runs: stopping.max,
            shard: plan.shard,
            fingerprint: plan.fingerprint,
            ledger_bytes: ledger.bytes(),
        }),
    };
    Ok((sink.finish(provenance)?, tally))
}

/// A sweep whose tables are written.
pub(super) struct Finished<'a> {
    pub out: &'a Path,
    pub plan: &'a Plan,
    pub ledger: &'a LedgerFolder,
    pub stopping: &'a Stopping,
    pub files: &'a [WrittenFile],
    pub tally: &'a Tally,
}

impl Finished<'_> {
    /// Says what is in the folder, or prints it, and which points failed.
    pub fn report(&self, print: &PrintArgs, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json => self.print_json()?,
            Format::Csv => self.print_csv()?,
            _ => print.summary(&self.summary())?,
        }
        let tally = self.tally;
        match &tally.first_failure {
            None => Ok(()),
            Some((point, failure)) => Err(Failure::partly(format!(
                "error: {} of {} points failed, see the column `error` of `points`; the first is point {point}: {}",
                tally.failed,
                tally.played + tally.failed,
                failure.message
            ))),
        }
    }

    fn summary(&self) -> String {
        let Finished { out, plan, files, tally, .. } = self;
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let points = tally.played + tally.failed;
        let points = match plan.shard {
            Some(shard) => format!("{points} of {} points (shard {shard})", plan.point_count),
            None => counted(points as f64, "point"),
        };
        let runs = match tally.fewest == tally.most {
            true => counted(tally.most as f64, "run"),
            false => format!("{} to {}", tally.fewest, counted(tally.most as f64, "run")),
        };
        format!("{points} of {runs} in {}: {}, manifest.json\n", out.display(), names.join(", "))
    }

    fn print_json(&self) -> Result<(), Failure> {
        let Finished { plan, tally, .. } = self;
        let (folder, runs) = (self.out.display().to_string(), (tally.fewest.min(tally.most), tally.most));
        print_out(&SweepDocument::new(folder, plan, tally.failed, runs, self.files).begin())?;
        let mut are_first = true;
        write_ledger(self.ledger, self.stopping, &plan.points(), |points| {
            let lines = point_lines(plan, points, are_first);
            are_first &= points.is_empty();
            print_out(&lines)
        })?;
        print_out(SweepDocument::END)
    }

    /// The table of points as it was just written.
    fn print_csv(&self) -> Result<(), Failure> {
        let path = self.out.join("points.csv");
        let mut file = File::open(&path).map_err(|error| FileError::Read { path, error })?;
        printed(io::copy(&mut file, &mut io::stdout().lock()).map(drop))
    }
}
