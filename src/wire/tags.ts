// SPDX-License-Identifier: MIT
//
// Tags: checked, and packed for native code. They are read once, before anything is written to the request region.

import { CONSTANTS, PACKED_KEY_SIZE, TAGS_SIZE } from "../abi.ts";
import { invalid, nameOf, SHOWN_LENGTH } from "../errors.ts";
import { alignUp } from "./memory.ts";

const { FC_PACKED_KEY_UNIT, FC_TAG_LEN_MAX, FC_TAGS_MAX } = CONSTANTS;

let encoder: TextEncoder | undefined;

/**
 * A tag's bytes.
 *
 * @throws FastCacheError `INVALID_ARGUMENT`
 */
export function encodeTag(tag: unknown): Uint8Array {
  if (typeof tag !== "string") throw invalid(`a tag is a string, not ${nameOf(tag)}`);
  if (tag === "") throw invalid(`a tag is empty: it has 1 to ${FC_TAG_LEN_MAX} bytes`);
  if (!tag.isWellFormed()) {
    throw invalid(`${tagName(tag)} has a lone surrogate, which UTF-8 cannot hold: use another name`);
  }
  encoder ??= new TextEncoder();
  const bytes = encoder.encode(tag);
  if (bytes.length <= FC_TAG_LEN_MAX) return bytes;
  throw invalid(
    `${tagName(tag)} has ${bytes.length} bytes, the limit is ${FC_TAG_LEN_MAX}: use a shorter one, or a hash of it`,
  );
}

/**
 * Tags as native code wants them: each once, behind their number. `undefined` if there are none.
 *
 * @throws FastCacheError `INVALID_ARGUMENT`
 */
export function packTags(tags: unknown): Uint8Array | undefined {
  if (tags === undefined) return undefined;
  if (!Array.isArray(tags)) throw invalid(`\`tags\` is an array of strings, not ${nameOf(tags)}`);
  const names = new Set<unknown>(tags);
  const all = Array.from(names, encodeTag);
  if (all.length === 0) return undefined;
  if (all.length > FC_TAGS_MAX) {
    throw invalid(`\`tags\` has ${all.length} different tags, the limit is ${FC_TAGS_MAX}: give fewer`);
  }
  const size = all.reduce(
    (sum, tag) => sum + PACKED_KEY_SIZE + alignUp(tag.length, FC_PACKED_KEY_UNIT),
    TAGS_SIZE,
  );
  const packed = new Uint8Array(size);
  const view = new DataView(packed.buffer);
  view.setUint32(0, all.length, true);
  let offset = TAGS_SIZE;
  for (const tag of all) {
    view.setUint32(offset, tag.length, true);
    packed.set(tag, offset + PACKED_KEY_SIZE);
    offset += PACKED_KEY_SIZE + alignUp(tag.length, FC_PACKED_KEY_UNIT);
  }
  return packed;
}

function tagName(tag: string): string {
  const cut = tag.length > SHOWN_LENGTH ? "…" : "";
  return `the tag ${JSON.stringify(tag.slice(0, SHOWN_LENGTH))}${cut}`;
}
