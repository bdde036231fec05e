// Figures: a title, a chart, what it says in words, its numbers as a table, and where they come from.

let palette = {};

/** Reads the colours of the style, which differ in light, dark and print. */
function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["paper", "raised", "ink", "ink-soft", "ink-faint", "rule", "rule-strong", "failed", "accent", "before", "good",
    "truth", "truth-wash", "fate-ok", "heat-low", "heat-mid", "heat-high"];
  palette = Object.fromEntries(names.map((name) => [name.replace(/-(.)/g, (_, letter) => letter.toUpperCase()), colour(name)]));
  palette.series = [1, 2, 3, 4, 5, 6, 7].map((number) => colour(`series-${number}`));
  palette.sans = style.getPropertyValue("--sans").trim();
}

const charts = new Set();

/** Whether charts are drawn for paper. */
const isPaper = () => document.documentElement.hasAttribute("data-print");

/**
 * A figure. `draw(width)` gives the chart's options, or null where there is nothing to see; it is called again when the
 * size, the colours or the paper change. `table` gives `{ columns, rows }` when somebody asks for it.
 */
function figure({ id, title, sub, summary, height, draw, empty, caption, command, table: tableOf, legend, controls, many }) {
  const box = el("div", { class: "chart", role: "img", "aria-label": `${title}. ${summary ?? ""}`, style: { height: `${height}px` } });
  const legendList = el("ul", { class: "legend", "aria-hidden": "true" });
  const captionText = el("p", { class: "caption" });
  const subText = el("p", { class: "figure-sub" });
  const node = el("figure", { class: "figure", id },
    el("div", { class: "figure-head" }, el("h3", null, title), subText),
    controls ?? null, legendList, box);
  if (tableOf) node.append(asTable(`${title}: numbers`, tableOf));
  node.append(captionText);
  if (command) node.append(commandLine(command));
  const chart = { node, box, instance: null, draw, empty, height, many };
  chart.update = () => {
    const valueOf = (thing) => (typeof thing === "function" ? thing() : thing);
    subText.textContent = valueOf(sub) ?? "";
    captionText.textContent = valueOf(caption) ?? "";
    box.setAttribute("aria-label", `${title}. ${valueOf(summary) ?? ""}`);
    fill(legendList, (valueOf(legend) ?? []).map(({ name, colour, line }) =>
      el("li", null, el("span", { class: `swatch${line ? " is-line" : ""}`, style: { background: colour } }), name)));
    drawChart(chart);
    const details = node.querySelector(".as-table");
    if (details) refreshTable(details, tableOf);
  };
  charts.add(chart);
  return chart;
}

/** The numbers of a figure, made when they are first looked at. */
function asTable(label, tableOf) {
  const details = el("details", { class: "as-table", on: { toggle: () => refreshTable(details, tableOf) } },
    el("summary", null, "Numbers as a table"), el("div"));
  details.dataset.label = label;
  return details;
}

const MOST_TABLE_ROWS = 500;

function refreshTable(details, tableOf) {
  if (!details.open) return;
  const { columns, rows } = tableOf();
  const left = rows.length - MOST_TABLE_ROWS;
  fill(details.lastElementChild, table(columns, rows.slice(0, MOST_TABLE_ROWS), { label: details.dataset.label, tall: true }),
    left > 0 ? el("p", { class: "faint" }, `${whole.format(left)} more rows are not shown.`) : null);
}

function drawChart(chart) {
  const { box } = chart;
  if (!box.isConnected) return;
  const width = box.clientWidth;
  if (width === 0) return;
  const option = chart.draw(width);
  if (!option) {
    chart.instance?.dispose();
    chart.instance = null;
    box.classList.add("is-empty");
    box.textContent = (typeof chart.empty === "function" ? chart.empty() : chart.empty) ?? "There is nothing to show.";
    return;
  }
  const height = option.height ?? chart.height;
  delete option.height;
  box.style.height = `${height}px`;
  const renderer = chart.many?.() ? "canvas" : "svg";
  if (chart.instance && chart.renderer !== renderer) {
    chart.instance.dispose();
    chart.instance = null;
  }
  if (!chart.instance) {
    box.classList.remove("is-empty");
    box.textContent = "";
    chart.instance = echarts.init(box, null, { renderer, width, height });
    chart.renderer = renderer;
  }
  chart.instance.resize({ width, height });
  chart.instance.setOption({
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: palette.sans, fontSize: 12, color: palette.inkSoft },
    ...option,
  }, { notMerge: true });
}

