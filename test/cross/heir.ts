// A process that was given a segment's descriptor as number 3: reads what its parent set, leaves an answer.

import { FastCache } from "fastcache";

using cache = FastCache.open({ fd: 3, create: false });
cache.set("from the heir", [process.pid, "was here"]);
console.log(`read ${JSON.stringify(cache.get("from the parent"))}`);
