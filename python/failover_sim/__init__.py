"""How many requests will this gateway config lose? A deterministic discrete-event failover simulator.

>>> import failover_sim as fs
>>> scenario = fs.Scenario.load("experiments/01_incident_3am/any_phase_60s.toml")
>>> fast = scenario.with_values({"gateway.health_check.interval": "5s"}).named("fast")
>>> fs.compare([scenario, fast], runs=30)
<Comparison of fast with any_phase_60s: 30 runs, seed 1 each>
"""

from failover_sim._errors import FailoverSimError, InputError
from failover_sim._experiment import Axes, Cases, Design
from failover_sim._native import __version__
from failover_sim._progress import Progress
from failover_sim._runs import Comparison, Runs, compare
from failover_sim._scenario import Scenario, Setting, SettingValue
from failover_sim._sweep import Sweep, sweep
from failover_sim._table import Column, Table
from failover_sim._tune import Criterion, Tuning, tune

__all__ = [
    "Axes",
    "Cases",
    "Column",
    "Comparison",
    "Criterion",
    "Design",
    "FailoverSimError",
    "InputError",
    "Progress",
    "Runs",
    "Scenario",
    "Setting",
    "SettingValue",
    "Sweep",
    "Table",
    "Tuning",
    "__version__",
    "compare",
    "sweep",
    "tune",
]
