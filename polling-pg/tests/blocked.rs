//! Rows that somebody else holds: the polls they belong to wait, and no others do.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot make its store has failed"
)]

mod common;

use std::time::Duration;

use common::{empty, on_each_version, rows, session};
use futures_util::SinkExt;
use futures_util::future::join_all;
use pg_cluster::{Database, Version};
use polling_core::polls::Voters;
use polling_core::votes::VoteError;
use polling_core::{Actor, Ballot, Code, Engine, NewPoll, PollId, Receipt, Settings, Voter};
use polling_pg::PgStore;
use tokio::task::JoinSet;
use tokio_postgres::Client;

on_each_version! {
    votes_in_other_polls_are_answered_while_a_tally_row_is_locked
    ballots_that_wait_for_a_locked_row_are_recorded_once_it_is_free
    a_ballot_in_a_locked_poll_is_unavailable_at_its_own_deadline
    changes_in_other_polls_are_answered_while_a_tally_row_is_locked
    a_frozen_copy_of_another_server_is_ended_and_its_ballots_get_through
    a_session_of_somebody_else_is_never_ended
}

/// Many times what a vote waits for the lock of another poll, and less than a statement may take.
const GENEROUS: Duration = Duration::from_secs(4);

struct Bed {
    database: Database,
    engine: Engine,
    polls: Vec<PollId>,
}

impl Bed {
    /// An engine with polls in which voters may change their vote.
    async fn with(version: Version, set: impl FnOnce(&mut Settings)) -> Self {
        let database = empty(version).await;
        let store = PgStore::connect(database.url()).await.unwrap();
        let mut settings = Settings::default();
        set(&mut settings);
        let engine = Engine::builder(store).settings(settings);
        let engine = engine.build().await.unwrap();
        let mut polls = Vec::new();
        for _ in 0..6 {
            let new = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]);
            let new = new.voters(Voters::Anyone).allow_change().published();
            let poll = engine.polls().create(&Actor::System, new).await.unwrap();
            polls.push(poll.id);
        }
        Self {
            database,
            engine,
            polls,
        }
    }

    /// Holds the tally row of the first poll until it commits.
    async fn lock_the_first(&self) -> Client {
        let client = session(&self.database).await;
        let lock = format!(
            "BEGIN; SELECT 1 FROM polling.poll_tallies WHERE poll = '{}' FOR UPDATE",
            self.polls[0]
        );
        client.batch_execute(&lock).await.unwrap();
        client
    }

    /// Eight voters in the first poll, who send their ballots again until they are recorded.
    fn eight_insist(&self) -> JoinSet<Receipt> {
        let mut eight = JoinSet::new();
        for voter in 0..8 {
            let (engine, poll) = (self.engine.clone(), self.polls[0]);
            eight.spawn(async move { insist(&engine, poll, &format!("stuck {voter}")).await });
        }
        eight
    }

    async fn recount(&self, poll: PollId, ballots: u64) {
        let results = self.engine.results();
        let recount = results.recount(&Actor::System, poll).await.unwrap();
        assert!(recount.agrees(), "{recount:?}");
        assert_eq!(recount.ballots, ballots);
    }
}

fn ballot(poll: PollId, voter: &str, position: u8) -> Ballot {
    Ballot::of(poll, Voter::anyone(voter), [position])
}

async fn vote(engine: &Engine, poll: PollId, voter: &str) -> Result<Receipt, VoteError> {
    let cast = engine.votes().cast(&ANYONE, ballot(poll, voter, 0));
    let answer = tokio::time::timeout(GENEROUS, cast).await;
    answer.expect("a vote is answered in time")
}

static ANYONE: Actor = Actor::anonymous();

async fn insist(engine: &Engine, poll: PollId, voter: &str) -> Receipt {
    loop {
        match vote(engine, poll, voter).await {
            Ok(receipt) => return receipt,
            Err(error) => assert_eq!(error.code(), Code::Unavailable),
        }
    }
}

/// Returns when so many sessions wait for a lock.
async fn until_somebody_waits(client: &Client) {
    let waiting = "SELECT count(*) > 0 FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    common::until(client, waiting, "t").await;
}

