// SPDX-License-Identifier: MIT
//
// The segment that a command is about: NAME is a name in shared memory, or with a `/` a path. It is attached to,
// never created. While it is, the program takes one of its slots and counts as one of its processes.

import { KIND } from "../abi.ts";
import { FastCacheError } from "../errors.ts";
import { parseOpenOptions, parseTarget } from "../options.ts";
import { Handle } from "../segment.ts";
import type { OpenOptions } from "../types.ts";
import { UsageError } from "./errors.ts";

/** The options of `open` that find the segment NAME. */
export function whereIs(name: string): Pick<OpenOptions, "name" | "path"> {
  try {
    const { kind, target } = parseTarget(name);
    return kind === KIND.FILE ? { path: target } : { name: target };
  } catch (error) {
    throw error instanceof FastCacheError ? new UsageError(error.message) : error;
  }
}

/** A handle on the segment NAME; the caller closes it. */
export function attach(name: string): Handle {
  return new Handle(parseOpenOptions({ ...whereIs(name), create: false }));
}

/** Runs `use` with the segment NAME, and detaches. */
export async function using<T>(name: string, use: (handle: Handle) => T | Promise<T>): Promise<T> {
  const handle = attach(name);
  try {
    return await use(handle);
  } finally {
    handle.close();
  }
}
