//! Who makes the polls, closes them, and reads their results.

use std::io;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::Failure;
use crate::ballot::{OPTIONS, Poll};
use crate::clock::now;
use crate::http::Request;
use crate::kept::Kept;
use crate::server::Server;

/// Between two attempts to reach a server that cannot answer now.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);

/// The results of a poll, as everybody is shown them.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Results {
    pub(crate) revision: u64,
    pub(crate) ballots: u64,
    #[serde(rename = "final")]
    pub(crate) is_final: bool,
    pub(crate) options: Vec<Votes>,
}

/// Of an option.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Votes {
    pub(crate) votes: u64,
}

#[derive(Debug)]
pub(crate) struct Manager {
    server: Server,
    connection: Kept,
    patience: Duration,
}

impl Manager {
    pub(crate) fn new(server: Server, patience: Duration) -> Self {
        Self {
            connection: Kept::new(server.clone()),
            server,
            patience,
        }
    }

    pub(crate) async fn create(&mut self, number: usize, polls: usize) -> Result<Poll, Failure> {
        let question = format!("What shall we drink? (load, {number} of {polls})");
        let new =
            json!({"question": question, "options": OPTIONS, "voters": "anyone", "publish": true});
        let api = self.server.api.clone();
        let (path, body) = (format!("{api}/polls"), new.to_string());
        let poll = self.insist(Request::post(&path, body.as_bytes())).await?;
        let text = |value: &Value| {
            value
                .as_str()
                .map(str::to_owned)
                .ok_or("a poll is not whole")
        };
        let id = text(&poll["id"])?;
        let votes = format!("{api}/polls/{id}/votes");
        let options = poll["options"].as_array().into_iter().flatten();
        let options = options.map(|option| text(&option["id"]));
        let options = options.collect::<Result<Vec<_>, _>>()?;
        if options.len() != OPTIONS.len() {
            return Err("the server made a poll with other options".into());
        }
        Ok(Poll {
            id,
            options,
            manage_token: text(&poll["manage_token"])?,
            batch: format!("{votes}/batch"),
            votes,
        })
    }

    /// Closes a poll for good, and reads its results then.
    pub(crate) async fn close(&mut self, poll: &Poll) -> Result<Results, Failure> {
        let path = format!("{}/polls/{}", self.server.api, poll.id);
        let (close, results) = (format!("{path}/close"), format!("{path}/results"));
        let bearer = Some(&*poll.manage_token);
        let request = Request::post(&close, &[]);
        self.insist(Request { bearer, ..request }).await?;
        let results = self.insist(Request::get(&results)).await?;
        Ok(serde_json::from_value(results)?)
    }

    /// Asks until there is an answer that is more than "later". All that is asked here may be asked twice.
    async fn insist(&mut self, request: Request<'_>) -> Result<Value, Failure> {
        let patience = now() + self.patience;
        loop {
            let asked = timeout(self.patience, self.ask(request)).await;
            let told = match asked {
                Ok(Ok((200..300, body))) => return Ok(serde_json::from_slice(&body)?),
                Ok(Ok((status, body))) => {
                    let body = String::from_utf8_lossy(&body);
                    let told = format!("{} is answered {status}: {body}", request.path);
                    if status < 500 {
                        return Err(told.into());
                    }
                    told
                }
                Ok(Err(error)) => format!("{}: {error}", request.path),
                Err(_) => format!("{} is not answered", request.path),
            };
            if now() + PAUSE >= patience {
                return Err(told.into());
            }
            sleep(PAUSE).await;
        }
    }

    async fn ask(&mut self, request: Request<'_>) -> io::Result<(u16, Vec<u8>)> {
        let mut connection = self.connection.take().await?;
        let response = connection.exchange(request).await?;
        let (answer, closes) = ((response.status, response.body.to_vec()), response.closes);
        self.connection.keep(connection, closes);
        Ok(answer)
    }
}
