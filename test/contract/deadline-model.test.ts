// SPDX-License-Identifier: MIT
//
// Random mixes of all that gives, keeps and ends deadlines, through two handles, beside a model that
// knows what must be there and for how long.

import type { FastCache, SetOptions } from "fastcache";
import { expect, test } from "vitest";
import { MIB, open, uniqueName } from "../support/segments.ts";

const HOUR = 3_600_000;

test.each([[1], [20], [300]])("a random mix of deadlines ends as a model says (seed %i)", (seed) => {
  const name = uniqueName();
  const handleTtl = 9 * HOUR;
  const caches = [open({ name, size: 8 * MIB, ttl: handleTtl }), open({ name, ttl: handleTtl })];
  let state = seed;
  const below = (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  interface Expected {
    value: unknown;
    /** On the clock of performance.now(), to the time that its call took; Infinity for none. */
    deadline: number;
    slack: number;
  }
  const model = new Map<string, Expected>();
  const TTLS = [Infinity, 0, -5, 1000 * HOUR, HOUR, 2.5 * HOUR, 0.5 + HOUR, 10 * HOUR];

  for (let step = 0; step < 4000; step++) {
    const cache = caches[below(2)] as FastCache;
    const key = `key ${below(40)}`;
    const before = model.get(key);
    const ttl = TTLS[below(TTLS.length)] as number;
    const way = below(4);
    const options: SetOptions = [
      {},
      { ttl },
      { expiresAt: ttl === Infinity ? ttl : Date.now() + ttl },
      { keepTtl: true },
    ][way] as SetOptions;
    const begun = performance.now();
    /** What the model holds after `value` was stored with `lifetime` ms. */
    const stored = (value: unknown, lifetime: number): void => {
      const slack = performance.now() - begun + 3;
      if (lifetime <= 0) model.delete(key);
      else model.set(key, { value, deadline: begun + lifetime, slack });
    };
    const keeps = way === 3 && before !== undefined;
    const storedAs = (value: unknown): void => {
      if (keeps) model.set(key, { ...before, value });
      else stored(value, way === 0 || way === 3 ? handleTtl : ttl);
    };
    const value = below(8) === 0 ? "x".repeat(below(20_000)) : step;
    switch (below(9)) {
      case 0:
        expect(cache.add(key, value, options)).toBe(before === undefined);
        if (before === undefined) storedAs(value);
        break;
      case 1:
        expect(cache.replace(key, value, options)).toBe(before !== undefined);
        if (before !== undefined) storedAs(value);
        break;
      case 2: {
        const version = cache.getWithVersion(key)?.version ?? 0;
        const right = below(3) > 0;
        expect(cache.compareAndSet(key, version + (right ? 0 : 1), value, options)).toBe(
          right && before !== undefined,
        );
        if (right && before !== undefined) storedAs(value);
        break;
      }
      case 3:
        cache.setMany([[key, value, options]]);
        storedAs(value);
        break;
      case 4:
        expect(cache.touch(key, ttl)).toBe(before !== undefined);
        if (before !== undefined) stored(before.value, ttl);
        break;
      case 5: {
        if (typeof before?.value === "string") break;
        const ifPresent = below(2) === 0;
        const sum = cache.increment(key, 1, { ttl, ifPresent, initial: 7 });
        expect(sum).toBe(before === undefined ? (ifPresent ? undefined : 8) : Number(before.value) + 1);
        if (before !== undefined) model.set(key, { ...before, value: sum });
        else if (!ifPresent) stored(sum, ttl);
        break;
      }
      case 6: {
        const given = cache.ttl(key);
        if (given === undefined) break;
        cache.set(key, value, { ttl: given });
        model.set(key, {
          ...(before as Expected),
          value,
          slack: (before as Expected).slack + performance.now() - begun + 3,
        });
        break;
      }
      default:
        cache.set(key, value, options);
        storedAs(value);
    }
    const now = model.get(key);
    const asked = performance.now();
    const told = cache.ttl(key);
    const answered = performance.now();
    expect(cache.get(key), `step ${step}`).toBe(now?.value);
    if (now === undefined) expect(told, `step ${step}`).toBeUndefined();
    else if (now.deadline === Infinity) expect(told, `step ${step}`).toBe(Infinity);
    else {
      expect(told, `step ${step}`).toBeLessThanOrEqual(now.deadline + now.slack - asked);
      expect(told, `step ${step}`).toBeGreaterThanOrEqual(now.deadline - now.slack - answered);
    }
  }
  expect(caches[1]?.size).toBe(model.size);
  expect(new Map(caches[0])).toEqual(new Map([...model].map(([key, { value }]) => [key, value])));
});
