//! Many voters at once, each on a connection of their own, who remember what they were answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::client::Client;
use super::soon;
use super::voter::{Answer, Line, ballot_with_id, vote};

/// A storm of votes in one poll.
pub(crate) struct Storm {
    voters: JoinSet<Vec<(String, Answer)>>,
    progress: Arc<Progress>,
}

/// How far a storm is.
#[derive(Default)]
pub(super) struct Progress {
    recorded: AtomicUsize,
    /// How often a voter had to ask again.
    repeated: AtomicUsize,
    /// Nobody begins to vote any more.
    enough: AtomicBool,
    moved: Notify,
}

impl Storm {
    /// Lets `connections` send votes, each waiting for the answer before the next, up to `each`; a connection ends its
    /// storm when it breaks or when it is told that the poll is closed.
    pub(crate) fn start(
        address: SocketAddr,
        poll: &Value,
        connections: usize,
        each: usize,
    ) -> Self {
        Self::of(connections, |connection, progress| {
            let poll = poll.clone();
            async move {
                let mut answers = Vec::new();
                let Ok(mut client) = Client::connect(address).await else {
                    return answers;
                };
                for number in 0..each {
                    let voter = format!("voter-{connection}-{number}");
                    let answer = vote(&mut client, &poll, &voter).await;
                    let goes_on = matches!(answer, Answer::Recorded { .. });
                    answers.push((voter, answer));
                    if !goes_on {
                        break;
                    }
                    progress.one_more();
                }
                answers
            }
        })
    }

    /// Lets `connections` send votes to these servers, until there are enough of them or the poll is closed. Each voter
    /// insists: it sends the same ballot, with the same id, until it is answered, if need be to the other servers.
    pub(crate) fn insisting(servers: &[SocketAddr], poll: &Value, connections: usize) -> Self {
        Self::of(connections, |connection, progress| {
            let mut line = Line::new(servers.to_vec(), connection, Arc::clone(&progress));
            let poll = poll.clone();
            async move {
                let mut answers = Vec::new();
                for number in 0.. {
                    if progress.enough.load(Ordering::Relaxed) {
                        break;
                    }
                    let voter = format!("voter-{connection}-{number}");
                    let ballot = ballot_with_id(&poll, &voter, connection, number);
                    let answer = line.insist(&poll, &ballot).await;
                    let goes_on = matches!(answer, Answer::Recorded { .. });
                    if let Answer::Recorded { ballot_id } = &answer {
                        assert_eq!(json!(ballot_id), ballot["ballot_id"], "{voter}");
                        progress.one_more();
                    }
                    answers.push((voter, answer));
                    if !goes_on {
                        break;
                    }
                }
                answers
            }
        })
    }

    fn of<V>(connections: usize, voter: impl Fn(usize, Arc<Progress>) -> V) -> Self
    where
        V: Future<Output = Vec<(String, Answer)>> + Send + 'static,
    {
        let progress = Arc::new(Progress::default());
        let mut voters = JoinSet::new();
        for connection in 0..connections {
            voters.spawn(voter(connection, Arc::clone(&progress)));
        }
        Self { voters, progress }
    }

    /// Returns when at least so many votes were answered.
    pub(crate) async fn reaches(&self, recorded: usize) {
        let reached = async {
            while self.recorded() < recorded {
                self.progress.moved.notified().await;
            }
        };
        soon(reached).await;
    }

    /// Returns when voters had to ask again so often, from now on.
    pub(crate) async fn repeats(&self, times: usize) {
        let all = self.repeated() + times;
        let reached = async {
            while self.repeated() < all {
                self.progress.moved.notified().await;
            }
        };
        soon(reached).await;
    }

    /// Returns when so many votes more were answered.
    pub(crate) async fn goes_on_by(&self, votes: usize) {
        self.reaches(self.recorded() + votes).await;
    }

    pub(crate) fn recorded(&self) -> usize {
        self.progress.recorded.load(Ordering::Relaxed)
    }

    /// How often a voter had to ask again, until now.
    pub(crate) fn repeated(&self) -> usize {
        self.progress.repeated.load(Ordering::Relaxed)
    }

    /// What every voter was told, when the storm is over.
    pub(crate) async fn over(self) -> BTreeMap<String, Answer> {
        soon(self.voters.join_all())
            .await
            .into_iter()
            .flatten()
            .collect()
    }

    /// Lets nobody begin any more, and returns what every voter was told.
    pub(crate) async fn ends(self) -> BTreeMap<String, Answer> {
        self.progress.enough.store(true, Ordering::Relaxed);
        self.over().await
    }
}

impl Progress {
    fn one_more(&self) {
        self.recorded.fetch_add(1, Ordering::Relaxed);
        self.moved.notify_one();
    }

    pub(super) fn one_again(&self) {
        self.repeated.fetch_add(1, Ordering::Relaxed);
        self.moved.notify_one();
    }
}

/// The ballots that were answered as recorded.
pub(crate) fn recorded(answers: &BTreeMap<String, Answer>) -> BTreeMap<&str, &str> {
    answers
        .iter()
        .filter_map(|(voter, answer)| match answer {
            Answer::Recorded { ballot_id } => Some((voter.as_str(), ballot_id.as_str())),
            _ => None,
        })
        .collect()
}

/// Everybody was told either that they are recorded, or that the poll is closed.
pub(crate) fn assert_decided(answers: &BTreeMap<String, Answer>) {
    for (voter, answer) in answers {
        match answer {
            Answer::Recorded { .. } => {}
            Answer::Refused { code } => assert_eq!(code, "poll_closed", "{voter}"),
            Answer::Nothing => panic!("{voter} was not answered"),
        }
    }
}
