// Parts that every kind of report may have: settings that differ, the game day, everything it rests on.

function settingsSection() {
  if (report.settings.length === 0) return null;
  const names = report.scenarios.length > 0 ? report.scenarios.map((scenario) => scenario.name) : report.settings[0].values.map((_, at) => `scenario ${at + 1}`);
  const rows = report.settings.map((row) => [el("code", null, row.path), ...row.values.map((value, at) => (value === null
    ? el("span", { class: "missing" }, `${NONE} not set`)
    : el("span", { class: value === row.values[0] ? "soft" : null }, el("code", null, value), row.origins[at] ? el("small", null, row.origins[at]) : null)))]);
  return el("section", { class: "section", id: "settings" }, el("h2", null, "Settings that differ"),
    el("p", { class: "lede" }, "As TOML; below each, where it was written. The first scenario is the baseline."),
    table([{ name: "setting", header: true }, ...names.map((name) => ({ name }))], rows, { label: "Settings that differ" }));
}

function gameDaySection() {
  if (report.game_day.length === 0) return null;
  return el("section", { class: "section", id: "game-day" }, el("h2", null, "Game day: see for yourself"),
    el("p", { class: "lede" }, "Inject this in staging. If the prediction is right, this is what one sees; if one sees something else, the prediction is wrong, and the difference says where."),
    el("div", { class: "cards" }, report.game_day.map((drill) => el("article", { class: "card" },
      el("p", { class: "kicker" }, `${drill.scenario} \u00b7 ${drill.fault}`),
      el("h3", null, drill.inject),
      drill.how.length > 0 ? el("ul", null, drill.how.map((text) => el("li", null, prose(text)))) : null,
      el("p", null, el("strong", null, "At this load: "), drill.load),
      el("div", null, el("h4", null, "Expect"), el("ul", null, drill.expect.map((item) => el("li", null, `${item.what}: `, prose(item.words))))),
      drill.refuted_by.length > 0 ? el("div", null, el("h4", null, "The prediction is wrong if"), el("ul", null, drill.refuted_by.map((text) => el("li", null, prose(text))))) : null))));
}

function certaintySection() {
  const { certainty } = report;
  const list = (title, items) => (items.length === 0 ? null : el("div", null, el("h3", null, title), el("ul", { class: "plain" }, items.map((item) => el("li", null, prose(item))))));
  const evidence = certainty.evidence.length === 0 ? null : el("div", null, el("h3", null, "Evidence, weakest first"),
    table([{ name: "evidence", header: true }, { name: "of" }, { name: "where its numbers are from" }, { name: "declared in" }],
      certainty.evidence.map((note) => [note.evidence, el("code", null, note.path), note.source ?? NONE, el("code", null, note.origin)]), { label: "Evidence" }));
  const parts = [evidence, list("It rests most on", certainty.strongest_assumptions), list("It also assumes", certainty.further_assumptions),
    list("Not tested", certainty.untested), list("It would change if", certainty.would_change), list("Left out of this report", report.left_out)].filter(Boolean);
  return parts.length === 0 ? null : el("section", { class: "section", id: "rests-on" }, el("h2", null, "What all this rests on"), parts);
}
