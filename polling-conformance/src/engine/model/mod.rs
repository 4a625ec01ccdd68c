//! Random votes, retries, changes, withdrawals, closes, restarts and failures, against a model that fits on a page.
//!
//! A case is one poll's life (`plan`): voters ask one or two servers of one store, several at once, while the store is lost
//! before and after commits, cannot write somebody's ballots, its writers panic, servers are shut down and started again,
//! and the poll is closed. What a voter is answered depends on nothing but their own requests and on whether the poll is
//! open; so each has a model of their own (`state`). Where an answer was lost, or several requests met, more than one
//! state is possible: the model keeps them all, and an answer that fits none of them is wrong. In the end the votes are
//! read, and each counts once: in the counters, in a recount, and in the model.
//!
//! Cases are thrown by `proptest` from numbered seeds, and a case that fails is made smaller before it is told. The same
//! seed is the same case; how its requests meet is up to the machine, so that it may take a few runs to fail again.
//!
//! `POLLING_MODEL_CASES` is how many cases are thrown, and `POLLING_MODEL_SEED` the seed of the first.

mod asked;
mod plan;
mod state;
mod voter;
mod witness;
mod world;

use std::sync::Arc;
use std::time::Duration;

use plan::{Plan, Round, VOTERS, plans};
use polling_core::Repository;
use polling_core::votes::VoterKey;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::sync::oneshot;
use voter::VoterModel;
use witness::Witness;
use world::World;

use super::lab::Lab;
use crate::faulty::FaultyStore;

const CASES: u64 = 20;

/// Real time after which a case hangs.
const PATIENCE: Duration = Duration::from_secs(10);

const HANGS: &str = "it hangs";

/// How often a smaller case is tried at most, and how often each, because requests may meet otherwise each time.
const SMALLER: usize = 300;
const TRIES: usize = 3;

/// Every answer is one that the model can give, and the counters are those of the model, however the requests met and
/// whatever failed meanwhile.
pub async fn random_requests_and_failures_are_answered_as_the_model_says(
    store: Arc<dyn Repository>,
) {
    let keys = keys(&store).await;
    let first = number("POLLING_MODEL_SEED").unwrap_or(0);
    for seed in first..first + cases() {
        let mut seeds = [0; 32];
        seeds[..8].copy_from_slice(&seed.to_le_bytes());
        let dice = TestRng::from_seed(RngAlgorithm::ChaCha, &seeds);
        let mut runner = TestRunner::new_with_rng(Config::default(), dice);
        let mut tree = plans().new_tree(&mut runner).expect("nothing is rejected");
        let Err(wrong) = lives(&tree.current(), &store, keys, 1).await else {
            continue;
        };
        let (plan, wrong) = smallest(&mut tree, wrong, &store, keys).await;
        panic!(
            "{wrong}\n\nin this case:\n{plan}\nthrown with POLLING_MODEL_SEED={seed} POLLING_MODEL_CASES=1"
        );
    }
}

/// How many cases are thrown.
pub(crate) fn cases() -> u64 {
    number("POLLING_MODEL_CASES").unwrap_or(CASES)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a setting of this one test, which no program of ours runs"
)]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a whole number"))
}

/// The smallest case found that fails too, and what is wrong in it.
async fn smallest(
    tree: &mut impl ValueTree<Value = Plan>,
    wrong: String,
    store: &Arc<dyn Repository>,
    keys: [VoterKey; VOTERS],
) -> (Plan, String) {
    let mut smallest = (tree.current(), wrong);
    // To see it hang again and again takes too long.
    let hangs = smallest.1.starts_with(HANGS);
    let mut goes_on = !hangs && tree.simplify();
    for _ in 0..SMALLER {
        if !goes_on {
            break;
        }
        goes_on = match lives(&tree.current(), store, keys, TRIES).await {
            Err(wrong) => {
                smallest = (tree.current(), wrong);
                tree.simplify()
            }
            Ok(()) => tree.complicate(),
        };
    }
    smallest
}

