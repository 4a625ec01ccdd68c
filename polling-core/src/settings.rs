//! Every bound of the engine, by name and with its unit.

use std::time::Duration;

/// The bounds and paces of an [`Engine`](crate::Engine); the defaults are the documented ones.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// What a poll may hold.
    pub polls: PollLimits,
    /// What a workspace may hold.
    pub workspaces: WorkspaceLimits,
    /// Ballots that may wait for their commit in each lane; one more is refused as `overloaded`. So is one of a poll of which
    /// as many wait there as there are places free: one hot poll has half of the places.
    pub queue_ballots: usize,
    /// Ballots in one commit, at most.
    pub batch_ballots: usize,
    /// Ballots in one call of the batch end point, at most; no more than `queue_ballots`.
    pub request_ballots: usize,
    /// How many lanes commit ballots side by side; `None` lets the store say what it is best with.
    pub lanes: Option<usize>,
    /// How long a batch is sent again to a store that cannot be reached before its ballots are answered `unavailable`.
    pub retry_for: Duration,
    /// How long a poll stays `closing` after its end, so that ballots received in time are recorded.
    pub closing_grace: Duration,
    /// The least time between two results pushed to the viewers of one poll (50 ms: 20 a second).
    pub push_interval: Duration,
    /// How often the revisions of all watched polls are read again from the store, whatever the notifier says.
    pub refresh_interval: Duration,
    /// How often the computer's clock is measured against the store's, where that has one; from then on the difference is
    /// added. A server that could not measure it for two minutes takes no step by the clock.
    pub clock_interval: Duration,
    /// Published polls that are kept in memory.
    pub cached_polls: usize,
    /// Rows of a deleted poll that go in one step.
    pub purge_rows: usize,
    /// Polls, or what else is listed, in one page of a listing, at most, and where the caller does not say.
    pub page_polls: usize,
    /// Passwords that are hashed at the same time; each takes one blocking thread for about 20 ms.
    pub password_workers: usize,
    /// Passwords that may wait to be hashed; one more is refused as `overloaded`.
    pub password_queue: usize,
    /// How long an access token is good.
    pub access_token_lifetime: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            polls: PollLimits::default(),
            workspaces: WorkspaceLimits::default(),
            queue_ballots: 65_536,
            batch_ballots: 4_096,
            request_ballots: 10_000,
            lanes: None,
            retry_for: Duration::from_secs(2),
            closing_grace: Duration::from_secs(1),
            push_interval: Duration::from_millis(50),
            refresh_interval: Duration::from_secs(1),
            clock_interval: Duration::from_secs(30),
            cached_polls: 10_000,
            purge_rows: 10_000,
            page_polls: 100,
            password_workers: 2,
            password_queue: 256,
            access_token_lifetime: Duration::from_secs(15 * 60),
        }
    }
}

/// What a poll may hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PollLimits {
    /// Characters of a question.
    pub question_chars: usize,
    /// Characters of an option.
    pub option_chars: usize,
    /// Characters of a description.
    pub description_chars: usize,
    /// Options of a poll; never more than 255, because a ballot holds one byte for each.
    pub options: usize,
}

/// The most options that a poll can ever have: positions are one byte, and 255 is kept free.
pub(crate) const MOST_OPTIONS: usize = 255;

impl Default for PollLimits {
    fn default() -> Self {
        Self {
            question_chars: 500,
            option_chars: 200,
            description_chars: 10_000,
            options: MOST_OPTIONS,
        }
    }
}

/// What a workspace may hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkspaceLimits {
    /// Workspaces that a user is in.
    pub of_a_user: usize,
    /// Members of a workspace.
    pub members: usize,
    /// Invitations to a workspace that are still to be answered.
    pub invitations: usize,
    /// Projects of a workspace.
    pub projects: usize,
    /// How long an invitation can be accepted.
    pub invitation_lifetime: Duration,
}

impl Default for WorkspaceLimits {
    fn default() -> Self {
        Self {
            of_a_user: 100,
            members: 10_000,
            invitations: 1_000,
            projects: 1_000,
            invitation_lifetime: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }
}
