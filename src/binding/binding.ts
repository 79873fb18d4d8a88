// SPDX-License-Identifier: MIT
//
// What a runtime has to provide so that the rest of the package need not know
// which one it runs in. bun.ts, deno.ts and node.ts each implement `Runtime`;
// library.ts picks one, finds the native library and makes a `Binding` of them.

import type { ArgumentType, FUNCTIONS } from "../abi.ts";
import type { Wait } from "./waiting.ts";

interface ArgumentValue {
  u32: number;
  f64: number;
  buffer: Uint8Array;
  "u32 or text": number | string;
  "f64 or text": number | string;
}

type ArgumentValues<Types extends readonly ArgumentType[]> = {
  -readonly [Index in keyof Types]: ArgumentValue[Types[Index]];
};

/** A table of signatures such as `FUNCTIONS`. */
export type Signatures = Readonly<Record<string, readonly ArgumentType[]>>;

/** A text that was read, where its key was passed as text. */
interface Answer {
  fc_io_get: number | string;
  fc_io_peek: number | string;
}

/** The callable functions of a table of signatures. All return `int32_t`, but for an `Answer`. */
export type Callable<Table extends Signatures> = {
  readonly [Name in keyof Table]: (
    ...args: ArgumentValues<Table[Name]>
  ) => Name extends keyof Answer ? Answer[Name] : number;
};

/** Every function of the native library. */
export type NativeFunctions = Callable<typeof FUNCTIONS>;

/** How to do in this runtime what costs differ for; the figures are in the runtime's file. */
export interface Traits {
  /**
   * Byte results of up to so many bytes are copies; above, they are views of a shared block that native
   * code filled, as long as they are small. Infinite if the block cannot be pinned.
   */
  readonly copiedResultMax: number;
  /** Strings of up to this many characters are written by a loop, longer ones by the runtime. */
  readonly loopTextLength: number;
  /** True if keys and texts cross as strings. */
  readonly passesText: boolean;
  /** True if `Buffer.prototype.utf8Write` is the runtime's fastest encoder, else `encodeInto`. */
  readonly bufferEncodes: boolean;
}

/** One JavaScript runtime's foreign function interface. */
export interface Runtime {
  readonly name: "bun" | "deno" | "node";
  /** Name and version, for error messages. */
  readonly version: string;
  /** As in `process.platform` and `process.arch`. */
  readonly platform: string;
  readonly arch: string;
  /** The C libraries to try, the likeliest first. */
  readonly libcs: readonly ("gnu" | "musl")[];
  readonly traits: Traits;
  /** An environment variable; `undefined` also where reading it takes a permission that was not given. */
  variable(name: string): string | undefined;
  /** Opens the library at `path`. Throws what the runtime throws. */
  open<const Table extends Signatures>(path: string, table: Table): Callable<Table>;
  /** Says what to do about an error of `open`, where it is about the runtime, not the file. */
  remedy(error: unknown): string | undefined;
  /** Keeps user code from detaching a buffer that native code writes into. */
  pin(buffer: ArrayBuffer): void;
}

/** A loaded native library. */
export interface Binding {
  readonly native: NativeFunctions;
  readonly wait: Wait;
  /** Where it lies. */
  readonly path: string;
  readonly traits: Traits;
  pin(buffer: ArrayBuffer): void;
}
