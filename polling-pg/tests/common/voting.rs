//! An engine, and what people do with it.

use polling_core::polls::{PageRequest, Voters};
use polling_core::{Actor, Ballot, Engine, NewPoll, PollId, Repository, Voter};
use polling_pg::PgStore;

pub(crate) async fn engine(store: &PgStore) -> Engine {
    Engine::builder(store.clone()).build().await.unwrap()
}

/// A published poll of two options, whose voters may change their mind.
pub(crate) async fn tea(engine: &Engine) -> PollId {
    let new = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]);
    let new = new.voters(Voters::Vouched).allow_change().published();
    let created = engine.polls().create(&Actor::System, new).await;
    created.unwrap().id
}

pub(crate) async fn vote(engine: &Engine, poll: PollId, voter: &str, position: u8) {
    let ballot = Ballot::of(poll, Voter::vouched(voter), [position]);
    engine.votes().cast(&Actor::System, ballot).await.unwrap();
}

/// Votes, changes, withdraws, votes again, closes, proves, lists and deletes: every statement that there is for votes
/// runs, and their sum is right.
pub(crate) async fn a_whole_life(store: &PgStore) {
    let (engine, system) = (engine(store).await, &Actor::System);
    let (kept, gone) = (tea(&engine).await, tea(&engine).await);
    for voter in ["ada", "grace", "linus"] {
        vote(&engine, kept, voter, 0).await;
    }
    vote(&engine, kept, "ada", 0).await;
    let other = Ballot::of(kept, Voter::vouched("ada"), [1]);
    engine.votes().change(system, other).await.unwrap();
    for poll in [kept, gone] {
        vote(&engine, poll, "alan", 1).await;
        let alan = Voter::vouched("alan");
        engine.votes().withdraw(system, poll, &alan).await.unwrap();
        vote(&engine, poll, "alan", 1).await;
    }
    engine.polls().close(system, kept).await.unwrap();
    let proof = engine.results().recount(system, kept).await.unwrap();
    assert!(proof.agrees(), "{proof:?}");
    assert_eq!(proof.tally.counts, [2, 2]);
    engine.polls().delete(system, gone).await.unwrap();
    let page = PageRequest::new(None, None);
    let page = engine.polls().list(system, page).await.unwrap();
    let listed: Vec<PollId> = page.items.iter().map(|poll| poll.id).collect();
    assert_eq!(listed, [kept]);
    engine.shutdown().await;
    while store.polls().purge(2).await.unwrap() {}
    assert_eq!(store.results().orphans().await.unwrap(), 0);
}
