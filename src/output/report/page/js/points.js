// Points of a sweep or a search: where they are on the axes, what runs say of them, and a table that sorts and filters.

const RANGES = { pi95: "range of 95% of runs", ci95: "95% CI of the mean" };

/** Questions that pictures and tables ask of columns of points. */
class Points {
  constructor({ axes, metrics, scenarios, points }) {
    Object.assign(this, { axes, metrics, scenarios, points });
    this.count = points.point.length;
    this.notes = new Array(this.count).fill("");
  }

  isPlaces(axis) {
    return this.axes[axis].values !== null;
  }

  /** Where a point is on an axis: a place in its values, or the number itself. */
  at(axis, point) {
    return this.points.axes[axis][point];
  }

  /** The same as text. */
  text(axis, point) {
    const at = this.at(axis, point);
    if (at === null) return NONE;
    return this.isPlaces(axis) ? this.axes[axis].values[at] : quantity(at, this.axes[axis].unit);
  }

  /** The same as a number, for sorting and scattering; text where it is none. */
  number(axis, point) {
    const at = this.at(axis, point);
    if (at === null || !this.isPlaces(axis)) return at;
    return this.axes[axis].numbers?.[at] ?? this.axes[axis].values[at];
  }

  mean(metric, point) {
    return this.points.estimates[metric]?.mean[point] ?? null;
  }

  /** Which ranges there are of a metric. */
  ranges(metric) {
    const columns = this.points.estimates[metric] ?? {};
    return Object.keys(RANGES).filter((kind) => columns[`${kind}_low`]);
  }

  range(metric, kind, point) {
    const columns = this.points.estimates[metric] ?? {};
    const [low, high] = [columns[`${kind}_low`]?.[point], columns[`${kind}_high`]?.[point]];
    return low === null || low === undefined || high === null || high === undefined ? null : [low, high];
  }

  runs(point) {
    const { runs } = this.points;
    return Array.isArray(runs) ? runs[point] : runs;
  }

  metric(name) {
    return this.metrics.find((metric) => metric.name === name);
  }
}

// ---- the table ----

const ROWS_A_PAGE = 50;

/** Columns of the table of points: how each is named, sorted and shown. */
function pointColumns(model) {
  const columns = [{ name: "point", value: (point) => model.points.point[point], show: (point) => String(model.points.point[point]) }];
  if (model.scenarios.length > 1) columns.push({ name: "scenario", left: true, value: (point) => model.scenarios[model.points.scenario[point]], show: (point) => model.scenarios[model.points.scenario[point]] });
  model.axes.forEach((axis, at) => columns.push({ name: axis.label, title: axis.path, alias: axis.path, left: true, value: (point) => model.number(at, point), show: (point) => model.text(at, point) }));
  for (const { name, label, meaning, unit } of model.metrics) {
    columns.push({ name: label ?? name, title: `${name}: ${meaning}`, alias: name, value: (point) => model.mean(name, point), show: (point) => {
      const range = model.range(name, "pi95", point) ?? model.range(name, "ci95", point);
      const mean = quantity(model.mean(name, point), unit);
      return range && quantity(range[0], unit) !== quantity(range[1], unit) ? [mean, el("small", null, `${quantity(range[0], unit)} to ${quantity(range[1], unit)}`)] : mean;
    } });
  }
  columns.push({ name: "runs", value: (point) => model.runs(point), show: (point) => plain(model.runs(point)) });
  if (model.notes.some((note) => note !== "")) columns.push({ name: "note", left: true, wide: true, value: (point) => model.notes[point], show: (point) => model.notes[point] });
  return columns;
}

