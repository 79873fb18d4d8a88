// The clock of all processes of a history, the same in Bun, Deno and Node: CLOCK_BOOTTIME, which is also the clock that
// deadlines are counted on. The runtimes' own high-resolution clocks count from the start of their process in two of the
// three, so the C library is asked.

import { bunRuntime } from "../../src/binding/bun.ts";
import { denoRuntime } from "../../src/binding/deno.ts";
import { nodeRuntime } from "../../src/binding/node.ts";

const CLOCK_BOOTTIME = 7;
const C_LIBRARIES = ["libc.so.6", "libc.so"]; // glibc's, musl's

/** A clock in whole nanoseconds since `originSeconds` after the boot: exact for the first 104 days. */
export function clockFrom(originSeconds: number): () => number {
  const runtime = bunRuntime() ?? denoRuntime() ?? nodeRuntime();
  if (runtime === undefined) throw new Error("this JavaScript runtime is unknown");
  const time = new BigInt64Array(2); // struct timespec
  const bytes = new Uint8Array(time.buffer);
  const { clock_gettime } = open(runtime.open);
  return () => {
    if (clock_gettime(CLOCK_BOOTTIME, bytes) !== 0) throw new Error("clock_gettime failed");
    return (Number(time[0]) - originSeconds) * 1e9 + Number(time[1]);
  };
}

function open(openLibrary: NonNullable<ReturnType<typeof nodeRuntime>>["open"]) {
  const failures: unknown[] = [];
  for (const path of C_LIBRARIES) {
    try {
      return openLibrary(path, { clock_gettime: ["u32", "buffer"] });
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `no C library: tried ${C_LIBRARIES.join(", ")}`);
}
