//! What voters are told when the store fails: always the truth, or that they should ask again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use polling_conformance::faulty::{Fault, FaultyStore};
use polling_core::polls::Voters;
use polling_core::votes::{VoteError, VoterKey};
use polling_core::{
    Actor, Ballot, BallotId, Code, Engine, NewPoll, PollId, RandomIds, Receipt, Settings,
    Timestamp, Voter,
};
use sha2::{Digest, Sha256};

use crate::store::{Guard, Store};

// On one thread, so that what a test asks first is in the queue first.
on_every_store! {
    #[tokio::test]
    a_commit_whose_answer_was_lost_is_answered_as_recorded
    a_store_that_comes_back_in_time_costs_no_vote
    a_store_that_stays_away_is_unavailable_and_a_retry_finds_out
    bug_05_an_error_in_the_middle_of_a_batch_answers_everybody_truly
    twins_in_one_batch_are_decided_one_after_the_other
    a_flood_of_ballots_of_one_voter_holds_up_nobody_else
    a_full_queue_is_refused_at_once_and_what_was_taken_is_answered
    a_shutdown_answers_what_was_accepted_and_takes_no_more
    who_stops_waiting_does_not_take_the_ballot_back
}

async fn bed(store: Store, settings: Settings) -> (Engine, Arc<FaultyStore>, PollId, Guard) {
    let (store, guard) = store.fresh().await;
    let store = FaultyStore::new(store);
    let engine = Engine::builder(store.clone())
        .settings(settings)
        .build()
        .await
        .unwrap();
    let new = NewPoll::single("?", ["a", "b"])
        .voters(Voters::Anyone)
        .published();
    let poll = engine.polls().create(&Actor::System, new).await.unwrap().id;
    // With the poll in the cache, a vote is in its queue as soon as it is polled once.
    let nobody = Voter::anyone("nobody");
    let unknown = engine.votes().read(&Actor::System, poll, &nobody).await;
    assert_eq!(unknown.unwrap_err().code(), Code::VoteNotFound);
    (engine, store, poll, guard)
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.retry_for = Duration::from_millis(200);
    // A store that is held up here is held up for as long as the machine takes.
    settings.answer_within = Duration::from_secs(60);
    settings
}

async fn vote(engine: &Engine, poll: PollId, voter: &str) -> Result<Receipt, VoteError> {
    engine
        .votes()
        .cast(
            &Actor::anonymous(),
            Ballot::of(poll, Voter::anyone(voter), [0]),
        )
        .await
}

/// Answered, counted and recounted are the same number.
async fn assert_exact(engine: &Engine, poll: PollId, ballots: u64) {
    let recount = engine
        .results()
        .recount(&Actor::System, poll)
        .await
        .unwrap();
    assert!(recount.agrees(), "{recount:?}");
    assert_eq!(recount.ballots, ballots);
}

/// The key of a voter of a poll for anyone, as it is documented.
fn key_of(voter: &str) -> VoterKey {
    let digest = Sha256::digest(["anyone\0", voter].concat());
    VoterKey::from_bytes(*digest.first_chunk().expect("a digest has 32 bytes"))
}

async fn a_commit_whose_answer_was_lost_is_answered_as_recorded(store: Store) {
    let (engine, store, poll, _guard) = bed(store, settings()).await;
    store.will([Fault::LostAfterCommit]);
    let receipt = vote(&engine, poll, "ada").await.unwrap();
    assert!(
        receipt.created,
        "it was this very call that recorded the ballot"
    );
    let again = vote(&engine, poll, "ada").await.unwrap();
    assert!(!again.created);
    assert_eq!(
        (again.ballot_id, again.cast_at),
        (receipt.ballot_id, receipt.cast_at)
    );
    assert_exact(&engine, poll, 1).await;
}

