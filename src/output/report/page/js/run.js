// Below the fold: scenarios side by side, and one run of a scenario looked at closely.

/** Everything on scenarios: side by side, and a chooser for one of them. */
function scenarioSections() {
  if (report.scenarios.length === 0) return [];
  const sections = [];
  if (report.scenarios.length > 1) sections.push(comparisonSection());
  else sections.push(metricsSection(report.scenarios[0]));
  if (report.scenarios.some((scenario) => scenario.closeup)) sections.push(closeupSection());
  return sections;
}

// ---- side by side ----

const objectivesText = (objectives) => (objectives.length === 0 ? NONE
  : objectives.every((objective) => objective.met) ? el("span", { class: "met" }, "met") : el("span", { class: "not-met" }, "missed"));

/** As many metrics as fit side by side on paper. */
const MOST_ON_PAPER = 6;

function comparisonSection() {
  const section = el("section", { class: "section", id: "scenarios" }, el("h2", null, "Scenarios side by side"));
  const names = report.scenarios[0].metrics;
  const state = { sort: null, down: false };
  const withObjectives = report.scenarios.some((scenario) => scenario.objectives.length > 0);
  const shownMetrics = names.filter((metric) => report.scenarios.some((scenario) => metricOf(scenario, metric.name)))
    .sort((one, other) => (other.name === "failed_count") - (one.name === "failed_count"));
  const columns = [
    { name: "scenario", value: (scenario) => scenario.name },
    ...shownMetrics.map((metric) => ({ name: metric.name, title: metric.meaning, unit: metric.unit,
      value: (scenario) => metricOf(scenario, metric.name)?.mean ?? null, metric: metric.name })),
  ];
  const holder = el("div");
  const show = () => {
    const order = report.scenarios.map((_, at) => at);
    if (state.sort !== null) {
      const { value } = columns[state.sort];
      order.sort((one, other) => compareValues(value(report.scenarios[one]), value(report.scenarios[other]), state.down) || one - other);
    }
    const head = columns.map((column, at) => {
      const sort = button(column.name, () => {
        state.down = state.sort === at ? !state.down : false;
        state.sort = at;
        show();
        holder.querySelectorAll("thead button")[at].focus();
      }, { title: column.title });
      return el("th", { scope: "col", class: at > MOST_ON_PAPER ? "right is-extra" : at > 0 ? "right" : null, "aria-sort": state.sort === at ? (state.down ? "descending" : "ascending") : null }, sort);
    });
    const body = order.map((at) => {
      const scenario = report.scenarios[at];
      return el("tr", { class: scenario.role === "compared" || scenario.is_choice ? "is-marked" : null },
        el("th", { scope: "row" }, scenario.name, roleText(scenario) ? el("small", { class: "faint" }, ` ${roleText(scenario)}`) : null),
        shownMetrics.map((metric, nth) => {
          const estimate = metricOf(scenario, metric.name);
          return el("td", { class: nth >= MOST_ON_PAPER ? "number right is-extra" : "number right" }, estimate ? quantity(estimate.mean, metric.unit) : NONE,
            estimate && !isOneValue(estimate) ? el("small", null, rangeText(estimate, metric.unit)) : null);
        }),
        withObjectives ? el("td", null, objectivesText(scenario.objectives)) : null);
    });
    fill(holder, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Scenarios side by side" },
      el("table", { class: "table", id: "comparison" }, el("thead", null, el("tr", null, head, withObjectives ? el("th", { scope: "col" }, "objectives") : null)),
        el("tbody", null, body))));
  };
  show();
  section.append(el("p", { class: "lede" }, `Means, and below them the range in which 95% of runs fall. ${NONE} means that no run has a value. A column\u2019s name sorts by it; what it means is in its title.`),
    holder, el("p", { class: "caption" }, commonCaption()), commandLine(report.provenance.command));
  const { not_compared: others } = report.decision;
  if (others?.length > 0) {
    section.append(el("details", { class: "plain-details" }, el("summary", null, `${plural(others.length, "scenario")} cannot be chosen: another world, not other settings`),
      el("ul", { class: "plain" }, others.map(({ scenario, differs_in: paths }) => el("li", null, `${scenario} differs in ${paths.join(", ")}`)))));
  }
  if (report.scenarios.some((scenario) => !scenario.nothing_random)) section.append(distributionFigure().node);
  return section;
}

