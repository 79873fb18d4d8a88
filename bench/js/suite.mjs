// The JavaScript benchmark, run inside Bun, Deno or Node: prints one JSON object per line.
//
//   <runtime> bench/js/suite.mjs FOLDER [--quick] [--redis SOCKET] [--memcached SOCKET]
//
// FOLDER, on a memory file system, takes the files of lmdb and SQLite.
// { group, store, operation, values, order, ns, rounds }: ns per operation, the least of the rounds' averages; the
// stores of a race take turns within a round. Garbage collection is in the average, but mitata leaves out the two
// longest and the two shortest samples. No collection is forced before a measurement, as mitata would: the runtime gives
// memory back in it, and then every result touches pages that the system has to clear first. A first round is not
// counted: in it programs are compiled and heaps grow. Groups:
//   mixed       100,000 keys, bytes of 0 to 1023
//   upstream    2^20 keys, bytes of 0 to 1023, 1 GiB in 128 shards: more than any processor cache holds
//   hot         1,000 keys, one kind and size of value (not with --quick)

import { FastCache } from "fastcache";
import { do_not_optimize, measure } from "mitata";
import { openLmdb, openLruCache, openMap, openMemcached, openRedis, openSqlite } from "./stores.mjs";
import { bytesOfMany, keysOf, makeValue, orderOf } from "./workload.mjs";

const KEYS = 100_000;
const SEED_KEYS = 2 ** 20;
const HOT_KEYS = 1000;
const BATCH = 100;
const TRANSACTION = 1000;
const LIMIT = 1024;

const args = globalThis.Deno?.args ?? process.argv.slice(2);
const [folder] = args;
const isQuick = args.includes("--quick");
// Many short rounds: other tenants slow a machine's memory down for seconds at a time.
const ROUNDS = isQuick ? 3 : 6;
const SAMPLING = { gc: false, min_cpu_time: (isQuick ? 40 : 150) * 1e6 };
const WARM_UP_GETS = isQuick ? 500_000 : 1_000_000;
const redisSocket = option("--redis");
const memcachedSocket = option("--memcached");

await mixed();
await upstream();
if (!isQuick) await hot();

function option(name) {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
}

/** Runs tasks of { store, operation, order?, ops?, run }, once to warm up, and prints a line for each. */
async function race(group, values, tasks, { rounds = ROUNDS, sampling = SAMPLING } = {}) {
  const measured = new Map(tasks.map((task) => [task, []]));
  for (let round = -1; round < rounds; round++) {
    for (const task of tasks) {
      const { avg } = await measure(task.run, sampling);
      if (round >= 0) measured.get(task).push(Number((avg / (task.ops ?? 1)).toFixed(1)));
    }
  }
  for (const [{ store, operation, order = "random" }, ns] of measured) {
    const row = { group, values, store, operation, order, ns: Math.min(...ns), rounds: ns };
    console.log(JSON.stringify(row));
  }
}

/** `act(i)` for the next place of `order` with each call, over and over. */
function around(order, act) {
  let at = 0;
  return () => {
    const i = order[at];
    at = at + 1 === order.length ? 0 : at + 1;
    return act(i);
  };
}

/** The same for an `act` that gives a promise: one operation after the other. */
function aroundAsync(order, act) {
  const next = around(order, act);
  return async () => do_not_optimize(await next());
}

/** `act(items)` for batches of `items` in their order. */
function inBatches(order, size, itemOf, act) {
  const batches = [];
  for (let at = 0; at + size <= order.length; at += size) {
    batches.push(Array.from(order.subarray(at, at + size), itemOf));
  }
  return around(orderOf(batches.length, false), (i) => act(batches[i]));
}

/** get and set of a store that answers at once; written out for each, so that each has call sites of its own. */
function readWrite(store, name, order, orderName, keys, values, setOrder = order) {
  const make = new Function(
    "store, keys, values, around, order, setOrder, keep",
    `return [
      around(order, (i) => keep(store.get(keys[i]))),
      around(setOrder, (i) => { store.set(keys[i], values[i]); }),
    ];`,
  );
  const [get, set] = make(store, keys, values, around, order, setOrder, do_not_optimize);
  return [
    { store: name, operation: "get", order: orderName, run: get },
    { store: name, operation: "set", order: orderName, run: set },
  ];
}

