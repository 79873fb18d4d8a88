// Runs child processes: each in a process group of its own, so that a time limit or Ctrl-C ends whatever it started.

import { spawn } from "node:child_process";
import { root, toolEnvironment } from "./tools.mjs";

const running = new Set();

/** Starts a process that ends with this one at the latest, whatever ends this one. */
export function start([command, ...args], options = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: toolEnvironment(),
    ...options,
    detached: true,
  });
  const forget = () => running.delete(child);
  running.add(child);
  child.on("close", forget).on("error", forget);
  return child;
}

/**
 * Runs a command to its end. Its output is shown as it comes, unless `quiet`, and returned.
 * Resolves to { code, output, seconds }; code is 0 only for success, and output ends with the reason when it is not
 * an exit code.
 */
export function run([command, ...args], { env = {}, cwd = root, quiet = false, limitSeconds = 600 } = {}) {
  const started = Date.now();
  return new Promise((resolve) => {
    let output = "";
    const show = (text) => {
      output += text;
      if (!quiet) process.stdout.write(text);
    };
    const stdio = ["ignore", "pipe", "pipe"];
    const child = start([command, ...args], { cwd, env: toolEnvironment(env), stdio });
    const timer = setTimeout(() => {
      show(`\n${command}: stopped after ${limitSeconds} s\n`);
      killGroup(child);
    }, limitSeconds * 1000);
    const finish = (code) => {
      clearTimeout(timer);
      resolve({ code, output, seconds: (Date.now() - started) / 1000 });
    };
    child.stdout.setEncoding("utf8").on("data", show);
    child.stderr.setEncoding("utf8").on("data", show);
    child.on("error", (error) => {
      show(`${command}: ${error.message}\n`);
      finish(127);
    });
    child.on("close", (code, signal) => {
      if (signal) show(`${command}: ended by ${signal}\n`);
      finish(code ?? 1);
    });
  });
}

/** As `run`, but a failure is an error that carries the output. */
export async function must(command, options = {}) {
  const result = await run(command, options);
  if (result.code !== 0) {
    const said = options.quiet ? `:\n${result.output}` : "";
    throw new Error(`'${command.join(" ")}' failed with exit code ${result.code}${said}`);
  }
  return result;
}

process.once("exit", () => running.forEach(killGroup));

/** Ends a process that `start` started, and what it has started. */
export function killGroup(child) {
  if (child.pid === undefined) return; // it never began
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/**
 * Ends every running child when this process is told to end, then calls `cleanUp`. Returns a function that undoes it.
 */
export function endChildrenOnSignal(cleanUp = () => {}) {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  const end = (signal) => {
    running.forEach(killGroup);
    cleanUp();
    process.exit(codes[signal]);
  };
  for (const signal of Object.keys(codes)) process.once(signal, end);
  return () => {
    for (const signal of Object.keys(codes)) process.off(signal, end);
  };
}
