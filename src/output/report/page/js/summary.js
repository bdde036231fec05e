// The first page: for the person who decides. It fits one printed page.

let figureCount = 0;
const numbered = (title) => `Figure ${(figureCount += 1)}. ${title}`;

const isCompared = () => report.decision.compared !== null;
/** Whether the advice is to leave things as they are: then what is compared is what would be, and not what will. */
const isKept = () => ["keep", "cannot_tell"].includes(report.decision.verdict);
const scenarioOf = (name) => report.scenarios.find((scenario) => scenario.name === name);

/** What all figures of the first page rest on. */
function commonCaption() {
  const { runs, seed, ranges } = report.provenance;
  return `${plural(runs, "run")} of each scenario, seed ${seed}. ${ranges}`;
}

function summaryPage() {
  const { provenance, decision } = report;
  const [sentence, rest] = firstSentence(decision.sentence);
  const cut = report.prediction.indexOf(":") + 1;
  return el("section", { class: "summary", id: "summary", "aria-label": "Summary" },
    el("header", { class: "masthead" },
      el("span", null, el("strong", null, report.title)),
      el("span", { class: "soft" }, `Prediction by ${provenance.program} ${provenance.version}, not a measurement`)),
    el("div", { class: "decision" },
      el("h1", { class: sentence.length > 110 ? "is-long" : null }, sentence),
      rest ? el("p", { class: "because" }, prose(rest)) : null,
      becauseOf(decision),
      othersOf(decision)),
    el("div", { class: "numbers" }, report.numbers.map(headline)),
    stripsFigure(),
    el("div", { class: "two" },
      el("div", null, budgetFigure(), waterfallFigure()),
      certaintyPart(report.certainty)),
    el("footer", { class: "prediction" },
      el("p", null, el("strong", null, report.prediction.slice(0, cut)), report.prediction.slice(cut), " ", provenance.simulated, " ", commonCaption()),
      commandLine(provenance.command, "The command that makes this report again")));
}

/** The first sentence of a text, and what comes after it. */
function firstSentence(text) {
  const end = /[.!?](?=\s+[\p{Lu}\d])/u.exec(text);
  return end ? [text.slice(0, end.index + 1), text.slice(end.index + 1).trim()] : [text, ""];
}

function becauseOf(decision) {
  if (!isCompared()) return null;
  const changes = decision.changes.slice(0, 3).map(changeText).join("; ");
  const more = decision.changes.length > 3 ? `; and ${plural(decision.changes.length - 3, "more setting")}` : "";
  if (!changes) return null;
  return el("p", { class: "because" }, `${isKept() ? "What differs" : "What changes"}: ${changes}${more}.`);
}

/** What is in the report and no choice, with what it loses: who decides should know that it is there. */
function othersOf({ not_compared: others }) {
  if (!others?.length) return null;
  const known = others.map(({ scenario }) => ({ scenario, failed: scenarioOf(scenario) && metricOf(scenarioOf(scenario), "failed_count") }));
  known.sort((one, other) => compareValues(one.failed?.mean ?? null, other.failed?.mean ?? null, false));
  const words = known.slice(0, 4).map(({ scenario, failed }) => (failed ? `${scenario} (${rangeText(failed, "count")} failed)` : scenario));
  const more = known.length > 4 ? `; and ${whole.format(known.length - 4)} more` : "";
  return el("p", { class: "because" }, `No choice, as more differs there than what one decides on: ${words.join("; ")}${more}. All are below.`);
}

function changeText({ path, old, new: now }) {
  if (old === null) return `${path} is ${unquoted(now)} and was not set`;
  if (now === null) return `${path} is not set and was ${unquoted(old)}`;
  return `${path} ${unquoted(old)} \u2192 ${unquoted(now)}`;
}

/** TOML text as people read it: a plain text without its quotes. */
const unquoted = (toml) => (/^"[^"\\]*"$/.test(toml) ? toml.slice(1, -1) : toml);

