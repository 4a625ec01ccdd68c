//! Voters who call the engine in their own process.

use polling_core::votes::VoteError;
use polling_core::{Actor, Ballot, Engine, Receipt, Voter};

use super::{Answer, Client, Shared, Vote, Votes, voter_text};
use crate::Outcome;
use crate::bed::Poll;
use crate::people::People;

/// Casts these votes, so that the engine knows their polls, and has its connections. Returns how many.
pub(crate) async fn prime(engine: &Engine, votes: Vec<(Actor, Ballot)>) -> Outcome<u64> {
    let mut casts = tokio::task::JoinSet::new();
    for (actor, ballot) in votes {
        let engine = engine.clone();
        casts.spawn(async move { engine.votes().cast(&actor, ballot).await });
    }
    let mut count = 0;
    while let Some(cast) = casts.join_next().await {
        cast??;
        count += 1;
    }
    Ok(count)
}

/// One vote in each poll, of voters who are nobody in particular.
pub(crate) fn in_each(polls: &Shared<Poll>) -> Vec<(Actor, Ballot)> {
    let vote = |(voter, poll)| {
        let vote = Vote {
            voter,
            poll: 0,
            option: 0,
        };
        (Actor::System, ballot(poll, vote))
    };
    (0..)
        .map(|number| u64::MAX - number)
        .zip(polls.iter())
        .map(vote)
        .collect()
}

/// One vote in each poll, of the last of these people.
pub(crate) async fn of_the_last(engine: &Engine, people: &People) -> Outcome<Vec<(Actor, Ballot)>> {
    let credentials = people.credentials.last().ok_or("there is nobody")?;
    let mut votes = Vec::with_capacity(people.polls.len());
    for (number, poll) in people.polls.iter().enumerate() {
        let actor = engine
            .authenticate(&credentials[number % credentials.len()])
            .await?;
        votes.push((actor, Ballot::of(poll.id, Voter::Caller, [0])));
    }
    Ok(votes)
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
