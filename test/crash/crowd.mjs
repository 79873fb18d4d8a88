// Drivers under a supervisor: starts them, watches that they go on, kills and stops them. One crowd has one segment.

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root, runtime, toolEnvironment } from "../../scripts/lib/tools.mjs";

const HANG_MS = 60_000;
const RUNTIMES = ["bun", "deno", "node"];
const driver = join(root, "test/crash/driver.mjs");
const inspector = join(root, "zig-out/crash/inspect");

/** Numbers from a seed: mulberry32. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

export class Crowd {
  #random;
  #members = new Set();
  #failures = [];
  #watch;
  kills = 0;
  stops = 0;
  beats = 0;

  constructor(name, random) {
    this.name = name;
    this.#random = random;
    this.#watch = setInterval(() => this.#lookForHangs(), 1000);
  }

  get members() {
    return [...this.#members];
  }

  /** Starts a driver; resolves when it is ready. */
  start(role, number) {
    const runtimeName = RUNTIMES[number % RUNTIMES.length];
    const [program, ...args] = runtime(runtimeName);
    const process = spawn(program, [...args, driver, role, this.name, String(this.#random(2 ** 31))], {
      cwd: root,
      env: toolEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const member = {
      process,
      role,
      number,
      runtime: runtimeName,
      heard: Date.now(),
      doomed: false,
      said: "",
    };
    this.#members.add(member);
    process.stderr.on("data", (chunk) => {
      member.said += chunk;
    });
    member.ended = new Promise((resolve) => {
      process.on("close", (code, signal) => {
        this.#members.delete(member);
        if (!member.doomed && code !== 0)
          this.#fail(`${role} in ${runtimeName} ended (${signal ?? code}): ${member.said}`);
        resolve();
      });
    });
    return new Promise((resolve) => {
      member.ended.then(() => resolve(member));
      createInterface({ input: process.stdout }).on("line", () => {
        member.heard = Date.now();
        this.beats++;
        resolve(member);
      });
    });
  }

  async kill(member) {
    member.doomed = true;
    member.process.kill("SIGKILL");
    await member.ended;
    this.kills++;
  }

  async stop(member, ms) {
    member.process.kill("SIGSTOP");
    await sleep(ms);
    member.process.kill("SIGCONT");
    this.stops++;
  }

  #lookForHangs() {
    for (const member of this.#members)
      if (Date.now() - member.heard > HANG_MS) this.#fail(`hang: ${member.role} in ${member.runtime}`);
  }

  #fail(reason) {
    this.#failures.push(reason);
  }

  /** Throws if anything has gone wrong so far. */
  check() {
    if (this.#failures.length > 0) throw new Error(this.#failures.join("\n"));
  }

  async end() {
    clearInterval(this.#watch);
    const members = this.members;
    for (const member of members) {
      member.doomed = true;
      member.process.kill("SIGKILL");
    }
    await Promise.all(members.map((member) => member.ended));
  }
}

/** Verifies a whole segment; returns { entries, takeovers, evictions, processes }. */
export function inspect(name) {
  const { stdout, status } = spawnSync(inspector, [name], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the segment is not sound: ${stdout}`);
  const words = stdout.trim().split(" ").slice(1);
  return Object.fromEntries(words.flatMap((word, i) => (i % 2 ? [] : [[word, Number(words[i + 1])]])));
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Options of a command line such as "--kills 100 --seed 7", over the defaults. */
export function options(defaults) {
  const args = process.argv.slice(2);
  const given = { ...defaults };
  for (let i = 0; i < args.length; i += 2) {
    const option = args[i].replace(/^--/, "");
    if (!(option in defaults)) throw new Error(`there is no option ${args[i]}`);
    given[option] = Number(args[i + 1]);
  }
  return given;
}
