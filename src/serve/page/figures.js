
// One run against its clock: what failed, who was believed dead, how long answers took.

/** The answer that is shown, and the scenario as written. */
let shown = start.written;
const written = start.written;
/** Whether anything is moved: if not, there is nothing to compare with. */
let isMovedAtAll = false;

/** Room for labels on the left, the same in all figures, so that their clocks stand one above the other. */
const leftOf = (width) => Math.min(130, Math.max(76, Math.round(width * 0.16)));
const LANES_MAX = 24;
const closeupNow = () => shown?.closeup ?? null;
const viewOf = (closeup) => ({ from: 0, to: closeup.duration_s });
const perSecond = (closeup, counts) => counts.map((count, at) => count / Math.max(1e-9, Math.min(closeup.bin_s, closeup.duration_s - at * closeup.bin_s)));
const binAt = (closeup, time) => Math.max(0, Math.min(closeup.failed.length - 1, Math.floor(time / closeup.bin_s)));
const pointer = () => ({ type: "line", lineStyle: { color: palette.inkFaint } });

function shade(closeup) {
  const bands = closeup.faults.slice(0, 200).map((fault) => [{ xAxis: Math.max(0, fault.start_s) }, { xAxis: Math.min(closeup.duration_s, fault.end_s) }]);
  return { type: "line", data: [[0, null]], silent: true, symbol: "none", z: 0,
    markArea: { silent: true, z: 0, itemStyle: { color: palette.truthWash, opacity: 0.75 }, data: bands } };
}

const tooMuch = "This scenario has too many requests to look at each while you drag. It is drawn when you stop, if it can be.";

function stripFigure() {
  return figure({
    id: "strip", title: "Failed requests a second", height: 160, empty: tooMuch,
    sub: () => (closeupNow() ? `run 0, by when they arrived; ${plain(closeupNow().failed_count)} in this run; shaded while something is wrong` : ""),
    summary: () => `${plain(closeupNow()?.failed_count ?? NaN)} failed in run 0`,
    legend: () => [{ name: "with these settings", colour: palette.failed }, ...(isMovedAtAll && written?.closeup ? [{ name: "as written", colour: palette.before, line: true }] : [])],
    draw: (width) => {
      const closeup = closeupNow();
      if (!closeup) return null;
      const now = perSecond(closeup, closeup.failed);
      const before = isMovedAtAll && written?.closeup ? written.closeup : null;
      const then = before ? perSecond(before, before.failed) : null;
      return {
        grid: { left: leftOf(width), right: 10, top: 14, bottom: 24 },
        tooltip: tooltip({ trigger: "axis", axisPointer: pointer(), formatter: (points) => {
          const time = points[0].axisValue;
          const rows = [["with these settings", `${plain(now[binAt(closeup, time)])}/s`]];
          if (then) rows.push(["as written", `${plain(then[binAt(before, time)])}/s`]);
          return tip(clockText(binAt(closeup, time) * closeup.bin_s, closeup.clock), rows);
        } }),
        xAxis: timeAxis(viewOf(closeup), closeup.clock, width - leftOf(width) - 10),
        yAxis: valueAxis("", { min: 0, splitNumber: 3 }),
        series: [
          { type: "line", step: "end", symbol: "none", color: palette.failed, lineStyle: { width: 0 }, areaStyle: { color: palette.failed, opacity: 0.9 }, data: steps(now, closeup.bin_s, closeup.duration_s) },
          ...(then ? [{ type: "line", step: "end", symbol: "none", color: palette.before, lineStyle: { width: 1.25, color: palette.before }, data: steps(then, before.bin_s, before.duration_s) }] : []),
          shade(closeup),
        ],
      };
    },
  });
}

/** A lane for faults of the gateway; one for the truth about each provider that had a fault or was ejected, and for each replica's view of it. */
function lanesNow(closeup) {
  const ofGateway = closeup.faults.filter((fault) => fault.providers.length === 0);
  const gateway = ofGateway.length > 0 ? [{ head: "gateway", truth: true, bands: ofGateway }] : [];
  return gateway.concat(closeup.providers.flatMap((name, provider) => {
    const faults = closeup.faults.filter((fault) => fault.providers.includes(name));
    const ejections = closeup.ejections.filter((ejection) => ejection.provider === provider);
    if (faults.length === 0 && ejections.length === 0) return [];
    const lanes = [{ head: name, truth: true, bands: faults }];
    for (let replica = 0; replica < closeup.replicas; replica++) {
      lanes.push({ name: closeup.replicas > 1 ? `replica ${replica}` : "believed", bands: ejections.filter((ejection) => ejection.replica === replica) });
    }
    return lanes;
  }));
}

/** What there is no room for. */
function leftOutWords(closeup) {
  const counts = [[lanesNow(closeup).length - LANES_MAX, "lane"], [closeup.faults_left_out, "fault"], [closeup.ejections_left_out, "ejection"]]
    .filter(([count]) => count > 0);
  return counts.map(([count, what]) => `${plain(count)} more ${what}${count === 1 ? " is" : "s are"} not shown`);
}

