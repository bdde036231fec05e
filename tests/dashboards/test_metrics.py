"""What Prometheus says of a run is what the simulator says of it."""

import math
import re
import subprocess
from bisect import bisect_left
from collections import Counter

import pytest
from conftest import DAY, NEXT_DAY, SCENARIOS
from prometheus_client.openmetrics.parser import text_string_to_metric_families

CAUSES = ["status", "refused", "in_flight_at_onset", "timeout", "no_provider", "truncated", "gateway_down", "gateway_limit"]
STAGES = ["in_flight_at_onset", "undetected", "all_ejected", "false_ejection", "after_recovery", "background"]
STAGES += ["gateway_down", "over_quota", "backup_over_quota", "gateway_limit"]

every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def last(metric, name, labels=""):
    """An expression for the last value that each series has."""
    return f'last_over_time(failover_sim_{metric}{{scenario="{name}"{labels}}}[1d])'


@every_scenario
def test_counters_end_with_the_outcome(runs, prometheus, name):
    one = runs[name]

    def total(metric, labels=""):
        return prometheus.value(f"sum({last(metric, name, labels)})", NEXT_DAY) or 0

    assert total("requests_total") + total("requests_in_flight") == one.outcome("request_count")
    assert total("requests_total", ', outcome="succeeded"') == one.outcome("succeeded_count")
    assert total("requests_total", ', outcome="failed"') == one.outcome("failed_count")
    assert total("requests_in_flight") == one.outcome("open_count")
    for cause in CAUSES:
        assert total("requests_total", f', cause="{cause}"') == one.outcome(f"failed_cause_{cause}_count")
    for stage in STAGES:
        assert total("requests_total", f', stage="{stage}"') == one.outcome(f"failed_stage_{stage}_count")
    assert total("attempts_total") == one.outcome("attempt_count")
    assert total("truth_false_ejections_total") == one.outcome("false_ejection_count")
    # A probe in flight when the last request ends may have no result.
    ended = Counter(event["event"] for event in one.events())
    assert total("probes_total") == ended["probe_ended"] <= one.outcome("probe_count")
    assert total("ejections_total") == ended["ejected"]
    assert total("request_duration_seconds_count") == total("requests_total")


@pytest.mark.parametrize("name", ["routed", "outage"])
def test_costs_are_those_of_the_bill(runs, prometheus, name):
    one = runs[name]
    cost = prometheus.value(f"sum({last('cost_usd_total', name)})", NEXT_DAY)
    fee = prometheus.value(f"sum({last('gateway_fee_usd_total', name)})", NEXT_DAY)
    assert math.isclose(cost + fee, one.outcome("cost_usd"), rel_tol=1e-12)
    assert math.isclose(fee, one.outcome("cost_fee_usd"), rel_tol=1e-12, abs_tol=1e-12)
    for kind in ["input", "output"]:
        billed = last("billed_tokens_total", name, f', type="{kind}"')
        assert prometheus.value(f"sum({billed})", NEXT_DAY) == one.outcome(f"{kind}_token_count")


@every_scenario
def test_quantiles_are_in_the_right_bucket(runs, prometheus, name):
    one = runs[name]
    buckets = prometheus.at(last("request_duration_seconds_bucket", name), NEXT_DAY)
    bounds = sorted({float(labels["le"]) for labels, _ in buckets})
    for percent in [50, 95, 99]:
        exact = one.outcome(f"request_latency_ms_p{percent}") / 1000
        series = last("request_duration_seconds_bucket", name, ', outcome="succeeded"')
        shown = prometheus.value(f"histogram_quantile(0.{percent}, sum by (le) ({series}))", NEXT_DAY)
        bucket, exact_bucket = bisect_left(bounds, shown), bisect_left(bounds, exact)
        # The simulator's own are to within 1%, so one near a bound may be on its other side.
        near_bound = min(abs(exact / bound - 1) for bound in bounds[:-1]) < 0.01
        assert bucket == exact_bucket or (near_bound and abs(bucket - exact_bucket) == 1), (shown, exact)


@every_scenario
def test_states_follow_the_events(runs, prometheus, name):
    one = runs[name]
    admitted = prometheus.between(f'failover_sim_provider_admitted{{scenario="{name}"}}', one.start, one.end, one.step)
    assert admitted
    events = one.events()
    for labels, values in admitted:
        its = [
            (event["at_ms"] / 1000 + one.start, event["event"] == "admitted")
            for event in events
            if event["event"] in ["admitted", "ejected"]
            and (event["provider"], str(event["replica"])) == (labels["provider"], labels["replica"])
        ]
        assert set(values) == set(range(one.start, one.end + 1, one.step))
        for at, value in values.items():
            before = [state for when, state in its if when <= at]
            assert value == (before[-1] if before else True), (labels, at)


def test_faults_alerts_and_switches_follow_the_events(runs, prometheus):
    one = runs["person"]
    first = {}
    for event in one.events():
        first.setdefault(event["event"], event["at_ms"] / 1000 + one.start)
    seen = [
        ("sum", "truth_faults_active", "fault_starts"),
        ("max", "alert_firing", "alert_fires"),
        ("max", "operator_switch_active", "operator_acts"),
    ]
    for over, metric, event in seen:
        expression = f'{over}(failover_sim_{metric}{{scenario="person"}})'
        [(_, values)] = prometheus.between(expression, one.start, one.end, one.step)
        began = min(at for at, value in values.items() if value > 0)
        assert 0 <= began - first[event] < one.step, metric


def test_runs_begin_by_the_scenarios_clock(runs):
    assert runs["any_phase_60s"].start == DAY + (2 * 60 + 45) * 60
    assert runs["person"].start == DAY + (2 * 60 + 40) * 60
    assert runs["outage"].start == DAY, "it has no clock"


@every_scenario
def test_the_text_passes_a_strict_parser(runs, name):
    one = runs[name]
    # The parser takes later points of a histogram for duplicates, so it gets one scrape at a time.
    for at in [one.start, one.start + 50 * one.step, one.end]:
        lines = one.metrics_file.read_text().splitlines()
        text = "\n".join(line for line in lines if line.startswith("#") or line.endswith(f" {at}"))
        families = list(text_string_to_metric_families(text + "\n"))
        assert len(families) > 10 and all(family.samples for family in families)


@every_scenario
def test_promtool_likes_the_names(runs, name):
    """Its linter reads the older text format, which counters' families, units and timestamps have to be fitted to."""
    one = runs[name]
    lines = []
    for line in one.metrics_file.read_text().splitlines():
        if line.startswith(("# UNIT", "# EOF")) or not line.startswith("#") and not line.endswith(f" {one.end}"):
            continue
        line = re.sub(r"^# TYPE (\S+) counter$", r"# TYPE \1_total counter", line)
        line = re.sub(r"^# TYPE (\S+) info$", r"# TYPE \1_info gauge", line)
        lines.append(re.sub(rf" {one.end}$", "", line))
    counters = {line.split()[2].removesuffix("_total") for line in lines if line.endswith(" counter")}
    for i, line in enumerate(lines):
        words = line.split(" ", 3)
        if words[:2] == ["#", "HELP"]:
            suffix = "_total" if words[2] in counters else "_info" if words[2] == "failover_sim_run" else ""
            lines[i] = f"# HELP {words[2]}{suffix} {words[3]}"
    text = "\n".join(lines) + "\n"
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
