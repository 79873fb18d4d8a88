// SPDX-License-Identifier: MIT
//
// The program `fastcache`, run by the runtime that runs the tests, and segments that it can make nothing of.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { FastCache } from "fastcache";
import { onTestFinished } from "vitest";
import { commandOf, signal } from "./child.ts";
import { MIB } from "./segments.ts";

/** How a run of the program ended. */
export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the program to its end. */
export function fastcache(...args: string[]): Ended {
  const { status, stdout, stderr } = fastcacheBytes(...args);
  return { status, out: stdout.toString(), err: stderr.toString() };
}

/** As `fastcache`, with what it wrote as bytes. */
export function fastcacheBytes(...args: string[]) {
  const [command, ...first] = commandOf("program/main");
  return spawnSync(command, [...first, ...args], { timeout: 60_000, maxBuffer: 64 * MIB });
}

/** A run of the program that goes on. */
export interface Running {
  /** What it wrote so far. */
  out: string;
  err: string;
  readonly child: ChildProcess;
  /** Its exit status. */
  readonly ended: Promise<number | null>;
  /** Waits until `out` matches. */
  until(pattern: RegExp): Promise<void>;
}

/** Starts the program; it is killed when the test is over. */
export function startFastcache(...args: string[]): Running {
  return startCommand([...commandOf("program/main"), ...args]);
}

/** As `startFastcache`, for a command that starts it in turn. */
export function startCommand([command, ...args]: readonly [string, ...string[]]): Running {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const running = {
    out: "",
    err: "",
    child,
    ended: new Promise<number | null>((resolve) => child.once("close", (status) => resolve(status))),
    async until(pattern: RegExp) {
      while (!pattern.test(running.out)) {
        const more = new Promise((resolve) => child.stdout.once("data", resolve));
        const status = await Promise.race([more, running.ended]);
        if (typeof status === "number" && !pattern.test(running.out)) {
          throw new Error(`ended with ${status} before ${pattern}: ${running.out}${running.err}`);
        }
      }
    },
  };
  child.stdout.on("data", (data) => {
    running.out += data;
  });
  child.stderr.on("data", (data) => {
    running.err += data;
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) signal(child, "SIGKILL");
    await running.ended;
  });
  return running;
}

/** What makes of a path something that is no sound segment, and what is said of it. */
export const UNUSABLE: readonly [what: string, make: (path: string) => void, message: RegExp][] = [
  [
    "a foreign file",
    (path) => ownFile(path, Buffer.from("Once upon a time. ")),
    /is not a fastcache segment/,
  ],
  ["a segment cut short", cutShort, /created with 1048576 bytes, but its file has 524288/],
  ["a segment of another version", (path) => patch(path, 12, 99), /has layout version 99/],
  ["a damaged segment", (path) => patch(path, 64, 99), /superblock is damaged/],
  ["a half-made segment", (path) => patch(path, 16, 0x11), /did not finish|there is no segment|state/],
];

/** A segment whose superblock is sound, and all behind it is not. */
export function damageContent(path: string): void {
  segmentAt(path);
  const garbage = new Uint8Array(MIB - 65_536);
  for (let index = 0; index < garbage.length; index++) garbage[index] = (index * 2_654_435_761) >>> 13;
  const file = openSync(path, "r+");
  writeSync(file, garbage, 0, garbage.length, 65_536);
  closeSync(file);
}

function ownFile(path: string, content: Uint8Array): void {
  writeFileSync(path, content, { mode: 0o600 });
}

function cutShort(path: string): void {
  segmentAt(path);
  truncateSync(path, MIB / 2);
}

/** Overwrites 4 bytes of the superblock. */
function patch(path: string, offset: number, word: number): void {
  segmentAt(path);
  const bytes = new Uint8Array(new Uint32Array([word]).buffer);
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, 4, offset);
  closeSync(file);
}

function segmentAt(path: string): void {
  FastCache.open({ path, size: MIB }).set("key", "value").close();
}
