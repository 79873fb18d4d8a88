// SPDX-License-Identifier: MIT
//
// The types that users meet. No code.

/**
 * A key: a string of 1 to 1024 bytes in UTF-8, or as many bytes. A string and its UTF-8
 * bytes are the same key.
 */
export type Key = string | Uint8Array;

/** A `Uint8Array` on memory that is not shared, as `new Response` takes it, in all versions of TypeScript from 5.2 on. */
export type Bytes = ReturnType<typeof Uint8Array.of>;

/**
 * Encodes and decodes values of the user's own kind: every object that is not a
 * `Uint8Array`. Strings, numbers, bigints, booleans, `null` and bytes never go through it.
 * All processes that share a segment have to use codecs that understand each other.
 */
export interface Codec<V = unknown> {
  /** Turns a value into bytes, which are copied before this is called again. */
  encode(value: V): Uint8Array;
  /** Turns them back. The bytes are the callee's to keep. */
  decode(bytes: Uint8Array): V;
}

/** Options of `FastCache.open`. At most one of `name`, `path` and `fd`; none: a private segment. */
export interface OpenOptions<V = unknown> {
  /** A POSIX shared-memory segment: 1 to 200 letters, digits, `.`, `_` or `-`. */
  name?: string | undefined;
  /**
   * A segment in this file. It survives a reboot if the last process that had it open closed it;
   * see `Info.recovered`.
   */
  path?: string | undefined;
  /** The segment behind a descriptor: `info.fd` of an open cache, or what a parent passed on. */
  fd?: number | undefined;
  /**
   * Bytes, or a string such as `"64MB"` (powers of 1000: KB, MB, GB, TB) or `"1GiB"` (powers
   * of 1024: KiB, MiB, GiB, TiB, or K, M, G, T); at least 1 MiB. Needed to create. When attaching it
   * must agree with the segment, or be left out.
   */
  size?: number | string | undefined;
  /**
   * `true`: create or attach. `false`: attach only. `"exclusive"`: fail if it exists.
   * @defaultValue `true`
   */
  create?: boolean | "exclusive" | undefined;
  /**
   * What happens if the segment that is there has another geometry, policy or layout than asked for.
   * `"error"`: `LAYOUT_MISMATCH`. `"attach"`: take it as it is (not one of another layout); `info`
   * tells. `"replace"`: a new, empty one takes its name. Who is attached keeps the old one until it
   * closes, and sees `stats().replaced`. One that itself took another's place less than 60 s ago is
   * not replaced: `LAYOUT_MISMATCH`, which says so.
   * @defaultValue `"error"`
   */
  onMismatch?: "error" | "attach" | "replace" | undefined;
  /** Independently locked parts: a power of two, 1 to 1024. Default: from size and processors. */
  shards?: number | undefined;
  /** Most entries held at once. Default: as many as fit. */
  maxEntries?: number | undefined;
  /** Largest value, in bytes or as in `size`. Default: from size. */
  maxValueSize?: number | string | undefined;
  /** What leaves first when the segment is full. @defaultValue `"lru"` */
  eviction?: Eviction | undefined;
  /**
   * Time to live in ms of entries that are stored through this handle without their own: above 0,
   * or `Infinity` for no deadline. @defaultValue `Infinity`
   */
  ttl?: number | undefined;
  /** For values of the user's own kind; without it objects are stored as JSON, and notes beside it. */
  codec?: Codec<V> | undefined;
  /**
   * What happens to keys of more than 1024 bytes. `"error"`: `KEY_TOO_LONG`. `"hash"`: the entry is stored under
   * the key's SHA-256 (and found by it), the key beside the value, of whose size it takes its part; who reads the value
   * compares the key. Every handle that uses such keys has to be opened so.
   * @defaultValue `"error"`
   */
  longKeys?: "error" | "hash" | undefined;
  /**
   * Path of the native library, where it does not lie in the package: in a bundle, or a compiled program. One serves
   * all caches of a process (or worker). Default: the environment variable `FASTCACHE_LIBRARY`, if it is not empty.
   */
  library?: string | undefined;
}

/** Eviction policies. */
export type Eviction = "lru" | "s3-fifo";

/**
 * Options of the methods that store a value: for how long. At most one of the three.
 *
 * A deadline that is not in the future means: stored, and over at once. The method answers as if
 * the value had been stored, and what it replaces is gone.
 */