/** One of the three numbers: the range of what is advised, and below it that of the other scenario. */
function headline({ key, label, unit, baseline, compared, note, missing }) {
  const [shown, other] = isCompared() && !isKept() ? [compared, baseline] : [baseline, compared];
  const words = isKept() ? `would be, with ${report.decision.compared},` : "was";
  const estimates = isCompared() && other
    ? el("p", { class: "headline-before" }, `${words} ${rangeText(other, unit)}`, other.n > 1 && !isOneValue(other) ? ` (mean ${quantity(other.mean, unit)})` : "")
    : null;
  return el("div", { "data-key": key },
    el("p", { class: "headline-label" }, label),
    el("p", { class: `headline-value${shown ? "" : " is-missing"}${isCompared() && !isKept() ? "" : " is-before"}` }, rangeText(shown, unit)),
    shown ? el("p", { class: "headline-before" }, isOneValue(shown) ? meanText(shown, unit) : `in 95% of ${key.endsWith("year") ? "years" : "runs"}; ${meanText(shown, unit)}`) : null,
    estimates,
    el("p", { class: "headline-note" }, prose(shown ? note : missing ?? note)));
}

// ---- failures on the clock ----

/** What the pictures show of a run's time: the incident with some time around it, or all of it. */
function incidentWindow(duration, faults, ejections = []) {
  const stretches = [...faults, ...ejections].filter((band) => band.start_s < duration);
  if (stretches.length === 0) return { from: 0, to: duration };
  const from = Math.min(...stretches.map((band) => band.start_s));
  const to = Math.min(duration, Math.max(...stretches.map((band) => Math.min(band.end_s ?? from, duration))));
  const margin = Math.max(30, (to - from) * 0.3);
  const shown = { from: Math.max(0, from - margin), to: Math.min(duration, to + margin) };
  return shown.to - shown.from > 0.75 * duration ? { from: 0, to: duration } : shown;
}

/** Round times at both ends, so that ticks sit well. */
function widen({ from, to }, duration, bin) {
  const step = Math.max(bin, TICK_STEPS.find((length) => (to - from) / length <= 40) ?? bin);
  return { from: Math.max(0, Math.floor(from / step) * step), to: Math.min(duration, Math.ceil(to / step) * step) };
}

/** When a scenario's detectors ejected and admitted, in its close-up run: the first and last of each provider. */
function marksOf(closeup) {
  const marks = new Map();
  for (const ejection of closeup?.ejections ?? []) {
    const provider = closeup.providers[ejection.provider];
    const add = (kind, at) => {
      const key = `${kind} ${provider}`;
      const known = marks.get(key);
      // The first ejection and the last admission are the ends of what users feel.
      if (!known || (kind === "ejected" ? at < known.at : at > known.at)) marks.set(key, { kind, provider, at });
    };
    add("ejected", ejection.start_s);
    if (ejection.end_s !== null) add("admitted", ejection.end_s);
  }
  return [...marks.values()].sort((one, other) => one.at - other.at);
}

function stripsFigure() {
  const strips = report.strips;
  if (!strips || strips.rows.length === 0) return null;
  const rows = strips.rows.map((row) => ({ ...row, closeup: scenarioOf(row.scenario)?.closeup ?? null }));
  const duration = Math.max(...rows.map((row) => row.closeup?.duration_s ?? row.failed_per_s.length * strips.bin_s));
  const failing = rows.flatMap((row) => {
    const first = row.failed_per_s.findIndex((value) => value > strips.highest / 100);
    const last = row.failed_per_s.findLastIndex((value) => value > strips.highest / 100);
    return first < 0 ? [] : [{ start_s: first * strips.bin_s, end_s: (last + 1) * strips.bin_s }];
  });
  const shown = widen(incidentWindow(duration, rows.flatMap((row) => row.faults), failing), duration, strips.bin_s);
  const marks = rows.map((row) => marksOf(row.closeup).filter(({ at }) => at >= shown.from && at <= shown.to).slice(0, 8));
  const anyMark = marks.some((row) => row.length > 0);
  const run = rows[0].closeup?.run ?? 0;
  const height = 200;
  const chart = figure({
    id: "strips",
    title: numbered("When requests fail, on the incident\u2019s clock"),
    sub: `failed requests a second (mean of all runs) against ${clockName(strips.clock)}`,
    height,
    summary: rows.map((row) => `${row.scenario}: at most ${plain(Math.max(0, ...row.failed_per_s))} failed requests a second`).join(". "),
    draw: (width) => stripsOption(strips, rows, marks, shown, width),
    caption: `Shaded: a fault is active.${anyMark ? ` Dashed: the first ejection and the last admission of a provider, in run ${run}.` : ""}${rows.length > 1 ? " Both rows have one scale." : ""} Made by the command at the foot of this page.`,
    table: () => ({
      columns: [{ name: "time", header: true }, ...rows.map((row) => ({ name: `${row.scenario}, failed/s`, right: true }))],
      rows: rows[0].failed_per_s.map((_, at) => [clockText(at * strips.bin_s, strips.clock), ...rows.map((row) => plain(row.failed_per_s[at]))]),
    }),
  });
  return chart.node;
}

