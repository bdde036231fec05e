"""Prints the tables of ../README.md: the samples that latencies rest on, and the parts. Fails if a part differs from its sample.

python3 models/providers/fit.py

Python 3.11, no packages. Percentiles are interpolated between order statistics.
"""

import csv
import tomllib
from collections import defaultdict
from pathlib import Path

PARTS = Path(__file__).parent
MEASUREMENTS = PARTS / "measurements"
# Which sample gives a part its spread, and its median in ms where that was published for the very model.
RESTS_ON = {
    "anyscale-llama-3-1-70b": ("Anyscale, Llama 2 70B", None),
    "azure-openai-gpt-4o": ("Azure, GPT-4 1106", 770.0),
    "bedrock-claude-3-5-sonnet": ("Bedrock, Llama 2 70B", 930.0),
    "groq-llama-3-1-70b": ("Groq, Llama 2 70B", None),
    "together-llama-3-1-70b": ("Together, Llama 2 70B", None),
}
NAMES = {
    "anyscale": "Anyscale, Llama 2 70B",
    "bedrock": "Bedrock, Llama 2 70B",
    "fireworks": "Fireworks, Llama 2 70B",
    "groq": "Groq, Llama 2 70B",
    "perplexity": "Perplexity, Llama 2 70B",
    "together": "Together, Llama 2 70B",
    "anyscale-llama-3-70b": "Anyscale, Llama 3 70B",
    "azure-gpt-4-1106": "Azure, GPT-4 1106",
    "claude-3-haiku": "Anthropic, Claude 3 Haiku",
    "claude-3-sonnet": "Anthropic, Claude 3 Sonnet",
    "groq-llama-3-70b": "Groq, Llama 3 70B",
    "together-llama-3-70b": "Together, Llama 3 70B",
}
# From here on an answer of 20 tokens came in one piece, so its first token came as late as its last. Groq is that fast.
BUFFERED = {"groq-llama-3-70b": 900.0}
BUFFERED_ELSE = 300.0


def rows(name):
    with open(MEASUREMENTS / name, newline="") as file:
        return list(csv.DictReader(file))


def percentile(values, p):
    ordered = sorted(values)
    place = (len(ordered) - 1) * p / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def llmperf():
    """150 answers of up to 150 tokens to 550, five at a time, from us-west-2; Llama 2 70B."""
    samples = defaultdict(list)
    for row in rows("llmperf_2023.csv"):
        first, last, tokens = float(row["ttft_s"]), float(row["e2e_s"]), int(row["output_tokens"])
        if tokens >= 20:  # a shorter one says nothing of the speed
            samples[NAMES[row["host"]]].append((first, first, (tokens - 1) / (last - first)))
    return samples


def thefastest():
    """Answers of 20 tokens, three times a day from three places; a time is compared with those from the same place."""
    streams = defaultdict(list)
    for row in rows("thefastest_2024.csv"):
        first, speed = float(row["ttft_s"]), float(row["tokens_per_s"])
        model, _, region = row["model"].partition(" ")
        if 0.0 < first and 0.0 < speed < BUFFERED.get(model, BUFFERED_ELSE):
            streams[model, region, row["region"]].append((first, speed))
    samples = defaultdict(list)
    for (model, _, _), stream in streams.items():
        median = percentile([first for first, _ in stream], 50)
        samples[NAMES[model]] += [(first, first / median, speed) for first, speed in stream]
    return samples


def line(cells):
    print("| " + " | ".join(cells) + " |")


def fit(answers):
    """Of a sample: the median of the first token in ms, p95 and p99 as multiples, speed, and its p1 as a share."""
    spread = [answer[1] for answer in answers]
    p50, p95, p99 = (percentile(spread, p) for p in (50, 95, 99))
    speed, slow = (percentile([answer[2] for answer in answers], p) for p in (50, 1))
    return 1000 * percentile([answer[0] for answer in answers], 50), p95 / p50, p99 / p50, speed, slow / speed


def milliseconds(text):
    number, unit = (text[:-2], 1.0) if text.endswith("ms") else (text[:-1], 1000.0)
    return float(number) * unit


samples = llmperf() | thefastest()
fits = {name: fit(answers) for name, answers in samples.items()}
line(["sample", "answers", "first token, p50", "p95/p50", "p99/p50", "tokens/s, p50", "p1/p50"])
line(["---"] * 7)
for name, (p50, p95, p99, speed, slow) in sorted(fits.items()):
    line([name, str(len(samples[name])), f"{p50:,.0f} ms", f"{p95:.2f}", f"{p99:.2f}", f"{speed:.0f}", f"{slow:.2f}"])

print()
line(["part", "first token, p50", "p95", "p99", "tokens/s, p50", "p1", "USD, a million in", "out", "evidence"])
line(["---"] * 9)
for path in sorted(PARTS.glob("*-*-*.toml")):
    part = tomllib.loads(path.read_text())
    if "tokens" not in part["latency"]:
        continue
    tokens, price = part["latency"]["tokens"], part["price"]
    first = [milliseconds(tokens["first_token"]["percentiles"][p]) for p in ("p50", "p95", "p99")]
    usual = percentile([fit[-1] for name, fit in fits.items() if "Llama 2" in name], 50)
    if path.stem in RESTS_ON:
        sample, median = RESTS_ON[path.stem]
        p50, p95, p99, speed, slow = fits[sample]
        expected = [median or p50, p95 * (median or p50), p99 * (median or p50)]
        for value, fitted in zip(first, expected, strict=True):
            assert abs(value / fitted - 1.0) < 0.005, f"{path.stem} has {value:.0f} ms, {sample} gives {fitted:.0f}"
        if median is None:
            assert abs(tokens["per_second"] / speed - 1.0) < 0.005, f"{path.stem}: {speed:.1f} tokens a second"
        usual = slow if "Llama 2" in sample else usual  # 20 tokens say little of the speed
    expected = usual * tokens["per_second"]
    assert abs(tokens["per_second_p1"] / expected - 1.0) < 0.01, f"{path.stem}: p1 of the speed {expected:.1f}"
    cells = [f"{value:,.0f} ms" for value in first]
    cells += [f"{tokens['per_second']:.0f}", f"{tokens['per_second_p1']:.0f}", f"{price['input']:.2f}", f"{price['output']:.2f}", part["evidence"]]
    line([f"`{path.stem}`", *cells])
