//! Builds the C core.
//!
//!   zig build              the shared library for every platform, into dist/native/<platform>/
//!   zig build -Dhost       the same for this machine only
//!   zig build test         compiles test/{core,exhaustion,fuzz}/*_test.c, optimised, with the core's assertions and
//!                          undefined-behaviour checks, and runs them
//!   zig build test-build   compiles them only, into zig-out/core-test/
//!   zig build arm64        the same and test/cross/participant.c for arm64, into zig-out/arm64/
//!   zig build cross        the C programs that test/cross/ runs, into zig-out/cross/
//!   zig build crash        the programs of test/crash/, into zig-out/crash/
//!   zig build sim          test/sim/ with the core on a simulated system, into zig-out/sim/
//!   zig build bench        the programs of bench/core/, into zig-out/bench/
//!
//! Each `.c` file directly in core/, core/os/posix/ and core/os/<the target's system>/ belongs to the library.

const std = @import("std");

/// glibc 2.28 is the oldest that Bun, Deno and the oldest Node of README.md run on.
const glibc: std.SemanticVersion = .{ .major = 2, .minor = 28, .patch = 0 };

const c_flags = [_][]const u8{ "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fvisibility=hidden" };

pub fn build(b: *std.Build) !void {
    const host_only = b.option(bool, "host", "Build the library for this machine only") orelse false;

    const cross = b.step("cross", "Build the C programs that test/cross/ runs");
    const libraries = b.addUpdateSourceFiles();
    for (try platformNames(b)) |platform| {
        const target = b.resolveTargetQuery(try queryOf(platform));
        if (host_only and !sameMachine(target.result, b.graph.host.result)) continue;
        const library = b.addLibrary(.{
            .name = "fastcache",
            .linkage = .dynamic,
            .root_module = try libraryModule(b, target),
        });
        library.setVersionScript(b.path("core/exports.map"));
        libraries.addCopyFileToSource(
            library.getEmittedBin(),
            b.fmt("dist/native/{s}/libfastcache.so", .{platform}),
        );
        if (sameMachine(target.result, b.graph.host.result)) {
            const module = b.createModule(.{ .target = target, .optimize = .ReleaseSafe, .link_libc = true });
            module.linkLibrary(library);
            module.addRPath(b.path(b.fmt("dist/native/{s}", .{platform})));
            installProgram(b, cross, module, "examples/c/visits.c");
        }
    }
    b.getInstallStep().dependOn(&libraries.step);

    try addTests(b);
    try addEmulated(b);
    try addParticipant(b, cross);
    try addCrash(b);
    try addSimulator(b);
    try addBenchmarks(b);
}

/// The folders of dist/native/, as src/binding/platforms.ts names them: the system and the processor as npm and Node
/// call them, then the C library.
fn platformNames(b: *std.Build) ![]const []const u8 {
    const path = "src/binding/platforms.ts";
    const text = try b.build_root.handle.readFileAlloc(b.graph.io, path, b.allocator, .limited(1 << 16));
    var names: std.ArrayList([]const u8) = .empty;
    var parts = std.mem.splitSequence(u8, text, "\"../native/");
    _ = parts.next();
    while (parts.next()) |part| try names.append(b.allocator, std.mem.sliceTo(part, '/'));
    if (names.items.len == 0) return error.NoPlatforms;
    return names.items;
}

fn queryOf(platform: []const u8) !std.Target.Query {
    var words = std.mem.splitScalar(u8, platform, '-');
    const system = words.next() orelse return error.BadPlatform;
    const processor = words.next() orelse return error.BadPlatform;
    const libc = words.next() orelse return error.BadPlatform;
    const musl = std.mem.eql(u8, libc, "musl");
    return .{
        .os_tag = std.meta.stringToEnum(std.Target.Os.Tag, system) orelse return error.BadPlatform,
        .cpu_arch = if (std.mem.eql(u8, processor, "x64")) .x86_64 else .aarch64,
        .abi = if (musl) .musl else .gnu,
        .glibc_version = if (musl) null else glibc,
    };
}

/// The library: the core, and the addon that makes it callable from Node, and lets all runtimes wait.
fn libraryModule(b: *std.Build, target: std.Build.ResolvedTarget) !*std.Build.Module {
    const module = try coreModule(b, target, .ReleaseFast);
    module.addSystemIncludePath(b.path("node_modules/node-api-headers/include"));
    module.addCSourceFiles(.{ .files = try filesEndingIn(b, "core/node", ".c"), .flags = &c_flags });
    return module;
}

