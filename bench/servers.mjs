// Redis and memcached on unix sockets in a folder of their own, without persistence, where they are installed.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { killGroup, start } from "../scripts/lib/process.mjs";
import { systemPath } from "../scripts/lib/tools.mjs";

const START_MS_MAX = 5000;

const servers = {
  redis: (path, socket) => [path("redis-server"), ["--port", "0", "--unixsocket", socket, "--save", ""]],
  memcached: (path, socket) => [path("memcached"), ["-s", socket, "-m", "512", "-u", userInfo().username]],
};

/**
 * Starts what is installed. `sockets` holds their paths by name; `stop` ends them and
 * removes the folder.
 */
export async function startServers() {
  const folder = mkdtempSync(join(tmpdir(), "fastcache-bench-"));
  const sockets = {};
  const children = [];
  const stop = () => {
    process.off("exit", stop);
    children.forEach(killGroup);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", stop);
  try {
    for (const [name, command] of Object.entries(servers)) {
      const socket = join(folder, name);
      const [path, args] = command(findProgram, socket);
      if (path === undefined) {
        console.error(`${name} is left out: it is not installed`);
        continue;
      }
      children.push(start([path, ...args], { cwd: folder, stdio: "ignore" }));
      await answers(name, socket);
      sockets[name] = socket;
    }
  } catch (error) {
    stop();
    throw error;
  }
  return { sockets, stop };
}

function findProgram(name) {
  return systemPath()
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(existsSync);
}

async function answers(name, path) {
  const until = Date.now() + START_MS_MAX;
  while (Date.now() < until) {
    const connected = await new Promise((resolve) => {
      const socket = connect(path);
      socket.on("connect", () => resolve(socket.destroy() && true)).on("error", () => resolve(false));
    });
    if (connected) return;
    await sleep(20);
  }
  throw new Error(`${name} does not listen on ${path} after ${START_MS_MAX} ms`);
}
