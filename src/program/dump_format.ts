// SPDX-License-Identifier: MIT
//
// The file that `dump` writes and `load` reads. Integers and doubles are little-endian.
//
//   header  | "FCDUMP\r\n" | version, 4 | 0, 4 | written at, 8 | size, 8 | largest value, 8 | most entries, 8 |
//           | shards, 4 | eviction, 4 | 0, 8 | digest, 32 |
//   block   | bytes of the payload, 4 | records, 4 | digest, 32 | payload: record | record | ... |
//   record  | key length, 4 | value length, 4 | type, 4 | 0, 4 | version, 8 | deadline, 8 | key | value | 0 up to 8 |
//   end     a block without records, whose payload is | records in all, 8 | bytes of all blocks before it, 8 |
//
// Times are milliseconds since 1970, Infinity for no deadline. A digest is the SHA-256 of the digest before it and of
// what it covers (the header's: of the 64 bytes in front of it), so that no block can be changed, left out, repeated or
// moved unnoticed. That is against accidents: whoever can write the file can make digests, so every length and
// number is checked as well. Reading is in order and in constant memory, but for one block.

import { createHash } from "node:crypto";
import { CONSTANTS, EVICTION } from "../abi.ts";
import type { Eviction } from "../types.ts";
import { Refusal } from "./errors.ts";

const MAGIC = "FCDUMP\r\n";
/** Raised when the file changes its meaning. */
const VERSION = 1;
const HEADER_SIZE = 96;
const BLOCK_HEAD_SIZE = 40;
const RECORD_HEAD_SIZE = 32;
const DIGEST_SIZE = 32;
const END_SIZE = 16;
/** A block is ended by the record that makes it this large. */
const BLOCK_SIZE = 1 << 20;
/** No deadline is further away than a time to live can be, from a moment that a dump may be of. */
const DEADLINE_MAX = 2 * CONSTANTS.FC_TTL_MS_MAX;

/** What the file says of the segment that it was made of, and when. */
export interface DumpHeader {
  readonly writtenAt: number;
  readonly size: number;
  readonly maxValueSize: number;
  /** 0: as many as fit. */
  readonly maxEntries: number;
  readonly shards: number;
  readonly eviction: Eviction;
}

/** An entry of the file. */
export interface DumpRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly type: number;
  /** That of the segment it was in; another segment gives versions of its own. */
  readonly version: number;
  /** ms since 1970, or `Infinity`. */
  readonly deadline: number;
}

/** Where bytes go to. */
export type Write = (bytes: Uint8Array) => void;
/** Where they come from: fills some of the buffer and tells how much, 0 at the end. */
export type Read = (into: Uint8Array) => number;

/** Writes a file: the header at once, then records, then `end`. */
export class DumpWriter {
  records = 0;
  bytes = 0;
  readonly #write: Write;
  #digest: Uint8Array;
  #block = new Uint8Array(BLOCK_SIZE * 2);
  #used = 0;
  #count = 0;

