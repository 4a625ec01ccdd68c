//! Ballots for a poll that is closed for good. Nothing of theirs changes any more, so that it needs no lane to tell a
//! retry from what comes too late.

use futures_util::{StreamExt, TryStreamExt};

use super::gate::Refusal;
use super::model::{BallotRecord, RecordedBallot};
use super::repository::Outcome;
use super::voter::VoterKey;
use crate::{PollId, Repository, StoreError};

/// Ballot ids that are looked up at the same time.
const IDS_AT_ONCE: usize = 8;

/// What becomes of these ballots of a closed poll, in their order: two questions to the store, however many there are. Only
/// where voters could change their vote, one more for each id that a client chose and that is not the ballot's.
pub(super) async fn recall(
    store: &dyn Repository,
    poll: PollId,
    ballots: &[BallotRecord],
) -> Result<Vec<Outcome>, StoreError> {
    let voters: Vec<VoterKey> = ballots.iter().map(|ballot| ballot.voter).collect();
    let found = store.votes().find_all(poll, &voters).await?;
    let pairs: Vec<_> = ballots.iter().zip(found).collect();
    if pairs
        .iter()
        .all(|(ballot, found)| is_settled(ballot, found.as_ref()))
    {
        let outcomes = pairs.into_iter().map(|(_, found)| outcome(found));
        return Ok(outcomes.collect());
    }
    // Another server may have deleted it. What is remembered here may also be older than the last change of its rules.
    let Some(record) = store.polls().find(poll).await? else {
        return Ok(vec![Outcome::Refused(Refusal::Missing); ballots.len()]);
    };
    let allow_change = record.poll.allow_change;
    let decide = |(ballot, found): (&BallotRecord, Option<RecordedBallot>)| {
        let ballot = ballot.clone();
        async move {
            let may_be_superseded = allow_change && ballot.id_is_clients;
            let is_other = found.as_ref().is_none_or(|found| found.id != ballot.id);
            if may_be_superseded && is_other && is_superseded(store, &ballot).await? {
                Ok(Outcome::Superseded)
            } else {
                Ok(outcome(found))
            }
        }
    };
    futures_util::stream::iter(pairs)
        .map(decide)
        .buffered(IDS_AT_ONCE)
        .try_collect()
        .await
}

/// Whether the voter's ballot alone decides.
fn is_settled(ballot: &BallotRecord, found: Option<&RecordedBallot>) -> bool {
    found.is_some_and(|found| !ballot.id_is_clients || found.id == ballot.id)
}

fn outcome(found: Option<RecordedBallot>) -> Outcome {
    found.map_or(Outcome::Refused(Refusal::Closed), Outcome::Existing)
}

async fn is_superseded(store: &dyn Repository, ballot: &BallotRecord) -> Result<bool, StoreError> {
    store
        .votes()
        .is_superseded(ballot.poll, &ballot.voter, ballot.id)
        .await
}
