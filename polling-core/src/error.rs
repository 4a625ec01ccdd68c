//! The words in which every room says what went wrong.
//!
//! Each room has an error enum of its own; all of them speak through [`Fault`], so that a transport needs one table from
//! [`Kind`] to its own status, and no knowledge of the rooms.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::limits::Standing;

/// What sort of failure a [`Code`] is; transports map it to their status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input is wrong; sending it again will not help.
    Invalid,
    /// Nobody, or nobody known: a credential is missing or bad.
    Unauthorized,
    /// Known, and not allowed.
    Forbidden,
    /// There is no such thing, or it is hidden from the one who asks.
    NotFound,
    /// The state of things refuses the request.
    Conflict,
    /// This was asked for too often: try again when the error says.
    RateLimited,
    /// Too much work is waiting: nothing was done, try again soon.
    Overloaded,
    /// The store cannot be reached, or does not answer: try again soon, with the same ballot id.
    Unavailable,
    /// Our own fault.
    Internal,
}

macro_rules! codes {
    ($( $(#[$doc:meta])* $name:ident = $text:literal, $kind:ident, $title:literal; )*) => {
        /// Every error code that the core gives: stable, and the same on every transport.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $( $(#[$doc])* $name, )* }

        impl Code {
            /// All codes, in the order in which they are documented.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The code as it stands in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Code::$name => $text, )* }
            }

            /// What sort of failure it is.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $( Code::$name => Kind::$kind, )* }
            }

            /// A short title for people, the same for each occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $( Code::$name => $title, )* }
            }
        }
    };
}

codes! {
    /// The input breaks a rule; the field errors say which.
    Invalid = "invalid", Invalid, "The input is not valid";
    /// No such poll, or a draft of somebody else.
    PollNotFound = "poll_not_found", NotFound, "There is no such poll";
    /// No such user.
    UserNotFound = "user_not_found", NotFound, "There is no such user";
    /// No such workspace, or the one who asks is no member.
    WorkspaceNotFound = "workspace_not_found", NotFound, "There is no such workspace";
    /// The workspace has no such member.
    MemberNotFound = "member_not_found", NotFound, "There is no such member";
    /// No such invitation, or it is somebody else's, or over.
    InvitationNotFound = "invitation_not_found", NotFound, "There is no such invitation";
    /// No such project, or the one who asks is no member of its workspace.
    ProjectNotFound = "project_not_found", NotFound, "There is no such project";
    /// No such import of users, or it is forgotten.
    ImportNotFound = "import_not_found", NotFound, "There is no such import";
    /// The voter has no recorded ballot in this poll.
    VoteNotFound = "vote_not_found", NotFound, "There is no such vote";
    /// The poll has no such option.
    OptionUnknown = "option_unknown", Invalid, "The poll has no such option";
    /// Too few, too many or doubled options.
    SelectionInvalid = "selection_invalid", Invalid, "The selection does not fit the poll";
    /// The poll needs the ballot to name its voter.
    VoterRequired = "voter_required", Invalid, "The vote does not say who votes";
    /// The password is guessed too easily.
    PasswordWeak = "password_weak", Invalid, "The password is too weak";
    /// A credential is missing or bad.
    Unauthorized = "unauthorized", Unauthorized, "A valid credential is needed";
    /// Known, and not allowed.
    Forbidden = "forbidden", Forbidden, "This is not allowed";
    /// The results may not be seen by this viewer, or not yet.
    ResultsHidden = "results_hidden", Forbidden, "The results are hidden";
    /// The server has switched this off.
    FeatureOff = "feature_off", Forbidden, "This is switched off here";
    /// The voter has a recorded ballot already.
    AlreadyVoted = "already_voted", Conflict, "This voter has voted already";
    /// The ballot id was used before by this voter, with other content.
    BallotIdReused = "ballot_id_reused", Conflict, "The ballot id was used with another content";
    /// The ballot id belongs to a ballot that was changed or withdrawn.
    BallotSuperseded = "ballot_superseded", Conflict, "The ballot was changed or withdrawn since";
    /// The e-mail address has an account already.
    EmailTaken = "email_taken", Conflict, "The e-mail address has an account already";
    /// The workspace would have no owner any more.
    LastOwner = "last_owner", Conflict, "A workspace keeps at least one owner";
    /// There are as many as there may be.
    LimitReached = "limit_reached", Conflict, "There may be no more of these";
    /// The poll is a draft still.
    PollDraft = "poll_draft", Conflict, "The poll is a draft";
    /// The poll takes no votes yet.
    PollNotOpen = "poll_not_open", Conflict, "The poll is not open yet";
    /// The poll takes no votes any more.
    PollClosed = "poll_closed", Conflict, "The poll is closed";
    /// The poll is for voters of another kind than the holders of tokens.
    PollNotForTokens = "poll_not_for_tokens", Conflict, "The poll is not for the holders of tokens";
    /// The poll does not let voters change or withdraw their vote.
    ChangeNotAllowed = "change_not_allowed", Conflict, "The poll does not let a vote be changed";
    /// The field is fixed since the poll was published.
    OptionsFixed = "options_fixed", Conflict, "This is fixed since the poll was published";
    /// The poll was edited by somebody else meanwhile.
    VersionConflict = "version_conflict", Conflict, "The poll was changed meanwhile";
    /// This was asked for too often: nothing was done.
    RateLimited = "rate_limited", RateLimited, "This was asked for too often";
    /// Too much work is waiting: nothing was done.
    Overloaded = "overloaded", Overloaded, "Too busy at the moment";
    /// The store cannot be reached.
    Unavailable = "unavailable", Unavailable, "Not available at the moment";
    /// Our own fault.
    Internal = "internal", Internal, "Something went wrong on our side";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One field of the input that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Where: a JSON pointer (RFC 6901) into the body, or `/name` of a query parameter.
    pub pointer: String,
    /// Which rule, as a code.
    pub code: Code,
    /// What is wrong, and what would be right, in words.
    pub detail: String,
}

impl FieldError {
    /// A broken rule of the plain sort, `invalid`.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(pointer, Code::Invalid, detail)
    }

    /// A broken rule with a code of its own.
    pub fn new(pointer: impl Into<String>, code: Code, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
        }
    }
}

/// Something was asked for that is switched off; it is named as in [`FeatureSettings`](crate::FeatureSettings).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the feature {0} is switched off on this server")]
pub struct FeatureOff(pub &'static str);

/// What every error of the engine can tell a transport.
pub trait Fault: std::error::Error {
    /// The stable code.
    fn code(&self) -> Code;

    /// The fields that broke a rule; empty where the error is about no field.
    fn fields(&self) -> &[FieldError] {
        &[]
    }

    /// Which limit was reached, and when to try again; `None` where it is about no limit.
    fn standing(&self) -> Option<&Standing> {
        None
    }
}

/// A boxed cause.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What a port answers when it could not do its step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached or has no room; the step may be tried again.
    #[error("the store is not available")]
    Unavailable(#[source] Cause),
    /// The store answered something that it never should.
    #[error("the store failed")]
    Internal(#[source] Cause),
}

impl StoreError {
    /// The step may be tried again.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }

    /// Something that never should happen.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }
}

impl Fault for StoreError {
    fn code(&self) -> Code {
        match self {
            StoreError::Unavailable(_) => Code::Unavailable,
            StoreError::Internal(_) => Code::Internal,
        }
    }
}
