"""The types that a strict checker sees are there, are true, and refuse what is wrong."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from conftest import ROOT

WRONG = Path(__file__).with_name("wrong_uses.py")


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_the_package_and_its_tests_pass_a_strict_checker() -> None:
    done = check("mypy")
    assert done.returncode == 0, done.stdout


def test_the_stubs_of_the_native_module_are_true() -> None:
    done = check("mypy.stubtest", "failover_sim._native")
    assert done.returncode == 0, done.stdout


def test_wrong_uses_are_refused() -> None:
    """Else the types might as well all be `Any`."""
    expected = {
        number: set(codes[1].split(","))
        for number, line in enumerate(WRONG.read_text().splitlines(), 1)
        if (codes := re.search(r"# wrong: ([\w,-]+)$", line)) is not None
    }
    found = defaultdict(set)
    for line in check("mypy", "--config-file=pyproject.toml", str(WRONG)).stdout.splitlines():
        if (complaint := re.match(r".*wrong_uses\.py:(\d+): error: .*\[([\w-]+)\]$", line)) is not None:
            found[int(complaint[1])].add(complaint[2])
    assert found == expected
