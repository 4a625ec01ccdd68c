//! A client of event streams.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use crate::support::{Ask, soon};

/// A stream of server-sent events, read as it comes.
pub(crate) struct Events {
    body: Incoming,
    rest: String,
}

/// One block of an event stream.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    Comment(String),
    Event {
        name: String,
        id: Option<String>,
        data: Value,
    },
}

impl Events {
    pub(crate) async fn open(ask: Ask) -> Self {
        let response = ask.open().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
            rest: String::new(),
        }
    }

    /// The next block; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let event = parse(block);
                self.rest = rest.to_owned();
                return Some(event);
            }
            let frame = soon(self.body.frame()).await?.unwrap();
            let data = frame.into_data().unwrap();
            self.rest.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The results of the next event, which must be results with their revision as id.
    pub(crate) async fn results(&mut self) -> Value {
        match self.next().await {
            Some(Event::Event { name, id, data }) if name == "results" => {
                assert_eq!(id, Some(data["revision"].to_string()));
                data
            }
            other => panic!("{other:?}"),
        }
    }

    /// The data of the next event, which must have this name and no id.
    pub(crate) async fn named(&mut self, expected: &str) -> Value {
        match self.next().await {
            Some(Event::Event {
                name,
                id: None,
                data,
            }) if name == expected => data,
            other => panic!("{other:?}"),
        }
    }

    /// The next comment, which must be next.
    pub(crate) async fn comment(&mut self) -> String {
        match self.next().await {
            Some(Event::Comment(text)) => text,
            other => panic!("{other:?}"),
        }
    }
}

fn parse(block: &str) -> Event {
    if let Some(comment) = block.strip_prefix(':') {
        return Event::Comment(comment.trim().to_owned());
    }
    let field = |name: &str| {
        let mut values = block.lines().filter_map(|line| line.strip_prefix(name));
        values.next().map(|value| value.trim().to_owned())
    };
    Event::Event {
        name: field("event:").unwrap(),
        id: field("id:"),
        data: serde_json::from_str(&field("data:").unwrap()).unwrap(),
    }
}
