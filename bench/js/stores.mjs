// The stores that are compared, each behind { name, get, set } and what else it has: `setMany(entries)` (one
// transaction, pipeline or batch), `getMany(keys)`, `close`. Stores behind a socket return promises.
//
// Each store is set up as its users would for a cache: lmdb and SQLite in a folder of the caller's choice (in memory), without waiting
// for a disk. Values are bytes unless `kind` says otherwise; stores that hold bytes only get JSON as text, as users would do.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LRUCache } from "lru-cache";

const RUNTIME = globalThis.Bun ? "bun" : globalThis.Deno ? "deno" : "node";

const encoders = { bytes: (value) => value, string: (value) => value, json: JSON.stringify };
const decoders = { bytes: (value) => value, string: (value) => value, json: JSON.parse };

export function openMap() {
  const map = new Map();
  return { name: "Map", get: (key) => map.get(key), set: (key, value) => map.set(key, value), close() {} };
}

export function openLruCache(max) {
  const cache = new LRUCache({ max });
  return {
    name: "lru-cache",
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value),
    close() {},
  };
}

export async function openLmdb(parent, sizeBytes, kind = "bytes") {
  const { open } = await import("lmdb");
  const folder = mkdtempSync(join(parent, "store-"));
  const encoding = { bytes: "binary", string: "string", json: "json" }[kind];
  const base = open({
    path: join(folder, "data"),
    encoding,
    noSync: true,
    overlappingSync: false,
    mapSize: 4 * sizeBytes,
  });
  const get = kind === "bytes" ? (key) => base.getBinary(key) : (key) => base.get(key);
  return {
    name: "lmdb",
    get,
    set: (key, value) => base.putSync(key, value),
    setMany: (entries) =>
      base.transactionSync(() => {
        for (const [key, value] of entries) base.putSync(key, value);
      }),
    async close() {
      await base.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export async function openSqlite(parent, kind = "bytes") {
  const folder = mkdtempSync(join(parent, "store-"));
  const path = join(folder, "data");
  const base =
    RUNTIME === "bun"
      ? new (await import("bun:sqlite")).Database(path)
      : new (await import("node:sqlite")).DatabaseSync(path);
  base.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
  base.exec("CREATE TABLE cache (key TEXT PRIMARY KEY, value) WITHOUT ROWID");
  const select = base.prepare("SELECT value FROM cache WHERE key = ?");
  const upsert = base.prepare("INSERT OR REPLACE INTO cache VALUES (?, ?)");
  const [encode, decode] = [encoders[kind], decoders[kind]];
  const set = (key, value) => upsert.run(key, encode(value));
  return {
    name: RUNTIME === "bun" ? "bun:sqlite" : "node:sqlite",
    get(key) {
      const row = select.get(key);
      return row ? decode(row.value) : undefined;
    },
    set,
    setMany(entries) {
      base.exec("BEGIN");
      for (const [key, value] of entries) set(key, value);
      base.exec("COMMIT");
    },
    close() {
      base.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Bun's own client in Bun, ioredis elsewhere. */
export async function openRedis(socket, kind = "bytes") {
  const { get, getMany, set, close } = RUNTIME === "bun" ? await bunRedis(socket) : await ioRedis(socket);
  const [encode, decode] = [encoders[kind], decoders[kind]];
  const isText = kind !== "bytes";
  return {
    name: "redis",
    async get(key) {
      const value = await get(key, isText);
      return value === null ? undefined : decode(value);
    },
    getMany: (keys) => getMany(keys, isText),
    set: (key, value) => set(key, encode(value)),
    setMany: (entries) => Promise.all(entries.map(([key, value]) => set(key, encode(value)))),
    close,
  };
}

async function bunRedis(socket) {
  const client = new Bun.RedisClient(`redis+unix://${socket}`);
  await client.connect();
  const get = (key, isText) => (isText ? client.get(key) : client.getBuffer(key));
  return {
    get,
    getMany: (keys, isText) => Promise.all(keys.map((key) => get(key, isText))),
    set: (key, value) => client.set(key, value),
    close: () => client.close(),
  };
}

async function ioRedis(socket) {
  const { Redis } = await import("ioredis");
  const client = new Redis({ path: socket });
  const get = (key, isText) => (isText ? client.get(key) : client.getBuffer(key));
  return {
    get,
    getMany: (keys, isText) => Promise.all(keys.map((key) => get(key, isText))),
    set: (key, value) =>
      client.set(key, typeof value === "string" ? value : Buffer.from(value.buffer, 0, value.length)),
    close: () => client.quit(),
  };
}

export async function openMemcached(socket, kind = "bytes") {
  const { default: memjs } = await import("memjs");
  // A path in place of a port, since addresses are all that Client.create parses.
  const server = new memjs.Server("localhost", socket, undefined, undefined, {
    timeout: 10,
    keepAlive: true,
  });
  const client = new memjs.Client([server], { timeout: 10 });
  const [encode, decode] = [encoders[kind], decoders[kind]];
  const get = async (key) => (await client.get(key)).value;
  const set = (key, value) => {
    const encoded = encode(value);
    return client.set(
      key,
      typeof encoded === "string" ? encoded : Buffer.from(encoded.buffer, 0, encoded.length),
      {},
    );
  };
  return {
    name: "memcached",
    async get(key) {
      const value = await get(key);
      if (value === null) return undefined;
      return kind === "bytes" ? value : decode(value.toString());
    },
    getMany: (keys) => Promise.all(keys.map(get)),
    set,
    setMany: (entries) => Promise.all(entries.map(([key, value]) => set(key, value))),
    close: () => client.close(),
  };
}
