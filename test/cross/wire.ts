// Values as JSON text that keeps their types, so that tests can hand any cache value to a process and get it back.

type Tagged =
  | { $: "undefined" | "bigint" | "number" | "bytes" | "date"; text: string }
  | { $: "map"; items: unknown[] }
  | { $: "set"; items: unknown[] };

export function toWire(value: unknown): string {
  return JSON.stringify(pack(value));
}

export function fromWire(text: string): unknown {
  return unpack(JSON.parse(text));
}

function pack(value: unknown): unknown {
  if (value === undefined) return { $: "undefined", text: "" } satisfies Tagged;
  if (typeof value === "bigint") return { $: "bigint", text: value.toString() } satisfies Tagged;
  if (Object.is(value, -0)) return { $: "number", text: "-0" } satisfies Tagged;
  if (typeof value === "number" && !Number.isFinite(value)) {
    return { $: "number", text: String(value) } satisfies Tagged;
  }
  if (value instanceof Uint8Array) return { $: "bytes", text: Array.from(value).join() } satisfies Tagged;
  if (value instanceof Date) return { $: "date", text: String(value.getTime()) } satisfies Tagged;
  if (value instanceof Map) return { $: "map", items: [...value].map(pack) } satisfies Tagged;
  if (value instanceof Set) return { $: "set", items: [...value].map(pack) } satisfies Tagged;
  if (Array.isArray(value)) return value.map(pack);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, pack(inner)]));
  }
  return value;
}

function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== "object" || value === null) return value;
  if (!("$" in value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpack(inner)]));
  }
  const tagged = value as Tagged;
  if (tagged.$ === "map") return new Map(tagged.items.map(unpack) as [unknown, unknown][]);
  if (tagged.$ === "set") return new Set(tagged.items.map(unpack));
  const { $: type, text } = tagged;
  switch (type) {
    case "date":
      return new Date(Number(text));
    case "undefined":
      return undefined;
    case "bigint":
      return BigInt(text);
    case "number":
      return Number(text);
    case "bytes":
      return Uint8Array.from(text === "" ? [] : text.split(",").map(Number));
  }
}
