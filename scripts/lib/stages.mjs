// The stages of `npm test`. Each gives its tasks: what may run beside any other, once `buildAll` has built everything.
// A task has a name, and a `run` that takes the place to run in (see leftovers.mjs) and resolves to { passed, failed,
// skipped, skips, output } as counted by the test programs themselves; `skips` tells what was skipped and why. One that ends badly without a failed test, or runs
// none, counts as one failure. The longest come first, so that no processor is left with a long one at the end.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { attackPath, attacks } from "./attacks.mjs";
import { files } from "./files.mjs";
import { run } from "./process.mjs";
import { modules, root, runtime, tool } from "./tools.mjs";

const VITEST_SECONDS_MAX = 900;
const PROGRAM_SECONDS_MAX = 600;

export const stages = [
  { id: "attacks", title: "attacks", tasks: attackTasks },
  { id: "core", title: "core, in C", tasks: coreTasks },
  { id: "cross", title: "across runtimes", tasks: () => [vitest("node", ["test/cross"])] },
  { id: "bun", title: "in Bun", tasks: () => [vitest("bun", ["--exclude=test/cross/**"])] },
  { id: "deno", title: "in Deno", tasks: () => [vitest("deno", ["--exclude=test/cross/**"])] },
  { id: "node", title: "in Node 26", tasks: () => [vitest("node", ["--exclude=test/cross/**"])] },
  { id: "node20", title: "in Node 20", tasks: () => [vitest("node20", ["--exclude=test/cross/**"])] },
  { id: "instructions", title: "instruction counts", tasks: () => [program(instructionCounts())] },
  { id: "types", title: "types", tasks: typeTasks },
];

/** The short forms of the attacks that find most in little time. Those that lack a tool say so. */
function attackTasks() {
  const commands = [
    ...attacks.crash.parts.map((part) => attacks.crash.short(part)),
    attacks.files.short().slice(-1), // without its build
    attacks.sim.short().slice(-1),
    attacks.mutations.short("no-generation", "publish-first"), // that the table still fits the core
    attacks.race.short(),
    attacks.model.short(),
    attacks.history.short(),
    attacks.order.short(),
  ].flat();
  return commands.map((command) => program(command, { PATH: attackPath() }));
}

/** Each C test. The names come from the sources: a program of an older build has no business here. */
function coreTasks() {
  const sources = files(/^test\/(core|exhaustion|fuzz)\/[^/]*_test\.c$/);
  const first = (name) => (name === "room_test" ? 0 : 1);
  const names = sources.map((source) => basename(source, ".c")).sort((a, b) => first(a) - first(b));
  return names.map((name) => program([join(root, "zig-out/core-test", name)]));
}

function instructionCounts() {
  return [tool("node"), join(root, "bench/instructions.mjs")];
}

/**
 * A program that speaks the Test Anything Protocol, or says "skipped: why" in place of it, or "# skipped: why" for the
 * test whose "ok" comes next.
 */
function program(command, extra = {}) {
  const name = command
    .map((word) => word.replace(root, ""))
    .filter((word) => !word.startsWith("node_modules"))
    .join(" ");
  return {
    name,
    run: async ({ env }) => {
      const options = { env: { ...env, ...extra }, quiet: true, limitSeconds: PROGRAM_SECONDS_MAX };
      const { code, output } = await run(command, options);
      const count = (pattern) => (output.match(pattern) ?? []).length;
      const ended = count(/^ok \d/gm);
      const planned = count(/^1\.\.\d+$/gm) === 0 || ended + count(/^not ok \d/gm) === plan(output);
      const failed = Math.max(count(/^not ok \d/gm), code !== 0 || !planned ? 1 : 0);
      const skips = [...output.matchAll(/^(?:# )?skipped: (.*)$/gm)].map(([, why]) => `${name}: ${why}`);
      const passed = ended - count(/^# skipped: /gm);
      return orNothing({ passed, failed, skipped: skips.length, skips, output });
    },
  };
}

/** How many checks a program of the protocol has announced, over all its plans. */
function plan(output) {
  return [...output.matchAll(/^1\.\.(\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

function vitest(name, args) {
  return {
    name: `vitest ${args.join(" ")} in ${name}`,
    run: async ({ env, reports }) => {
      const report = join(reports, `${name}-${args.join("-").replaceAll(/\W/g, "")}.json`);
      rmSync(report, { force: true });
      const program = join(modules, "vitest/vitest.mjs");
      const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
      const { code, output } = await run([...runtime(name), program, "run", ...args, ...reporters], {
        env,
        quiet: true,
        limitSeconds: VITEST_SECONDS_MAX,
      });
      if (!existsSync(report)) return { passed: 0, failed: 1, output };
      const counted = JSON.parse(readFileSync(report, "utf8"));
      // A file that could not be loaded has no tests to fail; an error outside of tests shows in the exit code only.
      const unloaded = counted.testResults.filter(
        (file) => file.status === "failed" && file.assertionResults.length === 0,
      );
      const failed = counted.numFailedTests + unloaded.length;
      const skips = counted.testResults
        .flatMap((file) => file.assertionResults)
        .filter((test) => !["passed", "failed"].includes(test.status))
        .map((test) => test.fullName);
      return orNothing({
        passed: counted.numPassedTests,
        failed: code !== 0 ? Math.max(failed, 1) : failed,
        skipped: skips.length,
        skips,
        output,
      });
    },
  };
}

function typeTasks() {
  const checks = [
    ["tsc", tool("node"), join(modules, "typescript/bin/tsc"), "-p", "tsconfig.json"],
    ["deno check", tool("deno"), "check", "src/index.ts", ...files(/^examples\/deno-.*\.ts$/)],
  ];
  return checks.map(([name, ...command]) => ({
    name,
    run: async ({ env }) => {
      const { code, output } = await run(command, { env, quiet: true });
      return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output };
    },
  }));
}

function orNothing(sum) {
  if (sum.passed + sum.failed + (sum.skipped ?? 0) > 0) return sum;
  return { ...sum, failed: 1, output: `${sum.output}\nno test was run\n` };
}
