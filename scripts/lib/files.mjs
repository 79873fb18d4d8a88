// The repository's own files, as git knows them: tracked, or new and not ignored.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./tools.mjs";

/** Paths from the root on, of the files that `pattern` matches. */
export function files(pattern) {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  const paths = listed.split("\0").filter((path) => path !== "" && pattern.test(path));
  return paths.filter((path) => existsSync(join(root, path)));
}
