//! A voter: what they send, and what they are told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::{Interval, interval, timeout};

use super::client::Client;
use super::storm::Progress;

/// No request waits longer for an answer, whatever happens to the database: a hang ends the test.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

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

/// The ballot of a voter: the same each time, so that it can be sent again.
pub(crate) fn ballot(poll: &Value, voter: &str) -> Value {
    let option = voter.len() % 2;
    json!({"option_id": poll["options"][option]["id"], "voter": voter})
}

/// The same, with an id of the voter's own making.
pub(super) fn ballot_with_id(poll: &Value, voter: &str, connection: usize, number: usize) -> Value {
    let mut ballot = ballot(poll, voter);
    ballot["ballot_id"] = json!(format!(
        "018f3c6e-0000-7000-8{connection:03x}-{number:012x}"
    ));
    ballot
}

pub(crate) fn votes_of(poll: &Value) -> String {
    format!(
        "/polls/{}/votes",
        poll["id"].as_str().expect("a poll has an id")
    )
}

pub(crate) async fn vote(client: &mut Client, poll: &Value, voter: &str) -> Answer {
    let (path, ballot) = (votes_of(poll), ballot(poll, voter));
    match client.send(Method::POST, &path, Some(&ballot)).await {
        Ok((status, body)) => answer_of(status, &body),
        Err(_) => Answer::Nothing,
    }
}

fn answer_of(status: StatusCode, body: &Value) -> Answer {
    let text = |field: &str| {
        body[field]
            .as_str()
            .expect("a receipt or a problem")
            .to_owned()
    };
    match status {
        StatusCode::CREATED | StatusCode::OK => Answer::Recorded {
            ballot_id: text("ballot_id"),
        },
        _ => Answer::Refused { code: text("code") },
    }
}

/// One voter's connection, now to the one server, now to the other.
pub(super) struct Line {
    servers: Vec<SocketAddr>,
    server: usize,
    client: Option<Client>,
    /// Between two attempts, so that the voters leave the machine to the servers.
    pace: Interval,
    progress: Arc<Progress>,
}

impl Line {
    pub(super) fn new(servers: Vec<SocketAddr>, first: usize, progress: Arc<Progress>) -> Self {
        Self {
            servers,
            server: first,
            client: None,
            pace: interval(Duration::from_millis(10)),
            progress,
        }
    }

    /// Sends a ballot until it is answered with more than that it should be sent again.
    pub(super) async fn insist(&mut self, poll: &Value, ballot: &Value) -> Answer {
        loop {
            match self.attempt(poll, ballot).await {
                Some(answer) => return answer,
                None => self.progress.one_again(),
            }
            self.pace.tick().await;
        }
    }

    async fn attempt(&mut self, poll: &Value, ballot: &Value) -> Option<Answer> {
        if self.client.is_none() {
            self.server += 1;
            let server = self.servers[self.server % self.servers.len()];
            self.client = Client::connect(server).await.ok();
        }
        let client = self.client.as_mut()?;
        let path = votes_of(poll);
        let sent = client.exchange(Method::POST, &path, Some(ballot));
        let answer = timeout(BOUND, sent).await;
        let Ok(response) = answer.expect("every vote is answered within a bounded time") else {
            self.client = None;
            return None;
        };
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            assert!(
                response.headers().contains_key(header::RETRY_AFTER),
                "{response:?}"
            );
            return None;
        }
        Some(answer_of(response.status(), response.body()))
    }
}
