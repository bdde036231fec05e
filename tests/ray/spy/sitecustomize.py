"""Writes down what each worker of the tests' cluster does with shards; Python runs it when a worker starts."""

import json
import os
import re
import sys
import time

LOG = os.environ.get("FAILOVER_SIM_SPY")


def _tell(kind: str, order: str) -> None:
    shard = json.loads(order)["shard"]
    event = {
        "kind": kind,
        "shard": f"{shard['index']}/{shard['count']}",
        "node": os.environ["FAILOVER_SIM_NODE"],
        "process": os.getpid(),
    }
    path = f"{LOG}/{time.monotonic_ns():020}-{os.getpid()}"
    with open(f"{path}.part", "w") as file:
        json.dump(event, file)
    os.rename(f"{path}.part", f"{path}.json")


def _wait(what: str) -> None:
    """Until the test lets it go on."""
    while os.path.exists(f"{LOG}/{what}"):
        time.sleep(0.01)


def _spy() -> None:
    from failover_sim import _native

    play = _native.play_order

    def play_order(order: str, threads: int) -> None:
        shard = json.loads(order)["shard"]["index"]
        _tell("begin", order)
        _wait(f"hold-{shard}")
        if os.path.exists(f"{LOG}/another-build"):
            order = re.sub(r'"build":"[0-9a-f]*"', '"build":"0123456789abcdef"', order)
        if os.path.exists(f"{LOG}/die-{shard}"):
            os.kill(os.getpid(), 9)
        play(order, threads)
        _tell("written", order)
        _wait(f"keep-{shard}")
        _tell("end", order)

    _native.play_order = play_order


if LOG and any("default_worker" in argument for argument in sys.orig_argv):
    _spy()
