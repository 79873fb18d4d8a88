// SPDX-License-Identifier: MIT
//
// Takes apart a value that JSON does not hold as it is: into data that JSON holds, notes on what stands
// in the data for something else, and byte arrays. What cannot come back as it was is refused, with its
// place in the value. `annotated.ts` puts all three into bytes, and together again.
//
// Properties that are not enumerable, symbols as keys, and further properties of arrays and of instances are
// no part of a value, as for JSON. An object that stands in two places comes back as two.

import { type FastCacheError, invalid, nameOf } from "../errors.ts";
import { isKept } from "./json.ts";
import { dateTime, isDate, isDirect, isPlain, mapEntries, setItems, tagOf } from "./kind.ts";
import { isBytes, lengthOf } from "./memory.ts";

/** Levels of objects in each other: what every runtime's stack takes, for our walk as for JSON's own. */
export const LEVELS_MAX = 500;

/** Characters of a place in a message, and of each of its ends where it is longer. */
const PLACE_MAX = 160;
const PLACE_END = 70;

/**
 * What stands in the data for another thing at the end of a path; for `"bytes"` with their number. The path
 * is the first `shared` steps of that of the note before, and then `steps`: so notes do not grow with
 * the levels that they lie in. Whoever reads them goes from the first to the last: what a `Map` or `Set` holds comes before it.
 *
 *   kind         stands for it in the data
 *   "bytes"      0
 *   "date"       milliseconds since 1970, null for an invalid one
 *   "map"        an array of [key, value]
 *   "set"        an array
 *   "bigint"     a string of digits
 *   "number"     "NaN", "Infinity", "-Infinity" or "-0"
 *   "undefined"  null
 */
export type Note = readonly [kind: NoteKind, shared: number, steps: Path, length?: number];
/** What stands for what is in the table of `Note`. */
export type NoteKind = "bytes" | "date" | "map" | "set" | "bigint" | "number" | "undefined";
/** Keys on the way from the data to a place in it. */
export type Path = readonly (string | number)[];

/** A value in parts. */
export interface Annotated {
  readonly data: unknown;
  readonly notes: readonly Note[];
  readonly bytes: readonly Uint8Array[];
}

/**
 * Takes a value apart, running what user code there is in it (`toJSON`, getters).
 *
 * @throws FastCacheError `INVALID_ARGUMENT`; and what the user code throws, or `RangeError` if the stack
 * does not suffice
 */
export function annotate(value: object): Annotated {
  const walk = new Walk();
  return { data: walk.object(value, ""), notes: walk.notes, bytes: walk.bytes };
}

const STRUCTURED_CODEC = "a codec, such as that of fastcache/structured";

/** The codec that would hold `value`. */
function codecFor(value: unknown): string {
  if (typeof value !== "object" || value === null) return "a codec of your own";
  const tag = tagOf(value);
  const isStructured =
    ArrayBuffer.isView(value) ||
    tag === "Error" ||
    (isDirect(value) && (tag === "ArrayBuffer" || tag === "RegExp" || tag === "URL"));
  return isStructured ? STRUCTURED_CODEC : "a codec of your own";
}

class Walk {
  readonly notes: Note[] = [];
  readonly bytes: Uint8Array[] = [];
  /** Where we are in the data, and how users would say it. */
  readonly #path: (string | number)[] = [];
  /** So many steps of it are those of the note before. */
  #shared = 0;
  readonly #words: string[] = ["value"];
  readonly #ancestors = new Set<object>();

