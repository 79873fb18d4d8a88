// The Bun process: serves product pages over HTTP. A page is made of the price that Node wrote and the review that
// Deno wrote, and is itself kept in the cache for a moment.

import { FastCache } from "fastcache";
import { CountingCache, endWithParent } from "./shop.ts";

const PAGE_TTL_MS = 400;

const [name] = process.argv.slice(2);
const cache = FastCache.open({ name, create: false });
const shop = new CountingCache(cache, "bun");

function page(product: string): string {
  const kept = shop.get(`page:${product}`);
  if (kept !== undefined) return kept.text;
  const price = shop.get(`price:${product}`)?.text ?? "ask us";
  const review = shop.get(`review:${product}`)?.text ?? "no review yet";
  const text = `<h1>Product ${product}</h1><p>${price}</p><blockquote>${review}</blockquote>`;
  shop.set(`page:${product}`, text, PAGE_TTL_MS);
  return text;
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request) {
    shop.status.requests++;
    const product = new URL(request.url).pathname.slice(1);
    return new Response(page(product), { headers: { "content-type": "text/html" } });
  },
});
console.log(server.url.href);

endWithParent(() => {
  void server.stop(true);
  cache.close();
});
