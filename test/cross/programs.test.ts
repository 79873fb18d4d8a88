// The examples and the demonstration do what they say, end well, and leave no segment.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { FastCache } from "fastcache";
import { afterEach, expect, test } from "vitest";
import { root, runtime, toolEnvironment } from "../../scripts/lib/tools.mjs";
import type { RuntimeName } from "./process.ts";

const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
  expect(FastCache.list().filter((name) => /^(example|demo)-/.test(name))).toEqual([]);
});

/** A program of this repository, in a runtime. */
function program(name: RuntimeName, path: string, args: string[] = [], env: Record<string, string> = {}) {
  return launch([...runtime(name), join(root, path), ...args], env);
}

function launch([command, ...args]: [string, ...string[]], env: Record<string, string> = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: toolEnvironment(env),
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => lines.push(line));
  const ended = once(child, "close").then(([code, signal]) => ({ code: code ?? signal, lines }));
  return { child, lines, ended, firstLine: once(reader, "line").then(([line]) => String(line)) };
}

test("bun-sessions.ts: two servers know one session", async () => {
  const servers = [1, 2].map(() => program("bun", "examples/bun-sessions.ts", [], { PORT: "0" }));
  const urls = await Promise.all(
    servers.map(async ({ firstLine }) => (await firstLine).replace("listening on ", "")),
  );
  let cookie = "";
  for (let visits = 1; visits <= 4; visits++) {
    const response = await fetch(urls[visits % 2]!, { headers: { cookie } });
    cookie = response.headers.get("set-cookie")!.split(";")[0]!;
    expect(await response.json()).toMatchObject({ visits });
  }
  for (const { child, ended } of servers) {
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  }
  FastCache.destroy("example-sessions");
});

test("deno-workers.ts: each number is worked on once", async () => {
  const { code, lines } = await program("deno", "examples/deno-workers.ts").ended;
  expect(lines).toEqual(["200 numbers, worked on 200 times by 3 processes"]);
  expect(code).toBe(0);
});

test("node-cluster.ts: the limit holds across processes", async () => {
  const { code, lines } = await program("node", "examples/node-cluster.ts").ended;
  expect(lines).toEqual(["120 of 300 requests allowed, 180 refused"]);
  expect(code).toBe(0);
});

test("visits.c: a C program shares the cache", async () => {
  const name = "example-visits";
  const binary = join(root, "zig-out/cross/visits");
  using cache = FastCache.open({ name, size: 4 << 20 });
  try {
    expect((await launch([binary, name]).ended).lines).toEqual(["visit 1: no greeting"]);
    cache.set("greeting", "hello from Node");
    expect((await launch([binary, name]).ended).lines).toEqual(["visit 2: hello from Node"]);
    expect(cache.get("visits")).toBe(2);
  } finally {
    FastCache.destroy(name);
  }
});

test("the demonstration: each process reads what the others wrote", async () => {
  const { code, lines } = await program("node", "demo/main.ts", ["--seconds", "4"]).ended;
  expect(code).toBe(0);
  for (const title of ["Bun", "Deno", "Node"]) {
    const cells = lines.findLast((line) => line.startsWith(`${title} `))?.split(/ {2,}/) ?? [];
    // sets, gets, hits, requests, operations per second, and hits on what Bun, Deno and Node wrote
    const numbers = cells.slice(2).map((cell) => Number.parseFloat(cell.replaceAll(",", "")));
    expect(numbers, title).toHaveLength(8);
    for (const number of numbers.slice(0, 5)) expect(number, title).toBeGreaterThan(0);
    const readFrom = numbers.slice(5).filter((number) => number > 0);
    expect(readFrom.length, title).toBeGreaterThanOrEqual(2);
  }
});

test("the demonstration ends at Ctrl-C and leaves nothing", async () => {
  const { child, firstLine, ended } = program("node", "demo/main.ts", ["--forever"]);
  await firstLine;
  child.kill("SIGINT");
  expect((await ended).code).toBe(0);
});
