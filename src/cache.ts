// SPDX-License-Identifier: MIT
//
// FastCache: the class that users hold, and their documentation. Its methods check arguments and
// hand them on; what they do is in the file of their kind: read.ts, write.ts, batch.ts, iterate.ts,
// stats.ts, segment.ts.

import { CONSTANTS, SET_MODE } from "./abi.ts";
import { deleteMany, getMany, hasMany, setMany } from "./batch.ts";
import { invalid, nameOf } from "./errors.ts";
import { Flights, wrapped } from "./flights.ts";
import { increment } from "./increment.ts";
import { Entries, keys } from "./iterate.ts";
import {
  checkFinite,
  checkTags,
  modeOf,
  parseIncrement,
  parseOpenOptions,
  parseTarget,
  parseTtl,
  tagsOf,
  ttlOf,
} from "./options.ts";
import { has, read, readBytes, readInto, readVersioned, ttl } from "./read.ts";
import { Anchor, destroySegment, Handle, listSegments } from "./segment.ts";
import { readSize, readStats } from "./stats.ts";
import type {
  BatchEntry,
  Bytes,
  EntryIterator,
  Factory,
  GetOrSetOptions,
  IncrementOptions,
  Info,
  Key,
  OpenOptions,
  SegmentTarget,
  SetOptions,
  Stats,
  Versioned,
  WrapOptions,
} from "./types.ts";
import { isBytes } from "./wire/memory.ts";
import { encodeTag } from "./wire/tags.ts";
import { clear, invalidate, remove, store, touch } from "./write.ts";

const { FC_PEEK } = CONSTANTS;

/** A class with instances of type `T`. */
interface Class<T> {
  readonly prototype: T;
}

/** What `open` returns: a `FastCache<V>`, or an instance of the derived class that it is called on. */
type Opened<V, T> = FastCache<V> extends T ? FastCache<V> : T;

/**
 * A cache in one segment of shared memory, which any number of Bun, Deno and Node processes
 * attach to and use directly: no server, no socket.
 *
 * - **Keys** are strings or `Uint8Array`s of 1 to 1024 bytes in UTF-8.
 * - **Values** are strings, `Uint8Array`s, numbers, bigints, booleans, `null`, `Date`s, `Map`s,
 *   `Set`s, and plain objects and arrays of them, with `undefined` inside. What was set is what comes
 *   back, with the same type, in any runtime. What could not (an instance of another class, a function,
 *   what holds itself) is refused with its place in the value; a `codec` takes it. An instance of a
 *   class of your own with a `toJSON` that gives an object comes back as that object.
 * - **Errors** are {@link FastCacheError}s. Every method throws `CLOSED` after `close`, and
 *   `CORRUPT` if it meets damage; a miss is never an error. Methods that take a key throw
 *   `INVALID_ARGUMENT` and `KEY_TOO_LONG`.
 * - **Processes**: each method is atomic towards all other processes, except the batches (atomic
 *   per entry) and the iterators (weakly consistent). Reads take no lock and wait for nobody.
 *   Writes lock a part of the segment; if a live process holds it for too long (a second), they
 *   throw `BUSY` and have changed nothing. A process that dies at any point breaks nothing.
 * - **Threads**: a `FastCache` belongs to the thread that opened it. A worker opens its own, by
 *   name, path, or `info.fd`; it is closed when the worker ends, in whatever way. All that a thread opens
 *   on one segment takes one of its slots. A cache does not survive `fork()`.
 * - **Cost**: a lookup is one native call and one or two cache misses, whatever the size of the
 *   segment. A byte result of 65 (in Bun 257) to 4,096 bytes is a view of a block of 64 KiB that it
 *   shares with others, not to be transferred, and keeps alive; a smaller or larger one has its own.
 *
 * @typeParam V - What the values are. Not checked at run time: other processes may store anything.
 */
export class FastCache<V = unknown> {
  readonly #handle: Handle;
  readonly #anchor: Anchor;
  readonly #ttl: number;
  #flights: Flights | undefined;

  /** Not for use: see `FastCache.open`. */
  protected constructor(anchor: unknown, ttl: unknown) {
    if (!(anchor instanceof Anchor)) throw invalid("use FastCache.open() instead of new");
    this.#anchor = anchor;
    this.#handle = anchor.handle;
    this.#ttl = ttl as number;
  }

