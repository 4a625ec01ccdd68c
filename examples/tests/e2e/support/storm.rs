//! Many voters at once, each on a connection of their own, who remember what they were answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::client::Client;

/// A storm of votes in one poll.
pub(crate) struct Storm {
    voters: JoinSet<Vec<(String, Answer)>>,
    recorded: Arc<AtomicUsize>,
    moved: Arc<Notify>,
}

/// What a voter was told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Recorded {
        ballot_id: String,
    },
    Refused {
        code: String,
    },
    /// The connection broke: nobody knows.
    Nothing,
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
        let (recorded, moved) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let mut voters = JoinSet::new();
        for connection in 0..connections {
            let (recorded, moved, poll) = (Arc::clone(&recorded), Arc::clone(&moved), poll.clone());
            voters.spawn(async move {
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
                    recorded.fetch_add(1, Ordering::Relaxed);
                    moved.notify_one();
                }
                answers
            });
        }
        Self {
            voters,
            recorded,
            moved,
        }
    }

    /// Returns when at least so many votes were answered.
    pub(crate) async fn reaches(&self, recorded: usize) {
        while self.recorded.load(Ordering::Relaxed) < recorded {
            self.moved.notified().await;
        }
    }

    /// What every voter was told, when the storm is over.
    pub(crate) async fn over(self) -> BTreeMap<String, Answer> {
        self.voters.join_all().await.into_iter().flatten().collect()
    }
}

/// The ballot of a voter: the same each time, so that it can be sent again.
pub(crate) fn ballot(poll: &Value, voter: &str) -> Value {
    let option = voter.len() % 2;
    json!({"option_id": poll["options"][option]["id"], "voter": voter})
}

pub(crate) async fn vote(client: &mut Client, poll: &Value, voter: &str) -> Answer {
    let path = format!(
        "/polls/{}/votes",
        poll["id"].as_str().expect("a poll has an id")
    );
    match client
        .send(Method::POST, &path, Some(&ballot(poll, voter)))
        .await
    {
        Ok((StatusCode::CREATED | StatusCode::OK, receipt)) => Answer::Recorded {
            ballot_id: receipt["ballot_id"].as_str().expect("a receipt").to_owned(),
        },
        Ok((_, problem)) => Answer::Refused {
            code: problem["code"].as_str().expect("a problem").to_owned(),
        },
        Err(_) => Answer::Nothing,
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
