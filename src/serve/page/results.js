
// The numbers: how many fail, against the scenario as written, where they are lost, and what else changes.

const before = () => shown.document.scenarios[0];
const now = () => shown.document.scenarios[1];
const estimateOf = (metric) => (metric && metric.mean !== null ? { n: metric.n, mean: metric.mean, pi95: [metric.pi95_low, metric.pi95_high] } : null);

/** What the page says beside the numbers themselves: by metric, its name, and the unit that it is read in. */
const FACTS = [
  ["time_to_detect_ms", "Detected after", "ms"],
  ["time_to_recover_ms", "Back in use after", "ms"],
  ["request_latency_ms_p99", "Slowest 1% take", "ms"],
  ["availability_ratio", "Succeeded", "ratio"],
  ["false_ejection_count", "False ejections", "count"],
  ["probe_per_day", "Probes", "per_day"],
  ["cost_usd", "Cost of the run", "usd"],
];

function headlineElement() {
  const big = el("p", { class: "big", id: "failed" });
  const under = el("p", { class: "under" });
  const change = el("p", { class: "change", id: "change" });
  const ranges = el("div", { class: "ranges", "aria-hidden": "true" });
  const says = el("pre", { class: "failure says", id: "says", role: "alert", hidden: true });
  const how = el("p", { class: "how", id: "how" });
  const node = el("div", { class: "headline" }, el("h1", null, "Requests that fail"), big, under, change, ranges, says, how);
  return {
    node,
    complain(text) {
      says.hidden = text === null;
      says.textContent = text ?? "";
      big.classList.toggle("is-old", text !== null);
    },
    time(text) {
      how.textContent = text;
    },
    update() {
      if (!shown) return;
      const estimate = estimateOf(now().metrics.failed_count);
      const old = estimateOf(before().metrics.failed_count);
      big.textContent = rangeText(estimate);
      const least = shown.runs < shown.runs_possible ? ` so far, of ${whole.format(shown.runs_possible)}` : "";
      under.textContent = now().nothing_random
        ? "in every run: nothing in this scenario is random"
        : shown.runs === 1 ? `in one run${least}` : `in 95% of ${plural(shown.runs, "run")}${least}; ${meanText(estimate)}`;
      fill(change, isMovedAtAll ? changeWords() : el("span", { class: "faint" }, "This is the scenario as written. Move something."));
      const most = Math.max(estimate?.pi95[1] ?? 0, old?.pi95[1] ?? 0, 1);
      const track = (kind, it) => el("div", { class: "track" },
        el("i", { class: kind, style: { left: `${(100 * it.pi95[0]) / most}%`, width: `${(100 * (it.pi95[1] - it.pi95[0])) / most}%` } }),
        el("i", { class: "mean", style: { left: `${(100 * it.mean) / most}%` } }));
      fill(ranges, el("span", null, "now"), track("now", estimate), el("span", null, "as written"), track("written", old));
    },
  };
}

/** How many fewer or more fail than as written, run by run. */
function changeWords() {
  const difference = now().difference_to_baseline?.failed_count;
  if (!difference || difference.mean === null) return null;
  if (difference.mean === 0 && difference.min === 0 && difference.max === 0) return "as many as with the scenario as written, in every run";
  const kind = difference.mean < 0 ? "fewer" : "more";
  const size = (value) => plain(Math.abs(value));
  const [low, high] = [difference.ci95_low, difference.ci95_high];
  const interval = low === null ? "" : low === high ? ", by the same in every run"
    : low < 0 && high > 0 ? ` (95% interval of the mean: ${size(low)} fewer to ${size(high)} more)`
    : ` (95% interval of the mean: ${[size(low), size(high)].sort((a, b) => Number(a.replaceAll(",", "")) - Number(b.replaceAll(",", ""))).join(" to ")})`;
  const noise = difference.differs === false ? "; that may be chance" : "";
  return [el("span", { class: kind }, `${size(difference.mean)} ${kind}`), ` than as written, on average${interval}${noise}`];
}

/** The range of runs; of what hardly differs between them, the mean. */
function factText(estimate, unit) {
  if (!estimate) return "never";
  if (["ratio", "per_day", "usd"].includes(unit)) return quantity(estimate.mean, unit);
  if (unit !== "ms" || estimate.pi95[1] < 1000) return rangeText(estimate, unit);
  const [low, high] = estimate.pi95.map((value) => significant(value / 1000, 3));
  return low === high ? `${low} s` : `${low} to ${high} s`;
}

function factsElement() {
  const list = el("dl", { class: "facts" });
  return {
    node: list,
    update() {
      const rows = FACTS.map(([name, label, unit]) => [label, unit, estimateOf(now().metrics[name]), estimateOf(before().metrics[name])]);
      fill(list, rows.filter(([, , one, other]) => one || other).map(([label, unit, one, other]) => {
        const [text, old] = [factText(one, unit), factText(other, unit)];
        return el("div", null, el("dt", null, label), el("dd", null, text), isMovedAtAll && old !== text ? el("dd", { class: "was" }, `as written: ${old}`) : null);
      }));
    },
  };
}

function stagesElement() {
  const body = el("tbody");
  const node = el("div", null, el("h3", null, "Where they are lost"), el("table", { class: "bars stages" }, body));
  return {
    node,
    update() {
      const [one, other] = [now().failed_by_stage, before().failed_by_stage];
      const names = Object.keys(one).filter((name) => one[name] > 0 || other[name] > 0);
      const most = Math.max(1, ...names.map((name) => Math.max(one[name] ?? 0, other[name] ?? 0)));
      node.hidden = names.length === 0;
      fill(body, names.map((name) => el("tr", null, el("th", { scope: "row" }, name.replaceAll("_", " ")),
        el("td", null, el("div", { class: "track" }, el("i", { class: "lost", style: { left: 0, width: `${(100 * one[name]) / most}%` } }),
          isMovedAtAll ? el("i", { class: "limit", style: { left: `${(100 * other[name]) / most}%` } }) : null)),
        el("td", { class: "value" }, plain(one[name])))));
    },
  };
}

function objectivesElement() {
  const node = el("ul", { class: "plain small" });
  return {
    node,
    update() {
      const asked = shown.document.objectives.filter((objective) => objective.scenario === now().name);
      node.hidden = asked.length === 0;
      fill(node, asked.map((objective) => el("li", null, el("code", null, objective.criterion), " ",
        el("span", { class: objective.met ? "met" : "not-met" }, objective.met ? "met" : "missed"), objective.within_noise ? ", within noise" : "")));
    },
  };
}
