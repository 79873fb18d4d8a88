// SPDX-License-Identifier: MIT
//
// Entries as they are stored: the bytes of key and value and the number of the type, whatever they mean. So the
// program shows and keeps what it could not decode: keys that are not UTF-8, values of a codec, types of a later
// release. Nothing here marks an entry as used or counts as a read.

import { CONSTANTS, DOUBLE, PACKED_ENTRY, PACKED_ENTRY_SIZE, SET_MODE, STATUS, TYPE, WORD } from "../abi.ts";
import { corrupt } from "../errors.ts";
import { lengthAt, pages, places } from "../iterate.ts";
import type { Handle } from "../segment.ts";
import { alignUp, Memory } from "../wire/memory.ts";
import { REQUEST_SIZE } from "../wire/request.ts";

const { FC_IO_KEY, FC_IO_VALUE, FC_PACKED_ENTRY_UNIT, FC_PEEK } = CONSTANTS;

/** Other processes may replace the value between two looks at it: so often at most. */
const ATTEMPTS_MAX = 64;

/** What is known of an entry without its value. */
export interface RawHead {
  readonly type: number;
  readonly length: number;
  readonly version: number;
  /** Remaining ms, `Infinity` for no deadline. */
  readonly ttl: number;
}

/** An entry; `value` is a view of memory that the next look-up of the same reader overwrites. */
export interface RawEntry extends RawHead {
  readonly value: Uint8Array;
}

/** All keys, each a view that is valid until the next one is asked for. Weakly consistent, as `FastCache.keys`. */
export function* rawKeys(handle: Handle): Generator<Uint8Array, void, undefined> {
  for (const page of pages({ handle })) {
    for (const start of places(page)) {
      yield page.memory.bytes.subarray(start, start + lengthAt(page, start));
    }
  }
}

/** Looks entries up in one segment. */
export class RawReader {
  readonly #handle: Handle;
  #memory = new Memory(65_536);

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** Value, type, version and remaining time of one moment; `undefined` if there is no entry. */
  entry(key: Uint8Array): RawEntry | undefined {
    return this.#consistent(key, () => this.#value(key));
  }

  /** As `entry`, without copying the value. */
  head(key: Uint8Array): RawHead | undefined {
    return this.#consistent(key, () => this.#look(key, 0));
  }

  /** Between two looks that find one version, the entry was of that version all the time. */
  #consistent<T extends RawHead>(key: Uint8Array, look: () => T | undefined): T | undefined {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const found = look();
      if (found === undefined) return undefined;
      const ttl = this.#ttl(key);
      if (ttl === undefined) continue;
      if (this.#look(key, 0)?.version === found.version) return { ...found, ttl };
    }
    return undefined; // gone and back at every look: no moment of it can be told
  }

  #value(key: Uint8Array): RawEntry | undefined {
    for (;;) {
      const found = this.#look(key, this.#memory.size);
      if (found === undefined) return undefined;
      if (found.length <= this.#memory.size) {
        return { ...found, value: this.#memory.bytes.subarray(0, found.length) };
      }
      const limit = this.#handle.info.maxValueSize;
      if (found.length > limit)
        throw corrupt(`an entry of ${found.length} bytes, over the limit of ${limit}`);
      this.#memory = new Memory(Math.min(limit, found.length * 2));
    }
  }

  /** One native look; copies the value if `capacity` takes it. */
  #look(key: Uint8Array, capacity: number): RawHead | undefined {
    const { id, native, request } = this.#handle;
    request.bytes.set(key, FC_IO_KEY);
    const status = native.fc_io_get_into(id, key.length, this.#memory.bytes, capacity, FC_PEEK);
    if (status === STATUS.MISS) return undefined;
    if (status < 0 && status !== STATUS.BUFFER_TOO_SMALL) throw this.#handle.failure(status);
    return {
      type: request.words[WORD.type] as number,
      length: request.words[WORD.value_len] as number,
      version: request.doubles[DOUBLE.version] as number,
      ttl: Infinity,
    };
  }

  #ttl(key: Uint8Array): number | undefined {
    const { id, native, request } = this.#handle;
    request.bytes.set(key, FC_IO_KEY);
    const status = native.fc_io_ttl(id, key.length);
    if (!this.#handle.isHit(status, key)) return undefined;
    return request.doubles[DOUBLE.ttl_ms] as number;
  }
}

/** Removes an entry: true if there was one. */
export function removeRaw(handle: Handle, key: Uint8Array): boolean {
  handle.request.bytes.set(key, FC_IO_KEY);
  return handle.isHit(handle.native.fc_io_delete(handle.id, key.length), key);
}

/** An entry to store; `ttl` is above 0, or `Infinity`. */
export interface RawItem {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly type: number;
  readonly ttl: number;
}

/** Stores entries, as many with one native call as fit, and those that never fit alone. Call `flush` at the end. */
export class RawWriter {
  /** Entries stored so far. */
  stored = 0;
  readonly #handle: Handle;
  #offset: number = FC_IO_VALUE;
  #count = 0;

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** @throws FastCacheError `VALUE_TOO_LARGE`, `BUSY`, `CORRUPT`; `stored` tells how many came before */
  add(item: RawItem): void {
    const { request } = this.#handle;
    const size = PACKED_ENTRY_SIZE + item.key.length + item.value.length;
    if (size > REQUEST_SIZE - FC_IO_VALUE) {
      this.flush();
      this.#addAlone(item);
      return;
    }
    if (this.#offset + size > REQUEST_SIZE) this.flush();
    const offset = this.#offset;
    request.words[(offset + PACKED_ENTRY.key_len) >> 2] = item.key.length;
    request.words[(offset + PACKED_ENTRY.value_len) >> 2] = item.value.length;
    request.words[(offset + PACKED_ENTRY.type) >> 2] = item.type;
    request.words[(offset + PACKED_ENTRY.flags) >> 2] = 0;
    request.doubles[(offset + PACKED_ENTRY.ttl_ms) >> 3] = item.ttl;
    request.bytes.set(item.key, offset + PACKED_ENTRY_SIZE);
    request.bytes.set(item.value, offset + PACKED_ENTRY_SIZE + item.key.length);
    this.#offset = alignUp(offset + size, FC_PACKED_ENTRY_UNIT);
    this.#count++;
  }

  /** Stores what `add` has kept back. */
  flush(): void {
    const { id, native, request } = this.#handle;
    const [count, length] = [this.#count, this.#offset - FC_IO_VALUE];
    this.#count = 0;
    this.#offset = FC_IO_VALUE;
    if (count === 0) return;
    request.words[WORD.done] = 0;
    const status = native.fc_io_set_many(id, count, length);
    this.stored += status < 0 ? (request.words[WORD.done] as number) : count;
    if (status < 0) throw this.#handle.failure(status);
  }

  #addAlone({ key, value, type, ttl }: RawItem): void {
    const { id, native, request } = this.#handle;
    request.bytes.set(key, FC_IO_KEY);
    request.words[WORD.mode] = SET_MODE.ALWAYS;
    request.words[WORD.type] = type;
    request.doubles[DOUBLE.ttl_ms] = ttl;
    request.doubles[DOUBLE.version] = 0;
    const status = native.fc_io_set_from(id, key.length, value, value.length);
    if (status < 0) throw this.#handle.failure(status);
    this.stored++;
  }
}

/** The name of a type, `type 17` for one that only a later release knows. */
export function typeName(type: number): string {
  const name = Object.entries(TYPE).find(([, number]) => number === type)?.[0];
  return name === undefined ? `type ${type}` : name.toLowerCase().replaceAll("_", "-");
}
