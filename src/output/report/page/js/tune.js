// A search: every candidate by any two numbers, the front of those that nothing beats, and the set that cannot be told apart.

const GROUPS = {
  best: { note: "recommended", name: "recommended", symbol: "diamond", size: 16, colour: () => palette.failed, z: 6 },
  front: { note: "on the front", name: "on the front: nothing beats it in all goals", symbol: "circle", size: 9, colour: () => palette.accent, z: 5 },
  cannot_tell: { note: "cannot be told from the best", name: "cannot be told from the best", symbol: "triangle", size: 9, colour: () => palette.series[5], z: 4 },
  worse: { note: "", name: "worse", symbol: "circle", size: 6, colour: () => palette.ruleStrong, z: 2 },
  missed: { note: "misses what has to hold", name: "misses what has to hold", symbol: "emptyRect", size: 7, colour: () => palette.series[3], z: 3 },
};

function tuneSections(tune) {
  const { candidates, goals } = tune;
  const constraints = candidates.constraints.map(({ expect, value, ci95_low, ci95_high }) => ({ expect, columns: { n: candidates.runs, mean: value, ci95_low, ci95_high } }));
  const metrics = [...goals.map((goal) => ({ ...goal, label: goal.name })), ...constraints.map(({ expect }) => ({ name: expect, label: expect, meaning: "has to hold", unit: null }))];
  const model = new Points({ noun: "candidate", axes: tune.axes, metrics, scenarios: [], points: {
    point: candidates.candidate, scenario: candidates.candidate.map(() => 0), axes: candidates.axes, runs: candidates.runs,
    estimates: { ...candidates.estimates, ...Object.fromEntries(constraints.map(({ expect, columns }) => [expect, columns])) },
  } });
  if (tune.best === null) GROUPS.cannot_tell.note = GROUPS.cannot_tell.name = "cannot be told from the front";
  candidates.group.forEach((group, at) => { model.notes[at] = GROUPS[group]?.note ?? group; });
  const order = Object.keys(GROUPS);
  const rank = candidates.group.map((group) => order.indexOf(group));
  const among = (group) => candidates.group.filter((own) => own === group).length;
  const set = [[among("front"), "on the front"], [among("cannot_tell"), GROUPS.cannot_tell.note]].filter(([count]) => count > 0).map(([count, text]) => `${whole.format(count)} ${text}`);
  const section = el("section", { class: "section", id: "tune" }, el("h2", null, "The search"),
    el("p", { class: "lede" }, tune.simulated),
    el("ul", { class: "plain" },
      el("li", null, `Looked for: ${goals.map(({ name, better }) => `${better === "higher" ? "high" : "low"} ${name}`).join(", ")}${tune.constraints.length > 0 ? `, with ${tune.constraints.join(" and ")}` : ""}.`),
      el("li", null, `Scenarios, and how much each counts: ${tune.mix.map(({ scenario, weight }) => `${scenario} ${plain(weight)}`).join(", ")}.`),
      tune.certainty.map((text) => el("li", null, prose(text)))),
    bestSettings(tune.best_settings),
    frontFigure(tune, model),
    el("div", { class: "section" }, el("h3", null, set.length > 0 ? `Every candidate: ${set.join(", ")}` : "Every candidate"),
      el("p", { class: "lede" }, `Shaded: those that one could take. ${set.length > 0 ? "To see only these, filter by \u201crecommended\u201d, \u201cfront\u201d or \u201ctold\u201d." : ""}`),
      pointsTable(model, { id: "candidates", label: "Candidates", isMarked: (at) => rank[at] <= order.indexOf("cannot_tell"), order: (one, other) => rank[one] - rank[other] || one - other }),
      el("p", { class: "caption" }, `${tune.simulated} Of goals, what the goal says and the range of 95% of runs; of what has to hold, the 95% confidence interval.`), commandLine(report.provenance.command)));
  return [section];
}

/** What a candidate can be placed by: goals, what has to hold, and settings. */
function placesOf(model) {
  return [...model.metrics.map(({ name, label, unit }) => ({ key: `metric ${name}`, label, unit, value: (at) => model.mean(name, at), text: (at) => quantity(model.mean(name, at), unit) })),
    ...model.axes.map((axis, nth) => ({ key: `axis ${nth}`, label: axis.label, unit: axis.unit, texts: axis.values && !axis.numbers ? axis.values : null, value: (at) => (axis.values && !axis.numbers ? model.at(nth, at) : model.number(nth, at)), text: (at) => model.text(nth, at) }))];
}