  /**
   * Creates a segment or attaches to one: by `name` in shared memory, by `path` in a file,
   * by `fd` through an inherited descriptor; with none of them a private one.
   *
   * Safe at any number of processes at once: one creates, the others attach. Creation reserves
   * all of `size`, which takes time in proportion (about 0.1 s per GiB, and up to 3 s more for
   * huge pages); attaching takes some system calls.
   *
   * @throws FastCacheError `INVALID_ARGUMENT`, `NOT_FOUND` (nothing to attach to), `EXISTS`
   * (`create: "exclusive"`), `NO_SPACE`, `LAYOUT_MISMATCH` (the options or the layout differ from
   * the segment's; see `onMismatch`), `CORRUPT`, `PERMISSION`, `TOO_MANY_PROCESSES`, `BUSY` (its creator does not
   * finish),
   * `FFI_UNAVAILABLE` (the runtime cannot call native code, or the library is missing)
   *
   * @returns an instance of the class that it is called on
   */
  static open<V = unknown, T = unknown>(this: Class<T>, options: OpenOptions<V> = {}): Opened<V, T> {
    const opening = parseOpenOptions(options);
    // biome-ignore lint/complexity/noThisInStatic: a class derived from this one opens its own kind.
    return new (this as unknown as typeof FastCache)(new Anchor(new Handle(opening)), opening.ttl) as Opened<
      V,
      T
    >;
  }

  /**
   * Removes a segment: a string with a `/` is a path, any other a name. Processes attached
   * to it keep using it among themselves until they close.
   *
   * @returns false if there was none
   * @throws FastCacheError `INVALID_ARGUMENT`, `PERMISSION`, `CORRUPT` (not a segment: left alone),
   * `FFI_UNAVAILABLE`
   */
  static destroy(target: string | SegmentTarget): boolean {
    const { kind, target: name } = parseTarget(target);
    return destroySegment(kind, name);
  }

  /** The names of this user's shared-memory segments, sorted. Files are not among them. */
  static list(): string[] {
    return listSegments();
  }

