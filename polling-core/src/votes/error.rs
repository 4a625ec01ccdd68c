//! What can go wrong with votes.

use std::sync::LazyLock;

use crate::limits::{LimitError, RateLimited, Standing};
use crate::{Code, Fault, FieldError, StoreError};

/// Why a ballot was not recorded, changed, withdrawn or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VoteError {
    /// The input breaks rules; each field says which.
    #[error("the ballot is not valid")]
    Invalid(Vec<FieldError>),
    /// No such poll, or it is hidden from the one who asks.
    #[error("there is no such poll")]
    PollNotFound,
    /// The voter has no recorded ballot in this poll.
    #[error("there is no vote of this voter")]
    VoteNotFound,
    /// The poll has no such option.
    #[error("the poll has no such option")]
    OptionUnknown(Vec<FieldError>),
    /// Too few, too many or doubled options.
    #[error("{}", .0.first().map_or("the selection does not fit the poll", |field| field.detail.as_str()))]
    SelectionInvalid(Vec<FieldError>),
    /// Nobody is named as the voter.
    #[error("the vote must say who votes, as its voter")]
    VoterRequired,
    /// Voting in this poll needs signing in, or a vote token that is good.
    #[error(
        "voting in this poll needs the credential of its voters: an access token, or a vote token"
    )]
    Unauthorized,
    /// A voter of another kind than the poll's.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The poll is the caller's own draft.
    #[error("the poll is a draft: publish it first")]
    Draft,
    /// The poll does not take votes yet.
    #[error("the poll does not take votes yet")]
    NotOpen,
    /// The poll does not take votes any more.
    #[error("the poll is closed")]
    Closed,
    /// The voter has a recorded ballot.
    #[error("this voter has voted already")]
    AlreadyVoted,
    /// The ballot id is that of the voter's recorded ballot, whose content is another.
    #[error("this ballot id was used with another content")]
    BallotIdReused,
    /// The ballot id is that of a ballot which was changed or withdrawn.
    #[error("the ballot with this id was changed or withdrawn since")]
    Superseded,
    /// The poll does not let votes be changed.
    #[error("this poll does not let a vote be changed or withdrawn")]
    ChangeNotAllowed,
    /// Votes came too often: this one was not recorded.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// Too many ballots are waiting: nothing was recorded.
    #[error("too many ballots are waiting: try again soon")]
    Overloaded,
    /// The engine is shutting down: nothing was recorded.
    #[error("the engine is shutting down")]
    ShuttingDown,
    /// The store failed. Where it says that it is not available, the ballot may have been recorded all the same: send it
    /// again, with the same ballot id.
    #[error(transparent)]
    Store(#[from] StoreError),
}

static VOTER_REQUIRED: LazyLock<[FieldError; 1]> = LazyLock::new(|| {
    [FieldError::new(
        "/voter",
        Code::VoterRequired,
        "is needed in this poll",
    )]
});

impl Fault for VoteError {
    fn code(&self) -> Code {
        match self {
            VoteError::Invalid(_) => Code::Invalid,
            VoteError::PollNotFound => Code::PollNotFound,
            VoteError::VoteNotFound => Code::VoteNotFound,
            VoteError::OptionUnknown(_) => Code::OptionUnknown,
            VoteError::SelectionInvalid(_) => Code::SelectionInvalid,
            VoteError::VoterRequired => Code::VoterRequired,
            VoteError::Unauthorized => Code::Unauthorized,
            VoteError::Forbidden(_) => Code::Forbidden,
            VoteError::Draft => Code::PollDraft,
            VoteError::NotOpen => Code::PollNotOpen,
            VoteError::Closed => Code::PollClosed,
            VoteError::AlreadyVoted => Code::AlreadyVoted,
            VoteError::BallotIdReused => Code::BallotIdReused,
            VoteError::Superseded => Code::BallotSuperseded,
            VoteError::ChangeNotAllowed => Code::ChangeNotAllowed,
            VoteError::RateLimited(_) => Code::RateLimited,
            VoteError::Overloaded => Code::Overloaded,
            VoteError::ShuttingDown => Code::Unavailable,
            VoteError::Store(error) => error.code(),
        }
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            VoteError::Invalid(fields)
            | VoteError::OptionUnknown(fields)
            | VoteError::SelectionInvalid(fields) => fields,
            VoteError::VoterRequired => &*VOTER_REQUIRED,
            _ => &[],
        }
    }

    fn standing(&self) -> Option<&Standing> {
        match self {
            VoteError::RateLimited(limited) => Some(limited.standing()),
            _ => None,
        }
    }
}

impl From<LimitError> for VoteError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Exceeded(limited) => limited.into(),
            LimitError::Store(error) => error.into(),
        }
    }
}

impl VoteError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }
}