/** Values in order, with what is missing always last. */
function compareValues(one, other, down) {
  const missing = (value) => value === null || value === undefined || Number.isNaN(value);
  if (missing(one) || missing(other)) return missing(one) - missing(other);
  const order = typeof one === "string" ? one.localeCompare(other, "en", { numeric: true }) : one - other;
  return down ? -order : order;
}

const metricOf = (scenario, name) => scenario.metrics.find((metric) => metric.name === name)?.estimate ?? null;

const roleText = (scenario) => [scenario.role === "baseline" ? "baseline" : null, scenario.is_choice ? "choice" : scenario.role === "compared" ? "compared" : null]
  .filter(Boolean).join(", ");

/** As many scenarios as have a colour of their own beside the baseline and the one held against it. */
const MOST_COLOURS = 5;

function scenarioColour(scenario) {
  if (scenario.role === "baseline") return palette.before;
  if (scenario.role === "compared") return palette.accent;
  const others = report.scenarios.filter(({ role }) => role === "other");
  return others.length > MOST_COLOURS ? palette.ruleStrong : palette.series[1 + others.indexOf(scenario)];
}

function distributionFigure() {
  const scenarios = report.scenarios.map((scenario) => ({ scenario })).filter(({ scenario }) => scenario.distribution.quantiles.length > 0);
  return figure({
    id: "distribution",
    title: numbered("How failed requests differ from run to run"),
    sub: "share of runs, against failed requests of a run: a run of this scenario loses at most so many",
    height: 300,
    summary: scenarios.map(({ scenario }) => `${scenario.name}: ${rangeText(metricOf(scenario, "failed_count"), "count")} in 95% of runs`).join(". "),
    legend: () => {
      const own = scenarios.filter(({ scenario }) => scenarioColour(scenario) !== palette.ruleStrong);
      const rest = scenarios.length - own.length;
      return [...own.map(({ scenario }) => ({ name: scenario.name, colour: scenarioColour(scenario), line: true })),
        ...(rest > 0 ? [{ name: `${whole.format(rest)} others: the pointer says which`, colour: palette.ruleStrong, line: true }] : [])];
    },
    caption: () => `Every run of each scenario. ${commonCaption()}`,
    command: report.provenance.command,
    table: () => ({
      columns: [{ name: "share of runs", header: true }, ...scenarios.map(({ scenario }) => ({ name: scenario.name, right: true }))],
      rows: scenarios[0].scenario.distribution.shares.map((share, row) => [percent(share), ...scenarios.map(({ scenario }) => plain(scenario.distribution.quantiles[row]))]),
    }),
    draw: () => ({
      grid: { left: 48, right: 28, top: 14, bottom: 44, outerBoundsMode: "none" },
      tooltip: tooltip({ trigger: "item", formatter: (point) => tip(point.seriesName, [[`${percent(point.value[1])} of runs lose at most`, plain(point.value[0])]]) }),
      xAxis: { ...valueAxis("failed requests of a run"), nameLocation: "middle", nameGap: 28, axisLine: { show: true, lineStyle: { color: palette.ruleStrong } }, splitLine: { show: false } },
      yAxis: valueAxis("", { min: 0, max: 1, format: (value) => `${Math.round(value * 100)}%` }),
      series: scenarios.map(({ scenario }) => ({
        name: scenario.name, type: "line", z: scenario.role === "other" ? 2 : 3, symbol: "circle", symbolSize: 7, showSymbol: true, itemStyle: { opacity: 0 },
        emphasis: { itemStyle: { opacity: 1 } },
        lineStyle: { color: scenarioColour(scenario), width: scenario.role === "other" ? 1.25 : 2.25 },
        color: scenarioColour(scenario),
        data: scenario.distribution.quantiles.map((value, row) => [value, scenario.distribution.shares[row]]),
      })),
    }),
  });
}

function metricsSection(scenario) {
  return el("section", { class: "section", id: "scenarios" }, el("h2", null, "All numbers"), metricsTable(scenario),
    el("p", { class: "caption" }, commonCaption()), commandLine(report.provenance.command));
}

