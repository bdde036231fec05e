"""Arguments, checked as the command line checks its own."""

import difflib
import operator
import os
from collections.abc import Iterable, Mapping
from typing import Any, SupportsIndex

from failover_sim._errors import InputError

RUNS_MAX = 1_000_000
SEED_MAX = 2**64 - 1
THREADS_MAX = 1024

PATH = (str, os.PathLike)


def refuse(message: str, fix: str) -> InputError:
    """What is wrong with an argument, as problems of files read."""
    return InputError(f"error: {message}\n  = help: {fix}")


def whole(name: str, value: SupportsIndex, low: int, high: int) -> int:
    """A whole number within a range; `TypeError` for what is none."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"`{name}` takes a whole number, not {type(value).__name__}") from None
    if isinstance(value, bool):
        raise TypeError(f"`{name}` takes a whole number, not bool")
    if not low <= number <= high:
        raise refuse(f"`{name}` is {number}", f"write a whole number from {low} to {high}")
    return number


def run_count(runs: SupportsIndex) -> int:
    return whole("runs", runs, 1, RUNS_MAX)


def seed_number(seed: SupportsIndex) -> int:
    return whole("seed", seed, 0, SEED_MAX)


def folder_path(name: str, path: str | os.PathLike[str] | None) -> str | None:
    """The path of a folder to write to; `TypeError` for what is none."""
    if path is None:
        return None
    text = file_path(name, path)
    if not text:
        raise refuse(f"`{name}` is empty", f'name a folder, {name}="results/mine", or "." for this one')
    # A shell would have made it somebody's home.
    if text.startswith("~"):
        raise refuse(
            f"`{name}` begins with `~`, which stands for a home in a shell only",
            f'write {name}=os.path.expanduser("{text}"), or "./{text}" for what is called so here',
        )
    return text


def thread_count(threads: SupportsIndex | None) -> int | None:
    return None if threads is None else whole("threads", threads, 1, THREADS_MAX)


def of_type(name: str, value: object, kinds: type | tuple[type, ...], example: str) -> None:
    """`TypeError` with what to write, for what is of none of these types."""
    if not isinstance(value, kinds):
        raise TypeError(f"`{name}` takes {example}, not {type(value).__name__}")


def texts(**named: object) -> None:
    """Each of these arguments is a text, or left out."""
    for name, value in named.items():
        if value is not None:
            of_type(name, value, str, TEXTS[name])


def flags(**named: object) -> None:
    """Each of these arguments is `True` or `False`: what is neither might be meant as its opposite, as "no" is."""
    for name, value in named.items():
        of_type(name, value, bool, "True or False")


def file_path(name: str, value: object) -> str:
    """A path as a text."""
    of_type(name, value, PATH, "a path, as a str or pathlib.Path")
    path = os.fspath(value)  # type: ignore[call-overload]
    of_type(name, path, str, "a path, as a str or pathlib.Path")
    return str(path)


def mapping(name: str, value: object, example: str) -> Mapping[Any, Any]:
    """What is said by name or by path."""
    of_type(name, value, Mapping, f"a dict, such as {example}")
    assert isinstance(value, Mapping)
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"`{name}` has texts as keys, as in {example}, not {type(key).__name__}")
    return value


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The name that comes closest, as a question; nothing where none is close."""
    return "".join(f": did you mean `{near}`?" for near in difflib.get_close_matches(name, names, 1))


def bar(progress: object) -> None:
    """Whether to show a bar, or what to call."""
    if progress is not None and not isinstance(progress, bool) and not callable(progress):
        raise TypeError(f"`progress` takes True, False or a function of two numbers, not {type(progress).__name__}")


def readable_name(name: object) -> None:
    """A name that results can have: in a table's cell, and on one line."""
    of_type("name", name, str, "a text")
    assert isinstance(name, str)
    if not name.strip() or name.splitlines() != [name]:
        raise refuse(f"`name` is {name!r}", "write a name of one line, as results are told apart by it")


SETTINGS = '{"gateway.health_check.interval": "5s"}'
AXES = '{"gateway.health_check.interval": ["1s", "5s"]}'
CASES = '{"fast": {"gateway.health_check.interval": "1s"}}'

TEXTS = {
    "until": 'a text, such as "failed_count 2%"',
    "address": 'a host and port, such as "10.0.0.1:6379"',
    "text": "the text of a scenario, as a str",
}
