// A sweep: one metric along an axis, over two axes, and every point in a table.

/** How many lines of a second axis one can still tell apart. */
const MOST_LINES = 7;
/** More marks than these are drawn on a canvas. */
const MOST_SVG_MARKS = 1500;
/** An axis with more values than these is scattered, not drawn as a line or as cells. */
const MOST_PLACES = 60;

function sweepSections(sweep) {
  const model = new Points(sweep);
  const { best, baseline, cannot_tell: tied, points } = sweep;
  points.error.forEach((error, point) => { if (error !== null) model.notes[point] = `failed: ${sweep.errors[error]}`; });
  const note = (places, text) => places.forEach((point) => { model.notes[point] = [model.notes[point], text].filter(Boolean).join(", "); });
  note(baseline, "as it is");
  note(best, "best");
  note(tied, "cannot be told from the best");
  const state = startOfSweep(sweep, model);
  const section = el("section", { class: "section", id: "sweep" }, el("h2", null, "The sweep"),
    el("p", { class: "lede" }, sweep.simulated),
    sweep.knee ? el("p", { class: "lede" }, el("strong", null, "The knee: "), sweep.knee.words) : null,
    bestSettings(sweep.best_settings));
  const figures = [curveFigure(sweep, model, state), mapFigure(sweep, model, state)];
  const controls = el("div", { class: "controls", role: "group", "aria-label": "What the figures show" });
  const redraw = () => {
    fill(controls, sweepControls(model, state, redraw));
    figures[1].node.hidden = state.y === null;
    figures.forEach((chart) => chart.update());
  };
  fill(controls, sweepControls(model, state, redraw));
  figures[1].node.hidden = state.y === null;
  const marked = new Set([...best, ...tied]);
  const bestOf = new Set(best);
  section.append(controls, ...figures.map((chart) => chart.node),
    el("div", { class: "section" }, el("h3", null, "Every point"),
      el("p", { class: "lede" }, "Means, and below them the range in which 95% of runs fall. A column\u2019s name sorts by it. Shaded: the best settings and those that cannot be told from them."),
      pointsTable(model, { id: "points", label: "Points of the sweep", isMarked: (point) => marked.has(point), order: bestOf.size > 0 ? (one, other) => bestOf.has(other) - bestOf.has(one) || one - other : null }),
      el("p", { class: "caption" }, `${sweep.simulated} ${report.provenance.ranges}`), commandLine(report.provenance.command)),
    sweep.errors.length > 0 ? el("div", null, el("h3", null, "Why points failed"), el("ul", { class: "plain" }, sweep.errors.map((text) => el("li", null, text)))) : "",
    objectivesOfSweep(sweep) ?? "");
  return [section];
}

/** The settings to take, as arguments that a command accepts. */
function bestSettings(settings) {
  if (!settings || settings.length === 0) return null;
  return el("div", null, el("h3", null, "The best settings"),
    commandLine(settings.map(({ path, value }) => `--set ${shellWord(`${path}=${unquoted(value)}`)}`).join(" "), "The best settings as arguments"));
}

const shellWord = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function objectivesOfSweep(sweep) {
  if (sweep.objectives.length === 0) return null;
  return el("div", null, el("h3", null, "What was asked of it"), el("ul", { class: "plain" }, sweep.objectives.map(({ criterion, about, scenario, met }) => {
    const asked = met.filter((value) => value !== null).length;
    const held = met.filter((value) => value === true).length;
    return el("li", null, el("code", null, criterion), ` in ${scenario}: met at ${whole.format(held)} of ${plural(asked, "point")}.`, about ? el("span", { class: "soft" }, ` ${about}`) : null);
  })));
}

/** What is shown first: the first metric along the axes that people decide on, all else as in the best settings. */
function startOfSweep(sweep, model) {
  const sizes = model.axes.map((axis, at) => [at, axis.decided === false ? 0 : 1, axis.values?.length ?? Infinity]).filter(([, , size]) => size > 1);
  sizes.sort((one, other) => other[1] - one[1] || other[2] - one[2] || one[0] - other[0]);
  const [x, y] = [sizes[0]?.[0] ?? 0, sizes[1]?.[0] ?? null];
  const at = sweep.best[0] ?? sweep.baseline[0] ?? null;
  return {
    metric: model.metrics[0].name, x, y, lines: false, scenario: at === null ? 0 : sweep.points.scenario[at],
    range: model.ranges(model.metrics[0].name)[0] ?? null,
    fixed: model.axes.map((_, axis) => (at === null || !model.isPlaces(axis) ? null : model.at(axis, at))),
  };
}