async fn a_store_that_comes_back_in_time_costs_no_vote(store: Store) {
    let (engine, store, poll, _guard) = bed(store, settings()).await;
    store.will([Fault::LostBeforeCommit]);
    assert!(vote(&engine, poll, "ada").await.unwrap().created);
    assert_exact(&engine, poll, 1).await;
}

async fn a_store_that_stays_away_is_unavailable_and_a_retry_finds_out(store: Store) {
    let (engine, store, poll, _guard) = bed(store, settings()).await;
    let id = BallotId::new(Timestamp::EPOCH, &RandomIds);
    let ballot = Ballot::of(poll, Voter::anyone("ada"), [0]).with_id(id);
    // The first sending is written, and neither it nor the later ones are heard of.
    store.will(
        [Fault::LostAfterCommit]
            .into_iter()
            .chain([Fault::LostBeforeCommit; 100]),
    );
    let error = engine
        .votes()
        .cast(&Actor::anonymous(), ballot.clone())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    // The store is back for the retry, however many of the faults are left.
    let receipt = loop {
        match engine
            .votes()
            .cast(&Actor::anonymous(), ballot.clone())
            .await
        {
            Ok(receipt) => break receipt,
            Err(error) => assert_eq!(error.code(), Code::Unavailable),
        }
    };
    assert_eq!(receipt.ballot_id, id);
    assert_exact(&engine, poll, 1).await;
}

async fn bug_05_an_error_in_the_middle_of_a_batch_answers_everybody_truly(store: Store) {
    let (engine, store, poll, _guard) = bed(store, settings()).await;
    store.poison(key_of("voter-37"));
    store.record.shut();
    let voters: Vec<String> = (0..100).map(|number| format!("voter-{number}")).collect();
    let votes = join_all(voters.iter().map(|voter| vote(&engine, poll, voter)));
    let (answers, ()) = tokio::join!(votes, async { store.record.open() });
    for (voter, answer) in voters.iter().zip(answers) {
        match answer {
            Ok(receipt) => assert!(receipt.created && voter != "voter-37"),
            Err(error) => assert_eq!((error.code(), voter.as_str()), (Code::Internal, "voter-37")),
        }
    }
    assert_exact(&engine, poll, 99).await;
    let largest = store.batches().iter().map(|batch| batch.len()).max();
    assert!(
        largest > Some(10),
        "what arrived meanwhile was one batch, and its good halves stayed large: {largest:?}"
    );
}

async fn twins_in_one_batch_are_decided_one_after_the_other(store: Store) {
    let (engine, store, poll, _guard) = bed(store, settings()).await;
    store.record.shut();
    let first = vote(&engine, poll, "holds-the-lane");
    let twins = join_all((0..20).map(|option| {
        let ballot = Ballot::of(poll, Voter::anyone("ada"), [option % 2]);
        async { engine.votes().cast(&Actor::anonymous(), ballot).await }
    }));
    let (_, answers, ()) = tokio::join!(first, twins, async { store.record.open() });
    assert!(answers[0].as_ref().unwrap().created);
    for (number, answer) in answers.iter().enumerate().skip(1) {
        match answer {
            Ok(receipt) => assert!(
                number % 2 == 0 && !receipt.created,
                "the same content is a retry"
            ),
            Err(error) => assert!(number % 2 == 1 && error.code() == Code::AlreadyVoted),
        }
    }
    assert_exact(&engine, poll, 2).await;
}

