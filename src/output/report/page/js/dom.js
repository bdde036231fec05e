"use strict";
// Elements, numbers and times as text, tables. Data reaches the page as text nodes only: nothing here reads markup.

const NONE = "\u2013";

/** An element with attributes (`on` holds listeners, `class` and the like are attributes) and children, strings as text. */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "style") for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replaces what an element holds. */
function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A sentence in which what stands between backticks is code. */
function prose(text) {
  return text.split("`").map((part, at) => (at % 2 === 1 ? el("code", null, part) : part));
}

// ---- numbers ----

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const digits = new Map();
function significant(value, count) {
  if (!digits.has(count)) digits.set(count, new Intl.NumberFormat("en-US", { maximumSignificantDigits: count }));
  return digits.get(count).format(value);
}

/** A plain number: whole from 100 on, else three digits. */
function plain(value) {
  if (!Number.isFinite(value)) return NONE;
  return Math.abs(value) >= 100 || Number.isInteger(value) ? whole.format(value) : significant(value, 3);
}

/** A share of one as a percentage; as many digits as tell it from 100%. */
function percent(share) {
  if (!Number.isFinite(share)) return NONE;
  const near = Math.min(Math.abs(1 - share), Math.abs(share));
  const places = near < 1e-12 ? 0 : Math.min(6, Math.max(1, Math.ceil(-Math.log10(near) - 1e-9)));
  return `${(share * 100).toLocaleString("en-US", { maximumFractionDigits: places })}%`;
}

/** Milliseconds, as seconds where that reads better. */
function milliseconds(value) {
  if (!Number.isFinite(value)) return NONE;
  if (Math.abs(value) >= 600_000) return span(value / 1000);
  return Math.abs(value) >= 10_000 ? `${significant(value / 1000, 3)} s` : `${plain(value)} ms`;
}

/** A length of time in seconds, as people say it. */
function span(seconds) {
  if (!Number.isFinite(seconds)) return NONE;
  const steps = [[86_400, "d"], [3_600, "h"], [60, "min"]];
  for (const [length, unit] of steps) if (Math.abs(seconds) >= 2 * length) return `${significant(seconds / length, 3)} ${unit}`;
  return `${significant(seconds, 3)} s`;
}

function money(value) {
  if (!Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  const text = size >= 100 ? whole.format(size) : size === 0 ? "0" : size.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: size < 0.1 ? 4 : 2 });
  return `${value < 0 ? "\u2212" : ""}$${text}`;
}

/** A value of a unit of the document, as text. */
function quantity(value, unit) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  switch (unit) {
    case "ratio": return percent(value);
    case "quotient": return `${significant(value, 3)}\u00d7`;
    case "ms": return milliseconds(value);
    case "s": return span(value);
    case "usd": return money(value);
    case "usd_per_day": return `${money(value)} a day`;
    case "per_second": return `${plain(value)}/s`;
    case "per_day": return `${plain(value)} a day`;
    case "count": case "requests": return (Math.abs(value) >= 10 ? whole.format(value) : plain(value)).replace("-", "\u2212");
    default: return plain(value).replace("-", "\u2212");
  }
}

/** The unit of an axis, in words. */
function unitName(unit) {
  return { ms: "milliseconds", s: "seconds", ratio: "share", quotient: "times", usd: "US dollars", usd_per_day: "US dollars a day",
    per_second: "a second", per_day: "a day", count: "count", requests: "requests" }[unit] ?? unit ?? "";
}

/** The range in which 95% of runs fall, as text. */
function rangeText(estimate, unit) {
  if (!estimate) return NONE;
  const isCounted = ["count", "requests"].includes(unit) && estimate.pi95;
  const ends = (estimate.pi95 ?? [estimate.mean, estimate.mean]).map((value) => (isCounted ? Math.round(value) : value));
  const [low, high] = ends.map((value) => quantity(value, unit));
  return low === high ? low : `${low} to ${high}`;
}

const isOneValue = (estimate) => !estimate?.pi95 || quantity(estimate.pi95[0]) === quantity(estimate.pi95[1]);

/** `mean 547 in 1,000 runs`, and why there is no range where there is none. */
function meanText(estimate, unit) {
  if (!estimate) return NONE;
  if (estimate.n === 1) return "one run, so no range";
  if (estimate.pi95 && estimate.pi95[0] === estimate.pi95[1]) return "in every run";
  return `mean ${quantity(estimate.mean, unit)}`;
}

const plural = (count, one, many) => `${whole.format(count)} ${count === 1 ? one : many ?? `${one}s`}`;

// ---- times ----

const two = (value) => String(value).padStart(2, "0");

/** A time of a run on its clock, or since its start where it has none. */
function clockText(seconds, clock, precise = true) {
  const total = Math.round(seconds) + (clock?.start_s ?? 0);
  const [day, rest] = [Math.floor(total / 86_400), ((total % 86_400) + 86_400) % 86_400];
  const [h, m, s] = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60];
  if (clock) return `${day > 0 ? `day ${day + 1}, ` : ""}${two(h)}:${two(m)}${precise ? `:${two(s)}` : ""}`;
  if (day > 0) return `${day} d ${two(h)}:${two(m)}`;
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function clockName(clock) {
  return clock ? `time of day${clock.zone ? `, ${clock.zone}` : ""}` : "time since the start";
}

// ---- tables ----

/** A table in a box that scrolls: `columns` are `{ name, right?, wide?, header? }`, `rows` arrays of text or nodes. */
function table(columns, rows, { label, tall = false, marked = () => false } = {}) {
  const head = el("tr", null, columns.map((column) => el("th", { scope: "col", class: column.right ? "right" : null }, column.name)));
  const cell = (content, at) => columns[at].header
    ? el("th", { scope: "row" }, content ?? NONE)
    : el("td", { class: columns[at].right ? "number right" : columns[at].wide ? "wide" : null }, content ?? NONE);
  const body = rows.map((row, at) => el("tr", { class: marked(at) ? "is-marked" : null }, row.map(cell)));
  return el("div", { class: `scroll${tall ? " is-tall" : ""}`, tabindex: "0", role: "region", "aria-label": label },
    el("table", { class: "table" }, el("thead", null, head), el("tbody", null, body)));
}

// ---- controls ----

/** A labelled list to choose from: `options` are `[value, text]`. */
function choice(label, options, value, onChange, attributes = {}) {
  const select = el("select", { ...attributes, on: { change: () => onChange(select.value) } },
    options.map(([key, text]) => el("option", { value: key }, text)));
  select.value = String(value);
  return el("label", null, label, select);
}

function button(text, onClick, attributes = {}) {
  return el("button", { type: "button", ...attributes, on: { click: onClick } }, text);
}

/** Says something to those who listen to the page. */
function announce(text) {
  const voice = document.getElementById("voice");
  if (voice) voice.textContent = text;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page from a file may have no clipboard of its own; selecting and copying is what is left.
    const field = el("textarea", { class: "visually-hidden", readonly: true, "aria-hidden": "true" });
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (!copied) return false;
  }
  return true;
}

/** A command with a button that copies it. */
function commandLine(command, label = "Command") {
  const copy = button("Copy", async () => {
    const done = await copyText(command);
    copy.textContent = done ? "Copied" : "Select it";
    announce(done ? "Command copied" : "Copying is not allowed here");
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  }, { class: "quiet", "aria-label": `Copy: ${command}` });
  return el("div", { class: "command" }, el("span", { class: "visually-hidden" }, label), el("code", null, command), copy);
}
