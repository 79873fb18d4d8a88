// The attacks on life and death: builds the programs of this folder and runs them.
//
//   node test/crash/run.mjs            every instruction, thousands of kills: more than an hour
//   node test/crash/run.mjs --short    samples, for CI: about two minutes
//   ... step reader create storm runtimes namespaces    only these
//   ... soak                                     the soak, which is run only if named: an hour, or a minute
//
// Ends with one line such as "36 passed, 0 failed".

import { join } from "node:path";
import { endChildrenOnSignal, must, run } from "../../scripts/lib/process.mjs";
import { root, runtime, tool } from "../../scripts/lib/tools.mjs";

const HOUR_SECONDS = 3600;

const program = (name) => join(root, "zig-out/crash", name);
const script = (name) => [...runtime("node"), join(root, "test/crash", name)];

const attacks = {
  step: { short: [program("step"), "--points", "4"], long: [program("step")] },
  reader: { short: [program("reader"), "--stride", "7"], long: [program("reader")] },
  create: { short: [program("create"), "--points", "3"], long: [program("create"), "--points", "200"] },
  storm: { short: [program("storm"), "--kills", "500"], long: [program("storm"), "--kills", "20000"] },
  runtimes: {
    short: [...script("storm.mjs"), "--kills", "100"],
    long: [...script("storm.mjs"), "--kills", "2000"],
  },
  namespaces: { short: script("namespaces.mjs"), long: script("namespaces.mjs") },
  soak: {
    short: [...script("soak.mjs"), "--minutes", "1"],
    long: [...script("soak.mjs"), "--minutes", "60"],
  },
};

const args = process.argv.slice(2);
const length = args.includes("--short") ? "short" : "long";
const wanted = args.filter((arg) => !arg.startsWith("--"));
const unknown = wanted.filter((name) => !(name in attacks));
if (unknown.length > 0) throw new Error(`there is no attack ${unknown}; there are ${Object.keys(attacks)}`);

endChildrenOnSignal();
await must([tool("zig"), "build", "crash", "cross"]);
const sum = { passed: 0, failed: 0 };
const usual = Object.keys(attacks).filter((name) => name !== "soak");
for (const name of wanted.length > 0 ? wanted : usual) {
  const { code, output, seconds } = await run(attacks[name][length], { limitSeconds: 6 * HOUR_SECONDS });
  sum.passed += (output.match(/^ok \d/gm) ?? []).length;
  sum.failed += code === 0 ? 0 : 1;
  console.log(`${name}: ${code === 0 ? "held" : "failed"}, ${Math.round(seconds)} s`);
}
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 ? 0 : 1;
