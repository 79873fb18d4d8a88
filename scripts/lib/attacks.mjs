// The attacks that docs/reliability.md describes. Each has a short form, of seconds to minutes, and mostly a long one, of
// up to hours. A form is a list of commands; they need `attackPath()` as their PATH.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { modules, root, runtime, tool } from "./tools.mjs";

/** By name: what it attacks, its forms, which parts of it may be run alone, and whether numbers may follow these. */
export const attacks = {
  crash: {
    what: "death and stop at every instruction, kill storms, PID namespaces",
    short: (...parts) => crash("--short", ...parts),
    long: (...parts) => crash(...parts),
    parts: ["step", "reader", "create", "storm", "runtimes", "namespaces"],
  },
  files: {
    what: "loss of power, copies in use: what a segment's file holds then",
    short: () => power("--images", "300", "--copies", "100"),
    long: () => power("--images", "30000", "--copies", "10000"),
  },
  sim: {
    what: "dozens of simulated processes, with deaths, stops and leaps at any step, from a seed",
    short: () => simulate("15"),
    long: () => simulate("300"),
  },
  mutations: {
    what: "faults put into the core one at a time: does the simulator find each?",
    short: (...ids) => [[tool("node"), join(root, "test/sim/mutate.mjs"), ...ids]],
    long: () => [[tool("node"), join(root, "test/sim/mutate.mjs"), "--write"]], // docs/mutations.md
  },
  soak: {
    what: "mixed load with deaths in three runtimes: does anything grow?",
    short: () => crash("--short", "soak"),
    long: () => crash("soak"),
  },
  fuzz: {
    what: "damaged segments, by libFuzzer",
    short: () => shell("fuzz", "damage", "-runs=200000"),
    long: () => shell("fuzz", "damage", "-runs=10000000"),
  },
  sequence: {
    what: "sequences of operations beside a model of them, by libFuzzer",
    short: () => shell("fuzz", "sequence", "45"),
    long: () => shell("fuzz", "sequence", "600"),
  },
  race: {
    what: "threads and handles, under the thread sanitizer",
    short: () => shell("race"),
    long: () => shell("race", "20000"),
  },
  model: {
    what: "every order of the steps of a reader and two writers, by Spin",
    short: () => shell("model"),
    long: () => shell("model", "--long"),
  },
  order: {
    what: "what weak memory may do to each protocol, by loom and GenMC",
    short: () => shell("order"),
    long: () => shell("order", "--long"),
  },
  exhaustion: {
    what: "every shortage of memory, files and slots, and leaps of the clock",
    short: () => tests(exhaustionTests()),
  },
  nodes: {
    what: "the contract suite in Node 20, 22, 24 and 26",
    short: () => [[tool("node"), join(root, "scripts/nodes.mjs")]],
  },
  bundlers: {
    what: "an app by each bundler, moved to another folder: does it work there?",
    short: () => [[tool("node"), join(root, "scripts/bundlers.mjs")]],
    long: () => [[tool("node"), join(root, "scripts/bundlers.mjs"), "--write"]], // docs/bundlers.md
  },
  arm64: {
    what: "the C tests, and a participant beside the runtimes, under an emulator of arm64",
    short: () => shell("arm64"),
  },
  package: {
    what: "the package with every package manager, TypeScript, JSR, and built twice",
    short: (...parts) => [[tool("node"), join(root, "scripts/package.mjs"), ...parts]],
    parts: ["consumers", "types", "attw", "reproducible", "jsr", "sbom"],
  },
  history: {
    what: "recorded histories of three runtimes, checked for linearisability",
    short: (part) => histories(part ?? "recorded"),
    long: (part) =>
      (part === undefined ? ["recorded", "mutants"] : [part]).flatMap((each) => histories(each, "--long")),
    parts: ["recorded", "mutants"],
  },
  room: {
    what: "nothing live leaves while there is room; the long form also in real time",
    short: () => tests(["room_test", "space_test"]),
    long: () => [
      ...tests(["room_test", "space_test"], ["env", "FASTCACHE_LONG=1"]),
      [...runtime("node"), join(root, "test/crash/room.mjs")],
    ],
  },
  coverage: {
    what: "which branches of the core the C tests take",
    short: () => program("coverage"),
  },
  mutants: {
    what: "small faults: does a test notice each? Takes a seed and a number of mutants",
    short: (part = "core", ...numbers) => program("mutants", part, ...numbers),
    parts: ["core", "src"],
    numbers: true,
  },
};

/** With the tools of npm before the machine's. */
export function attackPath() {
  return `${join(modules, ".bin")}:${process.env.PATH}`;
}

function crash(...args) {
  return program("crash", ...args);
}

function program(folder, ...args) {
  return [[tool("node"), join(root, "test", folder, "run.mjs"), ...args]];
}

/** `recorded` is what the cache itself does; `mutants` are caches with a defect each, which has to be found. */
function histories(part, ...args) {
  if (part === "mutants") return [[tool("node"), join(root, "test/history/mutants.mjs")]];
  return [[...runtime("node"), join(root, "test/history/run.mjs"), ...args]];
}

function power(...args) {
  return [
    [tool("zig"), "build", "crash"],
    [join(root, "zig-out/crash/power"), ...args],
  ];
}

function simulate(seconds) {
  return [
    [tool("zig"), "build", "sim"],
    [join(root, "zig-out/sim/main"), "--seconds", seconds],
  ];
}

function shell(folder, ...args) {
  return [["bash", join(root, "test", folder, "run.sh"), ...args]];
}

/** C tests, each behind the words of `before`. */
function tests(names, before = []) {
  const compile = [tool("zig"), "build", "test-build"];
  return [compile, ...names.map((name) => [...before, join(root, "zig-out/core-test", name)])];
}

function exhaustionTests() {
  const sources = readdirSync(join(root, "test/exhaustion")).filter((file) => file.endsWith("_test.c"));
  return sources.sort().map((file) => file.replace(/\.c$/, ""));
}
