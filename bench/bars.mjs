// The figures to reach: each from one run, and but for one of them a ratio. A bar whose figure was not
// measured (there is no Redis, there are no traces) is not in the table.

const RUNTIMES = {
  bun: { name: "Bun", factor: 4 },
  deno: { name: "Deno", factor: 5 },
  node: { name: "Node", factor: 6 },
};

/** Rows of { figure, measured, bar, reached }. */
export function barTable({ core, full, go, javaScript, hitRatios }) {
  return [
    ...coreBars(core),
    ...goBars(core, go),
    ...javaScriptBars(core, javaScript),
    ...fullBars(full),
    ...hitRatioBars(hitRatios.filter((row) => row.objects >= 1000)),
  ];
}

function rowOf(core, name, keys = "insertion order") {
  return core.find((row) => row.name === name && row.keys === keys);
}

function coreBars(core) {
  const rounds = (name) => rowOf(core, name).rounds;
  const ratio = (a, b) => median(each(rounds(a), rounds(b)));
  // The keys in the order of their insertion, as in the upstream benchmark; DRAM in small pages, as most memory is, and in
  // the huge ones that a segment lies in.
  const dram = "dependent DRAM read";
  const likeSegment = "dependent DRAM read, pages as the segment's";
  const plainReads = "independent DRAM reads, pages as the segment's";
  // Throughput of two processes over that of one, relative to plain reads: `ns` is per operation of both.
  const gain = (name, one) => each(rounds(one), rounds(`${name}, 2 processes`));
  const plain = gain(plainReads, plainReads);
  const scaling = (name) => median(each(gain(name, `${name}, 1 process`), plain));
  return [
    atMost("Get ÷ dependent DRAM read, small pages", ratio("Get", dram), 1.2),
    atMost("SetAndGet ÷ dependent DRAM read, small pages", ratio("SetAndGet", dram), 1.2),
    atMost("Set ÷ dependent DRAM read, small pages", ratio("Set", dram), 2),
    atMost("Get ÷ dependent DRAM read, pages as ours", ratio("Get", likeSegment), 1.2),
    atMost("SetAndGet ÷ dependent DRAM read, pages as ours", ratio("SetAndGet", likeSegment), 1.2),
    atMost("Set ÷ dependent DRAM read, pages as ours", ratio("Set", likeSegment), 2),
    atMost("getMany per key ÷ Get", ratio("getMany", "Get"), 0.5),
    ...getManyInRandomOrder(core),
    atLeast("Get, 2 processes ÷ 1, relative to plain reads", scaling("Get"), 0.95),
    atLeast("90/10, 2 processes ÷ 1, relative to plain reads", scaling("90/10"), 0.9),
  ];
}

/** A quick run does not measure it. */
function getManyInRandomOrder(core) {
  const [many, one] = ["getMany", "Get"].map((name) => rowOf(core, name, "random order")?.rounds);
  if (many === undefined || one === undefined) return [];
  return [atMost("getMany per key ÷ Get, random order", median(each(many, one)), 0.5)];
}

/** Against the upstream library, where it could be measured. */
function goBars(core, go) {
  return ["Get", "SetAndGet"].flatMap((name) => {
    const theirs = go.find((row) => row.name === name && row.library.startsWith("leslie-fei/fastcache"));
    if (theirs === undefined) return [];
    return [atLeast(`leslie-fei/fastcache as shipped ÷ ours, ${name}`, theirs.ns / rowOf(core, name).ns, 25)];
  });
}

/** Ratios of what took turns are taken within each round; the median of them is the figure. */
function each(a, b) {
  return a.map((number, round) => number / b[round]);
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function javaScriptBars(core, rows) {
  const bars = [];
  for (const [runtime, { name, factor }] of Object.entries(RUNTIMES)) {
    const mixed = (store, operation, order = "random") =>
      rows.find(
        (row) =>
          row.runtime === runtime &&
          row.group === "mixed" &&
          row.store === store &&
          row.operation === operation &&
          row.order === order,
      );
    const ns = (store, operation) => mixed(store, operation)?.ns;
    const transactions = "set, transactions of 1,000";
    for (const order of ["random", "insertion"]) {
      for (const operation of ["get", "set"]) {
        const [ours, theirs] = ["fastcache", "lru-cache"].map(
          (store) => mixed(store, operation, order).rounds,
        );
        const ratio = median(each(ours, theirs));
        bars.push(atMost(`${name} ${operation} ÷ lru-cache, ${order} order`, ratio, factor));
      }
    }
    for (const [what, theirs, ours, bar] of [
      ["get", "get", "get", 10],
      ["set one by one", "set", "set", 50],
      ["set, transactions", transactions, "set", 20],
    ]) {
      bars.push(atLeast(`${name}: lmdb ÷ ours, ${what}`, ns("lmdb", theirs) / ns("fastcache", ours), bar));
    }
    const redis = ns("redis", "get");
    if (runtime !== "bun") continue;
    if (redis) bars.push(atLeast("Bun: redis ÷ ours, get, sequential", redis / ns("fastcache", "get"), 300));
    for (const [order, keys] of [
      ["insertion", "insertion order"],
      ["1,000 keys", "1,000 keys"],
    ]) {
      const getInto = rows.find(
        (row) =>
          row.runtime === runtime &&
          row.group === "upstream" &&
          row.operation === "getInto" &&
          row.order === order,
      );
      bars.push(atMost(`Bun getInto - core Get, ns, ${keys}`, getInto.ns - rowOf(core, "Get", keys).ns, 60));
    }
  }
  return bars;
}

function fullBars(full) {
  const share = (length) => full.find((row) => row.name === `user bytes, values of ${length}`).share;
  const sets = full.find((row) => row.name === "set, steady eviction");
  return [
    atMost("p99.9 ÷ median of set, steady eviction", sets["p99.9"] / sets.p50, 10),
    atLeast("user bytes ÷ segment, values of 64", share(64), 0.62),
    atLeast("user bytes ÷ segment, values of 512", share(512), 0.88),
    atLeast("user bytes ÷ segment, values of 4,096", share(4096), 0.93),
  ];
}

function hitRatioBars(rows) {
  if (rows.length === 0) return [];
  const least = (name) => Math.min(...rows.map((row) => row[name]));
  const mean = (name) => rows.reduce((sum, row) => sum + row[name], 0) / rows.length;
  return [
    atLeast("lru - exact LRU, points, least (1,000 objects and more)", least("lru - exact"), -0.3),
    atLeast("s3-fifo - reference, points, least (the same)", least("s3-fifo - S3-FIFO"), -0.5),
    atLeast("s3-fifo - exact LRU, points, on average (the same)", mean("s3-fifo") - mean("exact LRU"), 0),
  ];
}

function atMost(figure, measured, bar) {
  return { figure, measured: measured.toFixed(2), bar: `≤ ${bar}`, reached: measured <= bar ? "yes" : "no" };
}

function atLeast(figure, measured, bar) {
  return { figure, measured: measured.toFixed(2), bar: `≥ ${bar}`, reached: measured >= bar ? "yes" : "no" };
}
