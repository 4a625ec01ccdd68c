//! The JSON of a vote, the same on every transport.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
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
    #[serde(deserialize_with = "bounded")]
    pub ballots: Vec<Box<RawValue>>,
}

/// Votes of a body that are held at all; whatever the settings, a list that goes on is not worth its memory.
const MOST_BALLOTS: usize = 100_000;

impl BatchBody {
    /// The ballots that this asks for in `poll`, each for itself.
    ///
    /// # Errors
    /// `Invalid` where there are more than `most`.
    pub fn into_ballots(
        self,
        poll: PollId,
        most: usize,
    ) -> Result<Vec<Result<Ballot, VoteError>>, VoteError> {
        let ballot = |json: Box<RawValue>| {
            let body: VoteBody = parse(json.get().as_bytes(), UnknownFields::Refuse).map_err(
                |error| match error {
                    ParseError::Shape(field) => VoteError::Invalid(vec![field]),
                    ParseError::Syntax(detail) => invalid("", &detail),
                },
            )?;
            body.into_ballot(poll)
        };
        at_most(most, self.ballots.len())?;
        Ok(self.ballots.into_iter().map(ballot).collect())
    }
}

/// A request holds so many ballots at most.
pub(super) fn at_most(most: usize, ballots: usize) -> Result<(), VoteError> {
    if ballots <= most {
        return Ok(());
    }
    let detail = format!("at most {most} ballots at once, not {ballots}");
    Err(invalid("/ballots", &detail))
}

fn bounded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Box<RawValue>>, D::Error> {
    struct Bounded;

    impl<'de> Visitor<'de> for Bounded {
        type Value = Vec<Box<RawValue>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of votes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut ballots = Vec::new();
            while let Some(ballot) = list.next_element()? {
                if ballots.len() == MOST_BALLOTS {
                    return Err(de::Error::custom(format!(
                        "more than {MOST_BALLOTS} ballots"
                    )));
                }
                ballots.push(ballot);
            }
            Ok(ballots)
        }
    }

    deserializer.deserialize_seq(Bounded)
}

fn invalid(pointer: &str, detail: &str) -> VoteError {
    VoteError::Invalid(vec![FieldError::invalid(pointer, detail)])
}
