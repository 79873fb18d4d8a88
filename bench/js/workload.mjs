// What the JavaScript benchmarks store and ask for: keys, values of three kinds, and orders of access. The same in
// every runtime and every run.

let state = 0x9e3779b9;

/** An integer from 0 to `limit` - 1 (xorshift). */
function random(limit) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}

/** Keys of 16 characters. */
export function keysOf(count) {
  return Array.from({ length: count }, (_, i) => `key:${String(i).padStart(12, "0")}`);
}

/** `count` byte values of random lengths from 0 to `limit` - 1. */
export function bytesOfMany(count, limit) {
  return Array.from({ length: count }, (_, i) => new Uint8Array(random(limit)).fill(i));
}

/** The indices below `count`, as they come or shuffled (Fisher and Yates). */
export function orderOf(count, shuffled) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  if (!shuffled) return order;
  for (let i = count - 1; i > 0; i--) {
    const j = random(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** One value of about `size` bytes: of bytes, ASCII text, or an object of small fields as JSON has them. */
export function makeValue(kind, size) {
  if (kind === "bytes") return new Uint8Array(size).fill(7);
  if (kind === "string") return "x".repeat(size);
  const field = { id: 12345, name: "a user of the site", active: true, score: 0.75 };
  const length = JSON.stringify(field).length + 1;
  return { items: Array.from({ length: Math.max(1, Math.round(size / length)) }, () => field) };
}
