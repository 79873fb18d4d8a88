//! The lock: two writers change the holder's notes; and one takes over from a dead owner, whom it knows to be dead by the
//! slot's next owner, or by the kernel. Who holds the lock sees all that holders before it did.

use crate::orders::{ensure, load_relaxed, store_relaxed, Orders};
use loom::sync::{atomic::AtomicU64, Arc};
use loom::thread;

struct Shard {
    lock: AtomicU64, // incarnation * 10 + slot + 1
    notes: AtomicU64,
    incarnation: AtomicU64, // of slot 0
    byte: AtomicU64,        // what the kernel knows: the incarnation that holds slot 0's byte lock, or 0
}

fn shard(lock: u64) -> Arc<Shard> {
    Arc::new(Shard {
        lock: AtomicU64::new(lock),
        notes: AtomicU64::new(0),
        incarnation: AtomicU64::new(1),
        byte: AtomicU64::new(1),
    })
}

/// Two writers, each of which gives up if the lock is taken.
pub fn exclusion(o: Orders) {
    let shard = shard(0);
    let other = {
        let shard = shard.clone();
        thread::spawn(move || change(o, &shard, 12))
    };
    let changes = change(o, &shard, 11) as u64 + other.join().unwrap() as u64;
    ensure!(load_relaxed(&shard.notes) == changes, "a change was lost");
}

fn change(o: Orders, s: &Shard, owner: u64) -> bool {
    // site: core/lock.c take_free: cas_u64_acquire(&shard->lock, &expected, c->owner | waiters)
    if !o.cas_acquire("take acquire", &s.lock, 0, owner) {
        return false;
    }
    store_relaxed(&s.notes, load_relaxed(&s.notes) + 1);
    // site: core/lock.c lock_release: cas_u64_release(&shard->lock, &word, 0)
    let ours = o.cas_release("let go release", &s.lock, owner, 0);
    ensure!(ours, "somebody took the lock of a living owner");
    true
}

/// Owner 1 of slot 0 holds the lock, changes the notes and dies; the slot's next owner attaches; two others wait.
pub fn take_over(o: Orders) {
    let shard = shard(11);
    let dying = {
        let shard = shard.clone();
        thread::spawn(move || {
            store_relaxed(&shard.notes, 1);
            // The kernel drops the byte lock after all that the process did, and gives it to the next owner.
            shard.byte.store(2, loom::sync::atomic::Ordering::Release);
            // site: core/process.c process_attach: store_u32_release(&c->slot->incarnation, incarnation)
            o.store_release("incarnation release", &shard.incarnation, 2);
        })
    };
    let other = {
        let shard = shard.clone();
        thread::spawn(move || wait(o, &shard, 13))
    };
    let winners = wait(o, &shard, 12) as u64 + other.join().unwrap() as u64;
    dying.join().unwrap();
    ensure!(winners <= 1, "two took the lock over");
}

fn wait(o: Orders, s: &Shard, owner: u64) -> bool {
    let word = load_relaxed(&s.lock);
    if word != 11 {
        return false;
    }
    // site: core/process.c process_alive: load_u32_acquire(&cache_slot(c, slot)->incarnation)
    if o.load_acquire("incarnation acquire", &s.incarnation) == 1 {
        return false; // then the kernel is asked, whose answer is ordered by its own locks
    }
    // site: core/lock.c take_over: cas_u64_acquire(&shard->lock, &word, c->owner | WAITERS)
    if !o.cas_acquire("take over acquire", &s.lock, word, owner) {
        return false;
    }
    ensure!(load_relaxed(&s.notes) == 1, "the dead owner's last store is not seen");
    true
}
