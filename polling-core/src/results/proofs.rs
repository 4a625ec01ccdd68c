//! The proofs that the viewers of one poll hold, and what is known of each.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::watch;

use super::cell::lock;
use super::judge::Asked;
use super::rights::{Holding, Proof};
use crate::workspaces::WorkspaceRole;
use crate::{TokenHash, UserId};

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
    /// When the role was asked for.
    role_at: Asked,
}

impl Proofs {
    /// One more viewer holds this proof. The role was asked for at `at`; whoever holds the proof already learns it too,
    /// unless something newer is known.
    pub(super) fn enter(
        &self,
        proof: Proof,
        role: Option<WorkspaceRole>,
        at: Asked,
    ) -> watch::Receiver<Holding> {
        let mut inner = lock(&self.inner);
        let known = inner.by_proof.entry(proof).or_insert_with(|| Known {
            viewers: 0,
            holding: watch::Sender::new(Holding { good: true, role }),
            role_at: at,
        });
        known.learn_role(role, at);
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

    /// The users whom viewers are by what they hold.
    pub(super) fn users(&self) -> Vec<UserId> {
        let inner = lock(&self.inner);
        let user = |proof: &Proof| match proof {
            Proof::User(user) => Some(*user),
            Proof::Token(_) => None,
        };
        inner.by_proof.keys().filter_map(user).collect()
    }

    /// The vote tokens that are held.
    pub(super) fn tokens(&self) -> Vec<TokenHash> {
        let inner = lock(&self.inner);
        let token = |proof: &Proof| match proof {
            Proof::Token(token) => Some(*token),
            Proof::User(_) => None,
        };
        inner.by_proof.keys().filter_map(token).collect()
    }

    /// What a user is, as was asked for at `at`. The viewers who hold the proof are told where it is something new.
    pub(super) fn learn_role(&self, proof: &Proof, role: Option<WorkspaceRole>, at: Asked) {
        if let Some(known) = lock(&self.inner).by_proof.get_mut(proof) {
            known.learn_role(role, at);
        }
    }

    /// A proof that does not hold any more, and never will again.
    pub(super) fn spoil(&self, proof: &Proof) {
        if let Some(known) = lock(&self.inner).by_proof.get(proof) {
            known
                .holding
                .send_if_modified(|holding| std::mem::replace(&mut holding.good, false));
        }
    }

    pub(super) fn revoked(&self) -> Option<u64> {
        lock(&self.inner).revoked
    }

    pub(super) fn set_revoked(&self, revoked: u64) {
        lock(&self.inner).revoked = Some(revoked);
    }
}

impl Known {
    /// Of two answers the one counts that was asked for later.
    fn learn_role(&mut self, role: Option<WorkspaceRole>, at: Asked) {
        if at > self.role_at {
            self.role_at = at;
            self.holding
                .send_if_modified(|holding| std::mem::replace(&mut holding.role, role) != role);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_roles_the_one_that_was_asked_for_later_counts() {
        use WorkspaceRole::{Collaborator, Owner, Viewer};
        let (proofs, proof) = (Proofs::default(), Proof::User(UserId::from_bytes([1; 16])));
        let first = proofs.enter(proof, Some(Viewer), Asked(2));
        let role = || first.borrow().role;
        let second = proofs.enter(proof, Some(Owner), Asked(3));
        assert_eq!(role(), Some(Owner), "newest wins");
        proofs.enter(proof, Some(Viewer), Asked(1));
        proofs.learn_role(&proof, None, Asked(2));
        assert_eq!(role(), Some(Owner), "what comes late changes nothing");
        // Who was not asked for knows nothing better.
        proofs.enter(proof, None, Asked::default());
        assert_eq!(role(), Some(Owner));
        proofs.learn_role(&proof, Some(Collaborator), Asked(4));
        assert_eq!(second.borrow().role, Some(Collaborator));
    }

    #[test]
    fn what_is_spoiled_stays_so_while_it_is_held() {
        let (proofs, proof) = (Proofs::default(), Proof::Token(TokenHash::of("pv_x")));
        let held = proofs.enter(proof, None, Asked(1));
        proofs.spoil(&proof);
        let again = proofs.enter(proof, None, Asked(2));
        assert!(!held.borrow().good && !again.borrow().good);
        proofs.leave(&proof);
        proofs.leave(&proof);
        assert!(proofs.tokens().is_empty());
        assert!(proofs.enter(proof, None, Asked(3)).borrow().good);
    }
}
