//! The port of the polls, as a contract. `polling-conformance` tests each sentence of it.

use std::time::Duration;

use async_trait::async_trait;

use super::edit::PollEdit;
use super::model::{Poll, PollRecord};
use super::step::Step;
use crate::results::{Revision, Tally};
use crate::{PollId, ProjectId, StoreError, Timestamp, TokenHash, UserId};

/// The polls of a store. Every method is one atomic step: it happens whole, or not at all.
///
/// A deleted poll is gone for every method at once, whatever rows of it are still to be purged; only
/// [`knows_manage_token`](Self::knows_manage_token) remembers it.
#[async_trait]
pub trait PollRepository: Send + Sync {
    /// Keeps a new poll: definition, options and tally. It is durable on return. `ProjectMissing`, and nothing is written,
    /// where its project is not there (any more): a project that is gone has no polls.
    async fn insert(&self, poll: &Poll, tally: &Tally) -> Result<Kept, StoreError>;

    /// Both halves of a poll, from one moment; `None` where there is no such poll.
    async fn find(&self, id: PollId) -> Result<Option<PollRecord>, StoreError>;

    /// The polls that a caller may list, newest id first: at most `query.limit`. It may end early, but not before
    /// [`is_full`](ListQuery::is_full) says so, and should then, so that a long page is never held whole.
    async fn list(&self, query: &ListQuery) -> Result<Vec<PollRecord>, StoreError>;

    /// Writes an edit, if the poll is still at the version before it and in the status that was judged; else nothing.
    /// Where the edit says so, the revision grows by one. Options are replaced only where they changed.
    async fn edit(&self, edit: &PollEdit) -> Result<Edited, StoreError>;

    /// Takes a step of the poll's life through its gate, as [`Step::take`] says; where that gives nothing, nothing is
    /// written. Of several who ask at once for the same step, exactly one is told `Taken`. On return it is durable, and
    /// no ballot that the new status refuses can be added any more: after a step to closed, the tally is final.
    async fn advance(&self, id: PollId, step: Step, now: Timestamp)
    -> Result<Advanced, StoreError>;

    /// Hides a poll from everybody, for good; its revision grows by one, and this one is returned. `None` where there is
    /// no such poll (any more).
    async fn delete(&self, id: PollId, now: Timestamp) -> Result<Option<Revision>, StoreError>;

    /// Removes at most `rows` rows of deleted polls: ballots, options, counters and texts, but for what
    /// [`knows_manage_token`](Self::knows_manage_token) needs. Returns whether more are left.
    async fn purge(&self, rows: usize) -> Result<bool, StoreError>;

    /// Whether a poll was ever created with this manage token, deleted ones included: so that a repeated request to
    /// delete finds no poll, and not a bad token.
    async fn knows_manage_token(&self, token: TokenHash) -> Result<bool, StoreError>;

    /// The steps that the clock will take next, soonest first, at most `limit`: `Open` at `opens_at` of what is scheduled
    /// (where an edit took it away, at once), `BeginClosing` at `closes_at` of what is open, `Finish` at `grace` after
    /// `closes_at` of what is closing. Steps that are overdue come first.
    async fn upcoming(&self, grace: Duration, limit: usize) -> Result<Vec<DueStep>, StoreError>;
}

/// Which polls to list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListQuery {
    /// Every poll, whoever's it is.
    pub everything: bool,
    /// The polls that this user created and that belong to no project, drafts included; beside the listed ones.
    pub creator: Option<UserId>,
    /// The polls with one of these manage tokens, drafts included; beside the listed ones.
    pub manage_tokens: Vec<TokenHash>,
    /// The polls of this project instead, and none else.
    pub project: Option<ProjectQuery>,
    /// Only polls whose id is less.
    pub before: Option<PollId>,
    /// At most so many.
    pub limit: usize,
    /// No more once those that were found pass so many bytes, by [`Poll::estimated_bytes`].
    pub bytes: usize,
}

impl ListQuery {
    /// The published polls that are listed.
    #[must_use]
    pub fn listed(limit: usize) -> Self {
        Self {
            everything: false,
            creator: None,
            manage_tokens: Vec::new(),
            project: None,
            before: None,
            limit,
            bytes: usize::MAX,
        }
    }

    /// Whether a store that found so many polls, of so many bytes by [`Poll::estimated_bytes`], need not look for more. The last
    /// of them is one more than fits into the page, and says that there is a next one: so there are always two.
    #[must_use]
    pub const fn is_full(&self, polls: usize, bytes: usize) -> bool {
        polls >= self.limit || (polls >= 2 && bytes > self.bytes)
    }
}

/// Which polls of a project to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectQuery {
    /// The project.
    pub id: ProjectId,
    /// Whether its drafts too.
    pub drafts: bool,
}

/// What became of a new poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is kept.
    Done,
    /// There is no such project.
    ProjectMissing,
}

/// What became of an edit.
#[derive(Clone, Debug)]
pub enum Edited {
    /// Written; the poll as it is now.
    Done(PollRecord),
    /// Another change came first: judge again.
    Stale,
    /// There is no such poll.
    Missing,
}

/// What became of a step.
#[derive(Clone, Debug)]
pub enum Advanced {
    /// Taken by this call; the poll as it is now.
    Taken(PollRecord),
    /// Not to be taken; the poll as it is.
    Refused(PollRecord),
    /// There is no such poll.
    Missing,
}

/// A step that the clock will take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueStep {
    /// When.
    pub at: Timestamp,
    /// Of which poll.
    pub poll: PollId,
    /// Which.
    pub step: Step,
}
