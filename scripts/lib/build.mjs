// Builds dist/: the native libraries by Zig, JavaScript and types by tsc.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { must } from "./process.mjs";
import { modules, root, tool } from "./tools.mjs";

const dist = join(root, "dist");

/** `hostOnly`: the native library of this machine alone, which is faster. */
export async function build({ hostOnly = false } = {}) {
  console.log(`build: the native library for ${hostOnly ? "this machine" : "all platforms"}`);
  await must([tool("zig"), "build", ...(hostOnly ? ["-Dhost"] : [])]);
  console.log("build: JavaScript and types");
  await must([tool("node"), join(modules, "typescript/bin/tsc"), "-p", "tsconfig.build.json"]);
  removeOrphans();
}

/** What the tests need: all of `build`, the C tests, and the programs that attack. */
export async function buildAll() {
  await build();
  console.log("build: the programs of the tests");
  rmSync(join(root, "zig-out/core-test"), { recursive: true, force: true });
  await must([tool("zig"), "build", "test-build", "cross", "crash", "bench"]);
}

/** Removes from dist/ what an earlier build made of source files that are gone. */
function removeOrphans() {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const source = path.replace(dist, join(root, "src")).replace(/(\.d\.ts|\.js)$/, ".ts");
    if (entry.isFile() && /\.(js|d\.ts)$/.test(path) && !existsSync(source)) rmSync(path);
  }
}
