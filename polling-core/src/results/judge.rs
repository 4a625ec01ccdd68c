//! Asks the store what became of what viewers have proved: at once where it changed through this server, and every second
//! for what may have changed through another. Only viewers who see something by it are asked for.
//!
//! One task asks, one question after the other, so that no older answer comes behind a newer one.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::warn;

use super::cell::lock;
use super::hub::{Hub, Watched};
use super::rights::{Proof, is_open};
use crate::{Clock, PollId, Repository, StoreError, TokenHash, UserId};

/// What changed here, and is still to be judged.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    due: Mutex<Due>,
    work: Notify,
    count: AtomicU64,
}

#[derive(Debug, Default)]
struct Due {
    users: HashSet<UserId>,
    /// Tokens of these polls were revoked.
    polls: HashSet<PollId>,
}

impl Changes {
    /// What this user is changed, and is durable.
    #[cfg(feature = "accounts")]
    pub(crate) fn of_user(&self, user: UserId) {
        self.count.fetch_add(1, Ordering::AcqRel);
        lock(&self.due).users.insert(user);
        self.work.notify_one();
    }

    /// Tokens of this poll were revoked, and that is durable.
    pub(crate) fn of_tokens(&self, poll: PollId) {
        self.count.fetch_add(1, Ordering::AcqRel);
        lock(&self.due).polls.insert(poll);
        self.work.notify_one();
    }

    /// Grows with each change: who read the store before one, and held nothing yet, has to be judged once more.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Judges what is held of one poll by this user once more.
    pub(super) fn look_again(&self, user: Option<UserId>, poll: PollId) {
        let mut due = lock(&self.due);
        due.users.extend(user);
        due.polls.insert(poll);
        self.work.notify_one();
    }
}

/// The task that judges.
pub(crate) struct Judge {
    hub: Arc<Hub>,
    store: Arc<dyn Repository>,
}

impl Judge {
    pub(crate) fn new(hub: Arc<Hub>, store: Arc<dyn Repository>) -> Self {
        Self { hub, store }
    }

    /// Judges what changes here at once, and everything every `interval`.
    pub(crate) async fn run(self, clock: Arc<dyn Clock>, interval: Duration) {
        loop {
            let pause = clock.pause(interval);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    () = self.hub.changes().work.notified() => {
                        let due = std::mem::take(&mut *lock(&self.hub.changes().due));
                        self.judge(Some(&due)).await;
                    }
                }
            }
            self.judge(None).await;
        }
    }

    /// Judges what is `due`, or else all by which somebody may see more than everybody does.
    async fn judge(&self, due: Option<&Due>) {
        let cells = self.hub.cells();
        let asks = |cell: &Arc<Watched>| due.is_some() || !is_open(cell.newest().tally());
        let cells: Vec<_> = cells.into_iter().filter(asks).collect();
        if let Err(error) = self.users(&cells, due).await {
            warn!(error = %error, "what viewers may see could not be judged again");
        }
        for cell in &cells {
            if let Err(error) = self.tokens(cell, due).await {
                warn!(error = %error, "the vote tokens of viewers could not be judged again");
            }
        }
    }

    async fn users(&self, cells: &[Arc<Watched>], due: Option<&Due>) -> Result<(), StoreError> {
        let mut held = Vec::new();
        for cell in cells {
            for proof in cell.proofs().held() {
                if let Proof::User(user) = proof
                    && due.is_none_or(|due| due.users.contains(&user))
                {
                    held.push((cell, user));
                }
            }
        }
        if held.is_empty() {
            return Ok(());
        }
        if let Some(workspaces) = self.store.workspaces() {
            let members: Vec<_> = held
                .iter()
                .filter_map(|(cell, user)| {
                    let project = cell.newest().poll().project?;
                    Some((*cell, (project.workspace, *user)))
                })
                .collect();
            let asked: Vec<_> = members.iter().map(|(_, asked)| *asked).collect();
            let roles = if asked.is_empty() {
                Vec::new()
            } else {
                workspaces.roles(&asked).await?
            };
            for ((cell, (_, user)), role) in members.into_iter().zip(roles) {
                let learn = |holding: &mut super::rights::Holding| holding.role = role;
                cell.proofs().learn(&Proof::User(user), learn);
            }
        }
        if let Some(users) = self.store.users() {
            let asked: BTreeSet<UserId> = held.iter().map(|(_, user)| *user).collect();
            let asked: Vec<UserId> = asked.into_iter().collect();
            let deleted: HashSet<UserId> = users.deleted(&asked).await?.into_iter().collect();
            for (cell, user) in held.iter().filter(|(_, user)| deleted.contains(user)) {
                cell.proofs().spoil(&Proof::User(*user));
            }
        }
        Ok(())
    }

    /// The tokens that are held of one poll are asked for only where more of the poll's are revoked than were before.
    async fn tokens(&self, cell: &Watched, due: Option<&Due>) -> Result<(), StoreError> {
        let poll = cell.poll_id();
        let is_token = |proof| match proof {
            Proof::Token(token) => Some(token),
            Proof::User(_) => None,
        };
        let held: Vec<TokenHash> = cell
            .proofs()
            .held()
            .into_iter()
            .filter_map(is_token)
            .collect();
        let is_due = due.is_none_or(|due| due.polls.contains(&poll));
        let Some(tokens) = self
            .store
            .vote_tokens()
            .filter(|_| is_due && !held.is_empty())
        else {
            return Ok(());
        };
        let revoked = tokens.count(poll).await?.revoked;
        if due.is_none() && cell.proofs().revoked() == Some(revoked) {
            return Ok(());
        }
        for token in held {
            if tokens.poll_of(token).await? != Some(poll) {
                cell.proofs().spoil(&Proof::Token(token));
            }
        }
        // Counted before they were asked for: what was revoked since is found next time.
        cell.proofs().set_revoked(revoked);
        Ok(())
    }
}
