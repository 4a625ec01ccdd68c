//! What a voter gets in return: these types are the JSON.

use serde::Serialize;
use uuid::Uuid;

use super::model::{BallotRecord, RecordedBallot};
use super::voter::Voter;
use crate::polls::Poll;
use crate::results::Revision;
use crate::{BallotId, OptionId, PollId, Timestamp};

/// The proof of a recorded ballot: it is durable, and counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Receipt {
    /// The ballot's id.
    pub ballot_id: BallotId,
    /// In which poll.
    pub poll_id: PollId,
    /// The voter as they were sent; absent for registered users.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub voter: Option<String>,
    /// A revision of the poll that contains the ballot: who sees results of at least this revision sees the vote in them.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub revision: Revision,
    /// When the ballot arrived.
    pub cast_at: Timestamp,
    /// Whether this call recorded a ballot where there was none; else it was recorded before.
    #[serde(skip)]
    pub created: bool,
}

impl Receipt {
    /// Writes the receipt's JSON behind `out`: the same as its `Serialize`, and several times as fast.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let Self {
            ballot_id,
            poll_id,
            voter,
            revision,
            cast_at,
            created: _,
        } = self;
        out.extend_from_slice(b"{\"ballot_id\":\"");
        write_id(out, *ballot_id.as_bytes());
        out.extend_from_slice(b"\",\"poll_id\":\"");
        write_id(out, *poll_id.as_bytes());
        out.push(b'"');
        if let Some(voter) = voter {
            out.extend_from_slice(b",\"voter\":");
            write(out, voter);
        }
        out.extend_from_slice(b",\"revision\":");
        write(out, revision);
        out.extend_from_slice(b",\"cast_at\":\"");
        out.extend_from_slice(&cast_at.text());
        out.extend_from_slice(b"\"}");
    }

    pub(super) fn created(ballot: &BallotRecord, voter: Voter, revision: Revision) -> Self {
        Self {
            created: true,
            ..Self::changed(ballot, voter, revision)
        }
    }

    pub(super) fn changed(ballot: &BallotRecord, voter: Voter, revision: Revision) -> Self {
        Self {
            ballot_id: ballot.id,
            poll_id: ballot.poll,
            voter: voter.into_text(),
            revision,
            cast_at: ballot.received_at,
            created: false,
        }
    }

    pub(super) fn recorded(ballot: &RecordedBallot, poll: PollId, voter: Voter) -> Self {
        Self {
            ballot_id: ballot.id,
            poll_id: poll,
            voter: voter.into_text(),
            revision: ballot.revision,
            cast_at: ballot.cast_at,
            created: false,
        }
    }
}

fn write_id(out: &mut Vec<u8>, id: [u8; 16]) {
    let mut text = Uuid::encode_buffer();
    let text = Uuid::from_bytes(id).hyphenated().encode_lower(&mut text);
    out.extend_from_slice(text.as_bytes());
}

/// A text or a number, as JSON.
fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // Neither they nor a vector can fail.
    let _ = serde_json::to_writer(out, value);
}

/// A voter's own ballot, as they may read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OwnBallot {
    /// Its receipt.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// What it selects, in the order of the poll's options.
    pub option_ids: Vec<OptionId>,
}

impl OwnBallot {
    pub(super) fn of(ballot: &RecordedBallot, poll: &Poll, voter: Voter) -> Self {
        let options = ballot.selection.positions().iter();
        Self {
            receipt: Receipt::recorded(ballot, poll.id, voter),
            option_ids: options
                .filter_map(|&at| poll.options.get(usize::from(at)))
                .map(|option| option.id)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_receipt_agree() {
        let voters = [
            None,
            Some(""),
            Some("ada"),
            Some("\"\\\u{0}\n\u{7f}é\u{2028}👩\u{200D}🚀"),
        ];
        let times = [i64::MIN, -1, 0, 1_767_268_800_007, i64::MAX];
        for voter in voters {
            for (millis, revision) in times.into_iter().zip([0, 1, 42, u64::MAX >> 1, u64::MAX]) {
                let receipt = Receipt {
                    ballot_id: BallotId::from_bytes([0xAB; 16]),
                    poll_id: PollId::from_bytes([0; 16]),
                    voter: voter.map(ToOwned::to_owned),
                    revision,
                    cast_at: Timestamp::from_millis(millis),
                    created: true,
                };
                let mut written = b"before:".to_vec();
                receipt.write_json(&mut written);
                let serialized = serde_json::to_string(&receipt).unwrap();
                assert_eq!(
                    String::from_utf8(written).unwrap(),
                    format!("before:{serialized}")
                );
            }
        }
    }
}