/// The keys that the engine gives the voters.
async fn keys(store: &Arc<dyn Repository>) -> [VoterKey; VOTERS] {
    let store = FaultyStore::new(Arc::clone(store));
    let lab = Lab::on(store.clone()).await;
    let poll = lab.open().await.id;
    for number in 0..VOTERS {
        let voter = VoterModel::new(number);
        lab.vote(poll, voter.name(), &[0]).await.unwrap();
    }
    let batches = store.batches();
    std::array::from_fn(|number| batches[number][0].voter)
}

/// Lives through a case, so many times; what is wrong, where something is.
async fn lives(
    plan: &Plan,
    store: &Arc<dyn Repository>,
    keys: [VoterKey; VOTERS],
    times: usize,
) -> Result<(), String> {
    for _ in 0..times {
        let world = World::new(plan, Arc::clone(store), keys).await;
        let life = tokio::time::timeout(PATIENCE, live(plan, Arc::new(world)));
        life.await.map_err(|_| HANGS.to_owned())??;
    }
    Ok(())
}

async fn live(plan: &Plan, world: Arc<World>) -> Result<(), String> {
    let witness = Witness::default();
    let mut crowd: Vec<VoterModel> = (0..VOTERS).map(VoterModel::new).collect();
    for (number, round) in plan.rounds.iter().enumerate() {
        let at = |wrong| format!("in round {number}: {wrong}");
        crowd = go_round(&world, &witness, crowd, round).await.map_err(at)?;
        world.proven().await.map_err(at)?;
        if !crowd.iter().any(VoterModel::has_some_on_the_way) {
            settle(&world, &witness, &mut crowd).await.map_err(at)?;
        }
    }
    world.ends().await;
    let at = |wrong| format!("in the end: {wrong}");
    settle(&world, &witness, &mut crowd).await.map_err(at)?;
    world.ends().await;
    Ok(())
}

/// Lets all that a round has happen at once.
async fn go_round(
    world: &Arc<World>,
    witness: &Witness,
    crowd: Vec<VoterModel>,
    round: &Round,
) -> Result<Vec<VoterModel>, String> {
    world.begin(round);
    let (enough, until) = oneshot::channel();
    let watch = witness.clone().watch(world.server(0), world.poll, until);
    let watching = tokio::spawn(watch);
    let event = tokio::spawn({
        let (world, event) = (Arc::clone(world), round.event);
        async move { world.happens(event).await }
    });
    let voters: Vec<_> = crowd
        .into_iter()
        .zip(&round.voters)
        .map(|(mut voter, steps)| {
            let (world, steps) = (Arc::clone(world), steps.clone());
            tokio::spawn(async move {
                let acted = voter.act(&world, &steps).await;
                acted.map(|()| voter)
            })
        })
        .collect();
    let panicked = |error| format!("a task ended: {error}");
    let mut crowd = Vec::new();
    for voter in voters {
        crowd.push(voter.await.map_err(panicked)??);
    }
    event.await.map_err(panicked)??;
    drop(enough);
    watching.await.map_err(panicked)??;
    Ok(crowd)
}

/// Reads the votes, when nothing is under way: they are the model's, and so are the counters.
async fn settle(world: &World, witness: &Witness, crowd: &mut [VoterModel]) -> Result<(), String> {
    let mut counts = vec![0_u64; 3];
    let tally = world.proven().await?;
    for voter in crowd {
        let (position, revision) = voter.settled(world).await?;
        if let Some(position) = position {
            counts[usize::from(position)] += 1;
        }
        if revision > tally.revision {
            return Err(format!("a receipt of revision {revision}, in {tally:?}"));
        }
    }
    let ballots = counts.iter().sum::<u64>();
    if (tally.ballots, &tally.counts[..]) != (ballots, &counts[..]) {
        return Err(format!("{tally:?}, and the votes are {counts:?}"));
    }
    witness.saw(tally.revision, ballots, &counts)
}