/** What a filter asks: words that must occur, and comparisons such as `failed_count<1000`. */
function parseFilter(text, columns) {
  const wanted = [];
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const [, name, sign, number] = /^([^<>=]+)(<=|>=|<|>|=)(-?[\d.,]+)$/.exec(word) ?? [];
    const column = name && columns.find((column) => [column.alias, column.name].some((known) => known === name))
      || name && columns.find((column) => [column.alias, column.name].some((known) => known?.endsWith(name)));
    if (column) {
      const limit = Number(number.replaceAll(",", ""));
      const holds = { "<": (value) => value < limit, "<=": (value) => value <= limit, ">": (value) => value > limit, ">=": (value) => value >= limit, "=": (value) => value === limit }[sign];
      wanted.push({ test: (point) => { const value = column.value(point); return typeof value === "number" && holds(value); } });
    } else {
      wanted.push({ word: word.toLowerCase() });
    }
  }
  return wanted;
}

/** A table of all points: sorted by any column, filtered, a page at a time. */
function pointsTable(model, { id, label, isMarked = () => false, order: startOrder = null, startFilter = "" }) {
  const columns = pointColumns(model);
  const state = { sort: null, down: false, page: 0, filter: startFilter };
  const texts = new Array(model.count);
  const textOf = (point) => (texts[point] ??= columns.filter((column) => column.left || column.name === "point").map((column) => column.show(point)).join(" ").toLowerCase());
  const holder = el("div");
  const pager = el("div", { class: "pager" });
  let shown = [];
  const select = () => {
    const wanted = parseFilter(state.filter, columns);
    shown = [];
    for (let point = 0; point < model.count; point += 1) {
      if (wanted.every(({ test, word }) => (test ? test(point) : textOf(point).includes(word)))) shown.push(point);
    }
    if (state.sort !== null) {
      const { value } = columns[state.sort];
      shown.sort((one, other) => compareValues(value(one), value(other), state.down) || one - other);
    } else if (startOrder) {
      shown.sort(startOrder);
    }
  };
  const draw = () => {
    const pages = Math.max(1, Math.ceil(shown.length / ROWS_A_PAGE));
    state.page = Math.min(state.page, pages - 1);
    const rows = shown.slice(state.page * ROWS_A_PAGE, (state.page + 1) * ROWS_A_PAGE);
    const head = columns.map((column, at) => el("th", { scope: "col", class: column.left ? null : "right", "aria-sort": state.sort === at ? (state.down ? "descending" : "ascending") : null },
      button(column.name, () => {
        state.down = state.sort === at ? !state.down : false;
        state.sort = at;
        state.page = 0;
        select();
        draw();
        holder.querySelectorAll("thead button")[at].focus();
      }, { title: column.title })));
    fill(holder, el("div", { class: "scroll is-tall", tabindex: "0", role: "region", "aria-label": label },
      el("table", { class: "table", id }, el("thead", null, el("tr", null, head)),
        el("tbody", null, rows.map((point) => el("tr", { class: isMarked(point) ? "is-marked" : null },
          columns.map((column) => el("td", { class: column.wide ? "wide" : column.left ? null : "number right" }, column.show(point)))))))));
    const move = (by) => () => { state.page += by; draw(); };
    fill(pager, el("span", { role: "status" }, shown.length === 0 ? "No point fits the filter." : `${whole.format(state.page * ROWS_A_PAGE + 1)} to ${whole.format(state.page * ROWS_A_PAGE + rows.length)} of ${plural(shown.length, "point")}${shown.length < model.count ? `, of ${whole.format(model.count)} in all` : ""}`),
      pages > 1 ? [button("Previous", move(-1), { disabled: state.page === 0 }), button("Next", move(1), { disabled: state.page >= pages - 1 })] : null);
  };
  const input = el("input", { type: "search", id: `${id}-filter`, autocomplete: "off", spellcheck: "false", placeholder: "words, or failed_count<1000",
    on: { input: () => { state.filter = input.value; state.page = 0; select(); draw(); } } });
  input.value = startFilter;
  select();
  draw();
  return el("div", { class: "section" },
    el("div", { class: "controls" }, el("label", null, "Filter", input)), holder, pager);
}
