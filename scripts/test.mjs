// npm test: installs, builds, and runs every test in every runtime; ends with one line such as "123 passed, 0 failed".
//   npm test -- core node   only these stages: attacks core cross bun deno node node20 instructions types
//
// The tasks of all stages run side by side, as many as there are processors. What a task says is printed when it ends.

import { buildAll } from "./lib/build.mjs";
import { Leftovers } from "./lib/leftovers.mjs";
import { endChildrenOnSignal } from "./lib/process.mjs";
import { Report } from "./lib/report.mjs";
import { setUp } from "./lib/setup.mjs";
import { sideBySide } from "./lib/side_by_side.mjs";
import { stages } from "./lib/stages.mjs";

const wanted = process.argv.slice(2);
const unknown = wanted.filter((id) => !stages.some((stage) => stage.id === id));
if (unknown.length > 0) {
  console.error(
    `no stage named ${unknown.join(", ")}; there are ${stages.map((stage) => stage.id).join(", ")}`,
  );
  process.exit(2);
}

const leftovers = new Leftovers();
endChildrenOnSignal(() => leftovers.remove());
const report = new Report();
try {
  const isReady = await timed("set-up and build", async () => {
    await setUp();
    await buildAll();
    return { passed: 1, failed: 0 };
  });
  const chosen = stages.filter((stage) => isReady && (wanted.length === 0 || wanted.includes(stage.id)));
  const tasks = chosen.flatMap((stage) => stage.tasks().map((task) => ({ ...task, title: stage.title })));
  await sideBySide(tasks, (task) => timed(task.title, () => spoken(task)));
  await timed("nothing left behind", lookForLeftovers);
} finally {
  leftovers.remove();
}
process.exitCode = report.print();

/** Runs one part and says whether it went well; one that throws counts as one failure. */
async function timed(title, part) {
  const started = Date.now();
  let result;
  try {
    result = await part();
  } catch (error) {
    console.error(`${title}: ${error.stack}`);
    result = { passed: 0, failed: 1 };
  }
  report.add(title, { ...result, seconds: (Date.now() - started) / 1000 });
  return result.failed === 0;
}

/** Runs a task, and says what it said once it has ended: tasks run side by side. */
async function spoken(task) {
  const { output, ...sum } = await task.run(leftovers.place());
  console.log(`\n== ${task.title}: ${task.name}\n${output}`);
  return sum;
}

async function lookForLeftovers() {
  const sum = { passed: 0, failed: 0 };
  for (const [kind, list] of Object.entries(await leftovers.find())) {
    sum[list.length === 0 ? "passed" : "failed"] += 1;
    if (list.length > 0) console.error(`left behind, ${kind}:\n  ${list.join("\n  ")}`);
  }
  return sum;
}
