// SPDX-License-Identifier: MIT
//
// Finding and loading the native library: which file, in which order, and what each failure says.

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
    traits: { pooledReads: false, passesBuffers: true, loopTextLength: 0, bufferEncodes: true },
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

const GNU = "/native/linux-x64-gnu/libfastcache.so";
const MUSL = "/native/linux-x64-musl/libfastcache.so";

describe("paths", () => {
  test.each([
    ["x64", ["gnu", "musl"], [GNU, MUSL]],
    ["x64", ["musl", "gnu"], [MUSL, GNU]],
    ["arm64", ["gnu"], ["/native/linux-arm64-gnu/libfastcache.so"]],
    ["arm64", ["musl"], ["/native/linux-arm64-musl/libfastcache.so"]],
  ] as const)("on linux-%s with %j", (arch, libcs, paths) => {
    expect(libraryPaths(fakeRuntime({}, { arch, libcs }), "/native/")).toEqual(paths);
  });

  test.each([
    ["darwin", "arm64"],
    ["win32", "x64"],
    ["linux", "ia32"],
  ])("there is none on %s-%s, and the error names those there are", (platform, arch) => {
    const call = () => libraryPaths(fakeRuntime({}, { platform, arch }), "/native/");
    failure("FFI_UNAVAILABLE", call, `${platform}-${arch}`, /linux-x64 and linux-arm64/, /Fake 1\.0/);
  });
});

describe("loading", () => {
  test("takes the first library that opens", () => {
    expect(
      loadLibrary(fakeRuntime({ [GNU]: ABI_VERSION, [MUSL]: ABI_VERSION }), "/native/").native,
    ).toBeDefined();
    expect(loadLibrary(fakeRuntime({ [MUSL]: ABI_VERSION }), "/native/").native).toBeDefined();
  });

  test("without any says what was tried and how to build", () => {
    const call = () => loadLibrary(fakeRuntime({}), "/native/");
    const error = failure("FFI_UNAVAILABLE", call, GNU, MUSL, /npm run build/, /reinstall/);
    expect(error.cause).toEqual(new Error(`cannot open ${GNU}`));
  });

  test("of another version is refused with both versions", () => {
    const call = () => loadLibrary(fakeRuntime({ [GNU]: 77 }), "/native/");
    failure("FFI_UNAVAILABLE", call, GNU, /version 77/, new RegExp(`needs ${ABI_VERSION}`), /npm run build/);
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
    const error = failure(
      "FFI_UNAVAILABLE",
      () => loadLibrary(runtime, "/native/"),
      /--allow-ffi/,
      /Fake 1\.0/,
    );
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