function lanesFigure() {
  const row = 22;
  return figure({
    id: "lanes", title: "What was true, and what the gateway believed", height: 60,
    sub: () => ["by provider and replica", ...(closeupNow() ? leftOutWords(closeupNow()) : [])].join("; "),
    empty: () => (closeupNow() ? "Nothing had a fault in this run, and no provider was ejected." : tooMuch),
    summary: () => `${plural((closeupNow()?.ejections.length ?? 0) + (closeupNow()?.ejections_left_out ?? 0), "ejection")} in run 0`,
    legend: () => [{ name: "fault active", colour: palette.truth }, { name: "believed dead: ejected", colour: palette.accent }],
    draw: (width) => {
      const closeup = closeupNow();
      const all = closeup ? lanesNow(closeup) : [];
      if (all.length === 0) return null;
      const lanes = all.slice(0, LANES_MAX);
      const left = leftOf(width);
      const bands = lanes.flatMap((lane, at) => lane.bands.map((band) => ({ lane, at, band })));
      const end = (band) => Math.min(closeup.duration_s, band.end_s ?? closeup.duration_s);
      const plainLabel = (text) => text.replace(/[{}|]/g, " ");
      return {
        height: lanes.length * row + 30,
        grid: { left, right: 10, top: 2, bottom: 26 },
        tooltip: tooltip({ trigger: "item", formatter: ({ dataIndex }) => {
          const { lane, band } = bands[dataIndex];
          return tip(lane.truth ? `fault ${band.name}` : `ejected by ${band.by.join(" and ")}`, [
            ["from", clockText(band.start_s, closeup.clock)], ["until", band.end_s === null ? "the end" : clockText(band.end_s, closeup.clock)],
            ["for", span(end(band) - band.start_s)], ...(lane.truth ? [["what", band.words]] : [])]);
        } }),
        xAxis: timeAxis(viewOf(closeup), closeup.clock, width - left - 10),
        yAxis: { type: "category", inverse: true, data: lanes.map((_, at) => at), axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false },
          axisLabel: { interval: 0, width: left - 8, overflow: "truncate", align: "left", margin: left - 2,
            formatter: (_, at) => (lanes[at].truth ? `{head|${plainLabel(lanes[at].head)}}` : `{lane|${lanes[at].name}}`),
            rich: { head: { color: palette.ink, fontWeight: 600, fontSize: 12 }, lane: { color: palette.inkSoft, fontSize: 11.5, padding: [0, 0, 0, 8] } } } },
        series: [{
          type: "custom", clip: true, encode: { x: [1, 2], y: 0 },
          data: bands.map(({ at, band }) => [at, band.start_s, end(band)]),
          renderItem: (params, api) => {
            const [from, to] = [api.coord([api.value(1), api.value(0)]), api.coord([api.value(2), api.value(0)])];
            const { lane, band } = bands[params.dataIndex];
            const shape = { x: from[0], y: from[1] - row * 0.33, width: Math.max(1.5, to[0] - from[0]), height: row * 0.66 };
            const text = lane.truth ? band.name : span(end(band) - band.start_s);
            const fits = shape.width > text.length * 6.4 + 12;
            // A shape that is reused keeps its label unless told.
            return { type: "rect", shape, style: { fill: lane.truth ? palette.truth : palette.accent },
              ...(fits ? { textContent: { style: { text, fill: lane.truth ? "#1c1d1f" : palette.paper, fontSize: 11, fontFamily: palette.sans } }, textConfig: { position: "insideLeft", distance: 6 } } : { textContent: false }) };
          },
        }],
      };
    },
  });
}

function latencyFigure() {
  const lines = () => [["latency_ms_p50", "median", palette.series[2], 2], ["latency_ms_p99", "99th percentile", palette.series[0], 1.25]];
  return figure({
    id: "latency", title: "Latency of requests that succeed", height: 150,
    sub: "run 0, by when they arrived; a gap is a time in which none succeeded",
    empty: () => (closeupNow() ? "No request succeeded in this run." : tooMuch),
    legend: () => lines().map(([, name, colour]) => ({ name, colour, line: true })),
    draw: (width) => {
      const closeup = closeupNow();
      if (!closeup || !closeup.latency_ms_p50.some((value) => value !== null)) return null;
      return {
        grid: { left: leftOf(width), right: 10, top: 14, bottom: 24 },
        tooltip: tooltip({ trigger: "axis", axisPointer: pointer(), formatter: (points) => {
          const bin = binAt(closeup, points[0].axisValue);
          return tip(clockText(bin * closeup.bin_s, closeup.clock), lines().map(([key, name]) => [name, milliseconds(closeup[key][bin] ?? NaN)]));
        } }),
        xAxis: timeAxis(viewOf(closeup), closeup.clock, width - leftOf(width) - 10),
        yAxis: valueAxis("", { min: 0, splitNumber: 3, format: milliseconds }),
        series: [...lines().map(([key, name, colour, thick]) => ({ name, type: "line", step: "end", symbol: "none", connectNulls: false, color: colour,
          lineStyle: { width: thick, color: colour }, data: steps(closeup[key], closeup.bin_s, closeup.duration_s) })), shade(closeup)],
      };
    },
  });
}
