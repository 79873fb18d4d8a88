// SPDX-License-Identifier: MIT
//
// What the program writes: text for people, JSON for programs. Keys and values come from others, so whatever a
// terminal would take for a command is shown as an escape. Colours only on a terminal.

/** Characters that a terminal may act on, or that change the order in which others are shown. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A table that is not for a terminal may be so wide. */
const COLUMNS_WITHOUT_TERMINAL = Number.POSITIVE_INFINITY;

/** Writes to standard output, and waits until it is taken. */
export function write(data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(data, (error) => (error ? reject(error) : resolve()));
  });
}

/** Writes one JSON value in a line. Numbers that JSON lacks become `null`. */
export function writeJson(value: unknown): Promise<void> {
  return write(`${JSON.stringify(value)}\n`);
}

/** Collects lines and writes them in pieces, for commands with many. */
export class Lines {
  #text = "";

  async add(line: string): Promise<void> {
    this.#text += `${line}\n`;
    if (this.#text.length > 65_536) await this.end();
  }

  async end(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text !== "") await write(text);
  }
}

/** Width of the terminal, endless without one. */
export function columns(): number {
  return (process.stdout.isTTY && process.stdout.columns) || COLUMNS_WITHOUT_TERMINAL;
}

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** `text` in a style, where standard output is a terminal and nobody said NO_COLOR. */
export function paint(style: keyof typeof STYLES, text: string): string {
  const { NO_COLOR, TERM } = process.env;
  if (!process.stdout.isTTY || NO_COLOR || TERM === "dumb") return text;
  return `\u001b[${STYLES[style]}m${text}\u001b[0m`;
}

/** Text that a terminal shows as it is. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (char) => `\\u{${(char.codePointAt(0) as number).toString(16)}}`);
}

/** The bytes of a key as text: UTF-8 where they are that, else ASCII and `\xff`. */
export function keyText(key: Uint8Array): string {
  const text = asText(key);
  if (text !== undefined) return printable(text);
  return Array.from(key, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
  ).join("");
}

/** The bytes of a key for JSON, exact in either form. */
export function keyJson(key: Uint8Array): { key: string } | { keyHex: string } {
  const text = asText(key);
  return text === undefined ? { keyHex: hex(key) } : { key: text };
}

/** The text that the bytes are in UTF-8; `undefined` if they are not UTF-8. */
function asText(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return Buffer.compare(Buffer.from(text), bytes) === 0 ? text : undefined;
}

/** Bytes in hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** 1234567 as "1,234,567". */
export function count(number: number): string {
  return number.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** "1 entry", "2,000 entries". */
export function entries(number: number): string {
  return number === 1 ? "1 entry" : `${count(number)} entries`;
}

/** Bytes as "12.5 MiB". */
export function bytes(number: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let rest = number;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit++;
  }
  const digits = unit === 0 || Number.isInteger(rest) || rest >= 100 ? 0 : 1;
  return `${rest.toFixed(digits)} ${units[unit]}`;
}

/** A part of a whole as "12.3 %"; "–" of nothing. */
export function share(part: number, whole: number): string {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : "–";
}

/** Milliseconds as "1 d 2 h", "3 min 5 s" or "0.250 s"; "none" for `Infinity`. */
export function duration(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return "none";
  if (ms < 10_000) return `${(ms / 1000).toFixed(3)} s`;
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([number]) => number > 0);
  return parts
    .slice(first, first + 2)
    .filter(([number]) => number > 0)
    .map(([number, unit]) => `${count(number)} ${unit}`)
    .join(" ");
}

/** Lines of cells under each other; those of the columns named by `right` end under each other. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] as number;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
