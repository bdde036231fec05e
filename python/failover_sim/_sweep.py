"""Every point of a sweep."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from failover_sim import _html, _ray
from failover_sim import _native as native
from failover_sim._arguments import RUNS_MAX, bar, flags, folder_path, refuse, run_count, seed_number, texts, thread_count, whole
from failover_sim._experiment import Axes, Cases, Design, Experiment, opened, written
from failover_sim._progress import Progress, told
from failover_sim._table import Table, Tables


class Sweep(Tables):
    """What came of every point of a sweep: tables, which are read from its ledger when somebody asks for them.

    Made by `sweep`. The tables are those of `failover-sim sweep`, with the same values: `points`, `runs` and `faults`.
    Without a name, `to_polars`, `to_pandas` and `to_arrow` give `points`. A library that takes Arrow streams takes rows as
    they are read, so `runs` need not fit in memory: `pyarrow.RecordBatchReader.from_stream(swept.runs)`.

    A point that failed has no value but its settings and, in the column `error` of `points`, why.

    >>> import failover_sim as fs
    >>> scenario = fs.Scenario.load("experiments/01_incident_3am/any_phase_60s.toml")
    >>> swept = fs.sweep(scenario, axes={"gateway.health_check.interval": ["5s", "60s"]}, runs=30)
    >>> swept
    <Sweep of 2 points: 30 runs, seed 1 each>
    >>> swept.axes
    ['gateway.health_check.interval_ms']
    >>> dict(zip(swept.points[swept.axes[0]], swept.points["failed_count_p50"]))
    {5000.0: 4980.5, 60000.0: 8427.5}
    """

    TABLES: tuple[str, ...] = ("points", "runs", "faults")

    def __init__(self, swept: native.Swept, seed: int, folder: Path | None) -> None:
        self._native = swept
        self.seed = seed
        """The seed of all random numbers."""
        self.folder = folder
        """The folder with the results; none if they go with this object."""

    @cached_property
    def points(self) -> Table:
        """One row for each point: its runs together, with mean, interval and percentiles of every metric."""
        return Table(self._native.table("points"))

    @cached_property
    def runs(self) -> Table:
        """One row for each run of each point."""
        return Table(self._native.table("runs"))

    @cached_property
    def faults(self) -> Table:
        """One row for each run, fault, provider that it hits, and replica of the gateway: when it was detected, and ended."""
        return Table(self._native.table("faults"))

    @property
    def axes(self) -> list[str]:
        """The columns of the swept settings, in order."""
        return self._native.axes

    @property
    def failed_count(self) -> int:
        """How many points failed: the column `error` of `points` says why."""
        return self._native.failed_count

    @property
    def summary(self) -> str:
        """How much was played, and where it is: what the command line prints."""
        return f"{_html.counted(len(self), 'point')} of {self._runs()}" if self.folder is None else self._native.summary()

    def __len__(self) -> int:
        """How many points there are, those that failed included."""
        return self._native.point_count

    def __str__(self) -> str:
        return self.summary

    def _runs(self) -> str:
        fewest, most = self._native.run_counts
        return ("" if fewest == most else f"{fewest:,} to ") + _html.counted(most, "run")

    def __repr__(self) -> str:
        failed = f", {self.failed_count:,} failed" if self.failed_count else ""
        return f"<Sweep of {_html.counted(len(self), 'point')}: {self._runs()}, seed {self.seed} each{failed}>"

    def _repr_html_(self) -> str:
        failed = f"; {self.failed_count:,} failed" if self.failed_count else ""
        said = f"{_html.counted(len(self), 'point')}, {self._runs()} each, seed {self.seed}{failed}"
        parts = [_html.paragraph(f"{said}: requests without a good answer, and how it came about"), self._first_points()]
        more = [f"and {len(self) - POINTS_SHOWN:,} more points"] if len(self) > POINTS_SHOWN else []
        tables = ", ".join(f".{name}" for name in self.TABLES)
        return _html.page([*parts, _html.note("; ".join([*more, f"tables: {tables}"]))])

    def _first_points(self) -> str:
        def column(name: str) -> list[_html.Value]:
            return self.points._native.column(name, POINTS_SHOWN)

        units = {column.name: column.unit for column in self.points.columns}
        columns: list[tuple[_html.Heading, list[str]]] = []
        if len(set(column("scenario"))) > 1:
            columns.append((_html.Heading("scenario", is_text=True), [str(name) for name in column("scenario")]))
        for axis in self.axes:
            unit = "" if units[axis] in ("text", "number", "the setting's") else units[axis]
            columns.append((_html.Heading(axis, unit), list(map(_html.number, column(axis)))))
        failed = zip(column("failed_count_pi95_low"), column("failed_count_pi95_high"), strict=True)
        columns += [
            (_html.Heading("failed", "median run"), list(map(_html.number, column("failed_count_p50")))),
            (_html.Heading("failed", "95% of runs"), [_html.span(low, high) for low, high in failed]),
            (_html.Heading("availability", "median run"), list(map(_html.share, column("availability_ratio_p50")))),
        ]
        if any(value is not None for value in column("cost_usd_mean")):
            columns.append((_html.Heading("cost", "USD, mean"), list(map(_html.number, column("cost_usd_mean")))))
        if any(value is not None for value in column("error")):
            columns.append((_html.Heading("error", is_text=True), ["" if e is None else str(e) for e in column("error")]))
        headings = [heading for heading, _ in columns]
        return _html.grid(headings, zip(*(texts for _, texts in columns), strict=True))


POINTS_SHOWN = 10


def sweep(
    experiment: Experiment,
    *,
    axes: Axes | None = None,
    cases: Cases | None = None,
    keep: Sequence[str] | None = None,
    design: Design | None = None,
    design_seed: int | None = None,
    runs: int | None = None,
    seed: int = 1,
    until: str | None = None,
    min_runs: int | None = None,
    max_runs: int | None = None,
    metrics: Literal["all", "counts"] = "all",
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    force: bool = False,
    yes: bool = False,
    threads: int | None = None,
    engine: Literal["ray"] | None = None,
    shards: int | None = None,
    address: str | None = None,
    progress: Progress = None,
) -> Sweep:
    """Plays every point of a sweep, all with the same random numbers.

    Args:
        experiment: The path of an experiment's folder, which has a `[sweep]` in its experiment.toml; or a scenario, or
            several, or a dict of them by the names they are to have in results.
        axes: With scenarios: by path of a setting, a list of the values that it takes, or a range of them,
            `{"from": "1s", "to": "60s", "step": "1s"}`, with the keys of a range in an experiment file. Values are as in
            `Scenario.with_values`. In a grid the last axis varies fastest.
        cases: With scenarios: settings that are made together, by the case's name and by path.
        keep: With scenarios: only points for which all of these hold, as `"path <= path"` or `"path <= value"`.
        design: With scenarios: which values go together: `"grid"`, all of them, without it; or `{"random": 200}`,
            `{"latin_hypercube": 200}` or `{"sobol": 256}`, with so many points for each scenario.
        design_seed: With scenarios: the seed of a sampled design, 0 to 1,000,000; 1 without it.
        runs: Runs of each point, 1 to 1,000,000; without it what the experiment says, or 100.
        seed: The seed of all random numbers, 0 to 2^64 - 1: the same seed gives the same bytes.
        until: Give a point more runs until half its interval is this narrow: `"failed_count 2%"`,
            `"failed_count.p95 50"`.
        min_runs: With `until`: runs of a point at least, 2 to 1,000,000; 10 without it.
        max_runs: With `until`, instead of `runs`: runs of a point at most, 2 to 1,000,000.
        metrics: With `"counts"`, no latency is recorded, which is faster.
        out: The folder to write to, as `failover-sim sweep --out` does, which `sweep --resume`, `merge` and `report` of the
            command line take; its tables are CSV files, of points and runs. Without it results lie in a temporary folder
            that goes with the last of their tables.
        resume: Go on with the sweep in `out`, or give its points more runs: what is there is not played again. Parquet files
            that the command line has written there are removed, as only it can write them anew.
        force: Replace results in `out`; files that are not results stay.
        yes: Go on although there is more to simulate than fits into minutes.
        threads: 1 to 1024; without it, one for each core. The results are the same.
        engine: Without it, the sweep is played on this machine; `"ray"` has a Ray cluster play it, for which `out` is to
            be on a file system that all nodes share, see docs/how-to/ray.md. `threads` are then the cores that each
            task takes, 1 without it.
        shards: With `engine`: into how many tasks the points are cut, one for each point at most; without it, eight
            for each core of the cluster.
        address: With `engine`: the host and port of the cluster's head, such as `"10.0.0.1:6379"`; without it the
            cluster that this process is connected to, that `RAY_ADDRESS` names, or that has a node on this machine.
        progress: `True` or `False` for a bar or none; without it one is shown on a terminal and in a notebook. Or a
            function, which is called with the runs that are done and how many there are to do.

    Warns:
        UserWarning: Points fail, the others are played; what was kept of the sweep is damaged, and is played again; or
            Parquet files are removed.

    Raises:
        InputError: The experiment, a scenario, an axis or an argument is not valid, no point is; or `out` cannot be
            written to, has something else, or is being written by another process. With `engine`: there is no cluster,
            or a node does not share `out` or has another build.
        TypeError: A value is none that any setting takes.
        FailoverSimError: The disk failed midway.
        KeyboardInterrupt: Somebody pressed Ctrl-C. What was played is kept in `out`, and `resume=True` goes on with it.

    >>> import failover_sim as fs
    >>> scenario = fs.Scenario.load("experiments/01_incident_3am/any_phase_5s.toml")
    >>> swept = fs.sweep(
    ...     scenario,
    ...     axes={"gateway.health_check.eject_after": [1, 2, 3], "gateway.health_check.interval": {"from": "2s", "to": "8s", "step": "2s"}},
    ...     keep=["gateway.health_check.eject_after < 3"],
    ...     runs=3,
    ...     metrics="counts",
    ... )
    >>> len(swept), swept.points["failed_count_p50"][:4]
    (8, [251.0, 347.0, 443.0, 539.0])
    """
    texts(until=until, address=address)
    flags(resume=resume, force=force, yes=yes)
    bar(progress)
    out = folder_path("out", out)
    run_counts(runs, until, min_runs, max_runs)
    if metrics not in ("all", "counts"):
        raise refuse(f"`metrics` is {metrics!r}", 'choose "all" or "counts"')
    if resume and force:
        raise refuse("`resume` goes on with what `force` would replace", "give only one of the two")
    if engine not in (None, "ray"):
        raise refuse(f"`engine` is {engine!r}", 'choose "ray", or leave it out to play on this machine')
    for name, value in (("shards", shards), ("address", address)):
        if value is not None and engine is None:
            raise refuse(f"`{name}` needs `engine`", 'add engine="ray", or leave it out to play on this machine')
    if engine is not None and out is None:
        raise refuse('`engine="ray"` needs `out`', "name a folder on a file system that all nodes share")
    if out is None and (resume or force):
        raise refuse(f"`{'resume' if resume else 'force'}` needs `out`", "name the folder with the results")
    options = {
        "runs": runs,
        "seed": seed_number(seed),
        "until": until,
        "min_runs": min_runs,
        "max_runs": max_runs,
        "counts_only": metrics == "counts",
        "yes": yes,
    }
    pool = thread_count(threads)
    read = opened("sweep", experiment, runs, axes, written(cases, keep, design, design_seed))
    # The traceback of an exception keeps all that is named here: without this the folder would be locked as long.
    with ExitStack() as undone:
        guard = _TemporaryFolder() if out is None else None
        if guard is not None:
            undone.callback(guard.remove)
        folder = out if out is not None else guard.path if guard is not None else ""
        loses_parquet = resume and any(Path(folder, f"{name}.parquet").exists() for name in Sweep.TABLES)
        with _ray.connected(address, shards) if engine == "ray" else nullcontext() as cluster:
            open_sweep = native.open_sweep(read, options, folder, resume, force, guard, pool if cluster is None else None)
            undone.callback(open_sweep.close)
            if loses_parquet:
                warnings.warn(
                    f"this build writes CSV only, of runs and points: the Parquet files in {folder} are removed, as they "
                    "would be out of date; `failover-sim sweep --resume` writes them anew",
                    stacklevel=2,
                )
            for note in open_sweep.notes:
                warnings.warn(note, stacklevel=2)
            with told(progress) as tell:
                if cluster is not None:
                    cluster.play(open_sweep, shards, pool, tell)
                swept = open_sweep.play(_command(experiment, options), pool, tell)
        for note in swept.notes:
            warnings.warn(note, stacklevel=2)
        undone.pop_all()
    return Sweep(swept, seed, None if out is None else Path(out))


def run_counts(runs: int | None, until: str | None, min_runs: int | None, max_runs: int | None) -> None:
    """Checks how many runs points get."""
    if runs is not None:
        run_count(runs)
    for name, count in (("min_runs", min_runs), ("max_runs", max_runs)):
        if count is None:
            continue
        whole(name, count, 2, RUNS_MAX)
        if until is None:
            raise refuse(f"`{name}` needs `until`", 'say how narrow an interval should be: until="failed_count 2%"')
    if max_runs is not None and runs is not None:
        raise refuse("`runs` and `max_runs` say the same", "give only one of the two")


def _command(experiment: Experiment, options: Mapping[str, Any]) -> list[str]:
    """The command line that does the same, where there is one."""
    if not isinstance(experiment, str | os.PathLike):
        return ["failover-sim", "sweep"]
    names = ("runs", "seed", "until", "min_runs", "max_runs")
    given = [(f"--{name.replace('_', '-')}", str(options[name])) for name in names if options[name] is not None]
    counts = ["--metrics", "counts"] if options["counts_only"] else []
    return ["failover-sim", "sweep", os.fspath(experiment), *(word for pair in given for word in pair), *counts]


class _TemporaryFolder:
    """A folder that is there as long as this object, and no longer than the process that made it."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="failover-sim-")
        self.remove = weakref.finalize(self, _remove, self.path, os.getpid())


def _remove(folder: str, owner: int) -> None:
    # A process that was forked has this object too, and the folder is not its own.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
