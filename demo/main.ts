// The demonstration: makes a segment, starts a Bun, a Deno and a Node process on it, and shows what they do to each
// other's data until it ends by itself, or by Ctrl-C with --forever. Cleans up however it ends.
//   main.ts [--forever] [--seconds N]

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FastCache } from "fastcache";
import { runtime, toolEnvironment } from "../scripts/lib/tools.mjs";
import { type Status, type Writer, writers } from "./shop.ts";
import { line, type Moment, table } from "./table.ts";

const END_MS_MAX = 3000;
const { values: options } = parseArgs({
  options: { forever: { type: "boolean", default: false }, seconds: { type: "string", default: "10" } },
});

const name = `demo-${process.pid}`;
const cache = FastCache.open({ name, size: "32MiB", create: "exclusive" });
const children: ChildProcess[] = [];
let isEnding = false;
let wake = () => {};

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(signal));
try {
  const url = await firstLine(start("bun", "bun.ts", [name]));
  start("deno", "client.ts", [name, url, "deno"]);
  start("node", "client.ts", [name, url, "node"]);
  await watch(options.forever ? Number.POSITIVE_INFINITY : Number(options.seconds));
} finally {
  isEnding = true;
  await stopChildren();
  cache.close();
  FastCache.destroy(name);
}

function start(writer: Writer, script: string, args: string[]): ChildProcess {
  const [command, ...first] = runtime(writer) as [string, ...string[]];
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(command, [...first, path, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env: toolEnvironment(),
  });
  children.push(child);
  child.on("exit", (code, signal) => {
    if (isEnding) return;
    process.exitCode = 1;
    end(`the ${writer} process ended: ${signal ?? `exit code ${code}`}`);
  });
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const text of createInterface({ input: child.stdout! })) return text;
  throw new Error("the bun process ended before it told its address");
}

/** Shows a look every second until the time is over or something ends it. */
async function watch(seconds: number): Promise<void> {
  const started = performance.now();
  let last: Moment | undefined;
  while (!isEnding && performance.now() - started < seconds * 1000) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 1000);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    last = look((performance.now() - started) / 1000, last);
    show(last);
  }
  if (last) console.log(`\n${process.stdout.isTTY ? line(last) : table(last)}`);
}

function look(seconds: number, before: Moment | undefined): Moment {
  const { hits, misses, bytesUsed, entries } = cache.stats();
  const processes = {} as Moment["processes"];
  for (const writer of writers) {
    const status = (cache.peek(`status:${writer}`) as Status | undefined) ?? nothingYet();
    const earlier = before?.processes[writer].status ?? nothingYet();
    const operations = status.gets + status.sets - earlier.gets - earlier.sets;
    processes[writer] = { status, operationsPerSecond: operations / (seconds - (before?.seconds ?? 0)) };
  }
  return { seconds, entries, bytesUsed, hitRatio: hits / Math.max(1, hits + misses), processes };
}

function nothingYet(): Status {
  return { gets: 0, hits: 0, sets: 0, requests: 0, readFrom: { bun: 0, deno: 0, node: 0 } };
}

function show(moment: Moment): void {
  // Clear the screen's rest from the top left corner on, or add a line to a log.
  console.log(process.stdout.isTTY ? `\x1b[H\x1b[J${table(moment)}` : line(moment));
}

function end(reason: string): void {
  if (isEnding) return;
  isEnding = true;
  console.log(`\nending: ${reason}`);
  wake();
}

/** The server last, since the others ask it. Children end with their input; one that does not is killed. */
async function stopChildren(): Promise<void> {
  for (const child of children.toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.stdin!.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), END_MS_MAX);
    await once(child, "exit");
    clearTimeout(timer);
  }
}
