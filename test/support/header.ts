// SPDX-License-Identifier: MIT
//
// Reads core/include/fastcache.h: not C in general, but the plain form that this one header keeps to.

import { readFileSync } from "node:fs";

const text = readFileSync(new URL("../../core/include/fastcache.h", import.meta.url), "utf8");
const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, " ");

/** A function's parameters, as the TypeScript table says them. */
export interface CFunction {
  readonly result: string;
  readonly parameters: readonly string[];
}

/** Every function that the library exports, by name. */
export function functions(): Map<string, CFunction> {
  const found = new Map<string, CFunction>();
  for (const match of code.matchAll(/FC_API\s+([\w\s*]+?)\s*\b(fc_\w+)\(([^)]*)\)\s*;/g)) {
    const [, result = "", name = "", list = ""] = match;
    const parameters = list.trim() === "void" ? [] : list.split(",").map(parameterType);
    found.set(name, { result: result.trim(), parameters });
  }
  return found;
}

function parameterType(declaration: string): string {
  if (declaration.includes("*")) return "buffer";
  if (/\buint32_t\b/.test(declaration)) return "u32";
  if (/\bdouble\b/.test(declaration)) return "f64";
  return declaration.trim(); // unknown to the table, so it fails the comparison
}

/** The members of an enum without their prefix. */
export function enumMembers(name: string, prefix: string): Record<string, number> {
  const body = new RegExp(`typedef enum ${name} \\{([^}]*)\\}`).exec(code)?.[1] ?? "";
  const members = [...body.matchAll(/\b(FC_\w+)\s*=\s*(-?\d+)/g)];
  return Object.fromEntries(members.map(([, member, value]) => [member?.replace(prefix, ""), Number(value)]));
}

/** FC_STATUS_TABLE. */
export function statuses(): Record<string, number> {
  const table = /#define FC_STATUS_TABLE\(X\)((?:.*\\\n)*.*)/.exec(code)?.[1] ?? "";
  const rows = [...table.matchAll(/X\((\w+),\s*(-?\d+),/g)];
  return Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]));
}

/** The value of a `#define` that is a number. */
export function constant(name: string): number | undefined {
  const match = new RegExp(`#define ${name} +(\\S+.*)`).exec(code);
  const shift = /^\(1u << (\d+)\)/.exec(match?.[1] ?? "");
  if (shift !== null) return 2 ** Number(shift[1]);
  return match === null ? undefined : Number.parseFloat(match[1] as string);
}

/** The text of a `#define` as it stands. */
export function definition(name: string): string | undefined {
  return new RegExp(`#define ${name} +(\\S+)`).exec(code)?.[1];
}

/** All names that are `#define`d to a number. */
export function constantNames(): string[] {
  return [...code.matchAll(/#define (FC_\w+) +[(\d]/g)].map((match) => match[1] as string);
}

const SIZES: Record<string, number> = {
  uint8_t: 1,
  uint32_t: 4,
  int32_t: 4,
  uint64_t: 8,
  double: 8,
  char: 1,
};

/** A struct's layout on LP64: the offset of each field, in order, and its size. */
export function struct(name: string): { fields: Record<string, number>; size: number } {
  const body = new RegExp(`typedef struct ${name} \\{([^}]*)\\}`).exec(code)?.[1] ?? "";
  const fields: Record<string, number> = {};
  let offset = 0;
  let alignment = 1;
  for (const match of body.matchAll(/(\w+)\s+(\w+)(?:\[([^\]]+)\])?;/g)) {
    const [, type = "", field = "", length] = match;
    const unit = SIZES[type] as number;
    offset = Math.ceil(offset / unit) * unit;
    fields[field] = offset;
    offset += unit * (length === undefined ? 1 : arrayLength(length));
    alignment = Math.max(alignment, unit);
  }
  return { fields, size: Math.ceil(offset / alignment) * alignment };
}

function arrayLength(expression: string): number {
  const sum = expression.split("+").map((term) => constant(term.trim()) ?? Number(term));
  return sum.reduce((total, term) => total + term, 0);
}
