"""Bad input: the exception has the words of the command line."""

import copy
import functools
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import failover_sim as fs

INCIDENT = "experiments/01_incident_3am/any_phase_60s.toml"


def text_of(error: type[Exception], work: Callable[[], object]) -> str:
    with pytest.raises(error) as raised:
        work()
    assert type(raised.value) is error
    return str(raised.value)


def refusal(work: Callable[[], object]) -> str:
    return text_of(fs.InputError, work)


def test_one_class_for_bad_input_and_one_for_all() -> None:
    assert issubclass(fs.InputError, ValueError)
    assert issubclass(fs.InputError, fs.FailoverSimError)
    assert not issubclass(fs.FailoverSimError, ValueError)
    error = fs.InputError("what is wrong")
    assert str(pickle.loads(pickle.dumps(error))) == str(copy.copy(error)) == "what is wrong"
    assert f"{fs.InputError.__module__}.{fs.InputError.__qualname__}" == "failover_sim.InputError"


@pytest.mark.parametrize("path", ["experiments/01_incident_3am/any_phase_60.toml", "experiments/01_incident_3am"])
def test_a_file_that_cannot_be_read(path: str, cli: Callable[..., str]) -> None:
    said = refusal(lambda: fs.Scenario.load(path))
    assert said == {
        "experiments/01_incident_3am": "error: `experiments/01_incident_3am` is a folder\n"
        "  = help: name the scenario file in it",
        "experiments/01_incident_3am/any_phase_60.toml": "error: the scenario `experiments/01_incident_3am/any_phase_60.toml` does not exist\n"
        "  = help: did you mean `experiments/01_incident_3am/any_phase_60s.toml`?",
    }[path]


@pytest.mark.parametrize(
    "text",
    ["duration = 5\n", "duration = \n", 'duration = "1m"\n[gateway]\nhelth_check.interval = "5s"\n'],
    ids=["values", "no TOML", "names"],
)
def test_what_is_wrong_with_a_file(text: str, cli: Callable[..., str], tmp_path: Path) -> None:
    """All of it at once, with file, line and column: as the command line says it."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    expected = cli("run", path, code=2)
    said = refusal(lambda: fs.Scenario.load(path).run())
    assert said == expected.rstrip("\n")
    assert f"--> {path}:" in said
    if "no TOML" not in text and "=" in text and "duration = \n" not in text:
        assert refusal(lambda: fs.Scenario.load(path).check()) == said


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("gateway.health_check.interval", 5, "5"),
        ("gateway.health_check.interval", "5 parsecs", '"5 parsecs"'),
        ("gateway.health_check.interval", float("nan"), "nan"),
        ("gateway.health_check.interval", float("-inf"), "-inf"),
        ("traffic.arrivals.poisson", float("inf"), "inf"),
        ("gateway.health_check.interval", True, "true"),
        ("gateway.health_check.interval", -1.5, "-1.5"),
        ("gateway.health_check.interval", [], "[]"),
        ("gateway.helth_check.interval", "5s", '"5s"'),
        ("provider.claude_east.error_rate", 1.5, "1.5"),
        ("provider.claude_east.error_rate", float("nan"), "nan"),
        ("gateway.health_check.eject_after", 2**63, None),
        ("traffic.arrivals", {"poison": "5/s"}, '{ poison = "5/s" }'),
        ("gateway", "envoy", '"envoy"'),
        ("", 1, "1"),
    ],
)
def test_settings_that_are_refused(path: str, value: object, shown: str | None, cli: Callable[..., str]) -> None:
    """The place is Python's argument; all else is what `--set` is told."""
    scenario = fs.Scenario.load(INCIDENT)
    said = refusal(lambda: scenario.with_values({path: value}))  # type: ignore[dict-item]
    assert "with_values:1:" in said
    if shown is not None:
        expected = cli("run", INCIDENT, "--set", f"{path} = {shown}", code=2)
        assert said == expected.rstrip("\n").replace("--set:", "with_values:")


def test_the_first_setting_that_is_refused_is_named() -> None:
    scenario = fs.Scenario.load(INCIDENT)
    assert refusal(lambda: scenario.with_values({"gateway.health_check.interval": 5})) == (
        "error: `gateway.health_check.interval` is 5, without a unit\n"
        " --> with_values:1:33\n"
        "  |\n"
        "1 | gateway.health_check.interval = 5\n"
        "  |                                 ^\n"
        "  |\n"
        '  = help: write "5s" for seconds or "5ms" for milliseconds'
    )


