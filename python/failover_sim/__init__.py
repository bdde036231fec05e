"""How many requests will this gateway config lose? A deterministic discrete-event failover simulator."""

from failover_sim._native import FailoverSimError, InputError, Scenario, Table

__all__ = ["FailoverSimError", "InputError", "Scenario", "Table"]
