//! Asks the store what became of what viewers have proved: at once where it changed through this server, and every second
//! for what may have changed through another. Only viewers who see something by it are asked for.
//!
//! One task asks, one question after the other. Whoever begins to watch asks too: of two answers the one counts that was
//! asked for later.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::cell::lock;
use super::hub::{Hub, Watched};
use super::rights::{Proof, is_open};
use crate::{Clock, PollId, Repository, StoreError, TokenHash, UserId, log_each_second};

/// What changed here, and is still to be judged.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    due: Mutex<Due>,
    work: Notify,
    count: AtomicU64,
    asked: AtomicU64,
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

    /// The number of a question to the store that begins now: the answer knows all that was durable before.
    pub(super) fn ask(&self) -> Asked {
        Asked(self.asked.fetch_add(1, Ordering::AcqRel) + 1)
    }

    /// Judges what these users hold, and the tokens that are held of one poll, once more.
    pub(super) fn look_again(&self, users: impl IntoIterator<Item = UserId>, poll: PollId) {
        let mut due = lock(&self.due);
        due.users.extend(users);
        due.polls.insert(poll);
        self.work.notify_one();
    }
}

/// When something was asked of the store: what was asked later is greater, and known to be no older.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked(pub(super) u64);

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
            log_each_second!(
                warn,
                "what viewers may see could not be judged again",
                error = %error
            );
        }
        for cell in &cells {
            if let Err(error) = self.tokens(cell, due).await {
                log_each_second!(
                    warn,
                    "the vote tokens of viewers could not be judged again",
                    error = %error
                );
            }
        }
    }

    async fn users(&self, cells: &[Arc<Watched>], due: Option<&Due>) -> Result<(), StoreError> {
        let mut held = Vec::new();
        for cell in cells {
            let users = cell.proofs().users().into_iter();
            let is_due = |user: &UserId| due.is_none_or(|due| due.users.contains(user));
            held.extend(users.filter(is_due).map(|user| (cell, user)));
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
            let at = self.hub.changes().ask();
            let roles = if asked.is_empty() {
                Vec::new()
            } else {
                workspaces.roles(&asked).await?
            };
            for ((cell, (_, user)), role) in members.into_iter().zip(roles) {
                cell.proofs().learn_role(&Proof::User(user), role, at);
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
        let (poll, proofs) = (cell.poll_id(), cell.proofs());
        let is_due = due.is_none_or(|due| due.polls.contains(&poll));
        let tokens = self.store.vote_tokens();
        let Some(tokens) = tokens.filter(|_| is_due && !proofs.tokens().is_empty()) else {
            return Ok(());
        };
        let revoked = tokens.count(poll).await?.revoked;
        if due.is_none() && proofs.revoked() == Some(revoked) {
            return Ok(());
        }
        // Gathered after the count: of what was revoked before it, a token that comes to be held only now was asked for by
        // its viewer, later still. What is revoked after the count is found next time.
        let held = proofs.tokens();
        let good = tokens.good_for(poll, &held).await?;
        let good: HashSet<TokenHash> = good.into_iter().collect();
        for token in held.into_iter().filter(|token| !good.contains(token)) {
            proofs.spoil(&Proof::Token(token));
        }
        proofs.set_revoked(revoked);
        Ok(())
    }
}