async fn a_flood_of_ballots_of_one_voter_holds_up_nobody_else(store: Store) {
    let (engine, store, poll, _guard) = bed(store, settings()).await;
    store.record.shut();
    let ada = || Voter::anyone("ada");
    let same = (0..1_000).map(|_| Ok(Ballot::of(poll, ada(), [0])));
    // Each of these has an id of its own, which only the store can judge.
    let named = (0..1_000).map(|_| {
        let id = BallotId::new(Timestamp::EPOCH, &RandomIds);
        Ok(Ballot::of(poll, ada(), [0]).with_id(id))
    });
    let flood = same.chain(named).collect();
    let everybody = Actor::anonymous();
    let flood = engine.votes().cast_all(&everybody, poll, flood);
    let other = vote(&engine, poll, "grace");
    let (flood, receipt, ()) = tokio::join!(flood, other, async { store.record.open() });
    assert!(receipt.unwrap().created);
    let grace = key_of("grace");
    let before = store.batches_before(|ballot| ballot.voter == grace);
    assert!(before <= 1, "the other voter waited for {before} batches");

    let codes: Vec<_> = flood
        .unwrap()
        .into_iter()
        .map(|answer| answer.map_err(|error| error.code()))
        .collect();
    let (same, named) = codes.split_at(1_000);
    let receipt = same[0].as_ref().unwrap();
    assert!(receipt.created);
    for retry in &same[1..] {
        let retry = retry.as_ref().unwrap();
        assert_eq!((retry.created, retry.ballot_id), (false, receipt.ballot_id));
    }
    assert!(
        named
            .iter()
            .all(|answer| *answer == Err(Code::AlreadyVoted))
    );
    assert_exact(&engine, poll, 2).await;
}

async fn a_full_queue_is_refused_at_once_and_what_was_taken_is_answered(store: Store) {
    let mut settings = settings();
    settings.queue_ballots = 50;
    settings.request_ballots = 50;
    let (engine, store, poll, _guard) = bed(store, settings).await;
    store.record.shut();
    let voters: Vec<String> = (0..200).map(|number| format!("voter-{number}")).collect();
    let votes = join_all(voters.iter().map(|voter| vote(&engine, poll, voter)));
    let request = async {
        let ballots = (0..50).map(|number| {
            Ok(Ballot::of(
                poll,
                Voter::anyone(format!("batch-{number}")),
                [0],
            ))
        });
        let refused = engine
            .votes()
            .cast_all(&Actor::anonymous(), poll, ballots.collect())
            .await;
        store.record.open();
        refused.unwrap_err()
    };
    let (answers, refused) = tokio::join!(votes, request);
    assert_eq!(
        refused.code(),
        Code::Overloaded,
        "a batch is taken whole or refused whole"
    );
    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!(
        // One poll has half of the places, and a batch that is under way.
        taken.len() >= 25 && refused.len() >= 50,
        "{} taken",
        taken.len()
    );
    assert!(
        refused
            .into_iter()
            .all(|answer| answer.unwrap_err().code() == Code::Overloaded)
    );
    assert_exact(&engine, poll, taken.len() as u64).await;
}

async fn a_shutdown_answers_what_was_accepted_and_takes_no_more(store: Store) {
    let (engine, store, poll, _guard) = bed(store, settings()).await;
    store.record.shut();
    let voters: Vec<String> = (0..100).map(|number| format!("voter-{number}")).collect();
    let votes = join_all(voters.iter().map(|voter| vote(&engine, poll, voter)));
    let shutdown = async {
        // The votes are in the queue: `join!` has polled them before this.
        let done = engine.shutdown();
        store.record.open();
        done.await;
    };
    let (answers, ()) = tokio::join!(votes, shutdown);
    assert!(answers.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(
        vote(&engine, poll, "late").await.unwrap_err().code(),
        Code::Unavailable
    );
    assert_exact(&engine, poll, 100).await;
}

async fn who_stops_waiting_does_not_take_the_ballot_back(store: Store) {
    let (engine, store, poll, _guard) = bed(store, settings()).await;
    store.record.shut();
    let left = tokio::time::timeout(Duration::from_millis(1), vote(&engine, poll, "ada")).await;
    assert!(left.is_err(), "the batch is held");
    store.record.open();
    let again = vote(&engine, poll, "ada").await.unwrap();
    assert!(!again.created, "bug 17: leaving removed no vote");
    assert_exact(&engine, poll, 1).await;
}
