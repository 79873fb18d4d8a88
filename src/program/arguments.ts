// SPDX-License-Identifier: MIT
//
// The command line: which commands there are, what each takes, and what `--help` says of it. Parsed by `parseArgs` of
// node:util, which all three runtimes have.

import { parseArgs } from "node:util";
import { UsageError } from "./errors.ts";

/** An option: a flag, or with `value` the word that its help shows for what it takes. */
interface Option {
  readonly value?: string;
  readonly help: string;
}

/** What a command takes: a word ending in `?` may be left out, one ending in `…` given several times. */
interface Shape {
  readonly words: readonly string[];
  readonly help: string;
  readonly options?: Readonly<Record<string, Option>>;
}

const SECONDS_MAX = 86_400;

const HEX = { help: "keys are given in hexadecimal" };

/** Every command. */
export const COMMANDS = {
  ls: { words: [], help: "your segments in shared memory" },
  stat: { words: ["NAME"], help: "a segment's geometry and counters" },
  top: {
    words: ["NAME"],
    help: "a segment at work: rates, hit ratio, fill",
    options: {
      interval: { value: "SECONDS", help: "between two looks; 1 unless said" },
      count: { value: "N", help: "end after N looks" },
    },
  },
  keys: {
    words: ["NAME", "PREFIX?"],
    help: "the keys",
    options: {
      long: { help: "with type, bytes, remaining time and version" },
      limit: { value: "N", help: "at most N keys" },
      hex: { help: "keys are written, and PREFIX is given, in hexadecimal" },
    },
  },
  get: {
    words: ["NAME", "KEY"],
    help: "what is known of an entry",
    options: {
      value: { help: "show the value, too" },
      raw: { help: "write the stored bytes, and nothing else" },
      hex: HEX,
    },
  },
  delete: { words: ["NAME", "KEY…"], help: "remove entries", options: { hex: HEX } },
  clear: { words: ["NAME"], help: "remove all entries" },
  dump: {
    words: ["NAME", "FILE"],
    help: "write all entries into a file",
    options: { force: { help: "replace the file if it is there" } },
  },
  load: {
    words: ["FILE", "NAME"],
    help: "store the entries of a dump, in a segment that is there or in a new one",
    options: { size: { value: "SIZE", help: "of a new segment, such as 64MB; else that of the dumped one" } },
  },
  destroy: { words: ["NAME"], help: "remove a segment; those attached keep it until they close" },
} as const satisfies Record<string, Shape>;

/** The name of a command. */
export type Command = keyof typeof COMMANDS;

/** A command line that makes sense. */
export interface Parsed {
  readonly command: Command | "help" | "version";
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly json: boolean;
}

/** @throws UsageError */
export function parseCommand(args: readonly string[]): Parsed {
  const [first, ...rest] = args;
  if (first === undefined) throw new UsageError("there is no command");
  if (["help", "--help", "-h"].includes(first))
    return { command: "help", words: rest, options: {}, json: false };
  if (first === "--version") return { command: "version", words: [], options: {}, json: false };
  if (!Object.hasOwn(COMMANDS, first)) throw new UsageError(`there is no command ${JSON.stringify(first)}`);
  const command = first as Command;
  const shape: Shape = COMMANDS[command];
  const { values, positionals } = parse(command, shape, rest);
  if (values.help === true) return { command: "help", words: [command], options: {}, json: false };
  checkWords(command, shape, positionals);
  const { json, ...options } = values;
  return { command, words: positionals, options, json: json === true };
}

function parse(command: Command, shape: Shape, args: string[]) {
  const known = Object.entries(shape.options ?? {}).map(([name, { value }]) => [
    name,
    { type: value === undefined ? "boolean" : "string" } as const,
  ]);
  const options = {
    ...(Object.fromEntries(known) as Record<string, { type: "boolean" | "string" }>),
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { values: values as Record<string, string | boolean | undefined>, positionals };
  } catch (error) {
    // Each runtime has words of its own for it; the first sentence is enough.
    const message = error instanceof Error ? (error.message.split(/[.\n]/)[0] as string) : String(error);
    throw new UsageError(`${command}: ${message}`);
  }
}

function checkWords(command: Command, { words }: Shape, given: readonly string[]): void {
  const least = words.filter((word) => !word.endsWith("?")).length;
  const most = words.some((word) => word.endsWith("…")) ? Number.POSITIVE_INFINITY : words.length;
  if (given.length >= least && given.length <= most) return;
  const takes = words.length === 0 ? "nothing" : words.map(wordShown).join(" ");
  throw new UsageError(`${command} takes ${takes}, not ${given.length === 0 ? "nothing" : given.join(" ")}`);
}

function wordShown(word: string): string {
  return word.endsWith("?") ? `[${word.slice(0, -1)}]` : word;
}

/** A whole number that an option was given. */
export function wholeNumber(option: string, text: string | boolean, least: number): number {
  const number = typeof text === "string" && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`--${option} takes a whole number of ${least} or more, not ${JSON.stringify(text)}`);
}

/** A time in seconds that an option was given, in ms. */
export function seconds(option: string, text: string | boolean, least: number): number {
  const number = typeof text === "string" && /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= SECONDS_MAX) return number * 1000;
  throw new UsageError(`--${option} takes ${least} to ${SECONDS_MAX} seconds, not ${JSON.stringify(text)}`);
}

/** The bytes of a key or prefix that was given as text, or with --hex in hexadecimal. */
export function keyBytes(text: string, isHex: boolean, what: string, least = 1): Uint8Array {
  if (isHex && (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text))) {
    throw new UsageError(
      `with --hex ${what} is an even number of hexadecimal digits, not ${JSON.stringify(text)}`,
    );
  }
  const bytes = Buffer.from(text, isHex ? "hex" : "utf8");
  if (bytes.length >= least && bytes.length <= 1024) return bytes;
  throw new UsageError(`${what} has ${least} to 1024 bytes, not ${bytes.length}`);
}

/** What `--help` writes: of one command, or of all. */
export function helpText(command?: string): string {
  if (command !== undefined && Object.hasOwn(COMMANDS, command)) return helpOf(command as Command);
  const rows = Object.entries(COMMANDS).map(([name, { words, help }]) => [
    `${name} ${words.map(wordShown).join(" ")}`.trim(),
    help,
  ]);
  const width = Math.max(...rows.map(([usage = ""]) => usage.length));
  const lines = rows.map(([usage = "", help]) => `  ${usage.padEnd(width)}  ${help}`);
  return [
    "fastcache COMMAND: looks into caches in shared memory",
    "",
    ...lines,
    "",
    "NAME is the name of a segment, or with a / the path of one in a file.",
    "--json writes JSON, --help tells the options of a command, --version the version.",
    "Exit status: 0 done; 1 not found, refused or failed; 2 a command line that makes no sense.",
    "",
  ].join("\n");
}

function helpOf(command: Command): string {
  const shape: Shape = COMMANDS[command];
  const options = Object.entries({ ...shape.options, json: { help: "write JSON" } } as Record<
    string,
    Option
  >);
  const names = options.map(([name, { value }]) => `--${name}${value === undefined ? "" : ` ${value}`}`);
  const width = Math.max(...names.map((name) => name.length));
  const usage = ["fastcache", command, ...shape.words.map(wordShown)].join(" ");
  return [
    `${usage}: ${shape.help}`,
    "",
    ...options.map(([, { help }], index) => `  ${(names[index] as string).padEnd(width)}  ${help}`),
    "",
  ].join("\n");
}
