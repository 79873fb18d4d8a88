// Builds a small app with each bundler, moves what came out to another folder, and runs it there. Writes the table of
// docs/bundlers.md. What the repository does not install for its own tests is fetched from npm into
// node_modules/.cache/bundlers/, in the versions named here.
//
//   node scripts/bundlers.mjs [--write]     --write: the table into docs/bundlers.md
//
// Three ways are tried with each:
//   as it is    the package is bundled like any other
//   external    the bundler is told to leave the package alone, and node_modules goes with the app
//   library     bundled, with the native library beside it, whose path the app gives as the option `library`
// An app that does not work has to end with ERR_FASTCACHE_FFI_UNAVAILABLE, and words that tell what to do.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./lib/build.mjs";
import { endChildrenOnSignal, must, run } from "./lib/process.mjs";
import { setUp } from "./lib/setup.mjs";
import { modules, root, systemPath, tool, toolEnvironment } from "./lib/tools.mjs";

const VERSIONS = {
  esbuild: "0.28.2",
  rollup: "4.68.8",
  "@rollup/plugin-node-resolve": "16.0.3",
  vite: "8.3.8",
  webpack: "5.112.2",
  "@rspack/core": "2.3.3",
  "@vercel/nft": "1.11.5",
};
const WAYS = ["as it is", "external", "library"];
const DOC = join(root, "docs/bundlers.md");

/** An app for each way. It says what it has read, or why it could not. */
const APPS = {
  "as it is": app("{ size: '1MiB' }"),
  external: app("{ size: '1MiB' }"),
  library: app("{ size: '1MiB', library: process.env.APP_LIBRARY }"),
};
function app(options) {
  return `import { FastCache } from "fastcache";
try {
  const cache = FastCache.open(${options});
  console.log(cache.set("key", "it works").get("key"));
  cache.close();
} catch (error) {
  console.log(error.code + " " + error.message);
}
`;
}

class Skipped extends Error {}

endChildrenOnSignal();
await setUp();
await build();
const tools = await fetchTools();
const folder = mkdtempSync(join(tmpdir(), "fastcache-bundlers-"));
const from = join(folder, "from");
const sum = { passed: 0, failed: 0, skipped: 0 };
const rows = [];
try {
  await install();
  for (const bundler of await bundlers()) rows.push(await attempt(bundler));
} finally {
  rmSync(folder, { recursive: true });
}
if (process.argv.includes("--write")) writeTable();
console.log(
  `1..${sum.passed + sum.failed}\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`,
);
process.exitCode = sum.failed === 0 ? 0 : 1;

async function fetchTools() {
  const folder = join(modules, ".cache/bundlers");
  mkdirSync(folder, { recursive: true });
  const wanted = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
  const flags = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  await must(["npm", "install", "--prefix", folder, ...flags, ...wanted], { quiet: true });
  return join(folder, "node_modules");
}

