// The three formatters: biome for TypeScript, JavaScript and JSON (it lints as well), clang-format for C, zig fmt.

import { join } from "node:path";
import { files } from "./files.mjs";
import { modules, tool } from "./tools.mjs";

const biome = () => [tool("node"), join(modules, "@biomejs/biome/bin/biome")];
const clangFormat = () => [tool("node"), join(modules, "@wasm-fmt/clang-format/clang-format-cli.cjs")];
const cFiles = () => files(/\.[ch]$/);
const zigFiles = () => files(/\.zig$/);

/** For each: its name, the command that complains, the command that repairs. */
export const formatters = [
  {
    name: "biome",
    check: () => [...biome(), "ci", "--error-on-warnings", "."],
    repair: () => [...biome(), "check", "--write", "."],
  },
  {
    name: "clang-format",
    check: () => [...clangFormat(), "--dry-run", "-Werror", ...cFiles()],
    repair: () => [...clangFormat(), "-i", ...cFiles()],
  },
  {
    name: "zig fmt",
    check: () => [tool("zig"), "fmt", "--check", ...zigFiles()],
    repair: () => [tool("zig"), "fmt", ...zigFiles()],
  },
];
