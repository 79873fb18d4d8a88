// SPDX-License-Identifier: MIT
//
// `fastcache top`: lines for a file, a picture for a terminal, and a segment that is removed or replaced meanwhile.

import { spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { FastCache } from "fastcache";
import { expect, test } from "vitest";
import { frame, plainLine, Samples } from "../../src/program/top_view.ts";
import type { Stats } from "../../src/types.ts";
import { commandOf, signal } from "../support/child.ts";
import { fastcache, startCommand, startFastcache } from "../support/program.ts";
import { MIB, open, openPrivate, uniqueName } from "../support/segments.ts";

/** Samples a second apart, with so many hits, misses and sets in between. */
function samplesOf(...grown: { hits: number; misses: number; sets: number }[]): Samples {
  const samples = new Samples();
  let stats: Stats = { ...openPrivate({ size: MIB }).stats(), processes: 3, entries: 1_234_567 };
  samples.add({ at: 0, stats });
  for (const [index, { hits, misses, sets }] of grown.entries()) {
    stats = { ...stats, hits: stats.hits + hits, misses: stats.misses + misses, sets: stats.sets + sets };
    samples.add({ at: 1000 * (index + 1), stats });
  }
  return samples;
}

test("the picture shows rates of the last look and of the last minute", () => {
  const samples = samplesOf({ hits: 900, misses: 100, sets: 0 }, { hits: 1500, misses: 1500, sets: 12_345 });
  expect(frame("sessions", 4 * MIB, samples, "", 40, 24)).toEqual([
    "sessions, 4 MiB",
    "                       now last minute",
    "gets/s               3,000       2,000",
    "hit ratio           50.0 %      60.0 %",
    "sets/s              12,345       6,173",
    "deletes/s                0           0",
    "evictions/s              0           0",
    "expirations/s            0           0",
    "lock waits/s             0           0",
    "entries          1,234,567",
    "fill                 0.0 %",
    "processes                2",
    "q ends",
  ]);
  expect(plainLine(samples).trim().split(/ {2,}/)).toEqual([
    "3,000",
    "50.0 %",
    "12,345",
    "0",
    "0",
    "0",
    "0",
    "1,234,567",
    "0.0 %",
    "2",
  ]);
});

test("what was longer ago than a minute is forgotten", () => {
  const hour = Array.from({ length: 3600 }, (_, second) => ({
    hits: second < 3500 ? 0 : 60,
    misses: 0,
    sets: 0,
  }));
  expect(samplesOf(...hour).minute.gets).toBe(60);
});

test.each([
  [80, 24],
  [40, 20],
  [40, 3],
  [10, 5],
  [1, 1],
])("it fits a terminal of %i columns and %i lines", (width, height) => {
  const name = `\u001b[2J${"n".repeat(200)}`;
  const lines = frame(name, 2 ** 45, samplesOf({ hits: 1e15, misses: 1, sets: 1e15 }), "", width, height);
  expect(lines.length).toBeLessThanOrEqual(height);
  for (const line of lines) {
    expect(line.length).toBeLessThanOrEqual(width);
    expect(line).not.toMatch(/\p{Cc}/u);
  }
});

test("without a terminal, each look is a line", () => {
  const name = uniqueName();
  open({ name, size: MIB }).set("key", "value");
  const { status, out } = fastcache("top", name, "--interval", "0.1", "--count", "3");
  expect(status).toBe(0);
  const [head = "", ...lines] = out.trimEnd().split("\n");
  expect(head.trim().split(/ {2,}/)[0]).toBe("GETS/S");
  expect(lines.map((line) => line.trim().split(/ {2,}/).slice(-3))).toEqual(
    Array(3).fill(["1", "0.0 %", "1"]),
  );
  const json = fastcache("top", name, "--interval", "0.1", "--count", "2", "--json")
    .out.trimEnd()
    .split("\n");
  expect(json.map((line) => JSON.parse(line))).toEqual(
    Array(2).fill(expect.objectContaining({ gets: 0, hitRatio: null, entries: 1, processes: 1 })),
  );
});

test("a segment that is removed meanwhile ends it with a line, exit status 1", async () => {
  const name = uniqueName();
  open({ name, size: MIB });
  const top = startFastcache("top", name, "--interval", "0.1");
  await top.until(/\n.*\n/);
  FastCache.destroy({ name });
  expect(await top.ended).toBe(1);
  expect(top.err).toBe(`fastcache: ${name} was removed meanwhile\n`);
});

test("of a segment that is replaced meanwhile it shows the new one, and a signal ends it", async () => {
  const name = uniqueName();
  open({ name, size: MIB }).set("old", 1);
  const top = startFastcache("top", name, "--interval", "0.1", "--json");
  await top.until(/"entries":1,/);
  open({ name, size: 2 * MIB, onMismatch: "replace" })
    .set("new", 1)
    .set("other", 2);
  await top.until(/"entries":2,/);
  signal(top.child, "SIGTERM");
  expect(await top.ended).toBe(0);
  expect(top.err).toBe("");
});

const hasScript = spawnSync("script", ["--version"]).status === 0;
if (!hasScript) console.log("skipped: a terminal: there is no program `script` (util-linux) here");

test.skipIf(!hasScript).each(["q", "\u0003"])("on a terminal it draws in place, until %j", async (key) => {
  const name = uniqueName();
  open({ name, size: MIB }).set("key", "value");
  const command = [...commandOf("program/main"), "top", name, "--interval", "0.1"].map((word) => `'${word}'`);
  const inside = `stty cols 40 rows 20; ${command.join(" ")}; echo ended with $?`;
  const terminal = startCommand(["script", "--quiet", "--return", "--command", inside, "/dev/null"]);
  await terminal.until(/q ends[\s\S]*q ends/);
  terminal.child.stdin?.write(key);
  await terminal.until(/ended with \d/);
  expect(terminal.out).toContain("\u001b[?25h\u001b[?1049l");
  expect(terminal.out).toContain("ended with 0");
  // Each picture begins at the top left, and none of its lines is longer than the terminal.
  const pictures = terminal.out.split("\u001b[H").slice(1, -1);
  expect(pictures.length).toBeGreaterThan(0);
  const lines = pictures.flatMap((picture) => stripVTControlCharacters(picture).split(/[\r\n]+/));
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(40);
});
