//! Every bound of the engine, by name and with its unit.

mod bulk;
mod limits;

use std::time::Duration;

pub use bulk::BulkSettings;
pub use limits::LimitSettings;

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
    /// Ballots of a call of the batch end point that are handed over to a lane in one turn. Of all calls together twice as many
    /// stand in the queue of a lane, so that a single ballot waits behind no more; the others keep their places. `None` lets
    /// the store say what it records in a few milliseconds.
    pub turn_ballots: Option<usize>,
    /// How many lanes commit ballots side by side; `None` lets the store say what it is best with.
    pub lanes: Option<usize>,
    /// How long a ballot is sent again, from when it came in, to a store that cannot be reached, or in which somebody else
    /// holds the row of its poll, before it is answered `unavailable`. No longer than `answer_within`.
    pub retry_for: Duration,
    /// How long a vote waits for its answer, from when it came in: in the queue, for a store that does not answer, and while
    /// it is sent again, all in all. Then it is answered `unavailable`, and may be recorded all the same. A ballot that has
    /// waited for longer behind others is sent once, for half as long.
    pub answer_within: Duration,
    /// How long a poll stays `closing` after its end, so that ballots received in time are recorded.
    pub closing_grace: Duration,
    /// The least time between two results pushed to the viewers of one poll (50 ms: 20 a second).
    pub push_interval: Duration,
    /// How often the revisions of all watched polls are read again from the store, whatever the notifier says.
    pub refresh_interval: Duration,
    /// How often the computer's clock is measured against the store's, where that has one; from then on the difference is
    /// added. A server that could not measure it for two minutes takes no step by the clock.
    pub clock_interval: Duration,
    /// A clock that is this much ahead of where it should be by the time that has passed, or behind it, has jumped; a smaller
    /// difference is followed at once. At least 100 ms.
    pub clock_jump: Duration,
    /// How long a jump of the clock has to stand until it is believed. Until then nothing is done that cannot be undone (polls
    /// do not open or close, nothing that is over is removed), but what both the old time and the new one say. Where the store
    /// has no clock of its own, all else goes on by the old time meanwhile.
    pub clock_jump_wait: Duration,
    /// Published polls that are kept in memory, at most.
    pub cached_polls: usize,
    /// Bytes that these polls take there, at most, by [`Poll::estimated_bytes`](crate::polls::Poll::estimated_bytes). A poll
    /// that takes more by itself is not kept: it is read from the store for each vote.
    pub cached_poll_bytes: usize,
    /// Rows of a deleted poll that go in one step.
    pub purge_rows: usize,
    /// Vote tokens that one call makes, at most.
    pub request_tokens: usize,
    /// Vote tokens that one call names to be revoked, at most.
    pub request_revocations: usize,
    /// Vote tokens that are ever made for one poll, at most.
    pub poll_tokens: u64,
    /// The same, of a poll that was created without an account.
    pub anonymous_poll_tokens: u64,
    /// How what writes many rows is cut into steps, between which votes are written.
    pub bulk: BulkSettings,
    /// Polls, or what else is listed, in one page of a listing, at most, and where the caller does not say.
    pub page_polls: usize,
    /// Bytes in one page of a listing, at most, as they are estimated before texts are escaped; a single item that takes more
    /// comes alone. The page ends early, with its cursor.
    pub page_bytes: usize,
    /// Passwords that are hashed at the same time; each takes one blocking thread for about 20 ms, and 19 MiB of memory. The
    /// memory is allocated when it is first needed, kept, and used again: the first 19 MiB at the start.
    pub password_workers: usize,
    /// Passwords that may wait to be hashed; one more is refused as `overloaded`.
    pub password_queue: usize,
    /// KiB of memory that a stored password hash may need to be checked, at most; at least 19,456, which today's need. More
    /// than that is allocated for one check and freed after it, so that it is needed once for each of `password_workers`. A
    /// hash that needs more than this is not checked: signing in with it is answered as `internal`, and logged.
    pub password_hash_kib: u32,
    /// Passes over that memory that a stored password hash may need, at most; at least 2, which today's need.
    pub password_hash_passes: u32,
    /// How long an access token is good, also one that was made while this was longer: the ballots of a deleted user are
    /// detached when it has passed. All servers of a store need the same.
    pub access_token_lifetime: Duration,
    /// How often somebody may do what.
    pub limits: LimitSettings,
    /// Bulk imports of users.
    pub imports: ImportSettings,
    /// What is switched on.
    pub features: FeatureSettings,
    /// How long a refresh token is good if nobody uses it.
    pub refresh_token_lifetime: Duration,
    /// How long a sign-in lasts, however often it is refreshed.
    pub sign_in_lifetime: Duration,
    /// For how long a refresh token that was spent may be sent again, by a client that got no answer: at most 10 s.
    pub refresh_grace: Duration,
    /// How long a one-time link is good. While it is, trying to sign in sends no other for the first password.
    pub link_lifetime: Duration,
    /// How long the delivery of a one-time link, or of an invitation, may take.
    pub link_patience: Duration,
    /// One-time links that may be on their way; one more that is asked for is refused as `overloaded`. Beside them as many
    /// invitations may be; one more is made, and not sent.
    pub link_queue: usize,
    /// How long a ticket for an event stream or a WebSocket is good.
    pub ticket_lifetime: Duration,
    /// Tickets that were made within this time, used or not; one more is refused as `overloaded`.
    pub tickets: usize,
    /// How much later than its last access token ends the ballots of a deleted user are detached: for those that are still
    /// on their way then.
    pub detach_after: Duration,
    /// Polls that are looked through for ballots of a deleted user in one step.
    pub detach_polls: usize,
}

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

