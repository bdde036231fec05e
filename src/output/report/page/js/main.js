// Builds the page, and draws it again when its size, its colours or the paper change.

const report = JSON.parse(document.getElementById("report").textContent);

/** A part of the page; one that cannot be drawn says so, and leaves the others alone. */
function guarded(part) {
  try {
    return part();
  } catch (error) {
    console.error(error);
    return el("section", { class: "section", id: `part-${(failedParts += 1)}` }, el("h2", null, "A part that could not be drawn"), el("p", { class: "failure" }, String(error)));
  }
}
let failedParts = 0;

function build() {
  readPalette();
  const page = document.getElementById("page");
  const summary = guarded(summaryPage);
  const parts = [() => (report.sweep ? sweepSections(report.sweep) : []), () => (report.tune ? tuneSections(report.tune) : []),
    scenarioSections, settingsSection, gameDaySection, certaintySection];
  const sections = parts.flatMap(guarded).filter(Boolean);
  const contents = el("nav", { "aria-label": "Contents" }, el("ul", { class: "contents" },
    sections.map((section) => el("li", null, el("a", { href: `#${section.id}` }, section.querySelector("h2").textContent)))));
  fill(page, summary, el("div", { class: "details", id: "details" },
    el("div", { class: "section" }, el("p", { class: "kicker" }, "For engineers"), report.preface.map((text) => el("p", { class: "lede" }, prose(text))), contents), sections),
  el("div", { class: "visually-hidden", id: "voice", role: "status", "aria-live": "polite" }));
  redrawAll();
}

/** What fits on a sheet of A4 and on one of Letter with the margins of the style, in CSS pixels, with some to spare. */
const SHEET = { width: 702, height: 955 };

/** Paper is light and has a width of its own: charts are drawn anew for it, and the first page is made to fit one sheet. */
function prepareForPaper() {
  const root = document.documentElement;
  if (root.hasAttribute("data-print")) return;
  root.setAttribute("data-print", "");
  document.getElementById("page").style.width = `${SHEET.width}px`;
  const summary = document.getElementById("summary");
  redrawAll();
  // A narrower zoom lets lines run longer, so the height falls faster than the zoom: a few steps find what fits.
  for (let zoom = 0.98; summary.getBoundingClientRect().height > SHEET.height && zoom > 0.6; zoom -= 0.02) {
    summary.style.zoom = zoom;
  }
  if (summary.style.zoom) updateIn(summary);
}

function backToScreen() {
  const root = document.documentElement;
  if (!root.hasAttribute("data-print")) return;
  root.removeAttribute("data-print");
  document.getElementById("page").style.removeProperty("width");
  document.getElementById("summary").style.removeProperty("zoom");
  redrawAll();
}

build();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
matchMedia("print").addEventListener("change", (query) => (query.matches ? prepareForPaper() : backToScreen()));
addEventListener("beforeprint", prepareForPaper);
addEventListener("afterprint", backToScreen);
let lastWidth = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === lastWidth || document.documentElement.hasAttribute("data-print")) return;
  lastWidth = innerWidth;
  redrawAll();
});
