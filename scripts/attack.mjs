// npm run attack -- NAME: installs and builds what is missing, then runs an attack; without a name it lists them.
//   --long           the long form, if there is one
//   crash step ...   only these parts of it
//   mutants src 1 24 seed and number too

import { spawn } from "node:child_process";
import { attackPath, attacks } from "./lib/attacks.mjs";
import { build } from "./lib/build.mjs";
import { endChildrenOnSignal } from "./lib/process.mjs";
import { setUp } from "./lib/setup.mjs";
import { root, toolEnvironment } from "./lib/tools.mjs";

const args = process.argv.slice(2);
const [name, ...parts] = args.filter((arg) => arg !== "--long");
const attack = Object.hasOwn(attacks, name) ? attacks[name] : undefined;
const unknown = attack === undefined ? name : parts.find((part) => !isPart(attack, part));

if (attack === undefined || unknown !== undefined) {
  if (unknown !== undefined) {
    console.error(attack === undefined ? `no attack named ${unknown}` : `${name} has no part ${unknown}`);
    process.exitCode = 2;
  }
  list();
} else {
  await run((args.includes("--long") && attack.long) || attack.short);
}

function isPart({ parts = [], numbers = false }, part) {
  return parts.includes(part) || (numbers && /^\d+$/.test(part));
}

function list() {
  console.log("npm run attack -- NAME [--long]\n");
  for (const [name, { what, parts }] of Object.entries(attacks)) {
    console.log(`  ${name.padEnd(12)}${what}${parts === undefined ? "" : `; parts: ${parts.join(" ")}`}`);
  }
}

async function run(form) {
  const stopEndingChildren = endChildrenOnSignal();
  await setUp();
  await build({ hostOnly: true });
  stopEndingChildren();
  for (const command of form(...parts)) {
    process.exitCode = await execute(command);
    if (process.exitCode !== 0) return;
  }
}

/** Runs a command to its end; it hears what tells us to end. Resolves to its exit code. */
function execute([program, ...args]) {
  const env = toolEnvironment({ PATH: attackPath() });
  const child = spawn(program, args, { cwd: root, env, stdio: "inherit" });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const passOn = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, passOn);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      for (const signal of signals) process.off(signal, passOn);
      resolve(code ?? 1);
    });
  });
}
