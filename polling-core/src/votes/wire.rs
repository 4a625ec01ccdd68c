//! The JSON of a vote, the same on every transport.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::error::VoteError;
use super::model::{Ballot, Chosen};
use super::voter::Voter;
use crate::wire::{Object, ParseError, UnknownFields, parse, read};
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

/// A vote as most clients send it, which is read in one pass: the same fields, and no others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainVote {
    #[serde(alias = "optionId")]
    option_id: Option<OptionId>,
    option_ids: Option<Vec<OptionId>>,
    #[serde(alias = "user_id", alias = "userId")]
    voter: Option<String>,
    ballot_id: Option<BallotId>,
}

impl From<PlainVote> for VoteBody {
    fn from(vote: PlainVote) -> Self {
        let PlainVote {
            option_id,
            option_ids,
            voter,
            ballot_id,
        } = vote;
        Self {
            option_id,
            option_ids,
            voter,
            ballot_id,
        }
    }
}

impl VoteBody {
    /// Parses a vote, as [`wire::parse`](crate::wire::parse) does, and mostly in one pass.
    ///
    /// # Errors
    /// [`ParseError`].
    pub fn parse(json: &str, unknown: UnknownFields) -> Result<Self, ParseError> {
        match read::<PlainVote>(json) {
            Some(vote) => Ok(vote.into()),
            None => parse(json.as_bytes(), unknown),
        }
    }

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

/// The JSON of many votes: `{"ballots": [vote, …]}`. Each stands by itself, so that a broken one spoils no other.
#[derive(Debug)]
pub struct BatchBody(Votes);

#[derive(Debug)]
enum Votes {
    /// All of them are well-formed.
    Plain(Vec<Object<PlainVote>>),
    /// At least one is not: each is still its text, and is parsed by itself.
    Texts(Vec<Box<RawValue>>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainBatch {
    #[serde(deserialize_with = "bounded")]
    ballots: Vec<Object<PlainVote>>,
}

#[derive(Deserialize)]
struct TextBatch {
    #[serde(deserialize_with = "bounded")]
    ballots: Vec<Box<RawValue>>,
}

/// Votes of a body that are held at all; whatever the settings, a list that goes on is not worth its memory.
const MOST_BALLOTS: usize = 100_000;

impl BatchBody {
    /// Parses a batch: in one pass where every vote is well-formed. Those that are not come out of
    /// [`into_ballots`](Self::into_ballots), each as its error.
    ///
    /// # Errors
    /// [`ParseError`] where it is no list of votes at all.
    pub fn parse(json: &str, unknown: UnknownFields) -> Result<Self, ParseError> {
        Ok(Self(match read::<PlainBatch>(json) {
            Some(batch) => Votes::Plain(batch.ballots),
            None => Votes::Texts(parse::<TextBatch>(json.as_bytes(), unknown)?.ballots),
        }))
    }

    /// The ballots that this asks for in `poll`, each for itself.
    ///
    /// # Errors
    /// `Invalid` where there are more than `most`.
    pub fn into_ballots(
        self,
        poll: PollId,
        most: usize,
    ) -> Result<Vec<Result<Ballot, VoteError>>, VoteError> {
        match self.0 {
            Votes::Plain(votes) => {
                at_most(most, votes.len())?;
                let ballot = |Object(vote)| VoteBody::from(vote).into_ballot(poll);
                Ok(votes.into_iter().map(ballot).collect())
            }
            Votes::Texts(texts) => {
                at_most(most, texts.len())?;
                let ballot = |text: Box<RawValue>| parsed(text.get())?.into_ballot(poll);
                Ok(texts.into_iter().map(ballot).collect())
            }
        }
    }
}

/// One vote of a batch.
fn parsed(text: &str) -> Result<VoteBody, VoteError> {
    VoteBody::parse(text, UnknownFields::Refuse).map_err(|error| match error {
        ParseError::Shape(field) => VoteError::Invalid(vec![field]),
        ParseError::Syntax(detail) => invalid("", &detail),
    })
}

/// A request holds so many ballots at most.
pub(super) fn at_most(most: usize, ballots: usize) -> Result<(), VoteError> {
    if ballots <= most {
        return Ok(());
    }
    let detail = format!("at most {most} ballots at once, not {ballots}");
    Err(invalid("/ballots", &detail))
}

fn bounded<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Bounded<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
        type Value = Vec<T>;

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

    deserializer.deserialize_seq(Bounded(PhantomData))
}

fn invalid(pointer: &str, detail: &str) -> VoteError {
    VoteError::Invalid(vec![FieldError::invalid(pointer, detail)])
}

#[cfg(test)]
mod tests;
