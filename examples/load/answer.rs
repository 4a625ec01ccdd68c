//! What a server says to a ballot, whichever way it came.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// The answer to one ballot.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// As HTTP has them; none on a WebSocket.
    pub(crate) status: Option<u16>,
    pub(crate) verdict: Verdict,
}

#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Recorded(Receipt),
    /// For this reason, and for good.
    Refused(String),
    /// Not decided, for this reason: the ballot has to be sent again, if it is known after which time.
    PutOff(String, Option<Duration>),
}

/// The server's word that a ballot counts.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) ballot_id: Uuid,
    pub(crate) revision: u64,
    /// The digits of the time, which is all that it takes to know it again.
    #[serde(deserialize_with = "digits")]
    pub(crate) cast_at: u64,
}

impl Answer {
    /// What follows from a receipt, or a code, or neither.
    pub(crate) fn of(status: Option<u16>, receipt: Option<Receipt>, code: Option<&str>) -> Self {
        let verdict = match (receipt, code) {
            (Some(receipt), _) => Verdict::Recorded(receipt),
            (None, Some(code)) if may_pass(code) => Verdict::PutOff(code.to_owned(), None),
            (None, Some(code)) => Verdict::Refused(code.to_owned()),
            // Something on the way may answer without knowing about polls.
            (None, None) if status.is_some_and(|status| status >= 500) => {
                Verdict::PutOff("without a code".into(), None)
            }
            (None, None) => Verdict::Refused("without a code".into()),
        };
        Self { status, verdict }
    }

    /// The body of an answer over HTTP, to one ballot.
    pub(crate) fn parse(status: u16, after: Option<Duration>, body: &[u8]) -> Self {
        if matches!(status, 200 | 201) {
            return Self::of(Some(status), serde_json::from_slice(body).ok(), None);
        }
        let problem = serde_json::from_slice::<Problem<'_>>(body);
        let code = problem.as_ref().ok().map(|problem| &*problem.code);
        let mut answer = Self::of(Some(status), None, code);
        if let Verdict::PutOff(_, told) = &mut answer.verdict {
            *told = after;
        }
        answer
    }

    /// What it is called among the answers.
    pub(crate) fn code(&self) -> &str {
        match &self.verdict {
            Verdict::Recorded(_) if self.status == Some(200) => "retry",
            Verdict::Recorded(_) => "recorded",
            Verdict::Refused(code) | Verdict::PutOff(code, _) => code,
        }
    }
}

/// The part of a problem that programs read.
#[derive(Deserialize)]
struct Problem<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
}

/// Whether the same ballot may be taken later.
fn may_pass(code: &str) -> bool {
    matches!(
        code,
        "overloaded" | "unavailable" | "internal" | "timeout" | "rate_limited"
    )
}

fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    let digits = text.bytes().filter(u8::is_ascii_digit);
    Ok(digits.fold(0, |number: u64, digit| {
        number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIPT: &str = r#"{"ballot_id":"0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d","poll_id":"x","voter":"v","revision":7,"cast_at":"2026-12-01T12:00:00.123Z"}"#;

    #[test]
    fn a_receipt_is_read() {
        let answer = Answer::parse(201, None, RECEIPT.as_bytes());
        assert_eq!(answer.code(), "recorded");
        let Verdict::Recorded(receipt) = answer.verdict else {
            panic!("{answer:?}");
        };
        assert_eq!(receipt.revision, 7);
        assert_eq!(receipt.cast_at, 20_261_201_120_000_123);
        assert_eq!(Answer::parse(200, None, RECEIPT.as_bytes()).code(), "retry");
    }

    #[test]
    fn only_what_may_pass_is_sent_again() {
        let put_off = |status, body: &str| {
            let second = Some(Duration::from_secs(1));
            match Answer::parse(status, second, body.as_bytes()).verdict {
                Verdict::PutOff(_, after) => after == second,
                Verdict::Refused(_) => false,
                Verdict::Recorded(receipt) => panic!("{receipt:?}"),
            }
        };
        assert!(put_off(503, r#"{"status":503,"code":"overloaded"}"#));
        assert!(put_off(500, r#"{"code":"internal"}"#));
        assert!(put_off(502, "<html>"));
        assert!(!put_off(409, r#"{"code":"already_voted"}"#));
        assert!(!put_off(404, "<html>"));
        assert!(!put_off(201, r#"{"no":"receipt"}"#));
    }
}
