"""How far long work is, on a terminal, in a notebook, or for whoever wants to know."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Progress: TypeAlias = bool | Callable[[int, int], object] | None
"""Whether to show a bar; or what to call with the runs that are done and how many there are to do, 0 if nobody knows yet.

`None` shows one on a terminal and in a notebook, unless the environment variable `TQDM_DISABLE` is set. A bar appears
after a second, and is gone when the work is done.
"""

SHOWN_AFTER_SECONDS = 1.0


@contextmanager
def told(progress: Progress) -> Iterator[Callable[[int, int], object] | None]:
    """What the work calls with the runs that are done and how many there are to do; nothing where nobody looks."""
    if callable(progress):
        yield progress
    elif progress or (progress is None and _somebody_looks()):
        with _bar() as tell:
            yield tell
    else:
        yield None


def _somebody_looks() -> bool:
    return _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


@contextmanager
def _bar() -> Iterator[Callable[[int, int], object]]:
    with warnings.catch_warnings():
        # Without widgets a notebook gets the bar of a terminal, which does as well.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    bar = tqdm(total=None, unit=" runs", delay=SHOWN_AFTER_SECONDS, leave=False, miniters=0)

    def tell(done: int, total: int) -> None:
        if total:
            bar.total = total
        bar.update(done - bar.n)

    try:
        yield tell
    finally:
        bar.close()
