//! A request that is refused, as a line of a table.

use http::Method;
use serde_json::Value;

use crate::answer::Answer;
use crate::support::{Ask, Server};
use crate::team::Person;

/// What is nowhere.
pub(super) const NOTHING: &str = "018f3c6e-0000-7000-8000-000000000001";

/// A method and a path of the document, a status and a code.
pub(super) type Key = (String, String, u16, String);

/// A request, and what comes of it.
#[derive(Clone)]
pub(super) struct Case<'a> {
    server: &'a Server,
    method: Method,
    template: String,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    status: u16,
    code: &'static str,
    hidden: Option<String>,
}

/// A request for this operation (`GET /polls/{id}`), with these ids in its path.
pub(super) fn at<'a>(server: &'a Server, operation: &str, ids: &[&str]) -> Case<'a> {
    let (method, template) = operation.split_once(' ').unwrap();
    let mut ids = ids.iter();
    let parts = template.split('/').map(|part| match part.starts_with('{') {
        true => ids.next().unwrap(),
        false => part,
    });
    let path = parts.collect::<Vec<_>>().join("/");
    assert_eq!(ids.next(), None, "{operation}");
    Case {
        server,
        method: method.parse().unwrap(),
        template: template.to_owned(),
        path,
        headers: Vec::new(),
        body: String::new(),
        status: 0,
        code: "",
        hidden: None,
    }
}

impl Case<'_> {
    pub(super) fn by(self, person: &Person) -> Self {
        self.bearer(&person.token)
    }

    pub(super) fn bearer(mut self, token: &str) -> Self {
        self.headers
            .push(("authorization", format!("Bearer {token}")));
        self
    }

    pub(super) fn query(mut self, query: &str) -> Self {
        self.path = format!("{}?{query}", self.path);
        self
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    pub(super) fn body(mut self, of_type: &str, body: &str) -> Self {
        self.headers.push(("content-type", of_type.to_owned()));
        body.clone_into(&mut self.body);
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// How it is answered; a success has no code.
    pub(super) fn is(mut self, status: u16, code: &'static str) -> Self {
        (self.status, self.code) = (status, code);
        self
    }

    /// It is answered 404 by this code, though it names something that is there; the answer is that of an id of nothing.
    pub(super) fn hides(mut self, id: &str, code: &'static str) -> Self {
        self.hidden = Some(id.to_owned());
        self.is(404, code)
    }

    pub(super) fn key(&self) -> Key {
        let (method, template) = (self.method.to_string(), self.template.clone());
        (method, template, self.status, self.code.to_owned())
    }

    pub(super) fn is_hiding(&self) -> bool {
        self.hidden.is_some()
    }

    /// The request, with its texts changed.
    fn ask(&self, change: impl Fn(&str) -> String) -> Ask {
        let ask = self.server.request(self.method.clone(), change(&self.path));
        let headers = self.headers.iter();
        let ask = headers.fold(ask, |ask, (name, value)| ask.header(name, value));
        ask.body(change(&self.body))
    }

    /// Sends it, and says what was wrong with the answer.
    pub(super) async fn provoke(&self) -> Result<(), String> {
        let answer = self.ask(str::to_owned).await;
        let wanted = (self.status, self.code.to_owned());
        if answer.status.is_success() || answer.problem() != wanted {
            let told = format!("{} {}", answer.status, answer.text());
            return Err(format!(
                "{} {}: {wanted:?} was meant: {told}",
                self.method, self.path
            ));
        }
        let Some(hidden) = &self.hidden else {
            return Ok(());
        };
        let other = self.ask(|text| text.replace(hidden, NOTHING)).await;
        if said(&answer) == said(&other) {
            return Ok(());
        }
        let path = &self.path;
        Err(format!(
            "{} {path} is told from nothing: {answer:?}, {other:?}",
            self.method
        ))
    }

    /// Sends it, and says what was wrong where that was not allowed.
    pub(super) async fn succeed(&self) -> Result<(), String> {
        let ask = self.ask(str::to_owned);
        let (status, told) = if self.path.ends_with("/events") {
            // It never ends.
            (ask.open().await.status(), String::new())
        } else {
            let answer = ask.await;
            (answer.status, answer.text().to_owned())
        };
        if status == self.status {
            return Ok(());
        }
        let (method, path) = (&self.method, &self.path);
        Err(format!(
            "{method} {path}: {} was meant: {status} {told}",
            self.status
        ))
    }
}

/// All that an answer says, byte by byte, but for what is another for each request.
fn said(answer: &Answer) -> impl PartialEq + use<> {
    let headers = answer.headers.iter();
    let headers = headers
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_owned()));
    (
        answer.status.as_u16(),
        headers.collect::<Vec<_>>(),
        answer.body.to_vec(),
    )
}
