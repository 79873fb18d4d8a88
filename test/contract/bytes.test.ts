// SPDX-License-Identifier: MIT
//
// Byte results: whose memory they are, how it is aligned, what a kept one keeps alive, and that nobody
// can take it away from the others.

import { describe, expect, test } from "vitest";
import { runtime } from "../support/child.ts";
import { MIB, openPrivate } from "../support/segments.ts";
import { randomBelow } from "../support/values.ts";

const BLOCK = 65_536;
/** Results of up to so many bytes have memory of their own. */
const OWN_MAX = runtime === "bun" ? 256 : 64;
const LENGTHS = [
  0, 1, 7, 8, 9, 16, 63, 64, 65, 100, 255, 256, 257, 1000, 4095, 4096, 4097, 20_000, 70_000, 300_000,
];

const fill = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (length + index * 7) & 255);

/** Each way to get bytes, as results by the length of what was stored. */
function results(): Map<number, Uint8Array[]> {
  const cache = openPrivate({ size: 64 * MIB });
  for (const length of LENGTHS) {
    cache.set(`bytes ${length}`, fill(length)).set(`object ${length}`, { status: 200, body: fill(length) });
  }
  const many = cache.getMany(LENGTHS.map((length) => `bytes ${length}`)) as Uint8Array[];
  const manyObjects = cache.getMany(LENGTHS.map((length) => `object ${length}`)) as { body: Uint8Array }[];
  const iterated = new Map(cache.entries());
  return new Map(
    LENGTHS.map((length, index) => [
      length,
      [
        cache.get(`bytes ${length}`) as Uint8Array,
        cache.getBytes(`bytes ${length}`) as Uint8Array,
        (cache.get(`object ${length}`) as { body: Uint8Array }).body,
        many[index] as Uint8Array,
        (manyObjects[index] as { body: Uint8Array }).body,
        iterated.get(`bytes ${length}`) as Uint8Array,
      ],
    ]),
  );
}

test("results begin at multiples of 8, so that wider arrays can look at them in place", () => {
  for (const [length, all] of results()) {
    for (const bytes of all) {
      expect(bytes.byteOffset % 8, `${length} bytes`).toBe(0);
      const doubles = new Float64Array(bytes.buffer, bytes.byteOffset, length >> 3);
      expect(new Uint8Array(doubles.buffer, doubles.byteOffset, doubles.byteLength)).toEqual(
        fill(length).subarray(0, (length >> 3) * 8),
      );
    }
  }
});

test("a kept result keeps alive what the README says, and no more", () => {
  for (const [length, all] of results()) {
    const most = length <= OWN_MAX ? length : Math.max(BLOCK, length * 2);
    for (const bytes of all) {
      expect(bytes, `${length} bytes`).toEqual(fill(length));
      expect(bytes.buffer.byteLength, `${length} bytes`).toBeLessThanOrEqual(most);
    }
  }
});

test("small results and large ones have memory of their own: no bytes of other entries are in it", () => {
  const cache = openPrivate({ size: 64 * MIB });
  const secret = new Uint8Array(48).fill(201);
  cache.set("secret", secret).set("secret text", "\u00c9".repeat(40));
  for (const length of LENGTHS) {
    if (length > OWN_MAX && length <= 4096) continue;
    cache.set("mine", fill(length).fill(1)).set("object", { body: fill(length).fill(1) });
    cache.get("secret");
    cache.get("secret text");
    for (const bytes of [cache.get("mine"), cache.getBytes("mine"), cache.getMany(["secret", "mine"])[1]]) {
      expect((bytes as Uint8Array).byteLength).toBe(length);
      const around = new Uint8Array((bytes as Uint8Array).buffer);
      expect(
        around.every((byte) => byte === 1 || byte === 0),
        `${length} bytes`,
      ).toBe(true);
    }
  }
});

