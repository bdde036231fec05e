"""The array of docs/cluster on a real Slurm of two nodes: its tasks are preempted, put back, and lose their node."""

import re

import pytest
from conftest import ROOT, SHARDS
from slurm import Cluster, wait_for


@pytest.fixture
def slurm(tmp_path):
    cluster = Cluster(tmp_path / "slurm")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def commands():
    """What docs/how-to/cluster.md has people type, without its first line, which says what to play."""
    page = (ROOT / "docs/how-to/cluster.md").read_text()
    (block,) = [block for block in re.findall(r"```sh\n(.*?)```", page, re.S) if "sbatch" in block]
    exports, *lines = block.splitlines()
    assert exports.startswith("export EXPERIMENT=") and len(lines) == 2
    return "\n".join(lines)


class Array:
    """The array and its merge."""

    def __init__(self, slurm, folder):
        self.slurm, self.folder = slurm, folder
        (folder.path / "docs").symlink_to(ROOT / "docs")
        # The machine is small.
        submit = re.sub(r"(?<!\.)sbatch ", "sbatch --cpus-per-task=1 --mem=100 ", commands())
        told = slurm.run("bash", "-euc", f"{submit}\necho $shards", cwd=folder.path, **folder.environment)
        self.merge, self.id = re.fullmatch(r"Submitted batch job (\d+)\n(\d+)", told).groups()

    def _tasks(self, state, columns, *args):
        listed = self.slurm.run("squeue", "-h", "-r", "-j", self.id, "-t", state, "-o", columns, *args, check=False)
        return [line.split(maxsplit=1) for line in listed.splitlines()]

    def at_work(self, *args):
        """Shards that are running, have something to lose, and are not done."""
        running = [int(shard) for (shard,) in self._tasks("RUNNING", "%K", *args)]
        unfinished = [shard for shard in running if not (self.folder.shard(shard) / "manifest.json").exists()]
        return [shard for shard in unfinished if len(self.folder.segments(shard)) > 1]

    def is_merged(self):
        # What was put back waits for two minutes, in case that its node is not well yet.
        for task, why in self._tasks("PENDING", "%i %r"):
            if why == "BeginTime":
                self.slurm.run("scontrol", "update", f"JobId={task}", "StartTime=now", check=False)
        return self.slurm.run("squeue", "-h", "-j", self.merge, "-o", "%i", check=False) == ""

    def log(self, shard):
        path = self.folder.path / f"failover-sim-{self.id}_{shard}.log"
        return path.read_text() if path.exists() else ""


def test_an_array_survives_what_happens_to_it(slurm, folder, whole):
    array = Array(slurm, folder)
    wait_for(array.at_work, "task at work")
    slurm.run("sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--wrap=sleep 1", cwd=folder.path)
    wait_for(lambda: any("PREEMPTION" in array.log(shard) for shard in range(1, SHARDS + 1)), "preemption")
    array.is_merged()

    shard = wait_for(array.at_work, "task at work")[0]
    slurm.run("scontrol", "requeue", f"{array.id}_{shard}")
    wait_for(lambda: "JOB REQUEUE" in array.log(shard), "requeue")
    array.is_merged()

    (shard, *_) = wait_for(lambda: array.at_work("--nodelist=n1"), "task at work on a node")
    slurm.kill_node("n1")
    kept = folder.segments(shard)

    wait_for(array.is_merged, "end of the merge")
    assert kept.items() <= folder.segments(shard).items(), "what was played is kept"
    assert folder.outcome() == whole
    logs = [array.log(shard) for shard in range(1, SHARDS + 1)]
    print(*logs)  # seen if what follows fails
    assert all(log.count(f"(shard {shard}/{SHARDS})") == 1 for shard, log in enumerate(logs, 1))
    assert sum(log.count("go on with the same command and `--resume`") for log in logs) >= 2