function metricsTable(scenario) {
  const columns = [{ name: "metric", header: true }, { name: "mean", right: true }, { name: "95% of runs", right: true }, { name: "95% CI of the mean", right: true }, { name: "what it is", wide: true }];
  const rows = scenario.metrics.map(({ name, meaning, unit, estimate }) => [el("code", null, name), quantity(estimate?.mean, unit),
    estimate ? rangeText(estimate, unit) : NONE, estimate?.ci95 ? estimate.ci95.map((value) => quantity(value, unit)).join(" to ") : NONE,
    el("span", { class: "soft" }, estimate ? meaning : `${meaning} No run has a value.`)]);
  return table(columns, rows, { label: `Metrics of ${scenario.name}` });
}

// ---- one run, closely ----

function closeupSection() {
  const chosen = scenarioOf(report.decision.compared) ?? report.scenarios[0];
  const start = (chosen.closeup ? chosen : report.scenarios.find((scenario) => scenario.closeup)).name;
  const holder = el("div", { id: "closeup", class: "section" });
  const show = (name) => {
    disposeIn(holder);
    const number = figureCount;
    fill(holder, closeupOf(scenarioOf(name)));
    figureCount = number;
    updateIn(holder);
  };
  const chooser = report.scenarios.length > 1
    ? el("div", { class: "chooser controls" }, choice("Scenario", report.scenarios.map((scenario) => [scenario.name,
      `${scenario.name}${roleText(scenario) ? ` (${roleText(scenario)})` : ""}`]), start, show, { id: "choose-scenario" }))
    : null;
  const section = el("section", { class: "section", id: "one-run" }, el("h2", null, "One run, looked at closely"), chooser, holder);
  fill(holder, closeupOf(scenarioOf(start)));
  return section;
}

function closeupOf(scenario) {
  const { closeup } = scenario;
  const parts = [el("h3", null, scenario.name), scenario.about ? el("p", { class: "lede" }, scenario.about) : null];
  if (scenario.objectives.length > 0) parts.push(objectivesList(scenario));
  if (!closeup) return [...parts, el("p", { class: "missing" }, "There was no room for a picture of this one: make a report of it alone.")];
  const incident = widen(incidentWindow(closeup.duration_s, closeup.faults, closeup.ejections), closeup.duration_s, closeup.bin_s);
  const view = { ...incident, duration: closeup.duration_s, bin: closeup.bin_s, bySource: "fate" };
  const caption = () => `Run ${closeup.run} of ${scenario.name}, seed ${report.provenance.seed}: ${plain(closeup.failed_count)} of ${plain(closeup.request_count)} requests failed. One run, so there is no interval${scenario.nothing_random ? "; nothing is random, so all runs are equal" : ""}.${closeup.faults.length > 0 ? " Shaded: a fault is active." : ""}`;
  const command = scenario.command ?? report.provenance.command;
  const figures = [lanesFigure(scenario, view, caption, command), fateFigure(scenario, view, caption, command), latencyFigure(scenario, view, caption, command)];
  const redraw = () => figures.forEach((chart) => chart.update());
  parts.push(windowControls(view, incident, redraw), ...figures.map((chart) => chart.node), logPart(scenario));
  if (report.scenarios.length > 1) {
    parts.push(el("div", null, el("h3", null, `All numbers of ${scenario.name}`), metricsTable(scenario), el("p", { class: "caption" }, commonCaption())));
  }
  if (scenario.assumptions.length > 0) {
    parts.push(el("div", null, el("h3", null, "What it assumes"), el("ul", { class: "plain" }, scenario.assumptions.map((text) => el("li", null, prose(text))))));
  }
  return parts;
}

function objectivesList(scenario) {
  return el("ul", { class: "plain" }, scenario.objectives.map((objective) => el("li", null,
    el("span", { class: objective.met ? "met" : "not-met" }, objective.met ? "Met: " : "Missed: "), el("code", null, objective.criterion), " ", objective.words,
    objective.within_noise ? el("span", { class: "soft" }, " Other runs may have it the other way.") : null,
    objective.about ? el("span", { class: "soft" }, ` ${objective.about}`) : null)));
}

