//! Where a store is held up, and where it is watched.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, watch};

/// Lets everybody through, or nobody.
#[derive(Debug)]
pub struct Door {
    is_shut: watch::Sender<bool>,
    waiting: Semaphore,
}

impl Default for Door {
    /// An open one.
    fn default() -> Self {
        Self {
            is_shut: watch::Sender::new(false),
            waiting: Semaphore::new(0),
        }
    }
}

impl Door {
    /// Whoever comes waits from now on.
    pub fn shut(&self) {
        self.is_shut.send_replace(true);
    }

    /// Returns when somebody new waits at the door.
    pub async fn somebody_waits(&self) {
        let waits = self.waiting.acquire().await;
        waits.expect("it is never closed").forget();
    }

    /// Lets through whoever waits, and whoever comes.
    pub fn open(&self) {
        self.is_shut.send_replace(false);
    }

    pub(super) async fn pass(&self) {
        let mut is_shut = self.is_shut.subscribe();
        if *is_shut.borrow_and_update() {
            self.waiting.add_permits(1);
            // Its sender lives as long as the door.
            let _ = is_shut.wait_for(|is_shut| !is_shut).await;
        }
    }
}

/// Counts what the store is asked.
#[derive(Debug, Default)]
pub struct Count {
    asked: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Count {
    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The most that were asked at the same time.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub(super) async fn count<T>(&self, answer: impl Future<Output = T>) -> T {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let answer = answer.await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}
