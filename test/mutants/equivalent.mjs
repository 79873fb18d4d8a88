// Mutants that no test can notice, and why: the line they change, without its indentation, and the change; the line
// before it too, where there are several such lines.

/** @type {{ file: string, before?: string, text: string, from: string, to: string, why: string }[]} */
export const equivalent = [
  {
    file: "core/write.c",
    text: "return set(&t, value, FC_SET, 0);",
    from: "0",
    to: "1",
    why: "the version is not looked at in this mode",
  },
  {
    file: "core/due.h",
    text: "for (uint32_t j = 0; j < DUE_BUCKETS; j++) store_u32_relaxed(&e->due[j], 0);",
    from: "<",
    to: "<=",
    why: "behind the counts lies their unit, which is set anew with the base",
  },
  {
    file: "core/handle.c",
    text: "for (uint32_t tried = 0; tried < HANDLES_MAX && !handle; tried++) {",
    from: "<",
    to: "<=",
    why: "a full table is looked at once more",
  },
  {
    file: "core/index.c",
    before: "uint32_t count = places(s, hash, where);",
    text: "for (uint32_t i = 0; i < count * BUCKET_WORDS; i++) {",
    from: "0",
    to: "1",
    why: "which entry of the two buckets leaves is not promised",
  },
  {
    file: "core/clean.c",
    text: "for (uint32_t e = 0; e < s->geometry->extents; e++) {",
    from: "<",
    to: "<=",
    why: "behind the states lie the stamps, which are 0, as a free extent",
  },
  {
    file: "core/index.c",
    text: "for (uint32_t i = 0; i < BUCKET_WORDS; i++) {",
    before: "uint32_t moved = 0; /* bit i: word i of the old bucket */",
    from: "<",
    to: "<=",
    why: "a word of another bucket never moves to the new one",
  },
  {
    file: "core/segment.c",
    text: "if (c->shared_fd >= 0) os_file_close(c->shared_fd);",
    from: ">=",
    to: ">",
    why: "the handle's other descriptor was opened before, so this one is never 0",
  },
  {
    file: "core/read.c",
    text: "if (offset > l->s.geometry->shard_data_bytes - RECORD_HEADER) l->word = NULL;",
    from: ">",
    to: ">=",
    why: "no record begins so close to the end, and this only decides what is fetched ahead",
  },
  {
    file: "src/wire/request.ts",
    text: "for (let index = 0; index < text.length; index++) {",
    from: "<",
    to: "<=",
    why: "two zeros behind the text, where nothing lies yet",
  },
  {
    file: "src/batch.ts",
    text: "request.words[(offset + PACKED_ENTRY.reserved) >> 2] = 0;",
    from: "request.words[(offset + PACKED_ENTRY.reserved) >> 2] = 0;",
    to: ";",
    why: "kept 0 for later versions; this one does not look at it",
  },
  {
    file: "src/iterate.ts",
    text: "yield readPage(memory, count, state.words[CURSOR_SIZE / 4] as number);",
    from: "4",
    to: "5",
    why: "the check against native code that answers wrongly then checks nothing",
  },
  {
    file: "src/read.ts",
    text: "for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {",
    from: "<",
    to: "<=",
    why: "one attempt more where a value grows at each",
  },
];