function frontFigure(tune, model) {
  const { candidates, goals } = tune;
  const places = placesOf(model);
  const place = (key) => places.find((known) => known.key === key);
  const state = { x: places[1]?.key ?? places[0].key, y: places[0].key };
  const shownGroups = () => Object.entries(GROUPS).filter(([group]) => candidates.group.includes(group));
  const isFront = () => goals.length > 1 && [state.x, state.y].every((key) => goals.some(({ name }) => key === `metric ${name}`));
  const chart = figure({
    id: "front",
    title: numbered(goals.length > 1 ? "What is traded for what" : "What the search found"),
    sub: () => `${place(state.y).label} against ${place(state.x).label}; a mark for each candidate`,
    height: 420,
    empty: "No candidate has both of these.",
    many: () => model.count > MOST_SVG_MARKS,
    summary: () => shownGroups().map(([group, { name }]) => `${candidates.group.filter((own) => own === group).length} ${name}`).join(", "),
    legend: () => shownGroups().map(([, { name, colour }]) => ({ name, colour: colour() })),
    caption: () => `${tune.simulated} Each mark is what a candidate\u2019s runs say of the goal over all scenarios, by their weights; seed ${report.provenance.seed}; the table has the ranges of 95% of runs.${isFront() ? " The line joins the front: who takes less of one there pays with the other." : ""}`,
    command: report.provenance.command,
    controls: el("div", { class: "controls" },
      choice("Up", places.map(({ key, label }) => [key, label]), state.y, (key) => { state.y = key; chart.update(); }, { id: "front-y" }),
      choice("Across", places.map(({ key, label }) => [key, label]), state.x, (key) => { state.x = key; chart.update(); }, { id: "front-x" })),
    table: () => ({
      columns: [{ name: "candidate", header: true }, { name: place(state.y).label, right: true }, { name: place(state.x).label, right: true }, { name: "group" }],
      rows: candidates.candidate.map((number, at) => [String(number), place(state.y).text(at), place(state.x).text(at), GROUPS[candidates.group[at]]?.name ?? candidates.group[at]]),
    }),
    draw: () => frontOption(candidates, model, place(state.x), place(state.y), isFront()),
  });
  return chart.node;
}

function frontOption(candidates, model, x, y, withLine) {
  const all = candidates.candidate.map((_, at) => at).filter((at) => x.value(at) !== null && y.value(at) !== null);
  if (all.length === 0) return null;
  const axis = ({ label, unit, texts }, rest) => (texts ? { ...categoryAxis(label, texts), ...rest } : { ...valueAxis(label, { format: (value) => quantity(value, unit) }), scale: true, ...rest });
  const point = (at) => [x.value(at), y.value(at), at];
  const line = withLine ? all.filter((at) => candidates.on_front[at]).map(point).sort((one, other) => one[0] - other[0]) : [];
  return {
    grid: { left: 84, right: 24, top: 30, bottom: 48, outerBoundsMode: "none" },
    tooltip: tooltip({ trigger: "item", formatter: ({ value }) => {
      const at = value[2];
      return tip(`candidate ${candidates.candidate[at]}`, [...model.axes.map((known, nth) => [known.label, model.text(nth, at)]),
        ...model.metrics.map(({ name, label, unit }) => [label, quantity(model.mean(name, at), unit)])]);
    } }),
    xAxis: axis(x, { nameLocation: "middle", nameGap: 30, axisLine: { show: true, lineStyle: { color: palette.ruleStrong } } }),
    yAxis: axis(y, { nameLocation: "end", nameGap: 10 }),
    series: [
      ...(line.length > 1 ? [{ type: "line", symbol: "none", silent: true, z: 3, lineStyle: { color: palette.accent, width: 1.25 }, data: line }] : []),
      ...Object.entries(GROUPS).map(([group, { name, symbol, size, colour, z }]) => ({ name, type: "scatter", symbol, symbolSize: size, z, color: colour(), itemStyle: { opacity: 0.9 },
        data: all.filter((at) => candidates.group[at] === group).map(point) })),
    ],
  };
}
