"""Arguments, checked as the command line checks its own."""

import operator
import os
from typing import SupportsIndex

from failover_sim._errors import InputError

RUNS_MAX = 1_000_000
SEED_MAX = 2**64 - 1
THREADS_MAX = 1024


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
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"`{name}` takes a path, not {type(path).__name__}")
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
