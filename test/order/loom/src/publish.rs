//! Publish and read. A set appends key 1's new record to an open extent, over bytes of an older life that look like an
//! older record of the same key; the generation does not change. A reader that finds the word finds the whole record.

use crate::orders::{ensure, load_relaxed, race, store_relaxed, Orders};
use loom::sync::atomic::AtomicU64;

struct Shard {
    header: AtomicU64,
    value: AtomicU64,
    word: AtomicU64,
}

pub fn model(o: Orders) {
    let shard = Shard {
        header: AtomicU64::new(1),
        value: AtomicU64::new(1),
        word: AtomicU64::new(0),
    };
    race(o, shard, write, read);
}

fn write(o: Orders, s: &Shard) {
    store_relaxed(&s.value, 2);
    store_relaxed(&s.header, 2);
    // site: core/index.c index_publish: store_u64_release(word, value)
    o.store_release("word release", &s.word, 1);
}

fn read(o: Orders, s: &Shard) {
    // site: core/read.c examine: load_u64_acquire(word)
    if o.load_acquire("word acquire", &s.word) != 0 {
        let (header, value) = (load_relaxed(&s.header), load_relaxed(&s.value));
        ensure!((header, value) == (2, 2), "published: header {header}, value {value}");
    }
}
