// Values that tell whose they are: everything about one follows from its key and its stamp, its kind too.

/** The value of a key; equal in every runtime. */
export function makeValue(key, stamp) {
  const seed = hash(`${key}#${stamp}`);
  const body = text(seed, (seed >>> 8) % (seed % 16 === 0 ? 8000 : 600));
  switch (seed % 4) {
    case 0:
      return `${key}#${stamp}#${body}`;
    case 1:
      return { key, stamp, body };
    case 2:
      return new TextEncoder().encode(`${key}#${stamp}#${body}`);
    default:
      return [key, stamp, body, seed];
  }
}

/** What is wrong with a value that was read under a key, or undefined. */
export function fault(key, value) {
  const stamp = stampOf(value);
  if (stamp === undefined) return `wrong: ${key} has ${describe(value)}`;
  return describe(value) === describe(makeValue(key, stamp)) ? undefined : `torn: ${key}, stamp ${stamp}`;
}

/** The stamp that a value tells, which may be wrong, or `undefined`. */
export function stampOf(value) {
  if (value instanceof Uint8Array) return stampOf(new TextDecoder().decode(value));
  const stamp =
    typeof value === "string" ? value.split("#")[1] : Array.isArray(value) ? value[1] : value?.stamp;
  return stamp === undefined ? undefined : Number(stamp);
}

function describe(value) {
  return value instanceof Uint8Array ? `bytes ${new TextDecoder().decode(value)}` : JSON.stringify(value);
}

function text(seed, length) {
  const word = `${seed.toString(36)}é-`;
  return word.repeat(Math.ceil(length / word.length)).slice(0, length);
}

/** FNV-1a, 32 bits. */
function hash(string) {
  let sum = 0x811c9dc5;
  for (let i = 0; i < string.length; i++) sum = Math.imul(sum ^ string.charCodeAt(i), 0x01000193) >>> 0;
  return sum;
}
