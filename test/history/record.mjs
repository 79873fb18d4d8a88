// Records a phase: participants in three runtimes work on one segment, are stopped, killed and replaced.
//
// A phase has room for all that is stored, or has not: then entries are evicted, and a miss has an excuse.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../../scripts/lib/process.mjs";
import { root, runtime } from "../../scripts/lib/tools.mjs";
import { randomFrom } from "../crash/crowd.mjs";
import { clockFrom } from "./clock.ts";

const RUNTIMES = ["bun", "deno", "node"];
const PARTICIPANTS = 6;
const LIFE_MS_MIN = 300;
const LIFE_MS_MAX = 3000;
const STOP_EVERY_MS = 15;
const STOP_MS_MAX = 12;
/** Of so many stops, one is followed by a look whether the stopped one holds the lock; if so, it is killed every second time. */
const LOOK_EVERY = 6;
const STARTED_MS = 1500;
const HANG_MS = 20_000;
const SIZE = "1MiB";

export const phases = {
  roomy: { evicts: false, fillerBytes: 12_000, fillers: 8 },
  full: { evicts: true, fillerBytes: 12_000, fillers: 200 },
};

/** Removes the segment of the phase that is being recorded, if there is one. */
export let removeSegment = () => {};

/**
 * Records for `seconds`, with what `module` exports as FastCache; its journals go to `folder`. Resolves to what the checker
 * wants to know of a phase.
 */
export async function record({ name, eviction, seconds, seed, module, folder }) {
  const { evicts, fillerBytes, fillers } = phases[name];
  const { FastCache } = await import(module);
  const segment = `history-${process.pid}-${name}`;
  const cache = FastCache.open({ name: segment, size: SIZE, shards: 1, eviction, create: "exclusive" });
  removeSegment = () => FastCache.destroy(segment);
  const origin = Math.floor(clockFrom(0)() / 1e9);
  const now = clockFrom(origin);
  const until = now() + STARTED_MS * 1e6 + seconds * 1e9;
  const common = { module, segment, origin, until, fillerBytes, fillers };
  mkdirSync(folder, { recursive: true });
  const crowd = new Crowd({ common, folder, random: randomFrom(seed), now, cache });
  try {
    await crowd.live();
    const { evictions, takeovers } = cache.stats();
    if (!evicts && evictions > 0) throw new Error(`${evictions} entries were evicted with room to spare`);
    if (evicts && evictions === 0) throw new Error("nothing was evicted: the segment was never full");
    return {
      Name: `${name} (${eviction})`,
      Evicts: evicts,
      Participants: crowd.participants,
      Kills: crowd.kills,
      Stops: crowd.stops,
      Takeovers: takeovers,
      Evictions: evictions,
    };
  } finally {
    await crowd.end();
    cache.close();
    removeSegment();
    removeSegment = () => {};
  }
}

class Crowd {
  #common;
  #folder;
  #random;
  #now;
  #cache;
  #running = new Set();
  #failures = [];
  participants = [];
  kills = 0;
  stops = 0;

  constructor({ common, folder, random, now, cache }) {
    this.#common = common;
    this.#folder = folder;
    this.#random = random;
    this.#now = now;
    this.#cache = cache;
  }

  get #leftMs() {
    return (this.#common.until - this.#now()) / 1e6;
  }

  /** Until the phase is over and all have ended; throws if one failed. */
  async live() {
    await Promise.all([
      this.#stopSome(),
      ...Array.from({ length: PARTICIPANTS }, (_, place) => this.#occupy(place)),
    ]);
    if (this.#failures.length > 0) throw new Error(this.#failures.join("\n"));
  }

  /** One participant after the other, each killed but the last. */
  async #occupy(place) {
    for (;;) {
      const member = this.#start(RUNTIMES[place % RUNTIMES.length]);
      await member.ready;
      const life = LIFE_MS_MIN + this.#random(LIFE_MS_MAX - LIFE_MS_MIN);
      if (life + STARTED_MS > this.#leftMs) {
        await Promise.race([
          member.ended,
          sleep(Math.max(0, this.#leftMs) + HANG_MS, undefined, { ref: false }),
        ]);
        if (this.#running.has(member)) this.#failures.push(`hang: ${member.runtime} ${member.record.Number}`);
        return;
      }
      await Promise.race([member.ended, sleep(life, undefined, { ref: false })]);
      if (!member.doomed && !this.#running.has(member)) return; // it failed
      await this.#kill(member);
    }
  }

  #start(runtimeName) {
    const number = this.participants.length;
    const journal = join(this.#folder, `${number}.txt`);
    const options = { ...this.#common, journal, number, seed: this.#random(2 ** 31) };
    const script = join(root, "test/history/participant.ts");
    const process = start([...runtime(runtimeName), script, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const record = { Journal: journal, Runtime: runtimeName, Number: number, Death: 0 };
    const member = { process, record, runtime: runtimeName, doomed: false, isReady: false };
    this.participants.push(record);
    this.#running.add(member);
    let said = "";
    process.stderr.on("data", (chunk) => {
      said += chunk;
    });
    member.ended = new Promise((resolve) => {
      process.on("close", (code, signal) => {
        this.#running.delete(member);
        if (member.doomed) record.Death = Math.ceil(this.#now());
        else if (code !== 0)
          this.#failures.push(`${runtimeName} ${number} ended (${signal ?? code}): ${said}`);
        resolve();
      });
    });
    member.ready = new Promise((resolve) => {
      process.stdout.once("data", () => {
        member.isReady = true;
        resolve();
      });
      member.ended.then(resolve);
    });
    return member;
  }

  /** Once: the second to kill it waits for the first. */
  async #kill(member) {
    this.kills += Number(!member.doomed);
    member.doomed = true;
    member.process.kill("SIGKILL");
    await member.ended;
  }

  async #stopSome() {
    while (this.#leftMs > 0) {
      await sleep(this.#random(2 * STOP_EVERY_MS));
      const members = [...this.#running].filter(({ isReady, doomed }) => isReady && !doomed);
      if (members.length === 0) continue;
      const member = members[this.#random(members.length)];
      if (!member.process.kill("SIGSTOP")) continue;
      this.stops++;
      if (this.#random(LOOK_EVERY) > 0 || !this.#isHeld()) await sleep(1 + this.#random(STOP_MS_MAX));
      else if (this.#random(2) === 0) await this.#kill(member);
      member.process.kill("SIGCONT");
    }
  }

  /** Does a stopped process hold the lock? If so, this takes a second, and the others that write are refused as BUSY, too. */
  #isHeld() {
    try {
      this.#cache.delete("probe");
      return false;
    } catch (error) {
      if (error.code !== "ERR_FASTCACHE_BUSY") throw error;
      return true;
    }
  }

  /** Ends whoever still runs. */
  async end() {
    const members = [...this.#running];
    for (const member of members) {
      member.doomed = true;
      member.process.kill("SIGKILL");
    }
    await Promise.all(members.map((member) => member.ended));
  }
}
