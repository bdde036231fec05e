"""A sweep on a Ray cluster: a task for each shard, which writes a segment of the ledger into a folder that all nodes share.

Ray carries orders out and nothing else: what is played lies in the folder, so whatever happens to nodes, to the cluster or
to this process, the sweep goes on from there, on a cluster or on one machine.
"""

from __future__ import annotations

import importlib
import logging
import os
import secrets
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from failover_sim import _native as native
from failover_sim._arguments import refuse, whole
from failover_sim._errors import FailoverSimError, InputError

RETRIES = 3
"""How often a shard is played again after a worker or a node that played it died."""

SHARDS_MAX = 100_000
SHARDS_A_CORE = 8
"""So many that the last ones keep all cores busy, and that a node that dies costs little."""

TICK_SECONDS = 0.5
"""How often results are taken in and progress is told."""

CONNECT_SECONDS = 5.0
"""A head that does not take a connection within this time is not there: Ray itself would try for two minutes."""

Tell = Callable[[int, int], object]


class Cluster:
    """A Ray cluster that this process is connected to."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def play(self, sweep: native.OpenSweep, shards: int | None, threads: int | None, tell: Tell | None) -> None:
        """Has the cluster play what the sweep's folder lacks, and takes it in.

        Each task takes `threads` cores, 1 if none are named.
        """
        threads = threads or 1
        shards = shards or min(sweep.point_count, SHARDS_MAX, SHARDS_A_CORE * max(1, self._cores() // threads))
        self._warn_of_small_nodes(threads)
        token = secrets.token_hex(4)
        driver = f"{socket.gethostname()}, process {os.getpid()}, {token}"
        try:
            self._carry_out(sweep, native.orders(sweep, shards, driver, token), threads, tell)
        except BaseException:
            # The folder is free again at once, and tasks that still play write nothing.
            sweep.close()
            raise

    def _carry_out(self, sweep: native.OpenSweep, orders: list[native.Order], threads: int, tell: Tell | None) -> None:
        ray = self._ray
        task = ray.remote(num_cpus=threads, max_retries=RETRIES, name="failover_sim.sweep")(_task())
        total, done = sweep.run_counts
        open_orders = {task.remote(order.text(), threads): order for order in orders}
        died: list[tuple[native.Order, str]] = []
        try:
            while open_orders:
                if tell is not None:
                    tell(done, total)
                # All that came within a while at once, as each call looks at all that are open.
                ready, _ = ray.wait(list(open_orders), num_returns=len(open_orders), timeout=TICK_SECONDS)
                for reference in ready:
                    order = open_orders.pop(reference)
                    try:
                        kind, text, node = ray.get(reference)
                    except ray.exceptions.RayError as error:
                        # The others go on: what they play is kept.
                        died.append((order, _first_line(error)))
                        continue
                    if kind:
                        raise (InputError if kind == "input" else FailoverSimError)(f"{text}\n(shard {order.shard} on {node})")
                    native.take_order(sweep, order)
                    done += order.runs
        finally:
            for reference in open_orders:
                ray.cancel(reference, force=False)
        if died:
            names = ", ".join(order.shard for order, _ in died[:3]) + (" and more" if len(died) > 3 else "")
            raise FailoverSimError(
                f"error: {len(died)} of {len(orders)} shards were not played, {names}: {died[0][1]}\n"
                "  = help: the others are kept: go on with `resume=True`; a task that needs more memory than a node has "
                "gets by with more `shards`"
            )

    def _nodes(self) -> list[int]:
        """The cores of each node."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return [int(resources.get("CPU", 0)) for resources in nodes]

    def _cores(self) -> int:
        return sum(self._nodes())

    def _warn_of_small_nodes(self, threads: int) -> None:
        most = max(self._nodes(), default=0)
        if most < threads:
            # A cluster that grows may get one.
            warnings.warn(
                f"no node has {threads} cores for a task, the largest has {most}: tasks wait until one joins; "
                "or give fewer `threads`",
                stacklevel=4,
            )


def _task() -> Callable[[str, int], tuple[str, str, str]]:
    # Ray sends a function that is made here as it is, and not by its name: a node without this package can say so.
    def play(order: str, threads: int) -> tuple[str, str, str]:
        import socket

        node = f"node {socket.gethostname()}"
        try:
            from failover_sim import FailoverSimError, InputError, _native
        except ImportError as error:
            return "input", f"error: {error}\n  = help: install failover-sim on every node, the same build", node
        try:
            _native.play_order(order, threads)
        except InputError as error:
            return "input", str(error), node
        except FailoverSimError as error:
            return "failed", str(error), node
        return "", "", node

    return play


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


@contextmanager
def connected(address: str | None, shards: int | None) -> Iterator[Cluster]:
    """A connection to the cluster at an address: one that is there already, which stays, or a new one.

    Raises:
        InputError: Ray is not installed, there is no cluster, or `shards` is not valid.
    """
    if shards is not None:
        whole("shards", shards, 1, SHARDS_MAX)
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError:
        raise refuse('`engine="ray"` needs Ray, which is not installed', 'install it: pip install "failover-sim[ray]"') from None
    if ray.is_initialized():
        there = ray.get_runtime_context().gcs_address
        if address is not None and address not in (there, "auto"):
            raise refuse(
                f"this process is connected to the Ray cluster at {there} already, and not to {address}",
                "leave `address` out, or call `ray.shutdown()` before",
            )
        yield Cluster(ray)
        return
    named = "`address`"
    if address in (None, "auto"):
        # Ray looks there, too, and it tells who gave a bad one.
        named, address = "the variable RAY_ADDRESS", os.environ.get("RAY_ADDRESS")
    address = address or "auto"
    _check_address(address, named)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        raise _no_cluster(address, _first_line(error)) from error
    try:
        yield Cluster(ray)
    finally:
        ray.shutdown()


def _check_address(address: str, named: str) -> None:
    """Refuses an address that is none of a cluster, or at which nobody listens; `named` is where it was given."""
    where = address
    if address == "local":
        raise refuse(
            f'{named} is "local", which is a cluster of this process alone',
            "leave `engine` out to play on this machine, or name the host and port of a cluster's head",
        )
    if "://" in address.removeprefix("ray://"):
        raise refuse(
            f'{named} is "{address}", where Ray takes jobs and shows its dashboard',
            'name the port at which nodes join, 6379 if nobody chose another, such as "10.0.0.1:6379"',
        )
    if address == "auto":
        # The last head that was started here, which may be gone.
        try:
            where = Path(os.environ.get("RAY_TMPDIR") or "/tmp", "ray", "ray_current_cluster").read_text().strip()
        except OSError:
            return
    host, colon, port = where.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        raise refuse(f'{named} is "{address}"', 'write the host and port of the head, such as "10.0.0.1:6379"')
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from error


def _no_cluster(address: str, why: str) -> InputError:
    where = "on this machine" if address == "auto" else f"at {address}"
    return refuse(
        f"there is no Ray cluster {where}: {why}",
        "name the host and port of its head with `address`, or start one: ray start --head",
    )