function sweepControls(model, state, redraw) {
  const set = (key, read = (value) => value) => (value) => {
    state[key] = read(value);
    if (key === "x" && state.y === state.x) state.y = null;
    redraw();
    document.getElementById(`sweep-${key}`)?.focus();
  };
  const axes = model.axes.map((axis, at) => [at, axis.label]);
  const ranges = model.ranges(state.metric);
  if (!ranges.includes(state.range)) state.range = ranges[0] ?? null;
  const others = model.axes.map((_, at) => at).filter((at) => at !== state.x && (at !== state.y || !state.lines) && model.isPlaces(at) && model.axes[at].values.length > 1);
  return [
    choice("Metric", model.metrics.map(({ name, label }) => [name, label ?? name]), state.metric, set("metric"), { id: "sweep-metric" }),
    axes.length > 0 ? choice("Across", axes, state.x, set("x", Number), { id: "sweep-x" }) : null,
    axes.length > 1 ? choice("Up", [["", "nothing"], ...axes.filter(([at]) => at !== state.x)], state.y ?? "", set("y", (value) => (value === "" ? null : Number(value))), { id: "sweep-y" }) : null,
    state.y !== null && !isScattered(model, state.x) && !isScattered(model, state.y) ? choice("Curve", [["", "one line"], ["each", `one for each ${model.axes[state.y].label}`]], state.lines ? "each" : "", set("lines", (value) => value !== ""), { id: "sweep-lines" }) : null,
    model.scenarios.length > 1 ? choice("Scenario", model.scenarios.map((name, at) => [at, name]), state.scenario, set("scenario", Number), { id: "sweep-scenario" }) : null,
    ranges.length > 0 ? choice("Range", ranges.map((kind) => [kind, RANGES[kind]]), state.range, set("range"), { id: "sweep-range" }) : null,
    ...others.map((at) => choice(model.axes[at].label, [["", "mean over all"], ...model.axes[at].values.map((value, place) => [place, value])], state.fixed[at] ?? "", (value) => {
      state.fixed[at] = value === "" ? null : Number(value);
      redraw();
      document.getElementById(`sweep-fixed-${at}`)?.focus();
    }, { id: `sweep-fixed-${at}` })),
  ];
}

/** Points that the controls leave for a picture that spreads out these axes; the others are held where the controls say. */
function chosenPoints(model, state, spread) {
  const held = model.axes.map((_, at) => at).filter((at) => !spread.includes(at) && state.fixed[at] !== null && model.isPlaces(at));
  const chosen = [];
  for (let point = 0; point < model.count; point += 1) {
    if (model.points.scenario[point] !== state.scenario && model.scenarios.length > 1) continue;
    if (held.every((at) => model.at(at, point) === state.fixed[at])) chosen.push(point);
  }
  return { chosen, held };
}

/** Means and ranges over groups of points: of one point its own, of several their mean and the range of their means. */
function grouped(model, state, chosen, keyOf) {
  const groups = new Map();
  for (const point of chosen) {
    const key = keyOf(point);
    if (key === null) continue;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(point);
  }
  const made = new Map();
  for (const [key, points] of groups) {
    const means = points.map((point) => model.mean(state.metric, point)).filter((mean) => mean !== null);
    if (means.length === 0) made.set(key, { mean: null, range: null, points });
    else if (points.length === 1) made.set(key, { mean: means[0], range: state.range ? model.range(state.metric, state.range, points[0]) : null, points });
    else made.set(key, { mean: means.reduce((sum, mean) => sum + mean, 0) / means.length, range: [Math.min(...means), Math.max(...means)], points });
  }
  return made;
}

