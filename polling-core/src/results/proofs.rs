//! The proofs that the viewers of one poll hold, and what is known of each.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::watch;

use super::cell::lock;
use super::rights::{Holding, Proof};

/// What is known of proofs, each shared by all viewers who hold it.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_proof: HashMap<Proof, Known>,
    /// Tokens of the poll that were revoked when all that are held here were last asked for.
    revoked: Option<u64>,
}

#[derive(Debug)]
struct Known {
    viewers: usize,
    holding: watch::Sender<Holding>,
}

impl Proofs {
    /// One more viewer holds this proof, of which so much is known, where nobody knows more here.
    pub(super) fn enter(&self, proof: Proof, found: Holding) -> watch::Receiver<Holding> {
        let mut inner = lock(&self.inner);
        let known = inner.by_proof.entry(proof).or_insert_with(|| Known {
            viewers: 0,
            holding: watch::Sender::new(found),
        });
        known.viewers += 1;
        known.holding.subscribe()
    }

    pub(super) fn leave(&self, proof: &Proof) {
        let mut inner = lock(&self.inner);
        if let Some(known) = inner.by_proof.get_mut(proof) {
            known.viewers -= 1;
            if known.viewers == 0 {
                inner.by_proof.remove(proof);
            }
        }
    }

    /// What is held.
    pub(super) fn held(&self) -> Vec<Proof> {
        lock(&self.inner).by_proof.keys().copied().collect()
    }

    /// Learns something of a proof, and tells the viewers who hold it where it is something new.
    pub(super) fn learn(&self, proof: &Proof, learn: impl FnOnce(&mut Holding)) {
        if let Some(known) = lock(&self.inner).by_proof.get(proof) {
            known.holding.send_if_modified(|holding| {
                let before = *holding;
                learn(holding);
                *holding != before
            });
        }
    }

    /// A proof that does not hold any more.
    pub(super) fn spoil(&self, proof: &Proof) {
        self.learn(proof, |holding| holding.good = false);
    }

    pub(super) fn revoked(&self) -> Option<u64> {
        lock(&self.inner).revoked
    }

    pub(super) fn set_revoked(&self, revoked: u64) {
        lock(&self.inner).revoked = Some(revoked);
    }
}
