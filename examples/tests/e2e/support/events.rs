//! Reads server-sent events.

use std::net::SocketAddr;

use http::{Method, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use super::client::Client;
use super::soon;

/// Somebody who watches a poll.
pub(crate) struct Viewer {
    response: Response<Incoming>,
    /// What was read and is not yet a whole event.
    text: String,
    /// The last result that was shown.
    pub(crate) last: Value,
}

impl Viewer {
    /// Watches a poll; this returns when the first result was shown.
    pub(crate) async fn watch(server: SocketAddr, poll: &Value) -> Self {
        let path = format!("/polls/{}/events", poll["id"].as_str().unwrap());
        let mut client = Client::connect(server).await.unwrap();
        let response = soon(client.open(Method::GET, &path, None)).await.unwrap();
        let mut viewer = Self {
            response,
            text: String::new(),
            last: Value::Null,
        };
        viewer.next().await.expect("the first result");
        viewer
    }

    /// The next result that is shown; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<&Value> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let results = results(event);
                self.text = rest.to_owned();
                if let Some(results) = results {
                    self.last = results;
                    return Some(&self.last);
                }
            }
            let frame = self.response.body_mut().frame().await?.ok()?;
            let data = frame.into_data().expect("no trailers");
            self.text
                .push_str(std::str::from_utf8(&data).expect("events are in ASCII here"));
        }
    }

    /// Reads until such a result is shown.
    pub(crate) async fn until(&mut self, seen: impl Fn(&Value) -> bool) -> Value {
        let read = async {
            while !seen(&self.last) {
                self.next().await.expect("the stream goes on");
            }
        };
        soon(read).await;
        self.last.clone()
    }

    pub(crate) async fn until_final(&mut self) -> Value {
        self.until(|results| results["final"] == true).await
    }
}

/// What an event says, where it is a result.
fn results(event: &str) -> Option<Value> {
    let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
    if field("event:")?.trim() != "results" {
        return None;
    }
    Some(serde_json::from_str(field("data:")?).expect("results are JSON"))
}