  constructor(header: DumpHeader, write: Write) {
    this.#write = write;
    const bytes = new Uint8Array(HEADER_SIZE);
    const view = new DataView(bytes.buffer);
    bytes.set(Buffer.from(MAGIC, "latin1"));
    view.setUint32(8, VERSION, true);
    view.setFloat64(16, header.writtenAt, true);
    view.setFloat64(24, header.size, true);
    view.setFloat64(32, header.maxValueSize, true);
    view.setFloat64(40, header.maxEntries, true);
    view.setUint32(48, header.shards, true);
    view.setUint32(52, header.eviction === "s3-fifo" ? EVICTION.S3FIFO : EVICTION.LRU, true);
    this.#digest = digestOf(bytes.subarray(0, HEADER_SIZE - DIGEST_SIZE));
    bytes.set(this.#digest, HEADER_SIZE - DIGEST_SIZE);
    write(bytes);
  }

  add(record: DumpRecord): void {
    const { key, value } = record;
    const size = recordSize(key.length, value.length);
    if (this.#used + size > this.#block.length) this.#grow(this.#used + size);
    const start = this.#used;
    const view = new DataView(this.#block.buffer, start, RECORD_HEAD_SIZE);
    view.setUint32(0, key.length, true);
    view.setUint32(4, value.length, true);
    view.setUint32(8, record.type, true);
    view.setUint32(12, 0, true);
    view.setFloat64(16, record.version, true);
    view.setFloat64(24, record.deadline, true);
    this.#block.set(key, start + RECORD_HEAD_SIZE);
    const end = start + RECORD_HEAD_SIZE + key.length + value.length;
    this.#block.set(value, end - value.length);
    this.#used = start + size;
    this.#block.fill(0, end, this.#used);
    this.#count++;
    this.records++;
    if (this.#used >= BLOCK_SIZE) this.#flush();
  }

  /** Ends the file. */
  end(): void {
    if (this.#count > 0) this.#flush();
    const payload = new Uint8Array(END_SIZE);
    const view = new DataView(payload.buffer);
    view.setFloat64(0, this.records, true);
    view.setFloat64(8, this.bytes, true);
    this.#writeBlock(payload, 0);
  }

  #grow(size: number): void {
    const larger = new Uint8Array(size);
    larger.set(this.#block.subarray(0, this.#used));
    this.#block = larger;
  }

  #flush(): void {
    const payload = this.#block.subarray(0, this.#used);
    this.#writeBlock(payload, this.#count);
    this.bytes += BLOCK_HEAD_SIZE + payload.length;
    this.#used = 0;
    this.#count = 0;
  }

  #writeBlock(payload: Uint8Array, count: number): void {
    const head = new Uint8Array(BLOCK_HEAD_SIZE);
    const view = new DataView(head.buffer);
    view.setUint32(0, payload.length, true);
    view.setUint32(4, count, true);
    this.#digest = digestOf(this.#digest, head.subarray(0, 8), payload);
    head.set(this.#digest, 8);
    this.#write(head);
    this.#write(payload);
  }
}

/** Reads a file. Each method throws a `Refusal` for what no `DumpWriter` wrote. */
export class DumpReader {
  readonly header: DumpHeader;
  /** After the last record: the digest of the whole file. */
  digest: Uint8Array;
  readonly #read: Read;
  #left: number;
  #records = 0;
  #bytes = 0;

  /** `size` is that of the whole file, which no length inside is allowed to exceed. */
  constructor(read: Read, size: number) {
    this.#read = read;
    this.#left = size;
    const bytes = this.#take(HEADER_SIZE, "its header");
    if (Buffer.from(bytes.subarray(0, 8)).toString("latin1") !== MAGIC) {
      throw new Refusal("it was not written by `fastcache dump`");
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const version = view.getUint32(8, true);
    if (version !== VERSION) {
      throw new Refusal(`it is of version ${version} of the format, this program reads version ${VERSION}`);
    }
    this.digest = digestOf(bytes.subarray(0, HEADER_SIZE - DIGEST_SIZE));
    checkDigest(this.digest, bytes.subarray(HEADER_SIZE - DIGEST_SIZE), "its header");
    this.header = {
      writtenAt: view.getFloat64(16, true),
      size: view.getFloat64(24, true),
      maxValueSize: view.getFloat64(32, true),
      maxEntries: view.getFloat64(40, true),
      shards: view.getUint32(48, true),
      eviction: view.getUint32(52, true) === EVICTION.S3FIFO ? "s3-fifo" : "lru",
    };
    const { writtenAt, size: segmentSize, maxValueSize, maxEntries } = this.header;
    if (![writtenAt, segmentSize, maxValueSize, maxEntries].every((number) => isWhole(Math.floor(number)))) {
      throw new Refusal("its header has numbers out of range");
    }
  }

  /** All records. The views are valid until the next one is asked for. */
  *records(): Generator<DumpRecord, void, undefined> {
    for (;;) {
      const head = this.#take(BLOCK_HEAD_SIZE, "a block");
      const view = new DataView(head.buffer, head.byteOffset);
      const [length, count] = [view.getUint32(0, true), view.getUint32(4, true)];
      const payload = this.#take(length, "a block");
      this.digest = digestOf(this.digest, head.subarray(0, 8), payload);
      checkDigest(this.digest, head.subarray(8), `the block behind record ${this.#records}`);
      if (count === 0) {
        this.#checkEnd(payload);
        return;
      }
      yield* this.#recordsOf(payload, count);
      this.#bytes += BLOCK_HEAD_SIZE + length;
    }
  }

  *#recordsOf(payload: Uint8Array, count: number): Generator<DumpRecord, void, undefined> {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    let offset = 0;
    for (let index = 0; index < count; index++) {
      if (payload.length - offset < RECORD_HEAD_SIZE) throw this.#bad("has no room in its block");
      const keyLength = view.getUint32(offset, true);
      const valueLength = view.getUint32(offset + 4, true);
      const size = recordSize(keyLength, valueLength);
      if (size > payload.length - offset) throw this.#bad("is longer than its block");
      const start = offset + RECORD_HEAD_SIZE;
      const valueStart = start + keyLength;
      const record = {
        key: payload.subarray(start, valueStart),
        value: payload.subarray(valueStart, valueStart + valueLength),
        type: view.getUint32(offset + 8, true),
        version: view.getFloat64(offset + 16, true),
        deadline: view.getFloat64(offset + 24, true),
      };
      this.#check(record);
      yield record;
      this.#records++;
      offset += size;
    }
    if (offset !== payload.length)
      throw new Refusal(`the block behind record ${this.#records} has bytes of no record`);
  }

  #check({ key, value, type, version, deadline }: DumpRecord): void {
    const { FC_KEY_LEN_MAX, FC_TYPE_MAX } = CONSTANTS;
    if (key.length === 0 || key.length > FC_KEY_LEN_MAX) throw this.#bad(`has a key of ${key.length} bytes`);
    if (value.length > this.header.maxValueSize) throw this.#bad(`has a value of ${value.length} bytes`);
    if (type > FC_TYPE_MAX) throw this.#bad(`has type ${type}`);
    if (!isWhole(version)) throw this.#bad(`has version ${version}`);
    const isDeadline = deadline === Number.POSITIVE_INFINITY || (deadline > 0 && deadline <= DEADLINE_MAX);
    if (!isDeadline) throw this.#bad(`has deadline ${deadline}`);
  }

  #bad(why: string): Refusal {
    return new Refusal(`record ${this.#records} ${why}`);
  }

  #checkEnd(payload: Uint8Array): void {
    if (payload.length !== END_SIZE)
      throw new Refusal(`its end has ${payload.length} bytes, not ${END_SIZE}`);
    const view = new DataView(payload.buffer, payload.byteOffset);
    const [records, bytes] = [view.getFloat64(0, true), view.getFloat64(8, true)];
    if (records !== this.#records || bytes !== this.#bytes) {
      throw new Refusal(`its end tells of ${records} records, there are ${this.#records}`);
    }
    if (this.#left > 0) throw new Refusal(`${this.#left} bytes follow its end`);
  }

  /** The next `length` bytes, in memory of their own. */
  #take(length: number, what: string): Uint8Array {
    if (length > this.#left)
      throw new Refusal(`it ends in the middle of ${what}: it was cut short, or not finished`);
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const read = this.#read(bytes.subarray(done));
      if (read === 0) throw new Refusal("it was cut short while it was read");
      done += read;
    }
    this.#left -= length;
    return bytes;
  }
}

function recordSize(keyLength: number, valueLength: number): number {
  return Math.ceil((RECORD_HEAD_SIZE + keyLength + valueLength) / 8) * 8;
}

function digestOf(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function checkDigest(actual: Uint8Array, stored: Uint8Array, what: string): void {
  if (Buffer.compare(actual, stored) !== 0)
    throw new Refusal(`${what} is damaged: its checksum does not fit`);
}

function isWhole(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}