function stripsOption(strips, rows, marks, shown, width) {
  const [left, right, top, each, gap] = [46, 10, 36, isPaper() ? 56 : 72, 42];
  const highest = strips.highest || 1;
  const grid = rows.map((_, at) => ({ left, right, top: top + at * (each + gap), height: each, outerBoundsMode: "none" }));
  const span = shown.to - shown.from;
  const place = (at) => (at - shown.from) / span;
  return {
    height: top + rows.length * (each + gap) - gap + 26,
    grid,
    tooltip: tooltip({ trigger: "axis", axisPointer: { type: "line", lineStyle: { color: palette.inkFaint } },
      formatter: (points) => {
        const at = points[0].axisValue;
        const bin = Math.floor(at / strips.bin_s);
        return tip(clockText(at, strips.clock), rows.map((row) => [row.scenario, `${plain(row.failed_per_s[bin] ?? NaN)} failed/s`]));
      } }),
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    xAxis: rows.map((_, at) => timeAxis(shown, strips.clock, width - left - right, { gridIndex: at, ...(at < rows.length - 1 ? { axisLabel: { show: false } } : {}) })),
    yAxis: rows.map((row, at) => valueAxis(row.scenario, {
      gridIndex: at, min: 0, max: highest, interval: highest, format: plain, nameGap: 20,
      nameTextStyle: { color: palette.ink, fontWeight: 600, fontSize: 12, align: "left", padding: [0, 0, 0, 8 - left] },
      splitLine: { show: false }, axisLabel: { color: palette.inkSoft, fontSize: small(), formatter: (value) => plain(value) },
    })),
    series: rows.map((row, at) => ({
      name: row.scenario, type: "line", step: "end", symbol: "none", xAxisIndex: at, yAxisIndex: at,
      data: steps(row.failed_per_s, strips.bin_s).filter(([x]) => x >= shown.from - strips.bin_s && x <= shown.to + strips.bin_s),
      lineStyle: { width: 0 }, color: palette.failed, areaStyle: { color: palette.failed, opacity: 1, origin: "start" },
      clip: true, z: 3,
      markArea: { silent: true, z: 1, itemStyle: { color: palette.truthWash },
        label: { show: true, position: "insideTopRight", color: palette.inkSoft, fontSize: small(), distance: 4 },
        data: row.faults.filter((fault) => fault.end_s > shown.from && fault.start_s < shown.to).slice(0, 40).map((fault) => {
          const ends = [Math.max(shown.from, fault.start_s), Math.min(shown.to, fault.end_s)];
          const room = (place(ends[1]) - place(ends[0])) * (width - left - right);
          const name = at === 0 && room > fault.name.length * 6.2 + 40 ? `fault: ${fault.name}` : "";
          return [{ xAxis: ends[0], name }, { xAxis: ends[1] }];
        }) },
      markLine: { silent: true, symbol: "none", z: 5, lineStyle: { type: [4, 3], color: palette.ink, width: 1 },
        data: marks[at].map((mark) => ({ xAxis: mark.at, name: mark.provider,
          label: { show: true, formatter: () => (width > 600 ? `${mark.kind} ${clockText(mark.at, strips.clock)}` : mark.kind),
            position: "end", distance: [0, 3], color: palette.ink, fontSize: small(),
            align: place(mark.at) > 0.82 ? "right" : "left", overflow: "none" } })) },
    })),
  };
}

