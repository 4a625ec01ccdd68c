//! Results: read once, or live as an event stream.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use polling_core::Revision;
use polling_core::polls::Status;
use polling_core::results::Viewer;

use crate::request::Call;
use crate::response::{self, Answer, Response, ResponseBody};
use crate::router::Route;
use crate::sse;

pub(super) fn routes() -> [Route; 2] {
    [
        Route::at("/api/v1/polls/{id}/results").get(read),
        Route::at("/api/v1/polls/{id}/events").get(watch).small(),
    ]
}

async fn read(call: Box<Call>) -> Answer {
    let (poll, viewer) = (call.poll_id()?, call.viewer()?);
    // What the client holds is looked at only after this: a tag tells nobody what they may not see.
    let snapshot = call
        .engine
        .results()
        .read(&call.actor, poll, viewer)
        .await?;
    if snapshot.results().status == Status::Draft {
        // A draft's options may change without a new revision: it has no tag.
        return Ok(response::json_bytes(
            StatusCode::OK,
            snapshot.json().clone(),
        ));
    }
    let tag = etag(snapshot.results().revision);
    let mut response = if holds(&call.parts.headers, &tag) {
        response::empty(StatusCode::NOT_MODIFIED)
    } else {
        response::json_bytes(StatusCode::OK, snapshot.json().clone())
    };
    // A cache may keep it, and must ask each time.
    let caching = if snapshot.is_public() {
        "no-cache"
    } else {
        "private, no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    Ok(response)
}

fn etag(revision: Revision) -> HeaderValue {
    // Digits and quotes are good in headers.
    HeaderValue::try_from(format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the client holds this tag already (RFC 9110, section 13.1.2): compared weakly, as a cache on the way may have
/// weakened it.
pub(crate) fn holds(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH);
    let mut held = lists
        .iter()
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(',').map(str::trim));
    held.any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == *tag)
}

async fn watch(mut call: Box<Call>) -> Answer {
    call.redeem_ticket()?;
    let poll = call.poll_id()?;
    let after = held_revision(&call)?;
    let viewer = Viewer::default().voter(call.viewer()?).after(after);
    let subscription = call
        .engine
        .results()
        .subscribe(&call.actor, poll, viewer)
        .await?;
    let events = sse::events(subscription, call.settings.keep_alive_interval);
    let mut response = Response::new(ResponseBody::pieces(events));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Some proxies gather answers before they pass them on; this is how they are told not to.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The revision that the client holds. A client that comes back sends the last id that it saw, beside the address that it
/// began with: the id is the newer of the two.
fn held_revision(call: &Call) -> Result<Option<Revision>, crate::problem::Problem> {
    let asked = call.query();
    let asked = asked.parsed("after_revision", "must be the revision of results")?;
    let last = call.parts.headers.get("last-event-id");
    // An id that is not ours says nothing.
    let last = last.and_then(|id| id.to_str().ok()?.trim().parse().ok());
    Ok(last.or(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_tag_is_found_in_all_ways_to_say_it() {
        let held = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            holds(&headers, &etag(7))
        };
        for same in ["\"7\"", "W/\"7\"", "*", "\"6\", \"7\"", "\"6\",W/\"7\""] {
            assert!(held(same), "{same}");
        }
        for other in ["\"8\"", "7", "", "\"77\"", "w/\"7\"", "\"\""] {
            assert!(!held(other), "{other}");
        }
        assert!(!holds(&HeaderMap::new(), &etag(7)));
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::IF_NONE_MATCH, HeaderValue::from_static("\"1\""));
        headers.append(header::IF_NONE_MATCH, HeaderValue::from_static("\"7\""));
        assert!(holds(&headers, &etag(7)));
    }
}