@pytest.mark.parametrize("value", [None, object(), b"5s", {1: 2}, {"constant": None}, [None], 1j], ids=repr)
def test_what_is_no_value_of_any_setting(value: object) -> None:
    scenario = fs.Scenario.load(INCIDENT)
    said = text_of(TypeError, lambda: scenario.with_values({"traffic.arrivals": value}))  # type: ignore[dict-item]
    assert said.startswith("`traffic.arrivals` takes str, bool, int, float, datetime.timedelta, or a list or dict of these, not ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"runs": 0}, "error: `runs` is 0\n  = help: write a whole number from 1 to 1000000"),
        ({"runs": -1}, "error: `runs` is -1\n  = help: write a whole number from 1 to 1000000"),
        ({"runs": 10**30}, f"error: `runs` is {10**30}\n  = help: write a whole number from 1 to 1000000"),
        ({"seed": -1}, "error: `seed` is -1\n  = help: write a whole number from 0 to 18446744073709551615"),
        ({"threads": 0}, "error: `threads` is 0\n  = help: write a whole number from 1 to 1024"),
    ],
)
def test_numbers_beyond_their_range(arguments: dict[str, Any], said: str, small: fs.Scenario) -> None:
    assert refusal(lambda: small.run(**arguments)) == said
    assert refusal(lambda: fs.compare({"a": small, "b": small}, **arguments)) == said


def test_numbers_that_are_none(small: fs.Scenario) -> None:
    for wrong in ("30", 3.0, True):
        said = text_of(TypeError, lambda wrong=wrong: small.run(runs=wrong))  # type: ignore[misc]
        assert said == f"`runs` takes a whole number, not {type(wrong).__name__}"


def test_more_than_anybody_waits_for(small: fs.Scenario, cli: Callable[..., str], tmp_path: Path) -> None:
    """It is refused with the numbers and the words of the command line, but for options, unless somebody says yes."""
    path = tmp_path / "small.toml"
    path.write_text(small.with_values({"duration": "30d"}).to_toml())
    expected = cli("run", path, "--runs", 10**6, code=2)
    assert "events to simulate" in expected
    said = expected.replace("lower `--runs`, or go on with `--yes`", "lower `runs`, or go on with `yes=True`")
    assert refusal(lambda: fs.Scenario.load(path).run(runs=10**6)) == said.rstrip("\n") != expected.rstrip("\n")

    def at_once(done: int, total: int) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        fs.Scenario.load(path).run(runs=10**6, yes=True, progress=at_once)


def test_a_request_that_is_not_there(small: fs.Scenario, cli: Callable[..., str]) -> None:
    expected = cli("run", INCIDENT, "--explain", 10**6, code=2)
    assert refusal(lambda: fs.Scenario.load(INCIDENT).explain(10**6)) == expected.rstrip("\n")


def test_nothing_to_compare(small: fs.Scenario) -> None:
    expected = (
        "error: there is nothing to compare with\n"
        "  = help: give the baseline first, and then at least one scenario more"
    )
    for scenarios in ([], [small], {"small": small}):
        assert refusal(lambda scenarios=scenarios: fs.compare(scenarios)) == expected  # type: ignore[misc]


def test_scenarios_of_one_name(small: fs.Scenario) -> None:
    assert refusal(lambda: fs.compare([small, small])) == (
        "error: two scenarios are called `small`\n"
        "  = help: results are told apart by their names: give one another with `.named()`, or give a dict by name"
    )


def test_an_experiment_that_is_none(cli: Callable[..., str]) -> None:
    for path in ("experiments", "experiments/12_none", INCIDENT):
        said = refusal(lambda path=path: fs.compare(path))  # type: ignore[misc]
        assert said.startswith("error: ")


def test_all_scenarios_that_are_wrong(small: fs.Scenario) -> None:
    wrong = fs.Scenario.from_toml('duration = "1h"', name="wrong")
    assert "the file has no `traffic`" in refusal(lambda: fs.compare([small, wrong]))