// ---- the error budget ----

/** What a run is, in words: an incident, or as much time as there is in one run. */
const oneRun = () => (report.numbers.some(({ label }) => label.includes("an incident")) ? "an incident" : "a run");

function budgetFigure() {
  const budget = report.budget;
  if (!budget) return null;
  const rows = [["before", "baseline", budget.baseline], ["after", "compared", budget.compared]]
    .filter(([, role, estimate]) => estimate || (role === "compared" && isCompared()));
  const top = Math.max(1, ...rows.map(([, , estimate]) => estimate?.pi95[1] ?? 0)) * 1.02;
  const spent = (value) => (value >= 10 ? `${plain(value)} times` : value > 0 && value < 0.001 ? "< 0.1%" : `${plain(value * 100)}%`);
  const line = ([kind, role, estimate]) => {
    const bar = el("div", { class: "track" });
    if (estimate) {
      const at = (value) => `${(100 * Math.max(0, value)) / top}%`;
      bar.append(el("i", { class: kind, style: { left: "0", width: at(estimate.mean) } }));
      if (estimate.pi95[0] !== estimate.pi95[1]) bar.append(el("i", { class: "range", style: { left: at(estimate.pi95[0]), width: at(estimate.pi95[1] - estimate.pi95[0]) } }));
    }
    bar.append(el("i", { class: "limit", style: { left: `${100 / top}%` } }));
    return el("tr", null,
      el("th", { scope: "row" }, isCompared() && !isKept() ? `${kind}: ${report.decision[role]}` : report.decision[role]),
      el("td", null, bar),
      el("td", { class: "value" }, estimate ? spent(estimate.mean) : NONE));
  };
  return el("figure", { class: "figure", id: "budget" },
    el("div", { class: "figure-head" }, el("h3", null, numbered(`Error budget spent by ${oneRun()}`)),
      el("p", { class: "figure-sub" }, `share of the budget of ${plain(budget.window_days)} days${budget.is_assumed ? ` (${percent(budget.objective)} taken for granted)` : ""}; the upright line is all of it`)),
    el("table", { class: "bars" }, el("caption", { class: "visually-hidden" }, budget.words), el("tbody", null, rows.map(line))),
    el("p", { class: "caption" }, prose(budget.words)));
}

// ---- the waterfall ----

/** Rows of a waterfall: from a total, through steps, to a total. */
function waterfallRows(start, end, parts, top) {
  const at = (value) => `${(100 * Math.max(0, value)) / top}%`;
  const bar = (kind, low, high, join) => el("div", { class: "track" },
    el("i", { class: kind, style: { left: at(low), width: at(high - low) } }), join === null ? null : el("i", { class: "join", style: { left: at(join) } }));
  const row = (name, track, value, isTotal) => el("tr", { class: isTotal ? "is-total" : null },
    el("th", { scope: "row" }, name), el("td", null, track), el("td", { class: "value" }, value));
  const rows = [];
  if (start) rows.push(row(start.name, bar("before", 0, start.value, start.value), plain(start.value), true));
  let running = start ? start.value : 0;
  for (const part of parts) {
    const next = running + part.change;
    const kind = start === null ? "before" : part.change <= 0 ? "saved" : "lost";
    rows.push(row(part.name, bar(kind, Math.min(running, next), Math.max(running, next), next), part.text, false));
    running = next;
  }
  if (end) rows.push(row(end.name, bar(end.kind ?? "after", 0, end.value, null), plain(end.value), true));
  return rows;
}

const signed = (value) => (value > 0 ? `+${plain(value)}` : value < 0 ? `\u2212${plain(-value)}` : "0");
const MOST_STEPS = 6;

