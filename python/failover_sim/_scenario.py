"""A scenario: what is simulated."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias

from failover_sim import _html
from failover_sim import _native as native
from failover_sim._arguments import (
    SEED_MAX,
    SETTINGS,
    did_you_mean,
    file_path,
    mapping,
    readable_name,
    run_count,
    seed_number,
    texts,
    whole,
)

if TYPE_CHECKING:
    from failover_sim._progress import Progress
    from failover_sim._runs import Runs

SettingValue: TypeAlias = "str | bool | int | float | timedelta | Sequence[SettingValue] | Mapping[str, SettingValue]"
"""A value of a setting: times as `"5s"` or a `timedelta`, rates as `"20/s"`, shares from 0 to 1."""

PlainValue: TypeAlias = "str | bool | int | float | list[PlainValue] | dict[str, PlainValue]"
"""A value of a setting, as it is read: times and rates are texts."""


class Setting(NamedTuple):
    """A setting of a scenario: its path, such as `gateway.health_check.interval`; its value; and where that came from: a file
    and line, `with_values`, or `default`."""

    path: str
    value: PlainValue
    origin: str


class Scenario:
    """What is simulated: traffic, providers and their faults, and a gateway. It does not change.

    Made by `Scenario.load` or `Scenario.from_toml`. All settings are in `docs/settings.md`. Two are equal if they have the
    same name and the same settings. It can be pickled, and so sent to other processes: parts travel with it, and only a
    recorded trace is still read from its file.

    >>> import failover_sim as fs
    >>> scenario = fs.Scenario.load("experiments/01_incident_3am/any_phase_60s.toml")
    >>> scenario
    <Scenario any_phase_60s>
    >>> scenario["gateway.health_check.interval"]
    '60s'
    >>> fast = scenario.with_values({"gateway.health_check.interval": "5s"}).named("fast")
    >>> fast.run(runs=3).runs["failed_count"]
    [4906, 4893, 5397]
    """

    _native: native.Scenario

    def __init__(self) -> None:
        raise TypeError("a scenario is made by Scenario.load(path) or Scenario.from_toml(text)")

    @classmethod
    def _of(cls, read: native.Scenario) -> Scenario:
        scenario = object.__new__(cls)
        scenario._native = read
        return scenario

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Scenario:
        """Reads a scenario file.

        Args:
            path: The file; parts that it names are looked up beside it. The scenario is called as the file is, without
                its extension.

        Raises:
            InputError: It cannot be read, or is not TOML. What else is wrong with it is said by `check` and `run`, all at
                once.
        """
        return cls._of(native.Scenario.load(file_path("path", path)))

    @classmethod
    def from_toml(cls, text: str, name: str = "scenario") -> Scenario:
        """Reads a scenario from a text, as a file has it.

        Args:
            text: The TOML.
            name: What it is called in results and messages. Parts are looked up in the working directory.

        Raises:
            InputError: It is not TOML.

        >>> import failover_sim as fs
        >>> scenario = fs.Scenario.from_toml('''
        ... duration = "10m"
        ... traffic.arrivals = { constant = "20/s" }
        ... provider.primary.latency = { constant = "800ms" }
        ... [fault.outage]
        ... on = { name = "primary" }
        ... at = "2m"
        ... lasts = "30s"
        ... requests = { status = 503 }
        ... probes = "hang"
        ... in_flight = "finish"
        ... ''', name="half a minute")
        >>> scenario.run(runs=1).runs["failed_count"]
        [600]
        """
        texts(text=text)
        readable_name(name)
        return cls._of(native.Scenario.parse(text, name))

    @property
    def name(self) -> str:
        """What it is called in results."""
        return self._native.name

    @property
    def about(self) -> str | None:
        """What it says it is about."""
        return self._native.about

    def named(self, name: str) -> Scenario:
        """The same scenario under another name, which is a line of text.

        Raises:
            InputError: The name is empty, or has more than one line.
        """
        readable_name(name)
        return self._of(self._native.named(name))

    def with_values(self, values: Mapping[str, SettingValue]) -> Scenario:
        """The same scenario with other settings. They are made in order, as with `--set` on the command line.

        Args:
            values: By path, such as `gateway.health_check.interval`. A time is a text with its unit, `"250ms"`, `"1m 30s"`,
                or a `datetime.timedelta`; a rate is a text, `"20/s"`; a share is a number from 0 to 1; a list or dict sets
                a whole list or table.

        Raises:
            InputError: There is no such setting, or it takes no such value.
            TypeError: It is no dict, or a value is none that any setting takes.

        >>> import failover_sim as fs
        >>> scenario = fs.Scenario.load("experiments/01_incident_3am/any_phase_60s.toml")
        >>> scenario.with_values({"gateway.health_check.interval": 5})
        Traceback (most recent call last):
        ...
        failover_sim.InputError: error: `gateway.health_check.interval` is 5, without a unit
         --> with_values:1:33
          |
        1 | gateway.health_check.interval = 5
          |                                 ^
          |
          = help: write "5s" for seconds or "5ms" for milliseconds
        """
        return self._of(self._native.with_values(dict(mapping("values", values, SETTINGS)), "with_values"))

    def check(self) -> None:
        """Says all that is wrong with it.

        Raises:
            InputError: Something is.
        """
        self._native.check()

    @property
    def settings(self) -> list[Setting]:
        """Every setting that has a value, defaults included: what `failover-sim run --resolved` prints."""
        return [Setting(path, _plain(value), origin) for path, value, origin in self._native.resolved()]

    @property
    def values(self) -> dict[str, PlainValue]:
        """The values of all settings by path, defaults included."""
        return {setting.path: setting.value for setting in self.settings}

    def __getitem__(self, path: str) -> PlainValue:
        """The value of a setting, or its default.

        Raises:
            KeyError: There is no such setting, or it has no value here.
        """
        values = self.values
        if path not in values:
            raise KeyError(f"there is no setting `{path}` that has a value here{did_you_mean(str(path), values)}")
        return values[path]

    def __contains__(self, path: object) -> bool:
        """Whether a setting has a value, or a default."""
        return path in self.values

    __iter__: ClassVar[None] = None
    """A scenario is no list: `values` has its settings."""

    def to_toml(self) -> str:
        """The scenario as one text that stands by itself: parts and settings are in it, defaults are left out."""
        return self._native.to_toml()

    def run(
        self,
        *,
        runs: int = 100,
        seed: int = 1,
        threads: int | None = None,
        progress: Progress = None,
        yes: bool = False,
    ) -> Runs:
        """Plays runs of the scenario.

        Args:
            runs: How many, 1 to 1,000,000.
            seed: The seed of all random numbers, 0 to 2^64 - 1: the same seed gives the same bytes.
            threads: 1 to 1024; without it, one for each core. The results are the same.
            progress: `True` or `False` for a bar or none; without it one is shown on a terminal and in a notebook. Or a
                function, which is called with the runs that are done and how many there are to do.
            yes: Go on although there is more to simulate than fits into minutes, or into memory.

        Raises:
            InputError: The scenario is not valid, a number is beyond its range, or there is more to simulate than fits into
                minutes.
            KeyboardInterrupt: Somebody pressed Ctrl-C.
        """
        from failover_sim._runs import Runs, play

        job = native.Job.of([self._native], run_count(runs), seed_number(seed))
        return Runs(*play(job, threads, progress, yes))

    def explain(self, request: int, *, run: int = 0, seed: int = 1) -> str:
        """The life of one request, and why each provider was chosen or skipped.

        Args:
            request: Its place in the order of arrival, from 0.
            run: The run that it is in, from 0.
            seed: The seed of all random numbers.

        Raises:
            InputError: The scenario is not valid, or the run has no such request.
        """
        request = whole("request", request, 0, SEED_MAX)
        run = whole("run", run, 0, SEED_MAX)
        return self._native.explain(request, run, seed_number(seed))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scenario):
            return NotImplemented
        return (self.name, self.to_toml()) == (other.name, other.to_toml())

    def __hash__(self) -> int:
        return hash((self.name, self.to_toml()))

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return Scenario.from_toml, (self.to_toml(), self.name)

    def __repr__(self) -> str:
        return f"<Scenario {self.name}>"

    def _repr_html_(self) -> str:
        settings = self.settings
        given = [setting for setting in settings if setting.origin != "default"]
        # What was set here is what somebody wants to see.
        given.sort(key=lambda setting: not setting.origin.startswith("with_values"))
        rows = [(path, _html.shortened(str(value)), origin) for path, value, origin in given[:SETTINGS_SHOWN]]
        headings = [_html.Heading(title, is_text=True) for title in ("setting", "value", "from")]
        said = f"{_html.counted(len(given), 'setting')}, and {len(settings) - len(given)} at their default"
        more = f"and {len(given) - len(rows)} more; " if len(given) > len(rows) else ""
        return _html.page(
            [
                _html.paragraph(f"scenario {self.name}"),
                *([_html.paragraph(self.about)] if self.about is not None else []),
                _html.folded(said, _html.grid(headings, rows) + _html.note(f"{more}all are in .settings")),
            ]
        )


SETTINGS_SHOWN = 15


def _plain(value: str) -> PlainValue:
    """A value of its TOML."""
    plain: PlainValue = tomllib.loads(f"value = {value}")["value"]
    return plain
