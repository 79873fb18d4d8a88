#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// The program `fastcache`: runs the command that it was given, and turns whatever goes wrong into a line on standard
// error and an exit status: 1 for what is not found, refused or failed, 2 for a command line that makes no sense.

import { readFileSync } from "node:fs";
import { helpText, keyBytes, type Parsed, parseCommand, seconds, wholeNumber } from "./arguments.ts";
import { clearAll, deleteKeys, destroy } from "./change.ts";
import { dump } from "./dump.ts";
import { UsageError } from "./errors.ts";
import { get } from "./get.ts";
import { listKeys } from "./keys.ts";
import { load } from "./load.ts";
import { ls } from "./ls.ts";
import { write } from "./output.ts";
import { stat } from "./stat.ts";
import { using } from "./target.ts";
import { top } from "./top.ts";

const NOT_DONE = 1;
const BAD_USAGE = 2;

async function run({ command, words, options, json }: Parsed): Promise<void> {
  const [name = "", second = ""] = words;
  const hex = options.hex === true;
  switch (command) {
    case "help":
      return write(helpText(words[0]));
    case "version":
      return write(`${version()}\n`);
    case "ls":
      return ls(json);
    case "stat":
      return using(name, (handle) => stat(name, handle, json));
    case "top": {
      const { interval = "1", count } = options;
      const intervalMs = seconds("interval", interval, 0.1);
      return top(name, { intervalMs, count: atMost("count", count, 1), json }, stopSignal());
    }
    case "keys": {
      const prefix = keyBytes(second, hex, "PREFIX", 0);
      const { long } = options;
      const limit = atMost("limit", options.limit, 0);
      return using(name, (handle) => listKeys(handle, { prefix, limit, long: long === true, hex, json }));
    }
    case "get": {
      const key = keyBytes(second, hex, "KEY");
      const { value, raw } = options;
      if (raw === true && json) throw new UsageError("get: --raw and --json exclude each other");
      return using(name, (handle) => get(handle, key, { value: value === true, raw: raw === true, json }));
    }
    case "delete": {
      const keys = words.slice(1).map((word) => keyBytes(word, hex, "KEY"));
      return using(name, (handle) => deleteKeys(handle, keys, json));
    }
    case "clear":
      return using(name, (handle) => clearAll(handle, json));
    case "dump":
      return using(name, (handle) =>
        dump(handle, second, { force: options.force === true, json }, stopSignal()),
      );
    case "load":
      return load(name, second, { size: text(options.size), json }, stopSignal());
    case "destroy":
      return destroy(name, json);
  }
}

/** For commands that have to tidy up when they are told to end: the second signal ends them anyhow. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

function atMost(option: string, given: string | boolean | undefined, least: number): number {
  return given === undefined ? Number.POSITIVE_INFINITY : wholeNumber(option, given, least);
}

function text(option: string | boolean | undefined): string | undefined {
  return typeof option === "string" ? option : undefined;
}

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The exit status for what was thrown, after it was said on standard error. */
function report(error: unknown): number {
  if ((error as { code?: unknown } | null)?.code === "EPIPE") return 0; // who read the output has had enough
  const isUsage = error instanceof UsageError;
  const message = error instanceof Error ? error.message : String(error);
  for (const line of message.split("\n")) console.error(`fastcache: ${line}`);
  if (isUsage) console.error("fastcache --help tells the commands");
  return isUsage ? BAD_USAGE : NOT_DONE;
}

// Each write is answered on its own; without a listener the same error would end the process with a stack trace.
process.stdout.on("error", () => undefined);
try {
  await run(parseCommand(process.argv.slice(2)));
} catch (error) {
  process.exitCode = report(error);
}
