// The clock of all processes of a history, the same in Bun, Deno and Node: CLOCK_BOOTTIME, which is also the clock that
// deadlines are counted on. The runtimes' own high-resolution clocks count from the start of their process in two of the
// three, so the C library is asked.

import { bunRuntime } from "../../src/binding/bun.ts";
import { denoRuntime } from "../../src/binding/deno.ts";

const CLOCK_BOOTTIME = 7;
const C_LIBRARIES = ["libc.so.6", "libc.so"]; // glibc's, musl's

type Gettime = (clock: number, timespec: Uint8Array) => number;

interface NodeFfi {
  dlopen(
    path: string,
    symbols: Record<string, { arguments: readonly string[]; return: string }>,
  ): { functions: { clock_gettime: Gettime } };
}

/** A clock in whole nanoseconds since `originSeconds` after the boot: exact for the first 104 days. */
export function clockFrom(originSeconds: number): () => number {
  const time = new BigInt64Array(2); // struct timespec
  const bytes = new Uint8Array(time.buffer);
  const gettime = findGettime();
  return () => {
    if (gettime(CLOCK_BOOTTIME, bytes) !== 0) throw new Error("clock_gettime failed");
    return (Number(time[0]) - originSeconds) * 1e9 + Number(time[1]);
  };
}

function findGettime(): Gettime {
  const failures: unknown[] = [];
  for (const path of C_LIBRARIES) {
    try {
      const runtime = bunRuntime() ?? denoRuntime();
      if (runtime) return runtime.open(path, { clock_gettime: ["u32", "buffer"] }).clock_gettime;
      const { dlopen } = process.getBuiltinModule("node:ffi") as unknown as NodeFfi;
      const signature = { arguments: ["uint32", "buffer"], return: "int32" };
      return dlopen(path, { clock_gettime: signature }).functions.clock_gettime;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `no C library: tried ${C_LIBRARIES.join(", ")}`);
}
