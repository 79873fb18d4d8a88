// SPDX-License-Identifier: MIT
//
// The request region: the memory through which keys, values and batches reach native code.
//
//   | control, 64 bytes | key, 1024 bytes | value or batch ...        |
//   0                   FC_IO_KEY         FC_IO_VALUE          REQUEST_SIZE
//
// It is written and used within one method call. User code (codecs, toJSON, getters,
// iterators) may call the cache again, so it never runs between the first write and the native call.

import { CONSTANTS } from "../abi.ts";
import type { Traits } from "../binding/binding.ts";
import { Memory } from "./memory.ts";

const { FC_IO_KEY, FC_IO_VALUE } = CONSTANTS;

/** 256 KiB: values above it cross by address, batches above it take several calls. */
export const REQUEST_SIZE = 262_144;

/** A UTF-16 code unit takes at most this many bytes in UTF-8. */
export const UTF8_BYTES_MAX = 3;

// Looked up once: V8 compiles `text.charCodeAt(index)` to a call as soon as any module has declared a class
// that extends `String`, as clients of Redis do. A key of 16 characters then cost 80 ns more.
const { charCodeAt } = String.prototype;

/** The request region of one handle. */
export class Request extends Memory {
  /** The `fc_type` of the value written last. */
  type = 0;

  readonly #loopTextLength: number;
  readonly #encoder: TextEncoder | undefined;
  readonly #keyArea: Uint8Array;
  readonly #valueArea: Uint8Array;

  /** Keys and texts may be passed as they are. */
  readonly passesText: boolean;
  /** Keys over the limit are written as their hash. */
  readonly longKeys: boolean;

  constructor(traits: Traits, longKeys: boolean) {
    super(REQUEST_SIZE);
    this.longKeys = longKeys;
    this.passesText = traits.passesText;
    this.#loopTextLength = traits.loopTextLength;
    this.#encoder = traits.bufferEncodes ? undefined : new TextEncoder();
    this.#keyArea = this.bytes.subarray(FC_IO_KEY);
    this.#valueArea = this.bytes.subarray(FC_IO_VALUE);
  }

  /**
   * Writes `text` in UTF-8 at `offset` and returns its bytes; as many as it has
   * characters exactly if it is pure ASCII. The caller has made sure of
   * `text.length * UTF8_BYTES_MAX` bytes. Lone surrogates become U+FFFD: see `isWellFormed`.
   */
  writeText(text: string, offset: number): number {
    const length = text.length;
    if (length <= this.#loopTextLength && this.#writeAscii(text, offset)) return length;
    const encoder = this.#encoder;
    if (encoder === undefined) return this.text.utf8Write(text, offset, length * UTF8_BYTES_MAX);
    let area: Uint8Array;
    if (offset === FC_IO_KEY) area = this.#keyArea;
    else if (offset === FC_IO_VALUE) area = this.#valueArea;
    else area = this.bytes.subarray(offset);
    return encoder.encodeInto(text, area).written;
  }

  #writeAscii(text: string, offset: number): boolean {
    const bytes = this.bytes;
    for (let index = 0; index < text.length; index++) {
      const unit: number = charCodeAt.call(text, index);
      if (unit > 127) return false;
      bytes[offset + index] = unit;
    }
    return true;
  }

  /** Writes `text` in UTF-16LE at `offset` and returns its bytes. */
  writeUtf16(text: string, offset: number): number {
    writeUtf16(text, this.bytes, offset);
    return text.length * 2;
  }
}

/** Writes `text` in UTF-16LE, lone surrogates and all. */
export function writeUtf16(text: string, bytes: Uint8Array, offset: number): void {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes[offset + 2 * index] = unit & 255;
    bytes[offset + 2 * index + 1] = unit >> 8;
  }
}
