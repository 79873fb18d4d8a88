// SPDX-License-Identifier: MIT
//
// The response region: the memory that native code writes values into.
//
// With pooled reads (V8) it is a block of 64 KiB. A byte result of up to 4 KiB is a view of
// the block, and the offset for the next answer moves past it; when little room is left
// a new block is bound. So bytes that were handed out are never written again.
// Everything else (strings, numbers, larger bytes, all of Bun's) is copied
// out, and the offset stays. A small result therefore keeps at most 64 KiB alive, as Node's own
// Buffer pool does. The block is pinned: user code cannot detach it under native code.

import { CONSTANTS } from "../abi.ts";
import type { Binding } from "../binding/binding.ts";
import { statusError } from "../errors.ts";
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
  readonly #pooled: boolean;
  #offset = 0;

  /** Binds a first block to the native handle. */
  constructor(binding: Binding, handle: number) {
    this.#binding = binding;
    this.#handle = handle;
    this.#pooled = binding.traits.pooledReads;
    this.memory = this.#bindBlock();
  }

  /**
   * The offset in the block from which native code may write now: a multiple of 8, with
   * `VIEW_SIZE_MAX` bytes or more behind it.
   */
  place(): number {
    if (this.#offset > BLOCK_SIZE - VIEW_SIZE_MAX) this.#replace();
    return this.#offset;
  }

  /** As `place`, with the room that a batch of answers deserves. */
  placeBatch(): number {
    if (this.#offset > BLOCK_SIZE - BATCH_ROOM_MIN) this.#replace();
    return this.#offset;
  }

  /**
   * `length` bytes at `offset` of `memory`, for the user to keep. Memory other than
   * the block belongs to this one result.
   */
  take(memory: Memory, offset: number, length: number): Uint8Array {
    if (memory === this.memory) {
      if (!this.#pooled || length > VIEW_SIZE_MAX) return memory.bytes.slice(offset, offset + length);
      const end = offset + length;
      if (end > this.#offset) this.#offset = (end + 7) & ~7;
    }
    return new Uint8Array(memory.buffer, offset, length);
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
