// SPDX-License-Identifier: MIT
//
// fastcache/structured: a codec for what structured clones hold, and the built-in form does not: cycles and
// shared references, typed arrays, `RegExp`, `Error`, arrays with holes. The text is devalue's (an optional
// peer dependency: pure JavaScript, no `eval`), which is the same in all runtimes; beside it, here:
//
// - a view is stored as the bytes that it shows, not as the whole buffer behind it, which may be a pool with
//   the data of others;
// - errors are stored as their name, message, stack, cause and errors, and what properties they were given;
// - what devalue would change in silence (an instance of a class that extends a built-in one) is refused.

import { parse, stringify } from "devalue";
import type { Codec } from "../types.ts";

const ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/** What of an error is stored, in the order in which it is read: what makes it comes before what it holds. */
interface ErrorParts {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly isAggregate: boolean;
  readonly errors?: unknown;
  readonly cause?: unknown;
  /** Its other enumerable properties, such as `code`. */
  readonly given?: object;
}

const PARTS = new Set(["name", "message", "stack", "cause", "errors"]);

function partsOf(error: Error): ErrorParts {
  const { name, message, stack } = error;
  const isAggregate = error instanceof AggregateError;
  return {
    name,
    message,
    stack,
    isAggregate,
    ...(isAggregate ? { errors: error.errors } : {}),
    ...(Object.hasOwn(error, "cause") ? { cause: error.cause } : {}),
    ...givenTo(error),
  };
}

function givenTo(error: Error): { given?: object } {
  const given = Object.entries(error).filter(([key]) => !PARTS.has(key));
  return given.length === 0 ? {} : { given: Object.fromEntries(given) };
}

const made = new WeakMap<ErrorParts, Error>();

/** Called once more with the same parts for an error that holds itself; the first time they lack what it holds. */
function errorOf(parts: ErrorParts): Error {
  const error = made.get(parts) ?? makeError(parts);
  made.set(parts, error);
  if ("errors" in parts) define(error, "errors", parts.errors);
  if ("cause" in parts) define(error, "cause", parts.cause);
  return Object.assign(error, parts.given);
}

function makeError({ name, message, stack, isAggregate }: ErrorParts): Error {
  const Kind = ERRORS[name as keyof typeof ERRORS] ?? Error;
  const error = isAggregate ? new AggregateError([], message) : new Kind(message);
  if (error.name !== name) define(error, "name", name);
  define(error, "stack", stack);
  return error;
}

/** As errors have their own properties: not enumerable. */
function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true });
}

/** What devalue takes for these, subclasses and all. */
const CLASSES = new Set(["Array", "Map", "Set", "Date", "RegExp", "URL", "URLSearchParams"]);

const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

/** A view that shows less than its buffer, or memory shared with threads, as one of a buffer of its own. */
function ownView(view: ArrayBufferView): ArrayBufferView | undefined {
  const { buffer, byteOffset, byteLength } = view;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return undefined;
  const bytes = new Uint8Array(byteLength);
  bytes.set(new Uint8Array(buffer, byteOffset, byteLength));
  const View = (globalThis as unknown as Record<string, new (of: ArrayBuffer) => ArrayBufferView>)[
    tagOf(view)
  ];
  return View && new View(bytes.buffer);
}

/** Throws for an instance of a class that extends a built-in one, and for `Math` and its like. */
function checkClass(value: object): void {
  const tag = tagOf(value);
  if (Object.hasOwn(value, Symbol.toStringTag)) {
    throw new TypeError(`${tag} would come back as a plain object: store its data instead`);
  }
  if (!CLASSES.has(tag)) return;
  let depth = 0;
  for (let at: unknown = value; at !== null; at = Object.getPrototypeOf(at)) depth++;
  if (depth === 3) return;
  const name = value.constructor?.name ?? "no class";
  throw new TypeError(`an instance of ${name} would come back as a plain ${tag}: store its data instead`);
}

/**
 * Encodes cycles and shared references, `undefined`, bigints, typed arrays, `ArrayBuffer`, `DataView`,
 * `Map`, `Set`, `Date`, `RegExp`, `Error`, `URL`, arrays with holes, and plain objects and arrays, so that
 * each runtime gets back what any of them has stored: `FastCache.open({ name, codec: structured })`.
 *
 * An error comes back as an instance of the built-in class of its name, else of `Error`, with its name, message,
 * stack, cause, `errors`, and what enumerable properties it has; a `Buffer` as a `Uint8Array`. A `toJSON` is not
 * called: what has one is refused unless it is a `Date` or `URL`. Functions, symbols, instances of other classes,
 * also of those that extend one of the above, and objects with a key `__proto__` are refused with their place.
 * Bytes take a third more than in the built-in form, which is also several times as fast for all that it holds.
 */
export const structured: Codec<unknown> = {
  encode(value: unknown): Uint8Array {
    const text = stringifyAt(value, {
      View: (item: unknown) => ArrayBuffer.isView(item) && ownView(item),
      Error: (item: unknown) => {
        if (typeof item !== "object" || item === null) return undefined;
        return item instanceof Error ? partsOf(item) : checkClass(item);
      },
    });
    return new TextEncoder().encode(text);
  },
  decode: (bytes: Uint8Array): unknown => parse(new TextDecoder().decode(bytes), REVIVERS),
};

const REVIVERS = {
  View: (view: ArrayBufferView) => view,
  Error: errorOf,
};

function stringifyAt(value: unknown, reducers: Parameters<typeof stringify>[1]): string {
  try {
    return stringify(value, reducers);
  } catch (cause) {
    const { message, path } = cause as { message: string; path?: string };
    throw path ? new TypeError(`value${path}: ${message}`, { cause }) : cause;
  }
}
