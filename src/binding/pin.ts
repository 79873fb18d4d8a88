// SPDX-License-Identifier: MIT
//
// Pooled results share one ArrayBuffer that native code writes into. If user code
// transferred it (`postMessage(value, [value.buffer])`, `value.buffer.transfer()`), other results would lose
// their bytes and native code would write into memory that is no longer ours. Node's
// own Buffer pool is guarded in the same way.

/** The methods that detach a buffer, as far as a runtime has them. */
const DETACHING = ["transfer", "transferToFixedLength", "transferToImmutable"] as const;

/** A function that makes a buffer untransferable, or `undefined` where there is none. */
export function pinner(): ((buffer: ArrayBuffer) => void) | undefined {
  try {
    const { markAsUntransferable } = process.getBuiltinModule("node:worker_threads");
    if (typeof markAsUntransferable !== "function") return undefined;
    const probe = new ArrayBuffer(8);
    markAsUntransferable(probe);
    attempt(() => structuredClone(probe, { transfer: [probe] }));
    if (probe.byteLength !== 8) return undefined;
    attempt(() => (probe as { transfer?(): void }).transfer?.());
    if (probe.byteLength === 8) return markAsUntransferable;
    // JavaScriptCore's mark does not hold its own methods back.
    return (buffer) => {
      markAsUntransferable(buffer);
      for (const method of DETACHING) Object.defineProperty(buffer, method, { value: refuse });
    };
  } catch {
    return undefined;
  }
}

function attempt(transfer: () => unknown): void {
  try {
    transfer();
  } catch {
    // As it should be.
  }
}

function refuse(): never {
  throw new TypeError(
    "this buffer is shared by several results of a cache: transfer a copy, bytes.slice().buffer",
  );
}