impl Default for Settings {
    fn default() -> Self {
        Self {
            polls: PollLimits::default(),
            workspaces: WorkspaceLimits::default(),
            queue_ballots: 65_536,
            batch_ballots: 4_096,
            request_ballots: 10_000,
            turn_ballots: None,
            lanes: None,
            retry_for: Duration::from_secs(2),
            answer_within: Duration::from_secs(2),
            closing_grace: Duration::from_secs(1),
            push_interval: Duration::from_millis(50),
            refresh_interval: Duration::from_secs(1),
            clock_interval: Duration::from_secs(30),
            clock_jump: Duration::from_secs(2),
            clock_jump_wait: Duration::from_secs(60),
            cached_polls: 10_000,
            cached_poll_bytes: 64 * 1024 * 1024,
            purge_rows: 1_000,
            request_tokens: 100_000,
            request_revocations: 10_000,
            poll_tokens: 1_000_000,
            anonymous_poll_tokens: 10_000,
            bulk: BulkSettings::default(),
            page_polls: 100,
            page_bytes: 1024 * 1024,
            password_workers: 2,
            password_queue: 256,
            password_hash_kib: 64 * 1024,
            password_hash_passes: 10,
            access_token_lifetime: Duration::from_secs(15 * 60),
            limits: LimitSettings::default(),
            imports: ImportSettings::default(),
            features: FeatureSettings::default(),
            refresh_token_lifetime: Duration::from_secs(30 * DAY),
            sign_in_lifetime: Duration::from_secs(90 * DAY),
            refresh_grace: Duration::from_secs(10),
            link_lifetime: Duration::from_secs(60 * 60),
            link_patience: Duration::from_secs(30),
            link_queue: 256,
            ticket_lifetime: Duration::from_secs(30),
            tickets: 50_000,
            detach_after: Duration::from_secs(60),
            detach_polls: 200,
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

/// What is switched on: all by default. What is off is refused as `feature_off`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeatureSettings {
    /// People may sign up by themselves.
    pub sign_up: bool,
    /// Polls may be created without an account; off, that is `unauthorized`, because signing in helps. The application
    /// itself always may.
    pub anonymous_polls: bool,
    /// Users may be imported in bulk.
    pub import: bool,
}

impl Default for FeatureSettings {
    fn default() -> Self {
        Self {
            sign_up: true,
            anonymous_polls: true,
            import: true,
        }
    }
}

/// Bulk imports of users.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportSettings {
    /// Rows of an import.
    pub rows: usize,
    /// Rows that are written in one step.
    pub batch_rows: usize,
    /// Imports that run at the same time on this server; one more is refused as `overloaded`.
    pub at_once: usize,
    /// Imports whose progress is remembered in the memory of this server, those that run among them.
    pub remembered: usize,
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self {
            rows: 100_000,
            batch_rows: 250,
            at_once: 1,
            remembered: 16,
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
