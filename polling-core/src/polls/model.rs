//! The types of a poll. Whatever is of one of these types is valid.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::results::Tally;
use crate::text::text;
use crate::{OptionId, PollId, ProjectId, Timestamp, TokenHash, UserId, WorkspaceId};

text! {
    /// What a poll asks.
    Question, lines: false
}
text! {
    /// What an option says.
    OptionText, lines: false
}
text! {
    /// What a poll says about itself; may have several lines.
    Description, lines: true
}

/// Where a poll is in its life. It only ever moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Seen by its managers only; everything can change.
    Draft,
    /// Published, before its opening time.
    Scheduled,
    /// Takes votes.
    Open,
    /// The end is over; ballots that were received in time are still being recorded.
    Closing,
    /// Final, for good.
    Closed,
}

impl Status {
    /// All of them, in the order of a poll's life.
    pub const ALL: [Status; 5] = [
        Status::Draft,
        Status::Scheduled,
        Status::Open,
        Status::Closing,
        Status::Closed,
    ];

    /// The word as it stands in JSON and in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::Scheduled => "scheduled",
            Status::Open => "open",
            Status::Closing => "closing",
            Status::Closed => "closed",
        }
    }

    /// What this word means in JSON and in stores; `None` for any other.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// How many options a ballot selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Choice {
    /// Exactly one.
    Single,
    /// From `min` to `max`; 1 ≤ `min` ≤ `max` ≤ number of options.
    Multiple {
        /// At least so many.
        min: u8,
        /// At most so many.
        max: u8,
    },
}

impl Choice {
    /// The least and the greatest number of options on a ballot.
    #[must_use]
    pub const fn bounds(self) -> (usize, usize) {
        match self {
            Choice::Single => (1, 1),
            Choice::Multiple { min, max } => (min as usize, max as usize),
        }
    }
}

/// Who may vote, and so what one ballot per voter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Voters {
    /// Anyone, under an id that the client chooses: one ballot per device, no more.
    Anyone,
    /// Whoever the poll's managers vouch for.
    Vouched,
    /// Signed-in users.
    Registered,
    /// Signed-in users who are members of the poll's workspace when they vote.
    Members,
    /// The holders of one-time tokens that were made for the poll: one ballot for each token.
    Tokens,
}

impl Voters {
    /// All of them.
    pub const ALL: [Voters; 5] = [
        Voters::Anyone,
        Voters::Vouched,
        Voters::Registered,
        Voters::Members,
        Voters::Tokens,
    ];

    /// The word as it stands in JSON and in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Voters::Anyone => "anyone",
            Voters::Vouched => "vouched",
            Voters::Registered => "registered",
            Voters::Members => "members",
            Voters::Tokens => "tokens",
        }
    }

    /// What this word means in JSON and in stores; `None` for any other.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// Who may see the results, and when. Managers always may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShowResults {
    /// Everybody, always.
    Always,
    /// Who has voted, and everybody once the result is final.
    AfterVote,
    /// Everybody once the result is final.
    AfterClose,
    /// Managers only.
    Managers,
}

impl ShowResults {
    const ALL: [ShowResults; 4] = [
        ShowResults::Always,
        ShowResults::AfterVote,
        ShowResults::AfterClose,
        ShowResults::Managers,
    ];

    /// The word as it stands in JSON and in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ShowResults::Always => "always",
            ShowResults::AfterVote => "after_vote",
            ShowResults::AfterClose => "after_close",
            ShowResults::Managers => "managers",
        }
    }

    /// What this word means in JSON and in stores; `None` for any other.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// When a poll takes votes: from `opens_at` on (or from its publication), and before `closes_at` (or until it is closed
/// by hand). Where both are there, `opens_at` is before `closes_at`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub opens_at: Option<Timestamp>,
    /// The first moment that is too late.
    pub closes_at: Option<Timestamp>,
}

/// The definition of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Its public id.
    pub id: PollId,
    /// What it asks.
    pub question: Question,
    /// What it says about itself.
    pub description: Option<Description>,
    /// How many options a ballot selects. Fixed once published.
    pub choice: Choice,
    /// Who may vote. Fixed once published.
    pub voters: Voters,
    /// Whether voters may change and withdraw their vote. Fixed once open.
    pub allow_change: bool,
    /// Whether it shows in the public list.
    pub listed: bool,
    /// The user who created it.
    pub creator: Option<UserId>,
    /// The project that it belongs to, for good; `None` where it belongs to its creator.
    pub project: Option<ProjectRef>,
    /// The hash of its manage token, where it was created without an account.
    pub manage_token: Option<TokenHash>,
    /// One more with each edit, from 1.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last edited, published, opened or closed.
    pub updated_at: Timestamp,
    /// The options, in order: an option's place here is its position. Fixed once published. From 2 to 255.
    pub options: Vec<PollOption>,
}

impl Poll {
    /// What [`estimated_bytes`](Self::estimated_bytes) counts for a poll, beside its texts and options.
    pub const ESTIMATED_BYTES: usize = 1024;
    /// What it counts for an option, beside its text.
    pub const ESTIMATED_OPTION_BYTES: usize = 160;

    /// About how many bytes the poll takes, in memory and, with its results, as JSON whose texts need no escapes: 1,024, 160
    /// for each option, and its texts in UTF-8.
    #[must_use]
    pub fn estimated_bytes(&self) -> usize {
        let description = self.description.as_ref().map_or("", Description::as_str);
        let texts = self.question.as_str().len() + description.len();
        let option =
            |option: &PollOption| Self::ESTIMATED_OPTION_BYTES + option.text.as_str().len();
        let options: usize = self.options.iter().map(option).sum();
        Self::ESTIMATED_BYTES + texts + options
    }

    /// The position of the option with this id.
    #[must_use]
    pub fn position_of(&self, option: OptionId) -> Option<u8> {
        self.options
            .iter()
            .position(|own| own.id == option)
            .and_then(|position| u8::try_from(position).ok())
    }

    /// Whether it was created with an account, or by the application itself: else it has a manage token.
    pub(crate) const fn has_account(&self) -> bool {
        self.manage_token.is_none()
    }
}

/// The project of a poll, and the workspace that this is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectRef {
    /// The project.
    pub id: ProjectId,
    /// Its workspace, whose members have the say.
    pub workspace: WorkspaceId,
}

/// An option of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollOption {
    /// Its public id.
    pub id: OptionId,
    /// What it says.
    pub text: OptionText,
}

/// Both halves of a poll, read in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollRecord {
    /// The definition.
    pub poll: Arc<Poll>,
    /// Status, window, visibility and counters.
    pub tally: Tally,
}
