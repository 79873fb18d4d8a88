// Sums results into the table and the closing line that people and CI read.

/** Collects one row for each group of checks. */
export class Report {
  #rows = [];
  #skips = [];
  #started = Date.now();

  /**
   * Adds to the row of that name: counts, seconds, and `skips`, a line for each thing that was skipped, with the reason.
   * Rows that run side by side have more seconds in sum than have passed.
   */
  add(name, sum) {
    let row = this.#rows.find((other) => other.name === name);
    if (row === undefined) {
      row = { name, passed: 0, failed: 0, skipped: 0, seconds: 0 };
      this.#rows.push(row);
    }
    for (const key of ["passed", "failed", "skipped", "seconds"]) row[key] += sum[key] ?? 0;
    this.#skips.push(...(sum.skips ?? []).map((skip) => `skipped in ${name}: ${skip}`));
  }

  /** Prints the table, what was skipped and why, and the closing line; returns the exit code. */
  print() {
    const width = Math.max(...this.#rows.map((row) => row.name.length));
    console.log(`\n${"".padEnd(width)}   passed   failed  skipped  seconds`);
    for (const row of this.#rows) {
      const numbers = [row.passed, row.failed, row.skipped, row.seconds.toFixed(1)];
      console.log(row.name.padEnd(width) + numbers.map((number) => String(number).padStart(9)).join(""));
    }
    console.log(`in all ${((Date.now() - this.#started) / 1000).toFixed(1)} s`);
    const sum = (key) => this.#rows.reduce((total, row) => total + row[key], 0);
    if (this.#skips.length > 0) console.log(`\n${this.#skips.join("\n")}`);
    console.log(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
    return sum("failed") === 0 ? 0 : 1;
  }
}
