// What a test run must not leave behind: shared-memory segments, processes, temporary files.
//
// Others may use the machine at the same time, so each kind is told apart from theirs: processes by a mark in their
// environment, temporary files by a folder of our own, segments by being new and in no other process's use.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SHM = "/dev/shm";
const SEGMENT = /^fastcache\d*-/;
const MARK = "FASTCACHE_TEST_RUN";
// A process that was told to end may take a moment.
const GRACE_MS = 3000;

export class Leftovers {
  #mark = `${process.pid}-${Date.now()}`;
  #folder = mkdtempSync(join(tmpdir(), "fastcache-test-"));
  #before = new Set(segments());

  /** What a stage runs in: the environment of its processes, and a folder for its own reports. */
  place() {
    const reports = join(this.#folder, "reports");
    mkdirSync(this.#temporary, { recursive: true });
    mkdirSync(reports, { recursive: true });
    return { env: { [MARK]: this.#mark, TMPDIR: this.#temporary }, reports };
  }

  get #temporary() {
    return join(this.#folder, "temporary");
  }

  /** A list for each kind; empty lists are what we hope for. Waits a little before it complains. */
  async find() {
    const patience = Date.now() + GRACE_MS;
    for (;;) {
      const found = {
        segments: this.#segments(),
        processes: this.#processes().map((pid) => `${pid} ${read(pid, "cmdline").replaceAll("\0", " ")}`),
        "temporary files": existsSync(this.#temporary) ? readdirSync(this.#temporary) : [],
      };
      if (Object.values(found).every((list) => list.length === 0) || Date.now() > patience) return found;
      await sleep(100);
    }
  }

  /** Ends what still runs, and removes segments and temporary files. */
  remove() {
    for (const pid of this.#processes()) process.kill(pid, "SIGKILL");
    for (const name of this.#segments()) rmSync(join(SHM, name), { force: true });
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #segments() {
    return segments().filter((name) => !this.#before.has(name) && !this.#usedByOthers(name));
  }

  #processes() {
    return processes().filter((pid) => this.#isOurs(pid));
  }

  #isOurs(pid) {
    return read(pid, "environ").split("\0").includes(`${MARK}=${this.#mark}`);
  }

  #usedByOthers(segment) {
    return processes().some((pid) => read(pid, "maps").includes(`${SHM}/${segment}`) && !this.#isOurs(pid));
  }
}

function segments() {
  return readdirSync(SHM).filter((name) => SEGMENT.test(name) && isOwn(join(SHM, name)));
}

function isOwn(path) {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.getuid();
}

function processes() {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
}

/** A file of a process; empty if the process is gone or another user's. */
function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(error.code)) return "";
    throw error;
  }
}
