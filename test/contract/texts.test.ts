// SPDX-License-Identifier: MIT
//
// Texts as keys and as values: of any length, with any characters in them.

import { expect, test } from "vitest";
import { failure } from "../support/errors.ts";
import { MIB, openPrivate } from "../support/segments.ts";
import { randomBelow } from "../support/values.ts";

test.each([[1], [2], [3]])(
  "random texts are the same as key and as value, whatever is in them (seed %i)",
  (seed) => {
    const below = randomBelow(seed);
    const cache = openPrivate<unknown>({ size: 16 * MIB });
    const alphabets = ["ab\0 ~", "aé\x80\xff", "日\ufffd\ufeffa", "👩🎉a", "a\ud800\udc00é", "\ufffd\ud83da"];
    const text = (length: number): string => {
      const alphabet = alphabets[below(alphabets.length)] as string;
      let all = "";
      for (let index = 0; index < length; index++) all += alphabet[below(alphabet.length)];
      return all;
    };
    for (let round = 0; round < 1500; round++) {
      const key = text([1, 7, 300, 340, 341, 342, 343, 512, 1023, 1024, 1025][below(11)] as number);
      const value = text([0, 1, 5, 400, 3000][below(5)] as number);
      const bytes = new TextEncoder().encode(key);
      if (!key.isWellFormed()) {
        failure("INVALID_ARGUMENT", () => cache.set(key, value), /lone surrogate/);
        failure("INVALID_ARGUMENT", () => cache.get(key), /lone surrogate/);
      } else if (bytes.length > 1024) {
        failure("KEY_TOO_LONG", () => cache.set(key, value), new RegExp(`${bytes.length} bytes`));
        failure("KEY_TOO_LONG", () => cache.has(key), new RegExp(`${bytes.length} bytes`));
      } else {
        expect(cache.set(key, value).get(key)).toBe(value);
        expect(cache.get(bytes)).toBe(value);
        expect(cache.getMany([key, bytes])).toEqual([value, value]);
        expect(cache.set(bytes, [value]).get(key)).toEqual([value]);
        expect(cache.getBytes(key)).toEqual(new Uint8Array(cache.getBytes(bytes) as Uint8Array));
        expect(cache.increment(`${key.slice(0, 300)} counts`)).toBeGreaterThan(0);
        expect([cache.has(key), cache.delete(bytes), cache.has(key)]).toEqual([true, true, false]);
      }
    }
  },
);
