// What has to hold of the package as it is published, with every package manager and compiler that users have: too slow,
// or too much to install, for `npm test`. What the repository does not install is fetched from npm into
// node_modules/.cache/, in the versions named here.
//
//   node scripts/package.mjs [PART ...]
//
// Its parts:
//   consumers      installed by each package manager from a registry of our own, it works, as ES module and as CommonJS
//   types          programs compile with the oldest and newest TypeScript, strictly, without Node's types
//   attw           types and module agree for each way to resolve them
//   reproducible   two builds of the native libraries in two folders are the same to the bit
//   jsr            JSR would take it
//   sbom           the software bill of materials names nothing but the package

import { createHash } from "node:crypto";
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
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { endChildrenOnSignal, run } from "./lib/process.mjs";
import { setUp } from "./lib/setup.mjs";
import { modules, root, runtime, systemPath, tool, toolEnvironment } from "./lib/tools.mjs";

const MANAGERS = { pnpm: "12.21.0", "@yarnpkg/cli-dist": "4.18.1" };
const TYPESCRIPTS = ["5.2.2", "5.9.3", "7.0.2"];
const ATTW = "0.18.5";
const PARTS = { consumers, types, attw, reproducible, jsr, sbom };

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const chosen = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(PARTS);
const env = toolEnvironment({ PATH: systemPath() });
const sum = { passed: 0, failed: 0 };

