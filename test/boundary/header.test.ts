// SPDX-License-Identifier: MIT
//
// The TypeScript table agrees with the C header: functions, statuses, enums, constants, layouts.

import { describe, expect, test } from "vitest";
import * as symbols from "../../src/binding/symbols.ts";
import * as header from "../support/header.ts";

/** What the header offers to C programs, and what has another form in the io calls. */
const FOR_C_ONLY = [
  "fc_status_text",
  "fc_verify",
  "fc_get",
  "fc_set",
  "fc_delete",
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
  const known = [...Object.keys(symbols.FUNCTIONS), ...FOR_C_ONLY];
  expect([...exported.keys()].toSorted()).toEqual(known.toSorted());
});

test.each(Object.entries(symbols.FUNCTIONS))(
  "%s has the same parameters and returns int32_t",
  (name, types) => {
    expect(exported.get(name)).toEqual({ result: "int32_t", parameters: types });
  },
);

test("the statuses are the same", () => {
  expect(header.statuses()).toEqual(symbols.STATUS);
  expect(Object.keys(header.statuses()).length).toBeGreaterThan(10);
});

test.each([
  ["fc_type", "FC_TYPE_", symbols.TYPE],
  ["fc_kind", "FC_KIND_", symbols.KIND],
  ["fc_create", "FC_", symbols.CREATE],
  ["fc_eviction", "FC_EVICTION_", symbols.EVICTION],
])("the members of %s are the same", (name, prefix, members) => {
  expect(header.enumMembers(name, prefix)).toEqual(members);
});

test("the members of fc_set_mode are the same", () => {
  const { FC_SET: ALWAYS, ...conditions } = header.enumMembers("fc_set_mode", "FC_SET_IF_");
  expect({ ALWAYS, ...conditions }).toEqual(symbols.SET_MODE);
});

test.each(Object.entries(symbols.CONSTANTS))("%s is %i", (name, value) => {
  expect(header.constant(name)).toBe(value);
});

test("no constant of the header is forgotten", () => {
  const known = [...Object.keys(symbols.CONSTANTS), "FC_ABI_VERSION"];
  expect(header.constantNames().toSorted()).toEqual(known.toSorted());
  expect(header.constant("FC_ABI_VERSION")).toBe(symbols.ABI_VERSION);
});

test("no descriptor is the largest 64-bit number, as a double", () => {
  expect(header.definition("FC_FD_NONE")).toBe("UINT64_MAX");
  expect(symbols.FD_NONE).toBe(Number(2n ** 64n - 1n));
});

describe("structures", () => {
  test.each([
    ["fc_options", symbols.OPTIONS, symbols.OPTIONS_SIZE],
    ["fc_report", symbols.REPORT, symbols.REPORT_SIZE],
    ["fc_control", symbols.CONTROL, symbols.CONTROL_SIZE],
    ["fc_packed_key", symbols.PACKED_KEY, symbols.PACKED_KEY_SIZE],
    ["fc_packed_entry", symbols.PACKED_ENTRY, symbols.PACKED_ENTRY_SIZE],
    ["fc_packed_answer", symbols.PACKED_ANSWER, symbols.PACKED_ANSWER_SIZE],
  ])("%s has the same fields at the same offsets", (name, fields, size) => {
    const layout = header.struct(name);
    expect(layout).toEqual({ fields, size });
    expect(Object.keys(layout.fields)).toEqual(Object.keys(fields));
  });

  test.each([
    ["fc_info_fields", symbols.INFO_FIELDS],
    ["fc_stats_fields", symbols.STATS_FIELDS],
  ])("%s has the same fields in order, 8 bytes each", (name, fields) => {
    const layout = header.struct(name);
    expect(Object.keys(layout.fields)).toEqual([...fields]);
    expect(Object.values(layout.fields)).toEqual(fields.map((_, index) => index * 8));
  });

  test("each field of fc_control is a whole word or double, and in one of the two tables", () => {
    const { reserved, ...fields } = symbols.CONTROL;
    const words = Object.entries(symbols.WORD).map(([name, index]) => [name, index * 4]);
    const doubles = Object.entries(symbols.DOUBLE).map(([name, index]) => [name, index * 8]);
    expect([...words, ...doubles]).toEqual(Object.entries(fields));
    expect([...Object.values(symbols.WORD), ...Object.values(symbols.DOUBLE)].every(Number.isInteger)).toBe(
      true,
    );
    expect(reserved).toBe(words.length * 4);
  });

  test("fc_cursor has the same size", () => {
    expect(header.struct("fc_cursor").size).toBe(symbols.CURSOR_SIZE);
  });

  test("the regions begin where the control block and the key end", () => {
    const { FC_IO_KEY, FC_IO_VALUE, FC_KEY_LEN_MAX } = symbols.CONSTANTS;
    expect(FC_IO_KEY).toBe(symbols.CONTROL_SIZE);
    expect(FC_IO_VALUE).toBe(FC_IO_KEY + FC_KEY_LEN_MAX);
  });
});