async fn votes_in_other_polls_are_answered_while_a_tally_row_is_locked(version: Version) {
    let bed = Bed::with(version, |_| ()).await;
    let lock = bed.lock_the_first().await;
    let eight = bed.eight_insist();
    let watch = session(&bed.database).await;
    until_somebody_waits(&watch).await;
    for round in 0..20 {
        let voter = format!("voter {round}");
        let others = bed.polls[1..].iter();
        let votes = join_all(others.map(|&poll| vote(&bed.engine, poll, &voter)));
        for answer in votes.await {
            assert!(answer.unwrap().created);
        }
    }
    lock.batch_execute("COMMIT").await.unwrap();
    let receipts = tokio::time::timeout(GENEROUS, eight.join_all()).await;
    assert_eq!(receipts.unwrap().len(), 8);
    bed.recount(bed.polls[0], 8).await;
    for &poll in &bed.polls[1..] {
        bed.recount(poll, 20).await;
    }
    bed.engine.shutdown().await;
}

async fn ballots_that_wait_for_a_locked_row_are_recorded_once_it_is_free(version: Version) {
    let bed = Bed::with(version, |settings| {
        settings.retry_for = Duration::from_secs(60);
        settings.answer_within = settings.retry_for;
    });
    let bed = bed.await;
    let lock = bed.lock_the_first().await;
    let ballots = (0..100).map(|number| Ok(ballot(bed.polls[0], &number.to_string(), 0)));
    let ballots: Vec<_> = ballots.collect();
    let many = bed.engine.votes();
    let many = many.cast_all(&ANYONE, bed.polls[0], ballots);
    let watch = session(&bed.database).await;
    let release = async {
        until_somebody_waits(&watch).await;
        for &other in &bed.polls[1..] {
            assert!(vote(&bed.engine, other, "ada").await.unwrap().created);
        }
        lock.batch_execute("COMMIT").await.unwrap();
    };
    let both = async { tokio::join!(many, release) };
    let (answers, ()) = tokio::time::timeout(GENEROUS, both).await.unwrap();
    // Of whose recording nobody heard is recognised as what it is: new.
    assert!(answers.unwrap().into_iter().all(|one| one.unwrap().created));
    assert!(
        vote(&bed.engine, bed.polls[0], "late")
            .await
            .unwrap()
            .created
    );
    bed.recount(bed.polls[0], 101).await;
    bed.engine.shutdown().await;
}

async fn a_ballot_in_a_locked_poll_is_unavailable_at_its_own_deadline(version: Version) {
    let bed = Bed::with(version, |settings| {
        settings.retry_for = Duration::from_millis(500);
    });
    let bed = bed.await;
    let lock = bed.lock_the_first().await;
    for voter in ["ada", "bob"] {
        let refused = vote(&bed.engine, bed.polls[0], voter).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
    }
    lock.batch_execute("COMMIT").await.unwrap();
    for voter in ["ada", "bob"] {
        insist(&bed.engine, bed.polls[0], voter).await;
    }
    bed.recount(bed.polls[0], 2).await;
    bed.engine.shutdown().await;
}

async fn changes_in_other_polls_are_answered_while_a_tally_row_is_locked(version: Version) {
    let bed = Bed::with(version, |_| ()).await;
    for &poll in &bed.polls {
        for voter in 0..32 {
            let voter = voter.to_string();
            assert!(vote(&bed.engine, poll, &voter).await.unwrap().created);
        }
    }
    let lock = bed.lock_the_first().await;
    let mut stuck = JoinSet::new();
    for voter in 0..32 {
        let (engine, poll) = (bed.engine.clone(), bed.polls[0]);
        stuck.spawn(async move {
            let change = ballot(poll, &voter.to_string(), 1);
            loop {
                match engine.votes().change(&ANYONE, change.clone()).await {
                    Ok(receipt) => return receipt,
                    Err(error) => assert_eq!(error.code(), Code::Unavailable),
                }
            }
        });
    }
    let watch = session(&bed.database).await;
    until_somebody_waits(&watch).await;
    for voter in 0..4 {
        let voter = voter.to_string();
        let others = bed.polls[1..].iter().map(|&poll| {
            let change = bed.engine.votes().change(&ANYONE, ballot(poll, &voter, 1));
            tokio::time::timeout(GENEROUS, change)
        });
        for answer in join_all(others).await {
            assert!(!answer.unwrap().unwrap().created);
        }
    }
    lock.batch_execute("COMMIT").await.unwrap();
    let changed = tokio::time::timeout(GENEROUS, stuck.join_all()).await;
    assert_eq!(changed.unwrap().len(), 32);
    bed.recount(bed.polls[0], 32).await;
    bed.engine.shutdown().await;
}

