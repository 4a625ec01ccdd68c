//! Voters who call the engine in their own process.

use polling_core::votes::VoteError;
use polling_core::{Actor, Ballot, Engine, Receipt, Voter};

use super::{Answer, Client, Shared, Vote, Votes, voter_text};
use crate::Outcome;
use crate::bed::Poll;

/// One vote in each poll, so that the engine knows them all, and has its connections. Returns how many.
pub(crate) async fn prime(engine: &Engine, polls: &Shared<Poll>) -> Outcome<u64> {
    let mut casts = tokio::task::JoinSet::new();
    for (number, poll) in (0..).zip(polls.iter()) {
        let vote = Vote {
            voter: u64::MAX - number,
            poll: 0,
            option: 0,
        };
        let (engine, ballot) = (engine.clone(), ballot(poll, vote));
        casts.spawn(async move { engine.votes().cast(&Actor::System, ballot).await });
    }
    let mut count = 0;
    while let Some(cast) = casts.join_next().await {
        cast??;
        count += 1;
    }
    Ok(count)
}

fn ballot(poll: &Poll, vote: Vote) -> Ballot {
    let voter = voter_text(vote.voter);
    let voter = String::from_utf8_lossy(&voter).into_owned();
    Ballot::of(poll.id, Voter::anyone(voter), [vote.option])
}

/// A voter, and another one after the answer.
pub(crate) struct Caster {
    pub(crate) engine: Engine,
    pub(crate) polls: Shared<Poll>,
    pub(crate) votes: Votes,
}

impl Client for Caster {
    async fn vote(&mut self) -> Outcome<Answer> {
        let vote = self.votes.next_vote();
        let ballot = ballot(&self.polls[vote.poll], vote);
        let mut answer = Answer::default();
        let receipt = self.engine.votes().cast(&Actor::System, ballot).await;
        count(&mut answer, receipt)?;
        self.votes.answer();
        Ok(answer)
    }
}

/// A call with many ballots for the first poll, and another one after the answer.
pub(crate) struct Sender {
    pub(crate) caster: Caster,
    pub(crate) ballots: usize,
}

impl Client for Sender {
    async fn vote(&mut self) -> Outcome<Answer> {
        let Caster {
            engine,
            polls,
            votes,
        } = &mut self.caster;
        let poll = &polls[0];
        let ballots = (0..self.ballots).map(|_| Ok(ballot(poll, votes.next_vote())));
        let ballots = ballots.collect();
        let sent = engine
            .votes()
            .cast_all(&Actor::System, poll.id, ballots)
            .await;
        let mut answer = Answer::default();
        match sent {
            Ok(receipts) => {
                for receipt in receipts {
                    count(&mut answer, receipt)?;
                }
            }
            Err(VoteError::Overloaded) => answer.refused += self.ballots as u64,
            Err(error) => return Err(error.into()),
        }
        votes.answer();
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
