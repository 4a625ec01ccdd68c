//! A request on its way to its handler: who asks, for what, and with which body.

use std::str::FromStr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use polling_core::votes::{BatchBody, VoteBody};
use polling_core::wire::{ParseError, UnknownFields};
use polling_core::{Actor, AuthError, BallotId, Code, Engine, FieldError, PollId, Voter, bearer};
use serde::de::DeserializeOwned;

use crate::budget::Held;
use crate::problem::Problem;
use crate::query::Query;
use crate::router::Ids;
use crate::settings::HttpSettings;

/// All that a handler gets. The body was read whole, within its bounds; but for that of an endpoint that takes rows.
pub(crate) struct Call {
    pub(crate) engine: Engine,
    pub(crate) settings: std::sync::Arc<HttpSettings>,
    pub(crate) actor: Actor,
    pub(crate) parts: http::request::Parts,
    /// The ids of the path.
    pub(crate) ids: Ids,
    pub(crate) body: Bytes,
    /// What the body holds of the server's budget, until the request is answered.
    pub(crate) held: Held,
    /// The body of an endpoint that takes rows, still to be read. Behind a lock, because a call is shared and a body is not.
    #[cfg(feature = "accounts")]
    pub(crate) pieces: std::sync::Mutex<Option<crate::pieces::Pieces>>,
    pub(crate) unknown_fields: UnknownFields,
}

impl Call {
    /// The poll of the path. What is no id names no poll.
    pub(crate) fn poll_id(&self) -> Result<PollId, Problem> {
        self.id_or(Code::PollNotFound)
    }

    /// The id of the thing that the path names. What is no id names nothing.
    pub(crate) fn id_or<T: FromStr>(&self, missing: Code) -> Result<T, Problem> {
        parsed(self.ids.outer.as_deref(), missing)
    }

    /// The id of what the path names in that thing.
    #[cfg(feature = "accounts")]
    pub(crate) fn inner_id_or<T: FromStr>(&self, missing: Code) -> Result<T, Problem> {
        parsed(self.ids.inner.as_deref(), missing)
    }

    pub(crate) fn query(&self) -> Query<'_> {
        Query::of(&self.parts.uri)
    }

    /// Who the caller says to be as a voter, where no body says it.
    pub(crate) fn voter(&self) -> Result<Option<String>, Problem> {
        self.query().text("voter")
    }

    /// The same, for those who look.
    pub(crate) fn viewer(&self) -> Result<Option<Voter>, Problem> {
        Ok(self.voter()?.map(|text| Voter::named(Some(text))))
    }

    /// Adds what the ticket of the address proves, where there is one, to what the caller has proved.
    pub(crate) fn redeem_ticket(&mut self) -> Result<(), Problem> {
        if let Some(ticket) = self.query().text("ticket")? {
            let proved = self.engine.redeem_ticket(&ticket).map_err(rejected)?;
            self.actor = std::mem::replace(&mut self.actor, Actor::anonymous()).and(proved);
        }
        Ok(())
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.json_with(self.unknown_fields)
    }

    /// The body as JSON, of which perhaps only some fields are of interest.
    pub(crate) fn json_with<T: DeserializeOwned>(
        &self,
        unknown: UnknownFields,
    ) -> Result<T, Problem> {
        polling_core::wire::parse(self.text()?.as_bytes(), unknown).map_err(unparsed)
    }

    /// The body as a vote.
    pub(crate) fn vote(&self) -> Result<VoteBody, Problem> {
        VoteBody::parse(self.text()?, self.unknown_fields).map_err(unparsed)
    }

    /// The body as many votes.
    pub(crate) fn votes(&self) -> Result<BatchBody, Problem> {
        BatchBody::parse(self.text()?, self.unknown_fields).map_err(unparsed)
    }

    /// Lets go of the body, which was parsed, before something is waited for.
    pub(crate) fn forget_body(&mut self) {
        self.body = Bytes::new();
    }

    fn text(&self) -> Result<&str, Problem> {
        std::str::from_utf8(&self.body).map_err(|_| Problem::unreadable("the body is no UTF-8"))
    }

    /// The id of the ballot, from the header or the body, which must not differ.
    pub(crate) fn ballot_id(&self, in_body: Option<BallotId>) -> Result<Option<BallotId>, Problem> {
        match (self.idempotency_key()?, in_body) {
            (Some(key), Some(id)) if key != id => {
                let detail = "must be the same as the Idempotency-Key";
                Err(Problem::invalid_field(FieldError::invalid(
                    "/ballot_id",
                    detail,
                )))
            }
            (key, in_body) => Ok(key.or(in_body)),
        }
    }

    /// The id that the client chose in a header.
    pub(crate) fn idempotency_key<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        let mut sent = self.parts.headers.get_all("idempotency-key").iter();
        let Some(header) = sent.next() else {
            return Ok(None);
        };
        let invalid = |detail| {
            let field = FieldError::invalid("/Idempotency-Key", detail);
            Err(Problem::invalid_field(field))
        };
        // The header was a quoted string in drafts of its standard.
        let text = header.to_str().unwrap_or_default().trim_matches('"');
        match text.parse::<T>() {
            Err(_) => invalid("the header must be a UUID"),
            Ok(_) if sent.next().is_some() => invalid("is there twice"),
            Ok(key) => Ok(Some(key)),
        }
    }
}

