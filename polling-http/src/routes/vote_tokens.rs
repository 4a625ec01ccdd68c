//! One-time vote tokens: make, count, revoke. Only where the store keeps them.

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use polling_core::vote_tokens::{LinkTemplate, NewVoteTokens, Revocation, VoteTokens};
use polling_core::{Engine, StoreError};

use crate::problem::Problem;
use crate::request::Call;
use crate::response::{self, Answer, Response, ResponseBody};
use crate::router::{Checked, Route, Takes};

pub(super) fn routes(engine: &Engine) -> Vec<Route> {
    if engine.vote_tokens().is_none() {
        return Vec::new();
    }
    vec![
        Route::at("/api/v1/polls/{id}/tokens")
            .get(count)
            .small()
            .post(Takes::Json, make)
            .checked(may_manage)
            .many(),
        Route::at("/api/v1/polls/{id}/tokens/revoke")
            .post(Takes::Batch, revoke)
            .checked(may_manage)
            .small(),
    ]
}

fn may_manage(call: &Call) -> Checked<'_> {
    Box::pin(async {
        let poll = call.poll_id()?;
        tokens(call)?.may_manage(&call.actor, poll).await?;
        Ok(())
    })
}

async fn make(call: Box<Call>) -> Answer {
    let poll = call.poll_id()?;
    let new: NewVoteTokens = call.json()?;
    // Before anything is made: nobody would ever see it.
    let template = new.link_template.as_deref().map(LinkTemplate::parse);
    let template = template.transpose()?;
    let made = tokens(&call)?.make(&call.actor, poll, &new).await?;
    if wants_csv(&call.parts.headers) {
        Ok(csv(made.tokens, template))
    } else {
        response::json(StatusCode::CREATED, &made)
    }
}

async fn count(call: Box<Call>) -> Answer {
    let poll = call.poll_id()?;
    let counts = tokens(&call)?.count(&call.actor, poll).await?;
    response::json(StatusCode::OK, &counts)
}

async fn revoke(call: Box<Call>) -> Answer {
    let poll = call.poll_id()?;
    let which: Revocation = call.json()?;
    let revoked = tokens(&call)?.revoke(&call.actor, poll, &which).await?;
    response::json(StatusCode::OK, &revoked)
}

fn tokens(call: &Call) -> Result<&VoteTokens, Problem> {
    let tokens = call.engine.vote_tokens();
    tokens.ok_or_else(|| StoreError::internal("the store keeps no vote tokens any more").into())
}

/// Whether `Accept` names a table, by itself and not by a wildcard.
fn wants_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let ranges = accepted.filter_map(|value| value.to_str().ok());
    ranges.flat_map(|value| value.split(',')).any(|range| {
        let essence = range.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/csv")
    })
}

/// Lines that are written before they are sent.
const LINES_AT_ONCE: usize = 1_000;

/// The tokens as a table (RFC 4180), with a link for each where there is a template; written while it is sent, because
/// links may be long.
///
/// No cell begins with what a spreadsheet takes for a formula, and none holds a quote: tokens begin with `pv_`, and
/// templates are checked.
fn csv(tokens: Vec<String>, template: Option<LinkTemplate>) -> Response {
    let begins = Bytes::from_static(b"token,link\r\n");
    let rows = stream::unfold(0, move |from| {
        let until = tokens.len().min(from + LINES_AT_ONCE);
        let lines = tokens.get(from..until).filter(|lines| !lines.is_empty());
        let written = lines.map(|lines| (written(lines, template.as_ref()), until));
        std::future::ready(written)
    });
    let rows = futures_util::StreamExt::chain(stream::once(std::future::ready(begins)), rows);
    let mut response = Response::new(ResponseBody::pieces(rows));
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(header::CONTENT_TYPE, content_type);
    let disposition = HeaderValue::from_static("attachment; filename=\"tokens.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    response
}

fn written(tokens: &[String], template: Option<&LinkTemplate>) -> Bytes {
    let mut lines = Vec::with_capacity(tokens.len() * 128);
    for token in tokens {
        lines.extend_from_slice(token.as_bytes());
        lines.push(b',');
        if let Some(template) = template {
            // A comma is good in an address.
            lines.push(b'"');
            template.write(token, &mut lines);
            lines.push(b'"');
        }
        lines.extend_from_slice(b"\r\n");
    }
    lines.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_sent_where_it_is_asked_for_by_name() {
        let wants = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            wants_csv(&headers)
        };
        assert!(!wants_csv(&HeaderMap::new()));
        for csv in ["text/csv", "Text/CSV;header=present", "text/html, text/csv"] {
            assert!(wants(csv), "{csv}");
        }
        for other in ["*/*", "text/*", "application/json", "text/csvx"] {
            assert!(!wants(other), "{other}");
        }
    }

    #[test]
    fn each_token_is_a_line_with_its_link() {
        let tokens = ["pv_a".to_owned(), "pv_b".to_owned()];
        let template = LinkTemplate::parse("https://a.example/,x?t={token}").unwrap();
        let lines = written(&tokens, Some(&template));
        let expected =
            "pv_a,\"https://a.example/,x?t=pv_a\"\r\npv_b,\"https://a.example/,x?t=pv_b\"\r\n";
        assert_eq!(lines, expected.as_bytes());
        assert_eq!(written(&tokens, None), "pv_a,\r\npv_b,\r\n".as_bytes());
    }
}
