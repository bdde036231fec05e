"""The files of docs/cluster, by the tools that know their formats; and each tool complains of a file that is wrong."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
from conftest import FILES, ROOT, SIM, container, documents

TOOLS = Path(sys.executable).parent
# The oldest that shards.yaml names, and the newest that the package knows.
VERSIONS = ["1.31", kubernetes_validate.latest_version()]
JOBS = ["shards.yaml", "merge.yaml"]


def complaints(tool, text, *args):
    """What a checker says of a text."""
    found = TOOLS / tool
    done = subprocess.run(
        [found if found.exists() else tool, *args, "-"], input=text, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode == 0) == (done.stdout + done.stderr == ""), done
    return done.stdout + done.stderr


def script_complaints(text):
    return complaints("shellcheck", text)


def command_complaints(args):
    shell, options, text = args
    assert (shell, options) == ("sh", "-euc")
    return complaints("shellcheck", text, "--shell=sh")


def dockerfile_complaints(text):
    return complaints("hadolint", text)


@pytest.mark.parametrize("name", ["shards.sbatch", "merge.sbatch"])
def test_scripts(name):
    text = (FILES / name).read_text()
    assert script_complaints(text) == ""
    assert "SC2086" in script_complaints(text + "failover-sim merge $RESULTS/shards\n")
    # Slurm reads its lines up to the first command, and no further.
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line and not line.startswith("#"))
    assert not any(line.startswith("#SBATCH") for line in lines[first:])
    assert {"#SBATCH --requeue", "#SBATCH --open-mode=append"} <= set(lines[:first])


def test_dockerfile():
    text = (FILES / "Dockerfile").read_text()
    assert dockerfile_complaints(text) == ""
    assert "DL3002" in dockerfile_complaints(text.replace("USER 10001", "USER root"))
    toolchain = re.search(r'channel = "(.*)"', (ROOT / "rust-toolchain.toml").read_text())[1]
    assert f"FROM rust:{toolchain}-" in text and f"RUSTUP_TOOLCHAIN={toolchain}" in text
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    for name in JOBS:
        assert container(name)["image"] == f"failover-sim:{version}" and f"--tag failover-sim:{version} " in text


@pytest.mark.parametrize("name", [*JOBS, "results.yaml"])
@pytest.mark.parametrize("version", VERSIONS)
def test_manifests(name, version):
    for document in documents(name):
        kubernetes_validate.validate(document, version, strict=True)


def misspelt(job):
    job["spec"]["backofLimitPerIndex"] = 3


def of_wrong_type(job):
    job["spec"]["completions"] = "8"


def lacking(job):
    del job["spec"]["podFailurePolicy"]["rules"][0]["action"]


def misspelt_within(job):
    job["spec"]["template"]["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscallation"] = False


@pytest.mark.parametrize("spoil", [misspelt, of_wrong_type, lacking, misspelt_within])
def test_a_wrong_manifest_is_refused(spoil):
    (job,) = documents("shards.yaml")
    spoilt = copy.deepcopy(job)
    spoil(spoilt)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoilt, VERSIONS[0], strict=True)


@pytest.mark.parametrize("name", JOBS)
def test_commands(name):
    shell = container(name)["args"]
    assert command_complaints(shell) == ""
    assert "SC2086" in command_complaints([*shell[:2], "failover-sim merge $RESULTS/shards"])


def test_what_a_schema_does_not_say():
    (shards,), (merge,), (claim,) = (documents(name) for name in [*JOBS, "results.yaml"])
    env = {entry["name"]: entry.get("value") for entry in container("shards.yaml")["env"]}
    assert env["SHARDS"] == str(shards["spec"]["completions"])
    assert shards["spec"]["completionMode"] == "Indexed", "an index, and tries for each"
    assert {"name": "RESULTS", "value": env["RESULTS"]} in container("merge.yaml")["env"]
    assert Path(env["RESULTS"]).is_relative_to(container("shards.yaml")["volumeMounts"][0]["mountPath"])
    assert (ROOT / env["EXPERIMENT"] / "experiment.toml").exists()
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert shards["spec"]["podReplacementPolicy"] == "Failed" and shards["spec"]["backoffLimitPerIndex"] > 0
    user = re.search(r"USER (\d+)", (FILES / "Dockerfile").read_text())[1]
    for job in (shards, merge):
        spec = job["spec"]["template"]["spec"]
        assert spec["restartPolicy"] == "Never", "podFailurePolicy takes no other"
        assert spec["securityContext"]["runAsUser"] == int(user)
        assert spec["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        for rule in job["spec"]["podFailurePolicy"]["rules"]:
            if "onExitCodes" in rule:
                assert rule["onExitCodes"]["containerName"] == spec["containers"][0]["name"]
                assert rule["onExitCodes"]["operator"] == "In"
            else:
                assert rule["action"] == "Ignore"
                assert rule["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]


def test_exit_codes_are_those_of_the_command():
    codes = subprocess.run([SIM, "sweep", "--help"], capture_output=True, text=True).stdout
    codes = " ".join(codes[codes.index("Exit codes:") :].split())
    assert "2 bad input or unwritable output, 3 some points failed, 130 interrupted" in codes
    policies = [job["spec"]["podFailurePolicy"]["rules"][0] for name in JOBS for job in documents(name)]
    assert [(rule["action"], rule["onExitCodes"]["values"]) for rule in policies] == [("FailIndex", [2]), ("FailJob", [2, 3])]
    for text in ((FILES / "shards.sbatch").read_text(), container("shards.yaml")["args"][2]):
        assert '[ "$code" -ne 3 ] || code=0' in text