fn parsed<T: FromStr>(id: Option<&str>, missing: Code) -> Result<T, Problem> {
    let id = id.unwrap_or_default().parse();
    id.map_err(|_| Problem::of(missing))
}

fn unparsed(error: ParseError) -> Problem {
    match error {
        ParseError::Shape(field) => Problem::invalid_field(field),
        error => Problem::unreadable(error.to_string()),
    }
}

/// Who asks: what the credential proves, or nobody in particular where none was sent.
pub(crate) async fn authenticate(engine: &Engine, headers: &HeaderMap) -> Result<Actor, Problem> {
    let mut credentials = headers.get_all(header::AUTHORIZATION).iter();
    let Some(credential) = credentials.next() else {
        return Ok(Actor::anonymous());
    };
    let token = credential.to_str().ok().and_then(bearer);
    let Some(token) = token.filter(|_| credentials.next().is_none()) else {
        return Err(Problem::bad_credential(
            "the header must be: Authorization: Bearer <token>",
        ));
    };
    engine.authenticate(token).await.map_err(rejected)
}

fn rejected(error: AuthError) -> Problem {
    match error {
        AuthError::Rejected => Problem::bad_credential("the token is not valid, or not any more"),
        error => error.into(),
    }
}

/// Whether the body, by what its headers say, is JSON. Who says nothing is believed.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    check_content_encoding(headers)?;
    match headers.get(header::CONTENT_TYPE) {
        Some(value) if !is_json(value) => Err(Problem::unsupported_media_type(
            "the Content-Type must be application/json",
        )),
        _ => Ok(()),
    }
}

/// Whether the body, by what its headers say, comes as it is.
pub(crate) fn check_content_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let coded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if coded {
        return Err(Problem::unsupported_media_type(
            "the body must come as it is, without a Content-Encoding",
        ));
    }
    Ok(())
}

fn is_json(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return true;
    }
    let essence = essence.to_ascii_lowercase();
    essence.starts_with("application/") && essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_is_json_in_all_its_forms_or_absent() {
        let check = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            check_content_type(&headers)
        };
        assert!(check_content_type(&HeaderMap::new()).is_ok());
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/merge-patch+json",
            "application/json;charset=UTF-8",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["text/plain", "", "application/jsonx", "text/x+json", "json"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_compressed_body_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(check_content_type(&headers).is_err());
        headers.insert(
            header::CONTENT_ENCODING,
            HeaderValue::from_static("Identity"),
        );
        assert!(check_content_type(&headers).is_ok());
    }
}