/** Buttons that move and stretch the time that the figures show. */
function windowControls(view, incident, redraw) {
  const whole = { from: 0, to: view.duration };
  const least = Math.min(view.duration, view.bin * 10);
  const set = ({ from, to }) => {
    const length = Math.min(view.duration, Math.max(least, to - from));
    view.from = Math.min(Math.max(0, from), view.duration - length);
    view.to = view.from + length;
    redraw();
    announce(`Shown: ${span(view.to - view.from)}`);
  };
  const stretch = (factor) => {
    const [middle, half] = [(view.from + view.to) / 2, ((view.to - view.from) / 2) * factor];
    set({ from: middle - half, to: middle + half });
  };
  const move = (share) => {
    const by = (view.to - view.from) * share;
    set({ from: view.from + by, to: view.to + by });
  };
  return el("div", { class: "controls", role: "group", "aria-label": "Time that the figures show" },
    el("div", { class: "control" }, "Time shown", el("div", { class: "button-row" },
      button("Incident", () => set(incident)), button("Whole run", () => set(whole)),
      button("Closer", () => stretch(0.5)), button("Wider", () => stretch(2)),
      button("Earlier", () => move(-0.5)), button("Later", () => move(0.5)))));
}

// ---- truth against belief ----

const MOST_LANES = 40;

/** Lanes: for each provider the truth, and below it what each detector of each replica believed. */
function lanesOf(closeup) {
  const lanes = [];
  const everybody = closeup.faults.filter((fault) => fault.providers.length === 0);
  if (everybody.length > 0) lanes.push({ head: "gateway" }, { name: "truth", truth: true, bands: everybody });
  closeup.providers.forEach((provider, number) => {
    const faults = closeup.faults.filter((fault) => fault.providers.includes(provider));
    const ejections = closeup.ejections.filter((ejection) => ejection.provider === number);
    if (faults.length === 0 && ejections.length === 0) return;
    lanes.push({ head: provider }, { name: "truth", truth: true, bands: faults });
    const believers = new Map();
    for (const ejection of ejections) {
      for (const detector of ejection.by) {
        const key = ejection.replica * 1000 + detector;
        if (!believers.has(key)) believers.set(key, { name: (closeup.replicas > 1 ? `replica ${ejection.replica}: ` : "") + closeup.detectors[detector], bands: [] });
        believers.get(key).bands.push(ejection);
      }
    }
    const sorted = [...believers.entries()].sort(([one], [other]) => one - other).map(([, lane]) => lane);
    lanes.push(...(sorted.length > 0 ? sorted : [{ name: "never ejected", bands: [] }]));
  });
  return lanes;
}

function lanesFigure(scenario, view, caption, command) {
  const { closeup } = scenario;
  const all = lanesOf(closeup);
  const lanes = all.slice(0, MOST_LANES);
  const row = 24;
  const anyFalse = closeup.ejections.some((ejection) => ejection.is_false);
  return figure({
    id: "lanes",
    title: numbered("What was true, and what each detector believed"),
    sub: `by provider${closeup.replicas > 1 ? " and replica" : ""}, against ${clockName(closeup.clock)}`,
    height: lanes.length === 0 ? 80 : lanes.length * row + 34,
    empty: "No provider had a fault in this run, and none was ejected.",
    summary: `${plural(closeup.faults.length, "fault")}, ${plural(closeup.ejections.length, "ejection")}${anyFalse ? `, of which ${closeup.ejections.filter((ejection) => ejection.is_false).length} false` : ""}`,
    legend: () => [{ name: "fault active", colour: palette.truth }, { name: "believed dead: ejected", colour: palette.accent },
      ...(anyFalse ? [{ name: "ejected with no fault", colour: palette.series[3] }] : [])],
    caption: () => `${caption()}${all.length > lanes.length ? ` ${all.length - lanes.length} more lanes are in the table.` : ""}`,
    command,
    table: () => ({
      columns: [{ name: "provider", header: true }, { name: "what", wide: true }, { name: "from" }, { name: "until" }],
      rows: [...closeup.faults.map((fault) => [fault.providers.join(", ") || "gateway", `fault ${fault.name}: ${fault.words}`, fault.start_s, fault.end_s]),
        ...closeup.ejections.map((ejection) => [closeup.providers[ejection.provider],
          `ejected by ${ejection.by.map((detector) => closeup.detectors[detector]).join(" and ")}${closeup.replicas > 1 ? ` of replica ${ejection.replica}` : ""}${ejection.is_false ? ", falsely" : ""}`, ejection.start_s, ejection.end_s])]
        .sort((one, other) => one[2] - other[2])
        .map(([who, what, from, until]) => [who, what, clockText(from, closeup.clock), until === null ? "the end" : clockText(until, closeup.clock)]),
    }),
    draw: (width) => (lanes.length === 0 ? null : lanesOption(closeup, lanes, view, width, row)),
  });
}