fn sameMachine(target: std.Target, host: std.Target) bool {
    return target.cpu.arch == host.cpu.arch and target.os.tag == host.os.tag and
        target.abi.isMusl() == host.abi.isMusl();
}

/// The library's C files as one module; all but the fastest release checks itself.
fn coreModule(
    b: *std.Build,
    target: std.Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
) !*std.Build.Module {
    const checked = optimize != .ReleaseFast;
    const module = b.createModule(.{
        .target = target,
        .optimize = optimize,
        .link_libc = true,
        .pic = true,
        .strip = !checked,
        .sanitize_c = if (checked) .full else .off,
    });
    module.addIncludePath(b.path("core"));
    module.addIncludePath(b.path("core/include"));
    const system = b.fmt("core/os/{s}", .{@tagName(target.result.os.tag)});
    for ([_][]const u8{ "core", "core/os/posix", system }) |folder|
        module.addCSourceFiles(.{ .files = try filesEndingIn(b, folder, ".c"), .flags = &c_flags });
    return module;
}

/// One program for each *_test.c. They run one after the other: some measure time.
fn addTests(b: *std.Build) !void {
    const run_all = b.step("test", "Run the C unit tests");
    const build_all = b.step("test-build", "Compile the C unit tests into zig-out/core-test/");
    var previous: ?*std.Build.Step = null;
    for (try testPrograms(b, b.graph.host)) |program| {
        const install = b.addInstallArtifact(program, .{ .dest_dir = .{ .override = .{ .custom = "core-test" } } });
        build_all.dependOn(&install.step);
        const run = b.addRunArtifact(program);
        run.has_side_effects = true;
        if (previous) |step| run.step.dependOn(step);
        previous = &run.step;
        run_all.dependOn(&run.step);
    }
}

/// The same programs, and test/cross/participant.c, for arm64. They are static: an emulator needs no files of that
/// machine to run them.
fn addEmulated(b: *std.Build) !void {
    const arm64 = b.step("arm64", "Compile the C unit tests for arm64, into zig-out/arm64/");
    const target = b.resolveTargetQuery(.{ .cpu_arch = .aarch64, .os_tag = .linux, .abi = .musl });
    for (try testPrograms(b, target)) |program| {
        const install = b.addInstallArtifact(program, .{ .dest_dir = .{ .override = .{ .custom = "arm64" } } });
        arm64.dependOn(&install.step);
    }
    installProgram(b, arm64, try coreModule(b, target, .ReleaseFast), "test/cross/participant.c");
}

fn testPrograms(b: *std.Build, target: std.Build.ResolvedTarget) ![]const *std.Build.Step.Compile {
    const core = b.addLibrary(.{
        .name = "fastcache-checked",
        .linkage = .static,
        .root_module = try coreModule(b, target, .ReleaseSafe),
    });
    var programs: std.ArrayList(*std.Build.Step.Compile) = .empty;
    for (try testFiles(b)) |file| {
        const module = b.createModule(.{
            .target = target,
            .optimize = .ReleaseSafe,
            .link_libc = true,
            .sanitize_c = .full,
        });
        module.addCSourceFile(.{ .file = b.path(file), .flags = &c_flags });
        module.addIncludePath(b.path("core"));
        module.addIncludePath(b.path("core/include"));
        module.addIncludePath(b.path("test/core"));
        module.linkLibrary(core);
        const program = b.addExecutable(.{ .name = std.fs.path.stem(file), .root_module = module });
        try programs.append(b.allocator, program);
    }
    return programs.items;
}

/// The C tests in the folders that have some.
fn testFiles(b: *std.Build) ![]const []const u8 {
    var files: std.ArrayList([]const u8) = .empty;
    for ([_][]const u8{ "core", "exhaustion", "fuzz" }) |folder|
        try files.appendSlice(b.allocator, try filesEndingIn(b, b.fmt("test/{s}", .{folder}), "_test.c"));
    return files.items;
}

/// test/cross/participant.c with the core in one static program: it brings its own C library along.
fn addParticipant(b: *std.Build, cross: *std.Build.Step) !void {
    const target = b.resolveTargetQuery(.{ .cpu_arch = b.graph.host.result.cpu.arch, .os_tag = .linux, .abi = .musl });
    installProgram(b, cross, try coreModule(b, target, .ReleaseFast), "test/cross/participant.c");
}

