// Runs the programs of test/order/litmus by GenMC: every execution that the memory models RC11 and IMM allow. Each program
// holds as coded, and fails without each order that it needs; those it names as `spare:` it doesn't need.
//   node test/order/litmus.mjs

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "litmus");
const MODELS = ["rc11", "imm"];
const VIOLATED = /Safety violation/;

let lines = 0;

/** What GenMC says of one case: "holds", "fails", or anything else as it stands. */
function outcomeOf(path, model, label) {
  const compiler = label === undefined ? [] : [`-DWITHOUT=${label}`];
  const ran = spawnSync("genmc", [`--${model}`, "--", ...compiler, path], {
    encoding: "utf8",
    timeout: 60_000,
  });
  const said = `${ran.stdout}${ran.stderr}`;
  const executions = /complete executions explored: (\d+)/i.exec(said)?.[1];
  if (VIOLATED.test(said)) return { outcome: "fails", told: "fails" };
  if (ran.status === 0 && executions > 0) {
    return { outcome: "holds", told: `holds in ${executions} executions` };
  }
  return { outcome: "neither", told: `genmc ended with ${ran.status ?? ran.signal}: ${said.trim()}` };
}

function check(file, model, label, expected, reason = "") {
  const { outcome, told } = outcomeOf(join(folder, file), model, label);
  const found = `${told}${reason}`.replaceAll("\n", "\n# ");
  const where = `${file.padEnd(11)} | ${model.padEnd(4)} | ${(label ?? "none").padEnd(19)}`;
  if (outcome !== expected) process.exitCode = 1;
  console.log(`${outcome === expected ? "ok" : "not ok"} ${++lines} - ${where} | ${found}`);
}

function checkProgram(file) {
  const text = readFileSync(join(folder, file), "utf8");
  const spare = new Map(
    [...text.matchAll(/spare: (\w+) -- (.*?) \*\//g)].map(([, label, why]) => [label, why]),
  );
  const labels = new Set(
    [...text.matchAll(/\b(?:load|store|cas|fence)_(?:acquire|release)\((\w+)/g)].map(([, label]) => label),
  );
  for (const label of spare.keys()) if (!labels.has(label)) throw new Error(`${file} has no ${label}`);
  for (const model of MODELS) {
    check(file, model, undefined, "holds");
    for (const label of labels) {
      const why = spare.get(label);
      if (why === undefined) check(file, model, label, "fails");
      else check(file, model, label, "holds", `: ${why}`);
    }
  }
}

if (spawnSync("genmc", ["--version"]).error !== undefined) {
  console.log("skipped: GenMC is not installed, so the programs of test/order/litmus can't be run");
} else {
  console.log("# program    | model | order left out     | found");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".c"))) checkProgram(file);
  console.log(`1..${lines}`);
}
