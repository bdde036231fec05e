
// What can be moved, and what is moved: settings by path, as the server takes them.

const start = JSON.parse(document.getElementById("start").textContent);

/** By path: `{ control, section, at, own }`, where `own` is a value that somebody typed. */
const knobs = new Map();
/** By path of a section that may be missing: whether it is there. */
const switches = new Map();
/** Settings of a link that no control has. */
const extras = new Map();

for (const section of start.sections) {
  if (section.switch) switches.set(section.switch.path, section.switch.is_on);
  for (const control of section.controls) knobs.set(control.path, { control, section, at: control.at, own: null });
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const stopOf = (knob) => knob.own ?? knob.control.stops[knob.at];
const isMoved = (knob) => knob.own !== null || knob.at !== knob.control.at;
const isOn = (section) => !section.switch || switches.get(section.switch.path);

/** What differs from the scenario as written, in the order in which it is to be set. */
function settingsNow() {
  const settings = {};
  for (const section of start.sections) {
    const { switch: able } = section;
    const on = isOn(section);
    if (able && on !== able.is_on) settings[able.path] = on ? able.on : null;
    if (!on) continue;
    for (const control of section.controls) {
      const knob = knobs.get(control.path);
      if (isMoved(knob)) settings[control.path] = stopOf(knob).value;
    }
  }
  for (const [path, value] of extras) settings[path] = value;
  return settings;
}

function resetKnobs() {
  for (const knob of knobs.values()) Object.assign(knob, { at: knob.control.at, own: null });
  for (const section of start.sections) if (section.switch) switches.set(section.switch.path, section.switch.is_on);
  extras.clear();
}

/** Puts a knob to a value: a stop of it, or else a value of its own. */
function putKnob(knob, value) {
  const at = knob.control.stops.findIndex((stop) => same(stop.value, value));
  if (at >= 0) Object.assign(knob, { at, own: null });
  else knob.own = { value, text: typeof value === "string" ? value : JSON.stringify(value) };
}

/** What somebody typed, as a value of the sort that the setting takes; the server says what is wrong with it. */
function readTyped(control, text) {
  return !control.is_text && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text.trim();
}

// ---- links: the settings are in the fragment, which no server sees ----

function linkOf(settings) {
  const parts = Object.entries(settings).map(([path, value]) => `${encodeURIComponent(path)}=${encodeURIComponent(JSON.stringify(value))}`);
  return parts.length > 0 ? `#${parts.join("&")}` : "";
}

function readLink(fragment) {
  resetKnobs();
  for (const part of fragment.replace(/^#/, "").split("&").filter(Boolean)) {
    let path, value;
    try {
      const [name, text = "null"] = part.split("=").map(decodeURIComponent);
      [path, value] = [name, JSON.parse(text)];
    } catch {
      // Not one of our links: the rest of it may be.
      continue;
    }
    if (knobs.has(path) && value !== null) {
      const knob = knobs.get(path);
      // A switch may have the same path as the only control of its section.
      if (knob.section.switch?.path === path) switches.set(path, true);
      putKnob(knob, value);
    } else if (switches.has(path)) {
      switches.set(path, value !== null);
    } else {
      extras.set(path, value);
    }
  }
}

// ---- the panel ----

const redrawKnobs = [];

function knobElement(knob, onMove) {
  const { control } = knob;
  const id = `knob-${control.path}`;
  const isChoice = control.kind === "choice";
  const meaning = el("p", { class: "meaning", id: `${id}-meaning`, hidden: true }, control.about, el("code", null, control.path));
  const ask = el("button", { type: "button", class: "ask", "aria-label": `What ${control.label} means`, "aria-expanded": "false", "aria-controls": meaning.id,
    on: { click: () => { meaning.hidden = !meaning.hidden; ask.setAttribute("aria-expanded", String(!meaning.hidden)); } } }, "?");
  const value = el("input", { type: "text", class: "value", "aria-label": `${control.label}, value`, "data-path": control.path, spellcheck: "false", autocomplete: "off",
    on: { change: () => { putKnob(knob, readTyped(control, value.value)); onMove(); } } });
  const was = button("", () => { Object.assign(knob, { at: control.at, own: null }); onMove(); }, { class: "was" });
  const slider = isChoice
    ? el("select", { id, on: { change: () => { Object.assign(knob, { at: Number(slider.value), own: null }); onMove(); } } },
      control.stops.map((stop, at) => el("option", { value: at }, stop.text.replaceAll("_", " "))))
    : el("input", { type: "range", id, min: 0, max: control.stops.length - 1, step: 1,
      on: { input: () => { Object.assign(knob, { at: Number(slider.value), own: null }); onMove(); } } });
  const node = el("div", { class: "knob", "data-path": control.path, title: control.about },
    el("div", { class: "knob-head" }, el("label", { for: id }, control.label), was, isChoice ? null : value, ask),
    slider, meaning);
  redrawKnobs.push(() => {
    const stop = stopOf(knob);
    slider.value = String(knob.at);
    if (!isChoice) slider.setAttribute("aria-valuetext", stop.text);
    if (document.activeElement !== value || knob.own === null) value.value = stop.text;
    node.classList.toggle("is-changed", isMoved(knob));
    was.hidden = !isMoved(knob);
    const before = control.stops[control.at].text.replaceAll("_", " ");
    was.textContent = `${knob.section.switch?.is_on === false ? "at first" : "was"} ${before}`;
    was.setAttribute("aria-label", `Set ${control.label} back to ${before}`);
  });
  return node;
}

function sectionElement(section, onMove) {
  const head = el("h2", null, section.title);
  const body = el("div", null, section.controls.map((control) => knobElement(knobs.get(control.path), onMove)));
  let toggle = null;
  if (section.switch) {
    const box = el("input", { type: "checkbox", role: "switch", "aria-label": section.title, "data-path": section.switch.path,
      on: { change: () => { switches.set(section.switch.path, box.checked); onMove(); } } });
    const word = el("span");
    toggle = el("label", { class: "switch" }, word, box);
    redrawKnobs.push(() => {
      box.checked = isOn(section);
      word.textContent = box.checked ? "on" : "off";
      body.hidden = !box.checked;
    });
  }
  return el("fieldset", { title: section.switch ? section.about : null }, el("legend", { class: "visually-hidden" }, section.title),
    el("div", { class: "section-head" }, head, toggle), body);
}

function extrasElement(onMove) {
  const list = el("ul", { class: "extras" });
  redrawKnobs.push(() => fill(list, [...extras].map(([path, value]) =>
    el("li", null, el("code", null, `${path} = ${JSON.stringify(value)}`), button("leave out", () => { extras.delete(path); onMove(); }, { class: "quiet" })))));
  return list;
}

function updateKnobs() {
  for (const redraw of redrawKnobs) redraw();
}