untyped: Any = fs
AXES: Any = {"gateway.health_check.interval": ["1s", "5s"]}
SETTINGS = '{"gateway.health_check.interval": "5s"}'
WAYS = (
    "takes a scenario, Scenario.load(path), several in a list or in a dict by name, or the path of an experiment's folder, not "
)


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda s: untyped.compare(5), f"`scenarios` {WAYS}int"),
        (lambda s: untyped.compare(["a.toml"]), "`scenarios` has a str in it, which is no scenario: write Scenario.load('a.toml')"),
        (lambda s: untyped.compare({"a": s, "b": 5}), "`scenarios` has a int in it, which is no scenario"),
        (lambda s: untyped.sweep(None, axes=AXES), f"`experiment` {WAYS}NoneType"),
        (lambda s: untyped.sweep(b"x", axes=AXES), f"`experiment` {WAYS}bytes"),
        (lambda s: untyped.sweep(s, axes=["5s"]), '`axes` takes a dict, such as {"gateway.health_check.interval": ["1s", "5s"]}, not list'),
        (lambda s: untyped.sweep(s, cases=[{"a": 1}]), '`cases` takes a dict, such as {"fast": {"gateway.health_check.interval": "1s"}}, not list'),
        (lambda s: untyped.sweep(s, cases={"fast": 1}), f"`the case fast` takes a dict, such as {SETTINGS}, not int"),
        (lambda s: untyped.sweep(s, axes=AXES, until=5), '`until` takes a text, such as "failed_count 2%", not int'),
        (lambda s: untyped.sweep(s, axes=AXES, address=5), '`address` takes a host and port, such as "10.0.0.1:6379", not int'),
        (lambda s: untyped.sweep(s, axes=AXES, out=b"o"), "`out` takes a path, as a str or pathlib.Path, not bytes"),
        (lambda s: untyped.sweep(s, axes=AXES, resume="no"), "`resume` takes True or False, not str"),
        (lambda s: untyped.sweep(s, axes=AXES, progress="no"), "`progress` takes True, False or a function of two numbers, not str"),
        (lambda s: untyped.tune(s, axes=AXES, minimize=5), '`minimize` takes a metric, such as "failed_count", or a list of them, not 5'),
        (
            lambda s: untyped.tune(s, axes=AXES, minimize="failed_count", guesses=["x"]),
            '`guesses` takes a dict, such as {"gateway.health_check.interval": ["1s", "5s"]}, not list',
        ),
        (
            lambda s: untyped.tune(s, axes=AXES, minimize="failed_count", subject_to=5),
            '`subject_to` takes a list of criteria, such as ["probe_per_day <= 20000"], not int',
        ),
        (lambda s: untyped.tune(s, axes=AXES, minimize="failed_count", force=1), "`force` takes True or False, not int"),
        (lambda s: s.with_values(None), f"`values` takes a dict, such as {SETTINGS}, not NoneType"),
        (lambda s: s.with_values("x"), f"`values` takes a dict, such as {SETTINGS}, not str"),
        (lambda s: untyped.Scenario.load(b"x.toml"), "`path` takes a path, as a str or pathlib.Path, not bytes"),
        (lambda s: untyped.Scenario.from_toml(b"x"), "`text` takes the text of a scenario, as a str, not bytes"),
        (lambda s: s.named(None), "`name` takes a text, not NoneType"),
        (lambda s: s.run(progress=5.5), "`progress` takes True, False or a function of two numbers, not float"),
        (lambda s: s.run(yes="yes"), "`yes` takes True or False, not str"),
        (lambda s: s.run(yes=1), "`yes` takes True or False, not int"),
        (lambda s: list(s), "'Scenario' object is not iterable"),
    ],
)
def test_arguments_of_another_type(work: Callable[[Any], object], said: str, small: fs.Scenario) -> None:
    assert text_of(TypeError, lambda: work(small)) == said


def test_one_scenario_is_nothing_to_compare(small: fs.Scenario) -> None:
    assert "there is nothing to compare with" in refusal(lambda: fs.compare(small))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\n"])
def test_names_that_no_table_could_show(name: str, small: fs.Scenario) -> None:
    said = f"error: `name` is {name!r}\n  = help: write a name of one line, as results are told apart by it"
    assert refusal(lambda: small.named(name)) == said
    assert refusal(lambda: fs.Scenario.from_toml("", name)) == said
    assert refusal(lambda: fs.compare({name: small, "b": small})) == said


