// A process under a test's command, the same in Bun, Deno and Node. Reads one command a line from standard input,
// [operation, ...arguments], and answers each with one line: { value } or { error: { code, message } }.
// Ends when its input ends.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { FastCache } from "fastcache";
import { structured } from "fastcache/structured";
import { difference, randomBelow, randomStructured } from "../support/values.ts";
import { fromWire, toWire } from "./wire.ts";
import type { Task } from "./worker.ts";

type Options = Parameters<typeof FastCache.open>[0];
type Operation = (...args: never[]) => unknown;

let cache: FastCache | undefined;
let worker: Worker | undefined;

const computing = (ms: number) => async () => {
  await sleep(ms);
  return `${process.pid} ${performance.now()}`;
};

const operations: Record<string, Operation> = {
  open(options: Options) {
    cache = FastCache.open(options);
    return cache.info;
  },
  call(method: keyof FastCache, ...args: never[]) {
    const result = (opened()[method] as Operation).apply(cache, args);
    return result === cache ? "the cache" : result;
  },
  openStructured(options: object) {
    cache = FastCache.open({ ...options, codec: structured });
  },
  /** Stores the values that this seed makes in every process. */
  setStructured(seed: number, count: number) {
    const below = randomBelow(seed);
    for (let i = 0; i < count; i++) opened().set(`${seed} ${i}`, randomStructured(below));
  },
  /** Where what is there differs from what the seed makes here. */
  differences(seed: number, count: number) {
    const below = randomBelow(seed);
    const differences = [];
    for (let i = 0; i < count; i++) {
      differences.push(difference(opened().get(`${seed} ${i}`), randomStructured(below)));
    }
    return differences.filter((found) => found !== undefined);
  },
  /** A value that tells which process computed it, `ms` after it began. */
  compute: (key: string, ms: number) => opened().getOrSet(key, computing(ms)),
  /** Asks for `prefix 0` to `prefix <count - 1>`, so many at a time. */
  async computeAll(prefix: string, count: number, atOnce: number, ms: number) {
    const values: unknown[] = [];
    let next = 0;
    const askForSome = async () => {
      for (let i = next++; i < count; i = next++) {
        values[i] = await opened().getOrSet(`${prefix} ${i}`, computing(ms));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, askForSome));
    return values;
  },
  /** Answers when the factory has begun, which does not end. */
  computeForever(key: string) {
    return new Promise((resolve) => {
      void opened().getOrSet(key, () => {
        resolve("begun");
        return new Promise(() => {});
      });
    });
  },
  computeFailing(key: string, message: string, errorTtl: number) {
    const failing = () => Promise.reject(new Error(message));
    return opened().getOrSet(key, failing, { errorTtl });
  },
  /** As `computeForever`, in a worker; or, where another computes it, the worker waits. */
  async computeInWorker(key: string) {
    worker = new Worker(new URL("./computing.ts", import.meta.url), {
      workerData: { name: opened().info.name, key },
    });
    await new Promise((resolve, reject) => {
      worker?.once("message", resolve);
      worker?.once("error", reject);
    });
  },
  terminateWorker: () => worker?.terminate(),
  property: (name: keyof FastCache) => opened()[name],
  /** Copies the values of `prefix0` to `prefix<count - 1>` into one buffer; allocates next to nothing. */
  readAll(prefix: string, count: number, bufferBytes: number) {
    const buffer = new Uint8Array(bufferBytes);
    let read = 0;
    for (let i = 0; i < count; i++) read += Math.max(0, opened().getInto(prefix + i, buffer));
    return read;
  },
  privateBytes,
  work,
  spawnHeir,
  spawnLastingHeir,
  /** Answers once, then sets for ever, until it is killed. */
  async setForever(prefix: string) {
    setImmediate(() => {
      for (let i = 0; ; i++) opened().set(`${prefix}${i % 512}`, `value ${i} ${"x".repeat(i % 700)}`);
    });
    return "begun";
  },
};

/**
 * Memory in bytes that is this process's alone: its anonymous pages, not those of segments, nor of the program's file,
 * which count as private too as soon as nobody else runs it.
 */
function privateBytes(): number {
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

/** Gives each of `tasks` to a Worker of its own and waits for all. */
async function work(tasks: Task[]): Promise<unknown[]> {
  return await Promise.all(
    tasks.map(
      (task) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: task });
          let answer: unknown;
          worker.once("message", (message) => {
            answer = message;
          });
          worker.once("error", reject);
          // Not earlier: it has closed its handle then.
          worker.once("exit", () => resolve(answer));
        }),
    ),
  );
}

/** Starts a process that inherits our segment's descriptor as number 3, and returns what it printed. */
async function spawnHeir(command: [string, ...string[]]): Promise<string> {
  const child = inherit(command);
  let printed = "";
  child.stdout?.on("data", (chunk) => {
    printed += chunk;
  });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(`${printed.trim()}; exit code ${code}`));
  });
}

/** As `spawnHeir`, but returns at once: the number of the process. */
function spawnLastingHeir(command: [string, ...string[]]): number | undefined {
  return inherit(command).pid;
}

function inherit([command, ...args]: [string, ...string[]]): ChildProcess {
  return spawn(command, args, { stdio: ["ignore", "pipe", "inherit", opened().info.fd] });
}

function opened(): FastCache {
  if (cache === undefined) throw new Error("the driver has opened no cache");
  return cache;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = fromWire(line) as [string, ...never[]];
  let answer: unknown;
  try {
    const operation = operations[name];
    if (operation === undefined) throw new Error(`no operation ${name}`);
    answer = { value: await operation(...args) };
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    answer = { error: { message, code } };
  }
  process.stdout.write(`${toWire(answer)}\n`);
}
cache?.close();
