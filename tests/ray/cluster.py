"""A Ray cluster of several nodes on this machine, for tests and measurements: each node a raylet with workers of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RAY = [sys.executable, "-m", "ray.scripts.scripts"]
PORT = 6379
ADDRESS = f"127.0.0.1:{PORT}"
# Small: results are paths.
STORE_BYTES = 80_000_000


def wait_for(what: str, is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"no {what} within {seconds:.0f} s"
        time.sleep(0.02)


@dataclass(frozen=True)
class Event:
    """Something that a worker did with a shard."""

    kind: str
    """`begin`; `written`, when its segment is there; or `end`."""
    shard: str
    node: str
    process: int


class Node:
    """A raylet and its workers."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.process = process

    def processes(self) -> list[int]:
        """The node's processes, the raylet's parent first."""
        found = [self.process.pid]
        for process in found:
            tasks = Path(f"/proc/{process}/task").glob("*/children")
            try:
                found += [int(child) for task in tasks for child in task.read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found

    def kill(self) -> None:
        """All at once and without a word, as when somebody pulls the plug."""
        processes = self.processes()
        # First nobody can do anything any more, then all are gone.
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for process in processes:
                try:
                    os.kill(process, how)
                except ProcessLookupError:
                    pass
        self.process.wait()


class Cluster:
    """A head without cores, and nodes that come and go."""

    def __init__(self, port: int, **settings: str) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        # Sockets lie in it, whose paths may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="fs-", dir="/tmp"))
        self.log = self.folder / "log"
        self.log.mkdir()
        self.nodes: dict[str, Node] = {}
        self.environment = {
            **os.environ,
            "RAY_TMPDIR": str(self.folder),
            "RAY_USAGE_STATS_ENABLED": "0",
            # A node that is gone is noticed after a second and not after half a minute.
            "RAY_health_check_initial_delay_ms": "500",
            "RAY_health_check_period_ms": "300",
            "RAY_health_check_timeout_ms": "1000",
            "RAY_health_check_failure_threshold": "3",
            **settings,
            "FAILOVER_SIM_SPY": str(self.log),
            "PYTHONPATH": str(HERE / "spy"),
        }
        self.start("head", 0)
        wait_for("head", lambda: "Ray runtime started" in (self.folder / "head.out").read_text())

    def start(self, name: str, cores: int, folder: Path | None = None, fault: str = "") -> Node:
        """A node; one that does not share a folder, or may only read it."""
        where = ["--head", f"--port={self.port}", "--include-dashboard=false"] if not self.nodes else [f"--address={self.address}"]
        command = [*RAY, "start", "--block", "--disable-usage-stats", "--node-ip-address=127.0.0.1"]
        command += [*where, f"--num-cpus={cores}", f"--object-store-memory={STORE_BYTES}"]
        if folder is not None:
            mount = {"not shared": "mount -t tmpfs none", "read-only": 'mount --bind -o ro "$0"'}[fault]
            command = ["unshare", "--mount", "bash", "-c", f'{mount} "$0" && exec "$@"', str(folder), *command]
        environment = {**self.environment, "FAILOVER_SIM_NODE": name}
        with (self.folder / f"{name}.out").open("wb") as out:
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        node = self.nodes[name] = Node(name, process)
        return node

    def ready(self, count: int) -> None:
        """Waits until so many nodes have joined, and those that were killed have been forgotten."""
        import ray

        def are_there() -> bool:
            for node in self.nodes.values():
                said = self.folder / f"{node.name}.out"
                assert node.process.poll() is None, f"{node.name} ended: {said.read_text()}"
            return sum(node["Alive"] for node in ray.nodes()) == count

        wait_for(f"{count} nodes", are_there)

    def events(self) -> list[Event]:
        """What workers did, in order."""
        names = sorted(path.name for path in self.log.iterdir() if path.suffix == ".json")
        return [Event(**json.loads((self.log / name).read_text())) for name in names]

    def hold(self, count: int) -> None:
        """Has every shard of so many wait where it begins, until it is let go."""
        for shard in range(1, count + 1):
            (self.log / f"hold-{shard}").touch()

    def keep(self, shard: str) -> None:
        """Has a shard wait once its segment is written, until all are let go."""
        (self.log / f"keep-{shard.split('/')[0]}").touch()

    def let_go(self, shard: str | None = None) -> None:
        """Lets one shard go on, as `3/16`, or all."""
        held = self.log.glob(f"hold-{shard.split('/')[0]}" if shard else "*-*")
        for path in held:
            if path.name.startswith(("hold-", "keep-")):
                path.unlink()

    def step(self, count: int, node: str | None = None) -> Event:
        """Lets a node, or all of them, play so many of the shards that are held; returns the one that is held next."""
        for nth in range(count + 1):
            wait_for("shard", lambda nth=nth: len(self.begun(node)) > nth)
            event = self.begun(node)[nth]
            if nth < count:
                self.let_go(event.shard)
        return event

    def begun(self, node: str | None = None) -> list[Event]:
        """The shards that a node, or any, has begun, in order."""
        return [event for event in self.events() if event.kind == "begin" and node in (None, event.node)]

    def forget_events(self) -> None:
        shutil.rmtree(self.log)
        self.log.mkdir()

    def kill(self, node: Node) -> None:
        del self.nodes[node.name]
        node.kill()

    def kill_head(self) -> None:
        """The process that knows the cluster; the head's others then end by themselves."""
        command = {process: Path(f"/proc/{process}/cmdline").read_bytes() for process in self.nodes["head"].processes()}
        (server,) = (process for process, words in command.items() if b"/gcs_server\0" in words)
        os.kill(server, signal.SIGKILL)

    def close(self) -> None:
        for node in list(self.nodes.values()):
            self.kill(node)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def cluster(port: int = PORT, **settings: str) -> Iterator[Cluster]:
    """A cluster, with settings of Ray beside those that all have."""
    made = Cluster(port, **settings)
    try:
        yield made
    finally:
        made.close()
