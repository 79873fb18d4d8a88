// npm run bench: the core beside the machine's own limits and Go libraries, the class beside other stores in three
// runtimes, several processes, memory, and hit ratios.
//
//   --quick        under two minutes: fewer and shorter measurements
//   --bars         only the table of bars: figure, bar, reached or not
//   --traces DIR   traces as NAME.txt.gz with lines "key size", and a README.md with reference hit ratios;
//                  ../shared/traces beside the checkout if not said, and no hit ratios if that is not there
//   --json FILE    all figures
//   --report       writes docs/benchmarks.md and its charts
//
// All figures of a run are from that run; ratios are what counts. Keep the machine quiet.

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "../scripts/lib/build.mjs";
import { endChildrenOnSignal, must } from "../scripts/lib/process.mjs";
import { setUp } from "../scripts/lib/setup.mjs";
import { root, tool } from "../scripts/lib/tools.mjs";
import { barTable } from "./bars.mjs";
import { measureGo } from "./go.mjs";
import { measureHitRatios } from "./hitratio.mjs";
import { measureJavaScript } from "./js.mjs";
import { measure } from "./measure.mjs";
import { print, tables } from "./table.mjs";

const args = process.argv.slice(2);
const isQuick = args.includes("--quick");
const jsonFile = option("--json");
const program = (name) => join(root, "zig-out/bench", name);

if (isQuick && args.includes("--report")) throw new Error("a report takes a full run: leave out --quick");

endChildrenOnSignal();
await setUp();
await build({ hostOnly: true });
await must([tool("zig"), "build", "bench"], { quiet: true });
// These need packages that a fresh clone has only now.
const { measureFlights } = await import("./flights.mjs");
const { measureProcesses } = await import("./processes.mjs");
const { writeReport } = await import("./report.mjs");

const figures = {
  core: await measure("the upstream workload", program("upstream"), isQuick ? ["--quick"] : []),
  full: await measure("sets in a full segment", program("latency")),
  go: await measureGo({ isQuick }),
  javaScript: await measureJavaScript({ isQuick }),
  processes: await measureProcesses({ isQuick }),
  flights: await measureFlights({ isQuick }),
  hitRatios: await measureHitRatios(resolve(option("--traces") ?? join(root, "../shared/traces"))),
};
const bars = barTable(figures);

if (!args.includes("--bars")) for (const { title, rows } of tables(figures)) print(title, rows);
print("bars", bars);
if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify({ ...figures, bars }, null, 2)}\n`);
if (args.includes("--report")) writeReport(figures, bars);

function option(name) {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
}
