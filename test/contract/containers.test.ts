// SPDX-License-Identifier: MIT
//
// What a container or a host may lack or have of its own: shared memory, memory, a time of its own.
// Each program runs in a namespace made for it, where this system lets us make one.

import { spawnSync } from "node:child_process";
import { FastCache } from "fastcache";
import { describe, expect, test } from "vitest";
import { run } from "../support/child.ts";
import { open, uniqueName, uniquePath } from "../support/segments.ts";

/** The command that runs others in namespaces of their own, or undefined where none may be made. */
function namespaces(...flags: string[]): string[] | undefined {
  const ways = [
    ["unshare", ...flags],
    ["unshare", "--user", "--map-root-user", ...flags],
  ];
  return ways.find(([program = "", ...args]) => spawnSync(program, [...args, "true"]).status === 0);
}

const mounts = namespaces("--mount");
/** A shell that mounts what `script` says, then runs the program. */
const mounted = (script: string) => [...(mounts ?? []), "sh", "-ec", `${script}; exec "$@"`, "sh"];

/** /dev with what a runtime needs of it, but no folder for shared memory. */
const WITHOUT_SHM = `
  old=$(mktemp -d)
  mount --rbind /dev "$old"
  mount -t tmpfs none /dev
  for file in null zero full random urandom tty; do touch /dev/$file; mount --bind "$old/$file" /dev/$file; done
  ln -s /proc/self/fd /dev/fd
  umount -l "$old"
  rmdir "$old"`;
const READ_ONLY_SHM = "mount -t tmpfs -o ro none /dev/shm";

const TRY = `
  const attempt = (call) => {
    try { return call(); } catch (error) { return { code: error.code, message: error.message }; }
  };
  console.log(JSON.stringify([
    attempt(() => FastCache.open({ name: "there-is-none", size: "1MiB" })),
    attempt(() => FastCache.open({ name: "there-is-none", create: false })),
    attempt(() => FastCache.list()),
    attempt(() => FastCache.open({ path: input, size: "1MiB" }).set("key", "in a file").get("key")),
    attempt(() => FastCache.open({ size: "1MiB" }).set("key", "private").get("key")),
  ]));`;

describe.skipIf(mounts === undefined)("named segments (needs leave to mount)", () => {
  test("where there is no /dev/shm: an error that names `path`, and an empty list", () => {
    const seen = JSON.parse(run(TRY, uniquePath(), { under: mounted(WITHOUT_SHM) }));
    expect(seen).toEqual([
      { code: "ERR_FASTCACHE_NO_SPACE", message: expect.stringMatching(/no \/dev\/shm.*`path`/) },
      { code: "ERR_FASTCACHE_NOT_FOUND", message: expect.stringMatching(/no \/dev\/shm.*`path`/) },
      [],
      "in a file",
      "private",
    ]);
  });

  test("where /dev/shm is read-only: an error that tells", () => {
    const seen = JSON.parse(run(TRY, uniquePath(), { under: mounted(READ_ONLY_SHM) }));
    expect(seen).toEqual([
      { code: "ERR_FASTCACHE_PERMISSION", message: expect.stringMatching(/read-only.*`path`/) },
      { code: "ERR_FASTCACHE_NOT_FOUND", message: expect.stringMatching(/read-only.*`path`/) },
      [],
      "in a file",
      "private",
    ]);
  });
});

const anotherTime = namespaces("--time", "--boottime", "86400", "--monotonic", "-50", "--fork");

describe.skipIf(anotherTime === undefined)("in another time namespace (needs leave to make one)", () => {
  test("deadlines are the same, from outside and from inside", () => {
    const name = uniqueName();
    const cache = open({ name, size: "1MiB" });
    cache.set("ours", 1, { ttl: 60_000 }).set("gone", 1, { ttl: 1 });
    while (cache.has("gone"));
    const body = `
      const cache = FastCache.open({ name: input });
      cache.set("theirs", 2, { ttl: 60_000 });
      console.log(JSON.stringify([cache.get("ours"), cache.ttl("ours"), cache.has("gone"), cache.ttl("theirs")]));
      cache.close();`;
    const [value, ttl, gone, theirs] = JSON.parse(run(body, name, { under: anotherTime as string[] }));
    expect([value, gone]).toEqual([1, false]);
    for (const left of [ttl, theirs, cache.ttl("theirs"), cache.ttl("ours")]) {
      expect(left).toBeGreaterThan(30_000);
      expect(left).toBeLessThanOrEqual(60_000);
    }
    expect(cache.get("theirs")).toBe(2);
  });
});

test("more memory than there is: NO_SPACE names what limits it, and both numbers", () => {
  const name = uniqueName();
  expect(() => open({ name, size: "2TiB" })).toThrow(
    /cannot reserve 2199023255552 bytes .* has \d+ bytes in all, of which \d+ are left; use a smaller size/,
  );
  expect(FastCache.list()).not.toContain(name);
});
