// What the demonstration's processes agree on: a small shop. The Bun process serves product pages, the Deno process
// writes reviews, the Node process writes prices; each needs what the others wrote, and gets it from the cache.

import type { FastCache } from "fastcache";

export type Writer = "bun" | "deno" | "node";
export const writers: Writer[] = ["bun", "deno", "node"];

/** What every process stores: who wrote it is the point of the exercise. */
export interface Item {
  by: Writer;
  text: string;
}

/** What each process tells about itself, in the cache, under `status:<writer>`. */
export interface Status {
  gets: number;
  hits: number;
  sets: number;
  requests: number;
  /** Hits by the process that had written the value. */
  readFrom: Record<Writer, number>;
}

const PRODUCTS = 2000;
const STATUS_INTERVAL_MS = 100;

/** A product number; a few are asked for much more often than the rest, as in a real shop. */
export function popularProduct(): number {
  return Math.floor(PRODUCTS * Math.random() ** 3);
}

/** A cache that counts what its process does with it. */
export class CountingCache {
  readonly status: Status = {
    gets: 0,
    hits: 0,
    sets: 0,
    requests: 0,
    readFrom: { bun: 0, deno: 0, node: 0 },
  };
  readonly #cache: FastCache;
  readonly #writer: Writer;
  #reportedAt = 0;

  constructor(cache: FastCache, writer: Writer) {
    this.#cache = cache;
    this.#writer = writer;
  }

  get(key: string): Item | undefined {
    const item = this.#cache.get(key) as Item | undefined;
    this.status.gets++;
    if (item !== undefined) {
      this.status.hits++;
      this.status.readFrom[item.by]++;
    }
    this.#report();
    return item;
  }

  set(key: string, text: string, ttl: number): void {
    this.#cache.set(key, { by: this.#writer, text } satisfies Item, { ttl });
    this.status.sets++;
    this.#report();
  }

  #report(): void {
    const now = Date.now();
    if (now - this.#reportedAt < STATUS_INTERVAL_MS) return;
    this.#reportedAt = now;
    this.#cache.set(`status:${this.#writer}`, this.status);
  }
}

/** The demonstration's end is the end of standard input, also when the main process was killed. */
export function endWithParent(end: () => void): void {
  // Ctrl-C reaches the whole group; the main process decides when to end.
  process.on("SIGINT", () => {});
  process.stdin.resume();
  process.stdin.on("end", end);
}
