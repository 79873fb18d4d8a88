// SPDX-License-Identifier: MIT
//
// The TypeScript table agrees with the C header: functions, statuses, enums, constants, layouts.

import { describe, expect, test } from "vitest";
import * as abi from "../../src/abi.ts";
import * as header from "../support/header.ts";

/** What the header offers to C programs, and what has another form in the io calls. */
const FOR_C_ONLY = [
  "fc_status_text",
  "fc_verify",
  "fc_get",
  "fc_set",
  "fc_lease_begin",
  "fc_lease_end",
  "fc_wait",
  "fc_set_tagged",
  "fc_delete",
  "fc_delete_by_tag",
  "fc_has",
  "fc_increment",
  "fc_touch",
  "fc_ttl",
  "fc_get_many",
  "fc_set_many",
  "fc_delete_many",
];

const exported = header.functions();

test("the header's functions are those of the table and those for C only", () => {
  const known = [...Object.keys(abi.FUNCTIONS), ...FOR_C_ONLY];
  expect([...exported.keys()].toSorted()).toEqual(known.toSorted());
});

test.each(Object.entries(abi.FUNCTIONS))("%s has the same parameters and returns int32_t", (name, types) => {
  // In C always the length of what may be passed as a text: the addon for Node sees to that.
  const parameters = types.map((type) => type.replace(" or text", ""));
  expect(exported.get(name)).toEqual({ result: "int32_t", parameters });
});

test("the statuses are the same", () => {
  expect(header.statuses()).toEqual(abi.STATUS);
  expect(Object.keys(header.statuses()).length).toBeGreaterThan(10);
});

test.each([
  ["fc_type", "FC_TYPE_", abi.TYPE],
  ["fc_kind", "FC_KIND_", abi.KIND],
  ["fc_create", "FC_", abi.CREATE],
  ["fc_on_mismatch", "FC_MISMATCH_", abi.ON_MISMATCH],
  ["fc_eviction", "FC_EVICTION_", abi.EVICTION],
  ["fc_lease_result", "FC_LEASE_", abi.LEASE],
  ["fc_lease_how", "FC_LEASE_", abi.LEASE_END],
  ["fc_noted", "FC_NOTED_", abi.NOTED],
])("the members of %s are the same", (name, prefix, members) => {
  expect(header.enumMembers(name, prefix)).toEqual(members);
});

test("the members of fc_set_mode are the same", () => {
  const { FC_SET: ALWAYS, ...conditions } = header.enumMembers("fc_set_mode", "FC_SET_IF_");
  expect({ ALWAYS, ...conditions }).toEqual(abi.SET_MODE);
});

test.each(Object.entries(abi.CONSTANTS))("%s is %i", (name, value) => {
  expect(header.constant(name)).toBe(value);
});

test("no constant of the header is forgotten", () => {
  const known = [...Object.keys(abi.CONSTANTS), "FC_ABI_VERSION"];
  expect(header.constantNames().toSorted()).toEqual(known.toSorted());
  expect(header.constant("FC_ABI_VERSION")).toBe(abi.ABI_VERSION);
});

test("no descriptor is the largest 64-bit number, as a double", () => {
  expect(header.definition("FC_FD_NONE")).toBe("UINT64_MAX");
  expect(abi.FD_NONE).toBe(Number(2n ** 64n - 1n));
});

describe("structures", () => {
  test.each([
    ["fc_options", abi.OPTIONS, abi.OPTIONS_SIZE],
    ["fc_report", abi.REPORT, abi.REPORT_SIZE],
    ["fc_control", abi.CONTROL, abi.CONTROL_SIZE],
    ["fc_packed_key", abi.PACKED_KEY, abi.PACKED_KEY_SIZE],
    ["fc_packed_entry", abi.PACKED_ENTRY, abi.PACKED_ENTRY_SIZE],
    ["fc_tags", abi.TAGS, abi.TAGS_SIZE],
    ["fc_packed_answer", abi.PACKED_ANSWER, abi.PACKED_ANSWER_SIZE],
    ["fc_lease", abi.LEASE_FIELDS, abi.LEASE_SIZE],
  ])("%s has the same fields at the same offsets", (name, fields, size) => {
    const layout = header.struct(name);
    expect(layout).toEqual({ fields, size });
    expect(Object.keys(layout.fields)).toEqual(Object.keys(fields));
  });

  test.each([
    ["fc_info_fields", abi.INFO_FIELDS],
    ["fc_stats_fields", abi.STATS_FIELDS],
  ])("%s has the same fields in order, 8 bytes each", (name, fields) => {
    const layout = header.struct(name);
    expect(Object.keys(layout.fields)).toEqual([...fields]);
    expect(Object.values(layout.fields)).toEqual(fields.map((_, index) => index * 8));
  });

  test("each field of fc_control is a whole word or double, and in one of the two tables", () => {
    const { reserved, ...fields } = abi.CONTROL;
    const words = Object.entries(abi.WORD).map(([name, index]) => [name, index * 4]);
    const doubles = Object.entries(abi.DOUBLE).map(([name, index]) => [name, index * 8]);
    expect([...words, ...doubles]).toEqual(Object.entries(fields));
    expect([...Object.values(abi.WORD), ...Object.values(abi.DOUBLE)].every(Number.isInteger)).toBe(true);
    expect(reserved).toBe(words.length * 4);
  });

  test("fc_cursor has the same size", () => {
    expect(header.struct("fc_cursor").size).toBe(abi.CURSOR_SIZE);
  });

  test("the regions begin where the control block and the key end", () => {
    const { FC_IO_KEY, FC_IO_VALUE, FC_KEY_LEN_MAX } = abi.CONSTANTS;
    expect(FC_IO_KEY).toBe(abi.CONTROL_SIZE);
    expect(FC_IO_VALUE).toBe(FC_IO_KEY + FC_KEY_LEN_MAX);
  });
});