  /**
   * The value, or `undefined`. Marks the entry as used. Takes no lock. Of which type it is, is what the program
   * says: nothing checks it.
   */
  get<T extends V = V>(key: Key): T | undefined {
    return read(this.#handle, key, 0) as T | undefined;
  }

  /** As `get`, but leaves the entry's recency alone. */
  peek<T extends V = V>(key: Key): T | undefined {
    return read(this.#handle, key, FC_PEEK) as T | undefined;
  }

  /** The stored bytes, whatever the kind of the value, or `undefined`. Marks the entry as used. */
  getBytes(key: Key): Bytes | undefined {
    return readBytes(this.#handle, key);
  }

  /**
   * Copies the stored bytes, whatever the kind of the value, to the beginning of `buffer`, and
   * returns their number, or -1 if there is no entry. Allocates nothing.
   *
   * @throws FastCacheError `INVALID_ARGUMENT` if the buffer is too small; nothing is written then
   */
  getInto(key: Key, buffer: Uint8Array): number {
    if (!isBytes(buffer)) throw invalid(`the buffer has to be a Uint8Array, not ${nameOf(buffer)}`);
    return readInto(this.#handle, key, buffer);
  }

  /**
   * Stores a value in any case. Atomic: readers in all processes see the old value or the new.
   *
   * @returns the cache, as with `Map`
   * @throws FastCacheError `INVALID_ARGUMENT`, `KEY_TOO_LONG`, `VALUE_TOO_LARGE`, `BUSY`
   */
  set(key: Key, value: V, options?: SetOptions): this {
    const ttl = ttlOf(options, this.#ttl, "set");
    store(this.#handle, key, value, ttl, modeOf(SET_MODE.ALWAYS, options), 0, tagsOf(options));
    return this;
  }

  /** Stores a value only if the key is absent: true if stored. Throws as `set`. */
  add(key: Key, value: V, options?: SetOptions): boolean {
    const ttl = ttlOf(options, this.#ttl, "add");
    return store(this.#handle, key, value, ttl, modeOf(SET_MODE.ABSENT, options), 0, tagsOf(options));
  }

  /** Stores a value only if the key is present: true if stored. Throws as `set`. */
  replace(key: Key, value: V, options?: SetOptions): boolean {
    const ttl = ttlOf(options, this.#ttl, "replace");
    return store(this.#handle, key, value, ttl, modeOf(SET_MODE.PRESENT, options), 0, tagsOf(options));
  }

  /** True if there is an entry. Leaves its recency alone. Takes no lock. */
  has(key: Key): boolean {
    return has(this.#handle, key);
  }

  /** Removes an entry: true if there was one. No read that starts afterwards finds it. */
  delete(key: Key): boolean {
    return remove(this.#handle, key);
  }

  /**
   * Adds `by` to a number and returns the sum; atomic across processes. An absent entry counts as
   * `initial` and gets the `ttl`, or with `ifPresent` stays absent, and the answer is `undefined`; an
   * entry that is there keeps its deadline. The sum is that of doubles.
   *
   * A counter of what is under way (`increment(key, 1, { ttl })` … `increment(key, -1)`) wants
   * `ifPresent` for the way down: without it, a decrement that comes after the deadline begins a
   * counter of -1, and one without a deadline.
   *
   * @throws FastCacheError `INVALID_ARGUMENT` if the entry is not a number, or an argument not finite
   */
  increment(key: Key, by?: number, options?: IncrementOptions & { ifPresent?: false | undefined }): number;
  /** The same with options that may say `ifPresent`: `undefined` then means that there was no entry. */
  increment(key: Key, by: number | undefined, options: IncrementOptions | undefined): number | undefined;
  /** Both of them. */
  increment(key: Key, by: number = 1, options?: IncrementOptions): number | undefined {
    const amount = checkFinite("by", by);
    const { initial, ttl } = parseIncrement(options, this.#ttl);
    return increment(this.#handle, key, amount, initial, ttl);
  }

  /** The value and its version, for `compareAndSet`; or `undefined`. Marks the entry as used. */
  getWithVersion<T extends V = V>(key: Key): Versioned<T> | undefined {
    return readVersioned(this.#handle, key) as Versioned<T> | undefined;
  }

  /**
   * Stores a value only if the entry is there and still has the version that `getWithVersion`
   * gave: true if stored. Any change in between, by any process, makes it false. Throws as `set`.
   */
  compareAndSet(key: Key, version: number, value: V, options?: SetOptions): boolean {
    if (!Number.isSafeInteger(version) || version < 0) {
      throw invalid(`the version is a number of getWithVersion(), not ${nameOf(version)}`);
    }
    const ttl = ttlOf(options, this.#ttl, "compareAndSet");
    const mode = modeOf(SET_MODE.VERSION, options);
    return store(this.#handle, key, value, ttl, mode, version, tagsOf(options));
  }

  /**
   * Gives an entry a new time to live in ms from now, `Infinity` for no deadline, and marks it as
   * used; 0 or less removes it: true if there was one.
   */
  touch(key: Key, ttl: number): boolean {
    return touch(this.#handle, key, parseTtl(ttl));
  }

  /**
   * Remaining time to live in ms: 1 or more; `Infinity` for no deadline; `undefined` if there is no
   * entry. What it returns may be given to a storing method as `ttl`.
   */
  ttl(key: Key): number | undefined {
    return ttl(this.#handle, key);
  }

  /**
   * The value of a key, or else what `factory` returns, which is stored: see {@link Factory}.
   * @throws FastCacheError (as a rejection) as `get`; `INVALID_ARGUMENT`, `TIMEOUT`, `FACTORY_FAILED`; what the factory throws
   */
  async getOrSet<T extends V | undefined>(
    key: Key,
    factory: Factory<T>,
    options?: GetOrSetOptions,
  ): Promise<T> {
    const value = options === undefined ? read(this.#handle, key, 0) : undefined;
    if (value !== undefined) return value as T;
    this.#flights ??= new Flights(this.#anchor, this.#ttl);
    return this.#flights.get(key, factory, options) as Promise<T>;
  }

  /** `fn` behind `getOrSet`: the key of a call is `name` and its arguments as JSON, or as `options.key` says. */
  wrap<A extends readonly unknown[], T extends V | undefined>(
    name: string,
    fn: (...args: A) => T | PromiseLike<T>,
    options: WrapOptions<A> = {},
  ): (...args: A) => Promise<T> {
    return wrapped(this, name, fn, options) as (...args: A) => Promise<T>;
  }

  /**
   * Looks up many keys at once: an array of values or `undefined`, in the order of the keys. One
   * native call for as many as fit (256 KiB of keys, 64 KiB of values), which prefetches, so that
   * it costs a fraction of single lookups in a large segment. Each lookup is atomic, the batch is not.
   */
  getMany<T extends V = V>(keys: Iterable<Key>): (T | undefined)[] {
    return getMany(this.#handle, keys) as (T | undefined)[];
  }

  /** Whether there is an entry, for many keys at once: an array in their order. Otherwise as `has`. */
  hasMany(keys: Iterable<Key>): boolean[] {
    return hasMany(this.#handle, keys);
  }

  /**
   * Stores many entries, in order, with one native call for as many as fit in 256 KiB. Each one is
   * atomic, the batch is not: if one fails, those before it are stored, and the message counts them.
   * What an iterator gave before it threw is stored too. `options` are those of every entry that has
   * none of its own, as in `[key, value, options]`.
   *
   * @returns the cache
   */
  setMany(entries: Iterable<BatchEntry<V>>, options?: SetOptions): this {
    setMany(this.#handle, entries, options, this.#ttl);
    return this;
  }

  /**
   * Removes many keys, in order, with one native call for as many as fit, and returns how many were
   * there. If one fails, those before it are removed.
   */
  deleteMany(keys: Iterable<Key>): number {
    return deleteMany(this.#handle, keys);
  }

  /**
   * The keys, in no particular order. Weakly consistent: an entry that is there throughout is
   * seen exactly once; one that comes or goes meanwhile may be seen or not, but never after it has
   * gone. A key is a string if its bytes are valid UTF-8, else a `Uint8Array`. Leaves recency alone,
   * takes no lock.
   */
  keys(): Generator<Key, void, undefined> {
    this.#handle.assertOpen();
    return keys(this.#anchor);
  }

  /**
   * Keys with values, as `keys`; each value is read when it is asked for. For an entry that cannot be
   * decoded (its codec is missing or throws, its bytes are damaged) `next()` throws, and goes on
   * behind it when it is called again.
   */
  entries(): EntryIterator<V> {
    this.#handle.assertOpen();
    return new Entries(this.#anchor) as unknown as EntryIterator<V>;
  }

  /** As `entries`. */
  [Symbol.iterator](): EntryIterator<V> {
    return this.entries();
  }

  /**
   * Removes every entry that has the tag, or one of the tags, in all processes: no read that starts after the return
   * finds one. Takes no lock, and as long for ten million entries as for one. What a storing call that began before
   * stores at the same time may be removed, too; what one that begins afterwards stores is not. A `set` of a value
   * that was read from its source before the call is a new value: nothing tells that it is outdated.
   *
   * The segment remembers invalidations in a table of fixed size, so that none is ever forgotten; in exchange an entry
   * can, very rarely, die with a tag of somebody else: see `stats().falseInvalidations`.
   *
   * Their space is found when it is needed, and by `size` and `stats()`.
   *
   * @throws FastCacheError `INVALID_ARGUMENT`: a tag has 1 to 256 bytes; then none was removed
   */
  deleteByTag(tags: string | readonly string[]): void {
    const list: readonly unknown[] = typeof tags === "string" ? [tags] : Array.from(checkTags(tags));
    for (const tag of list.map(encodeTag)) invalidate(this.#handle, tag);
  }

  /** Removes every entry, part by part. @throws FastCacheError `BUSY`; the other parts are empty then */
  clear(): void {
    clear(this.#handle);
  }

  /**
   * Number of entries in the segment. Expired ones are dropped first, as far as nobody holds their shard and
   * 4 MiB of records go, so that no call takes long: after a mass expiry, the first ones still count some.
   */
  get size(): number {
    return readSize(this.#handle);
  }

  /** The counters of all processes together, and the segment's state. A fresh plain object. */
  stats(): Stats {
    this.#handle.assertOpen();
    return readStats(this.#handle);
  }

  /** The segment's geometry and how it was opened; frozen, always the same object, also after `close`. */
  get info(): Info {
    return this.#handle.info;
  }

  /**
   * Detaches. Later calls throw `CLOSED`; closing again does nothing. The segment stays. Who closes
   * a file (`path`) as the last waits until the disk has all of it: only so it survives a reboot.
   * A cache that is neither reachable nor closed is closed when its memory is collected.
   */
  close(): void {
    this.#flights?.close();
    this.#handle.close();
  }

  /** As `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
