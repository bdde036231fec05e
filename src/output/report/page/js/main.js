// Builds the page, and draws it again when its size, its colours or the paper change.

const report = JSON.parse(document.getElementById("report").textContent);

function build() {
  readPalette();
  const page = document.getElementById("page");
  const summary = summaryPage();
  const sections = [...(report.sweep ? sweepSections(report.sweep) : []), ...(report.tune ? tuneSections(report.tune) : []),
    ...scenarioSections(), settingsSection(), gameDaySection(), certaintySection()].filter(Boolean);
  const contents = el("nav", { "aria-label": "Contents" }, el("ul", { class: "contents" },
    sections.map((section) => el("li", null, el("a", { href: `#${section.id}` }, section.querySelector("h2").textContent)))));
  const preface = (report.preface ?? []).map((text) => el("p", { class: "lede" }, text));
  fill(page, summary, el("div", { class: "details", id: "details" },
    el("p", { class: "kicker" }, "For engineers"), preface, contents, sections),
  el("div", { class: "visually-hidden", id: "voice", role: "status", "aria-live": "polite" }));
  redrawAll();
}

/** The height of what is printed on a sheet of A4 or Letter, whichever is lower, in CSS pixels, with some to spare. */
const SHEET_HEIGHT = 950;
/** Its width on the narrower one. */
const SHEET_WIDTH = 702;

/** Paper is light and has a width of its own: charts are drawn anew for it, and the first page is made to fit one sheet. */
function prepareForPaper() {
  if (document.documentElement.hasAttribute("data-print")) return;
  document.documentElement.setAttribute("data-print", "");
  const page = document.getElementById("page");
  page.style.width = `${SHEET_WIDTH}px`;
  redrawAll();
}

function backToScreen() {
  if (!document.documentElement.hasAttribute("data-print")) return;
  document.documentElement.removeAttribute("data-print");
  const page = document.getElementById("page");
  page.style.removeProperty("width");
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
