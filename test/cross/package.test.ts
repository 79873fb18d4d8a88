// The package as users get it from npm: packed, unpacked elsewhere, and imported by its name.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, runtime, systemPath, toolEnvironment } from "../../scripts/lib/tools.mjs";
import { type RuntimeName, runtimeNames } from "./process.ts";

const folder = mkdtempSync(join(tmpdir(), "package-"));
const installed = join(folder, "node_modules/fastcache");
const env = toolEnvironment({ PATH: systemPath(), npm_config_cache: join(folder, "npm") });

beforeAll(() => {
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const tarball = execFileSync("npm", pack, { cwd: root, env, encoding: "utf8" }).trim();
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, tarball), "--strip-components=1", "-C", installed]);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(folder, "use.ts"),
    `import { FastCache } from "fastcache";
     using cache = FastCache.open({ size: "1MiB" });
     console.log(cache.set("key", { from: "the package" }).get("key"));`,
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

test("has what users need and nothing else", () => {
  const files = ["CHANGELOG.md", "LICENSE", "README.md", "build.zig", "core", "dist", "package.json"];
  expect(readdirSync(installed).sort()).toEqual(files);
  const platforms = ["linux-arm64-gnu", "linux-arm64-musl", "linux-x64-gnu", "linux-x64-musl"];
  expect(readdirSync(join(installed, "dist/native")).sort()).toEqual(platforms);
});

const options: Record<RuntimeName, string[]> = { bun: [], deno: ["--node-modules-dir=manual"], node: [] };

test.each(runtimeNames)("works in %s", (name) => {
  const [command, ...args] = runtime(name);
  const all = [...args, ...options[name], "use.ts"];
  expect(execFileSync(command, all, { cwd: folder, env, encoding: "utf8" })).toContain("the package");
});