/** The axes that a picture spreads out. */
const spreadOfCurve = (state) => (state.lines && state.y !== null ? [state.x, state.y] : [state.x]);
const spreadOfMap = (state) => [state.x, state.y];

function isAveraged(model, chosen, spread) {
  const seen = new Set();
  return chosen.some((point) => {
    const key = spread.map((at) => model.at(at, point)).join(" ");
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
}

const isScattered = (model, axis) => !model.isPlaces(axis) || model.axes[axis].values.length > MOST_PLACES;

function sweepCaption(sweep, model, state, spread) {
  const { chosen, held } = chosenPoints(model, state, spread);
  const where = [model.scenarios[state.scenario], ...held.map((at) => `${model.axes[at].label} ${model.axes[at].values[state.fixed[at]]}`)].join(", ");
  const range = isScattered(model, state.x) ? "Each mark is the mean of a point\u2019s runs; the table has the ranges."
    : isAveraged(model, chosen, spread) ? "Several points share a place here: the mean of their means, and the range of these means."
      : state.range ? `Line and cells: means; band: ${RANGES[state.range]}.` : "Means; the report has no ranges of this many points.";
  return `${sweep.simulated} Shown: ${plural(chosen.length, "point")} of ${where}; seed ${report.provenance.seed}. ${range}`;
}

// ---- one axis ----

function curveFigure(sweep, model, state) {
  const metric = () => model.metric(state.metric);
  return figure({
    id: "curve",
    title: numbered("One setting at a time"),
    sub: () => `${metric().label ?? metric().name} against ${model.axes[state.x].label}${state.y === null || !state.lines ? "" : `, a line for each ${model.axes[state.y].label}`}`,
    height: 340,
    empty: "No point is left by these choices.",
    many: () => isScattered(model, state.x) && chosenPoints(model, state, spreadOfCurve(state)).chosen.length > MOST_SVG_MARKS,
    summary: () => {
      const { chosen } = chosenPoints(model, state, spreadOfCurve(state));
      const means = chosen.map((point) => model.mean(state.metric, point)).filter((mean) => mean !== null);
      return means.length === 0 ? "no values" : `${metric().label}: ${quantity(Math.min(...means), metric().unit)} to ${quantity(Math.max(...means), metric().unit)} over ${plural(means.length, "point")}`;
    },
    legend: () => linesOf(model, state).filter(({ name }) => name !== null).map(({ name, colour }) => ({ name, colour, line: true })),
    caption: () => sweepCaption(sweep, model, state, spreadOfCurve(state)),
    command: report.provenance.command,
    table: () => {
      const lines = linesOf(model, state);
      if (isScattered(model, state.x)) {
        return { columns: [{ name: model.axes[state.x].label, header: true }, { name: metric().label, right: true }],
          rows: lines.flatMap(({ points }) => points).map((point) => [model.text(state.x, point), quantity(model.mean(state.metric, point), metric().unit)]) };
      }
      const groups = lines.map(({ points }) => grouped(model, state, points, (point) => model.at(state.x, point)));
      return { columns: [{ name: model.axes[state.x].label, header: true }, ...lines.map(({ name }) => ({ name: name ?? metric().label, right: true }))],
        rows: model.axes[state.x].values.map((value, place) => [value, ...groups.map((group) => {
          const found = group.get(place);
          return found?.mean === null || !found ? NONE : `${quantity(found.mean, metric().unit)}${found.range ? ` (${quantity(found.range[0], metric().unit)} to ${quantity(found.range[1], metric().unit)})` : ""}`;
        })]) };
    },
    draw: (width) => (isScattered(model, state.x) ? scatterOption(sweep, model, state, width) : curveOption(sweep, model, state, width)),
  });
}

/** The lines of the curve: the points of each value of the second axis, or all of them. */
function linesOf(model, state) {
  const { chosen } = chosenPoints(model, state, spreadOfCurve(state));
  if (state.y === null || !state.lines || isScattered(model, state.y) || isScattered(model, state.x)) return [{ name: null, points: chosen, colour: palette.accent }];
  const { values, label } = model.axes[state.y];
  const every = Math.max(1, Math.ceil(values.length / MOST_LINES));
  const places = values.map((_, place) => place).filter((place) => place % every === 0 || (place === values.length - 1 && every > 1));
  return places.map((place, nth) => ({ name: `${label} ${values[place]}`, points: chosen.filter((point) => model.at(state.y, point) === place), colour: palette.series[nth % palette.series.length] }));
}

function metricAxis(metric, rest = {}) {
  return valueAxis(metric.label ?? metric.name, { format: (value) => quantity(value, metric.unit), ...rest });
}

function categoryAxis(name, values, rest = {}) {
  const style = axisStyle();
  return { type: "category", data: values, name, nameLocation: "middle", nameGap: 30, ...style, splitLine: { show: false },
    axisTick: { ...style.axisTick, alignWithLabel: true }, ...rest };
}

function curveOption(sweep, model, state, width) {
  const metric = model.metric(state.metric);
  const lines = linesOf(model, state);
  const { values } = model.axes[state.x];
  const groups = lines.map(({ points }) => grouped(model, state, points, (point) => model.at(state.x, point)));
  if (groups.every((group) => group.size === 0)) return null;
  const withBands = lines.length <= 3;
  const series = [];
  lines.forEach(({ name, colour }, nth) => {
    const cells = values.map((_, place) => groups[nth].get(place) ?? null);
    const color = colour;
    if (withBands && cells.some((cell) => cell?.range)) {
      series.push({ type: "line", stack: `band ${nth}`, symbol: "none", silent: true, lineStyle: { width: 0 }, data: cells.map((cell) => cell?.range?.[0] ?? null), color },
        { type: "line", stack: `band ${nth}`, symbol: "none", silent: true, lineStyle: { width: 0 }, areaStyle: { color, opacity: 0.2 }, data: cells.map((cell) => (cell?.range ? cell.range[1] - cell.range[0] : null)), color });
    }
    series.push({ type: "line", name: name ?? metric.label, symbol: "circle", symbolSize: 6, connectNulls: true, color, lineStyle: { width: 2, color }, data: cells.map((cell) => cell?.mean ?? null) });
    const marks = [[sweep.best, "best", "diamond", 15], [sweep.baseline, "as it is", "rect", 11]];
    for (const [places, text, symbol, size] of marks) {
      const found = values.map((_, place) => place).filter((place) => groups[nth].get(place)?.points.some((point) => places.includes(point)));
      if (found.length === 0 || found.length === values.length) continue;
      series.push({ type: "scatter", silent: true, symbol, symbolSize: size, z: 5, itemStyle: { color: "transparent", borderColor: palette.ink, borderWidth: 1.5 },
        label: { show: true, formatter: text, position: "top", color: palette.ink, fontSize: small() },
        data: found.map((place) => [place, groups[nth].get(place).mean]) });
    }
  });
  return {
    grid: { left: 70, right: 16, top: 30, bottom: 48, outerBoundsMode: "none" },
    tooltip: tooltip({ trigger: "axis", formatter: (points) => {
      const place = points[0].dataIndex;
      return tip(`${model.axes[state.x].label} ${values[place]}`, lines.map(({ name }, nth) => {
        const cell = groups[nth].get(place);
        return [name ?? metric.label, cell ? `${quantity(cell.mean, metric.unit)}${cell.range ? ` (${quantity(cell.range[0], metric.unit)} to ${quantity(cell.range[1], metric.unit)})` : ""}` : NONE];
      }));
    } }),
    xAxis: categoryAxis(model.axes[state.x].label, values),
    yAxis: metricAxis(metric, metric.unit === "ratio" ? { scale: true } : { min: 0 }),
    series,
  };
}

function scatterAxis(model, axis, rest) {
  return { ...valueAxis(model.axes[axis].label, { format: (value) => quantity(value, model.axes[axis].unit) }), scale: true, ...rest };
}

function scatterOption(sweep, model, state, width) {
  const metric = model.metric(state.metric);
  const points = linesOf(model, state).flatMap((line) => line.points).filter((point) => model.mean(state.metric, point) !== null);
  if (points.length === 0) return null;
  const best = new Set(sweep.best);
  const say = (point) => tip(`point ${model.points.point[point]}`, [...model.axes.map((axis, at) => [axis.label, model.text(at, point)]), [metric.label, quantity(model.mean(state.metric, point), metric.unit)]]);
  const place = (point) => [model.number(state.x, point), model.mean(state.metric, point), point];
  return {
    grid: { left: 70, right: 16, top: 30, bottom: 48, outerBoundsMode: "none" },
    tooltip: tooltip({ trigger: "item", formatter: ({ value }) => say(value[2]) }),
    xAxis: scatterAxis(model, state.x, { nameLocation: "middle", nameGap: 30, axisLine: { show: true, lineStyle: { color: palette.ruleStrong } } }),
    yAxis: metricAxis(metric, metric.unit === "ratio" ? { scale: true } : { min: 0 }),
    series: [
      { type: "scatter", symbolSize: points.length > 1000 ? 4 : 7, itemStyle: { color: palette.accent, opacity: points.length > 1000 ? 0.35 : 0.7 }, data: points.filter((point) => !best.has(point)).map(place) },
      { type: "scatter", symbol: "diamond", symbolSize: 14, z: 5, itemStyle: { color: palette.failed }, label: { show: true, formatter: "best", position: "top", color: palette.ink }, data: points.filter((point) => best.has(point)).map(place) },
    ],
  };
}

// ---- two axes ----

function mapFigure(sweep, model, state) {
  const metric = () => model.metric(state.metric);
  const isCells = () => !isScattered(model, state.x) && !isScattered(model, state.y);
  return figure({
    id: "map",
    title: numbered("Two settings at once"),
    sub: () => (state.y === null ? "" : `${metric().label ?? metric().name} over ${model.axes[state.x].label} and ${model.axes[state.y].label}; ${metric().better === "higher" ? "lighter" : "darker"} is more`),
    height: 380,
    empty: "No point is left by these choices.",
    many: () => state.y !== null && (isCells() ? model.axes[state.x].values.length * model.axes[state.y].values.length : chosenPoints(model, state, spreadOfMap(state)).chosen.length) > MOST_SVG_MARKS,
    summary: () => (state.y === null ? "" : `${metric().label} over ${model.axes[state.x].label} and ${model.axes[state.y].label}`),
    caption: () => (state.y === null ? "" : sweepCaption(sweep, model, state, spreadOfMap(state))),
    command: report.provenance.command,
    table: () => {
      if (state.y === null || !isCells()) return { columns: [{ name: "see the table of points below" }], rows: [] };
      const cells = grouped(model, state, chosenPoints(model, state, spreadOfMap(state)).chosen, (point) => cellKey(model, state, point));
      return { columns: [{ name: model.axes[state.y].label, header: true }, ...model.axes[state.x].values.map((name) => ({ name, right: true }))],
        rows: model.axes[state.y].values.map((name, row) => [name, ...model.axes[state.x].values.map((_, column) => quantity(cells.get(`${column} ${row}`)?.mean, metric().unit))]) };
    },
    draw: (width) => (state.y === null ? null : isCells() ? cellsOption(sweep, model, state, width) : cloudOption(sweep, model, state, width)),
  });
}

function cellKey(model, state, point) {
  const [x, y] = [model.at(state.x, point), model.at(state.y, point)];
  return x === null || y === null ? null : `${x} ${y}`;
}

function heatColours(metric) {
  const colours = [palette.heatLow, palette.heatMid, palette.heatHigh];
  return metric.better === "higher" ? colours.reverse() : colours;
}

function heatLegend(metric, values, width) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { type: "continuous", min: low, max: high > low ? high : low + 1, dimension: 2, orient: "horizontal", left: "center", bottom: 0, itemWidth: 12, itemHeight: Math.min(220, width * 0.4),
    calculable: false, text: [quantity(high, metric.unit), quantity(low, metric.unit)], textStyle: { color: palette.inkSoft, fontSize: small() }, inRange: { color: heatColours(metric) }, hoverLink: false, seriesIndex: 0 };
}

function cellsOption(sweep, model, state, width) {
  const metric = model.metric(state.metric);
  const [across, down] = [model.axes[state.x].values, model.axes[state.y].values];
  const cells = grouped(model, state, chosenPoints(model, state, spreadOfMap(state)).chosen, (point) => cellKey(model, state, point));
  const data = [...cells].filter(([, cell]) => cell.mean !== null).map(([key, cell]) => [...key.split(" ").map(Number), cell.mean]);
  if (data.length === 0) return null;
  const left = Math.min(110, 24 + Math.max(...down.map((name) => name.length)) * 7);
  const height = Math.min(620, Math.max(260, down.length * 30 + 130));
  const room = (width - left - 16) / across.length;
  const values = data.map(([, , value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const isDark = (value) => ((value - low) / (high - low || 1) > 0.55) === (metric.better !== "higher");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches && !isPaper();
  const withText = room > 46 && (height - 130) / down.length > 16;
  const best = [...cells].filter(([, cell]) => cell.points.some((point) => sweep.best.includes(point))).map(([key]) => key.split(" ").map(Number));
  const style = axisStyle();
  return {
    height,
    grid: { left, right: 16, top: 30, bottom: 88, outerBoundsMode: "none" },
    tooltip: tooltip({ trigger: "item", formatter: ({ value }) => {
      const cell = cells.get(`${value[0]} ${value[1]}`);
      return tip(`${across[value[0]]}, ${down[value[1]]}`, [[metric.label, quantity(value[2], metric.unit)], ...(cell?.range ? [[cell.points.length > 1 ? "means" : RANGES[state.range], `${quantity(cell.range[0], metric.unit)} to ${quantity(cell.range[1], metric.unit)}`]] : [])]);
    } }),
    xAxis: categoryAxis(model.axes[state.x].label, across),
    yAxis: { ...categoryAxis(model.axes[state.y].label, down), nameLocation: "end", nameGap: 10, nameTextStyle: { ...style.nameTextStyle, align: "left", padding: [0, 0, 0, 8 - left] } },
    visualMap: heatLegend(metric, values, width),
    series: [
      { type: "heatmap", data: data.map(([x, y, value]) => ({ value: [x, y, value], label: { color: isDark(value) === dark ? "#1c1d1f" : "#ffffff" } })),
        label: { show: withText, fontSize: small(), formatter: ({ value }) => quantity(value[2], metric.unit) },
        itemStyle: { borderColor: palette.paper, borderWidth: 1 }, emphasis: { itemStyle: { borderColor: palette.ink, borderWidth: 1 } } },
      { type: "scatter", silent: true, symbol: "diamond", symbolSize: 9, data: best, visualMap: false, itemStyle: { color: palette.ink, borderColor: palette.paper, borderWidth: 1 }, symbolOffset: [0, withText ? 11 : 0] },
    ],
  };
}

function cloudOption(sweep, model, state, width) {
  const metric = model.metric(state.metric);
  const points = chosenPoints(model, state, spreadOfMap(state)).chosen.filter((point) => model.mean(state.metric, point) !== null && model.at(state.x, point) !== null && model.at(state.y, point) !== null);
  if (points.length === 0) return null;
  const axis = (at) => (typeof model.number(at, points[0]) === "string" ? categoryAxis(model.axes[at].label, model.axes[at].values) : scatterAxis(model, at, {}));
  const values = points.map((point) => model.mean(state.metric, point));
  return {
    height: 420,
    grid: { left: 78, right: 16, top: 30, bottom: 92, outerBoundsMode: "none" },
    tooltip: tooltip({ trigger: "item", formatter: ({ value }) => tip(`point ${model.points.point[value[3]]}`, [...model.axes.map((known, at) => [known.label, model.text(at, value[3])]), [metric.label, quantity(value[2], metric.unit)]]) }),
    xAxis: { ...axis(state.x), nameLocation: "middle", nameGap: 30, axisLine: { show: true, lineStyle: { color: palette.ruleStrong } } },
    yAxis: axis(state.y),
    visualMap: heatLegend(metric, values, width),
    series: [{ type: "scatter", symbolSize: points.length > 1000 ? 6 : 9, itemStyle: { borderColor: palette.ruleStrong, borderWidth: points.length > 1000 ? 0 : 0.5 },
      data: points.map((point) => [model.number(state.x, point), model.number(state.y, point), model.mean(state.metric, point), point]) }],
  };
}
