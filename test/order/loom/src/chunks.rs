//! A chunk of a large value moves: into an extent that was opened for it, and then its old extent is opened anew for
//! something else. The value is number 1 throughout.

use crate::orders::{ensure, load_relaxed, race, store_relaxed, Orders};
use loom::sync::atomic::AtomicU64;

struct Shard {
    sequence: AtomicU64,
    generation: [AtomicU64; 2],
    chunk: [AtomicU64; 2], // a word of the chunk that lies in each extent; 9 is of an older life
    location: AtomicU64,   // in the head: the chunk's extent
}

pub fn model(o: Orders) {
    let shard = Shard {
        sequence: AtomicU64::new(1),
        generation: [AtomicU64::new(1), AtomicU64::new(0)],
        chunk: [AtomicU64::new(1), AtomicU64::new(9)],
        location: AtomicU64::new(0),
    };
    race(o, shard, move_chunk, read);
}

fn move_chunk(o: Orders, s: &Shard) {
    open(o, s, 1, 2);
    store_relaxed(&s.chunk[1], 1);
    // site: core/entry.c entry_move_solid: store_u64_release(&head->locations[i], offset)
    o.store_release("location release", &s.location, 1);
    open(o, s, 0, 3);
    store_relaxed(&s.chunk[0], 2);
}

fn open(o: Orders, s: &Shard, extent: usize, sequence: u64) {
    // site: core/log.c generation_raise: store_u64_relaxed(&s->lives[extent].generation, sequence)
    store_relaxed(&s.generation[extent], sequence);
    // site: core/log.c generation_raise: fence_release()
    o.fence_release("raise fence");
    // site: core/log.c generation_raise: store_u64_release(&s->header->sequence, sequence)
    o.store_release("sequence release", &s.sequence, sequence);
}

fn read(o: Orders, s: &Shard) {
    // site: core/read.c read_from: load_u64_acquire(&r.s.header->sequence)
    let sequence = o.load_acquire("sequence acquire", &s.sequence);
    // site: core/read.c copy_parts: load_u64_acquire(&head->locations[i])
    let extent = o.load_acquire("location acquire", &s.location) as usize;
    let chunk = load_relaxed(&s.chunk[extent]);
    // site: core/read.c copy_parts: unchanged(r, chunk.extent)
    // site: core/read.c unchanged: fence_acquire()
    o.fence_acquire("check fence");
    // site: core/read.c unchanged: load_u64_relaxed(&r->s.lives[extent].generation)
    if load_relaxed(&s.generation[extent]) <= sequence {
        ensure!(chunk == 1, "the value has chunk {chunk}");
    }
}
