// SPDX-License-Identifier: MIT
//
// The response region: the memory that native code writes values into, a block of 64 KiB.
//
// A byte result of medium size is a view of the block, as small Buffers are of Node's pool, and the offset
// for the next answer moves past it; when little room is left a new block is bound. So bytes
// that were handed out are never written again. Views begin at multiples of 8. Small results (in
// V8 up to 64 bytes, in JavaScriptCore, where copies cost little, up to 256) and those above 4 KiB have memory
// of their own, and everything else (strings, numbers) is copied out, so the offset stays.
//
// So what a result keeps alive is at most its block, 64 KiB, if it is a view, else at most twice its bytes.
// The block is pinned: user code cannot detach it under native code, nor under other results.

import { CONSTANTS } from "../abi.ts";
import type { Binding } from "../binding/binding.ts";
import { statusError } from "../errors.ts";
import type { Bytes } from "../types.ts";
import { Memory } from "./memory.ts";

const BLOCK_SIZE = 65_536;
const VIEW_SIZE_MAX = 4096;
const BATCH_ROOM_MIN = 16_384;

/** The response region of one handle. */
export class ReadPool {
  /** The bound block. Read it after `place`, which may replace it. */
  memory: Memory;

  readonly #binding: Binding;
  readonly #handle: number;
  readonly #copiedMax: number;
  #offset = 0;

  /** Binds a first block to the native handle. */
  constructor(binding: Binding, handle: number) {
    this.#binding = binding;
    this.#handle = handle;
    this.#copiedMax = binding.traits.copiedResultMax;
    this.memory = this.#bindBlock();
  }

  /**
   * The offset in the block from which native code may write now: a multiple of 8, with
   * `VIEW_SIZE_MAX` bytes or more behind it.
   */
  place(): number {
    if (this.#offset === 0) return 0; // nobody has a view of it, nor a way to detach it
    if (this.#offset > BLOCK_SIZE - VIEW_SIZE_MAX || this.#isLost()) this.#replace();
    return this.#offset;
  }

  /** As `place`, with the room that a batch of answers deserves. */
  placeBatch(): number {
    if (this.#offset > BLOCK_SIZE - BATCH_ROOM_MIN || this.#isLost()) this.#replace();
    return this.#offset;
  }

  /**
   * `length` bytes at `offset` of `memory`, for the user to keep. Memory other than
   * the block belongs to one value, of which these bytes may be a part.
   */
  take(memory: Memory, offset: number, length: number): Bytes {
    const end = offset + length;
    if (length <= this.#copiedMax) return memory.bytes.slice(offset, end);
    if (memory !== this.memory) {
      const isMost = length * 2 > memory.size;
      return isMost ? memory.bytes.subarray(offset, end) : memory.bytes.slice(offset, end);
    }
    if (length > VIEW_SIZE_MAX) return memory.bytes.slice(offset, end);
    if (end > this.#offset) this.#offset = (end + 7) & ~7;
    return new Uint8Array(memory.buffer, offset, length);
  }

  /** Somebody took pains to get around the pin. Native code must not write there any more. */
  #isLost(): boolean {
    return this.memory.bytes.length === 0;
  }

  #replace(): void {
    this.memory = this.#bindBlock();
    this.#offset = 0;
  }

  #bindBlock(): Memory {
    const { native, pin } = this.#binding;
    const memory = new Memory(BLOCK_SIZE);
    pin(memory.buffer);
    const region = CONSTANTS.FC_REGION_RESPONSE;
    const status = native.fc_bind(this.#handle, region, memory.bytes, memory.size);
    if (status < 0) throw statusError(status);
    return memory;
  }
}
