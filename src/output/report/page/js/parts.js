// Parts that every kind of report may have: settings that differ, the game day, everything it rests on.

function settingsSection() {
  if (report.settings.length === 0) return null;
  const all = report.scenarios.map((_, at) => at);
  const pair = all.filter((at) => report.scenarios[at].role !== "other");
  const holder = el("div");
  const show = (which) => {
    const shown = which === "all" ? all : pair;
    const rows = report.settings.filter((row) => shown.some((at) => row.values[at] !== row.values[shown[0]]));
    fill(holder, rows.length === 0 ? el("p", { class: "missing" }, "These scenarios have the same settings.")
      : table([{ name: "setting", header: true }, ...shown.map((at) => ({ name: report.scenarios[at].name, wide: true }))],
        rows.map((row) => [el("code", null, row.path), ...shown.map((at) => settingCell(row, at, shown[0]))]), { label: "Settings that differ", tall: rows.length > 25 }));
  };
  const choose = pair.length > 1 && pair.length < all.length;
  show(choose ? "pair" : "all");
  return el("section", { class: "section", id: "settings" }, el("h2", null, "Settings that differ"),
    el("p", { class: "lede" }, "As TOML; below each, where it was written. The first scenario is the baseline."),
    choose ? el("div", { class: "controls" }, choice("Scenarios", [["pair", `${report.scenarios[pair[0]].name} and ${report.scenarios[pair[1]].name}`], ["all", "all of them"]], "pair", show, { id: "choose-settings" })) : null,
    holder);
}

function settingCell(row, at, first) {
  if (row.values[at] === null) return el("span", { class: "missing" }, `${NONE} not set`);
  const origin = row.origins[at] ? el("small", null, row.origins[at]) : null;
  return el("span", { class: at !== first && row.values[at] === row.values[first] ? "faint" : null }, el("code", null, row.values[at]), origin);
}

function gameDaySection() {
  if (report.game_day.length === 0) return null;
  return el("section", { class: "section", id: "game-day" }, el("h2", null, "Game day: see for yourself"),
    el("p", { class: "lede" }, "Inject this in staging. If the prediction is right, this is what one sees; if one sees something else, the prediction is wrong, and the difference says where."),
    report.game_day.map(drillSheet));
}

/** A sheet to fill in: what to inject, when, and beside what one should see room for what one sees. */
function drillSheet(drill) {
  return el("article", { class: "card" },
    el("p", { class: "kicker" }, "with the settings of"), el("h3", null, drill.scenario),
    el("p", null, el("strong", null, "Load: "), prose(drill.load)),
    el("ol", { class: "steps" }, drill.steps.map((step) => el("li", null,
      el("strong", null, `${step.fault}, ${span(step.start_s)} after the load began, for ${span(step.lasts_s)}. `), prose(step.inject),
      step.how.length > 0 ? el("ul", { class: "plain soft" }, step.how.map((text) => el("li", null, prose(text)))) : null))),
    table([{ name: "what one should see", header: true }, { name: "predicted" }, { name: "seen" }],
      drill.expect.map((item) => [item.what, el("strong", null, item.words), el("span", { class: "blank" })]), { label: `What ${drill.scenario} should show` }),
    drill.refuted_by.length > 0 ? el("div", null, el("h4", null, "The prediction is wrong if one sees"), el("ul", null, drill.refuted_by.map((text) => el("li", null, prose(text))))) : null);
}

function certaintySection() {
  const { certainty } = report;
  const list = (title, items) => (items.length === 0 ? null : el("div", null, el("h3", null, title), el("ul", { class: "plain" }, items.map((item) => el("li", null, typeof item === "string" ? prose(item) : item)))));
  const evidence = certainty.evidence.length === 0 ? null : el("div", null, el("h3", null, "Evidence, weakest first"),
    table([{ name: "evidence", header: true }, { name: "of" }, { name: "where its numbers are from", wide: true }, { name: "declared in" }],
      certainty.evidence.map((note) => [note.evidence, el("code", null, note.path), note.source ?? NONE, el("code", null, note.origin)]), { label: "Evidence" }));
  const parts = [evidence, list("It rests most on", certainty.strongest_assumptions.map(assumption)), list("It also assumes", certainty.further_assumptions),
    list("Not tested", certainty.untested), list("It would change if", certainty.would_change), list("Left out of this report", report.left_out)].filter(Boolean);
  return parts.length === 0 ? null : el("section", { class: "section", id: "rests-on" }, el("h2", null, "What all this rests on"), parts);
}
