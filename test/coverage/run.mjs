// Which branches of core/ the C tests take: gcc instruments the core, all C tests run, gcov counts.
//
//   node test/coverage/run.mjs               npm run attack -- coverage
//   node test/coverage/run.mjs index_test    only these programs; then there is no bar
//
// The core is the release build, without assertions: these have a side that must never be taken. Code of a header
// counts once, however many files include it: a branch is taken if it is in any of them. What a system call answers
// only when it fails is most of what is open in core/os/, which is why that has a total of its own and no bar.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { endChildrenOnSignal, must, run } from "../../scripts/lib/process.mjs";
import { root } from "../../scripts/lib/tools.mjs";

const BRANCHES_PERCENT_MIN = 92;
const SECONDS_MAX = 600;

/** A child that a test ends at once writes its counts too. */
const EXIT = `
void __gcov_dump(void);
_Noreturn void __real__exit(int);
_Noreturn void __wrap__exit(int status) { __gcov_dump(); __real__exit(status); }
`;

const wanted = process.argv.slice(2);
if (!(await isThere("gcc")) || !(await isThere("gcov"))) {
  console.log("skipped: gcc and gcov are not installed, and Zig has no runtime that counts branches");
} else {
  const folder = mkdtempSync(join(tmpdir(), "fastcache-coverage-"));
  endChildrenOnSignal(() => rmSync(folder, { recursive: true }));
  try {
    process.exitCode = await measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(folder) {
  const sources = filesIn(["core", "core/os/posix", `core/os/${process.platform}`], /\.c$/);
  const tests = filesIn(["test/core", "test/exhaustion", "test/fuzz"], /_test\.c$/).filter(
    (file) => wanted.length === 0 || wanted.includes(basename(file, ".c")),
  );
  writeFileSync(join(folder, "exit.c"), EXIT);
  const common = ["-std=c17", "-w", "-Icore", "-Icore/include", "-Itest/core"];
  // What is always inlined would count once for each place; `unused` is an attribute that does nothing.
  const counting = ["-O0", "-DNDEBUG", "-Dalways_inline=unused", "--coverage", "-fprofile-update=atomic"];
  const objects = sources.map((file) => join(folder, `${file.replaceAll("/", "-")}.o`));
  await all(sources, (file, i) => quietly("gcc", ...common, ...counting, "-c", file, "-o", objects[i]));
  const programs = tests.map((file) => join(folder, basename(file, ".c")));
  await all(tests, async (file, i) => {
    const object = `${programs[i]}.o`;
    await quietly("gcc", ...common, "-O1", "-DNDEBUG", "-c", file, "-o", object);
    const wrapped = ["-Wl,--wrap=_exit", join(folder, "exit.c"), "--coverage", "-fno-profile-arcs"];
    const libraries = ["-lm", "-lpthread"];
    await quietly("gcc", object, ...objects, ...wrapped, ...libraries, "-o", programs[i]);
  });
  await all(programs, (program) => quietly(program));
  const reports = await all(objects, (object) =>
    quietly("gcov", "--json-format", "--stdout", "--branch-probabilities", object),
  );
  return print(merge(reports));
}

/** By file: its lines with how often they ran, and their branches. */
function merge(reports) {
  const files = new Map();
  for (const report of reports.flatMap((text) => text.split("\n").filter((line) => line.startsWith("{")))) {
    for (const { file, lines } of JSON.parse(report).files) {
      const path = relative(root, join(root, file));
      if (!path.startsWith("core/")) continue;
      if (!files.has(path)) files.set(path, new Map());
      for (const line of lines) mergeLine(files.get(path), line);
    }
  }
  return files;
}

function mergeLine(lines, { line_number: number, count, branches }) {
  const line = lines.get(number) ?? { count: 0, taken: [] };
  line.count += count;
  branches.forEach((branch, i) => {
    line.taken[i] = (line.taken[i] ?? 0) + branch.count;
  });
  lines.set(number, line);
}

function print(files) {
  const width = Math.max(...[...files.keys()].map((path) => path.length));
  const row = (name, sum, open = "") => {
    const cells = [percent(sum.ran, sum.lines), sum.lines, percent(sum.taken, sum.branches), sum.branches];
    console.log(
      `${name.padEnd(width)}${cells.map((cell) => String(cell).padStart(10)).join("")}  ${open}`.trimEnd(),
    );
  };
  console.log(`${"".padEnd(width)}    lines %     lines branches %  branches  not taken, by line`);
  const sums = { core: emptySum(), os: emptySum() };
  for (const path of [...files.keys()].sort()) {
    const sum = emptySum();
    const open = [];
    for (const [number, { count, taken }] of files.get(path)) {
      sum.lines += 1;
      sum.ran += count > 0 ? 1 : 0;
      sum.branches += taken.length;
      sum.taken += taken.filter((times) => times > 0).length;
      if (taken.includes(0)) open.push(number);
    }
    row(path, sum, open.sort((a, b) => a - b).join(" "));
    const total = path.startsWith("core/os/") ? sums.os : sums.core;
    for (const key of Object.keys(total)) total[key] += sum[key];
  }
  row("core/os/", sums.os);
  row("core/ but for os/", sums.core);
  if (wanted.length > 0) return 0;
  const reached = (100 * sums.core.taken) / sums.core.branches;
  const good = reached >= BRANCHES_PERCENT_MIN;
  const name = `${BRANCHES_PERCENT_MIN} % of the branches of core/ are taken`;
  console.log(`${good ? "ok" : "not ok"} 1 - ${name}: ${reached.toFixed(1)} %`);
  return good ? 0 : 1;
}

function emptySum() {
  return { lines: 0, ran: 0, branches: 0, taken: 0 };
}

function percent(part, whole) {
  return whole === 0 ? "-" : ((100 * part) / whole).toFixed(1);
}

function filesIn(folders, pattern) {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => pattern.test(file))
      .sort()
      .map((file) => `${folder}/${file}`),
  );
}

/** As many at a time as there are processors; the results in order. */
async function all(items, work) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i], i);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}

/** What a command prints; an error with all of it if it fails. */
async function quietly(...command) {
  return (await must(command, { quiet: true, limitSeconds: SECONDS_MAX })).output;
}

async function isThere(program) {
  return (await run([program, "--version"], { quiet: true })).code === 0;
}
