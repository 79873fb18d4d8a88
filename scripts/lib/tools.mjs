// Where this repository's tools are. They come from its npm dependencies; nothing but Node and npm is taken
// from the machine, except Zig where npm has no build of it for the processor.

import { existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const modules = join(root, "node_modules");

// What Bun calls the processors.
const BUN_ARCH = { x64: "x64", arm64: "aarch64" };
// Bun's launcher is a text of a few hundred bytes until its install script has put the program in its place.
const LAUNCHER_BYTES_MAX = 1 << 20;

/** The path of a tool, or an error that says how to get it. */
export function tool(name) {
  const path = candidates(name).find(isProgram);
  if (path === undefined) {
    throw new Error(
      `${name} is not installed for ${process.platform}-${process.arch}: ` +
        `looked for ${candidates(name).join(", ") || "nothing"}; run 'npm ci' in ${root}`,
    );
  }
  return path;
}

function candidates(name) {
  const machine = `${process.platform}-${process.arch}`;
  switch (name) {
    case "bun": {
      const bun = `bun-${process.platform}-${BUN_ARCH[process.arch]}`;
      return [
        join(modules, "@oven", bun, "bin/bun"),
        join(modules, "@oven", `${bun}-musl`, "bin/bun"),
        join(modules, "bun/bin/bun.exe"),
      ];
    }
    case "deno":
      return [join(modules, "@deno", `${machine}-glibc`, "deno"), join(modules, "deno/deno")];
    case "node":
      return [join(modules, `node-${machine}`, "bin/node")];
    case "node20":
      return [join(root, "tools/node20/node_modules", `node-${machine}`, "bin/node")];
    case "zig":
      return [join(modules, "@zigc", machine, "bin/zig"), ...onPath("zig")];
    default:
      throw new Error(`there is no tool named ${name}`);
  }
}

function isProgram(path) {
  return existsSync(path) && statSync(path).size > LAUNCHER_BYTES_MAX;
}

function onPath(name) {
  return systemPath()
    .split(delimiter)
    .map((folder) => join(folder, name));
}

/** PATH without the folders that npm puts in front: the machine's own programs. */
export function systemPath() {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .join(delimiter);
}

/**
 * The beginning of a command that runs a script in a runtime; "node" is the newest Node and "node20" the oldest that we support.
 * @param {"bun" | "deno" | "node" | "node20"} name
 * @returns {[string, ...string[]]}
 */
export function runtime(name) {
  const options = {
    bun: ["--bun"],
    deno: ["run", "--allow-all"],
    node: [],
    node20: ["--import", join(root, "test/support/node20.mjs")],
  };
  return [tool(name), ...options[name]];
}

/** The environment for all of them: caches stay inside the repository, and colours off. */
export function toolEnvironment(extra = {}) {
  return {
    ...process.env,
    ZIG_GLOBAL_CACHE_DIR: join(root, ".zig-cache/global"),
    ZIG_LOCAL_CACHE_DIR: join(root, ".zig-cache"),
    DENO_DIR: join(modules, ".cache/deno"),
    XDG_DATA_HOME: join(modules, ".cache/data"),
    DENO_NO_UPDATE_CHECK: "1",
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
    NO_COLOR: "1",
    ...extra,
  };
}
