// SPDX-License-Identifier: MIT
//
// Waiting without blocking the event loop: a native thread that waits, and calls back. It comes with the
// native library as a Node-API addon, which Bun, Deno and Node all load (core/node/waiter.c), when it is first
// needed. Where there is no thread or no addon to be had, whoever waits is called back after some
// milliseconds, and looks again: slower to wake, never wrong.

import { STATUS } from "../abi.ts";

/** How long such a one waits. */
const POLL_MS = 4;

/**
 * Calls `callback` with what `fc_wait` returns for the native handle, after `timeout` ms at most: bits of
 * the keys that changed, 0 if they all have to be looked at, or a status. The event loop lives until then.
 */
export type Wait = (handle: number, timeout: number, callback: (kinds: number) => void) => void;

/** Waiting with the library at `path`. */
export function waiting(path: string): Wait {
  let native: ((...args: Parameters<Wait>) => number) | undefined;
  return (handle, timeout, callback) => {
    native ??= load(path);
    if (native(handle, timeout, callback) !== STATUS.OK) setTimeout(callback, POLL_MS, 0);
  };
}

function load(path: string): (...args: Parameters<Wait>) => number {
  const addon: { exports: { fc_wait_then?: (...args: Parameters<Wait>) => number } } = { exports: {} };
  try {
    process.dlopen(addon, path);
  } catch {
    // Such as with Node's --no-addons, or a runtime that has no Node-API.
  }
  return addon.exports.fc_wait_then ?? (() => STATUS.NO_SPACE);
}
