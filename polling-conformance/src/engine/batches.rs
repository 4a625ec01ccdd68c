//! Many ballots in one request: as if they had come one by one.

use std::sync::Arc;

use polling_core::polls::Status;
use polling_core::votes::VoteError;
use polling_core::{Actor, Ballot, BallotId, Code, PollId, Receipt, Repository};

use super::lab::{ANYONE, Lab, ballot, ballot_id, refused, tea, votes};
use crate::faulty::FaultyStore;

type Outcome = Result<Receipt, VoteError>;

async fn cast_all(lab: &Lab, poll: PollId, ballots: Vec<Ballot>) -> Vec<Outcome> {
    let ballots = ballots.into_iter().map(Ok).collect();
    lab.engine
        .votes()
        .cast_all(&ANYONE, poll, ballots)
        .await
        .unwrap()
}

/// The first of a voter is the vote, whatever stands between them.
pub async fn twins_in_one_batch_are_decided_in_their_order(store: Arc<dyn Repository>) {
    // It also looks after the promise that no batch of the store holds two of one voter.
    let lab = Lab::on(FaultyStore::new(store)).await;
    let poll = lab.open().await.id;
    let outcomes = cast_all(
        &lab,
        poll,
        vec![
            ballot(poll, "ada", &[2]),
            ballot(poll, "bob", &[1]).with_id(ballot_id(1)),
            ballot(poll, "ada", &[2]),
            ballot(poll, "ada", &[0]),
            ballot(poll, "bob", &[0]).with_id(ballot_id(1)),
            ballot(poll, "bob", &[1]).with_id(ballot_id(2)),
            ballot(poll, "bob", &[1]).with_id(ballot_id(1)),
            ballot(poll, "ada", &[2]).with_id(ballot_id(3)),
        ],
    )
    .await;
    let short: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().map(|r| r.created).map_err(|e| e.code()))
        .collect();
    assert_eq!(
        short,
        [
            Ok(true),
            Ok(true),
            Ok(false),
            Err(Code::AlreadyVoted),
            Err(Code::BallotIdReused),
            Err(Code::AlreadyVoted),
            Ok(false),
            Err(Code::AlreadyVoted),
        ]
    );
    assert_eq!(votes(&lab.proven(poll).await), [0, 1, 1]);
}

/// Each stands alone, and keeps its place.
pub async fn a_broken_ballot_spoils_no_other(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let (poll, other) = (lab.open().await.id, lab.open().await.id);
    let ballots = vec![
        Ok(ballot(poll, "ada", &[0])),
        Err(VoteError::VoterRequired),
        Ok(ballot(poll, "bob", &[9])),
        Ok(ballot(poll, "bob", &[1, 2])),
        Ok(ballot(poll, "", &[1])),
        Ok(ballot(poll, "eve", &[1])),
    ];
    let batch = lab.engine.votes().cast_all(&ANYONE, poll, ballots).await;
    let mut outcomes = batch.unwrap().into_iter();
    assert!(outcomes.next().unwrap().unwrap().created);
    for code in [
        Code::VoterRequired,
        Code::OptionUnknown,
        Code::SelectionInvalid,
        Code::Invalid,
    ] {
        assert_eq!(refused(outcomes.next().unwrap()), code);
    }
    assert!(outcomes.next().unwrap().unwrap().created);
    assert_eq!(votes(&lab.proven(poll).await), [1, 1, 0]);
    assert_eq!(lab.proven(other).await.ballots, 0);
}

