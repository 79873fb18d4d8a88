//! Extent reuse. A reader of key 1 holds on to its record while a writer deletes the key and opens the extent anew for a
//! record of key 2. What the reader takes for a hit must be whole.

use crate::orders::{ensure, load_relaxed, race, store_relaxed, Orders};
use loom::sync::atomic::AtomicU64;

struct Shard {
    sequence: AtomicU64,
    generation: AtomicU64,
    key: AtomicU64,   // the record's first bytes: whose it is
    value: AtomicU64, // its last bytes
    word: AtomicU64,  // of key 1: leads to the record, or 0
}

pub fn model(o: Orders) {
    let shard = Shard {
        sequence: AtomicU64::new(1),
        generation: AtomicU64::new(1),
        key: AtomicU64::new(1),
        value: AtomicU64::new(1),
        word: AtomicU64::new(1),
    };
    race(o, shard, write, read);
}

fn write(o: Orders, s: &Shard) {
    // site: core/index.c index_clear_word: store_u64_release(word, 0)
    // site: core/index.c index_leave_ghost: store_u64_release(word, tag << WORD_TAG_SHIFT | WORD_GHOST | now)
    // site: core/guard.c recount_word: store_u64_release(word, 0)
    o.store_release("word release", &s.word, 0);
    let sequence = 2;
    // site: core/log.c generation_raise: store_u64_relaxed(&s->lives[extent].generation, sequence)
    store_relaxed(&s.generation, sequence);
    // site: core/log.c generation_raise: fence_release()
    o.fence_release("raise fence");
    // site: core/log.c generation_raise: store_u64_release(&s->header->sequence, sequence)
    o.store_release("sequence release", &s.sequence, sequence);
    store_relaxed(&s.value, 2);
    store_relaxed(&s.key, 2);
}

fn read(o: Orders, s: &Shard) {
    // site: core/read.c read_from: load_u64_acquire(&r.s.header->sequence)
    // site: core/read.c read_begin: load_u64_acquire(&l->s.header->sequence)
    // site: core/iterate.c append_interval: load_u64_acquire(&s->header->sequence)
    let sequence = o.load_acquire("sequence acquire", &s.sequence);
    // site: core/read.c examine: load_u64_acquire(word)
    // site: core/iterate.c append_bucket: load_u64_acquire(&b->words[i])
    // site: core/iterate.c append_stash: load_u64_acquire(stash_word(p->s, i))
    let word = o.load_acquire("word acquire", &s.word);
    if word == 0 {
        return;
    }
    let key = load_relaxed(&s.key);
    let value = load_relaxed(&s.value);
    // site: core/read.c unchanged: fence_acquire()
    // site: core/iterate.c load_key: fence_acquire()
    o.fence_acquire("check fence");
    // site: core/read.c unchanged: load_u64_relaxed(&r->s.lives[extent].generation)
    // site: core/iterate.c load_key: load_u64_relaxed(&s->lives[r.extent].generation)
    let unchanged = load_relaxed(&s.generation) <= sequence;
    if unchanged && key == 1 {
        ensure!(value == 1, "key 1 has the value of key {value}");
    }
}
