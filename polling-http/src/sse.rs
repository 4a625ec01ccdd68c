//! Live results as server-sent events (the HTML standard, section 9.2).

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream;
use polling_core::results::{ResultsError, Subscription, Update, WatchEnd};
use polling_core::{PollId, Revision};
use tokio::time::timeout;

/// What the viewer is told, as it comes; a comment whenever there was nothing to tell for `keep_alive`. It ends after the
/// poll was deleted, and with the engine; not with the final result.
pub(crate) fn events(
    subscription: Subscription,
    keep_alive: Duration,
) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::unfold(Some(subscription), move |subscription| async move {
        let mut subscription = subscription?;
        let (event, goes_on) = match timeout(keep_alive, subscription.update()).await {
            Err(_) => (comment("still here"), true),
            Ok(Update::Results(snapshot)) => {
                let revision = snapshot.results().revision;
                (results(revision, snapshot.json()), true)
            }
            // There is no event in it, and yet the client sees that it is connected.
            Ok(Update::Unchanged(_)) => (comment("unchanged"), true),
            Ok(Update::Hidden) => (hidden(), true),
            Ok(Update::Ended(WatchEnd::PollDeleted)) => {
                (poll_deleted(subscription.poll_id()), false)
            }
            // The client comes back by itself, to this server or another.
            Ok(Update::Ended(_)) => return None,
            // What later versions of the core may tell is for clients of later versions.
            Ok(_) => (comment("something else"), true),
        };
        Some((event, goes_on.then_some(subscription)))
    })
}

fn results(revision: Revision, json: &[u8]) -> Bytes {
    event("results", Some(revision), json)
}

fn hidden() -> Bytes {
    let error = ResultsError::Hidden;
    let json = serde_json::json!({ "code": error.code(), "message": error.to_string() });
    event("error", None, json.to_string().as_bytes())
}

fn poll_deleted(poll: PollId) -> Bytes {
    let json = serde_json::json!({ "poll_id": poll });
    event("poll_deleted", None, json.to_string().as_bytes())
}

/// One event. Our JSON has no line breaks, so that it is one `data` line. Without an id the client keeps the one that it
/// has, which is the last results that it holds.
fn event(name: &str, id: Option<Revision>, data: &[u8]) -> Bytes {
    let mut event = BytesMut::with_capacity(name.len() + data.len() + 48);
    event.put_slice(b"event: ");
    event.put_slice(name.as_bytes());
    if let Some(id) = id {
        event.put_slice(format!("\nid: {id}").as_bytes());
    }
    event.put_slice(b"\ndata: ");
    event.put_slice(data);
    event.put_slice(b"\n\n");
    event.freeze()
}

fn comment(text: &str) -> Bytes {
    Bytes::from(format!(": {text}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &Bytes) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn results_are_an_event_with_their_revision_as_id() {
        assert_eq!(
            text(&results(7, br#"{"revision":7}"#)),
            "event: results\nid: 7\ndata: {\"revision\":7}\n\n"
        );
    }

    #[test]
    fn errors_and_comments_leave_the_id_as_it_is() {
        let error = hidden();
        let error = text(&error);
        assert!(error.starts_with("event: error\ndata: {"), "{error}");
        assert!(error.contains(r#""code":"results_hidden""#), "{error}");
        assert!(error.contains(r#""message":""#), "{error}");
        let deleted = poll_deleted(PollId::from_bytes([0; 16]));
        assert_eq!(
            text(&deleted),
            "event: poll_deleted\ndata: {\"poll_id\":\"00000000-0000-0000-0000-000000000000\"}\n\n"
        );
        assert_eq!(text(&comment("unchanged")), ": unchanged\n\n");
    }
}
