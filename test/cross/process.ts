// Processes that tests command line by line: drivers in the three runtimes, and participants in C.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runtime } from "../../scripts/lib/tools.mjs";
import { fromWire, toWire } from "./wire.ts";

export type RuntimeName = "bun" | "deno" | "node";
export const runtimeNames: RuntimeName[] = ["bun", "deno", "node"];

/** The command of a script in this folder. */
export function command(name: RuntimeName, script: string): [string, ...string[]] {
  return [...runtime(name), fileURLToPath(new URL(script, import.meta.url))];
}

/** A child process that answers each line with one line. `await using` ends it. */
export class LineProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];

  constructor([program, ...args]: [string, ...string[]]) {
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#closed = once(this.#child, "close");
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.#waiting.shift()?.resolve(line);
    });
    this.#child.on("close", (code, signal) => {
      const error = new Error(`${program} ended (${signal ?? `exit code ${code}`}) before it answered`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
    // A write to a process that was killed; what waits for its answer is told by "close".
    this.#child.stdin!.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }

  ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin!.write(`${line}\n`);
    });
  }

  /** Ends its input, which ends it, and returns its exit code. */
  async end(): Promise<number | null> {
    this.#child.stdin!.end();
    await this.#closed;
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }
}

/** driver.ts in a runtime. */
export class Driver extends LineProcess {
  readonly runtime: RuntimeName;

  constructor(name: RuntimeName) {
    super(command(name, "driver.ts"));
    this.runtime = name;
  }

  async do(operation: string, ...args: unknown[]): Promise<unknown> {
    const answer = fromWire(await this.ask(toWire([operation, ...args]))) as {
      value?: unknown;
      error?: { message: string; code: string };
    };
    if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
    return answer.value;
  }

  call(method: string, ...args: unknown[]): Promise<unknown> {
    return this.do("call", method, ...args);
  }
}

/** participant.c, linked with musl: another C library than the runtimes' in the same segment. */
export class Participant extends LineProcess {
  constructor() {
    // test/arm64/run.sh puts one for another processor, and its emulator, in this place.
    const other = process.env.FASTCACHE_PARTICIPANT?.split(" ") as [string, ...string[]] | undefined;
    super(other ?? [fileURLToPath(new URL("../../zig-out/cross/participant", import.meta.url))]);
  }
}
