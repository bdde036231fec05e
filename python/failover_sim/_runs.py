"""Runs of one scenario, or of several side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import SupportsIndex

from failover_sim import _html
from failover_sim import _native as native
from failover_sim._arguments import bar, file_path, flags, refuse, run_count, seed_number, thread_count
from failover_sim._experiment import named
from failover_sim._progress import Progress, told
from failover_sim._scenario import Scenario
from failover_sim._table import Table, Tables


class Runs(Tables):
    """What came of the runs of a scenario: tables, and the command line's words.

    Made by `Scenario.run`. The tables are those of `failover-sim run --out`, with the same values: `runs`, `points`,
    `faults` and `series`. Without a name, `to_polars`, `to_pandas` and `to_arrow` give `runs`.

    >>> import failover_sim as fs
    >>> runs = fs.Scenario.load("experiments/01_incident_3am/any_phase_5s.toml").run(runs=30)
    >>> runs
    <Runs of any_phase_5s: 30 runs, seed 1, 469 requests failed in the median run>
    >>> runs.points["failed_count_p50"]
    [469.0]
    >>> print(runs.summary.splitlines()[3])
    seed 1, 30 runs each                    failed in 95% of incidents          mean
    """

    TABLES: tuple[str, ...] = ("runs", "points", "faults", "series")

    def __init__(self, played: native.Played, threads: int | None) -> None:
        self._native = played
        self._threads = threads

    @property
    def seed(self) -> int:
        """The seed of all random numbers."""
        return self._native.seed

    @cached_property
    def runs(self) -> Table:
        """One row for each run of each scenario."""
        return Table(self._native.table("runs"))

    @cached_property
    def points(self) -> Table:
        """One row for each scenario: its runs together, with mean, interval and percentiles of every metric."""
        return Table(self._native.table("points"))

    @cached_property
    def faults(self) -> Table:
        """One row for each run, fault, provider that it hits, and replica of the gateway: when it was detected, and ended."""
        return Table(self._native.table("faults"))

    @cached_property
    def series(self) -> Table:
        """One row for each run and second, with its requests. It is large, and made by playing the runs once more."""
        with told(None) as tell:
            return Table(self._native.series(self._threads, tell))

    @cached_property
    def summary(self) -> str:
        """What the command line prints of it, in 80 columns."""
        return self._native.summary()

    def to_json(self) -> str:
        """All of it but rows of runs, for programs: what `failover-sim run --format json` prints."""
        return self._native.to_json()

    @property
    def scenarios(self) -> list[str]:
        """The names of the scenarios, in order."""
        return [str(name) for name in self.points["scenario"]]

    def __len__(self) -> int:
        """How many runs each scenario has."""
        return self._native.run_count

    def __str__(self) -> str:
        return self.summary

    def __repr__(self) -> str:
        failed = _html.number(self.points["failed_count_p50"][0])
        return f"<Runs of {self.scenarios[0]}: {self._size()}, {failed} requests failed in the median run>"

    def _size(self) -> str:
        return f"{_html.counted(len(self), 'run')}, seed {self.seed}"

    def _repr_html_(self) -> str:
        parts = [
            _html.paragraph(f"{self._size()}: requests without a good answer, and how it came about"),
            _html.scenarios(self.points._native, None),
            self._footnote(),
        ]
        return _html.page(parts)

    def _footnote(self) -> str:
        tables = ", ".join(f".{name}" for name in self.TABLES)
        return _html.note(f"tables: {tables}; in words: .summary")


class Comparison(Runs):
    """What came of the runs of several scenarios, run by run less the first one's, the baseline's.

    Made by `compare`. Run 7 sees the same random numbers in every scenario, so differences are taken run by run, and
    are certain far sooner than those of means. Without a name, `to_polars`, `to_pandas` and `to_arrow` give
    `differences`: a row for each scenario but the first and each metric, with the numbers of
    `failover-sim run --format json`; the columns are in `docs/columns.md`. The other tables are those of `Runs`, with the
    rows of all scenarios.
    """

    TABLES = ("differences", *Runs.TABLES)

    @cached_property
    def differences(self) -> Table:
        """One row for each scenario but the first, and each metric: what it differs by, and how sure that is."""
        return Table(self._native.differences())

    def __repr__(self) -> str:
        first, *others = self.scenarios
        return f"<Comparison of {', '.join(others)} with {first}: {self._size()} each>"

    def _repr_html_(self) -> str:
        parts = [
            _html.paragraph(f"{self._size()} each: requests without a good answer, and how it came about"),
            _html.scenarios(self.points._native, self.differences._native),
            self._footnote(),
        ]
        return _html.page(parts)


def play(job: native.Job, threads: SupportsIndex | None, progress: Progress, yes: bool) -> tuple[native.Played, int | None]:
    """Plays scenarios side by side, and says on how many threads."""
    count = thread_count(threads)
    flags(yes=yes)
    bar(progress)
    if not yes:
        job.check_size()
    with told(progress) as tell:
        return job.play(count, tell), count


def compare(
    scenarios: str | os.PathLike[str] | Sequence[Scenario] | Mapping[str, Scenario],
    *,
    runs: int | None = None,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress = None,
    yes: bool = False,
) -> Comparison:
    """Plays scenarios side by side, with the same random numbers.

    Args:
        scenarios: The baseline first, then what is compared with it; or a dict of them by the names they are to have in
            results; or the path of an experiment's folder, whose scenarios are compared.
        runs: Runs of each, 1 to 1,000,000; without it what the experiment says, or 100.
        seed: The seed of all random numbers: the same seed gives the same bytes.
        threads: 1 to 1024; without it, one for each core. The results are the same.
        progress: `True` or `False` for a bar or none; without it one is shown on a terminal and in a notebook. Or a
            function, which is called with the runs that are done and how many there are to do.
        yes: Go on although there is more to simulate than fits into minutes, or into memory.

    Raises:
        InputError: A scenario is not valid, two have the same name, there are fewer than two, or a number is beyond its
            range.
        KeyboardInterrupt: Somebody pressed Ctrl-C.

    >>> import failover_sim as fs
    >>> slow = fs.Scenario.load("experiments/01_incident_3am/any_phase_60s.toml").named("slow")
    >>> fast = slow.with_values({"gateway.health_check.interval": "5s"}).named("fast")
    >>> both = fs.compare([slow, fast], runs=30)
    >>> both
    <Comparison of fast with slow: 30 runs, seed 1 each>
    >>> failed = both.differences["metric"].index("failed_count")
    >>> both.differences["mean"][failed], both.differences["differs"][failed]
    (-3789.0666666666666, True)
    """
    count, number = None if runs is None else run_count(runs), seed_number(seed)
    if isinstance(scenarios, str | os.PathLike):
        job = native.Job.open(file_path("scenarios", scenarios), count, number)
        names = job.names
    else:
        compared = named("scenarios", scenarios)
        names = [scenario.name for scenario in compared]
        job = native.Job.of([scenario._native for scenario in compared], count, number)
    if len(names) < 2:
        raise refuse("there is nothing to compare with", "give the baseline first, and then at least one scenario more")
    return Comparison(*play(job, threads, progress, yes))
