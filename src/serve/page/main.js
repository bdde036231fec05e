
// The page: asks when something moves, and draws the newest answer.

/** A question under way is left alone for so long; one that takes longer is given up for a newer one, in milliseconds. */
const GIVE_UP_AFTER = 250;

const page = document.getElementById("page");
const headline = headlineElement();
const parts = [headline, factsElement(), objectivesElement(), stagesElement()];
const figures = [stripFigure(), lanesFigure(), latencyFigure()];

/** Numbers questions; an answer is drawn only if no newer one was. */
let asked = 0;
let drawn = 0;
/** The question under way: `{ number, abort, since, isFull }`. */
let underWay = null;
let isMovedSince = null;
let frame = 0;
let linkTimer = 0;

function moved() {
  updateKnobs();
  isMovedSince ??= performance.now();
  frame ||= requestAnimationFrame(() => { frame = 0; ask(); });
  clearTimeout(linkTimer);
  linkTimer = setTimeout(() => history.replaceState(null, "", linkOf(settingsNow()) || location.pathname), 300);
}

/** Asks with as many runs as can be played at once, unless an answer is about to come. */
function ask() {
  if (isMovedSince === null) return;
  if (underWay && !underWay.isFull) {
    const age = performance.now() - underWay.since;
    if (age < GIVE_UP_AFTER) {
      // The answer asks again when it comes; if it does not come, this does.
      setTimeout(ask, GIVE_UP_AFTER - age);
      return;
    }
  }
  underWay?.abort.abort();
  const since = isMovedSince;
  isMovedSince = null;
  question(null, since);
}

async function question(runs, movedAt) {
  const settings = settingsNow();
  const number = ++asked;
  const mine = { number, abort: new AbortController(), since: performance.now(), isFull: runs !== null };
  underWay = mine;
  page.setAttribute("aria-busy", "true");
  let told, complaint = null;
  try {
    const body = JSON.stringify(runs === null ? { settings } : { settings, runs });
    const response = await fetch("/api/simulate", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal: mine.abort.signal });
    told = await response.json();
    if (!response.ok) complaint = told.error;
  } catch (error) {
    complaint = error.name === "AbortError" ? undefined : "The page does not answer any more. Is `failover-sim serve` still running?";
  }
  const waited = performance.now() - mine.since;
  if (underWay === mine) underWay = null;
  if (complaint !== undefined && number > drawn) {
    drawn = number;
    headline.complain(complaint);
    if (complaint === null) {
      show(told, settings);
      headline.time(howWords(waited, movedAt));
    }
  }
  if (!underWay) page.removeAttribute("aria-busy");
  if (isMovedSince !== null) ask();
  else if (complaint === null && number === asked && runs === null && (told.runs < told.runs_possible || told.closeup === null)) question(told.runs_possible, null);
}

/** How the numbers were made, and how long it took. */
function howWords(waited, movedAt) {
  const made = `${plural(shown.runs, "run")} of ${whole.format(start.runs)}, seed ${start.seed}, compared with the same runs as written.`;
  if (movedAt === null) return `${made} Simulated in ${plain(waited)} ms.`;
  return `${made} Drawn ${plain(Math.round(performance.now() - movedAt))} ms after the change, simulated in ${plain(Math.round(waited))} ms.`;
}

function show(answer, settings) {
  isMovedAtAll = Object.keys(settings).length > 0;
  // While somebody drags, a scenario with many requests has no picture: the last one stays until there is a new one.
  shown = answer.closeup === null && answer.runs < answer.runs_possible ? { ...answer, closeup: shown?.closeup ?? null } : answer;
  for (const part of parts) part.update();
  for (const chart of figures) chart.update();
  const estimate = estimateOf(now().metrics.failed_count);
  clearTimeout(show.voice);
  show.voice = setTimeout(() => announce(`${rangeText(estimate)} requests fail`), 600);
}

// ---- taking it with you ----

async function tomlNow() {
  const body = JSON.stringify({ settings: settingsNow(), runs: shown?.runs_possible ?? start.runs });
  const response = await fetch("/api/scenario", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (response.ok) return response.text();
  headline.complain((await response.json()).error);
  return null;
}

async function said(control, done, words) {
  const text = control.textContent;
  control.textContent = done ? words : "Not possible here";
  announce(control.textContent);
  setTimeout(() => { control.textContent = text; }, 1500);
}

function actionsElement() {
  const copy = button("Copy as TOML", async () => {
    const text = await tomlNow();
    said(copy, text !== null && await copyText(text), "Copied");
  }, { id: "copy-toml" });
  const download = button("Download TOML", async () => {
    const text = await tomlNow();
    if (text === null) return;
    const address = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
    const link = el("a", { href: address, download: `${start.name.replace(/[^\w.-]+/g, "_")}_what_if.toml` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }, { id: "download-toml" });
  const link = button("Copy link", async () => {
    said(link, await copyText(`${location.origin}${location.pathname}${linkOf(settingsNow())}`), "Copied");
  }, { id: "copy-link" });
  const back = button("As written", () => { resetKnobs(); moved(); }, { id: "reset" });
  redrawKnobs.push(() => { back.disabled = Object.keys(settingsNow()).length === 0; });
  return el("div", { class: "actions button-row" }, copy, download, link, back);
}

// ---- here we go ----

document.title = `What if: ${start.name}`;
fill(page,
  el("header", { class: "masthead" }, el("span", null, el("strong", null, start.name), " what if?"),
    el("span", { class: "faint" }, `${start.path} · failover-sim ${start.version} · a prediction, not a measurement`),
    start.about ? el("span", { class: "about" }, start.about) : null),
  headline.node,
  el("aside", { class: "knobs", "aria-label": "Settings" }, start.sections.map((section) => sectionElement(section, moved)), extrasElement(moved), actionsElement()),
  el("div", { class: "results" }, figures[0].node, figures[1].node, parts[1].node, parts[2].node, parts[3].node, figures[2].node));

readPalette();
readLink(location.hash);
updateKnobs();
if (shown) show(shown, {});
headline.time(shown ? `${plural(shown.runs, "run")} with seed ${start.seed}.` : "");
if (Object.keys(settingsNow()).length > 0 || !shown) moved();
else if (shown.runs < shown.runs_possible) question(shown.runs_possible, null);

addEventListener("hashchange", () => { readLink(location.hash); moved(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
let width = innerWidth;
addEventListener("resize", () => {
  if (width === innerWidth) return;
  width = innerWidth;
  requestAnimationFrame(() => figures.forEach((chart) => chart.update()));
});
