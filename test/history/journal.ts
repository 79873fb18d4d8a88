// What a participant did and when, in a file that its death does not take along: each operation is written before it is
// begun, together with the outcome of the one before. An operation without an outcome was cut off by the death.
//
//   C <time> <method> <step>;<step>...       called: its steps, one for each key
//   R <time> <time> <outcome>;<outcome>...   began, returned: an outcome for each step
//
// A step is `primitive,key,argument,...` in the words of checker/primitives.go; outcomes are those of `Outcome`.
// Times are nanoseconds of clock.ts. Lines are written whole: one that lacks its end was never written.

import { closeSync, openSync, writeSync } from "node:fs";

/**
 * yes, with what was found · no: a miss, or a condition that was not met · either: done, but it was not told which of the
 * two · busy: refused, and nothing changed · maybe: refused, and perhaps half done · torn: a value that nobody stored
 */
export type Outcome = "+" | `+,${string}` | "-" | "~" | "busy" | "?" | "torn";

export interface Step {
  readonly primitive: string;
  /** `*` is every key. */
  readonly key: string;
  readonly arguments: readonly number[];
}

export class Journal {
  readonly #file: number;
  readonly #now: () => number;
  #unwritten = "";

  constructor(path: string, now: () => number) {
    this.#file = openSync(path, "a");
    this.#now = now;
  }

  /** Runs an operation between two lines of the journal. */
  record(method: string, steps: readonly Step[], run: () => readonly Outcome[]): void {
    const words = steps.map((step) => [step.primitive, step.key, ...step.arguments].join(","));
    writeSync(this.#file, `${this.#unwritten}C ${this.#now()} ${method} ${words.join(";")}\n`);
    const began = this.#now();
    const outcomes = run();
    this.#unwritten = `R ${began} ${this.#now()} ${outcomes.join(";")}\n`;
  }

  close(): void {
    writeSync(this.#file, this.#unwritten);
    closeSync(this.#file);
  }
}
