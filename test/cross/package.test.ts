// The package as users get it from npm: packed, unpacked elsewhere, and imported by its name.

import { execFile, execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
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
  // The optional peer, as a user would install it beside.
  cpSync(join(root, "node_modules/devalue"), join(folder, "node_modules/devalue"), { recursive: true });
  writeFileSync(
    join(folder, "structured.ts"),
    `import { FastCache } from "fastcache";
     import { structured } from "fastcache/structured";
     using cache = FastCache.open({ size: "1MiB", codec: structured });
     console.log(cache.set("key", { from: /the (subpath)/ }).get("key").from.source);`,
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

test("has what users need and nothing else", () => {
  const files = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "build.zig"];
  const folders = ["core", "dist", "docs", "examples"];
  expect(readdirSync(installed).sort()).toEqual([...files, ...folders, "package.json"].sort());
  const platforms = ["linux-arm64-gnu", "linux-arm64-musl", "linux-x64-gnu", "linux-x64-musl"];
  expect(readdirSync(join(installed, "dist/native")).sort()).toEqual(platforms);
});

test("has every file that the README leads to", () => {
  const readme = readFileSync(join(installed, "README.md"), "utf8");
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path as string);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((path) => !existsSync(join(installed, path)))).toEqual([]);
});

const strict = "--strict --noEmit --target es2022 --lib es2022 --skipLibCheck false".split(" ");

test.each([
  ["an ES module", "types.mts", 'import { FastCache, type OpenOptions } from "fastcache";'],
  ["CommonJS", "types.cts", 'import { FastCache, type OpenOptions } from "fastcache";'],
])("has types that %s compiles with, without Node's", (_, file, line) => {
  const body = `const options: OpenOptions<number> = { size: 1 };
    export const five: number | undefined = FastCache.open<number>(options).set("key", 5).get("key");
    const mixed = FastCache.open({ size: 1 });
    export const text: string | undefined = mixed.get<string>("key") ?? mixed.getMany<string>(["key"])[0];
    export const version = mixed.getWithVersion<{ a: number }>("key")?.value.a.toFixed();
    export const graphs = FastCache.open({ size: 1, codec: structured });
    // @ts-expect-error: not what this cache holds
    FastCache.open<number>(options).get<string>("key");`;
  writeFileSync(join(folder, file), `${line}\nimport { structured } from "fastcache/structured";\n${body}`);
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const args = [tsc, ...strict, "--types", "", "--module", "node16", file];
  execFileSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
});

test("gives bytes that a Response takes", () => {
  const body = `import { FastCache } from "fastcache";
    export const page = new Response(FastCache.open({ size: 1 }).getBytes("key"));`;
  writeFileSync(join(folder, "response.mts"), body);
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const dom = "--strict --noEmit --target es2022 --lib es2022,dom --module node16 --types".split(" ");
  execFileSync(process.execPath, [tsc, ...dom, "", "response.mts"], { cwd: folder, env, encoding: "utf8" });
});

const options: Record<RuntimeName, string[]> = { bun: [], deno: ["--node-modules-dir=manual"], node: [] };

function run(name: RuntimeName, program: string): string {
  const [command, ...args] = runtime(name);
  return execFileSync(command, [...args, ...options[name], program], { cwd: folder, env, encoding: "utf8" });
}

test("is as publint wants it", () => {
  const publint = join(root, "node_modules/publint/src/cli.js");
  const args = [publint, "run", installed, "--strict", "--pack", "false"];
  expect(execFileSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" })).toContain("All good");
});

test.each(runtimeNames)("can be required in %s", (name) => {
  writeFileSync(
    join(folder, "require.cjs"),
    `const { FastCache } = require("fastcache");
     const { structured } = require("fastcache/structured");
     const cache = FastCache.open({ size: "1MiB", codec: structured });
     console.log(cache.set("key", { from: /the (package)/ }).get("key").from.source);
     cache.close();`,
  );
  expect(run(name, "require.cjs")).toContain("the (package)");
});

test.each(runtimeNames)("works in %s", (name) => {
  expect(run(name, "use.ts")).toContain("the package");
});

test.each(runtimeNames)("has its subpaths in %s", (name) => {
  expect(run(name, "structured.ts")).toContain("the (subpath)");
});

test("loaded over the network it says from where the native library can be had", async () => {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/typescript");
    response.end(readFileSync(join(root, "src", (request.url as string).replace(/^\/(\.\.\/)*/, ""))));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const program = `import { FastCache } from "http://127.0.0.1:${port}/index.ts";
      try {
        FastCache.open({ size: "1MiB" });
      } catch (error) {
        console.log(error.code, error.message);
      }`;
    writeFileSync(join(folder, "remote.ts"), program);
    const [command, ...args] = runtime("deno");
    const flags = [...args, "--no-check", "remote.ts"];
    const more = { ...env, DENO_DIR: join(folder, "deno") };
    const { stdout } = await promisify(execFile)(command, flags, {
      cwd: folder,
      env: more,
      encoding: "utf8",
    });
    expect(stdout).toMatch(/^ERR_FASTCACHE_FFI_UNAVAILABLE .*over the network.*npm:fastcache.*`library`/);
  } finally {
    server.close();
  }
});