test("thousands of small results that are kept hold no more than themselves", () => {
  const cache = openPrivate();
  cache.set("small", new Uint8Array(16)).set("medium", new Uint8Array(4000));
  const kept: Uint8Array[] = [];
  for (let index = 0; index < 5000; index++) {
    kept.push(cache.get("small") as Uint8Array);
    for (let turn = 0; turn < 3; turn++) cache.get("medium");
  }
  const buffers = new Set(kept.map((bytes) => bytes.buffer));
  const held = [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0);
  expect(held).toBe(5000 * 16);
});

test("a result is never written again, whatever is read and stored later", () => {
  const cache = openPrivate({ size: 16 * MIB });
  const below = randomBelow(11);
  for (let index = 0; index < 50; index++) cache.set(`key ${index}`, fill(below(6000)));
  const kept: [Uint8Array, string][] = [];
  for (let turn = 0; turn < 3000; turn++) {
    const key = `key ${below(50)}`;
    const one = below(2) === 0 ? cache.get(key) : cache.getMany([key, `key ${below(50)}`])[0];
    kept.push([one as Uint8Array, Buffer.from(one as Uint8Array).toString("latin1")]);
    if (below(5) === 0) cache.set(key, fill(below(6000)));
  }
  expect(kept.filter(([bytes, text]) => Buffer.from(bytes).toString("latin1") !== text)).toEqual([]);
});

function attempt(transfer: () => unknown): void {
  try {
    transfer();
  } catch {
    // One way to leave the memory where it is.
  }
}

describe("memory that several results share", () => {
  const LENGTH = 1000;
  type Transferable = ArrayBuffer & { transfer?(): ArrayBuffer; transferToFixedLength?(): ArrayBuffer };

  test("cannot be transferred away from the others", () => {
    const cache = openPrivate();
    cache.set("a", fill(LENGTH)).set("b", fill(LENGTH + 1));
    const a = cache.get("a") as Uint8Array;
    const b = cache.get("b") as Uint8Array;
    const buffer = a.buffer as Transferable;
    expect(b.buffer).toBe(buffer);
    const { port1 } = new MessageChannel();
    // Refused, but for Node 20, which sends a copy.
    attempt(() => structuredClone(a, { transfer: [buffer] }));
    attempt(() => port1.postMessage(a, [buffer]));
    port1.close();
    if (buffer.transfer !== undefined) {
      expect(() => buffer.transfer?.()).toThrow(TypeError);
      expect(() => buffer.transferToFixedLength?.()).toThrow(TypeError);
    }
    expect(a).toEqual(fill(LENGTH));
    expect(b).toEqual(fill(LENGTH + 1));
    expect(cache.get("a")).toEqual(fill(LENGTH));
  });

  test("is left alone by us if somebody gets it transferred all the same", () => {
    const cache = openPrivate();
    cache.set("a", fill(LENGTH)).set("text", "x".repeat(3000)).set("b", fill(LENGTH).fill(9));
    const { transfer } = ArrayBuffer.prototype as Transferable;
    if (transfer === undefined) return; // nothing in this runtime does so
    const a = cache.get("a") as Uint8Array;
    let taken: ArrayBuffer;
    try {
      taken = transfer.call(a.buffer as ArrayBuffer);
    } catch {
      return; // the runtime's own guard cannot be got around
    }
    const before = Buffer.from(taken).toString("latin1");
    expect(cache.get("text")).toBe("x".repeat(3000));
    expect(cache.getMany(["b", "text"])).toEqual([fill(LENGTH).fill(9), "x".repeat(3000)]);
    expect([...cache.entries()].length).toBe(3);
    expect(cache.getInto("b", new Uint8Array(LENGTH))).toBe(LENGTH);
    expect(Buffer.from(taken).toString("latin1")).toBe(before);
  });

  test("a copy of a result is the user's to transfer", () => {
    const cache = openPrivate();
    cache.set("a", fill(LENGTH));
    const copy = (cache.get("a") as Uint8Array).slice();
    expect(structuredClone(copy, { transfer: [copy.buffer] })).toEqual(fill(LENGTH));
    expect(copy.length).toBe(0);
  });
});
