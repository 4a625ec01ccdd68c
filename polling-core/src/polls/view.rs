//! A poll as others see it: these types are the JSON.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;

use super::model::{Choice, PollRecord, ShowResults, Status, Voters};
use crate::results::Results;
use crate::{OptionId, PollId, ProjectId, Timestamp, UserId};

/// A poll as others see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct PollView {
    /// Its id.
    pub id: PollId,
    /// What it asks.
    pub question: String,
    /// What it says about itself.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub description: Option<String>,
    /// Where it is in its life.
    pub status: Status,
    /// How many options a ballot selects.
    pub choice: Choice,
    /// Who may vote.
    pub voters: Voters,
    /// Who sees the results, and when.
    pub show_results: ShowResults,
    /// Whether votes may be changed and withdrawn.
    pub allow_change: bool,
    /// Whether it shows in the public list.
    pub listed: bool,
    /// The user who created it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub creator_id: Option<UserId>,
    /// The project that it belongs to; none where it belongs to its creator.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub project_id: Option<ProjectId>,
    /// When it begins to take votes.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub opens_at: Option<Timestamp>,
    /// When it ends.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub closes_at: Option<Timestamp>,
    /// One more with each edit.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its options, in order.
    pub options: Vec<OptionView>,
    /// The results; none where they are hidden from the viewer.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub results: Option<Results>,
    /// The manage token: once, in the answer to a creation without an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub manage_token: Option<ManageToken>,
}

/// The bearer token of who manages a poll. It does not show in logs.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ManageToken(String);

impl ManageToken {
    pub(super) fn new(token: String) -> Self {
        Self(token)
    }

    /// The token, to be sent as `Authorization: Bearer`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for ManageToken {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ManageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManageToken(…)")
    }
}

/// An option as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OptionView {
    /// Its id.
    pub id: OptionId,
    /// Its place in the poll, from 0.
    pub position: u8,
    /// What it says.
    pub text: String,
}

impl PollView {
    pub(crate) fn of(record: &PollRecord, results_visible: bool) -> Self {
        let (poll, tally) = (&*record.poll, &record.tally);
        Self {
            id: poll.id,
            question: poll.question.as_str().to_owned(),
            description: poll
                .description
                .as_ref()
                .map(|text| text.as_str().to_owned()),
            status: tally.status,
            choice: poll.choice,
            voters: poll.voters,
            show_results: tally.show_results,
            allow_change: poll.allow_change,
            listed: poll.listed,
            creator_id: poll.creator,
            project_id: poll.project.map(|project| project.id),
            opens_at: tally.window.opens_at,
            closes_at: tally.window.closes_at,
            version: poll.version,
            created_at: poll.created_at,
            updated_at: poll.updated_at,
            options: (0..=u8::MAX)
                .zip(&poll.options)
                .map(|(position, option)| OptionView {
                    id: option.id,
                    position,
                    text: option.text.as_str().to_owned(),
                })
                .collect(),
            results: results_visible.then(|| Results::of(poll, tally)),
            manage_token: None,
        }
    }
}
