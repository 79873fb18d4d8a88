// SPDX-License-Identifier: MIT
//
// Memory that native code reads or writes: one ArrayBuffer and the views that we use it by.
//
// Its address must not change while native code may hold it. V8 moves small typed
// arrays that were made without a buffer, so memory is always an explicit ArrayBuffer
// and is kept alive by whoever bound it. User buffers cross only for the length of a call.

/** The methods of Node's `Buffer` that all three runtimes have. */
export interface TextBuffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  ucs2Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number, length: number): number;
  writeDoubleLE(value: number, offset: number): number;
  copy(target: Uint8Array, targetStart: number, start: number, end: number): number;
}

/** One ArrayBuffer as bytes, 32-bit words, doubles and text, each indexed from its beginning. */
export class Memory {
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  readonly text: TextBuffer;

  /** `size` in bytes is rounded up to whole doubles. Zero-filled. */
  constructor(size: number) {
    const buffer = new ArrayBuffer(Math.ceil(size / 8) * 8);
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.text = Buffer.from(buffer) as unknown as TextBuffer;
  }

  get size(): number {
    return this.bytes.length;
  }
}

/** The least multiple of `unit` (a power of two) that is not below `value`; both under 2^30. */
export function alignUp(value: number, unit: number): number {
  return (value + unit - 1) & -unit;
}

const viewPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
// Called by `call`: in Bun, `Reflect.apply` takes four times as long.
const lengthGetter = Object.getOwnPropertyDescriptor(viewPrototype, "length")?.get as () => number;
const bufferGetter = Object.getOwnPropertyDescriptor(viewPrototype, "buffer")?.get as () => ArrayBufferLike;
const tagGetter = Object.getOwnPropertyDescriptor(viewPrototype, Symbol.toStringTag)?.get as () => unknown;

/**
 * The length that the bytes really have. What a subclass says of itself is not believed: native
 * code would read or write behind the end.
 */
export function lengthOf(bytes: Uint8Array): number {
  return lengthGetter.call(bytes);
}

/** The memory that the bytes really lie in, without running code of a subclass. */
export function bufferOf(bytes: Uint8Array): ArrayBufferLike {
  return bufferGetter.call(bytes);
}

/** True for a `Uint8Array` (so also a `Buffer`), of this realm or another. */
export function isBytes(value: unknown): value is Uint8Array {
  // First of all, since it runs no code of the user's, as `instanceof` does with a proxy.
  if (!ArrayBuffer.isView(value)) return false;
  return value instanceof Uint8Array || tagGetter.call(value) === "Uint8Array";
}
