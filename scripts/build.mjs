// npm run build: installs what is missing and builds dist/.
//   --host   the native library of this machine only

import { build } from "./lib/build.mjs";
import { endChildrenOnSignal } from "./lib/process.mjs";
import { setUp } from "./lib/setup.mjs";

endChildrenOnSignal();
await setUp();
await build({ hostOnly: process.argv.includes("--host") });