/// Also while the poll is not open, closing, or closed.
pub async fn a_batch_has_the_outcomes_of_its_ballots_one_by_one(store: Arc<dyn Repository>) {
    for status in Status::ALL {
        let lab = Lab::on(Arc::clone(&store)).await;
        let [one_by_one, batch] = [lab.open().await.id, lab.open().await.id];
        let ballots = |poll| {
            vec![
                ballot(poll, "ada", &[0]),
                ballot(poll, "ada", &[1]),
                ballot(poll, "bob", &[1]).with_id(ballot_id(9)),
                ballot(poll, "bob", &[2]).with_id(ballot_id(9)),
                ballot(poll, "eve", &[7]),
            ]
        };
        let (mut single, mut all) = (Vec::new(), Vec::new());
        if status == Status::Open {
            for ballot in ballots(one_by_one) {
                single.push(lab.cast(ballot).await);
            }
            all = cast_all(&lab, batch, ballots(batch)).await;
        } else {
            let poll = lab.in_status(status, tea()).await.id;
            for ballot in ballots(poll) {
                let cast = lab.engine.votes().cast(&Actor::System, ballot).await;
                single.push(cast);
            }
            let ballots = ballots(poll).into_iter().map(Ok).collect();
            match lab
                .engine
                .votes()
                .cast_all(&Actor::System, poll, ballots)
                .await
            {
                Ok(outcomes) => all = outcomes,
                // A draft is refused as a whole.
                Err(error) => all.extend(single.iter().map(|_| Err(copy(&error)))),
            }
        }
        assert_eq!(codes(&single), codes(&all), "{status:?}");
    }
}

fn copy(error: &VoteError) -> VoteError {
    match error {
        VoteError::Draft => VoteError::Draft,
        other => panic!("only drafts refuse a batch as a whole: {other}"),
    }
}

fn codes(outcomes: &[Outcome]) -> Vec<Result<bool, Code>> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(receipt) => Ok(receipt.created),
            Err(error) => Err(error.code()),
        })
        .collect()
}

/// At most so many at once, and none is fine.
pub async fn a_batch_has_a_bound(store: Arc<dyn Repository>) {
    let lab = Lab::with(store, |settings| settings.request_ballots = 3).await;
    let poll = lab.open().await.id;
    assert!(cast_all(&lab, poll, Vec::new()).await.is_empty());
    let ballots = |count: usize| -> Vec<_> {
        (0..count)
            .map(|n| Ok(ballot(poll, &n.to_string(), &[0])))
            .collect()
    };
    let votes = lab.engine.votes();
    let too_many = votes.cast_all(&ANYONE, poll, ballots(4)).await;
    assert_eq!(refused(too_many), Code::Invalid);
    assert_eq!(lab.proven(poll).await.ballots, 0);
    votes.cast_all(&ANYONE, poll, ballots(3)).await.unwrap();
    assert_eq!(lab.proven(poll).await.ballots, 3);
}

/// However many lanes and commits it takes.
pub async fn ten_thousand_ballots_are_one_request(store: Arc<dyn Repository>) {
    let lab = Lab::with(store, |settings| settings.batch_ballots = 1_000).await;
    let poll = lab.open().await.id;
    let ballots: Vec<Ballot> = (0..10_000_u32)
        .map(|n| ballot(poll, &n.to_string(), &[(n % 3) as u8]))
        .collect();
    for created in [true, false] {
        let outcomes = cast_all(&lab, poll, ballots.clone()).await;
        assert!(outcomes.iter().all(|outcome| {
            outcome
                .as_ref()
                .is_ok_and(|receipt| receipt.created == created)
        }));
    }
    let results = lab.proven(poll).await;
    assert_eq!(votes(&results), [3_334, 3_333, 3_333]);
    assert!(
        results.revision > 10,
        "a commit had more than its 1,000 ballots"
    );
}

/// Retries among them are recognised, and the store is not asked for each.
pub async fn a_batch_for_a_closed_poll_is_looked_up_at_once(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(store);
    let lab = Lab::on(held.clone()).await;
    let poll = lab.open().await.id;
    let ballots: Vec<Ballot> = (0..10_000_u32)
        .map(|n| {
            ballot(poll, &n.to_string(), &[(n % 3) as u8])
                .with_id(BallotId::from_bytes(u128::from(n).to_be_bytes()))
        })
        .collect();
    cast_all(&lab, poll, ballots[..5_000].to_vec()).await;
    let closed = lab.engine.polls().close(&Actor::System, poll);
    closed.await.unwrap();
    let asked = || held.ballots_asked.asked() + held.polls_asked.asked();
    let before = asked();
    for (n, outcome) in cast_all(&lab, poll, ballots).await.into_iter().enumerate() {
        match outcome {
            Ok(receipt) => assert!(n < 5_000 && !receipt.created),
            Err(error) => assert!(n >= 5_000 && error.code() == Code::PollClosed),
        }
    }
    let questions = asked() - before;
    assert!(questions <= 3, "{questions} questions for one batch");
}
