//! The index: a bucket is split, a split is undone, a table shrinks and grows again, a word leaves the stash. Key 1 is
//! there all the time, so no reader may miss it; one that sees something moved may look again.

use crate::orders::{ensure, load_relaxed, race, store_relaxed, Orders};
use loom::sync::atomic::AtomicU64;

/// Two buckets of one word; while the table has one bucket, key 1 belongs into the first, else into the second.
struct Table {
    buckets: AtomicU64,
    moves: AtomicU64,
    stash_count: AtomicU64,
    first: AtomicU64,
    second: AtomicU64,
    stash: AtomicU64,
    record: AtomicU64, // what a word 2 leads to; it is 2 once it was written
}

impl Table {
    fn new(buckets: u64, first: u64, second: u64, stash: u64) -> Self {
        Table {
            buckets: AtomicU64::new(buckets),
            moves: AtomicU64::new(0),
            stash_count: AtomicU64::new((stash != 0) as u64),
            first: AtomicU64::new(first),
            second: AtomicU64::new(second),
            stash: AtomicU64::new(stash),
            record: AtomicU64::new(1),
        }
    }
}

pub fn split(o: Orders) {
    race(o, Table::new(1, 1, 0, 0), |o, t| grow(o, t, 1, 1), search);
}

pub fn shrink(o: Orders) {
    race(o, Table::new(2, 0, 1, 0), |o, t| undo_split(o, t, 1, 1), search);
}

/// Between shrinking and growing again a set stores key 1 anew.
pub fn regrow(o: Orders) {
    race(
        o,
        Table::new(2, 0, 1, 0),
        |o, t| {
            undo_split(o, t, 1, 1);
            store_relaxed(&t.record, 2);
            // site: core/index.c index_publish: store_u64_release(word, value)
            o.store_release("publish release", &t.first, 2);
            grow(o, t, 2, 2);
        },
        search,
    );
}

/// A split that is undone at once: the size alone does not tell that a word went and came back.
pub fn flip(o: Orders) {
    race(
        o,
        Table::new(1, 1, 0, 0),
        |o, t| {
            grow(o, t, 1, 1);
            undo_split(o, t, 1, 2);
        },
        search,
    );
}

pub fn stash(o: Orders) {
    race(o, Table::new(1, 0, 0, 1), |o, t| drain(o, t, 1), search);
}

fn grow(o: Orders, t: &Table, value: u64, moves: u64) {
    // site: core/index.c index_grow: store_u64_release(&new->words[i], 0)
    o.store_release("split zero release", &t.second, 0);
    // site: core/index.c index_grow: store_u64_release(&new->words[i], value)
    o.store_release("split copy release", &t.second, value);
    // site: core/index.c index_grow: store_u32_release(&s->header->buckets, to + 1)
    o.store_release("split size release", &t.buckets, 2);
    // site: core/index.c index_grow: index_count_move(s)
    count_move(o, t, moves);
    // site: core/index.c index_grow: store_u64_release(&old->words[i], 0)
    o.store_release("split clear release", &t.first, 0);
}

fn undo_split(o: Orders, t: &Table, value: u64, moves: u64) {
    // site: core/index.c index_publish: store_u64_release(word, value)
    o.store_release("undo copy release", &t.first, value);
    // site: core/index.c undo_split: store_u32_release(&s->header->buckets, last)
    // site: core/index.c index_clear: store_u32_release(&s->header->buckets, BUCKETS_MIN)
    o.store_release("undo size release", &t.buckets, 1);
    // site: core/index.c undo_split: index_count_move(s)
    // site: core/index.c index_clear: index_count_move(s)
    count_move(o, t, moves);
    // site: core/index.c undo_split: store_u64_release(&from->words[i], 0)
    // site: core/index.c index_clear: store_u64_release(&index_bucket(s, number)->words[i], 0)
    // site: core/index.c index_clear: store_u64_release(stash_word(s, i), 0)
    o.store_release("undo clear release", &t.second, 0);
}

fn count_move(o: Orders, t: &Table, moves: u64) {
    // site: core/index.c index_count_move: store_u64_release(&s->header->index_moves, load_u64_relaxed(&s->header->index_moves) + 1)
    o.store_release("moves release", &t.moves, moves);
}

fn drain(o: Orders, t: &Table, value: u64) {
    // site: core/index.c index_drain: store_u64_release(room, value)
    o.store_release("drain copy release", &t.first, value);
    // site: core/index.c index_drain: index_count_move(s)
    count_move(o, t, 1);
    // site: core/index.c index_drain: index_clear_word(s, word)
    // site: core/index.c index_clear_word: store_u64_release(word, 0)
    o.store_release("drain clear release", &t.stash, 0);
    // site: core/index.c index_clear_word: store_u32_release(&s->header->stash_count, count - 1)
    o.store_release("drain count release", &t.stash_count, 0);
}

/// One attempt. A hit has the record that its word names.
fn search(o: Orders, t: &Table) {
    // site: core/read.c read_from: load_u64_acquire(&r.s.header->index_moves)
    // site: core/iterate.c append_interval: load_u64_acquire(&s->header->index_moves)
    let moves = o.load_acquire("moves acquire", &t.moves);
    // site: core/read.c search: index_size(&r->s)
    // site: core/iterate.c append_interval: index_size(s)
    // site: core/index.h index_size: load_u32_acquire(&s->header->buckets)
    let buckets = o.load_acquire("size acquire", &t.buckets);
    let bucket = if buckets == 1 { &t.first } else { &t.second };
    if hit(o, t, bucket) {
        return;
    }
    // site: core/read.c search: load_u32_acquire(&r->s.header->stash_count)
    // site: core/iterate.c append_interval: load_u32_acquire(&s->header->stash_count)
    if o.load_acquire("count acquire", &t.stash_count) != 0 && hit(o, t, &t.stash) {
        return;
    }
    // site: core/read.c search: fence_acquire()
    // site: core/iterate.c append_interval: fence_acquire()
    o.fence_acquire("miss fence");
    // site: core/read.c index_moved: load_u64_relaxed(&r->s.header->index_moves)
    let moved = load_relaxed(&t.moves) != moves;
    ensure!(moved, "key 1 is missed");
}

/// The words of a bucket are compared with the tag by relaxed loads; what matches is loaded again.
fn hit(o: Orders, t: &Table, word: &AtomicU64) -> bool {
    if load_relaxed(word) == 0 {
        return false;
    }
    // site: core/read.c examine: load_u64_acquire(word)
    let value = o.load_acquire("word acquire", word);
    if value == 2 {
        let record = load_relaxed(&t.record);
        ensure!(record == 2, "the word names a record that is not there yet");
    }
    value != 0
}
