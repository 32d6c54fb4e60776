//! A bound on how many connections are served at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// How many connections are served at once.
pub const MOST_CONNECTIONS: usize = 128;

/// The places there are; each connection takes one.
#[derive(Default)]
pub struct Slots {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// One place taken; dropping it frees the place.
pub struct Slot(Arc<Slots>);

impl Slots {
    /// Takes a place, and waits for one if there is none.
    pub fn take(self: &Arc<Self>) -> Slot {
        // A count is right after every statement, so a thread that panicked leaves no wrong one.
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self
            .freed
            .wait_while(taken, |taken| *taken >= MOST_CONNECTIONS)
            .unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        Slot(Arc::clone(self))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn when_all_places_are_taken_the_next_waits_until_one_is_free() {
        let slots = Arc::new(Slots::default());
        let mut held: Vec<Slot> = (0..MOST_CONNECTIONS).map(|_| slots.take()).collect();
        let (sender, receiver) = mpsc::channel();
        let waiting = Arc::clone(&slots);
        let thread = thread::spawn(move || {
            let _slot = waiting.take();
            sender.send(()).unwrap();
        });
        assert!(receiver.try_recv().is_err());
        held.pop();
        receiver.recv().unwrap();
        thread.join().unwrap();
        drop(held);
        assert_eq!(*slots.taken.lock().unwrap(), 0);
    }
}
