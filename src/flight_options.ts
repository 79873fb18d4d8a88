// SPDX-License-Identifier: MIT
//
// The options of `getOrSet`: checked, with their defaults.

import { CONSTANTS } from "./abi.ts";
import { checkBoolean, checkNames, parseTtl, wrong } from "./options.ts";
import type { GetOrSetOptions } from "./types.ts";

const { FC_LEASE_MS_MAX } = CONSTANTS;

const FLIGHT_OPTIONS = {
  ttl: true,
  hardTimeout: true,
  lease: true,
  errorTtl: true,
  forceFresh: true,
  signal: true,
} as const satisfies Record<keyof GetOrSetOptions, true>;

/** The options of `getOrSet`, checked, and the defaults; `ttl` as `parseTtl` gives it. */
export interface FlightOptions {
  readonly ttl: number;
  readonly hardTimeout: number | undefined;
  readonly lease: number;
  readonly errorTtl: number;
  readonly forceFresh: boolean;
  readonly signal: AbortSignal | undefined;
}

const LEASE_DEFAULT_MS = 30_000;

/** @throws FastCacheError `INVALID_ARGUMENT` */
export function flightOptions(given: GetOrSetOptions | undefined, fallbackTtl: number): FlightOptions {
  const options = checkNames(given ?? {}, FLIGHT_OPTIONS, "getOrSet");
  const { ttl, hardTimeout, lease = LEASE_DEFAULT_MS, errorTtl = 0, forceFresh, signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw wrong("signal", signal, "an AbortSignal");
  return {
    ttl: ttl === undefined ? fallbackTtl : parseTtl(ttl),
    hardTimeout:
      hardTimeout === undefined ? undefined : checkMs("hardTimeout", hardTimeout, Number.MIN_VALUE),
    lease: checkMs("lease", lease, Number.MIN_VALUE),
    errorTtl: checkMs("errorTtl", errorTtl, 0),
    forceFresh: checkBoolean("forceFresh", forceFresh),
    signal,
  };
}

/** A time that a lease, or a timer, takes. */
function checkMs(option: string, value: unknown, min: number): number {
  if (typeof value === "number" && value >= min && value <= FC_LEASE_MS_MAX) return value;
  const least = min > 0 ? "above 0" : "from 0";
  throw wrong(option, value, `a number of milliseconds ${least} up to ${FC_LEASE_MS_MAX}, a day`);
}
