"""Experiments: scenarios and the values that their settings are swept over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from failover_sim import _native as native
from failover_sim._arguments import AXES, CASES, PATH, SETTINGS, file_path, mapping, refuse, whole
from failover_sim._scenario import Scenario, SettingValue

Axes: TypeAlias = Mapping[str, Iterable[SettingValue] | Mapping[str, SettingValue]]
"""By path: a list of values, or a range of them, `{"from": "1s", "to": "60s", "step": "1s"}`, with the keys that an axis
has in an experiment file: `from`, `to`, and one of `step` and `count` or, for a sampled design, neither; and `scale`, which
is `"linear"` or `"log"`. `{"values": [...], "scenarios": ["a"]}` is an axis of some scenarios only."""

Cases: TypeAlias = Mapping[str, Mapping[str, SettingValue]]
"""By name: settings that are made together, by path."""

Design: TypeAlias = str | Mapping[str, int]
"""Which values go together: `"grid"`, `{"random": 200}`, `{"latin_hypercube": 200}` or `{"sobol": 256}`."""

Experiment: TypeAlias = str | os.PathLike[str] | Scenario | Sequence[Scenario] | Mapping[str, Scenario]
"""The path of an experiment's folder; or a scenario, or several, or a dict of them by the names they are to have."""


ASKS = {"sweep": "How does it depend on {}?", "tune": "Which {} is best?"}
"""What is to be found out, where nobody has said."""

DESIGN_SEED_MAX = 1_000_000

ARGUMENTS = {"case": "cases", "keep": "keep", "design": "design", "seed": "design_seed"}
"""What settings of a `[sweep]` are called as arguments."""


def named(argument: str, scenarios: Scenario | Sequence[Scenario] | Mapping[str, Scenario]) -> list[Scenario]:
    """Scenarios of names that differ."""
    if isinstance(scenarios, Scenario):
        return [scenarios]
    if isinstance(scenarios, bytes) or not isinstance(scenarios, Iterable):
        raise TypeError(
            f"`{argument}` takes a scenario, Scenario.load(path), several in a list or in a dict by name, or the path of an "
            f"experiment's folder, not {type(scenarios).__name__}"
        )
    by_name = scenarios if isinstance(scenarios, Mapping) else None
    found: list[Scenario] = list(by_name.values()) if by_name is not None else [*scenarios]
    for scenario in found:
        if not isinstance(scenario, Scenario):
            path = f": write Scenario.load({str(scenario)!r})" if isinstance(scenario, PATH) else ""
            raise TypeError(f"`{argument}` has a {type(scenario).__name__} in it, which is no scenario{path}")
    if by_name is not None:
        return [scenario.named(name) for name, scenario in by_name.items()]
    for i, scenario in enumerate(found):
        if any(scenario.name == other.name for other in found[:i]):
            raise refuse(
                f"two scenarios are called `{scenario.name}`",
                "results are told apart by their names: give one another with `.named()`, or give a dict by name",
            )
    return found


def opened(
    verb: str,
    experiment: Experiment,
    runs: int | None,
    axes: Axes | None,
    swept: Mapping[str, object],
    tuned: Mapping[str, object] | None = None,
) -> native.Experiment:
    """The experiment at a path, or one that is made of scenarios, axes, and what else a `[sweep]` and a `[tune]` say.

    What is made is written as a file would be and read as files are, so that it is checked in the same way.
    """
    if isinstance(experiment, str | os.PathLike):
        given = "axes" if axes is not None else next((ARGUMENTS[n] for n, value in swept.items() if value is not None), None)
        if given is not None:
            raise refuse(
                f"`{given}` goes with scenarios, and {os.fspath(experiment)} is to have a sweep of its own",
                f"leave it out, or give scenarios: {verb}(Scenario.load(path), {given}=...)",
            )
        return native.Experiment.open(file_path("experiment", experiment))
    scenarios = named("experiment", experiment)
    if not scenarios:
        raise refuse(f"`{verb}` has no scenario", f"give one, or several: {verb}(Scenario.load(path), axes=...)")
    axes = None if axes is None else mapping("axes", axes, AXES)
    if not axes and not swept.get("case"):
        raise refuse(
            f"`{verb}` has no axis",
            'say which setting takes which values: axes={"gateway.health_check.interval": ["1s", "5s"]}',
        )
    listed = {path: _listed(path, values) for path, values in (axes or {}).items()}
    text = native.Experiment.written(
        ASKS[verb].format(_listing(list(listed)) or "the cases"),
        [f"{scenario.name}.toml" for scenario in scenarios],
        100 if runs is None else runs,
        listed,
        {name: value for name, value in swept.items() if value is not None},
        None if tuned is None else {name: value for name, value in tuned.items() if value is not None},
    )
    return native.Experiment.reopen(verb, text, [scenario._native for scenario in scenarios])


def _listed(path: str, values: Iterable[SettingValue] | Mapping[str, SettingValue]) -> object:
    if isinstance(values, Mapping):
        return plain(values)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(
            f'the axis `{path}` takes a list of values, or a range such as {{"from": "1s", "to": "60s", "count": 5}}, '
            f"not {type(values).__name__}"
        )
    return [plain(value) for value in values]


def _listing(paths: list[str]) -> str:
    *others, last = [f"`{path}`" for path in paths] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def written(
    cases: Cases | None, keep: Sequence[str] | None, design: Design | None, design_seed: int | None
) -> dict[str, object]:
    """What a `[sweep]` says beside its axes."""
    if design_seed is not None:
        whole("design_seed", design_seed, 0, DESIGN_SEED_MAX)
    told_cases = None
    if cases is not None:
        settings = {name: mapping(f"the case {name}", values, SETTINGS) for name, values in mapping("cases", cases, CASES).items()}
        told_cases = [{"name": name, "set": plain(values)} for name, values in settings.items()]
    return {"case": told_cases, "keep": plain(keep), "design": plain(design), "seed": design_seed}


def plain(value: object) -> object:
    """Other mappings and sequences as dicts and lists."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(inner) for inner in value]
    return value
