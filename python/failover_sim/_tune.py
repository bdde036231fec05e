"""The best settings on the axes of an experiment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from failover_sim import _html
from failover_sim import _native as native
from failover_sim._arguments import (
    AXES,
    SEED_MAX,
    bar,
    flags,
    folder_path,
    mapping,
    refuse,
    run_count,
    seed_number,
    thread_count,
    whole,
)
from failover_sim._experiment import Axes, Cases, Design, Experiment, opened, plain, written
from failover_sim._progress import Progress, told
from failover_sim._scenario import PlainValue, Scenario, SettingValue, _plain
from failover_sim._table import Table, Tables

Criterion: TypeAlias = str | Mapping[str, str | Sequence[str]]
"""What has to hold: `"failed_count.p95 <= 1000"`, or in some scenarios only
`{"expect": "false_ejection_per_day <= 1", "scenarios": ["calm_day"]}`."""


class Tuning(Tables):
    """The best settings that were found, and every candidate that was played.

    Made by `tune`. The table `candidates` is that of `failover-sim tune --out`, with the same values.

    >>> import failover_sim as fs
    >>> scenario = fs.Scenario.load("experiments/01_incident_3am/any_phase_60s.toml")
    >>> tuned = fs.tune(
    ...     scenario,
    ...     axes={"gateway.health_check.interval": ["5s", "15s", "60s"]},
    ...     minimize="failed_count",
    ...     subject_to=["probe_per_day <= 20000"],
    ...     runs=50,
    ... )
    >>> tuned
    <Tuning: gateway.health_check.interval = 15s>
    >>> tuned.recommended
    {'gateway.health_check.interval': '15s'}
    >>> tuned.candidates["standing"]
    ['infeasible', 'recommended', 'worse']
    """

    TABLES: tuple[str, ...] = ("candidates",)

    def __init__(self, tuned: native.Tuned, seed: int) -> None:
        self._native = tuned
        self.seed = seed
        """The seed of all random numbers."""

    @cached_property
    def candidates(self) -> Table:
        """One row for each combination of settings that was played, in the order in which the search thought of them.

        What was found of a constraint is in `constraint_0` and so on, in the order of `constraints`.
        """
        return Table(self._native.candidates())

    @property
    def recommended(self) -> dict[str, PlainValue] | None:
        """The best settings, by path; none if several objectives are traded, see `front`."""
        return None if self._native.recommended is None else _settings(self._native.recommended)

    @property
    def certain(self) -> dict[str, PlainValue] | None:
        """The best settings that meet all that has to hold by their whole intervals, where the recommended ones meet it by
        the estimate; none if those do too, or if there are no such settings."""
        return None if self._native.certain is None else _settings(self._native.certain)

    @property
    def front(self) -> list[dict[str, PlainValue]]:
        """The settings that no others beat in all objectives, where several are traded, in the order of the axes; empty if
        there is one objective."""
        return [_settings(found) for found in self._native.front]

    @property
    def constraints(self) -> list[str]:
        """What has to hold, in the order of the columns of `candidates`: what was found of the first is in `constraint_0`,
        with its interval in `constraint_0_ci95_low` and `constraint_0_ci95_high`, and whether it holds in
        `constraint_0_standing`."""
        return self._native.constraints

    @property
    def best(self) -> Scenario | None:
        """The scenario with the recommended settings; of several scenarios, the one that counts most.

        Run with the same seed, and as many runs as `run_count` says, it has the numbers of the table.
        """
        return next(iter(self.best_by_name.values()), None)

    @property
    def best_by_name(self) -> dict[str, Scenario]:
        """Each scenario with the recommended settings, those that count most first; empty if there are none."""
        return {scenario.name: Scenario._of(scenario) for scenario in self._native.best}

    @property
    def run_count(self) -> int:
        """Runs in each scenario that the answer rests on."""
        return self._native.runs

    @cached_property
    def summary(self) -> str:
        """What the command line prints of it, in 80 columns."""
        return self._native.summary()

    def to_json(self) -> str:
        """The answer, for programs: what `failover-sim tune --format json` prints."""
        return self._native.to_json()

    def __len__(self) -> int:
        """How many candidates were played."""
        return len(self.candidates)

    def __str__(self) -> str:
        return self.summary

    def __repr__(self) -> str:
        settings = [f"{path} = {value}" for path, value in (self.recommended or {}).items()]
        said = ", ".join(settings) or f"{_html.counted(len(self.front), 'candidate')} that none beats in all of {self._goal()}"
        return f"<Tuning: {said}>"

    def _goal(self) -> str:
        return f"{self._native.direction} {', '.join(self._native.objectives)}"

    def _repr_html_(self) -> str:
        constraints = self._native.constraints
        asked = f"{self._goal()}{', subject to ' if constraints else ''}{' and '.join(constraints)}"
        effort = f"{_html.counted(len(self), 'candidate')}, {_html.counted(self.run_count, 'run')} of the best, seed {self.seed}"
        candidates = self.candidates._native
        standing = candidates.column("standing", None)
        order = [nth for word in ("recommended", "front", "tied") for nth, found in enumerate(standing) if found == word]
        shown = order[:CANDIDATES_SHOWN]

        def column(name: str) -> list[_html.Value]:
            values = candidates.column(name, None)
            return [values[nth] for nth in shown]

        columns = [(_html.Heading(axis), list(map(_html.number, column(axis)))) for axis in self._native.axes]
        columns.append((_html.Heading("standing", is_text=True), [str(standing[nth]) for nth in shown]))
        for name in self._native.objectives:
            if name in self._native.axes:
                continue
            ends = zip(column(f"{name}_ci95_low"), column(f"{name}_ci95_high"), strict=True)
            columns.append((_html.Heading(name), list(map(_html.number, column(name)))))
            columns.append((_html.Heading(name, "95% CI"), [_html.span(low, high) for low, high in ends]))
        for nth, constraint in enumerate(constraints):
            columns.append((_html.Heading(constraint), list(map(_html.number, column(f"constraint_{nth}")))))
        rows = zip(*(texts for _, texts in columns), strict=True)
        more = [f"and {len(order) - len(shown):,} more that cannot be told from it"] if len(order) > len(shown) else []
        parts = [
            _html.paragraph(f"{asked}: {effort}"),
            _html.grid([heading for heading, _ in columns], rows),
            _html.note("; ".join([*more, "table: .candidates; settings: .recommended; scenario: .best; in words: .summary"])),
        ]
        return _html.page(parts)


CANDIDATES_SHOWN = 10


def tune(
    experiment: Experiment,
    *,
    axes: Axes | None = None,
    cases: Cases | None = None,
    keep: Sequence[str] | None = None,
    design: Design | None = None,
    design_seed: int | None = None,
    minimize: str | Sequence[str] | None = None,
    maximize: str | Sequence[str] | None = None,
    subject_to: str | Sequence[Criterion] | None = None,
    weights: Mapping[str, float] | None = None,
    guesses: Mapping[str, Sequence[SettingValue]] | None = None,
    runs: int | None = None,
    seed: int = 1,
    budget: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    threads: int | None = None,
    progress: Progress = None,
) -> Tuning:
    """Finds the best settings on some axes, over a mix of scenarios, with few runs.

    Args:
        experiment: The path of an experiment's folder, which has a `[sweep]` in its experiment.toml, and a `[tune]` unless
            it is said here what is to be found; or a scenario, or several, or a dict of them by name.
        axes: With scenarios: by path of a setting, the values that it can have, as in `sweep`. A range with neither `step`
            nor `count` is searched ever closer around the best.
        cases: With scenarios: settings that are made together, as in `sweep`.
        keep: With scenarios: only candidates for which all of these hold, as `"path <= path"` or `"path <= value"`.
        design: With scenarios: where to look first, as in `sweep`; `{"sobol": 64}` suits several ranges.
        design_seed: With scenarios: the seed of a sampled design, 0 to 1,000,000; 1 without it.
        minimize: What should be small: a metric, `"failed_count"`, of which the mean counts unless a statistic is named,
            `"failed_count.p95"`; or the path of an axis. Several are traded against each other.
        maximize: What should be large, instead.
        subject_to: What has to hold: `"probe_per_day <= 20000"`. With scenarios also for some of them only:
            `{"expect": "false_ejection_per_day <= 1", "scenarios": ["calm_day"]}`.
        weights: With scenarios: how often each comes, by its name, relative to the others; 1 unless said.
        guesses: With scenarios: by path, what else inputs could be that nobody has measured.
        runs: Runs in each scenario that the answer rests on, 1 to 1,000,000; without it what the experiment says, or 100.
        seed: The seed of all random numbers, 0 to 2^64 - 1.
        budget: How many runs may be simulated in all; without it, as many as it takes.
        out: A folder for a table of candidates, best.toml and the answer, as of `failover-sim tune --out`.
        force: Replace results in `out`.
        threads: 1 to 1024; without it, one for each core. The results are the same.
        progress: `True` or `False` for a bar or none; without it one is shown on a terminal and in a notebook. Or a
            function, which is called with the runs that are done and how many there may be, 0 without a budget.

    Raises:
        InputError: The experiment, a scenario, an axis or an argument is not valid, or `out` cannot be written to.
        TypeError: A value is none that any setting takes.
        FailoverSimError: No candidate meets what has to hold; or the disk failed.
        KeyboardInterrupt: Somebody pressed Ctrl-C.
    """
    flags(force=force)
    bar(progress)
    out = folder_path("out", out)
    if minimize is not None and maximize is not None:
        raise refuse("`minimize` and `maximize` exclude each other", "give only one of the two")
    if runs is not None:
        run_count(runs)
    if budget is not None:
        whole("budget", budget, 1, SEED_MAX)
    if force and out is None:
        raise refuse("`force` needs `out`", "name the folder with the results")
    number, pool = seed_number(seed), thread_count(threads)
    swept = written(cases, keep, design, design_seed)
    if subject_to is not None and not isinstance(subject_to, str | list | tuple):
        raise TypeError(f'`subject_to` takes a list of criteria, such as ["probe_per_day <= 20000"], not {type(subject_to).__name__}')
    criteria = [subject_to] if isinstance(subject_to, str) else list(subject_to or [])
    wanted = {"minimize": _several("minimize", minimize), "maximize": _several("maximize", maximize)}
    options: dict[str, object] = {"runs": runs, "seed": number, "budget": budget, "subject_to": [], "minimize": [], "maximize": []}
    if isinstance(experiment, str | os.PathLike):
        for name, value in (("weights", weights), ("guesses", guesses)):
            if value is not None:
                raise refuse(f"`{name}` goes with scenarios", "write it into the `[tune]` of the experiment.toml")
        if not all(isinstance(criterion, str) for criterion in criteria):
            raise refuse(
                "`subject_to` takes criteria of single scenarios with scenarios only",
                "write it into the `[tune]` of the experiment.toml, or give a text",
            )
        options |= {name: value or [] for name, value in wanted.items()} | {"subject_to": criteria}
        read = opened("tune", experiment, runs, axes, swept)
    else:
        if minimize is None and maximize is None:
            raise refuse("nobody has said what is to be found", 'give a metric: minimize="failed_count"')
        told_guesses = None if guesses is None else [{"path": p, "values": plain(v)} for p, v in mapping("guesses", guesses, AXES).items()]
        asked = wanted | {"subject_to": plain(criteria) or None, "weights": None if weights is None else plain(mapping("weights", weights, '{"night": 3}')), "guess": told_guesses}
        read = opened("tune", experiment, runs, axes, swept, asked)
    command = ["failover-sim", "tune"]
    with told(progress) as tell:
        return Tuning(native.tune(read, options, out, force, command, pool, tell), number)


def _settings(found: Sequence[tuple[str, str]]) -> dict[str, PlainValue]:
    return {path: _plain(value) for path, value in found}


def _several(argument: str, names: str | Sequence[str] | None) -> list[str] | None:
    if names is None:
        return None
    found = [names] if isinstance(names, str) else names
    if not isinstance(found, Sequence) or not all(isinstance(name, str) for name in found):
        raise TypeError(f'`{argument}` takes a metric, such as "failed_count", or a list of them, not {names!r}')
    return list(found)