function waterfallFigure() {
  const waterfall = report.waterfall;
  if (!waterfall) return null;
  const { baseline, compared } = report.decision;
  const top = Math.max(1e-9, waterfall.baseline_failed, waterfall.compared_failed ?? 0, ...waterfall.changes.map((change) => change.failed));
  const first = { name: baseline, value: waterfall.baseline_failed };
  const last = waterfall.compared_failed === null ? null : { name: compared, value: waterfall.compared_failed };
  const group = (name) => el("tr", { class: "group" }, el("th", { colspan: "3", scope: "rowgroup" }, name));
  const rows = [];
  if (last && waterfall.changes.length > 0) {
    let before = waterfall.baseline_failed;
    const parts = waterfall.changes.map((change) => {
      const part = { name: change.label, change: change.failed - before, text: signed(change.failed - before) };
      before = change.failed;
      return part;
    });
    const shown = parts.slice(0, MOST_STEPS);
    const rest = parts.slice(MOST_STEPS);
    if (rest.length > 0) {
      const change = rest.reduce((sum, part) => sum + part.change, 0);
      shown.push({ name: plural(rest.length, "more change"), change, text: signed(change) });
    }
    rows.push(group("by change, one after the other"), ...waterfallRows(first, last, shown, top));
  }
  const stages = waterfall.stages;
  if (stages.length > 0) {
    rows.push(group(last ? "by stage of the incident" : "by stage of the incident, on average"));
    if (last) rows.push(...waterfallRows(first, last, stages.map((stage) => ({ name: stage.label, change: stage.compared - stage.baseline, text: signed(stage.compared - stage.baseline) })), top));
    else rows.push(...waterfallRows(null, { ...first, kind: "before" }, stages.map((stage) => ({ name: stage.label, change: stage.baseline, text: plain(stage.baseline) })), top));
  }
  if (rows.length === 0) return null;
  return el("figure", { class: "figure", id: "waterfall" },
    el("div", { class: "figure-head" }, el("h3", null, numbered(last ? "Which change saves what" : "Where requests are lost")),
      el("p", { class: "figure-sub" }, `failed requests of ${oneRun()}, mean of all runs`)),
    el("table", { class: "bars" }, el("caption", { class: "visually-hidden" }, `Waterfall from ${plain(waterfall.baseline_failed)}${last ? ` to ${plain(last.value)}` : ""} failed requests`),
      el("tbody", null, rows)),
    waterfall.changes_note ? el("p", { class: "caption" }, prose(waterfall.changes_note)) : null);
}

// ---- how sure ----

const EVIDENCE = {
  assumed: "assumed: nobody measured or documented it",
  documented: "documented by its maker, not measured",
  source: "read in the source code",
  measured: "measured",
};

/** What is taken for granted, and what comes of it if it is not so. */
function assumption({ words, instead, baseline_failed: before, compared_failed: after, decision_holds: holds, runs }) {
  if (instead === null || before === null) return prose(words);
  const lost = after === null ? `${plain(before)} failed requests` : `${plain(before)} failed requests before, ${plain(after)} after`;
  const verdict = holds === null ? null : holds ? " The decision holds." : el("span", { class: "not-met" }, " The decision does not hold.");
  return [...prose(words), el("span", { class: "soft" }, `. Tried: ${instead}: ${lost} (mean of ${plural(runs, "run")}).`), verdict];
}

function certaintyPart(certainty) {
  const list = (title, items, most) => (items.length === 0 ? null : el("div", null, el("h4", null, title),
    el("ul", null, items.slice(0, most).map((item) => el("li", null, typeof item === "string" ? prose(item) : item)),
      items.length > most ? el("li", null, `and ${whole.format(items.length - most)} more below`) : null)));
  const { paired, weakest_evidence: weakest } = certainty;
  return el("div", { class: "certainty", id: "certainty" },
    el("h3", null, "How sure is this, and what would change it?"),
    paired ? el("p", null, `On the same random numbers, ${report.decision.compared} loses fewer requests in ${whole.format(paired.fewer)} of ${plural(paired.runs, "run")}, as many in ${whole.format(paired.equal)}, more in ${whole.format(paired.more)}.`) : null,
    el("p", null, el("strong", null, "Weakest evidence used: "), weakest ? EVIDENCE[weakest] ?? weakest : "no part declares any",
      weakest && certainty.evidence[0] ? ` (${certainty.evidence[0].path})` : "", "."),
    list("It rests most on", certainty.strongest_assumptions.map(assumption), 3),
    list("Not tested", certainty.untested, 3),
    list("It would change if", certainty.would_change, 3));
}
