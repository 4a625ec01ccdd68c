//! How transports that speak HTTP say what went wrong.

use serde::Serialize;

use crate::FieldError;

/// What went wrong, as RFC 9457 has it, with our `code` and `errors`: the same body on every transport. Which status a code
/// has is each transport's own table.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// The status of the answer.
    pub status: u16,
    /// The stable code: one of [`Code`](crate::Code), or the transport's own.
    pub code: &'a str,
    /// For people, the same for each occurrence.
    pub title: &'a str,
    /// For people, about this occurrence. Never anything internal.
    pub detail: Option<&'a str>,
    /// The fields that broke a rule.
    pub errors: &'a [FieldError],
}

impl Problem<'_> {
    /// The type of the body.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// The body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Wire<'a> {
            r#type: String,
            title: &'a str,
            status: u16,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a str>,
            code: &'a str,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            errors: &'a [FieldError],
        }
        let wire = Wire {
            r#type: format!("urn:problem-type:polling:{}", self.code),
            title: self.title,
            status: self.status,
            detail: self.detail,
            code: self.code,
            errors: self.errors,
        };
        // Texts and numbers always have a JSON.
        serde_json::to_vec(&wire).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_to_say_is_said_and_nothing_else() {
        let problem = Problem {
            status: 409,
            code: "poll_closed",
            title: "The poll is closed",
            detail: None,
            errors: &[],
        };
        let text = |problem: Problem<'_>| String::from_utf8(problem.to_json()).unwrap();
        assert_eq!(
            text(problem),
            r#"{"type":"urn:problem-type:polling:poll_closed","title":"The poll is closed","status":409,"code":"poll_closed"}"#
        );
        let errors = &[FieldError::invalid("/question", "is needed")];
        let full = Problem {
            detail: Some("why"),
            errors,
            ..problem
        };
        assert!(text(full).contains(
            r#""detail":"why","code":"poll_closed","errors":[{"pointer":"/question","code":"invalid","detail":"is needed"}]"#
        ));
    }
}