function lanesOption(closeup, lanes, view, width, row) {
  const left = Math.min(170, Math.round(width * 0.3));
  const bands = lanes.flatMap((lane, at) => (lane.bands ?? []).map((band) => ({ lane, at, band })));
  const colourOf = ({ lane, band }) => (lane.truth ? palette.truth : band.is_false ? palette.series[3] : palette.accent);
  const end = (band) => band.end_s ?? closeup.duration_s;
  return {
    height: lanes.length * row + 34,
    grid: { left, right: 10, top: 4, bottom: 28, outerBoundsMode: "none" },
    tooltip: tooltip({ trigger: "item", formatter: ({ dataIndex }) => {
      const { lane, band } = bands[dataIndex];
      return tip(lane.truth ? `fault ${band.name}` : `ejected by ${lane.name}`, [
        ["from", clockText(band.start_s, closeup.clock)], ["until", band.end_s === null ? "the end" : clockText(band.end_s, closeup.clock)],
        ["for", span(end(band) - band.start_s)], ...(lane.truth ? [["what", band.words]] : band.is_false ? [["", "no fault there"]] : [])]);
    } }),
    xAxis: timeAxis(view, closeup.clock, width - left - 10, { splitLine: { show: false } }),
    yAxis: { type: "category", inverse: true, data: lanes.map((_, at) => at), axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false },
      axisLabel: { interval: 0, width: left - 10, overflow: "truncate", align: "left", margin: left - 2,
        formatter: (_, at) => (lanes[at].head !== undefined ? `{head|${escapeRich(lanes[at].head)}}` : `{lane|${escapeRich(lanes[at].name)}}`),
        rich: { head: { color: palette.ink, fontWeight: 600, fontSize: 12 }, lane: { color: palette.inkSoft, fontSize: small(), padding: [0, 0, 0, 8] } } } },
    series: [{
      type: "custom", clip: true, encode: { x: [1, 2], y: 0 },
      data: bands.map(({ at, band }) => [at, band.start_s, end(band)]),
      renderItem: (params, api) => {
        const [start, stop] = [api.coord([api.value(1), api.value(0)]), api.coord([api.value(2), api.value(0)])];
        const area = params.coordSys;
        const x = Math.max(area.x, start[0]);
        const right = Math.min(area.x + area.width, stop[0]);
        if (right < area.x || x > area.x + area.width) return null;
        const { lane, band } = bands[params.dataIndex];
        const size = { x, y: start[1] - row * 0.32, width: Math.max(1.5, right - x), height: row * 0.64 };
        const text = lane.truth ? band.name : `${span(end(band) - band.start_s)}`;
        const fits = size.width > text.length * 6.4 + 12;
        return { type: "rect", shape: size, style: { fill: colourOf({ lane, band }) },
          ...(fits ? { textContent: { style: { text, fill: lane.truth ? "#1c1d1f" : palette.paper, fontSize: small(), fontFamily: palette.sans } }, textConfig: { position: "insideLeft", distance: 6 } } : { textContent: false }) };
      },
    },
    { type: "line", data: [], markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: palette.rule, type: "solid" },
      data: lanes.flatMap((lane, at) => (lane.head !== undefined && at > 0 ? [[{ x: 0, y: 4 + at * row }, { x: width - 10, y: 4 + at * row }]] : [])) } }],
  };
}

