// Faults of the protocol, to be put into the core one at a time: each has to be found by the simulator, which shows what
// it can see. `text` occurs once in `file`. One that `cannot` be seen says why; so does one
// that is so `rare` that it may be found or not.

/** @type {{ id: string, file: string, text: string, by: string, breaks: string, cannot?: string, rare?: string }[]} */
export const mutations = [
  // Readers
  {
    id: "no-generation",
    file: "log.c",
    text: "store_u64_relaxed(&s->lives[extent].generation, sequence);",
    by: "",
    breaks: "an extent is reused, and its generation does not say so",
  },
  {
    id: "no-sequence",
    file: "log.c",
    text: "    store_u64_release(&s->header->sequence, sequence); /* pairs with the acquire in read.c */\n",
    by: "",
    breaks: "the sequence is not raised when an extent is opened",
  },
  {
    id: "record-reused",
    file: "read.c",
    text: "!unchanged(&r, r.record.extent) || word_reused(&r)",
    by: "word_reused(&r)",
    breaks: "a reader does not ask for the generation of the record's extent",
  },
  {
    id: "word-reused",
    file: "read.c",
    text: "!unchanged(&r, r.record.extent) || word_reused(&r)",
    by: "!unchanged(&r, r.record.extent)",
    breaks: "a reader does not ask for the generation of the index word's extent",
    rare: "a reader has to be held between two loads until its bucket holds a value that imitates a word of its key",
  },
  {
    id: "chunk-reused",
    file: "read.c",
    text: "        if (!unchanged(r, chunk.extent)) return false;\n",
    by: "",
    breaks: "a reader does not ask for the generation of a chunk's extent",
  },
  {
    id: "late-sequence",
    file: "read.c",
    text: "lives[extent].generation) <= r->sequence;",
    by: "lives[extent].generation) <= load_u64_relaxed(&r->s.header->sequence);",
    breaks: "a reader compares with the sequence of now, not of when it began",
  },
  {
    id: "miss-unchecked",
    file: "read.c",
    text: "likely(!index_moved(r)) ? ATTEMPT_MISS : ATTEMPT_RETRY",
    by: "ATTEMPT_MISS",
    breaks: "a reader that misses does not look whether the index changed meanwhile",
  },
  {
    id: "any-key",
    file: "record.h",
    text: "return r->key_len == key_len && equals_shared(r->key, key, key_len);",
    by: "return r->key_len == key_len && equals_shared(r->key, key, 4);",
    breaks: "only the beginning of a key is compared",
  },
  {
    id: "no-deadline",
    file: "read.c",
    text: "    const bool over = record_over(r->s.cache, &r->record);\n",
    by: "    const bool over = record_invalidated(r->s.cache, &r->record);\n",
    breaks: "a reader ignores the deadline",
  },
  {
    id: "deadline-once",
    file: "read.c",
    text: "    return still_the_entry(r) ? ATTEMPT_MISS : ATTEMPT_RETRY;\n",
    by: "    return ATTEMPT_MISS;\n",
    breaks: "a reader takes the deadline that it has read for the entry's, which was touched since",
  },
  {
    id: "stash-unread",
    file: "read.c",
    text: "if (unlikely(load_u32_acquire(&r->s.header->stash_count) != 0)) {",
    by: "if (unlikely(load_u32_acquire(&r->s.header->stash_count) > STASH_WORDS)) {",
    breaks: "a reader does not look into the stash",
  },
  {
    id: "iterate-moved",
    file: "iterate.c",
    text: "    if (load_u64_relaxed(&s->header->index_moves) != moves && !last) return false;\n",
    by: "    (void)moves;\n",
    breaks: "an iteration does not look whether words moved meanwhile",
  },
  {
    id: "iterate-stash",
    file: "iterate.c",
    text: "|| was_in_stash(p, word_offset(value))) continue;",
    by: ") continue;",
    breaks: "an iteration tells a key twice that leaves the stash meanwhile",
  },
  // Publishing
  {
    id: "publish-first",
    file: "entry.c",
    text: "    const uint64_t offset = log_append(s, where.lane, entry);\n    if (offset == LOG_FULL) return false;\n",
    by: `    const uint32_t early = load_u32_relaxed(&s->header->open_extents[where.lane]);
    if (existing && early != EXTENT_NONE)
        (void)index_publish(s, existing->word,
                            word_make(hash_tag(hash), where.mark,
                                      extent_offset(s, early) + log_used(s, early)) |
                                (existing->value & WORD_SECOND));
    const uint64_t offset = log_append(s, where.lane, entry);
    if (offset == LOG_FULL) return false;
`,
    breaks: "a word is published before its record is complete",
  },
  {
    id: "solid-first",
    file: "entry.c",
    text: "        const uint64_t offset = log_copy_solid(s, chunk, head->deadline_ms);\n        if (offset == LOG_FULL) return false;\n",
    by: `        uint32_t early = 0;
        while (early < s->geometry->extents &&
               load_u16_relaxed(&s->states[early].kind) != EXTENT_FREE)
            early++;
        if (early < s->geometry->extents)
            store_u64_release(&head->locations[i], extent_offset(s, early));
        const uint64_t offset = log_copy_solid(s, chunk, head->deadline_ms);
        if (offset == LOG_FULL) return false;
`,
    breaks: "a chunk's new place is published before the chunk is written",
    rare: "only where the index grows into an extent that a large value fills, which is being read",
  },
  {
    id: "short-chunk",
    file: "log.c",
    text: "    copy_to_shared(at + RECORD_HEADER, bytes, log_solid_bytes(s));\n",
    by: "    copy_to_shared(at + RECORD_HEADER, bytes, log_solid_bytes(s) - 64);\n",
    breaks: "a chunk is published before its end is written",
  },
  {
    id: "split-clears-first",
    file: "index.c",
    text: `    store_u32_release(&s->header->buckets, to + 1); /* pairs with index_size */
    index_count_move(s);
    for (uint32_t i = 0; i < BUCKET_WORDS; i++)
        if (moved & 1u << i) store_u64_release(&old->words[i], 0);
`,
    by: `    for (uint32_t i = 0; i < BUCKET_WORDS; i++)
        if (moved & 1u << i) store_u64_release(&old->words[i], 0);
    store_u32_release(&s->header->buckets, to + 1); /* pairs with index_size */
    index_count_move(s);
`,
    breaks: "a split clears the old words before it publishes the new size",
  },
  {
    id: "split-uncounted",
    file: "index.c",
    text: "    store_u32_release(&s->header->buckets, to + 1); /* pairs with index_size */\n    index_count_move(s);\n",
    by: "    store_u32_release(&s->header->buckets, to + 1); /* pairs with index_size */\n",
    breaks: "a split does not count that words moved",
  },
  {
    id: "split-publishes-first",
    file: "index.c",
    text: "    uint32_t moved = 0; /* bit i: word i of the old bucket */\n",
    by: "    uint32_t moved = 0; /* bit i: word i of the old bucket */\n    store_u32_release(&s->header->buckets, to + 1);\n",
    breaks: "a split publishes the new size before it has copied the words",
  },
  {
    id: "split-old-words",
    file: "index.c",
    text: "        if (moved & 1u << i) store_u64_release(&old->words[i], 0);\n",
    by: "        if (moved & 2u << i) store_u64_release(&old->words[i], 0);\n",
    breaks: "a split leaves a word behind that it has moved, and clears another",
  },
  {
    id: "undo-publishes-first",
    file: "index.c",
    text: "    if (!copy_back(s, to, from)) return false;\n",
    by: "    store_u32_release(&s->header->buckets, last);\n    if (!copy_back(s, to, from)) return false;\n",
    breaks: "what undoes a split publishes the new size before it has copied the words",
  },
  {
    id: "undo-uncounted",
    file: "index.c",
    text: "    store_u32_release(&s->header->buckets, last);\n    index_count_move(s);\n",
    by: "    store_u32_release(&s->header->buckets, last);\n",
    breaks: "what undoes a split does not count that words moved",
  },
  {
    id: "undo-without-stash",
    file: "index.c",
    text: "        if (!word) word = stash_room(s);\n",
    by: "",
    breaks: "what undoes a split does not put into the stash what finds no room",
  },
  {
    id: "undo-left-out",
    file: "index.c",
    text: "        if (!undo_split(s)) return;\n",
    by: "        return;\n",
    breaks: "the index never gives memory back",
  },
  {
    id: "drain-clears-first",
    file: "index.c",
    text: "        store_u64_release(room, value);\n        index_count_move(s);\n        (void)index_clear_word(s, word);\n",
    by: "        (void)index_clear_word(s, word);\n        index_count_move(s);\n        store_u64_release(room, value);\n",
    breaks: "a word leaves the stash before it is in its bucket",
  },
  {
    id: "drain-uncounted",
    file: "index.c",
    text: "        store_u64_release(room, value);\n        index_count_move(s);\n",
    by: "        store_u64_release(room, value);\n",
    breaks: "a word leaves the stash, and that is not counted",
  },
  {
    id: "drain-left-out",
    file: "write.c",
    text: "    if (unlikely(load_u32_relaxed(&s->header->stash_count) != 0)) index_drain(s);\n",
    by: "",
    breaks: "the stash does not empty",
  },
  {
    id: "stash-counted-late",
    file: "index.c",
    text: `    if (in_stash(s, word) && word_tag(load_u64_relaxed(word)) == 0)
        store_u32_release(&s->header->stash_count, load_u32_relaxed(&s->header->stash_count) + 1);
    store_u64_release(word, value); /* pairs with the acquire of the word in read.c */
`,
    by: `    const bool first = in_stash(s, word) && word_tag(load_u64_relaxed(word)) == 0;
    store_u64_release(word, value); /* pairs with the acquire of the word in read.c */
    if (first)
        store_u32_release(&s->header->stash_count, load_u32_relaxed(&s->header->stash_count) + 1);
`,
    breaks: "a word is in the stash before its count says so",
    cannot:
      "who has to find the word begins after the store returned or the index shrank, and both come after the count",
  },
  {
    id: "clear-uncounted",
    file: "index.c",
    text: "    store_u32_release(&s->header->buckets, BUCKETS_MIN);\n    index_count_move(s);\n",
    by: "    store_u32_release(&s->header->buckets, BUCKETS_MIN);\n",
    breaks: "clear does not count that words went",
    cannot: "the recount that follows counts it; and what readers miss meanwhile is being cleared",
  },
  {
    id: "index-extent",
    file: "log.c",
    text: "    generation_raise(s, extent); /* it holds no records from now on */\n",
    by: "",
    breaks: "an extent becomes part of the index without a new generation",
  },
  // Locks and death
  {
    id: "no-recount",
    file: "guard.c",
    text: "if (likely(result == LOCK_TAKEN && notes_plausible(s))) return FC_OK;",
    by: "if (likely(notes_plausible(s))) return FC_OK;",
    breaks: "who takes over does not recount",
  },
  {
    id: "recount-moves",
    file: "guard.c",
    text: "    /* The dead owner may have moved words without counting that yet. */\n    index_count_move(s);\n",
    by: "",
    breaks: "a recount does not count a move that the dead owner may have made",
    rare: "the owner has to die within one step, and all of the recount to pass within one search",
  },
  {
    id: "recount-twice",
    file: "guard.c",
    text: "    good = good && index_find(s, hash, head.key, head.key_len, &first) && first.word == word;\n",
    by: "    good = good && index_find(s, hash, head.key, head.key_len, &first);\n",
    breaks: "a recount leaves a key in two places where the owner died in a move",
  },
  {
    id: "recount-live",
    file: "guard.c",
    text: "    store_u64_relaxed(&header->live_bytes, 0);\n",
    by: "",
    breaks: "a recount adds live bytes to what was there",
  },
  {
    id: "recount-dead-records",
    file: "guard.c",
    text: "    recount_records(s);\n",
    by: "",
    breaks: "a recount does not take records for dead that nothing reaches",
    cannot: "the bit is a hint: who walks an extent asks the index about each record without it",
  },
  {
    id: "recount-version",
    file: "guard.c",
    text: "    r.version = load_u64_relaxed(&s->header->version) & VERSION_MASK;\n",
    by: "    r.version = 0;\n",
    breaks: "after a take-over versions begin anew behind what is left",
  },
  {
    id: "recount-sequence",
    file: "guard.c",
    text: "    store_u64_release(&s->header->sequence, sequence);\n",
    by: "",
    breaks: "a recount does not raise the sequence that the dead owner had not yet",
  },
  {
    id: "recount-open",
    file: "guard.c",
    text: "    for (uint32_t i = 0; i < LANES; i++) store_u32_relaxed(&header->open_extents[i], EXTENT_NONE);\n",
    by: "",
    breaks: "a recount leaves extents open, also free ones",
  },
  {
    id: "early-unlock",
    file: "write.c",
    text: "    index_shrink(&t->s, SPLITS_UNDONE + (uint32_t)(before - min_u64(now, before)));\n    guard_unlock(&t->s);\n",
    by: "    guard_unlock(&t->s);\n    index_shrink(&t->s, SPLITS_UNDONE + (uint32_t)(before - min_u64(now, before)));\n",
    breaks: "set lets go of the lock before its last stores",
    cannot: "each of those stores asks whether the lock is still ours, and it is not",
  },
  {
    id: "unlocked-publish",
    file: "entry.c",
    text: "    if (!published) return false;\n",
    by: "    if (!published) return false;\n    lock_release(s->cache, s->header);\n",
    breaks: "a set lets go of the lock before it has counted",
  },
  {
    id: "still-ours",
    file: "lock.c",
    text: "    return lock_owner(shard) == c->owner;\n",
    by: "    (void)shard;\n    return c->owner != 0;\n",
    breaks: "nobody asks whether the lock is still his",
    cannot:
      "the living keep their byte locks here, so nobody takes their shard; step --only take-over does that",
  },
  {
    id: "alive-negated",
    file: "lock.c",
    text: "        if (owner_of(now) == owner_of(word) && !process_alive(c, owner_of(now)) &&",
    by: "        if (owner_of(now) == owner_of(word) && process_alive(c, owner_of(now)) &&",
    breaks: "a waiter takes over from the living, not from the dead",
  },
  {
    id: "never-takes-over",
    file: "lock.c",
    text: "        if (owner_of(now) == owner_of(word) && !process_alive(c, owner_of(now)) &&",
    by: "        if (owner_of(now) != owner_of(word) && !process_alive(c, owner_of(now)) &&",
    breaks: "who waits does not take over from the dead",
    cannot: "at the end of its patience it asks once more, and takes over then: it is slower, not wrong",
  },
  {
    id: "waiter-gives-up",
    file: "lock.c",
    text: "LOCK_TAKEN : lock_try(c, shard);",
    by: "LOCK_TAKEN : LOCK_BUSY;",
    breaks: "a waiter that was held up is refused, and has not asked whether the owner lives (it was so)",
    rare: "a waiter has to be held up within a few steps, when nothing else asks about the owner",
  },
  {
    id: "two-heirs",
    file: "lock.c",
    text: "    while (!cas_u64_acquire(&shard->lock, &word, c->owner | WAITERS))\n        if (owner_of(word) != dead) return false;\n",
    by: "    (void)dead;\n    store_u64_release(&shard->lock, c->owner | WAITERS);\n",
    breaks: "two waiters take over at once",
  },
  {
    id: "same-incarnation",
    file: "process.c",
    text: "    if (load_u32_acquire(&cache_slot(c, slot)->incarnation) != (uint32_t)(owner >> 32))\n        return false;\n",
    by: "",
    breaks: "a dead owner seems alive when somebody else has its slot",
  },
  {
    id: "no-incarnation",
    file: "process.c",
    text: "load_u32_relaxed(&c->slot->incarnation) + 1;",
    by: "load_u32_relaxed(&c->slot->incarnation);",
    breaks: "who takes a slot is not told from its last owner",
  },
  {
    id: "no-wake",
    file: "lock.c",
    text: "    if (word & WAITERS) os_wake_one((uint32_t *)&shard->lock);\n",
    by: "",
    breaks: "who lets go of a lock wakes nobody",
    cannot: "a waiter looks again after 2 ms by itself: it is slower, not wrong",
  },
  {
    id: "no-creation-lock",
    file: "segment.c",
    text: "        status = place_lock(c->fd, wait_us, t->label, report);\n",
    by: "        (void)wait_us;\n",
    breaks: "two processes create the segment at once",
  },
  // Operations
  {
    id: "version-kept",
    file: "write.c",
    text: "    uint64_t version = (load_u64_relaxed(&s->header->version) + 1) & VERSION_MASK;\n",
    by: "    uint64_t version = t->present ? record_version(&t->entry.record)\n                                  : (load_u64_relaxed(&s->header->version) + 1) & VERSION_MASK;\n",
    breaks: "a value that replaces another keeps its version",
  },
  {
    id: "any-version",
    file: "write.c",
    text: "return t->present && (double)record_version(&t->entry.record) == version;",
    by: "return t->present && (double)record_version(&t->entry.record) >= version;",
    breaks: "compare-and-set takes later versions for the one asked for",
  },
  {
    id: "add-replaces",
    file: "write.c",
    text: "        return !t->present;\n",
    by: "        return !t->present || version == 0;\n",
    breaks: "add stores over what is there",
  },
  {
    id: "increment-unlocked",
    file: "write.c",
    text: "    uint64_t deadline_ms = deadline_after(c, ttl_ms);\n    status = guard_lock(&t.s);\n    if (status != FC_OK) return status;\n    look_up(&t);\n    lease_news news = {0, 0};\n    double number",
    by: "    uint64_t deadline_ms = deadline_after(c, ttl_ms);\n    t.present = index_find(&t.s, t.hash, t.key, t.key_len, &t.entry);\n    status = guard_lock(&t.s);\n    if (status != FC_OK) return status;\n    double number",
    breaks: "increment looks the number up before it has the lock",
  },
  {
    id: "expired-kept",
    file: "write.c",
    text: "    if (!t->present || !record_over(t->s.cache, &t->entry.record)) return;\n",
    by: "    if (!t->present || t->hash != 0) return;\n",
    breaks: "writers take an expired entry for a live one",
  },
  {
    id: "busy-after-all",
    file: "write.c",
    text: "    if (cache_lost(s->cache)) return FC_CORRUPT;\n    cache_count(s->cache, COUNT_SETS, 1);\n    return FC_OK;\n",
    by: "    cache_count(s->cache, COUNT_SETS, 1);\n    return version % 64 ? FC_OK : FC_BUSY;\n",
    breaks: "a set that took effect says that it was refused",
  },
  {
    id: "touch-chunks",
    file: "entry.c",
    text: "            log_change_deadline(s, &chunk, head->deadline_ms, deadline_ms);\n    }\n    store_u64_release(word, deadline_ms);\n",
    by: "            (void)chunk;\n    }\n    store_u64_release(word, deadline_ms);\n",
    breaks: "touch does not count the new deadline of a value's chunks",
  },
  {
    id: "live-uncounted",
    file: "log.c",
    text: "    if (live_subtract(s, r->extent, r->size) == 0 && !log_is_open(s, r->extent))\n",
    by: "    if (live_subtract(s, r->extent, r->size - 8) == 0 && !log_is_open(s, r->extent))\n",
    breaks: "live bytes are miscounted",
  },
  {
    id: "evicts-early",
    file: "clean.c",
    text: "    return live + work->adding < capacity - capacity / 10 &&\n",
    by: "    return live + work->adding < capacity / 16 &&\n",
    breaks: "live entries leave while most of the room is free (how much may be, room_test measures)",
  },
  {
    id: "frees-live",
    file: "clean.c",
    text: "    if (index_find_part(s, hash, offset, &entry)) meet(work, purpose, hash, &entry);\n",
    by: "    if (index_find_part(s, hash, offset, &entry) && part.kind != RECORD_CHUNK)\n        meet(work, purpose, hash, &entry);\n",
    breaks: "the cleaner passes by a chunk whose entry lives",
  },
  // Leases
  {
    id: "no-fence-set",
    file: "write.c",
    text: "        if (news && condition != FC_SET_IF_LEASE) *news = lease_fence(&t->s, t->hash);\n",
    by: "",
    breaks: "a set leaves the lease of its key",
  },
  {
    id: "no-fence-delete",
    file: "write.c",
    text: "    if (lease_any(&t->s)) news = lease_fence(&t->s, t->hash);\n    look_up(t);\n",
    by: "    look_up(t);\n",
    breaks: "a delete leaves the lease of its key",
  },
  {
    id: "no-fence-clear",
    file: "write.c",
    text: "    if (lease_any(s)) news = lease_fence_all(s);\n",
    by: "",
    breaks: "clear leaves the leases",
  },
  {
    id: "any-token",
    file: "lease.c",
    text: "            return (double)load_u64_relaxed(&line->as.held.token) == token ? line : NULL;\n",
    by: "            return token > 0 ? line : NULL;\n",
    breaks: "any token is good while somebody holds the lease",
  },
  {
    id: "token-again",
    file: "lease.c",
    text: "    store_u64_relaxed(&s->header->lease_token, token + 1);\n",
    by: "",
    breaks: "a token is given again",
  },
  {
    id: "lease-of-the-living",
    file: "flight.c",
    text: "    if (lease_over(line, now_ms) || known_dead(f->s.cache, *owner)) {",
    by: "    if (lease_over(line, now_ms) || lease_number(line) == 0) {",
    breaks: "a lease is taken from an owner that is alive",
  },
  {
    id: "lease-of-the-dead",
    file: "flight.c",
    text: "    if (lease_over(line, now_ms) || known_dead(f->s.cache, *owner)) {",
    by: "    if (lease_over(line, now_ms)) {",
    breaks: "a dead owner keeps its lease until its time is over",
  },
  {
    id: "death-unnoticed",
    file: "flight.c",
    text: "        store_u32_relaxed(&c->dead[i], incarnation);\n        died = true;\n",
    by: "",
    breaks: "who waits does not notice that the owner has died",
    cannot: "he notices when his wait is over, some milliseconds later; lease_test waits for a minute",
  },
  {
    id: "waiter-unknown",
    file: "flight.c",
    text: "    lease_wait_in(line, f->s.cache->slot_index);\n",
    by: "",
    breaks: "who waits is not noted in the line",
  },
  {
    id: "set-tells-nobody",
    file: "write.c",
    text: "    lease_tell(t->s.cache, news);\n    return status;\n}\n\nstatic int32_t set(",
    by: "    return status;\n}\n\nstatic int32_t set(",
    breaks: "who stores by a lease wakes nobody",
  },
  {
    id: "end-tells-nobody",
    file: "flight.c",
    text: "    guard_unlock(&f.s);\n    lease_tell(c, news);\n",
    by: "    guard_unlock(&f.s);\n",
    breaks: "who ends a lease wakes nobody",
  },
  {
    id: "vacant-forgets",
    file: "lease.c",
    text: "    if (line) waiters = waiters_of(line).slots;\n",
    by: "",
    breaks: "a lease that changes hands forgets who waits for it",
    cannot:
      "who waits for an owner asks again, and waits for the next one, when the owner has died or was fenced",
  },
  {
    id: "vacant-silent",
    file: "lease.c",
    text: "    if (lease_state(line) != LEASE_HELD && lease_state(line) != LEASE_VACANT)\n",
    by: "    if (lease_state(line) != LEASE_HELD)\n",
    breaks: "who waits is not told of a lease whose fencer has died",
    rare: "somebody has to die between two stores, and somebody else to change the key before the waiter asks again",
  },
  {
    id: "recount-drops-leases",
    file: "lease.c",
    text: "        if (lease_state(line) != LEASE_FREE && sensible(s, line))\n            used++;\n        else\n            state_store(line, LEASE_FREE, 0);\n",
    by: "        state_store(line, LEASE_FREE, 0);\n",
    breaks: "a take-over of the lock drops the leases",
  },
  {
    id: "leases-uncounted",
    file: "lease.c",
    text: "        count(s, true);\n    }\n    if (!line) return 0;\n",
    by: "    }\n    if (!line) return 0;\n",
    breaks: "a lease is not counted, so that nobody takes it away",
  },
  // Tags
  {
    id: "tags-unread",
    file: "read.c",
    text: "const bool over = record_over(r->s.cache, &r->record);",
    by: "const bool over = deadline_passed(r->s.cache, r->record.deadline_ms);",
    breaks: "a reader does not ask whether a tag of the entry was deleted",
  },
  {
    id: "tags-unread-by-writers",
    file: "write.c",
    text: "!record_over(t->s.cache, &t->entry.record)",
    by: "!deadline_passed(t->s.cache, t->entry.record.deadline_ms)",
    breaks: "a writer does not ask whether a tag of the entry was deleted",
  },
  {
    id: "one-slot",
    file: "tag.c",
    text: "    raise(&table_of(c)[slots >> 32], number);\n",
    by: "",
    breaks: "an invalidation raises one slot of its tag only",
  },
  {
    id: "not-counted",
    file: "tag.c",
    text: "add_u64_release(&table_of(c)[TAG_COUNTER], 1) + 1",
    by: "tag_now(c) + 1",
    breaks: "an invalidation takes a number, but does not raise the counter",
  },
  {
    id: "slot-falls",
    file: "tag.c",
    text: "while (before < number)",
    by: "while (before != number)",
    breaks: "an invalidation that is overtaken puts the slots back to its own number",
    rare: "a process has to be held in an invalidation until another has ended one of the same tag",
  },
  {
    id: "born-late",
    file: "tag.c",
    text: "    out->birth = tag_birth(c);\n",
    by: "    out->birth = UINT64_MAX;\n",
    breaks: "an entry is born in the future",
  },
  {
    id: "moves-without-tags",
    file: "entry.c",
    text: "SHAPE_CREATED | SHAPE_BIRTH | \\\n",
    by: "SHAPE_CREATED | \\\n",
    breaks: "an entry that moves loses its birth",
  },
  {
    id: "extent-not-noted",
    file: "entry.c",
    text: "    store_u64_relaxed(&s->states[extent_of(s, offset)].tagged, 1);\n",
    by: "",
    breaks: "the hand passes by an extent that has entries with tags",
  },
  {
    id: "dead-on-arrival",
    file: "entry.c",
    text: "if (record_load(s, offset, &r) && record_invalidated(s->cache, &r)) entry_survey(s);",
    by: "(void)r;",
    breaks: "an entry is stored dead, and the hand does not come by again",
    cannot:
      "the audit deletes a tag before it counts, which sends the hand round: test/core/invalidated_test.c has it",
  },
  {
    id: "ended-early",
    file: "reap.c",
    text: "const uint64_t ended = tag_ended(s->cache);",
    by: "const uint64_t ended = tag_now(s->cache);",
    breaks: "the hand goes by invalidations that have begun, not by those that have ended",
  },
];