/** The package as a user has it, in an app's folder. */
async function install() {
  const env = toolEnvironment({ PATH: systemPath() });
  mkdirSync(join(from, "node_modules/fastcache"), { recursive: true });
  const pack = ["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  await must(pack, { cwd: root, env, quiet: true });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  const unpack = ["tar", "-xzf", join(folder, tarball), "--strip-components=1", "-C"];
  await must([...unpack, join(from, "node_modules/fastcache")], { quiet: true });
  writeFileSync(join(from, "package.json"), '{ "type": "module" }');
  for (const way of WAYS) writeFileSync(source(way), APPS[way]);
}

function source(way) {
  return join(from, `${way.replaceAll(" ", "-")}.mjs`);
}

/** Each builds `source(way)` into a folder, and says by which command the result is run. */
async function bundlers() {
  const load = async (name) => import(pathToFileURL(join(tools, name)).href);
  const { build: esbuild } = await load("esbuild/lib/main.js");
  const { rollup } = await load("rollup/dist/es/rollup.js");
  const { nodeResolve } = await load("@rollup/plugin-node-resolve/dist/es/index.js");
  const { build: vite } = await load("vite/dist/node/index.js");
  const { default: webpack } = await load("webpack/lib/index.js");
  const { rspack } = await load("@rspack/core/dist/index.js");
  const { nodeFileTrace } = await load("@vercel/nft/out/index.js");
  const node = [tool("node")];

  const withEsbuild = (format, ending) => async (way, out) => {
    const external = way === "external" ? ["fastcache"] : [];
    const outfile = join(out, `main.${ending}`);
    const options = { bundle: true, platform: "node", format, external, outfile, logLevel: "silent" };
    await esbuild({ ...options, entryPoints: [source(way)] });
    return [...node, `main.${ending}`];
  };
  const withRollup = async (way, out) => {
    const external = way === "external" ? ["fastcache", /^node:/] : [/^node:/];
    const bundle = await rollup({ input: source(way), external, plugins: [nodeResolve()], onwarn() {} });
    await bundle.write({ file: join(out, "main.mjs"), format: "es" });
    return [...node, "main.mjs"];
  };
  const withVite = async (way, out) => {
    const ssr = way === "external" ? { external: ["fastcache"] } : { noExternal: true };
    await vite({
      root: from,
      configFile: false,
      logLevel: "silent",
      ssr,
      build: { ssr: source(way), outDir: out, rollupOptions: { output: { entryFileNames: "main.mjs" } } },
    });
    return [...node, "main.mjs"];
  };
  const withWebpack = (pack) => async (way, out) => {
    const options = {
      mode: "production",
      target: "node",
      context: from,
      entry: source(way),
      externals: way === "external" ? { fastcache: "module fastcache" } : {},
      experiments: { outputModule: true },
      output: { path: out, filename: "main.mjs", module: true },
    };
    const stats = await new Promise((resolve, reject) => {
      pack(options, (error, result) => (error ? reject(error) : resolve(result)));
    });
    if (stats.hasErrors()) throw new Error(stats.toString("errors-only"));
    return [...node, "main.mjs"];
  };
  const withBun = async (way, out) => {
    const external = way === "external" ? ["--external", "fastcache"] : [];
    const file = join(out, "main.mjs");
    await must([tool("bun"), "build", source(way), "--target", "bun", ...external, "--outfile", file], {
      cwd: from,
      quiet: true,
    });
    return [tool("bun"), "main.mjs"];
  };
  /** The library is a part of the program: the app imports it as a file. */
  const withBunCompile = async (way, out) => {
    if (way === "external") return undefined; // a compiled program imports nothing from outside
    const entry = join(from, "compiled.ts");
    const own = `import library from ${JSON.stringify(libraryOf())} with { type: "file" };\n`;
    writeFileSync(entry, way === "library" ? own + app("{ size: '1MiB', library }") : APPS[way]);
    const external = way === "external" ? ["--external", "fastcache"] : [];
    const file = join(out, "main");
    await must([tool("bun"), "build", "--compile", entry, ...external, "--outfile", file], {
      cwd: from,
      quiet: true,
    });
    return ["./main"];
  };
  const withDenoCompile = async (way, out) => {
    if (way !== "as it is") return undefined;
    const args = [
      "compile",
      "--allow-all",
      "--node-modules-dir=manual",
      "--include",
      "node_modules/fastcache/dist/native",
    ];
    const file = join(out, "main");
    const { code, output } = await run([tool("deno"), ...args, "--output", file, source(way)], {
      cwd: from,
      quiet: true,
    });
    if (code !== 0 && /denort|dl\.deno\.land/.test(output))
      throw new Skipped("denort cannot be fetched here");
    if (code !== 0) throw new Error(output);
    return ["./main"];
  };
  const withTrace = async (way, out) => {
    if (way !== "as it is") return undefined;
    const { fileList } = await nodeFileTrace([source(way)], { base: from });
    for (const file of fileList) cpSync(join(from, file), join(out, file), { recursive: true });
    return [...node, relative(from, source(way))];
  };

  const version = (name) =>
    `${name} ${JSON.parse(readFileSync(join(tools, name, "package.json"), "utf8")).version}`;
  return [
    [`${version("esbuild")}, ES module`, withEsbuild("esm", "mjs")],
    ["esbuild, CommonJS", withEsbuild("cjs", "cjs")],
    [version("rollup"), withRollup],
    [`${version("vite")}, SSR`, withVite],
    [version("webpack"), withWebpack(webpack)],
    [version("@rspack/core"), withWebpack(rspack)],
    ["bun build", withBun],
    ["bun build --compile", withBunCompile],
    ["deno compile", withDenoCompile],
    [`${version("@vercel/nft")} (Next.js standalone)`, withTrace],
  ];
}

function libraryOf() {
  const folder = join(from, "node_modules/fastcache/dist/native");
  const libc = process.report.getReport().header.glibcVersionRuntime === undefined ? "musl" : "gnu";
  return join(folder, `linux-${process.arch}-${libc}/libfastcache.so`);
}

async function attempt([name, bundle]) {
  const cells = {};
  for (const way of WAYS) {
    const built = join(folder, "built");
    const moved = join(folder, "moved");
    mkdirSync(built);
    try {
      const command = await bundle(way, built);
      if (command === undefined) continue;
      cpSync(built, moved, { recursive: true });
      writeFileSync(join(moved, "package.json"), '{ "type": "module" }');
      if (way === "external")
        cpSync(join(from, "node_modules"), join(moved, "node_modules"), { recursive: true });
      if (way === "library") cpSync(libraryOf(), join(moved, "libfastcache.so"));
      cells[way] = judge(name, way, await runAway(command, moved));
    } catch (error) {
      cells[way] = error instanceof Skipped ? skip(name, way, error) : fail(name, way, String(error));
    } finally {
      rmSync(built, { recursive: true });
      rmSync(moved, { recursive: true, force: true });
    }
  }
  return [name, cells];
}

/** Runs the result where the app was never built: its own folder is out of the way meanwhile. */
async function runAway([command, ...args], cwd) {
  const env = { APP_LIBRARY: join(cwd, "libfastcache.so") };
  const program = command.startsWith("./") ? join(cwd, command) : command;
  const away = `${from}-away`;
  cpSync(from, away, { recursive: true });
  rmSync(from, { recursive: true });
  try {
    const { output } = await run([program, ...args], { cwd, env, quiet: true });
    return output.trim();
  } finally {
    cpSync(away, from, { recursive: true });
    rmSync(away, { recursive: true });
  }
}

function judge(name, way, output) {
  const isWorking = output === "it works";
  const isTold = way === "as it is" && /^ERR_FASTCACHE_FFI_UNAVAILABLE .*(bundled).*`library`/s.test(output);
  if (!isWorking && !isTold) return fail(name, way, output);
  sum.passed++;
  const result = isWorking ? "works" : "refused: FFI_UNAVAILABLE, which names the ways";
  console.log(`ok ${sum.passed + sum.failed} - ${name}, ${way}: ${result}`);
  return result;
}

function fail(name, way, output) {
  sum.failed++;
  console.log(`not ok ${sum.passed + sum.failed} - ${name}, ${way}\n${output.replaceAll(/^/gm, "# ")}`);
  return "fails";
}

function skip(name, way, { message }) {
  sum.skipped++;
  console.log(`skipped: ${name}, ${way}: ${message}`);
  return `not tried: ${message}`;
}

function writeTable() {
  const text = readFileSync(DOC, "utf8");
  const lines = rows.map(
    ([name, cells]) => `| ${name} | ${WAYS.map((way) => cells[way] ?? "").join(" | ")} |`,
  );
  const table = [`| bundler | ${WAYS.join(" | ")} |`, `|---${"|---".repeat(WAYS.length)}|`, ...lines].join(
    "\n",
  );
  const marks = /(<!-- table -->\n)[\s\S]*(\n<!-- end -->)/;
  if (!marks.test(text)) throw new Error(`${DOC} has no place for the table`);
  writeFileSync(
    DOC,
    text.replace(marks, (_, before, after) => `${before}\n${table}\n${after}`),
  );
}
