//! Waking. Who has stored what another waits for tells him so by a bit of a word of his, and wakes him; whoever finds the
//! bit finds what was stored.

use crate::orders::{ensure, load_relaxed, race, store_relaxed, Orders};
use loom::sync::atomic::AtomicU64;

struct Shared {
    value: AtomicU64,
    word: AtomicU64,  // the key's index word
    woken: AtomicU64, // of the waiter's slot
}

pub fn model(o: Orders) {
    let shared = Shared {
        value: AtomicU64::new(0),
        word: AtomicU64::new(0),
        woken: AtomicU64::new(0),
    };
    race(o, shared, store_and_tell, find);
}

fn store_and_tell(o: Orders, s: &Shared) {
    store_relaxed(&s.value, 1);
    // site: core/index.c index_publish: store_u64_release(word, value)
    o.store_release("word release", &s.word, 1);
    // site: core/lease.c lease_wake: cas_u64_release(&slot->woken, &woken, woken | kinds)
    o.cas_release("tell release", &s.woken, 0, 1);
}

fn find(o: Orders, s: &Shared) {
    // site: core/flight.c take_news: cas_u64_acquire(&slot->woken, &woken, 0)
    if !o.cas_acquire("find acquire", &s.woken, 1, 0) {
        return;
    }
    // site: core/read.c examine: load_u64_acquire(word)
    let word = o.load_acquire("word acquire", &s.word);
    ensure!(word == 1, "told of a value that is not there");
    ensure!(load_relaxed(&s.value) == 1, "told of a value that is not whole");
}