/** Braces and bars mean something in labels of ECharts. */
const escapeRich = (text) => text.replace(/[{}|]/g, " ");

// ---- requests a second by fate ----

/** Series of a stack: name, counts, colour. */
function stackOf(closeup, bySource) {
  const failed = closeup.failed.map((series, at) => ({ name: `failed: ${series.label}`, counts: series.counts, colour: at === 0 ? palette.failed : [palette.series[3], palette.series[4], palette.series[2], palette.series[6]][(at - 1) % 4] }));
  const open = closeup.open.length > 0 ? [{ name: "never ends", counts: closeup.open, colour: palette.inkFaint }] : [];
  const tones = [palette.fateOk, palette.series[0], palette.series[2], palette.series[5], palette.series[6], palette.series[3]];
  const served = bySource === "provider"
    ? closeup.served_by.map((series, at) => ({ name: `served by ${series.label}`, counts: series.counts, colour: tones[at % tones.length] }))
    : [{ name: "succeeded", counts: closeup.succeeded, colour: palette.fateOk }];
  return [...served, ...failed, ...open];
}

/** Counts of bins as a rate; the last bin may be cut short. */
function rates(counts, closeup) {
  return counts.map((count, at) => count / Math.max(1e-9, Math.min(closeup.bin_s, closeup.duration_s - at * closeup.bin_s)));
}

function fateFigure(scenario, view, caption, command) {
  const { closeup } = scenario;
  const chart = figure({
    id: "fate",
    title: numbered("Requests a second, by what became of them"),
    sub: `requests a second against ${clockName(closeup.clock)} of arrival; bins of ${span(closeup.bin_s)}`,
    height: 270,
    summary: () => `${plain(closeup.request_count - closeup.failed_count - closeup.open.reduce((sum, count) => sum + count, 0))} succeeded, ${plain(closeup.failed_count)} failed`,
    legend: () => stackOf(closeup, view.bySource).map(({ name, colour }) => ({ name, colour })),
    caption, command,
    controls: closeup.served_by.length > 1 ? el("div", { class: "controls" }, choice("Succeeded ones", [["fate", "together"], ["provider", "by who answered"]], view.bySource,
      (value) => { view.bySource = value; chart.update(); }, { id: "choose-source" })) : null,
    table: () => {
      const stack = stackOf(closeup, view.bySource);
      return { columns: [{ name: "from", header: true }, ...stack.map(({ name }) => ({ name, right: true })), { name: "attempts", right: true }],
        rows: closeup.succeeded.map((_, at) => at).filter((at) => at * closeup.bin_s >= view.from && at * closeup.bin_s < view.to)
          .map((at) => [clockText(at * closeup.bin_s, closeup.clock), ...stack.map(({ counts }) => plain(counts[at] ?? 0)), plain(closeup.attempts[at])]) };
    },
    draw: (width) => {
      const stack = stackOf(closeup, view.bySource);
      return {
        grid: { left: 52, right: 10, top: 28, bottom: 28, outerBoundsMode: "none" },
        tooltip: tooltip({ trigger: "axis", axisPointer: { type: "line", lineStyle: { color: palette.inkFaint } }, formatter: (points) => {
          const bin = Math.min(closeup.succeeded.length - 1, Math.floor(points[0].axisValue / closeup.bin_s));
          return tip(clockText(bin * closeup.bin_s, closeup.clock), stack.map(({ name, counts }) => [name, `${plain(rates(counts, closeup)[bin])}/s`]));
        } }),
        xAxis: timeAxis(view, closeup.clock, width - 62),
        yAxis: valueAxis("requests a second", { min: 0 }),
        series: stack.map(({ name, counts, colour }) => ({
          name, type: "line", step: "end", stack: "all", symbol: "none", lineStyle: { width: 0 }, areaStyle: { color: colour, opacity: 1 }, color: colour,
          data: steps(rates(counts, closeup), closeup.bin_s, closeup.duration_s),
        })).concat([faultShade(closeup, view)]),
      };
    },
  });
  return chart;
}