/**
 * Sets all keys, and so often that the sets have gone all through the segment; then gets them so often that the runtime's
 * heap has gone through the memory that it takes for results: all of it was touched.
 */
function fill(cache, keys, values) {
  for (let i = 0, written = 0; i < keys.length || written < cache.info.size; i++) {
    const at = i % keys.length;
    const value = values[at % values.length];
    cache.set(keys[at], value);
    written += value.length;
  }
  for (let i = 0; i < WARM_UP_GETS; i++) do_not_optimize(cache.get(keys[i % keys.length]));
}

async function mixed() {
  const keys = keysOf(KEYS);
  const values = bytesOfMany(KEYS, LIMIT);
  const random = orderOf(KEYS, true);
  const otherRandom = orderOf(KEYS, true); // of sets: they lay records out in their order
  const insertion = orderOf(KEYS, false);
  const entryOf = (i) => [keys[i], values[i]];
  const cache = FastCache.open({ size: "256MiB" });
  const peers = [openLruCache(2 * KEYS), ...(isQuick ? [] : [openMap()])];
  for (let i = 0; i < KEYS; i++) for (const peer of peers) peer.set(keys[i], values[i]);
  fill(cache, keys, values);
  const orders = [
    [random, "random", otherRandom],
    [insertion, "insertion", insertion],
  ];
  for (const [order, name, setOrder] of orders) {
    const tasks = [cache, ...peers].flatMap((store) =>
      readWrite(store, store.name ?? "fastcache", order, name, keys, values, setOrder),
    );
    await race("mixed", "0 to 1023 bytes", tasks);
  }

  const buffer = new Uint8Array(LIMIT);
  const absent = keys.map((key) => `no${key.slice(2)}`);
  const counters = keysOf(HOT_KEYS).map((key) => `n${key.slice(1)}`);
  const ours = (operation, run, ops) => ({ store: "fastcache", operation, run, ops });
  const keyOf = (i) => keys[i];
  await race("mixed", "0 to 1023 bytes", [
    ours(
      "getInto",
      around(random, (i) => cache.getInto(keys[i], buffer)),
    ),
    ours(
      "getMany, 100",
      inBatches(random, BATCH, keyOf, (batch) => do_not_optimize(cache.getMany(batch))),
      BATCH,
    ),
    ours(
      "setMany, 100",
      inBatches(random, BATCH, entryOf, (batch) => cache.setMany(batch)),
      BATCH,
    ),
    ours(
      "has",
      around(random, (i) => cache.has(keys[i])),
    ),
    ours(
      "miss",
      around(random, (i) => cache.get(absent[i])),
    ),
    ours(
      "increment",
      around(orderOf(HOT_KEYS, true), (i) => cache.increment(counters[i])),
    ),
  ]);
  cache.close();

  for (const store of [await openLmdb(folder, 1 << 28), ...(isQuick ? [] : [await openSqlite(folder)])]) {
    store.setMany(Array.from(insertion, entryOf));
    const itsOrders = isQuick ? orders.slice(0, 1) : orders;
    for (const [order, name, setOrder] of itsOrders) {
      await race(
        "mixed",
        "0 to 1023 bytes",
        readWrite(store, store.name, order, name, keys, values, setOrder),
      );
    }
    // Apart, and last: lmdb's sets one by one take twenty times as long once there were large transactions.
    for (const [order, name] of itsOrders) {
      const run = inBatches(order, TRANSACTION, entryOf, (batch) => store.setMany(batch));
      const operation = "set, transactions of 1,000";
      await race("mixed", "0 to 1023 bytes", [
        { store: store.name, operation, order: name, run, ops: TRANSACTION },
      ]);
    }
    await store.close();
  }
  if (redisSocket) await overSocket(await openRedis(redisSocket), keys, values, random);
  if (memcachedSocket && !isQuick)
    await overSocket(await openMemcached(memcachedSocket), keys, values, random);
}

