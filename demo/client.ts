// The Deno and the Node process, which differ in what they write: `client.ts <segment> <url> <writer>`. In turns each
// writes items of its own, reads those of the others straight from the cache, and asks the Bun process for a page.

import { FastCache } from "fastcache";
import { CountingCache, endWithParent, popularProduct } from "./shop.ts";

const WRITES_PER_TURN = 5;
const READS_PER_TURN = 100;
const ITEM_TTL_MS = 3000;

const kinds = {
  deno: { writes: "review", text: () => `${1 + Math.floor(Math.random() * 5)} of 5 stars` },
  node: { writes: "price", text: () => `${(1 + Math.random() * 99).toFixed(2)} €` },
};

const [name, url, writer] = process.argv.slice(2) as [string, string, keyof typeof kinds];
const { writes, text } = kinds[writer];
const reads = ["page", "price", "review"].filter((kind) => kind !== writes);
const cache = FastCache.open({ name, create: false });
const shop = new CountingCache(cache, writer);

let isEnding = false;
endWithParent(() => {
  isEnding = true;
});

while (!isEnding) {
  for (let i = 0; i < WRITES_PER_TURN; i++) shop.set(`${writes}:${popularProduct()}`, text(), ITEM_TTL_MS);
  for (let i = 0; i < READS_PER_TURN; i++) shop.get(`${reads[i % reads.length]}:${popularProduct()}`);
  const response = await fetch(`${url}${popularProduct()}`);
  await response.text();
  shop.status.requests++;
}
cache.close();
