// Counts the instructions of the core's operations with callgrind and compares them with bench/instructions.json.
//
//   node bench/instructions.mjs             fails if an operation takes over 10 % more than recorded
//   node bench/instructions.mjs --record    records the counts of now
//
// Instructions are the same on a quiet machine and on a noisy one, and the hash seed is fixed (bench/core/fixed_seed.h),
// so CI can hold them. They are those of x86-64; where valgrind is missing, or the processor is another, this says that
// it was skipped.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { endChildrenOnSignal, must } from "../scripts/lib/process.mjs";
import { root, systemPath, tool } from "../scripts/lib/tools.mjs";
import { print } from "./table.mjs";

const RECORD = join(root, "bench/instructions.json");
const PROGRAM = join(root, "zig-out/bench/instructions");
const OPERATIONS = ["get", "miss", "set", "evict", "getMany", "increment"];
const COUNT = 20_000;
const PERCENT_MAX = 10;

const valgrind = systemPath()
  .split(delimiter)
  .map((folder) => join(folder, "valgrind"))
  .find(existsSync);

endChildrenOnSignal();
if (process.arch !== "x64") console.log("skipped: instructions are counted for x86-64 only");
else if (valgrind === undefined) console.log("skipped: valgrind is not installed");
else await compare();

async function compare() {
  await must([tool("zig"), "build", "bench"], { quiet: true });
  const measured = {};
  for (const operation of OPERATIONS) measured[operation] = await count(operation);
  if (process.argv.includes("--record")) {
    writeFileSync(RECORD, `${JSON.stringify(measured, null, 2)}\n`);
    console.log(measured);
    return;
  }
  const recorded = JSON.parse(readFileSync(RECORD, "utf8"));
  const rows = OPERATIONS.map((operation) => {
    const change = 100 * (measured[operation] / recorded[operation] - 1);
    return { operation, recorded: recorded[operation], measured: measured[operation], change };
  });
  print(
    "instructions per operation (per key for getMany)",
    rows.map((row) => ({ ...row, change: `${row.change.toFixed(1)} %` })),
  );
  console.log();
  rows.forEach(({ operation, change }, i) => {
    const verdict = change <= PERCENT_MAX ? "ok" : "not ok";
    const remark = change < -PERCENT_MAX ? ": record it with --record" : "";
    console.log(
      `${verdict} ${i + 1} - ${operation} takes ${change.toFixed(1)} % more than recorded${remark}`,
    );
    if (verdict !== "ok") process.exitCode = 1;
  });
  console.log(`1..${rows.length}`);
}

async function count(operation) {
  const options = [
    "--tool=callgrind",
    "--vgdb=no",
    "--callgrind-out-file=/dev/null",
    "--collect-atstart=no",
    `--toggle-collect=run_${operation}`,
  ];
  const { output } = await must([valgrind, ...options, PROGRAM, operation], { quiet: true });
  const collected = Number(/Collected\s*:\s*(\d+)/.exec(output)?.[1]);
  if (!(collected > COUNT)) throw new Error(`callgrind has counted nothing for ${operation}:\n${output}`);
  return Math.round(collected / COUNT);
}
