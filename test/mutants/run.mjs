// Do the tests notice a fault? A mutant is a copy of the tree with one small change (operators.mjs); a test that fails
// kills it. What survives is a hole in the tests, or equivalent, for a reason that equivalent.mjs gives.
//
//   npm run attack -- mutants core 1 60      60 mutants of core/, drawn with seed 1; the C tests
//   npm run attack -- mutants src 1 24       24 of src/; the contract tests, in Bun and then Node 26
//   node test/mutants/run.mjs core 1 60 3 17    of those only numbers 3 and 17
//
// The core is built optimised, with its assertions and the checks for undefined behaviour. Tests run in the order of
// the time they take, the quickest first, each up to a multiple of that; one that takes longer kills too. Weakened
// memory orders are counted and not run: a strong processor hides them.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { endChildrenOnSignal, must, run } from "../../scripts/lib/process.mjs";
import { modules, root, runtime, tool } from "../../scripts/lib/tools.mjs";
import { equivalent } from "./equivalent.mjs";
import { mutantsOf, withMutant } from "./operators.mjs";

const SLOWER = 8;
const SECONDS_MORE = 20;
const COMPILE_SECONDS_MAX = 300;

const targets = { core: coreTarget, src: srcTarget };
const [name = "core", seed = "1", count = "60", ...only] = process.argv.slice(2);
if (!Object.hasOwn(targets, name)) {
  console.error(`no mutants of ${name}: there are ${Object.keys(targets).join(" and ")}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "fastcache-mutants-"));
endChildrenOnSignal(() => rmSync(folder, { recursive: true, force: true }));
try {
  process.exitCode = await attack(await targets[name](), Number(seed), Number(count), only.map(Number));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function attack(target, seed, count, only) {
  const all = target.files.flatMap((file) =>
    mutantsOf(readFileSync(join(root, file), "utf8"), target.language).map((mutant) => ({ ...mutant, file })),
  );
  console.log(`${name}: ${all.length} mutants are possible; seed ${seed}`);
  const sums = { killed: 0, survived: 0, equivalent: 0, order: 0 };
  const numbers = { drawn: 0, ran: 0 };
  for (const mutant of shuffled(all, seed)) {
    if (numbers.ran === count) break;
    numbers.drawn++;
    if (mutant.kind === "order") {
      sums.order++;
      continue;
    }
    const wanted = only.length === 0 || only.includes(numbers.ran + 1);
    const outcome = wanted || target.language === "c" ? await outcomeOf(target, mutant, wanted) : "unwanted";
    if (outcome === undefined) continue;
    numbers.ran++;
    if (!wanted) continue;
    const word = outcome.split(" ")[0];
    sums[word]++;
    const change = `${short(mutant.from)} -> ${short(mutant.to)}`;
    console.log(`${numbers.ran} ${mutant.file}:${mutant.line} ${mutant.kind}: ${change}: ${outcome}`);
  }
  const { killed, survived, equivalent, order } = sums;
  const rate = killed + survived === 0 ? "-" : `${Math.round((100 * killed) / (killed + survived))} %`;
  console.log(
    `${killed} killed, ${survived} survived (${rate}), ${equivalent} equivalent; ` +
      `${order} weaker orders: see test/race and test/model`,
  );
  console.log(`${survived === 0 ? "ok" : "not ok"} 1 - each of ${numbers.ran} mutants of ${name} is noticed`);
  return survived === 0 ? 0 : 1;
}

/** Undefined if it does not compile. */
async function outcomeOf(target, mutant, wanted) {
  const reason = reasonOf(mutant);
  const original = readFileSync(join(root, mutant.file), "utf8");
  writeFileSync(join(folder, mutant.file), withMutant(original, mutant));
  try {
    if (!(await target.build(mutant.file))) return undefined;
    if (!wanted) return "unwanted";
    if (reason !== undefined) return `equivalent (${reason})`;
    for (const { title, command, limitSeconds, env } of target.tests) {
      const prepared = await target.prepare(title);
      const result = prepared
        ? await run(command, { cwd: folder, quiet: true, limitSeconds, env })
        : { code: 1 };
      if (result.code !== 0) return `killed by ${title}, ${Math.round(result.seconds ?? 0)} s`;
    }
    return "survived";
  } finally {
    writeFileSync(join(folder, mutant.file), original);
    await target.restore(mutant.file);
  }
}

function reasonOf(mutant) {
  const same = (known) => ["file", "text", "from", "to"].every((key) => known[key] === mutant[key]);
  return equivalent.find((known) => same(known) && (known.before ?? mutant.before) === mutant.before)?.why;
}

/* ------------------------------------------------------------------- core/ */

async function coreTarget() {
  for (const path of ["core", "test/core", "test/exhaustion", "test/fuzz"])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  const system = `core/os/${process.platform}`;
  const sources = filesIn(["core", "core/os/posix", system], /\.c$/);
  const tests = filesIn(["test/core", "test/exhaustion", "test/fuzz"], /_test\.c$/);
  const object = (file) => join(folder, `${file.replaceAll("/", "-")}.o`);
  const program = (test) => join(folder, basename(test, ".c"));
  const flags = [
    "-std=c17",
    "-w",
    "-O1",
    "-fsanitize=undefined",
    "-fsanitize-trap=undefined",
    "-Icore",
    "-Icore/include",
  ];
  const zig = (...args) =>
    run([tool("zig"), "cc", ...args], { cwd: folder, quiet: true, limitSeconds: COMPILE_SECONDS_MAX });
  const compile = async (file) =>
    (await zig(...flags, "-Itest/core", "-c", file, "-o", object(file))).code === 0;
  const link = async (title) => {
    const test = tests.find((file) => basename(file, ".c") === title);
    return (
      (await zig(object(test), ...sources.map(object), "-lm", "-lpthread", "-o", program(test))).code === 0
    );
  };
  const compileAll = async () => {
    for (const file of [...sources, ...tests]) if (!(await compile(file))) return false;
    return true;
  };
  if (!(await compileAll())) throw new Error("the core does not compile");
  const timed = [];
  for (const test of tests) {
    const title = basename(test, ".c");
    if (!(await link(title))) throw new Error(`${title} does not link`);
    const { seconds } = await must([program(test)], { cwd: folder, quiet: true, env: { TMPDIR: folder } });
    const limitSeconds = seconds * SLOWER + SECONDS_MORE;
    timed.push({ title, command: [program(test)], seconds, limitSeconds, env: { TMPDIR: folder } });
  }
  timed.sort((a, b) => a.seconds - b.seconds);
  console.log(`tests: ${timed.map(({ title, seconds }) => `${title} ${seconds.toFixed(1)} s`).join(", ")}`);
  const build = (file) => (file.endsWith(".h") ? compileAll() : compile(file));
  return {
    language: "c",
    files: filesIn(["core"], /\.[ch]$/),
    tests: timed,
    build,
    prepare: link,
    restore: build,
  };
}

/* -------------------------------------------------------------------- src/ */

async function srcTarget() {
  for (const path of [
    "src",
    "core/include",
    "core/exports.map",
    "test/contract",
    "test/boundary",
    "test/support",
    "dist",
  ])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  for (const file of ["package.json", "tsconfig.json", "tsconfig.build.json", "vitest.config.ts"])
    cpSync(join(root, file), join(folder, file));
  symlinkSync(modules, join(folder, "node_modules"));
  mkdirSync(join(folder, "core"), { recursive: true });
  const tests = [];
  for (const name of ["bun", "node"]) {
    const command = [
      ...runtime(name),
      join(modules, "vitest/vitest.mjs"),
      "run",
      "--bail=1",
      "test/contract",
    ];
    const { seconds } = await must(command, { cwd: folder, quiet: true });
    tests.push({
      title: `test/contract in ${name}`,
      command,
      limitSeconds: seconds * SLOWER + SECONDS_MORE,
      env: {},
    });
  }
  const always = async () => true;
  return {
    language: "ts",
    files: filesIn(["src", "src/wire"], /\.ts$/),
    tests,
    build: always,
    prepare: always,
    restore: always,
  };
}

/* ------------------------------------------------------------------ helpers */

/** In an order that follows from the seed: Fisher and Yates, over mulberry32. */
function shuffled(items, seed) {
  const result = [...items];
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

function filesIn(folders, pattern) {
  return folders.flatMap((path) =>
    readdirSync(join(root, path))
      .filter((file) => pattern.test(file))
      .sort()
      .map((file) => `${path}/${file}`),
  );
}

function short(text) {
  const line = text.replace(/\s+/g, " ");
  return line.length > 50 ? `${line.slice(0, 47)}...` : line;
}