/** An empty series that shades faults behind the others. */
function faultShade(closeup, view) {
  return { type: "line", data: [[view.from, null]], silent: true, symbol: "none", z: 0, markArea: { silent: true, z: 0, itemStyle: { color: palette.truthWash, opacity: 0.75 },
    data: closeup.faults.filter((fault) => fault.end_s > view.from && fault.start_s < view.to).slice(0, 200)
      .map((fault) => [{ xAxis: Math.max(view.from, fault.start_s) }, { xAxis: Math.min(view.to, fault.end_s) }]) } };
}

// ---- latency ----

function latencyFigure(scenario, view, caption, command) {
  const { closeup } = scenario;
  const lines = () => [["p50", "median", palette.series[2], 2], ["p95", "95th percentile", palette.series[0], 1.5], ["p99", "99th percentile", palette.series[3], 1.25]];
  const anyValue = ["p50", "p95", "p99"].some((key) => closeup.latency_ms[key].some((value) => value !== null));
  return figure({
    id: "latency",
    title: numbered("Latency of requests that succeed"),
    sub: `latency against ${clockName(closeup.clock)} of arrival; a gap is a time in which none succeeded`,
    height: anyValue ? 250 : 80,
    empty: "No request succeeded in this run, so none has a latency.",
    summary: () => lines().map(([key, name]) => {
      const values = closeup.latency_ms[key].filter((value) => value !== null);
      return values.length === 0 ? "" : `${name} ${milliseconds(Math.min(...values))} to ${milliseconds(Math.max(...values))}`;
    }).join(", "),
    legend: () => lines().map(([, name, colour]) => ({ name, colour, line: true })),
    caption, command,
    table: () => ({
      columns: [{ name: "from", header: true }, ...lines().map(([, name]) => ({ name, right: true }))],
      rows: closeup.latency_ms.p50.map((_, at) => at).filter((at) => at * closeup.bin_s >= view.from && at * closeup.bin_s < view.to)
        .map((at) => [clockText(at * closeup.bin_s, closeup.clock), ...lines().map(([key]) => milliseconds(closeup.latency_ms[key][at] ?? NaN))]),
    }),
    draw: (width) => (!anyValue ? null : {
      grid: { left: 62, right: 10, top: 28, bottom: 28, outerBoundsMode: "none" },
      tooltip: tooltip({ trigger: "axis", axisPointer: { type: "line", lineStyle: { color: palette.inkFaint } }, formatter: (points) => {
        const bin = Math.min(closeup.latency_ms.p50.length - 1, Math.floor(points[0].axisValue / closeup.bin_s));
        return tip(clockText(bin * closeup.bin_s, closeup.clock), lines().map(([key, name]) => [name, milliseconds(closeup.latency_ms[key][bin] ?? NaN)]));
      } }),
      xAxis: timeAxis(view, closeup.clock, width - 72),
      yAxis: valueAxis("latency", { min: 0, format: milliseconds }),
      series: lines().map(([key, name, colour, thick]) => ({
        name, type: "line", step: "end", symbol: "none", connectNulls: false, color: colour, lineStyle: { width: thick, color: colour },
        data: steps(closeup.latency_ms[key], closeup.bin_s, closeup.duration_s),
      })).concat([faultShade(closeup, view)]),
    }),
  });
}

// ---- the log ----

function logPart(scenario) {
  const { closeup } = scenario;
  const kinds = [...new Set(closeup.log.map((line) => line.kind))];
  const holder = el("div");
  const show = (kind) => {
    const lines = closeup.log.filter((line) => kind === "all" || line.kind === kind);
    fill(holder, lines.length === 0 ? el("p", { class: "missing" }, "Nothing happened in this run.")
      : table([{ name: "time", header: true }, { name: "kind" }, { name: "what happened", wide: true }],
        lines.map((line) => [el("span", { class: "number" }, line.clock), el("span", { class: "kind" }, line.kind), line.words]),
        { label: `Log of run ${closeup.run} of ${scenario.name}`, tall: true }));
  };
  show("all");
  const chooser = kinds.length > 1 ? el("div", { class: "controls" }, choice("Kind", [["all", "everything"], ...kinds.map((kind) => [kind, kind])], "all", show, { id: "choose-kind" })) : null;
  return el("div", { class: "section", id: "log" }, el("h3", null, `What happened in run ${closeup.run}`), chooser, holder);
}
