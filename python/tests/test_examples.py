"""Examples in docstrings do what they show."""

import doctest
import importlib
import pkgutil

import pytest

import failover_sim

MODULES = ["failover_sim", *(f"failover_sim.{module.name}" for module in pkgutil.iter_modules(failover_sim.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    if name != "failover_sim._native":
        assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_some() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(found) >= 7
