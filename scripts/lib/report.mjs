// Sums results into the table and the closing line that people and CI read.

/** Collects one row for each group of checks. */
export class Report {
  #rows = [];

  add(name, { passed, failed, skipped = 0, seconds = 0 }) {
    this.#rows.push({ name, passed, failed, skipped, seconds });
  }

  /** Prints the table and the closing line; returns the exit code. */
  print() {
    const width = Math.max(...this.#rows.map((row) => row.name.length));
    console.log(`\n${"".padEnd(width)}   passed   failed  skipped  seconds`);
    for (const row of this.#rows) {
      const numbers = [row.passed, row.failed, row.skipped, row.seconds.toFixed(1)];
      console.log(row.name.padEnd(width) + numbers.map((number) => String(number).padStart(9)).join(""));
    }
    const sum = (key) => this.#rows.reduce((total, row) => total + row[key], 0);
    const skipped = sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : "";
    console.log(`\n${sum("passed")} passed, ${sum("failed")} failed${skipped}`);
    return sum("failed") === 0 ? 0 : 1;
  }
}
