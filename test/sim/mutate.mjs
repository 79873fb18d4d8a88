// Puts each fault of mutations.mjs into a copy of the core, and has the simulator look for it.
//
//   node test/sim/mutate.mjs [--seconds N] [ID ...]     N seconds of processor time at most for each, 60 if not said; only these
//
// With --write the table in docs/mutations.md is written anew, of all faults. Prints a line for each, and ends with one line such as "56 passed, 0 failed": one that is not found fails, unless it says why it
// cannot be or is rare; so does one that is found although it says that it cannot be.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endChildrenOnSignal, must, run } from "../../scripts/lib/process.mjs";
import { root, tool } from "../../scripts/lib/tools.mjs";
import { mutations } from "./mutations.mjs";

const SECONDS = 60;
/** On a busy machine they take so many times as long; a run that stands still ends itself. */
const BUSY = 20;
const FIRST_SEED = "1";
const tree = join(root, "zig-out/mutations");

const args = process.argv.slice(2);
const seconds = args.includes("--seconds") ? args[args.indexOf("--seconds") + 1] : String(SECONDS);
const ids = args.filter((arg) => mutations.some(({ id }) => id === arg));
const chosen = ids.length > 0 ? mutations.filter(({ id }) => ids.includes(id)) : mutations;

for (const { id, file, text } of mutations) {
  const times = readFileSync(join(root, "core", file), "utf8").split(text).length - 1;
  if (times !== 1) throw new Error(`${id}: its text is ${times} times in core/${file}, not once`);
}

endChildrenOnSignal();
rmSync(tree, { recursive: true, force: true });
mkdirSync(tree, { recursive: true });
for (const part of ["core", "test/sim", "src/binding/platforms.ts"])
  cpSync(join(root, part), join(tree, part), { recursive: true });
// What a fault leaves unused is no error here.
writeFileSync(
  join(tree, "build.zig"),
  readFileSync(join(root, "build.zig"), "utf8").replace('"-Werror", ', ""),
);

const sum = { passed: 0, failed: 0 };
const outcomes = [];
for (const mutation of chosen) {
  const outcome = await attempt(mutation);
  outcomes.push([mutation, outcome]);
  const isFound = outcome.rule !== undefined;
  const isRight = mutation.rare !== undefined || isFound === (mutation.cannot === undefined);
  sum[isRight ? "passed" : "failed"] += 1;
  console.log(`${isRight ? "ok" : "not ok"} ${sum.passed + sum.failed} - ${row(mutation, outcome)}`);
}
if (args.includes("--write")) writeFileSync(join(root, "docs/mutations.md"), page());
console.log(`1..${chosen.length}\n${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 ? 0 : 1;

/** { rule, seed, seconds } if the simulator finds it, else only the seconds. */
async function attempt({ file, text, by }) {
  const path = join(tree, "core", file);
  const source = readFileSync(path, "utf8");
  writeFileSync(
    path,
    source.replace(text, () => by),
  );
  try {
    await must([tool("zig"), "build", "sim"], { cwd: tree, quiet: true });
  } finally {
    writeFileSync(path, source);
  }
  const simulate = [join(tree, "zig-out/sim/main"), "--from", FIRST_SEED, "--seconds", seconds];
  const result = await run(simulate, { quiet: true, limitSeconds: Number(seconds) * BUSY });
  const [, seed, rule] = /^not ok \d+ - seed (\d+) breaks '([^']+)'/m.exec(result.output) ?? [];
  if (result.code === 0) return { seconds: Number(seconds) };
  const [, after] = /^# failed after ([\d.]+) s/m.exec(result.output) ?? [];
  return { rule: rule ?? "stands still", seed: seed ?? "?", seconds: Number(after ?? result.seconds) };
}

function row({ id, breaks, cannot, rare }, { rule, seed, seconds }) {
  const found = rule === undefined ? "not found" : `'${rule}' by seed ${seed}`;
  const excuse = cannot ?? rare;
  const why = excuse === undefined ? "" : ` (${excuse})`;
  return `${id}: ${breaks}: ${found} after ${seconds.toFixed(1)} s${why}`;
}

function page() {
  const found = outcomes.filter(([, { rule }]) => rule !== undefined);
  const lines = outcomes.map(([{ id, breaks, cannot, rare }, { rule, seed, seconds }]) => {
    const by =
      rule === undefined ? `not found: ${cannot ?? rare ?? "not known why"}` : `'${rule}', seed ${seed}`;
    return `| \`${id}\` | ${breaks} | ${by} | ${rule === undefined ? "" : seconds.toFixed(1)} |`;
  });
  return `# Faults that the simulator finds

Written by \`npm run attack -- mutations --long\`: each fault of \`test/sim/mutations.mjs\` in a copy of the core, looked for by seeds
from ${FIRST_SEED} on, for ${seconds} s of processor time at most. ${found.length} of ${outcomes.length} were found.

| fault | what it breaks | found by | after, s |
|---|---|---|---|
${lines.join("\n")}
`;
}
