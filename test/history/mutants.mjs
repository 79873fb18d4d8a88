// What the histories find: builds the package with one defect at a time, records and checks until the check fails, and says
// after how many seconds. A defect that is not found is a failure, and so is one that no longer fits the code.
//
//   node test/history/mutants.mjs [part of a defect's name]

import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endChildrenOnSignal, must, run } from "../../scripts/lib/process.mjs";
import { root, runtime, tool } from "../../scripts/lib/tools.mjs";

const SECONDS_MAX = 120;
const ROUND_SECONDS = 8;

/** name: what is wrong · file, from, to: where and how */
const defects = [
  {
    name: "a reader does not ask for the generation",
    file: "read.c",
    from: "return load_u64_relaxed(&r->s.lives[extent].generation) <= r->sequence;",
    to: "return extent < r->s.geometry->extents;",
  },
  {
    name: "a store is published by the one after it",
    file: "index.c",
    from: "    store_u64_release(word, value); /* pairs with the acquire of the word in read.c */",
    to: `    static uint64_t *late_word, late_value;
    if (late_word) store_u64_release(late_word, late_value);
    late_word = word;
    late_value = value;`,
  },
  {
    name: "increment lets go of the lock between reading and storing",
    file: "write.c",
    from: "        number += by;",
    to: "        number += by; guard_unlock(&t.s); os_sleep_us(1); if (guard_lock(&t.s) != FC_OK) return FC_BUSY; look_up(&t);",
  },
  {
    name: "replace lets go of the lock between asking and storing",
    file: "write.c",
    from: "    status = condition_met(t, mode, version) ? store_or_recount(t, value, deadline_ms) : FC_MISS;",
    to: `    const bool met = condition_met(t, mode, version);
    guard_unlock(&t->s); os_sleep_us(1); if (guard_lock(&t->s) != FC_OK) return FC_BUSY; look_up(t);
    status = met ? store_or_recount(t, value, deadline_ms) : FC_MISS;`,
  },
  {
    name: "compareAndSet does not compare",
    file: "write.c",
    from: "return t->present && (double)record_version(&t->entry.record) == version;",
    to: "return t->present && (double)record_version(&t->entry.record) >= version;",
  },
  {
    name: "a deadline passes two milliseconds late",
    file: "clock.h",
    from: "return clock_now_ms(c) >= deadline_ms;",
    to: "return clock_now_ms(c) >= deadline_ms + 2;",
  },
  {
    name: "a writer finds what has expired",
    file: "write.c",
    from: "if (!t->present || !deadline_passed(t->s.cache, t->entry.record.deadline_ms)) return;",
    to: "if (!t->present || t->entry.record.deadline_ms + 1 != 0) return;",
  },
  {
    name: "increment gives a new deadline",
    file: "write.c",
    from: "if (t.present) deadline_ms = t.entry.record.deadline_ms;",
    to: "",
  },
  {
    name: "clear leaves words behind",
    file: "index.c",
    from: "        for (uint32_t i = 0; i < BUCKET_WORDS; i++)\n            store_u64_release(&index_bucket(s, number)->words[i], 0);",
    to: "        for (uint32_t i = 0; i < 2; i++)\n            store_u64_release(&index_bucket(s, number)->words[i], 0);",
  },
];

const [wanted = ""] = process.argv.slice(2);
const place = join(root, "zig-out/history/mutant");
const seed = Date.now() % 2 ** 31;
endChildrenOnSignal();
console.log(`# seed ${seed}`);
let count = 0;
for (const defect of defects.filter(({ name }) => name.includes(wanted))) {
  await build(defect);
  const { seconds, skipped } = await untilFound();
  if (skipped !== undefined) {
    console.log(skipped);
    break;
  }
  const isFound = seconds !== undefined;
  const verdict = isFound ? `found after ${seconds.toFixed(1)} s` : `not found in ${SECONDS_MAX} s`;
  console.log(`${isFound ? "ok" : "not ok"} ${++count} - ${defect.name}: ${verdict}`);
  if (!isFound) process.exitCode = 1;
}
rmSync(place, { recursive: true, force: true });

/** The package, with the defect, built in `place`. */
async function build({ name, file, from, to }) {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const part of ["build.zig", "core", "src"])
    cpSync(join(root, part), join(place, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(place, "node_modules")); // headers
  cpSync(join(root, "dist"), join(place, "dist"), {
    recursive: true,
    filter: (path) => !path.endsWith("/native"),
  });
  writeFileSync(join(place, "package.json"), '{ "type": "module" }\n');
  const path = join(place, "core", file);
  const text = readFileSync(path, "utf8");
  if (text.split(from).length !== 2) throw new Error(`"${name}" does not fit core/${file} any more`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  await must([tool("zig"), "build", "-Dhost"], { cwd: place });
}

/** Records and checks until that fails: the seconds it took, nothing if it never does, or why that can't be done here. */
async function untilFound() {
  const begun = Date.now();
  const elapsed = () => (Date.now() - begun) / 1000;
  for (let round = 0; elapsed() < SECONDS_MAX; round++) {
    const options = ["--seed", String(seed + round), "--module", join(place, "dist/index.js")];
    const command = [...runtime("node"), join(root, "test/history/run.mjs"), ...options];
    const { code, output } = await run([...command, "--roomy", String(ROUND_SECONDS)], { quiet: true });
    const skipped = /^skipped: .*$/m.exec(output)?.[0];
    if (skipped !== undefined) return { skipped };
    if (code !== 0) {
      const journals = /the journals are in ([^;]+);/.exec(output)?.[1];
      if (journals === undefined) throw new Error(output); // it ended otherwise
      rmSync(journals, { recursive: true });
      console.log(output.replaceAll(/^(not )?ok/gm, "# $&"));
      return { seconds: elapsed() };
    }
  }
  return {};
}