/** Lets go of the charts inside an element that is about to be replaced. */
function disposeIn(element) {
  for (const chart of charts) {
    if (!element.contains(chart.node)) continue;
    chart.instance?.dispose();
    charts.delete(chart);
  }
}

function updateIn(element) {
  for (const chart of charts) if (element.contains(chart.node)) chart.update();
}

function redrawAll() {
  readPalette();
  for (const chart of charts) chart.update();
}

// ---- parts of options ----

/** The size of what stands at axes. */
const small = () => (isPaper() ? 9.5 : 11.5);

function axisStyle() {
  return {
    axisLine: { show: true, lineStyle: { color: palette.ruleStrong } },
    axisTick: { show: true, lineStyle: { color: palette.ruleStrong }, length: 4 },
    axisLabel: { color: palette.inkSoft, fontSize: small(), hideOverlap: true },
    nameTextStyle: { color: palette.inkSoft, fontSize: small() },
    splitLine: { show: true, lineStyle: { color: palette.rule, width: 1 } },
  };
}

/** An axis of numbers with its name above it. */
function valueAxis(name, { format = plain, ...rest } = {}) {
  const style = axisStyle();
  return {
    type: "value", name, nameLocation: "end", nameGap: 10, ...style,
    nameTextStyle: { ...style.nameTextStyle, align: "left" },
    axisLine: { show: false }, axisTick: { show: false },
    axisLabel: { ...style.axisLabel, formatter: (value) => format(value) },
    ...rest,
  };
}

const TICK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
  2 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400, 91 * 86_400, 365 * 86_400];

/** Round times of the clock between two times of a run. */
function ticksOf(from, to, clock, most) {
  const step = TICK_STEPS.find((length) => (to - from) / length <= most) ?? (to - from) / most;
  const offset = clock?.start_s ?? 0;
  const ticks = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to + 1e-9; at += step) ticks.push(at);
  return { ticks, step };
}

/** The axis of time, on the scenario's clock. */
function timeAxis({ from, to }, clock, width, rest = {}) {
  const { ticks, step } = ticksOf(from, to, clock, Math.max(3, Math.floor(width / 78)));
  const text = (at) => (step >= 86_400 ? `day ${Math.round((at + (clock?.start_s ?? 0)) / 86_400) + 1}` : clockText(at, clock, step < 60 || !clock));
  const style = axisStyle();
  return {
    type: "value", min: from, max: to, ...style,
    splitLine: { show: false },
    axisTick: { ...style.axisTick, customValues: ticks },
    axisLabel: { ...style.axisLabel, customValues: ticks, formatter: (at) => text(at), showMinLabel: null, showMaxLabel: null },
    axisPointer: { label: { show: false } },
    ...rest,
  };
}

/** What a pointer is told: rows of a name and a value, as elements, so names stay text. */
function tip(head, rows) {
  return el("div", { class: "tip" }, el("div", { class: "tip-head" }, head),
    el("table", null, rows.map(([name, value]) => el("tr", null, el("th", null, name), el("td", null, value)))));
}

function tooltip(rest) {
  return { confine: true, backgroundColor: palette.raised, borderColor: palette.ruleStrong, borderWidth: 1, padding: [6, 10],
    transitionDuration: 0, textStyle: { color: palette.ink, fontFamily: palette.sans }, extraCssText: "box-shadow:none", ...rest };
}

/** Points of a step line: the value of bin i from its start to its end. */
function steps(values, bin, duration) {
  const points = values.map((value, at) => [at * bin, value]);
  if (values.length > 0) points.push([Math.min(duration ?? Infinity, values.length * bin), values[values.length - 1]]);
  return points;
}
