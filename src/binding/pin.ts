// SPDX-License-Identifier: MIT
//
// Pooled results share one ArrayBuffer that native code writes into. If user code
// transferred it (`postMessage(value, [value.buffer])`), other results would lose their
// bytes and native code would write into memory that is no longer ours. Node's
// own Buffer pool is guarded in the same way.

/** A function that makes a buffer untransferable, or `undefined` where there is none. */
export function pinner(): ((buffer: ArrayBuffer) => void) | undefined {
  try {
    const { markAsUntransferable } = process.getBuiltinModule("node:worker_threads");
    if (typeof markAsUntransferable !== "function") return undefined;
    const probe = new ArrayBuffer(8);
    markAsUntransferable(probe);
    try {
      structuredClone(probe, { transfer: [probe] });
    } catch {
      // As it should be.
    }
    return probe.byteLength === 8 ? markAsUntransferable : undefined;
  } catch {
    return undefined;
  }
}