/// Each program of test/crash/ with the core and all the folder's helpers. The target is the baseline processor with
/// musl: what is killed there is what users run, and it can be stepped through (see traced.h).
fn addCrash(b: *std.Build) !void {
    const crash = b.step("crash", "Build the programs of test/crash/");
    const target = b.resolveTargetQuery(.{ .cpu_arch = b.graph.host.result.cpu.arch, .os_tag = .linux, .abi = .musl });
    for ([_][]const u8{ "step", "reader", "create", "power", "storm", "inspect" }) |program| {
        const module = try coreModule(b, target, .ReleaseFast);
        module.addIncludePath(b.path("test/core"));
        module.addCSourceFiles(.{
            .root = b.path("test/crash"),
            .files = &.{ "scenario.c", "traced.c" },
            .flags = &c_flags,
        });
        installProgram(b, crash, module, b.fmt("test/crash/{s}.c", .{program}));
    }
}

/// The core without core/os/, which test/sim/ stands in for. A step of its scheduler lies in front of each access to
/// shared memory (FC_SIM), and memory comes from it as well. Assertions are on.
fn addSimulator(b: *std.Build) !void {
    const sim = b.step("sim", "Build the simulator of test/sim/");
    const module = b.createModule(.{
        .target = b.graph.host,
        .optimize = .ReleaseSafe,
        .link_libc = true,
        .sanitize_c = .off,
    });
    for ([_][]const u8{ "core", "core/include", "test/sim" }) |folder| module.addIncludePath(b.path(folder));
    const common = c_flags ++ [_][]const u8{ "-DFC_SIM=\"hooks.h\"", "-U_FORTIFY_SOURCE", "-g" };
    const memory = [_][]const u8{ "-Daligned_alloc=sim_aligned_alloc", "-Dcalloc=sim_calloc", "-Dfree=sim_free" };
    module.addCSourceFiles(.{ .files = try filesEndingIn(b, "core", ".c"), .flags = &(common ++ memory) });
    module.addCSourceFiles(.{ .files = try filesEndingIn(b, "test/sim", ".c"), .flags = &common });
    const program = b.addExecutable(.{ .name = "main", .root_module = module });
    const install = b.addInstallArtifact(program, .{ .dest_dir = .{ .override = .{ .custom = "sim" } } });
    sim.dependOn(&install.step);
}

/// For the baseline processor, as what users run is, with the names that profilers show.
fn addBenchmarks(b: *std.Build) !void {
    const bench = b.step("bench", "Build the programs of bench/core/");
    const target = b.resolveTargetQuery(.{
        .cpu_arch = b.graph.host.result.cpu.arch,
        .os_tag = .linux,
        .abi = .gnu,
        .glibc_version = glibc,
    });
    for (try filesEndingIn(b, "bench/core", ".c")) |file| {
        const module = try coreModule(b, target, .ReleaseFast);
        module.strip = false;
        installProgram(b, bench, module, file);
    }
}

/// Adds `file`, which has a `main`, to `module`, and puts the program into zig-out/<the step's name>/.
fn installProgram(b: *std.Build, step: *std.Build.Step, module: *std.Build.Module, file: []const u8) void {
    module.addCSourceFile(.{ .file = b.path(file), .flags = &c_flags });
    module.addIncludePath(b.path("core/include"));
    const program = b.addExecutable(.{ .name = std.fs.path.stem(file), .root_module = module });
    const install = b.addInstallArtifact(program, .{ .dest_dir = .{ .override = .{ .custom = step.name } } });
    step.dependOn(&install.step);
}

/// The files directly in `folder` whose names end in `ending`, sorted.
fn filesEndingIn(b: *std.Build, folder: []const u8, ending: []const u8) ![]const []const u8 {
    const io = b.graph.io;
    var dir = b.build_root.handle.openDir(io, folder, .{ .iterate = true }) catch |err| switch (err) {
        error.FileNotFound => return &.{},
        else => return err,
    };
    defer dir.close(io);
    var files: std.ArrayList([]const u8) = .empty;
    var entries = dir.iterate();
    while (try entries.next(io)) |entry| {
        if (entry.kind != .file or !std.mem.endsWith(u8, entry.name, ending)) continue;
        try files.append(b.allocator, b.fmt("{s}/{s}", .{ folder, entry.name }));
    }
    std.mem.sort([]const u8, files.items, {}, lessThan);
    return files.items;
}

fn lessThan(_: void, a: []const u8, c: []const u8) bool {
    return std.mem.lessThan(u8, a, c);
}
