// npm start: installs, builds and runs the demonstration. `npm start -- --forever` runs until Ctrl-C.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { endChildrenOnSignal } from "./lib/process.mjs";
import { setUp } from "./lib/setup.mjs";
import { root, runtime, toolEnvironment } from "./lib/tools.mjs";

const stopEndingChildren = endChildrenOnSignal();
await setUp();
await build({ hostOnly: true });
stopEndingChildren();

const [node, ...options] = runtime("node");
const demo = spawn(node, [...options, join(root, "demo/main.ts"), ...process.argv.slice(2)], {
  stdio: "inherit",
  env: toolEnvironment(),
});
// The demonstration hears Ctrl-C itself and cleans up; other signals are passed on.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => demo.kill("SIGTERM"));
process.on("SIGHUP", () => demo.kill("SIGHUP"));
demo.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
