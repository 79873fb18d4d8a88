//! Tags. An invalidation takes the next number of the counter and raises its tag's two slots to it. Readers that find the
//! counter at the entry's birth do not look at the slots: whoever has seen the entry dead must never again find it there,
//! and what he stores in its place must live. An entry that was born behind the invalidation is never above the counter
//! that a reader sees, which would be damage. The hand that begins a lap because an invalidation has ended finds its slots.
//! And who takes the number of an invalidation for a birth computes from a source that is not older than that.

use crate::orders::{add_relaxed, ensure, load_relaxed, race, store_relaxed, Orders};
use loom::sync::atomic::AtomicU64;

const BORN: u64 = 1;
const NUMBER: u64 = 3;

struct Segment {
    counter: AtomicU64,
    slots: [AtomicU64; 2],
    ended: AtomicU64,
    word: AtomicU64, // of another entry with the tag; 0: not stored yet
    birth: AtomicU64,
    source: AtomicU64, // what values are computed from, in shared memory as well
}

pub fn model(o: Orders) {
    let segment = Segment {
        counter: AtomicU64::new(BORN),
        slots: [AtomicU64::new(0), AtomicU64::new(0)],
        ended: AtomicU64::new(0),
        word: AtomicU64::new(0),
        birth: AtomicU64::new(0),
        source: AtomicU64::new(0),
    };
    race(o, segment, invalidate_and_store, read);
}

fn invalidate_and_store(o: Orders, s: &Segment) {
    add_relaxed(&s.counter, 1); // of another tag
    store_relaxed(&s.source, 1);
    // site: core/tag.c tag_invalidate: add_u64_release(&table_of(c)[TAG_COUNTER], 1)
    o.add_release("counter release", &s.counter, 1);
    for slot in &s.slots {
        // site: core/tag.c raise: cas_u64_release(slot, &before, number)
        o.cas_release("raise release", slot, 0, NUMBER);
    }
    // site: core/tag.c tag_invalidate: add_u64_release(&table_of(c)[TAG_ENDED], 1)
    o.add_release("ended release", &s.ended, 1);
    store_relaxed(&s.birth, NUMBER);
    // site: core/index.c index_publish: store_u64_release(word, value)
    o.store_release("word release", &s.word, 1);
}

fn is_dead(o: Orders, s: &Segment) -> bool {
    // site: core/tag.h tag_now: load_u64_relaxed(&tag_table(c)[TAG_COUNTER])
    if load_relaxed(&s.counter) == BORN {
        return false;
    }
    s.slots.iter().all(|slot| {
        // site: core/tag.c is_raised: load_u64_acquire(&table_of(c)[slot])
        o.load_acquire("slot acquire", slot) > BORN
    })
}

fn read(o: Orders, s: &Segment) {
    // site: core/tag.h tag_birth: load_u64_acquire(&tag_table(c)[TAG_COUNTER])
    if o.load_acquire("birth acquire", &s.counter) == NUMBER {
        ensure!(load_relaxed(&s.source) == 1, "a value is born later than what it was computed from");
        return;
    }
    // site: core/tag.h tag_ended: load_u64_acquire(&tag_table(c)[TAG_ENDED])
    if o.load_acquire("ended acquire", &s.ended) == 1 {
        let is_raised = |slot| load_relaxed(slot) == NUMBER;
        ensure!(s.slots.iter().all(is_raised), "the hand passes by what is dead");
        return;
    }
    // site: core/read.c examine: load_u64_acquire(word)
    if o.load_acquire("word acquire", &s.word) == 1 {
        ensure!(load_relaxed(&s.counter) >= load_relaxed(&s.birth), "an entry is born in the future");
        return;
    }
    if is_dead(o, s) {
        ensure!(load_relaxed(&s.counter) >= NUMBER, "what is stored in place of a dead entry is dead");
        ensure!(is_dead(o, s), "an entry that was dead lives");
    }
}
