// npm run format: rewrites every file in the house format.

import { formatters } from "./lib/formatters.mjs";
import { endChildrenOnSignal, must } from "./lib/process.mjs";
import { setUp } from "./lib/setup.mjs";

endChildrenOnSignal();
await setUp();
for (const { repair } of formatters) await must(repair());
