//! The JSON of a vote, the same on every transport.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::VoteError;
use super::model::{Ballot, Chosen};
use super::voter::Voter;
use crate::wire::{ParseError, UnknownFields, parse};
use crate::{BallotId, FieldError, OptionId, PollId};

/// The JSON of a vote: `{"option_id"}` or `{"option_ids"}`, with `voter` and `ballot_id` where wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VoteBody {
    /// One option.
    #[serde(alias = "optionId")]
    pub option_id: Option<OptionId>,
    /// Several options.
    pub option_ids: Option<Vec<OptionId>>,
    /// Who votes.
    #[serde(alias = "user_id", alias = "userId")]
    pub voter: Option<String>,
    /// The ballot's id.
    pub ballot_id: Option<BallotId>,
}

impl VoteBody {
    /// The ballot that this asks for in `poll`.
    ///
    /// # Errors
    /// `Invalid` where it names no option, or in both ways.
    pub fn into_ballot(self, poll: PollId) -> Result<Ballot, VoteError> {
        let chosen = match (self.option_id, self.option_ids) {
            (Some(id), None) => Chosen::Option(id),
            (None, Some(ids)) => Chosen::Options(ids),
            (None, None) => return Err(invalid("/option_id", "is needed, or option_ids")),
            (Some(_), Some(_)) => {
                return Err(invalid("/option_ids", "cannot stand beside option_id"));
            }
        };
        let ballot = Ballot::new(poll, Voter::named(self.voter), chosen);
        Ok(Ballot {
            id: self.ballot_id,
            ..ballot
        })
    }
}

/// The JSON of many votes: `{"ballots": [vote, …]}`. Each is parsed by itself, so that a broken one spoils no other.
#[derive(Debug, Deserialize)]
#[non_exhaustive]
pub struct BatchBody {
    /// The votes, still as text.
    pub ballots: Vec<Box<RawValue>>,
}

impl BatchBody {
    /// The ballots that this asks for in `poll`, each for itself.
    #[must_use]
    pub fn into_ballots(self, poll: PollId) -> Vec<Result<Ballot, VoteError>> {
        let ballot = |json: Box<RawValue>| {
            let body: VoteBody = parse(json.get().as_bytes(), UnknownFields::Refuse).map_err(
                |error| match error {
                    ParseError::Shape(field) => VoteError::Invalid(vec![field]),
                    ParseError::Syntax(detail) => invalid("", &detail),
                },
            )?;
            body.into_ballot(poll)
        };
        self.ballots.into_iter().map(ballot).collect()
    }
}

fn invalid(pointer: &str, detail: &str) -> VoteError {
    VoteError::Invalid(vec![FieldError::invalid(pointer, detail)])
}
