// Makes echarts.min.js: the parts named in charts.js, with the licences of all that is in it as its first comment.
import { readFileSync, copyFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const text = (path) => readFileSync(`node_modules/${path}`, "utf8").trim();
const licences = [
  text("echarts/NOTICE"),
  "This is Apache ECharts 6.1.0, cut down to the parts that are used (charts.js) and minified.",
  text("echarts/LICENSE"),
  "echarts/src/util/number.ts embeds a part of d3.js:",
  text("echarts/licenses/LICENSE-d3"),
  "ZRender:",
  text("zrender/LICENSE"),
  "tslib:",
  text("tslib/LICENSE.txt"),
].join("\n\n");
if (licences.includes("*/")) throw new Error("a licence would end the comment");

await build({
  entryPoints: ["charts.js"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "echarts",
  target: "es2020",
  charset: "ascii",
  legalComments: "none",
  banner: { js: `/*!\n${licences}\n*/` },
  outfile: "echarts.min.js",
});
const made = readFileSync("echarts.min.js", "utf8");
if (/<\/script/i.test(made) || made.includes("<!--")) throw new Error("cannot stand in a script element");
copyFileSync("node_modules/echarts/NOTICE", "NOTICE");
writeFileSync("LICENSE", licences + "\n");