export interface SetOptions {
  /**
   * Time to live in ms, up to 2^48 - 1, fractions rounded up; `Infinity` for no deadline. 0 and less
   * are over at once. Default: the handle's `ttl`.
   */
  ttl?: number | undefined;
  /**
   * The deadline itself: a `Date`, or ms since 1970; `Infinity` for none. Turned into a time to live
   * when the method is called, exact to a millisecond: setting the machine's clock afterwards moves
   * no deadline.
   */
  expiresAt?: Date | number | undefined;
  /**
   * True: the value takes over the deadline of the entry that it replaces, or that entry's lack of
   * one, atomically. Where there is no entry, the handle's `ttl` is what it gets.
   */
  keepTtl?: boolean | undefined;
  /**
   * What the entry can be removed by, all at once, with `deleteByTag`: up to 16 strings of 1 to 256 bytes in UTF-8;
   * one that is there twice counts once. They replace those of the entry that was there; with `keepTtl`, `increment`
   * and `touch` an entry keeps its own, unless there are new ones. Tags can't be read back. Each takes 8 bytes.
   */
  tags?: readonly string[] | undefined;
}

/**
 * Computes the value of a key for `getOrSet`; `undefined` stores nothing. Of all calls for a key, in all processes, one
 * runs its factory; the others wait until its value is there, and each gets one of its own. If its process dies,
 * another takes over; if it throws, the calls of its process get the error, and another process may run.
 *
 * A value is returned, but not stored, if its key was set, deleted or cleared after the factory began (those who wait
 * look again), if the segment does not take it (`stats().storeFailures`), or if no room came free for its lease: a
 * shard has 16 to 256 (`stats().leasesRefused`). Factories of two processes that wait for each other's keys wait until
 * the first `lease` is over; one that asks for its own key is refused. A pending call keeps its event loop alive.
 */
export type Factory<T> = (context: FactoryContext) => T | PromiseLike<T>;

/** What a factory is given. */
export interface FactoryContext {
  readonly key: Key;
  /**
   * Aborted when every caller in this process has withdrawn by its own `signal`, when the factory has taken longer
   * than `lease`, and when the cache is closed.
   */
  readonly signal: Signal;
  /** Another time to live for this value, as `ttl`; 0 or less is as `skip`. */
  setTtl(ms: number): void;
  /**
   * The value is returned to whoever waits, and not stored. For the next 10 s, or until a value is stored, other
   * processes that ask for the key do not wait for one another.
   */
  skip(): void;
}

/** Options of `getOrSet`. Times are ms, up to a day. */
export interface GetOrSetOptions {
  /** Time to live of what the factory returns, as in `SetOptions`. */
  ttl?: number | undefined;
  /**
   * After so long this call rejects with `TIMEOUT`, whoever runs the factory. That goes on, and what it returns is
   * stored. @defaultValue none
   */
  hardTimeout?: number | undefined;
  /**
   * How long a process that is alive may take, before another may start. (One that dies is replaced at once.)
   * @defaultValue 30,000
   */
  lease?: number | undefined;
  /**
   * For so long a factory that failed is not run again, in any process: calls get its error, those of other
   * processes `FACTORY_FAILED` with the beginning of its message. @defaultValue 0
   */
  errorTtl?: number | undefined;
  /** Runs the factory, whatever is cached and whoever runs one. @defaultValue false */
  forceFresh?: boolean | undefined;
  /** Rejects this call only. */
  signal?: Signal | undefined;
}

/** Options of `wrap`: those of `getOrSet`, and what the key is made of. */
export interface WrapOptions<A extends readonly unknown[] = readonly unknown[]> extends GetOrSetOptions {
  /** The key of a call; it gets the wrapped function's name in front. Default: the arguments as JSON. */
  key?: ((...args: A) => string) | undefined;
}

/** Options of `increment`. They matter only when the entry is absent. */
export interface IncrementOptions {
  /** What an absent entry counts as. @defaultValue 0 */
  initial?: number | undefined;
  /** Time to live in ms of an entry that was absent, as in `SetOptions`. */
  ttl?: number | undefined;
  /** True: an absent entry stays absent. @defaultValue false */
  ifPresent?: boolean | undefined;
}

