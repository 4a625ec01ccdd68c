//! The same votes over real sockets: each answered after its commit, as the bundled server does it.

use std::sync::Arc;

use tokio::runtime;

use super::{Bench, Case, Kind, polls_name, share_name};
use crate::Outcome;
use crate::bed::{Counters, PEOPLE, Polls};
use crate::load::http::{BatchVoter, Connection, Prover, Requests, Voter};
use crate::load::ws::Burst;
use crate::load::{Pace, Seen, Votes, drive};
use crate::measure::{Run, number};
use crate::people::Proof;
use crate::server::{Face, Server, Voters};

/// How votes travel.
#[derive(Clone, Copy)]
pub(super) enum Road {
    /// One vote a request, so many connections.
    Request(usize),
    /// So many connections to the batch end point, with so many votes a request.
    Batch(usize, usize),
    /// So many connections of a WebSocket each, with so many votes under way on it.
    WebSocket(usize, usize),
}

#[derive(Clone, Copy)]
pub(super) struct Web {
    pub(super) road: Road,
    pub(super) polls: Polls,
    /// Percent of the maximum, in an open loop; `None` for the maximum itself.
    pub(super) share: Option<u32>,
}

impl Case for Web {
    fn name(&self) -> String {
        let (polls, share) = (polls_name(self.polls), share_name(self.share));
        match self.road {
            Road::Request(connections) => {
                format!("HTTP, {polls}, {connections} connections{share}")
            }
            Road::Batch(connections, votes) => {
                format!("HTTP batch, {polls}, {connections} connections x {votes} votes{share}")
            }
            Road::WebSocket(connections, votes) => {
                format!("WebSocket, {polls}, {connections} connections x {votes} votes{share}")
            }
        }
    }

    fn kind(&self) -> Kind {
        match (self.road, self.polls, self.share) {
            (Road::Request(connections), Polls::One, None) => Kind::Http(connections),
            (Road::Request(_), Polls::One, Some(50)) => Kind::HttpAtHalf,
            (Road::Batch(..) | Road::WebSocket(..), Polls::One, None) => Kind::ManyAtOnce,
            _ => Kind::Other,
        }
    }

    fn run(&self, bench: &Bench<'_>) -> Outcome<Run> {
        let maximum = Self {
            share: None,
            ..*self
        };
        let pace = bench.pace(self.share, &maximum)?;
        let bed = bench.bed;
        bed.reset()?;
        let face = match self.road {
            Road::Request(_) | Road::Batch(..) => Face::Http,
            Road::WebSocket(..) => Face::WebSocket,
        };
        let polls = bed.polls(self.polls);
        let voters = Voters::Anyone(polls);
        let server = Server::start(bench.runtime()?, face, bed.url(), voters)?;
        let driven = load_runtime()?.block_on(self.drive(bench, &server, pace));
        let primed = server.primed;
        server.stop()?;
        let (mut run, seen) = driven?;
        let found = bed.found(Counters::Tallies)?;
        run.lost_or_doubled = found.lost_or_doubled(primed + seen.votes.created);
        if self.polls == Polls::One {
            run.batch = Some(number(found.rows) / number(found.revisions.max(1)));
        }
        Ok(run)
    }
}

impl Web {
    async fn drive(&self, bench: &Bench<'_>, server: &Server, pace: Pace) -> Outcome<(Run, Seen)> {
        let polls = bench.bed.polls(self.polls);
        let (length, postmaster) = (bench.length, bench.bed.cluster().pid());
        let votes = |client: usize| Votes::of(client as u64, polls.len(), 0);
        match self.road {
            Road::Request(connections) => {
                let voters = voters(server, Requests::to(&polls), polls.len(), connections).await?;
                drive(voters, pace, length, postmaster).await
            }
            Road::Batch(connections, ballots) => {
                let mut voters = Vec::with_capacity(connections);
                for client in 0..connections {
                    let connection = Connection::open(server.address).await?;
                    voters.push(BatchVoter::new(
                        connection,
                        votes(client),
                        &polls[0],
                        ballots,
                    ));
                }
                drive(voters, pace, length, postmaster).await
            }
            Road::WebSocket(connections, burst) => {
                let mut voters = Vec::with_capacity(connections);
                for client in 0..connections {
                    let opened = Burst::open(server.address, &polls[0], votes(client), burst);
                    voters.push(opened.await?);
                }
                drive(voters, pace, length, postmaster).await
            }
        }
    }
}

/// One vote a request by voters who prove who they are, each of whom votes in one poll after the other: what a check of
/// rights costs.
pub(super) struct Proved(pub(super) Proof);

impl Case for Proved {
    fn name(&self) -> String {
        let voters = match self.0 {
            Proof::Registered => "registered voters",
            Proof::Tokens => "voters with tokens",
            Proof::Members => "members",
        };
        format!("HTTP, {}, {PEOPLE} {voters}", polls_name(Polls::Many))
    }

    fn kind(&self) -> Kind {
        Kind::Other
    }

    fn run(&self, bench: &Bench<'_>) -> Outcome<Run> {
        let bed = bench.bed;
        bed.reset()?;
        let people = bed.people(self.0)?;
        let voters = Voters::People(people.clone());
        let server = Server::start(bench.runtime()?, Face::Http, bed.url(), voters)?;
        let driven = load_runtime()?.block_on(async {
            let mut voters = Vec::with_capacity(PEOPLE);
            for person in 0..PEOPLE {
                voters.push(Prover {
                    connection: Connection::open(server.address).await?,
                    people: people.clone(),
                    person,
                    cast: 0,
                });
            }
            drive(voters, Pace::Closed, bench.length, bed.cluster().pid()).await
        });
        let primed = server.primed;
        server.stop()?;
        let (mut run, seen) = driven?;
        let found = bed.found(Counters::Tallies)?;
        run.lost_or_doubled = found.lost_or_doubled(primed + seen.votes.created);
        Ok(run)
    }
}

/// The very same requests to a handler that does nothing.
pub(super) struct Noop {
    pub(super) connections: usize,
}

impl Case for Noop {
    fn name(&self) -> String {
        format!(
            "hyper, a handler that does nothing, {} connections",
            self.connections
        )
    }

    fn kind(&self) -> Kind {
        Kind::Noop(self.connections)
    }

    fn run(&self, bench: &Bench<'_>) -> Outcome<Run> {
        // So that the database has nothing left to do beside it.
        bench.bed.reset()?;
        let polls = bench.bed.polls(Polls::One);
        let server = Server::start_noop(bench.runtime()?)?;
        let driven = load_runtime()?.block_on(async {
            let requests = Requests::to(&polls);
            let voters = voters(&server, requests, polls.len(), self.connections).await?;
            drive(voters, Pace::Closed, bench.length, None).await
        });
        server.stop()?;
        Ok(driven?.0)
    }
}

async fn voters(
    server: &Server,
    requests: Requests,
    polls: usize,
    connections: usize,
) -> Outcome<Vec<Voter>> {
    let requests = Arc::new(requests);
    let mut voters = Vec::with_capacity(connections);
    for client in 0..connections {
        voters.push(Voter {
            connection: Connection::open(server.address).await?,
            requests: Arc::clone(&requests),
            votes: Votes::of(client as u64, polls, 0),
            request: Vec::new(),
        });
    }
    Ok(voters)
}

/// What the load runs in: a thread beside the server's.
fn load_runtime() -> std::io::Result<runtime::Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}
