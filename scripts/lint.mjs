// npm run lint: formats, lint rules and types; ends with one line such as "8 passed, 0 failed".

import { join } from "node:path";
import { formatters } from "./lib/formatters.mjs";
import { endChildrenOnSignal, run } from "./lib/process.mjs";
import { Report } from "./lib/report.mjs";
import { setUp } from "./lib/setup.mjs";
import { modules, tool } from "./lib/tools.mjs";
import { exportDifferences } from "./lint-exports.mjs";
import { importOffences } from "./lint-imports.mjs";
import { includeOffences } from "./lint-includes.mjs";
import { orderOffences } from "./lint-orders.mjs";
import { untidiness } from "./lint-tidy.mjs";

endChildrenOnSignal();
await setUp();
const report = new Report();
for (const { name, check } of formatters) await command(name, check());
await command("tsc", [tool("node"), join(modules, "typescript/bin/tsc"), "-p", "tsconfig.json"]);
rule("includes point one way", includeOffences());
rule("imports point one way", importOffences());
rule("exports.map is the header's", exportDifferences());
rule("models of memory order are of the core", orderOffences());
rule("tidy files", untidiness());
process.exitCode = report.print();

async function command(name, words) {
  console.log(`lint: ${name}`);
  const { code, seconds } = await run(words);
  report.add(name, { passed: Number(code === 0), failed: Number(code !== 0), seconds });
}

function rule(name, offences) {
  console.log([`lint: ${name}`, ...offences].join("\n  "));
  report.add(name, { passed: Number(offences.length === 0), failed: offences.length });
}
