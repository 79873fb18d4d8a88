// Tables for the terminal: numbers to the right, texts to the left, a column for every name that a row has.

/** Prints rows of { name: value } under a title. */
export function print(title, rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
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
