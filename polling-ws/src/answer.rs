//! What the server sends: each frame is a JSON object with a `type`, and the `ref` of what it answers.

use polling_core::limits::Standing;
use polling_core::results::{Revision, Snapshot};
use polling_core::{Code, Fault, FieldError, PollId, Receipt};
use serde::Serialize;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;

use crate::frame::Ref;
use crate::log::{self, ConnectionId};

/// Every frame of the server but `ack`, of which there are the most, and `results`, which is rendered once for all who
/// watch.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Answer<'a> {
    /// Something was not done.
    Error {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Ref>,
        #[serde(skip_serializing_if = "Option::is_none")]
        poll_id: Option<PollId>,
        code: Code,
        message: &'a str,
        #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
        errors: &'a [FieldError],
        /// Seconds, where a limit was reached.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// Something was done.
    Ok {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Ref>,
    },
    /// The poll is gone, and with it the subscription.
    PollDeleted {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Ref>,
        poll_id: PollId,
    },
    /// The results that the client holds are current.
    Unchanged {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Ref>,
        poll_id: PollId,
        revision: Revision,
    },
    /// The connection is alive.
    Pong {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Ref>,
    },
}

impl Answer<'_> {
    /// The frame.
    pub(crate) fn render(&self) -> Utf8Bytes {
        // Texts, numbers and ids can always be rendered.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

/// Room for an `ack` whose voter has a name of some length; longer ones make more.
const ACK_BYTES: usize = 384;

/// A vote is durable, and counted: `{"type":"ack","ref","poll_id","receipt"}`.
pub(crate) fn ack(reference: Option<&Ref>, poll_id: PollId, receipt: &Receipt) -> Utf8Bytes {
    let mut frame = Vec::with_capacity(ACK_BYTES);
    frame.extend_from_slice(b"{\"type\":\"ack\"");
    if let Some(reference) = reference {
        frame.extend_from_slice(b",\"ref\":");
        frame.extend_from_slice(reference.json().as_bytes());
    }
    frame.extend_from_slice(b",\"poll_id\":");
    // An id can always be written, and so into memory.
    let _ = serde_json::to_writer(&mut frame, &poll_id);
    frame.extend_from_slice(b",\"receipt\":");
    receipt.write_json(&mut frame);
    frame.push(b'}');
    Utf8Bytes::try_from(frame).unwrap_or_default()
}

/// The frame about a failure of the engine. What is our own fault is logged, and told to nobody else.
pub(crate) fn failure(
    connection: ConnectionId,
    reference: Option<&Ref>,
    poll_id: Option<PollId>,
    fault: &(dyn Fault + 'static),
) -> Utf8Bytes {
    let code = fault.code();
    let message = if code == Code::Internal {
        log::failed(connection, poll_id, fault);
        code.title().to_owned()
    } else {
        fault.to_string()
    };
    let answer = Answer::Error {
        reference,
        poll_id,
        code,
        message: &message,
        errors: fault.fields(),
        retry_after: fault.standing().map(Standing::retry_after_seconds),
    };
    answer.render()
}

/// Results: the one buffer of all viewers, but for the first answer to a subscribe that has a `ref`.
pub(crate) fn results(reference: Option<&Ref>, snapshot: &Snapshot) -> Utf8Bytes {
    match reference {
        None => Utf8Bytes::try_from(snapshot.message().clone()).unwrap_or_default(),
        Some(reference) => {
            let with_ref = WithRef {
                r#type: "results",
                reference,
                results: snapshot.results(),
            };
            serde_json::to_string(&with_ref).unwrap_or_default().into()
        }
    }
}

#[derive(Serialize)]
struct WithRef<'a> {
    r#type: &'static str,
    #[serde(rename = "ref")]
    reference: &'a Ref,
    #[serde(flatten)]
    results: &'a polling_core::Results,
}

#[cfg(test)]
mod tests {
    use polling_core::StoreError;
    use polling_core::votes::VoteError;

    use super::*;
    use crate::frame::Frame;

    const POLL: &str = "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d";

    fn reference() -> Option<Ref> {
        Frame::parse(r#"{"type":"ping","ref":"a\u0062"}"#, 100)
            .ok()
            .and_then(|frame| frame.reference)
    }

    #[test]
    fn frames_have_the_documented_fields() {
        let (poll_id, reference) = (POLL.parse().unwrap(), reference());
        let reference = reference.as_ref();
        let rendered = [
            Answer::Ok { reference }.render(),
            Answer::Pong { reference: None }.render(),
            Answer::PollDeleted {
                reference: None,
                poll_id,
            }
            .render(),
            Answer::Unchanged {
                reference,
                poll_id,
                revision: 7,
            }
            .render(),
        ];
        let expected = [
            r#"{"type":"ok","ref":"a\u0062"}"#.to_owned(),
            r#"{"type":"pong"}"#.to_owned(),
            format!(r#"{{"type":"poll_deleted","poll_id":"{POLL}"}}"#),
            format!(r#"{{"type":"unchanged","ref":"a\u0062","poll_id":"{POLL}","revision":7}}"#),
        ];
        assert_eq!(rendered.map(|frame| frame.to_string()), expected);
    }

    #[test]
    fn a_failure_says_its_code_and_its_fields() {
        let fault = VoteError::OptionUnknown(vec![FieldError::new(
            "/option_id",
            Code::OptionUnknown,
            "is none",
        )]);
        assert_eq!(
            failure(
                ConnectionId(1),
                reference().as_ref(),
                POLL.parse().ok(),
                &fault
            )
            .as_str(),
            format!(
                r#"{{"type":"error","ref":"a\u0062","poll_id":"{POLL}","code":"option_unknown","message":"the poll has no such option","errors":[{{"pointer":"/option_id","code":"option_unknown","detail":"is none"}}]}}"#
            )
        );
    }

    #[test]
    fn our_own_faults_are_told_to_nobody() {
        let fault = VoteError::from(StoreError::internal("disk at /secret is full"));
        assert_eq!(
            failure(ConnectionId(1), None, None, &fault).as_str(),
            r#"{"type":"error","code":"internal","message":"Something went wrong on our side"}"#
        );
    }
}
