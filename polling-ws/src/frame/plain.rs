//! The votes that are read in one pass.

use polling_core::wire::read;
use polling_core::{BallotId, OptionId, PollId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Ask, Frame, Seen, VoteFrame, reference};

/// A vote as most clients send it, which is read in one pass: votes come by the hundred thousand, all else now and then.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainVote<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow, default, rename = "ref")]
    reference: Option<&'a RawValue>,
    poll_id: PollId,
    option_id: Option<OptionId>,
    option_ids: Option<Vec<OptionId>>,
    voter: Option<String>,
    ballot_id: Option<BallotId>,
}

/// The vote in this text; `None` where it is none, or a bad one: what is wrong is then for [`Frame::parse`] to say.
pub(super) fn vote(text: &str, ref_bytes: usize) -> Option<Frame> {
    let vote = read::<PlainVote<'_>>(text).filter(|vote| vote.kind == "vote")?;
    let reference = match vote.reference {
        Some(raw) if is_plain(raw.get()) => Some(reference(raw, ref_bytes).ok()?),
        Some(_) => return None,
        None => None,
    };
    let ballot = VoteFrame {
        _kind: Seen,
        _reference: Seen,
        poll_id: vote.poll_id,
        option_id: vote.option_id,
        option_ids: vote.option_ids,
        voter: vote.voter,
        ballot_id: vote.ballot_id,
    };
    let ask = Ask::Vote(ballot.into_ballot().ok()?);
    Some(Frame { reference, ask })
}

/// Whether this JSON is a text without escapes or a short whole number. Of others the parser may say, when it reads them
/// and does not only pass over them, that they cannot be.
fn is_plain(json: &str) -> bool {
    let is_text = json.starts_with('"') && !json.contains('\\');
    is_text || (json.len() < 16 && json.bytes().all(|byte| byte.is_ascii_digit()))
}
