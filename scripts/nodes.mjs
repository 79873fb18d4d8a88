// Runs the contract suite in every release line of Node that the package supports. Those that the repository does not
// install for its own tests are fetched from npm into node_modules/.cache/nodes/.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { endChildrenOnSignal, must, run } from "./lib/process.mjs";
import { modules, tool } from "./lib/tools.mjs";

const FETCHED = { 22: "22.23.3", 24: "24.21.0" };

endChildrenOnSignal();
const programs = { 20: tool("node20"), 26: tool("node") };
for (const [line, version] of Object.entries(FETCHED)) programs[line] = await fetchNode(line, version);

let failed = 0;
for (const [line, program] of Object.entries(programs)) {
  const vitest = join(modules, "vitest/vitest.mjs");
  const { code, output } = await run([program, vitest, "run", "--exclude=test/cross/**"], { quiet: true });
  if (code === 0) console.log(`ok ${line} - ${/Tests .*passed.*/.exec(output)?.[0] ?? "no count"}`);
  else console.log(`${output}\nnot ok ${line}`);
  failed += code === 0 ? 0 : 1;
}
console.log(`${Object.keys(programs).length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function fetchNode(line, version) {
  const folder = join(modules, ".cache/nodes", line);
  const name = `node-${process.platform}-${process.arch}`;
  mkdirSync(folder, { recursive: true });
  await must(
    ["npm", "install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", `${name}@${version}`],
    {
      quiet: true,
    },
  );
  return join(folder, "node_modules", name, "bin/node");
}
