//! The engine inside an application: no server, no transport. Run it with `cargo run --example embed`.
#![expect(clippy::print_stdout, reason = "it shows what happens")]

use polling_core::{Actor, Ballot, Engine, NewPoll, Voter};
use polling_sqlite::SqliteStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = SqliteStore::in_memory().await?; // or SqliteStore::open("polls.db"), which is durable
    let engine = Engine::builder(store).build().await?;

    let new = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]).published();
    let poll = engine.polls().create(&Actor::System, new).await?;
    let mut live = engine.results().watch(&Actor::System, poll.id).await?;

    for (voter, option) in [("ada", 0), ("grace", 1), ("linus", 0)] {
        let ballot = Ballot::of(poll.id, Voter::vouched(voter), [option]);
        let receipt = engine.votes().cast(&Actor::System, ballot).await?; // durable when this returns
        println!("{voter} has voted: ballot {}", receipt.ballot_id);
    }
    while let Some(results) = live.next().await {
        let [tea, coffee] = [0, 1].map(|position: usize| results.options[position].votes);
        println!("revision {}: tea {tea}, coffee {coffee}", results.revision);
        if results.ballots == 3 {
            break;
        }
    }
    engine.shutdown().await; // what was accepted is answered
    Ok(())
}
