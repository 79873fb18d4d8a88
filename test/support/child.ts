// SPDX-License-Identifier: MIT
//
// Programs run by the runtime that runs the tests, in a process of their own.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transformSync } from "amaro";
import { onTestFinished } from "vitest";

/** The runtime that runs the tests. */
export const runtime: "bun" | "deno" | "node" =
  "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

/** Node 20 runs no TypeScript. */
const isPlain = runtime === "node" && !("typescript" in process.features);

/** The package as a child imports it: its source, or what is built of it. */
const source = fileURLToPath(
  new URL(isPlain ? "../../dist/index.js" : "../../src/index.ts", import.meta.url),
);

/** Flags that let a program import TypeScript. */
export const TYPESCRIPT_FLAGS: readonly string[] = isPlain
  ? [`--import=${new URL("node20.mjs", import.meta.url).href}`]
  : [];

/** Flags that let a program do everything, for each runtime. */
const FLAGS = {
  bun: ["run"],
  deno: ["run", "--quiet", "-A"],
  node: [...TYPESCRIPT_FLAGS, "--no-warnings"],
};

/** The beginning of a command that runs a file of the package: `name` is its path in src/ without the ending. */
export function commandOf(name: string): [string, ...string[]] {
  const file = isPlain ? `../../dist/${name}.js` : `../../src/${name}.ts`;
  return [process.execPath, ...FLAGS[runtime], fileURLToPath(new URL(file, import.meta.url))];
}

/**
 * A module that imports FastCache and runs `body`, with `input` as a constant. It lies in
 * a temporary file until the test is over.
 */
function program(body: string, input: unknown, from: string = source): string {
  const folder = mkdtempSync(join(tmpdir(), "fastcache-child-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, isPlain ? "program.mjs" : "program.ts");
  const lines = [
    `import { FastCache, FastCacheError } from ${JSON.stringify(pathToFileURL(from).href)};`,
    `const input = ${JSON.stringify(input)};`,
    body,
  ];
  const text = lines.join("\n");
  writeFileSync(path, isPlain ? transformSync(text, { mode: "strip-only" }).code : text);
  return path;
}

/** How a program is run: with these flags of the runtime, and behind this command. */
interface Way {
  flags?: readonly string[];
  under?: readonly string[];
}

/** Runs a program to its end and returns what it printed. */
export function run(body: string, input: unknown = {}, way: Way = {}): string {
  return finish(program(body, input), way);
}

/** As `run`, with the package's source at another place. */
export function runWith(from: string, body: string): string {
  return finish(program(body, {}, from));
}

function finish(path: string, { flags = FLAGS[runtime], under = [] }: Way = {}): string {
  const [command = "", ...args] = [...under, process.execPath, ...flags, path];
  const result = spawnSync(command, args, { encoding: "utf8", timeout: 20_000 });
  if (result.status !== 0) throw new Error(`exit code ${result.status}: ${result.stderr}`);
  return result.stdout.trim();
}

/** Starts a program, which is killed when the test is over, and waits for its first line. */
export async function start(body: string, input: unknown = {}): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...FLAGS[runtime], program(body, input)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) signal(child, "SIGKILL");
    await ended;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`ended with ${code} before its first line`)));
  });
  return child;
}

/** Sends a signal. Not by `child.kill`, which in Deno works once only. */
export function signal(child: ChildProcess, name: NodeJS.Signals): void {
  process.kill(child.pid as number, name);
}
