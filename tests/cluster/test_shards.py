"""Shards as separate processes, in any order, two of them killed and started again: the bytes are those of one process."""

import os
import random
import signal
import time

from conftest import SHARDS

AT_ONCE = 2


def wait_until(is_so, task):
    for _ in range(3000):
        if is_so():
            return
        assert task.is_at_work(), task.wait()
        time.sleep(0.01)
    raise AssertionError("it takes too long")


def test_killed_and_restarted_shards_merge_to_the_bytes_of_one_process(folder, scheduler, whole):
    seed = int(os.environ.get("SHARDS_SEED", random.randrange(10**6)))
    print(f"SHARDS_SEED={seed}")
    rng = random.Random(seed)
    queue = rng.sample(range(1, SHARDS + 1), SHARDS)
    # The node dies; the scheduler takes it away.
    doomed = dict(zip(rng.sample(queue, 2), [signal.SIGKILL, signal.SIGTERM]))
    kept, at_work = {}, {}
    while queue or at_work:
        while queue and len(at_work) < AT_ONCE:
            shard = queue.pop(0)
            at_work[shard] = scheduler.shard(folder, shard)
        shard = next((shard for shard in at_work if shard in doomed), next(iter(at_work)))
        task = at_work.pop(shard)
        how = doomed.pop(shard, None)
        if how is None:
            printed, code = task.wait()
            assert code == 0, printed
            assert f"(shard {shard}/{SHARDS})" in printed
            assert kept.get(shard, {}).items() <= folder.segments(shard).items(), "what was played is kept"
        else:
            wait_until(lambda: len(folder.segments(shard)) > 1, task)
            task.end(how)
            printed, code = task.wait()
            assert code == (-9 if how == signal.SIGKILL else 130), printed
            assert how == signal.SIGKILL or "go on with the same command and `--resume`" in printed
            assert not (folder.shard(shard) / "manifest.json").exists(), "it was killed midway"
            kept[shard] = folder.segments(shard)
            queue.insert(rng.randrange(len(queue) + 1), shard)
    assert len(kept) == 2 and not doomed

    printed, code = scheduler.merge(folder).wait()
    assert code == 3 and "points failed" in printed, printed
    assert folder.outcome() == whole
    # A merge that was cut off is simply tried again, and a shard that is done is not played again.
    assert scheduler.merge(folder).wait()[1] == 3
    before = folder.segments(1)
    assert scheduler.shard(folder, 1).wait()[1] == 0
    assert folder.segments(1) == before
    assert folder.outcome() == whole


def test_what_cannot_go_well_says_so_at_once(folder, scheduler):
    def refused(task, why, codes=(2,)):
        printed, code = task.wait()
        assert code in codes and why in printed, (code, printed)

    # Without a number no shard is played, and not the first one either.
    refused(scheduler.shard(folder, 1, **{scheduler.needed: ""}), scheduler.needed, codes=(1, 2, 127))
    refused(scheduler.shard(folder, SHARDS + 1), f"'{SHARDS + 1}/{SHARDS}'")
    refused(scheduler.shard(folder, 1, EXPERIMENT="nowhere"), "nowhere")
    refused(scheduler.merge(folder), "is not the results folder of a sweep")
    assert not folder.results.exists()

    first = scheduler.shard(folder, 1)
    wait_until(lambda: len(folder.segments(1)) > 1, first)
    refused(scheduler.shard(folder, 1), "is being written by another process")
    first.end(signal.SIGTERM)
    assert first.wait()[1] == 130
    refused(scheduler.merge(folder), "is not finished")
    refused(scheduler.shard(folder, 1, SHARDS=str(SHARDS + 1)), f"shard 1/{SHARDS}")
    assert scheduler.shard(folder, 1).wait()[1] == 0
    refused(scheduler.merge(folder), f"shards 2/{SHARDS}, 3/{SHARDS}")
