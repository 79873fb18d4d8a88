// Builds dist/: the native libraries by Zig, JavaScript and types by tsc.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { must } from "./process.mjs";
import { modules, root, tool } from "./tools.mjs";

const dist = join(root, "dist");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** `hostOnly`: the native library of this machine alone, which is faster. */
export async function build({ hostOnly = false } = {}) {
  console.log(`build: the native library for ${hostOnly ? "this machine" : "all platforms"}`);
  await must([tool("zig"), "build", ...(hostOnly ? ["-Dhost"] : [])]);
  console.log("build: JavaScript and types");
  await must([tool("node"), join(modules, "typescript/bin/tsc"), "-p", "tsconfig.build.json"]);
  removeOrphans();
  for (const { require } of Object.values(manifest.exports)) if (require) writeCommonJs(require);
}

/** The entry of CommonJS: as `require` gives the ES module, and types that say so. */
function writeCommonJs({ types, default: entry }) {
  const module = entry.replace(/\.cjs$/, ".js");
  writeFileSync(join(root, entry), `module.exports = require(${JSON.stringify(`./${basename(module)}`)});\n`);
  writeCommonJsTypes(join(root, types.replace(/\.cts$/, ".ts")));
}

/**
 * Writes a copy of a declaration file, and of those that it imports, for CommonJS: a program of that kind can
 * require() the package, but TypeScript takes a .d.ts of it for an ES module that it must not.
 */
function writeCommonJsTypes(path) {
  const copy = path.replace(/\.d\.ts$/, ".d.cts");
  const imported = /(?<=\bfrom "|\bimport\(")(\.[^"]+)\.ts(?=")/g;
  const text = readFileSync(path, "utf8");
  writeFileSync(copy, text.replaceAll(imported, "$1.cts"));
  for (const [, file] of text.matchAll(imported)) writeCommonJsTypes(join(dirname(path), `${file}.d.ts`));
}

/** What the tests need: all of `build`, the C tests, and the programs that attack. */
export async function buildAll() {
  await build();
  console.log("build: the programs of the tests");
  rmSync(join(root, "zig-out/core-test"), { recursive: true, force: true });
  await must([tool("zig"), "build", "test-build", "cross", "crash", "sim", "bench"]);
}

/** Removes from dist/ what an earlier build made of source files that are gone. */
function removeOrphans() {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const source = path.replace(dist, join(root, "src")).replace(/(\.d\.c?ts|\.c?js)$/, ".ts");
    if (entry.isFile() && /\.(c?js|d\.c?ts)$/.test(path) && !existsSync(source)) rmSync(path);
  }
}
