//! The engine in process, on PostgreSQL: each vote is answered after its commit.

use polling_core::votes::VoteError;
use polling_core::{Actor, Ballot, Engine, Receipt, Voter};
use polling_pg::PgStore;

use super::{Bench, Case, polls_name};
use crate::Outcome;
use crate::bed::{Counters, Poll, Polls};
use crate::load::{Answer, Client, Pace, Shared, Vote, Votes, clients, drive, voter_text};
use crate::measure::{Run, number};

/// How the votes come in.
#[derive(Clone, Copy)]
pub(super) enum Load {
    /// So many voters, each of whom waits for the answer before the next vote comes.
    Voters(usize),
    /// So many requests of the batch end point in flight, with [`REQUEST`] ballots each.
    Requests(usize),
}

/// Ballots of a request.
const REQUEST: usize = 1000;

pub(super) struct EngineCase {
    pub(super) polls: Polls,
    pub(super) load: Load,
    /// Votes among a hundred that were cast before.
    pub(super) repeated: u64,
}

impl Case for EngineCase {
    fn name(&self) -> String {
        let polls = polls_name(self.polls);
        let load = match self.load {
            Load::Voters(1) => "1 voter".to_owned(),
            Load::Voters(voters) => format!("{voters} voters"),
            Load::Requests(requests) => format!("{requests} requests of {REQUEST}"),
        };
        let repeated = match self.repeated {
            0 => String::new(),
            repeated => format!(", {repeated} % repeated"),
        };
        format!("engine, {polls}, {load}{repeated}")
    }

    fn run(&self, bench: &Bench<'_>) -> Outcome<Run> {
        let bed = bench.bed;
        bed.reset()?;
        let polls = bed.polls(self.polls);
        let runtime = bench.runtime()?;
        let (mut run, created) = runtime.block_on(async {
            let engine = Engine::builder(PgStore::connect(&bed.url()).await?)
                .build()
                .await?;
            let first = prime(&engine, &polls).await?;
            let (length, postmaster) = (bench.length, bed.cluster().pid());
            let of = |client| Votes::of(client, polls.len(), self.repeated);
            let caster = |client| Caster {
                engine: engine.clone(),
                polls: polls.clone(),
                votes: of(client),
            };
            let (run, seen) = match self.load {
                Load::Voters(voters) => {
                    drive(clients(voters, caster), Pace::Closed, length, postmaster).await?
                }
                Load::Requests(requests) => {
                    let sender = |client| Sender(caster(client));
                    drive(clients(requests, sender), Pace::Closed, length, postmaster).await?
                }
            };
            engine.shutdown().await;
            Outcome::Ok((run, first + seen.votes.created))
        })?;
        drop(runtime);
        let found = bed.found(Counters::Tallies)?;
        run.lost_or_doubled = found.lost_or_doubled(created);
        if self.polls == Polls::One {
            run.batch = Some(number(found.rows) / number(found.revisions.max(1)));
        }
        Ok(run)
    }
}

/// One vote in each poll, so that the engine knows them all, and has its connections. Returns how many.
async fn prime(engine: &Engine, polls: &Shared<Poll>) -> Outcome<u64> {
    let mut first = tokio::task::JoinSet::new();
    for (poll, known) in polls.iter().enumerate() {
        let vote = Vote {
            voter: u64::MAX - poll as u64,
            poll: 0,
            option: 0,
        };
        let (engine, ballot) = (engine.clone(), ballot(known, vote));
        first.spawn(async move { engine.votes().cast(&Actor::System, ballot).await });
    }
    let mut count = 0;
    while let Some(cast) = first.join_next().await {
        cast??;
        count += 1;
    }
    Ok(count)
}

fn ballot(poll: &Poll, vote: Vote) -> Ballot {
    let voter = voter_text(vote.voter)
        .iter()
        .map(|&digit| char::from(digit))
        .collect::<String>();
    Ballot::of(poll.id, Voter::anyone(voter), [vote.option])
}

/// A voter, and another after the answer.
struct Caster {
    engine: Engine,
    polls: Shared<Poll>,
    votes: Votes,
}

impl Client for Caster {
    async fn vote(&mut self) -> Outcome<Answer> {
        let vote = self.votes.next_vote();
        let ballot = ballot(&self.polls[vote.poll], vote);
        let mut answer = Answer::default();
        let receipt = self.engine.votes().cast(&Actor::System, ballot).await;
        count(&mut answer, receipt)?;
        Ok(answer)
    }
}

/// A request of many ballots, and another after the answer.
struct Sender(Caster);

impl Client for Sender {
    async fn vote(&mut self) -> Outcome<Answer> {
        let Caster {
            engine,
            polls,
            votes,
        } = &mut self.0;
        let poll = &polls[0];
        let request = (0..REQUEST).map(|_| Ok(ballot(poll, votes.next_vote())));
        let sent = engine
            .votes()
            .cast_all(&Actor::System, poll.id, request.collect())
            .await;
        let mut answer = Answer::default();
        match sent {
            Ok(receipts) => {
                for receipt in receipts {
                    count(&mut answer, receipt)?;
                }
            }
            Err(VoteError::Overloaded) => answer.refused += REQUEST as u64,
            Err(error) => return Err(error.into()),
        }
        Ok(answer)
    }
}

/// A full queue is what a bench may meet; everything else that is refused is a fault.
fn count(answer: &mut Answer, receipt: Result<Receipt, VoteError>) -> Outcome<()> {
    match receipt {
        Ok(receipt) if receipt.created => answer.created += 1,
        Ok(_) => answer.repeated += 1,
        Err(VoteError::Overloaded) => answer.refused += 1,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
