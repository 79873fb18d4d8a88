// Processes in different PID namespaces, linked with different C libraries, in one segment: each notices the other's
// death. Both may well have the same process id, each in its own namespace.
//
//   node test/crash/namespaces.mjs
//
// A victim in a namespace of its own writes for ever and is killed; a survivor then writes to the same shard. That is
// repeated until the survivor has taken over the lock from a dead victim several times.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { FastCache } from "fastcache";
import { root, runtime, toolEnvironment } from "../../scripts/lib/tools.mjs";
import { inspect, randomFrom, sleep } from "./crowd.mjs";

const TAKEOVERS_WANTED = 3;
const ROUNDS_MAX = 300;
const ANSWER_MS_MAX = 20_000;
const SIZE = 1 << 20;

const participant = join(root, "zig-out/cross/participant");
const outside = [];
const namespaces = ["--pid", "--fork", "--kill-child"];
const ways = [
  ["unshare", ...namespaces],
  ["unshare", "--user", "--map-root-user", ...namespaces],
];
const inside = ways.find(([program, ...args]) => spawnSync(program, [...args, "true"]).status === 0);

/** participant.c, statically linked with musl, or driver.ts in Node, which is linked with glibc. */
class Process {
  #child;
  #lines;

  constructor(namespace, command) {
    const [program, ...args] = [...namespace, ...command];
    this.#child = spawn(program, args, {
      cwd: root,
      env: toolEnvironment(),
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(line) {
    const timeout = AbortSignal.timeout(ANSWER_MS_MAX);
    const late = new Promise((_, reject) => {
      timeout.onabort = () => reject(new Error(`no answer to '${line}' in ${ANSWER_MS_MAX} ms`));
    });
    this.#child.stdin.write(`${line}\n`);
    const { value, done } = await Promise.race([this.#lines.next(), late]);
    if (done) throw new Error(`the process ended at '${line}'`);
    return value;
  }

  async kill() {
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}

/** What the two kinds of process are asked, in their own languages. */
const musl = {
  name: "musl",
  command: [participant],
  open: (name) => `open ${name} ${SIZE}`,
  set: (key, value) => `set ${key} ${value}`,
  get: (key) => `get ${key}`,
  forever: "forever victim",
  is: (answer, value) => answer === (value === undefined ? "ok" : `ok ${value}`),
};
const glibc = {
  name: "glibc",
  command: [...runtime("node"), join(root, "test/cross/driver.ts")],
  open: (name) => JSON.stringify(["open", { name, size: SIZE }]),
  set: (key, value) => JSON.stringify(["call", "set", key, value]),
  get: (key) => JSON.stringify(["call", "get", key]),
  forever: JSON.stringify(["setForever", "victim"]),
  is: (answer, value) =>
    value === undefined ? "value" in JSON.parse(answer) : JSON.parse(answer).value === value,
};

async function expect(kind, process, question, value) {
  const answer = await process.ask(question);
  if (!kind.is(answer, value)) throw new Error(`${kind.name}: '${question}' was answered '${answer}'`);
}

async function outlive(victimKind, victimPlace, survivorKind, survivorPlace) {
  const name = `namespaces-${process.pid}`;
  const random = randomFrom(process.pid);
  const cache = FastCache.open({ name, size: SIZE, shards: 1, create: "exclusive" });
  const survivor = new Process(survivorPlace, survivorKind.command);
  let rounds = 0;
  try {
    await survivor.ask(survivorKind.open(name));
    while (rounds < ROUNDS_MAX && inspect(name).takeovers < TAKEOVERS_WANTED) {
      const victim = new Process(victimPlace, victimKind.command);
      await victim.ask(victimKind.open(name));
      await expect(survivorKind, survivor, survivorKind.set("shared", `round ${rounds}`));
      await expect(victimKind, victim, victimKind.get("shared"), `round ${rounds}`);
      await expect(victimKind, victim, victimKind.forever);
      await sleep(random(20));
      await victim.kill();
      await expect(survivorKind, survivor, survivorKind.set("survivor", `round ${rounds}`));
      await expect(survivorKind, survivor, survivorKind.get("survivor"), `round ${rounds}`);
      rounds++;
    }
    const { takeovers } = inspect(name);
    if (takeovers < TAKEOVERS_WANTED) throw new Error(`only ${takeovers} take-overs in ${rounds} deaths`);
    return `${rounds} deaths, ${takeovers} take-overs`;
  } finally {
    await survivor.kill();
    cache.close();
    FastCache.destroy(name);
  }
}

if (inside === undefined) {
  console.log("ok 1 - namespaces # skip: unshare is not permitted here");
} else {
  const pairs = [
    [musl, inside, musl, inside],
    [musl, inside, musl, outside],
    [glibc, inside, musl, outside],
    [musl, outside, glibc, inside],
  ];
  const place = (namespace) => (namespace === inside ? "in a namespace of its own" : "outside");
  for (const [i, [victim, victimPlace, survivor, survivorPlace]] of pairs.entries()) {
    const figures = await outlive(victim, victimPlace, survivor, survivorPlace);
    console.log(
      `ok ${i + 1} - victim with ${victim.name} ${place(victimPlace)}, survivor with ${survivor.name} ` +
        `${place(survivorPlace)}: ${figures}`,
    );
  }
}
