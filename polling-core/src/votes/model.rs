//! What a ballot is: as the voter casts it, as the lanes carry it, and as the store keeps it.

use std::fmt;

use smallvec::{SmallVec, smallvec};

use super::error::VoteError;
use super::voter::{Voter, VoterKey};
use crate::polls::{Choice, Poll};
use crate::results::Revision;
use crate::{BallotId, Code, FieldError, OptionId, PollId, Timestamp};

/// A ballot as somebody casts it: raw, checked against its poll at the door.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ballot {
    /// In which poll.
    pub poll: PollId,
    /// Whose it is.
    pub voter: Voter,
    /// What it selects.
    pub chosen: Chosen,
    /// Its id, by which a retry is told from a second vote; clients that may retry send one.
    pub id: Option<BallotId>,
}

/// What a ballot selects, in one of the ways to say it.
#[derive(Clone, PartialEq, Eq)]
pub enum Chosen {
    /// One option, by its id.
    Option(OptionId),
    /// Options, by their ids.
    Options(Vec<OptionId>),
    /// Options, by their positions in the poll.
    Positions(Vec<u8>),
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What somebody votes is nobody's business in a log.
        f.write_str("Chosen(…)")
    }
}

impl Ballot {
    /// A ballot that selects options by their positions.
    pub fn of(poll: PollId, voter: Voter, positions: impl IntoIterator<Item = u8>) -> Self {
        Self::new(
            poll,
            voter,
            Chosen::Positions(positions.into_iter().collect()),
        )
    }

    /// A ballot that selects options in any of the ways to say it.
    #[must_use]
    pub const fn new(poll: PollId, voter: Voter, chosen: Chosen) -> Self {
        Self {
            poll,
            voter,
            chosen,
            id: None,
        }
    }

    /// With an id, so that sending it again is safe whatever happened.
    #[must_use]
    pub const fn with_id(mut self, id: BallotId) -> Self {
        self.id = Some(id);
        self
    }
}

/// The content of a ballot: the set of chosen positions, in order. One byte for each, in memory as in the store; up to 16 of
/// them stand in place, because a ballot is copied on its way.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Selection(SmallVec<[u8; 16]>);

impl Selection {
    /// What was stored. It was checked before.
    #[must_use]
    pub fn from_store(content: &[u8]) -> Self {
        Self(content.into())
    }

    /// The chosen positions, in order, which are the bytes to store.
    #[must_use]
    pub fn positions(&self) -> &[u8] {
        &self.0
    }

    /// The selection that `chosen` makes in this poll.
    ///
    /// # Errors
    /// `OptionUnknown` or `SelectionInvalid`, with the field.
    pub(crate) fn of(chosen: &Chosen, poll: &Poll) -> Result<Self, VoteError> {
        let unknown = |pointer: String| {
            let detail = "is no option of this poll";
            VoteError::OptionUnknown(vec![FieldError::new(pointer, Code::OptionUnknown, detail)])
        };
        let mut positions = match chosen {
            Chosen::Option(id) => {
                smallvec![
                    poll.position_of(*id)
                        .ok_or_else(|| unknown("/option_id".into()))?
                ]
            }
            Chosen::Options(ids) => ids
                .iter()
                .enumerate()
                .map(|(place, id)| {
                    poll.position_of(*id)
                        .ok_or_else(|| unknown(format!("/option_ids/{place}")))
                })
                .collect::<Result<SmallVec<_>, VoteError>>()?,
            Chosen::Positions(positions) => {
                if let Some(place) = positions
                    .iter()
                    .position(|&at| usize::from(at) >= poll.options.len())
                {
                    return Err(unknown(format!("/positions/{place}")));
                }
                SmallVec::from_slice(positions)
            }
        };
        positions.sort_unstable();
        fits(&positions, poll.choice)?;
        Ok(Self(positions))
    }
}

fn fits(sorted: &[u8], choice: Choice) -> Result<(), VoteError> {
    let (min, max) = choice.bounds();
    let detail = if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        "names an option twice".to_owned()
    } else if min == max && sorted.len() != min {
        format!("must select exactly {min}, not {}", sorted.len())
    } else if !(min..=max).contains(&sorted.len()) {
        format!(
            "must select from {min} to {max} options, not {}",
            sorted.len()
        )
    } else {
        return Ok(());
    };
    Err(VoteError::SelectionInvalid(vec![FieldError::new(
        "/option_ids",
        Code::SelectionInvalid,
        detail,
    )]))
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What somebody voted is nobody's business in a log.
        f.write_str("Selection(…)")
    }
}

/// A ballot on its way to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BallotRecord {
    /// In which poll.
    pub poll: PollId,
    /// Whose it is: with the poll, its primary key.
    pub voter: VoterKey,
    /// Its id.
    pub id: BallotId,
    /// Whether the client chose the id; else the engine made it, at the door.
    pub id_is_clients: bool,
    /// What it selects.
    pub selection: Selection,
    /// When it arrived: by this it counts as in time.
    pub received_at: Timestamp,
}

/// A ballot that counts, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedBallot {
    /// Its id.
    pub id: BallotId,
    /// What it selects.
    pub selection: Selection,
    /// When it had arrived.
    pub cast_at: Timestamp,
    /// A revision of the poll that contains it.
    pub revision: Revision,
}