/** An element of the argument of `setMany`. */
export type BatchEntry<V = unknown> =
  | readonly [key: Key, value: V]
  | readonly [key: Key, value: V, options: SetOptions | undefined];

/** What `entries` returns: an iterator with the methods that those of the language have in the runtime. */
export type EntryIterator<V> = Omit<Generator<[key: Key, value: V], undefined, undefined>, "throw">;

/** An `AbortSignal`, where the program's types have one: those of the DOM or of a runtime. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer T } } ? T : object;

/** What `getWithVersion` returns. */
export interface Versioned<V = unknown> {
  readonly value: V;
  /** A whole number that differs after every change of the entry. */
  readonly version: number;
}

/** What to destroy, where a plain string would not say whether it is a name or a path. */
export type SegmentTarget = { readonly name: string } | { readonly path: string };

/**
 * Counters since the segment's creation, summed over all processes that were ever attached,
 * and its present state. The sums are not one atomic snapshot.
 */
export interface Stats {
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  /** Entries that were removed: one by one, by `clear`, or by a tag, once their space was found. */
  readonly deletes: number;
  /** Entries that left to make room. */
  readonly evictions: number;
  /** Entries that left because their time was over. */
  readonly expirations: number;
  /** Entries there now. */
  readonly entries: number;
  /** Bytes of live entries, headers and rounding included. */
  readonly bytesUsed: number;
  /** Bytes that `bytesUsed` may reach. */
  readonly capacityBytes: number;
  /** Processes attached now. */
  readonly processes: number;
  /** Writes that had to wait for another process. */
  readonly lockWaits: number;
  /** Locks taken over from processes that died holding them. */
  readonly takeovers: number;
  /**
   * True if the name or path no longer leads to this segment: another took its place
   * (`onMismatch: "replace"`), or it was removed (`destroy`, `rm`, systemd at logout). Who opens the
   * name now shares nothing with this cache: close it and open it again.
   */
  readonly replaced: boolean;
  /** Tags that were given to `deleteByTag`. */
  readonly invalidations: number;
  /**
   * How likely it is that an entry which is older than all invalidations has died with the tag of somebody else, for
   * each of its own tags: 0 to 1.
   */
  readonly falseInvalidations: number;
  /** Factories of `getOrSet` that ran. */
  readonly factoryRuns: number;
  /** Calls of `getOrSet` that waited for the run of another. */
  readonly coalescedWaits: number;
  /** Calls of `getOrSet` that were given a stale value. */
  readonly staleServed: number;
  /** Leases taken over from owners that had died, or took longer than their `lease`. */
  readonly leasesTakenOver: number;
  /** Runs without a lease, because there was no room for one: their values were not stored. */
  readonly leasesRefused: number;
  /** Leases that were lost because the key was set, deleted or cleared meanwhile. */
  readonly leasesFenced: number;
  /** Results of factories that could not be stored: too large, or the shard was busy. */
  readonly storeFailures: number;
}

/** The geometry of an open segment. */
export interface Info {
  /** How it was opened. */
  readonly kind: "shm" | "file" | "private" | "fd";
  /** The name it was opened by; only for kind `"shm"`. */
  readonly name?: string;
  /** The path it was opened by; only for kind `"file"`. */
  readonly path?: string;
  /** Bytes of the whole segment. */
  readonly size: number;
  readonly shards: number;
  /** Most entries held at once; absent: as many as fit. */
  readonly maxEntries?: number;
  /** Longest key in bytes. */
  readonly maxKeySize: number;
  /** Largest value in bytes. */
  readonly maxValueSize: number;
  readonly eviction: Eviction;
  readonly layoutVersion: number;
  /** Bytes for entries, in all shards together. */
  readonly dataSize: number;
  /** Bytes reclaimed at a time. */
  readonly extentSize: number;
  /** Slots: each thread of each process that has the segment open takes one. */
  readonly maxProcesses: number;
  /**
   * A descriptor of the segment: for `FastCache.open({ fd })` in a worker, or for a child to
   * inherit. Closed with the cache. -1 where the system has no /proc.
   */
  readonly fd: number;
  /** True if this handle created the segment, or began it anew because its content was not to be trusted. */
  readonly created: boolean;
  /**
   * True if this handle found what others have stored, and all of it is whole. False if it began
   * empty: because it is new, or because a file was left by a loss of power, or copied in use.
   */
  readonly recovered: boolean;
}