/** Runs it in a folder and gives what it printed; throws if it fails. */
function command(program, ...args) {
  return {
    async in(cwd, more = {}) {
      const { code, output } = await run([program, ...args], { cwd, env: { ...env, ...more }, quiet: true });
      if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${output}`);
      return output;
    },
  };
}

async function check(name, body) {
  try {
    await body();
    sum.passed++;
    console.log(`ok ${sum.passed + sum.failed} - ${name}`);
  } catch (error) {
    sum.failed++;
    console.log(`not ok ${sum.passed + sum.failed} - ${name}\n${String(error).replaceAll(/^/gm, "# ")}`);
  }
}

function app(name, files) {
  const place = join(folder, name);
  mkdirSync(place);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(place, file), text);
  return place;
}

/** The packages of a tool, fetched once. */
async function fetched(name, ...packages) {
  const place = join(modules, ".cache", name);
  mkdirSync(place, { recursive: true });
  const flags = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  await command("npm", "install", "--prefix", place, ...flags, ...packages).in(root);
  return join(place, "node_modules");
}

// ---------------------------------------------------------------------------------------------------- consumers

const USES = {
  "use.mjs": `import { FastCache } from "fastcache";
const cache = FastCache.open({ size: "1MiB" });
console.log(cache.set("key", "it works").get("key"));
cache.close();\n`,
  "use.cjs": `const { FastCache } = require("fastcache");
const cache = FastCache.open({ size: "1MiB" });
console.log(cache.set("key", "it works").get("key"));
cache.close();\n`,
  "package.json": '{ "name": "app", "private": true, "type": "module" }\n',
};

async function consumers(tarball) {
  const registry = await serve(tarball);
  const npm = { npm_config_registry: registry.url, NPM_CONFIG_REGISTRY: registry.url };
  const node = tool("node");
  const works = async (place, more, ...commands) => {
    for (const file of ["use.mjs", "use.cjs"]) {
      const output = await command(...commands, file).in(place, more);
      if (!output.includes("it works")) throw new Error(output);
    }
  };
  try {
    const managers = await fetched("managers", ...Object.entries(MANAGERS).map((pair) => pair.join("@")));
    await check("npm, in Node", async () => {
      const place = app("npm", USES);
      await command("npm", "install", "--no-audit", "--no-fund", "fastcache").in(place, npm);
      await works(place, {}, node);
      await works(place, {}, ...runtime("node20"));
    });
    await check("pnpm, in Node", async () => {
      const place = app("pnpm", { ...USES, ".npmrc": `registry=${registry.url}\n` });
      const store = ["--store-dir", join(folder, "pnpm-store")];
      await command(node, join(managers, "pnpm/bin/pnpm.mjs"), "add", ...store, "fastcache").in(place, npm);
      await works(place, {}, node);
    });
    await check("Yarn with Plug'n'Play, in Node", async () => {
      const place = app("yarn", { ...USES, "yarn.lock": "" });
      const yarn = [node, join(managers, "@yarnpkg/cli-dist/bin/yarn.js")];
      const settings = {
        YARN_NPM_REGISTRY_SERVER: registry.url,
        YARN_UNSAFE_HTTP_WHITELIST: "127.0.0.1",
        YARN_GLOBAL_FOLDER: join(folder, "yarn-global"),
        YARN_ENABLE_TELEMETRY: "0",
        YARN_NPM_MINIMAL_AGE_GATE: "0",
      };
      await command(...yarn, "add", "fastcache").in(place, settings);
      await works(place, settings, ...yarn, "node");
    });
    await check("Bun", async () => {
      const place = app("bun", USES);
      await command(tool("bun"), "add", "fastcache", "--registry", registry.url).in(place, npm);
      await works(place, {}, tool("bun"));
    });
    for (const mode of ["none", "auto"]) {
      await check(`Deno, node_modules: ${mode}`, async () => {
        const use = USES["use.mjs"].replace('"fastcache"', '"npm:fastcache"');
        const place = app(`deno-${mode}`, { "use.mjs": use, "deno.json": "{}" });
        const flags = [`--node-modules-dir=${mode}`, "--allow-ffi", "--minimum-dependency-age=0"];
        const output = await command(tool("deno"), "run", ...flags, "use.mjs").in(place, {
          ...npm,
          DENO_DIR: join(folder, "deno-dir"),
        });
        if (!output.includes("it works")) throw new Error(output);
      });
    }
  } finally {
    registry.close();
  }
}

/** A registry that has the package and nothing else. */
async function serve(tarball) {
  const content = readFileSync(tarball);
  const integrity = `sha512-${createHash("sha512").update(content).digest("base64")}`;
  const server = createServer((request, response) => {
    if (request.url.endsWith(".tgz")) return response.end(content);
    if (!/^\/fastcache($|\?)/.test(request.url)) return response.writeHead(404).end("{}");
    const { port } = server.address();
    const dist = { tarball: `http://127.0.0.1:${port}/fastcache.tgz`, integrity };
    const { devDependencies, scripts, workspaces, ...published } = manifest;
    const versions = { [manifest.version]: { ...published, dist } };
    const time = { [manifest.version]: "2026-01-01T00:00:00.000Z" };
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ name: "fastcache", "dist-tags": { latest: manifest.version }, versions, time }),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

// -------------------------------------------------------------------------------------------------------- types

const PROGRAM = `import { FastCache, type OpenOptions } from "fastcache";
import { structured } from "fastcache/structured";
const options: OpenOptions<number> = { size: 1 };
export const five: number | undefined = FastCache.open<number>(options).set("key", 5).get("key");
export const graphs = FastCache.open({ size: 1, codec: structured });\n`;
const RESPONSE = `import { FastCache } from "fastcache";
export const page = new Response(FastCache.open({ size: 1 }).getBytes("key"));\n`;
const STRICT = "--strict --noEmit --target es2022 --skipLibCheck false --module node16".split(" ");

async function types(tarball) {
  const place = app("types", { "esm.mts": PROGRAM, "common.cts": PROGRAM, "response.mts": RESPONSE });
  await unpack(tarball, join(place, "node_modules/fastcache"));
  for (const version of TYPESCRIPTS) {
    const tsc = join(await fetched(`typescript-${version}`, `typescript@${version}`), "typescript/bin/tsc");
    for (const [file, lib] of Object.entries({
      "esm.mts": "es2022",
      "common.cts": "es2022",
      "response.mts": "es2022,dom",
    })) {
      await check(`TypeScript ${version}, ${file}`, () =>
        command(tool("node"), tsc, ...STRICT, "--lib", lib, file).in(place),
      );
    }
  }
}

async function unpack(tarball, place) {
  mkdirSync(place, { recursive: true });
  await command("tar", "-xzf", tarball, "--strip-components=1", "-C", place).in(root);
}

async function attw(tarball) {
  const cli = join(
    await fetched("attw", `@arethetypeswrong/cli@${ATTW}`),
    "@arethetypeswrong/cli/dist/index.js",
  );
  await check("attw", () => command(tool("node"), cli, tarball).in(root));
}

// ----------------------------------------------------------------------------------------- what is published

async function reproducible() {
  const sums = [];
  for (const name of ["a", "a-folder-with-a-longer-name"]) {
    const place = app(name, {});
    for (const part of ["core", "build.zig", "src/binding/platforms.ts"]) {
      cpSync(join(root, part), join(place, part), { recursive: true });
    }
    symlinkSync(modules, join(place, "node_modules"));
    const zig = {
      ZIG_LOCAL_CACHE_DIR: join(place, ".zig-cache"),
      ZIG_GLOBAL_CACHE_DIR: join(place, ".zig-global"),
    };
    await command(tool("zig"), "build").in(place, zig);
    const native = join(place, "dist/native");
    const libraries = readdirSync(native).sort();
    const hash = (library) =>
      createHash("sha256")
        .update(readFileSync(join(native, library, "libfastcache.so")))
        .digest("hex");
    sums.push(libraries.map((library) => `${hash(library)} ${library}`).join("\n"));
  }
  await check("two builds in two folders are the same to the bit", () => {
    if (sums[0] !== sums[1]) throw new Error(sums.join("\n\n"));
    console.log(sums[0].replaceAll(/^/gm, "# "));
  });
}

async function jsr() {
  await check("deno publish --dry-run", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
    if (version !== manifest.version)
      throw new Error(`deno.json has version ${version}, package.json ${manifest.version}`);
    await command(tool("deno"), "publish", "--dry-run", "--allow-dirty").in(root);
  });
}

async function sbom() {
  const flags = ["--omit", "dev", "--omit", "optional", "--workspaces=false", "--sbom-format", "spdx"];
  await check("npm sbom", async () => {
    const { packages } = JSON.parse(await command("npm", "sbom", ...flags).in(root));
    const names = packages.map(({ name }) => name).filter((name) => !(name in manifest.peerDependencies));
    if (names.join() !== manifest.name) throw new Error(`it names ${names.join(", ")}`);
  });
}

// ------------------------------------------------------------------------------------------------------ the run

endChildrenOnSignal();
await setUp();
await build();
const folder = mkdtempSync(join(tmpdir(), "fastcache-package-"));
try {
  const packed = await command(
    "npm",
    "pack",
    "--ignore-scripts",
    "--silent",
    "--pack-destination",
    folder,
  ).in(root);
  const tarball = join(folder, packed.trim().split("\n").at(-1));
  for (const part of chosen) await PARTS[part](tarball);
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`1..${sum.passed + sum.failed}\n${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 ? 0 : 1;