/// What a server that copies ballots in says to the database, and then nothing any more.
/// A server that copies ballots in, and was stopped in the middle of it.
struct Frozen {
    client: Client,
    _copy: std::pin::Pin<Box<tokio_postgres::CopyInSink<bytes::Bytes>>>,
}

impl Frozen {
    /// It has written the ballot of this voter, and does not say so.
    async fn copying(bed: &Bed, first_line: &str, poll: PollId, voter: &str) -> Self {
        let client = session(&bed.database).await;
        client.batch_execute("BEGIN").await.unwrap();
        let copy = format!(
            "{first_line}\nCOPY \"polling\".votes (poll, voter, ballot, content, cast_at) FROM STDIN"
        );
        let sink = client.copy_in::<_, bytes::Bytes>(&copy).await.unwrap();
        let mut sink = Box::pin(sink);
        let line =
            |voter: &str| format!("{poll}\t{voter}\t{poll}\t\\\\x00\t2026-01-01 00:00:00+00\n");
        // PostgreSQL inserts so many at a time, and not the first of them alone.
        let mut lines = line(voter);
        for other in 0..2_000_u128 {
            lines.push_str(&line(&format!("00000000-0000-0000-0000-{other:012x}")));
        }
        sink.send(lines.into()).await.unwrap();
        Self {
            client,
            _copy: sink,
        }
    }
}

/// The key of the voter that votes get by this name, in any poll.
async fn key_of(bed: &Bed, voter: &str) -> String {
    let poll = bed.polls[5];
    assert!(vote(&bed.engine, poll, voter).await.unwrap().created);
    let client = session(&bed.database).await;
    let sql = format!("SELECT voter FROM polling.votes WHERE poll = '{poll}'");
    rows(&client, &sql).await.remove(0)
}

async fn a_frozen_copy_of_another_server_is_ended_and_its_ballots_get_through(version: Version) {
    let bed = Bed::with(version, |_| ()).await;
    let ada = key_of(&bed, "ada").await;
    let frozen = Frozen::copying(&bed, "-- votes.copy", bed.polls[0], &ada).await;
    let again = insist(&bed.engine, bed.polls[0], "ada");
    let watch = session(&bed.database).await;
    let others = async {
        until_somebody_waits(&watch).await;
        for voter in 0..10 {
            let voter = voter.to_string();
            let votes = bed.polls[1..5].iter();
            let votes = join_all(votes.map(|&poll| vote(&bed.engine, poll, &voter)));
            for answer in votes.await {
                assert!(answer.unwrap().created);
            }
        }
    };
    let both = async { tokio::join!(again, others) };
    let (receipt, ()) = tokio::time::timeout(GENEROUS, both).await.unwrap();
    assert!(receipt.created);
    assert!(frozen.client.batch_execute("SELECT 1").await.is_err());
    bed.recount(bed.polls[0], 1).await;
    bed.engine.shutdown().await;
}

/// Of the same user and in the same tables, and yet not one of ours.
async fn a_session_of_somebody_else_is_never_ended(version: Version) {
    let bed = Bed::with(version, |_| ()).await;
    let ada = key_of(&bed, "ada").await;
    let theirs = Frozen::copying(&bed, "-- by hand", bed.polls[0], &ada).await;
    for _ in 0..2 {
        let refused = vote(&bed.engine, bed.polls[0], "ada").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
    }
    assert!(!theirs.client.is_closed());
    drop(theirs);
    insist(&bed.engine, bed.polls[0], "ada").await;
    bed.engine.shutdown().await;
}
