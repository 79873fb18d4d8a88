// The tables of a run, and how the terminal shows them: numbers to the right, texts to the left, a column for every name
// that a row has.

/** Tables of { title, rows } from the figures of a run, those without rows left out. */
export function tables({ core, full, go, javaScript, processes, flights, hitRatios }) {
  const all = [
    {
      title: "core, ns per operation",
      rows: core.map(({ name, keys, ns }) => ({ workload: name, keys, ns })),
    },
    { title: "full segment: ns, share of user bytes, overhead in bytes per entry", rows: full },
    { title: "Go libraries, the same workload, ns per operation", rows: go },
  ];
  for (const group of new Set(javaScript.map((row) => row.group))) {
    all.push({ title: TITLES[group], rows: sideBySide(javaScript.filter((row) => row.group === group)) });
  }
  all.push(
    {
      title: "Bun processes, 100,000 keys, bytes of 0 to 1023: operations per second, latency in ns",
      rows: processes,
    },
    { title: "single flight: from the store, or from SIGKILL, to the waiter, in ms", rows: flights },
    { title: "hit ratio in percent, of the real cache", rows: hitRatios },
  );
  return all.filter(({ rows }) => rows.length > 0);
}

const TITLES = {
  mixed: "JavaScript, 100,000 keys, ns per operation",
  upstream: "JavaScript, 2^20 keys in 1 GiB, and 1,000 keys in 64 MiB, ns per operation",
  hot: "JavaScript, 1,000 keys, ns per operation",
};

/** One row for what the runtimes did alike, with a column for each. */
function sideBySide(rows) {
  const merged = new Map();
  for (const { runtime, group: _, rounds: __, ns, store, ...what } of rows) {
    const name = store.replace(/^(bun|node):/, "");
    const key = JSON.stringify([name, what]);
    merged.set(key, { store: name, ...what, ...merged.get(key), [runtime]: ns });
  }
  return [...merged.values()];
}

/** Prints a table under its title. */
export function print(title, rows) {
  const names = columns(rows);
  const cell = (row, name) => String(row[name] ?? "");
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => cell(row, name).length)));
  const isNumber = names.map((name) =>
    rows.every((row) => row[name] === undefined || !Number.isNaN(Number(row[name]))),
  );
  const line = (texts) =>
    texts.map((text, i) => (isNumber[i] ? text.padStart(widths[i]) : text.padEnd(widths[i]))).join("  ");
  console.log(`\n${title}\n`);
  console.log(line(names));
  console.log(widths.map((width) => "-".repeat(width)).join("  "));
  for (const row of rows) console.log(line(names.map((name) => cell(row, name))));
}

/** The same table in Markdown. */
export function markdown(rows) {
  const names = columns(rows);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [
    line(names),
    line(names.map(() => "---")),
    ...rows.map((row) => line(names.map((name) => String(row[name] ?? "")))),
  ].join("\n");
}

function columns(rows) {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}
