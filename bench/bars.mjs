// The figures to reach: each from one run, as a ratio where the machine has a part in it.

/** Rows of { figure, measured, bar, reached }; a bar whose figure was not measured is not in it. */
export function barTable(core, latency, ratios) {
  const ns = (name) => core.find((row) => row.name === name && row.keys !== "zipf 0.99").ns;
  const share = (length) => latency.find((row) => row.name === `user bytes, values of ${length}`).share;
  const dram = ns("dependent DRAM read");
  const sets = latency.find((row) => row.name === "set, steady eviction");
  // Throughput of two processes over that of one, relative to plain reads: `ns` is per operation of both.
  const plain = ns("independent DRAM reads") / ns("independent DRAM reads, 2 processes");
  const scaling = (name) => ns(name) / ns(`${name}, 2 processes`) / plain;
  const rows = [
    atMost("Get ÷ dependent DRAM read", ns("Get") / dram, 1.2),
    atMost("SetAndGet ÷ dependent DRAM read", ns("SetAndGet") / dram, 1.2),
    atMost("Set ÷ dependent DRAM read", ns("Set") / dram, 2),
    atMost("getMany per key ÷ Get", ns("getMany") / ns("Get"), 0.5),
    atLeast("Get, 2 processes ÷ 1, relative to plain reads", scaling("Get"), 0.95),
    atLeast("90/10, 2 processes ÷ 1, relative to plain reads", scaling("90/10"), 0.9),
    atMost("p99.9 ÷ median of set, steady eviction", sets["p99.9"] / sets.p50, 10),
    atLeast("user bytes ÷ segment, values of 64", share(64), 0.62),
    atLeast("user bytes ÷ segment, values of 512", share(512), 0.88),
    atLeast("user bytes ÷ segment, values of 4,096", share(4096), 0.93),
  ];
  const large = ratios.filter((row) => row.objects >= 1000);
  if (large.length > 0) {
    const least = (name) => Math.min(...large.map((row) => row[name]));
    rows.push(
      atLeast("lru - exact LRU, points, least of all traces", least("lru - exact"), -0.3),
      atLeast("s3-fifo - reference, points, least of all traces", least("s3-fifo - S3-FIFO"), -0.5),
      atLeast(
        "s3-fifo - exact LRU, points, on average",
        mean(large, "s3-fifo") - mean(large, "exact LRU"),
        0,
      ),
    );
  }
  return rows;
}

function mean(rows, name) {
  return rows.reduce((sum, row) => sum + row[name], 0) / rows.length;
}

function atMost(figure, measured, bar) {
  return { figure, measured: measured.toFixed(2), bar: `≤ ${bar}`, reached: measured <= bar ? "yes" : "no" };
}

function atLeast(figure, measured, bar) {
  return { figure, measured: measured.toFixed(2), bar: `≥ ${bar}`, reached: measured >= bar ? "yes" : "no" };
}
