//! Reuse of the index's own extents. The bucket that key 1 belongs into is given back, and its extent opened for records,
//! one of which has bytes that look like a word. A reader must not take them for one.

use crate::orders::{ensure, load_relaxed, race, store_relaxed, Orders};
use loom::sync::atomic::AtomicU64;

const NO_WORD: u64 = 9;

struct Shard {
    sequence: AtomicU64,
    generation: AtomicU64, // of the extent that the bucket lies in
    buckets: AtomicU64,
    bucket: AtomicU64,
}

pub fn model(o: Orders) {
    let shard = Shard {
        sequence: AtomicU64::new(1),
        generation: AtomicU64::new(1),
        buckets: AtomicU64::new(2),
        bucket: AtomicU64::new(1),
    };
    race(o, shard, give_back, read);
}

fn give_back(o: Orders, s: &Shard) {
    // site: core/index.c undo_split: store_u32_release(&s->header->buckets, last)
    o.store_release("size release", &s.buckets, 1);
    // site: core/index.c undo_split: store_u64_release(&from->words[i], 0)
    o.store_release("clear release", &s.bucket, 0);
    // site: core/log.c generation_raise: store_u64_relaxed(&s->lives[extent].generation, sequence)
    store_relaxed(&s.generation, 2);
    // site: core/log.c generation_raise: fence_release()
    o.fence_release("raise fence");
    // site: core/log.c generation_raise: store_u64_release(&s->header->sequence, sequence)
    o.store_release("sequence release", &s.sequence, 2);
    store_relaxed(&s.bucket, NO_WORD);
}

fn read(o: Orders, s: &Shard) {
    let late = o.is_left_out("sequence first");
    // site: core/read.c read_from: load_u64_acquire(&r.s.header->sequence)
    // site: core/read.c read_begin: load_u64_acquire(&l->s.header->sequence)
    let mut sequence = o.load_acquire("sequence acquire", &s.sequence);
    // site: core/index.h index_size: load_u32_acquire(&s->header->buckets)
    if o.load_acquire("size acquire", &s.buckets) == 1 {
        return;
    }
    if late {
        sequence = o.load_acquire("sequence acquire", &s.sequence);
    }
    // site: core/read.c examine: load_u64_acquire(word)
    let word = o.load_acquire("word acquire", &s.bucket);
    // site: core/read.c unchanged: fence_acquire()
    o.fence_acquire("check fence");
    // site: core/read.c word_reused: load_u64_relaxed(&r->s.lives[extent].generation)
    if load_relaxed(&s.generation) <= sequence {
        ensure!(word != NO_WORD, "bytes of a record are taken for an index word");
    }
}
