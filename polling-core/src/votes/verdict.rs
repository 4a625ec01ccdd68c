//! Retry or second vote: what a ballot is, beside the one that its voter has recorded. A pure rule.

use super::model::{BallotRecord, RecordedBallot};

/// What a ballot is, beside the recorded one of the same voter and poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same request again.
    Retry,
    /// Another vote of the same voter.
    AlreadyVoted,
    /// The id of the recorded ballot, with another content.
    BallotIdReused,
}

pub(super) fn judge(ballot: &BallotRecord, recorded: &RecordedBallot) -> Verdict {
    let same_id = ballot.id == recorded.id;
    let same_content = ballot.selection == recorded.selection;
    match (ballot.id_is_clients, same_id, same_content) {
        (true, true, false) => Verdict::BallotIdReused,
        (true, true, true) | (false, _, true) => Verdict::Retry,
        (true, false, _) | (false, _, false) => Verdict::AlreadyVoted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::votes::{Selection, VoterKey};
    use crate::{BallotId, PollId, Timestamp};

    fn verdict(id: Option<u8>, positions: &[u8]) -> Verdict {
        let recorded = RecordedBallot {
            id: BallotId::from_bytes([1; 16]),
            selection: Selection::from_store(&[0]),
            cast_at: Timestamp::EPOCH,
            revision: 1,
        };
        let ballot = BallotRecord {
            poll: PollId::from_bytes([0; 16]),
            voter: VoterKey::from_bytes([0; 16]),
            id: BallotId::from_bytes([id.unwrap_or(9); 16]),
            id_is_clients: id.is_some(),
            selection: Selection::from_store(positions),
            received_at: Timestamp::EPOCH,
        };
        judge(&ballot, &recorded)
    }

    #[test]
    fn a_retry_has_the_same_content_and_the_same_id_or_none() {
        assert_eq!(verdict(Some(1), &[0]), Verdict::Retry);
        assert_eq!(verdict(None, &[0]), Verdict::Retry);
    }

    #[test]
    fn another_id_is_another_vote_whatever_its_content() {
        assert_eq!(verdict(Some(2), &[0]), Verdict::AlreadyVoted);
        assert_eq!(verdict(Some(2), &[1]), Verdict::AlreadyVoted);
        assert_eq!(verdict(None, &[1]), Verdict::AlreadyVoted);
    }

    #[test]
    fn the_same_id_with_another_content_is_never_dropped_in_silence() {
        assert_eq!(verdict(Some(1), &[1]), Verdict::BallotIdReused);
    }
}
