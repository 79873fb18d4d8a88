// SPDX-License-Identifier: MIT
//
// `fastcache top NAME`: a segment at work. On a terminal one picture that is drawn anew, until q or Ctrl-C; elsewhere a
// line for each interval. A segment whose name leads to another one meanwhile is followed; one whose name leads nowhere
// any more ends the command.

import { FastCacheError } from "../errors.ts";
import type { Handle } from "../segment.ts";
import { readStats } from "../stats.ts";
import { Refusal } from "./errors.ts";
import { paint, printable, write, writeJson } from "./output.ts";
import { attach } from "./target.ts";
import { frame, jsonOf, LINE_HEAD, plainLine, Samples } from "./top_view.ts";

/** How often, and for how long. */
export interface TopOptions {
  readonly intervalMs: number;
  /** Pictures or lines after which it ends. */
  readonly count: number;
  readonly json: boolean;
}

/** Shows the segment until `signal`, or a key, says to end. */
export async function top(name: string, options: TopOptions, signal: AbortSignal): Promise<void> {
  const watched = new Watched(name);
  const screen = process.stdout.isTTY && !options.json ? new Screen(signal) : undefined;
  const ended = screen?.ended ?? signal;
  try {
    if (screen !== undefined) await screen.draw(watched);
    else if (!options.json) await write(`${LINE_HEAD}\n`);
    for (let shown = 0; shown < options.count; shown++) {
      await sleep(options.intervalMs, ended);
      if (ended.aborted) return;
      watched.look();
      if (screen !== undefined) await screen.draw(watched);
      else
        await (options.json ? writeJson(jsonOf(watched.samples)) : write(`${plainLine(watched.samples)}\n`));
    }
  } finally {
    await screen?.leave();
    watched.close();
  }
}

/** The segment that NAME leads to. */
class Watched {
  readonly name: string;
  samples = new Samples();
  note = "";
  #handle: Handle;

  constructor(name: string) {
    this.name = name;
    this.#handle = attach(name);
    this.look();
  }

  get size(): number {
    return this.#handle.info.size;
  }

  /** Takes a sample, of the segment that the name leads to now. @throws Refusal if there is none */
  look(): void {
    const stats = readStats(this.#handle);
    if (stats.replaced) this.#follow();
    else this.samples.add({ at: performance.now(), stats });
  }

  #follow(): void {
    this.#handle.close();
    try {
      this.#handle = attach(this.name);
    } catch (error) {
      if (!(error instanceof FastCacheError) || error.code !== "ERR_FASTCACHE_NOT_FOUND") throw error;
      throw new Refusal(`${printable(this.name)} was removed meanwhile`);
    }
    this.samples = new Samples();
    this.samples.add({ at: performance.now(), stats: readStats(this.#handle) });
    this.note = "replaced: this is the new segment";
  }

  close(): void {
    this.#handle.close();
  }
}

const [ENTER, LEAVE] = ["\u001b[?1049h\u001b[?25l", "\u001b[?25h\u001b[?1049l"];
const [HOME, END_OF_LINE, END_OF_SCREEN] = ["\u001b[H", "\u001b[K", "\u001b[J"];
const CTRL_C = "\u0003";

/** The terminal's second screen, without a cursor, and the keys that are pressed meanwhile. */
class Screen {
  /** Aborted by q, by Ctrl-C, and with the signal that it was made with. */
  readonly ended: AbortSignal;
  readonly #end = new AbortController();
  #entered = false;

  constructor(signal: AbortSignal) {
    this.ended = AbortSignal.any([signal, this.#end.signal]);
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true);
    process.stdin.on("data", this.#onKeys);
  }

  readonly #onKeys = (keys: Uint8Array): void => {
    const text = Buffer.from(keys).toString("latin1");
    if (text.includes("q") || text.includes(CTRL_C)) this.#end.abort();
  };

  async draw({ name, size, samples, note }: Watched): Promise<void> {
    const { columns = 80, rows = 24 } = process.stdout;
    const [head = "", ...rest] = frame(name, size, samples, note, columns, rows);
    const lines = [paint("bold", head), ...rest];
    const first = this.#entered ? "" : ENTER;
    this.#entered = true;
    await write(`${first}${HOME}${lines.map((line) => line + END_OF_LINE).join("\r\n")}${END_OF_SCREEN}`);
  }

  async leave(): Promise<void> {
    if (process.stdin.isTTY) {
      process.stdin.off("data", this.#onKeys);
      process.stdin.setRawMode(false);
      process.stdin.pause();
    }
    if (this.#entered) await write(LEAVE);
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
