// A program under a runtime that evaluates it anew in the same process whenever its file changes.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { tool } from "../../scripts/lib/tools.mjs";

const SOURCE = pathToFileURL(fileURLToPath(new URL("../../src/index.ts", import.meta.url))).href;
const FLAGS = { bun: ["--hot", "--no-clear-screen"], deno: ["run", "-A", "--watch", "--no-clear-screen"] };
const TURNS_MAX = 1000;

/** Opens a segment, increments `loads` there, and never closes, as often as it is loaded. */
export class Reloaded implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "fastcache-reload-"));
  readonly #segment: string;
  readonly #child: ChildProcess;
  #loads = 0;

  constructor(runtime: keyof typeof FLAGS, segment: string) {
    this.#segment = segment;
    this.#write();
    this.#child = spawn(tool(runtime), [...FLAGS[runtime], join(this.#folder, "program.ts")], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#child.stdout?.on("data", (data) => {
      this.#loads += String(data).split("loaded").length - 1;
    });
  }

  #write(): void {
    const lines = [
      `import { FastCache } from ${JSON.stringify(SOURCE)};`,
      `const cache = FastCache.open({ name: ${JSON.stringify(this.#segment)} });`,
      `cache.increment("loads");`,
      `console.log("loaded");`,
      `setInterval(() => {}, 1000);`,
      `// ${Math.random()}`,
    ];
    writeFileSync(join(this.#folder, "program.ts"), lines.join("\n"));
  }

  /** Waits until it was loaded that often. A change that comes too early goes unnoticed, so it is made again. */
  async loads(count: number): Promise<void> {
    for (let turn = 1; this.#loads < count; turn++) {
      if (turn > TURNS_MAX) throw new Error(`loaded ${this.#loads} times, not ${count}`);
      const before = this.#loads;
      for (let i = 0; i < 20 && this.#loads === before; i++) await sleep(20);
      if (this.#loads > 0 && this.#loads < count) this.#write();
    }
  }

  /** How many descriptors of the segment the process has open. */
  descriptors(): number {
    const folder = `/proc/${this.#child.pid}/fd`;
    const isSegment = (descriptor: string): boolean => {
      try {
        return readlinkSync(`${folder}/${descriptor}`).endsWith(this.#segment);
      } catch {
        return false; // closed meanwhile
      }
    };
    return readdirSync(folder).filter(isSegment).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
    rmSync(this.#folder, { recursive: true });
  }
}
