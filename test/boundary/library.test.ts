// SPDX-License-Identifier: MIT
//
// Finding and loading the native library: which file, in which order, and what each failure says.

import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ABI_VERSION, FUNCTIONS } from "../../src/abi.ts";
import type { Callable, Runtime, Signatures } from "../../src/binding/binding.ts";
import { libraryPaths, loadBinding, loadLibrary } from "../../src/binding/library.ts";
import { failure } from "../support/errors.ts";

/** A runtime whose library at `path` has the version that `libraries` says. */
function fakeRuntime(libraries: Record<string, number>, changes: Partial<Runtime> = {}): Runtime {
  return {
    name: "node",
    version: "Fake 1.0",
    platform: "linux",
    arch: "x64",
    libcs: ["gnu", "musl"],
    traits: { copiedResultMax: Infinity, loopTextLength: 0, bufferEncodes: true, passesText: false },
    variable: () => undefined,
    open<const Table extends Signatures>(path: string, table: Table): Callable<Table> {
      const version = libraries[path];
      if (version === undefined) throw new Error(`cannot open ${path}`);
      const names = Object.keys(table).map((name) => [name, () => version]);
      return Object.fromEntries(names) as Callable<Table>;
    },
    remedy: () => undefined,
    pin: () => undefined,
    ...changes,
  };
}

const [GNU = "", MUSL = ""] = libraryPaths(fakeRuntime({}));

describe("paths", () => {
  test.each([
    ["x64", ["gnu", "musl"]],
    ["x64", ["musl", "gnu"]],
    ["arm64", ["gnu"]],
    ["arm64", ["musl"]],
  ] as const)("on linux-%s with %j, beside the package's own files", (arch, libcs) => {
    const folder = fileURLToPath(new URL("../../dist/native/", import.meta.url));
    const expected = libcs.map((libc) => `${folder}linux-${arch}-${libc}/libfastcache.so`);
    expect(libraryPaths(fakeRuntime({}, { arch, libcs }))).toEqual(expected);
  });

  test.each([
    ["darwin", "arm64"],
    ["win32", "x64"],
    ["linux", "ia32"],
  ])("there is none on %s-%s, and the error names those there are", (platform, arch) => {
    const call = () => libraryPaths(fakeRuntime({}, { platform, arch }));
    failure(
      "FFI_UNAVAILABLE",
      call,
      `${platform}-${arch}`,
      /linux-x64-gnu, linux-x64-musl, linux-arm64-gnu, linux-arm64-musl/,
      /Fake 1\.0/,
    );
  });
});

describe("loading", () => {
  test("takes the first library that opens", () => {
    expect(loadLibrary(fakeRuntime({ [GNU]: ABI_VERSION, [MUSL]: ABI_VERSION })).native).toBeDefined();
    expect(loadLibrary(fakeRuntime({ [MUSL]: ABI_VERSION })).native).toBeDefined();
  });

  test("without any says what was tried and how to build", () => {
    const call = () => loadLibrary(fakeRuntime({}));
    const error = failure("FFI_UNAVAILABLE", call, GNU, MUSL, /npm run build/, /reinstall/);
    expect(error.cause).toEqual(new Error(`cannot open ${GNU}`));
  });

  test("of another version is refused with both versions", () => {
    const call = () => loadLibrary(fakeRuntime({ [GNU]: 77 }));
    failure("FFI_UNAVAILABLE", call, GNU, /version 77/, new RegExp(`needs ${ABI_VERSION}`), /npm run build/);
  });

  test("that the user names is the only one that is tried", () => {
    const runtime = fakeRuntime({ [GNU]: ABI_VERSION, "/own.so": ABI_VERSION });
    expect(loadLibrary(runtime, "/own.so").native).toBeDefined();
    const call = () => loadLibrary(runtime, "/missing.so");
    const error = failure("FFI_UNAVAILABLE", call, "/missing.so", /option `library`/, /FASTCACHE_LIBRARY/);
    expect(error.message).not.toContain(GNU);
  });

  test("may be named by the environment, and the option goes first", () => {
    const environment: Record<string, string> = { FASTCACHE_LIBRARY: "/environment.so" };
    const runtime = fakeRuntime({}, { variable: (name) => environment[name] });
    failure("FFI_UNAVAILABLE", () => loadLibrary(runtime), "/environment.so");
    failure("FFI_UNAVAILABLE", () => loadLibrary(runtime, "/option.so"), "/option.so");
  });

  test("that the runtime does not allow is an error with its remedy and cause", () => {
    const refusal = new Error("denied");
    const runtime = fakeRuntime(
      {},
      {
        open: () => {
          throw refusal;
        },
        remedy: (error) => (error === refusal ? "use --allow-ffi" : undefined),
      },
    );
    const error = failure("FFI_UNAVAILABLE", () => loadLibrary(runtime), /--allow-ffi/, /Fake 1\.0/);
    expect(error.cause).toBe(refusal);
  });

  test("happens once", () => {
    expect(loadBinding()).toBe(loadBinding());
  });

  test("gives every function of the table", () => {
    const { native } = loadBinding();
    expect(
      Object.keys(FUNCTIONS).filter((name) => typeof native[name as keyof typeof native] !== "function"),
    ).toEqual([]);
    expect(native.fc_abi_version()).toBe(ABI_VERSION);
  });
});
