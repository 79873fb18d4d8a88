// The stages of `npm test`. Each takes the place to run in (see leftovers.mjs) and returns { passed, failed, skipped }
// as counted by the test programs themselves. One that ends badly without a failed test, or runs none, counts as one
// failure.

import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { attackPath, attacks } from "./attacks.mjs";
import { files } from "./files.mjs";
import { run } from "./process.mjs";
import { modules, root, runtime, tool } from "./tools.mjs";

const VITEST_SECONDS_MAX = 900;
const C_PROGRAM_SECONDS_MAX = 600;

export const stages = [
  { id: "core", title: "core, in C", run: coreTests },
  { id: "bun", title: "in Bun", run: (place) => vitest("bun", ["--exclude=test/cross/**"], place) },
  { id: "deno", title: "in Deno", run: (place) => vitest("deno", ["--exclude=test/cross/**"], place) },
  { id: "node", title: "in Node 26", run: (place) => vitest("node", ["--exclude=test/cross/**"], place) },
  { id: "cross", title: "across runtimes", run: crossTests },
  { id: "attacks", title: "attacks", run: someAttacks },
  { id: "instructions", title: "instruction counts", run: instructionCounts },
  { id: "types", title: "types", run: typeChecks },
];

async function coreTests({ env }) {
  const folder = join(root, "zig-out/core-test");
  rmSync(folder, { recursive: true, force: true });
  const compiled = await run([tool("zig"), "build", "test-build"], { limitSeconds: C_PROGRAM_SECONDS_MAX });
  if (compiled.code !== 0) return { passed: 0, failed: 1 };
  const sum = { passed: 0, failed: 0 };
  for (const program of existsSync(folder) ? readdirSync(folder).sort() : []) {
    const result = await run([join(folder, program)], { env, limitSeconds: C_PROGRAM_SECONDS_MAX });
    const { passed, failed } = countTap(result.output);
    if (result.code !== 0) console.log(`${program}: exit code ${result.code}`);
    sum.passed += passed;
    sum.failed += result.code !== 0 ? Math.max(failed, 1) : failed;
  }
  return orNothing(sum);
}

/** The lines of the Test Anything Protocol; a plan that is missing or was not fulfilled is a failure. */
function countTap(output) {
  const count = (pattern) => (output.match(pattern) ?? []).length;
  const passed = count(/^ok \d/gm);
  const failed = count(/^not ok \d/gm);
  const planned = Number(/^1\.\.(\d+)$/m.exec(output)?.[1] ?? Number.NaN);
  return { passed, failed: passed + failed === planned ? failed : Math.max(failed, 1) };
}

async function crossTests(place) {
  const compiled = await run([tool("zig"), "build", "cross"], { limitSeconds: C_PROGRAM_SECONDS_MAX });
  return compiled.code === 0 ? await vitest("node", ["test/cross"], place) : { passed: 0, failed: 1 };
}

/** The short forms of the attacks that find most in little time. Those that lack a tool say so. */
async function someAttacks({ env }) {
  const commands = ["crash", "race", "model"].flatMap((name) => attacks[name].short());
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const command of commands) {
    const { code, output } = await run(command, {
      env: { ...env, PATH: attackPath() },
      limitSeconds: C_PROGRAM_SECONDS_MAX,
    });
    const count = (pattern) => (output.match(pattern) ?? []).length;
    sum.passed += count(/^ok \d/gm);
    sum.skipped += count(/^skipped: /gm);
    const failed = count(/^not ok \d/gm);
    sum.failed += code !== 0 ? Math.max(failed, 1) : failed;
  }
  return orNothing(sum);
}

async function instructionCounts({ env }) {
  const { code, output } = await run([tool("node"), join(root, "bench/instructions.mjs")], { env });
  if (/^skipped: /m.test(output)) return { passed: 0, failed: 0, skipped: 1 };
  const { passed, failed } = countTap(output);
  return orNothing({ passed, failed: code !== 0 ? Math.max(failed, 1) : failed });
}

async function vitest(name, args, { env, reports }) {
  const report = join(reports, `${name}.json`);
  rmSync(report, { force: true });
  const vitestProgram = join(modules, "vitest/vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const result = await run([...runtime(name), vitestProgram, "run", ...args, ...reporters], {
    env,
    limitSeconds: VITEST_SECONDS_MAX,
  });
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const counted = JSON.parse(readFileSync(report, "utf8"));
  // A file that could not be loaded has no tests to fail; an error outside of tests shows in the exit code only.
  const unloaded = counted.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  const failed = counted.numFailedTests + unloaded.length;
  return orNothing({
    passed: counted.numPassedTests,
    failed: result.code !== 0 ? Math.max(failed, 1) : failed,
    skipped: counted.numPendingTests + counted.numTodoTests,
  });
}

async function typeChecks({ env }) {
  const checks = [
    [tool("node"), join(modules, "typescript/bin/tsc"), "-p", "tsconfig.json"],
    [tool("deno"), "check", "src/index.ts", ...files(/^examples\/deno-.*\.ts$/)],
  ];
  const sum = { passed: 0, failed: 0 };
  for (const check of checks) {
    const { code } = await run(check, { env });
    sum[code === 0 ? "passed" : "failed"] += 1;
  }
  return sum;
}

function orNothing(sum) {
  if (sum.passed + sum.failed > 0) return sum;
  console.log("no test was run");
  return { ...sum, failed: 1 };
}
