//! The operations of core/atomic.h, by the same names; one order at a time can be left out of a model by its label.
//!
//! What loom can't do: it keeps one last access of each place, so that a thread which loads a place that it then stores to
//! hides the accesses that others made before, and interleavings are lost. So a writer's own values are constants here,
//! which they are: it holds the lock. Nor does a load see a store that only comes later (load buffering), and a place
//! remembers its last seven stores only.

use loom::sync::atomic::{fence, AtomicU64, Ordering};
use loom::sync::Arc;
use loom::thread;
use std::collections::BTreeSet;
use std::sync::Mutex;

pub const VIOLATED: &str = "violated: ";

/// Ends the model: the protocol does not keep its promise.
macro_rules! ensure {
    ($condition:expr, $($what:tt)*) => {
        if !$condition {
            panic!("{}{}", crate::orders::VIOLATED, format!($($what)*));
        }
    };
}
pub(crate) use ensure;

/// The labels of all orders that a model has used.
pub static USED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// What a model's operations go through.
#[derive(Clone, Copy)]
pub struct Orders {
    pub without: Option<&'static str>,
    pub readers: usize,
}

/// A writer and the readers, at the same time.
pub fn race<S: Send + Sync + 'static>(o: Orders, shared: S, write: fn(Orders, &S), read: fn(Orders, &S)) {
    let shared = Arc::new(shared);
    let spawn = |run: fn(Orders, &S)| {
        let shared = shared.clone();
        thread::spawn(move || run(o, &shared))
    };
    let mut threads = vec![spawn(write)];
    threads.extend((1..o.readers).map(|_| spawn(read)));
    read(o, &shared);
    for thread in threads {
        thread.join().unwrap();
    }
}

impl Orders {
    pub fn is_left_out(&self, label: &'static str) -> bool {
        USED.lock().unwrap().insert(label);
        self.without == Some(label)
    }
    fn order(&self, label: &'static str, order: Ordering) -> Ordering {
        if self.is_left_out(label) {
            Ordering::Relaxed
        } else {
            order
        }
    }
    pub fn load_acquire(&self, label: &'static str, place: &AtomicU64) -> u64 {
        place.load(self.order(label, Ordering::Acquire))
    }
    pub fn store_release(&self, label: &'static str, place: &AtomicU64, value: u64) {
        place.store(value, self.order(label, Ordering::Release));
    }
    pub fn add_release(&self, label: &'static str, place: &AtomicU64, more: u64) {
        place.fetch_add(more, self.order(label, Ordering::Release));
    }
    pub fn fence_acquire(&self, label: &'static str) {
        if !self.is_left_out(label) {
            fence(Ordering::Acquire);
        }
    }
    pub fn fence_release(&self, label: &'static str) {
        if !self.is_left_out(label) {
            fence(Ordering::Release);
        }
    }
    pub fn cas_acquire(&self, label: &'static str, place: &AtomicU64, old: u64, new: u64) -> bool {
        let order = self.order(label, Ordering::Acquire);
        place.compare_exchange(old, new, order, Ordering::Relaxed).is_ok()
    }
    pub fn cas_release(&self, label: &'static str, place: &AtomicU64, old: u64, new: u64) -> bool {
        let order = self.order(label, Ordering::Release);
        place.compare_exchange(old, new, order, Ordering::Relaxed).is_ok()
    }
}

pub fn load_relaxed(place: &AtomicU64) -> u64 {
    place.load(Ordering::Relaxed)
}
pub fn store_relaxed(place: &AtomicU64, value: u64) {
    place.store(value, Ordering::Relaxed);
}
pub fn add_relaxed(place: &AtomicU64, more: u64) {
    place.fetch_add(more, Ordering::Relaxed);
}
