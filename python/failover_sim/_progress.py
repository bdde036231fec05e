"""How far long work is, on a terminal, in a notebook, or for whoever wants to know."""

import importlib
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, TypeAlias

Progress: TypeAlias = bool | Callable[[int, int], object] | None
"""Whether to show a bar; or what to call with the runs that are done and how many there are to do, 0 if nobody knows yet.

`None` shows one on a terminal and in a notebook, unless the environment variable `TQDM_DISABLE` is set. A bar appears
after a second, and is gone when the work is done.
"""

SHOWN_AFTER_SECONDS = 1.0
UNIT = " runs"


@contextmanager
def told(progress: Progress) -> Iterator[Callable[[int, int], object] | None]:
    """What the work calls with the runs that are done and how many there are to do; nothing where nobody looks."""
    if callable(progress):
        yield progress
    elif progress is False or os.environ.get("TQDM_DISABLE"):
        yield None
    elif _in_notebook():
        with _output() as tell:
            yield tell
    elif progress or (sys.stderr is not None and sys.stderr.isatty()):
        with _bar() as tell:
            yield tell
    else:
        yield None


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


@contextmanager
def _bar() -> Iterator[Callable[[int, int], object]]:
    """A line on a terminal."""
    from tqdm import tqdm

    bar = tqdm(total=None, unit=UNIT, delay=SHOWN_AFTER_SECONDS, leave=False, miniters=0)

    def tell(done: int, total: int) -> None:
        if total:
            bar.total = total
        bar.update(done - bar.n)

    try:
        yield tell
    finally:
        bar.close()


@contextmanager
def _output() -> Iterator[Callable[[int, int], object]]:
    """An output of the cell. It needs no widgets, and a notebook that is executed to be kept has nothing of it in the end."""
    from tqdm import tqdm

    display: Any = importlib.import_module("IPython.display").display
    name = uuid.uuid4().hex
    started = time.monotonic()
    first: int | None = None
    is_shown = False

    def show(html: str, text: str) -> None:
        nonlocal is_shown
        display({"text/html": html, "text/plain": text}, raw=True, display_id=name, update=is_shown)
        is_shown = True

    def tell(done: int, total: int) -> None:
        nonlocal first
        # What a sweep has already says nothing about how fast it is.
        if first is None and total:
            first = done
        seconds = time.monotonic() - started
        if seconds < SHOWN_AFTER_SECONDS:
            return
        text = tqdm.format_meter(done, total, seconds, ncols=0, unit=UNIT, initial=first or 0)
        share = f' max="{total}" value="{done}"' if total else ""
        show(f"<progress{share}></progress> {escape(text)}", text)

    try:
        yield tell
    finally:
        if is_shown:
            show("", "")
