// Runs tasks side by side: as many at a time as there are processors, in the order given, each as soon as there is room.

import { availableParallelism } from "node:os";

/** Calls `run` once for each task. Never more than there are processors at a time. `run` must not throw. */
export async function sideBySide(tasks, run) {
  const waiting = [...tasks];
  const lane = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await run(task);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
}
