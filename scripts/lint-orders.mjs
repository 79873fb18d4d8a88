// The models of memory order and the core can't drift apart. A model names the accesses of core/ that it stands for, each
// in a comment of its own in front of its own operation:
//
//   site: core/log.c generation_raise: store_u64_release(&s->header->sequence, sequence)
//
// or the call of a function that has such accesses, like `core/index.c undo_split: index_count_move(s)`. Each site must be
// in that function, word by word, with the order that the model's operation has, and after the sites of the same function
// that the model names before. Each acquire, release and fence in core/ must be some model's site, or stand in
// test/order/unmodelled.txt with the reason.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { files } from "./lib/files.mjs";
import { root } from "./lib/tools.mjs";

const UNMODELLED = "test/order/unmodelled.txt";
const ATOMIC =
  /(?:load|store|add|cas)_u\d+_(?:relaxed|acquire|release)|fence_(?:acquire|release)|__atomic_\w+/;
const SITE = /\bsite: (core\/\S+) (\w+): (.*?)\s*(?:\*[/)])?$/;
// What begins a thread or a part of one, in Rust, in C, and in Promela.
const PART = /^\s*(?:pub )?(?:fn|proctype|inline)\b|^static [^;]*\)$/;

/** Each disagreement, as one line of text. */
export function orderOffences() {
  const sources = files(/^core\/.*\.[ch]$/).filter((path) => path !== "core/atomic.h");
  const atomics = sources.flatMap((path) => accessesOf(path, ATOMIC.source));
  const callable = new Set(atomics.filter((access) => access.isOrdered).map((access) => access.name));
  const either = [ATOMIC.source, ...callable].join("|");
  const accesses = sources.flatMap((path) => accessesOf(path, either));
  const models = files(/^test\/(order|model)\/.*\.(rs|c|pml)$/);
  const offences = [...namesOfAtomics(), ...models.flatMap((path) => checkModel(path, accesses))];
  for (const [index, line] of lines(UNMODELLED).entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const where = `${UNMODELLED}:${index + 1}`;
    const [, path, name, call] = /^(core\/\S+) (\w+): (.*?) -- \S/.exec(line) ?? [];
    const access = accesses.find((one) => one.path === path && one.name === name && one.call === call);
    if (path === undefined) offences.push(`${where}: not of the form 'core/FILE FUNCTION: CALL -- REASON'`);
    else if (access === undefined) offences.push(`${where}: core has no ${path} ${name}: ${call}`);
    else if (access.isClaimed) offences.push(`${where}: a model has it`);
    else access.isListed = true;
  }
  for (const { path, line, name, call, isOrdered, isClaimed, isListed } of accesses) {
    if (isOrdered && !isClaimed && !isListed) offences.push(`${path}:${line}: in no model: ${name}: ${call}`);
  }
  return offences;
}

/** The calls in a C file of what `names` matches, in order, each with the function it is in. */
function accessesOf(path, names) {
  const blank = (comment) => comment.replaceAll(/[^\n]/g, " ");
  const text = readFileSync(join(root, path), "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, blank);
  const calls = [...text.matchAll(new RegExp(`\\b(?:${names})\\(`, "g"))];
  const isInBody = ({ index }) => /\s/.test(text[text.lastIndexOf("\n", index) + 1]);
  return calls.filter(isInBody).map(({ index }) => {
    const call = text.slice(index, endOfCall(text, index)).replaceAll(/\s+/g, " ");
    const before = text.slice(0, index);
    return {
      path,
      line: before.split("\n").length,
      name: functionAt(before),
      call,
      isOrdered: isOrdered(call),
    };
  });
}

function endOfCall(text, from) {
  let depth = 0;
  for (let at = text.indexOf("(", from); at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) return at + 1;
  }
  return text.length;
}

/** The function whose body a text ends in: the last name and parenthesis of a line that is not indented. */
function functionAt(text) {
  const heads = text.split("\n").filter((line) => /^[A-Za-z_]/.test(line));
  const names = heads.map((line) => /(\w+)\(/.exec(line.replaceAll(/__attribute__\(\(.*?\)\)/g, ""))?.[1]);
  return names.findLast((name) => name !== undefined) ?? "(none)";
}

function isOrdered(call) {
  return (
    /^(?:\w+_u\d+|fence)_(?:acquire|release)\(/.test(call) ||
    /__ATOMIC_(?:ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)/.test(call)
  );
}

/** Marks what a model claims. */
function checkModel(path, accesses) {
  const offences = [];
  const text = lines(path);
  let reached = new Map(); // by function of core: the last of its accesses that this part of the model has named
  for (const [index, line] of text.entries()) {
    if (PART.test(line)) reached = new Map();
    const [, file, name, call] = SITE.exec(line) ?? [];
    if (file === undefined) continue;
    const where = `${path}:${index + 1}`;
    const own = accesses.filter((one) => one.path === file && one.name === name);
    const known = own.filter((one) => one.call === call);
    if (known.length === 0) {
      offences.push(`${where}: core has no ${file} ${name}: ${call}`);
      continue;
    }
    const key = `${file} ${name}`;
    const next = known.find((one) => own.indexOf(one) > (reached.get(key)?.last ?? -1));
    // A function that is called again begins with what it began with.
    const access = next ?? (known.includes(reached.get(key).first) ? known[0] : undefined);
    if (access === undefined) {
      offences.push(`${where}: in ${name} it comes before the site that is named above it: ${call}`);
      continue;
    }
    reached.set(key, { first: reached.get(key)?.first ?? access, last: own.indexOf(access) });
    for (const one of known) one.isClaimed = true;
    if (path.endsWith(".pml") || kindOf(call) === undefined) continue; // Promela has no orders
    const operation = text.slice(index + 1).find((later) => !SITE.test(later)) ?? "";
    if (kindOf(operation) !== kindOf(call)) {
      offences.push(`${where}: core has a ${kindOf(call)}, the model ${kindOf(operation) ?? "none"}`);
    }
  }
  return offences;
}

/** Such as "store release", of a call in C, in core/ or in a program for GenMC, or of one in Rust. */
function kindOf(text) {
  const own = /\b(load|store|cas|fence)_(?:u\d+_)?(relaxed|acquire|release)\(/.exec(text);
  return own === null ? undefined : `${own[1]} ${own[2]}`;
}

/** Each function of atomic.h whose order is not the one in its name. */
function namesOfAtomics() {
  const text = readFileSync(join(root, "core/atomic.h"), "utf8");
  const bodies = text.matchAll(
    /^static inline \S+ \*?((?:\w+_)?(relaxed|acquire|release))\([^{]*\{([^}]*)\}/gm,
  );
  return [...bodies]
    .filter(([, , order, body]) => /__ATOMIC_(\w+)/.exec(body)?.[1].toLowerCase() !== order)
    .map(([, name]) => `core/atomic.h: ${name} does not have the order of its name`);
}

function lines(path) {
  return readFileSync(join(root, path), "utf8").split("\n");
}