def test_settings_that_are_not_there(small: fs.Scenario) -> None:
    assert "gateway.health_check.interval" in small
    assert "gateway" not in small
    said = text_of(KeyError, lambda: small["gateway.health_check.intervall"])
    assert said == repr(
        "there is no setting `gateway.health_check.intervall` that has a value here: did you mean `gateway.health_check.interval`?"
    )
    assert text_of(KeyError, lambda: small["nothing.like.it"]).endswith("that has a value here'")


def test_messages_name_arguments_and_no_options(small: fs.Scenario, tmp_path: Path) -> None:
    out, tuned = tmp_path / "out", tmp_path / "tuned"
    path = "experiments/09_tune_health_check"
    swept = functools.partial(fs.sweep, small, axes=AXES)
    swept(out=out, runs=2)
    fs.tune(small, axes=AXES, minimize="failed_count", runs=2, out=tuned)
    cases: list[tuple[str, Callable[[], object]]] = [
        ("`resume=True`, start over with `force=True`", lambda: swept(out=out)),
        ("`force=True`", lambda: swept(out=out, resume=True, seed=2)),
        ("has no sweep that `resume=True` could go on with", lambda: swept(out=tuned, resume=True)),
        ("replace it with `force=True`", lambda: fs.tune(small, axes=AXES, minimize="failed_count", out=tuned)),
        ("lower `runs`, or go on with `yes=True`", lambda: fs.sweep(small.with_values({"duration": "30d"}), axes=AXES, runs=1_000_000)),
        ("lower `runs`, or go on with `yes=True`", lambda: small.with_values({"duration": "30d"}).run(runs=1_000_000)),
        ("raise `max_runs` to 9", lambda: swept(until="failed_count 2%", min_runs=9, max_runs=3)),
        ("`min_runs` is 9", lambda: swept(until="failed_count 2%", min_runs=9, max_runs=3)),
        ('`metrics="counts"` does not record', lambda: swept(until="request_latency_ms_p99 2%", metrics="counts")),
        ("another metric to `until`", lambda: swept(until="request_latency_ms_p99 2%", metrics="counts")),
        ("--> subject_to:1:1", lambda: fs.tune(path, subject_to="failed_count < many")),
        ("--> minimize:1:1", lambda: fs.tune(path, minimize="failed_counts")),
        ('`minimize="failed_count"`', lambda: fs.tune("experiments/02_health_check_interval")),
        ("or use `compare`", lambda: fs.sweep("experiments/01_incident_3am")),
        ("give one, or several: sweep(Scenario.load(path), axes=...)", lambda: fs.sweep([], axes=AXES)),
        ("give one, or several: tune(Scenario.load(path), axes=...)", lambda: fs.tune({}, axes=AXES, minimize="failed_count")),
        ("`design_seed` is -1", lambda: swept(design={"random": 2}, design_seed=-1)),
    ]
    for words, work in cases:
        said = refusal(work)
        assert words in said
        assert re.search(r"[ `>]--[a-z]", said) is None, said
    wrong: Any = "1"
    assert text_of(TypeError, lambda: swept(design_seed=wrong)) == "`design_seed` takes a whole number, not str"


@pytest.mark.parametrize("verb", [fs.sweep, functools.partial(fs.tune, minimize="failed_count")], ids=["sweep", "tune"])
def test_folders_that_nobody_means(
    verb: Callable[..., object], small: fs.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    play = functools.partial(verb, small, axes=AXES, runs=2)
    assert refusal(lambda: play(out="")) == (
        'error: `out` is empty\n  = help: name a folder, out="results/mine", or "." for this one'
    )
    for path in ("~/x", Path("~/x")):
        assert refusal(lambda path=path: play(out=path)) == (  # type: ignore[misc]
            "error: `out` begins with `~`, which stands for a home in a shell only\n"
            '  = help: write out=os.path.expanduser("~/x"), or "./~/x" for what is called so here'
        )
    assert text_of(TypeError, lambda: play(out=b"x")) == "`out` takes a path, as a str or pathlib.Path, not bytes"
    assert list(tmp_path.iterdir()) == []
    play(out="./~")
    assert [path.name for path in tmp_path.iterdir()] == ["~"]