async function overSocket(store, keys, values, random) {
  const entryOf = (i) => [keys[i], values[i]];
  const pipelined = (itemOf, act) => {
    const next = inBatches(random, BATCH, itemOf, act);
    return async () => do_not_optimize(await next());
  };
  for (let i = 0; i < KEYS; i += BATCH)
    await store.setMany(Array.from(random.subarray(i, i + BATCH), entryOf));
  const tasks = [{ operation: "get", run: aroundAsync(random, (i) => store.get(keys[i])) }];
  if (!isQuick) {
    tasks.push(
      { operation: "set", run: aroundAsync(random, (i) => store.set(keys[i], values[i])) },
      { operation: "get, pipelined by 100", ops: BATCH, run: pipelined((i) => keys[i], store.getMany) },
      { operation: "set, pipelined by 100", ops: BATCH, run: pipelined(entryOf, store.setMany) },
    );
  }
  await race(
    "mixed",
    "0 to 1023 bytes",
    tasks.map((task) => ({ ...task, store: store.name })),
  );
  await store.close();
}

/** The workload of the core's benchmark: the keys in the order of their insertion; and few in a segment of their own. */
async function upstream() {
  const keys = keysOf(SEED_KEYS);
  const values = bytesOfMany(1024, LIMIT);
  const buffer = new Uint8Array(LIMIT);
  const inOrder = (cache, count, name) => {
    const order = orderOf(count, false);
    fill(cache, keys.slice(0, count), values);
    const ours = (operation, run) => ({ store: "fastcache", operation, order: name, run });
    return [
      ours(
        "getInto",
        around(order, (i) => cache.getInto(keys[i], buffer)),
      ),
      ours(
        "get",
        around(order, (i) => do_not_optimize(cache.get(keys[i]))),
      ),
      ours(
        "set",
        around(order, (i) => cache.set(keys[i], values[i & 1023])),
      ),
    ];
  };
  const full = FastCache.open({ size: "1GiB", shards: 128 });
  const small = FastCache.open({ size: "64MiB" });
  await race("upstream", "0 to 1023 bytes", [
    ...inOrder(full, SEED_KEYS, "insertion"),
    ...inOrder(small, HOT_KEYS, "1,000 keys"),
  ]);
  full.close();
  small.close();
}

async function hot() {
  const keys = keysOf(HOT_KEYS);
  const order = orderOf(HOT_KEYS, true);
  for (const kind of ["bytes", "string", "json"]) {
    for (const [size, sizeName] of [
      [100, "100 B"],
      [1024, "1 KiB"],
      [65_536, "64 KiB"],
    ]) {
      const value = makeValue(kind, size);
      const values = keys.map(() => value);
      const cache = FastCache.open({ size: "256MiB" });
      const stores = [
        cache,
        openMap(),
        openLruCache(2 * HOT_KEYS),
        await openLmdb(folder, 1 << 28, kind),
        await openSqlite(folder, kind),
      ];
      for (const store of stores) for (const key of keys) store.set(key, value);
      const tasks = stores.flatMap((store) =>
        readWrite(store, store.name ?? "fastcache", order, "random", keys, values),
      );
      const remote = [];
      if (redisSocket) remote.push(await openRedis(redisSocket, kind));
      if (memcachedSocket) remote.push(await openMemcached(memcachedSocket, kind));
      for (const store of remote) {
        await Promise.all(keys.map((key) => store.set(key, value)));
        tasks.push(
          { store: store.name, operation: "get", run: aroundAsync(order, (i) => store.get(keys[i])) },
          { store: store.name, operation: "set", run: aroundAsync(order, (i) => store.set(keys[i], value)) },
        );
      }
      await race("hot", `${kind}, ${sizeName}`, tasks, {
        rounds: 2,
        sampling: { ...SAMPLING, min_cpu_time: 100e6 },
      });
      for (const store of [...stores, ...remote]) await store.close();
    }
  }
}
