"""A Slurm of two nodes on this machine, in network and process namespaces of its own: nothing of it outlives a test.

Needs root or sudo, and Debian's slurmctld, slurmd and slurm-client, installed or unpacked into target/tools.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "target/tools"
DAEMONS = ["slurmctld-wlm", "slurmd-wlm", "slurmstepd-wlm"]
NAMESPACES = {"net": "net", "pid": "pid_for_children", "mount": "mnt"}
# Slurm takes a loopback address for one that others cannot reach.
ADDRESS = "10.9.0.1"
# Nobody else is in there, so nobody has to prove who they are.
CONFIG = """
ClusterName=test
SlurmctldHost={host}({address})
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
StateSaveLocation={run}/state
SlurmdSpoolDir={run}/spool-%n
SlurmctldPidFile={run}/slurmctld.pid
SlurmdPidFile={run}/%n.pid
SlurmctldLogFile={run}/slurmctld.log
SlurmdLogFile={run}/%n.log
PluginDir={plugins}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=1
KillWait=5
MailProg=/bin/true
NodeName=n1 NodeHostname={host} NodeAddr={address} Port=17821 CPUs=2 RealMemory=4000
NodeName=n2 NodeHostname={host} NodeAddr={address} Port=17822 CPUs=2 RealMemory=4000
PartitionName=main Nodes=n1,n2 Default=YES PriorityTier=1
PartitionName=urgent Nodes=n1,n2 PriorityTier=10
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
"""


class Cluster:
    def __init__(self, folder):
        (folder / "state").mkdir(parents=True)
        search = f"{TOOLS / 'usr/sbin'}:{TOOLS / 'usr/bin'}:{os.environ['PATH']}:/usr/sbin"
        programs = {name: shutil.which(name, path=search) for name in [*DAEMONS, "sbatch"]}
        missing = [name for name, path in programs.items() if path is None]
        assert not missing, f"{', '.join(missing)} of Slurm is not there: .ci/tools gets it"
        self._step_daemon = programs["slurmstepd-wlm"]
        (libraries,) = (Path(programs["sbatch"]).parents[1] / "lib").glob("*/slurm-wlm")
        config = folder / "slurm.conf"
        config.write_text(CONFIG.format(host=os.uname().nodename, address=ADDRESS, run=folder, plugins=libraries))
        self.environment = {
            "PATH": search,
            "SLURM_CONF": str(config),
            "LD_LIBRARY_PATH": f"{libraries}:{libraries.parent}",
        }
        self._as_root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
        # All that is started in there ends with its first process.
        hold = "echo $$; exec unshare --net --pid --mount --fork --kill-child --mount-proc sleep infinity"
        self._hold = subprocess.Popen([*self._as_root, "sh", "-c", hold], stdout=subprocess.PIPE, text=True)
        self._pid = self._hold.stdout.readline().strip()
        wait_for(lambda: os.readlink(f"/proc/{self._pid}/ns/net") != os.readlink("/proc/self/ns/net"), "namespaces")

    def start(self):
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", f"{ADDRESS}/24", "dev", "lo")
        self.run("slurmctld-wlm", "-c")
        for node in ("n1", "n2"):
            # Slurm gives this variable to jobs; so all processes of a node have it.
            self.run("slurmd-wlm", "-N", node, "-d", self._step_daemon, SLURMD_NODENAME=node)
        wait_for(lambda: self.run("sinfo", "-h", "-p", "main", "-o", "%D %t", check=False) == "2 idle", "two idle nodes")

    def kill_node(self, node):
        """What a power cut does: all of its processes are gone at once, and somebody's health check notices."""
        of_node = f"grep --files-with-matches --null-data --line-regexp SLURMD_NODENAME={node} /proc/[0-9]*/environ"
        self.run("sh", "-c", f"kill -KILL $({of_node} 2> /dev/null | cut -d / -f 3)")
        self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=dead")

    def run(self, *command, cwd=None, check=True, **environment):
        """What a command in there prints."""
        namespaces = [f"--{kind}=/proc/{self._pid}/ns/{file}" for kind, file in NAMESPACES.items()]
        own = {**self.environment, **environment, "PATH": f"{environment.get('PATH', '')}:{self.environment['PATH']}"}
        done = subprocess.run(
            [*self._as_root, "nsenter", *namespaces, "--wd=.", "env"]
            + [f"{name}={value}" for name, value in own.items()]
            + [str(word) for word in command],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0 or not check, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def stop(self):
        subprocess.run([*self._as_root, "kill", "-KILL", self._pid], check=True)
        self._hold.wait(timeout=10)


def wait_for(what, name, seconds=60):
    """The first answer of `what` that is not false."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"no {name} within {seconds} s")
