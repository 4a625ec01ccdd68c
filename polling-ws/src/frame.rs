//! What clients send: each text frame is a JSON object with a `type`, and a `ref` where the client wants one.

mod plain;

use std::fmt;

use polling_core::results::Revision;
use polling_core::votes::{VoteBody, VoteError};
use polling_core::wire::{ParseError, UnknownFields, parse};
use polling_core::{Ballot, BallotId, Fault, FieldError, OptionId, PollId};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A client's own name for one of its frames: a JSON text or number, which the answer echoes letter by letter.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Ref(Box<RawValue>);

impl Ref {
    /// The JSON, as it was sent.
    pub(crate) fn json(&self) -> &str {
        self.0.get()
    }
}

/// A good frame.
pub(crate) struct Frame {
    pub(crate) reference: Option<Ref>,
    pub(crate) ask: Ask,
}

/// What a client asks for.
pub(crate) enum Ask {
    Subscribe(Subscribe),
    Unsubscribe(PollId),
    Vote(Ballot),
    /// With the token.
    Authenticate(String),
    Ping,
}

/// `subscribe`: the results of a poll, now and whenever they change.
pub(crate) struct Subscribe {
    pub(crate) poll: PollId,
    pub(crate) after: Option<Revision>,
    pub(crate) voter: Option<String>,
}

/// A frame that asks for nothing that there is.
#[derive(Debug)]
pub(crate) struct BadFrame {
    pub(crate) reference: Option<Ref>,
    pub(crate) message: String,
    pub(crate) fields: Vec<FieldError>,
}

impl Frame {
    /// Parses a text frame; a `ref` may have up to `ref_bytes` bytes.
    pub(crate) fn parse(text: &str, ref_bytes: usize) -> Result<Self, BadFrame> {
        match plain::vote(text, ref_bytes) {
            Some(frame) => Ok(frame),
            None => Self::parse_in_steps(text, ref_bytes),
        }
    }

    /// The head first, so that what is wrong with the rest is answered with its `ref`.
    fn parse_in_steps(text: &str, ref_bytes: usize) -> Result<Self, BadFrame> {
        let head = Head::parse(text).map_err(|error| BadFrame::of(None, error))?;
        let reference = match head.reference {
            Some(raw) => Some(reference(raw, ref_bytes)?),
            None => None,
        };
        let asked = head
            .kind()
            .and_then(|kind| ask(kind, text))
            .map_err(|error| BadFrame::of(reference.clone(), error));
        let ask = asked?;
        Ok(Self { reference, ask })
    }
}

/// What is read of every frame first, so that even a bad one is answered with its `ref`.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "ref")]
    reference: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Subscribe,
    Unsubscribe,
    Vote,
    Authenticate,
    Ping,
}

impl<'a> Head<'a> {
    fn parse(text: &'a str) -> Result<Self, ParseError> {
        // The parser would take an array for an object whose fields come in order.
        if text.trim_ascii_start().starts_with('[') {
            return Err(whole("must be an object"));
        }
        serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                // Named twice, or no object at all.
                whole(error.to_string())
            } else {
                ParseError::Syntax(error.to_string())
            }
        })
    }

    fn kind(&self) -> Result<Kind, ParseError> {
        let raw = self
            .kind
            .ok_or_else(|| field("/type", "missing field `type`"))?;
        serde_json::from_str(raw.get()).map_err(|_| {
            field(
                "/type",
                "must be subscribe, unsubscribe, vote, authenticate or ping",
            )
        })
    }
}

fn reference(raw: &RawValue, most_bytes: usize) -> Result<Ref, BadFrame> {
    let text = raw.get();
    let is_scalar = text.starts_with(|first: char| matches!(first, '"' | '-' | '0'..='9'));
    let wrong = if !is_scalar {
        "must be a text or a number".to_owned()
    } else if text.len() > most_bytes {
        format!("must have at most {most_bytes} bytes")
    } else {
        return Ok(Ref(raw.to_owned()));
    };
    Err(BadFrame::of(None, field("/ref", wrong)))
}

fn ask(kind: Kind, text: &str) -> Result<Ask, ParseError> {
    Ok(match kind {
        Kind::Subscribe => {
            let body: SubscribeBody = body(text)?;
            Ask::Subscribe(Subscribe {
                poll: body.poll_id,
                after: body.after_revision,
                voter: body.voter,
            })
        }
        Kind::Unsubscribe => Ask::Unsubscribe(body::<PollBody>(text)?.poll_id),
        Kind::Vote => Ask::Vote(body::<VoteFrame>(text)?.into_ballot()?),
        Kind::Authenticate => Ask::Authenticate(body::<AuthenticateBody>(text)?.token),
        Kind::Ping => {
            body::<EmptyBody>(text)?;
            Ask::Ping
        }
    })
}

fn body<T: DeserializeOwned>(text: &str) -> Result<T, ParseError> {
    parse(text.as_bytes(), UnknownFields::Refuse)
}

macro_rules! bodies {
    ($( $name:ident { $( $field:ident: $type:ty, )* } )*) => {
        $(
            #[derive(Deserialize)]
            struct $name {
                #[serde(rename = "type")]
                _kind: Seen,
                #[serde(default, rename = "ref")]
                _reference: Seen,
                $( $field: $type, )*
            }
        )*
    };
}

bodies! {
    SubscribeBody { poll_id: PollId, after_revision: Option<Revision>, voter: Option<String>, }
    PollBody { poll_id: PollId, }
    VoteFrame {
        poll_id: PollId,
        option_id: Option<OptionId>,
        option_ids: Option<Vec<OptionId>>,
        voter: Option<String>,
        ballot_id: Option<BallotId>,
    }
    AuthenticateBody { token: String, }
    EmptyBody {}
}

impl VoteFrame {
    fn into_ballot(self) -> Result<Ballot, ParseError> {
        let mut body = VoteBody::default();
        body.option_id = self.option_id;
        body.option_ids = self.option_ids;
        body.voter = self.voter;
        body.ballot_id = self.ballot_id;
        body.into_ballot(self.poll_id)
            .map_err(|error: VoteError| match error.fields() {
                [first, ..] => ParseError::Shape(first.clone()),
                [] => whole(error.to_string()),
            })
    }
}

/// A field that was read with the head. (An ignored one would be refused as unknown.)
#[derive(Default)]
struct Seen;

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;

        impl Visitor<'_> for Scalar {
            type Value = Seen;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }
            fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
                Ok(Seen)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Seen, E> {
                Ok(Seen)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
                Ok(Seen)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
                Ok(Seen)
            }
            fn visit_unit<E>(self) -> Result<Seen, E> {
                Ok(Seen)
            }
        }

        deserializer.deserialize_any(Scalar)
    }
}

impl BadFrame {
    fn of(reference: Option<Ref>, error: ParseError) -> Self {
        let message = error.to_string();
        let fields = match error {
            ParseError::Shape(field) => vec![field],
            _ => Vec::new(),
        };
        Self {
            reference,
            message,
            fields,
        }
    }
}

fn field(pointer: &str, detail: impl Into<String>) -> ParseError {
    ParseError::Shape(FieldError::invalid(pointer, detail))
}

fn whole(detail: impl Into<String>) -> ParseError {
    field("", detail)
}

#[cfg(test)]
mod tests;