  #note(kind: NoteKind, length?: number): void {
    const shared = this.#shared;
    const steps = this.#path.slice(shared);
    this.notes.push(length === undefined ? [kind, shared, steps] : [kind, shared, steps, length]);
    this.#shared = this.#path.length;
  }

  #leave(): void {
    this.#path.pop();
    this.#shared = Math.min(this.#shared, this.#path.length);
  }

  /** As users would say where we are. */
  #place(): string {
    const place = this.#words.join("");
    return place.length <= PLACE_MAX ? place : `${place.slice(0, PLACE_END)}…${place.slice(-PLACE_END)}`;
  }

  #refuse(value: unknown, reason: string, codec: string = codecFor(value)): FastCacheError {
    return invalid(
      `${this.#place()} is ${nameOf(value)}, which ${reason}: store data instead, or open the cache with ${codec}`,
    );
  }

  /** What stands for a value in the data. */
  #any(value: unknown, key: string | number): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        if (isKept(value)) return value;
        this.#note("number");
        return value === 0 ? "-0" : String(value);
      case "bigint":
        this.#note("bigint");
        return value.toString();
      case "undefined":
        this.#note("undefined");
        return null;
      case "object":
        return value === null ? null : this.object(value, key);
      default:
        throw this.#refuse(value, "cannot be stored");
    }
  }

  object(value: object, key: string | number): unknown {
    if (isBytes(value)) {
      this.bytes.push(value);
      this.#note("bytes", lengthOf(value));
      return 0;
    }
    const isInstance = !isPlain(value);
    if (isInstance && isDirect(value)) {
      if (isDate(value)) {
        this.#note("date");
        const time = dateTime(value);
        return Number.isNaN(time) ? null : time;
      }
      const entries = mapEntries(value);
      if (entries !== undefined) return this.#within(value, () => this.#map(entries));
      const items = setItems(value);
      if (items !== undefined) return this.#within(value, () => this.#set(items));
    }
    const { toJSON, [Symbol.toStringTag]: tag } = value as {
      toJSON?: unknown;
      [Symbol.toStringTag]?: unknown;
    };
    // What has a tag is of a runtime's own classes, whose `toJSON` differs: Bun's Headers have one.
    if (typeof toJSON === "function" && !(isInstance && tag !== undefined)) {
      return this.#within(value, () => this.#replaced(value, toJSON.call(value, String(key)) as unknown));
    }
    if (isInstance) throw this.#refuse(value, "JSON cannot hold");
    return this.#within(value, () => this.#plain(value));
  }

  /** What a `toJSON` gave: data, which stands for its object from now on. */
  #replaced(value: object, given: unknown): unknown {
    if (typeof given === "object" && given !== null && isPlain(given)) {
      return given === value ? this.#plain(given) : this.#within(given, () => this.#plain(given));
    }
    const text = JSON.stringify(given) as string | undefined;
    const becomes = text === undefined ? "nothing" : text.slice(0, 40);
    throw this.#refuse(value, `becomes ${becomes} in JSON and would not come back as it is`);
  }

  /** Runs `inside` unless we are inside of `value` already, or of too many. */
  #within(value: object, inside: () => unknown): unknown {
    if (this.#ancestors.has(value))
      throw this.#refuse(value, "JSON cannot hold, since it holds itself", STRUCTURED_CODEC);
    const levels = this.#words.length;
    if (levels > LEVELS_MAX) {
      throw invalid(
        `${this.#place()} is nested in ${levels} levels of objects, the limit is ${LEVELS_MAX}: ` +
          "store what is deeper under keys of its own, or flat",
      );
    }
    this.#ancestors.add(value);
    const data = inside();
    this.#ancestors.delete(value);
    return data;
  }

  #at(step: string | number, words: string, value: unknown): unknown {
    this.#path.push(step);
    this.#words.push(words);
    const data = this.#any(value, step);
    this.#leave();
    this.#words.pop();
    return data;
  }

  #plain(value: object): unknown {
    if (Array.isArray(value)) return this.#array(value);
    const data: Record<string, unknown> = {};
    const keys = Object.keys(value);
    if (keys.length === 0 && Symbol.toStringTag in value) throw this.#refuse(value, "JSON cannot hold");
    for (const key of keys) {
      const words = /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 40))}]`;
      const item = this.#at(key, words, (value as Record<string, unknown>)[key]);
      if (key !== "__proto__") data[key] = item;
      else Object.defineProperty(data, key, { value: item, enumerable: true });
    }
    return data;
  }

  #array(value: unknown[]): unknown[] {
    const data: unknown[] = [];
    for (let index = 0; index < value.length; index++) {
      const item = value[index];
      if (item === undefined && !Object.hasOwn(value, index)) {
        throw invalid(
          `${this.#place()} has no element ${index}, and JSON cannot hold a hole: use null or undefined`,
        );
      }
      data.push(this.#at(index, `[${index}]`, item));
    }
    return data;
  }

  #set(items: readonly unknown[]): unknown[] {
    const data = items.map((item, index) => this.#at(index, `.values()[${index}]`, item));
    this.#note("set");
    return data;
  }

  #map(entries: readonly [unknown, unknown][]): unknown[] {
    const data = entries.map(([key, item], index) => {
      const words =
        typeof key === "string" ? `.get(${JSON.stringify(key.slice(0, 40))})` : `.values()[${index}]`;
      this.#path.push(index);
      const pair = [this.#at(0, `.keys()[${index}]`, key), this.#at(1, words, item)];
      this.#leave();
      return pair;
    });
    this.#note("map");
    return data;
  }
}
