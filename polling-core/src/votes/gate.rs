//! The gate: whether a poll takes a ballot, as a pure rule that every store applies under its own lock.

use super::model::BallotRecord;
use crate::Timestamp;
use crate::polls::Status;
use crate::results::Tally;

/// Why a poll does not take a ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such poll (any more).
    Missing,
    /// It takes no votes yet.
    NotOpen,
    /// It takes no votes any more.
    Closed,
    /// It has not so many options.
    OptionUnknown,
}

/// Whether a poll with this tally takes a ballot that was received at this time; if so, whether the ballot opens it: a
/// scheduled poll whose time has come need not wait for its timer.
///
/// # Errors
/// Why it does not.
pub fn admit(tally: &Tally, received_at: Timestamp) -> Result<bool, Refusal> {
    let early = tally
        .window
        .opens_at
        .is_some_and(|opens_at| received_at < opens_at);
    let late = tally
        .window
        .closes_at
        .is_some_and(|closes_at| received_at >= closes_at);
    match tally.status {
        Status::Draft => Err(Refusal::NotOpen),
        Status::Closed => Err(Refusal::Closed),
        Status::Scheduled | Status::Open | Status::Closing if late => Err(Refusal::Closed),
        Status::Scheduled | Status::Open | Status::Closing if early => Err(Refusal::NotOpen),
        Status::Scheduled => Ok(true),
        Status::Open | Status::Closing => Ok(false),
    }
}

/// Whether a poll with this tally takes a ballot, by [`admit`] and by its options; if so, whether the ballot opens it.
///
/// # Errors
/// Why it does not.
pub fn takes(tally: &Tally, ballot: &BallotRecord) -> Result<bool, Refusal> {
    let opens = admit(tally, ballot.received_at)?;
    let mut chosen = ballot.selection.positions().iter();
    if chosen.all(|&at| usize::from(at) < tally.counts.len()) {
        Ok(opens)
    } else {
        Err(Refusal::OptionUnknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PollId;
    use crate::polls::{ShowResults, Window};

    fn tally(status: Status, opens_at: Option<i64>, closes_at: Option<i64>) -> Tally {
        let at = |millis: Option<i64>| millis.map(Timestamp::from_millis);
        Tally {
            poll_id: PollId::from_bytes([0; 16]),
            status,
            window: Window {
                opens_at: at(opens_at),
                closes_at: at(closes_at),
            },
            show_results: ShowResults::Always,
            revision: 1,
            ballots: 0,
            counts: vec![0, 0],
        }
    }

    #[test]
    fn a_ballot_counts_by_when_it_was_received() {
        use Status::{Closed, Closing, Draft, Open, Scheduled};
        let table = [
            // status, received at 99, 100, 199, 200; the window is 100 to 200
            (Draft, [Err(Refusal::NotOpen); 4]),
            (
                Scheduled,
                [
                    Err(Refusal::NotOpen),
                    Ok(true),
                    Ok(true),
                    Err(Refusal::Closed),
                ],
            ),
            (
                Open,
                [
                    Err(Refusal::NotOpen),
                    Ok(false),
                    Ok(false),
                    Err(Refusal::Closed),
                ],
            ),
            (
                Closing,
                [
                    Err(Refusal::NotOpen),
                    Ok(false),
                    Ok(false),
                    Err(Refusal::Closed),
                ],
            ),
            (Closed, [Err(Refusal::Closed); 4]),
        ];
        for (status, expected) in table {
            for (received_at, expected) in [99, 100, 199, 200].into_iter().zip(expected) {
                let gate = tally(status, Some(100), Some(200));
                assert_eq!(
                    admit(&gate, Timestamp::from_millis(received_at)),
                    expected,
                    "{status:?} at {received_at}"
                );
            }
        }
        assert_eq!(admit(&tally(Open, None, None), Timestamp::EPOCH), Ok(false));
    }
}
