//! What went wrong, as `application/problem+json` (RFC 9457), and the one table from what it is to its status.

use std::error::Error;
use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use polling_core::{Cause, Code, Fault, FieldError, Kind, LogRate, rest_of_lines};

use crate::limits;
use crate::response::{Response, ResponseBody};

/// The status of each kind of failure.
pub(crate) const fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Overloaded | Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// How often one service logs its own faults: an outage makes one of every request.
#[derive(Debug)]
pub(crate) struct FaultRates {
    failed: LogRate,
    unserved: LogRate,
    pub(crate) panicked: LogRate,
}

impl Default for FaultRates {
    fn default() -> Self {
        Self {
            failed: LogRate::new(rest_of_lines!(error, "a request failed")),
            unserved: LogRate::new(rest_of_lines!(warn, "a request could not be served now")),
            panicked: LogRate::new(rest_of_lines!(error, "a handler panicked")),
        }
    }
}

/// Something that went wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    errors: Box<[FieldError]>,
    /// Headers that belong to it.
    headers: Vec<(header::HeaderName, HeaderValue)>,
    /// What to log: our own fault, which is not sent.
    cause: Option<Cause>,
}

/// Every room's errors, by what they say of themselves.
impl<E: Fault + Send + Sync + 'static> From<E> for Problem {
    fn from(error: E) -> Self {
        let code = error.code();
        let problem = Self::of(code);
        match code.kind() {
            Kind::Internal => {
                let cause = Some(error.into());
                Self { cause, ..problem }
            }
            Kind::Unavailable => {
                let problem = problem.saying(error.to_string());
                let cause = Some(error.into());
                Self { cause, ..problem }
            }
            _ => {
                let mut headers = problem.headers.clone();
                if let Some(standing) = error.standing() {
                    headers.push((header::RETRY_AFTER, standing.retry_after_seconds().into()));
                    headers.extend(limits::fields(standing));
                }
                Self {
                    errors: error.fields().into(),
                    headers,
                    ..problem.saying(error.to_string())
                }
            }
        }
    }
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self {
            status,
            code,
            title,
            detail: None,
            errors: Box::default(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// Just what the code says.
    pub(crate) fn of(code: Code) -> Self {
        let problem = Self::new(status_of(code.kind()), code.as_str(), code.title());
        match code.kind() {
            Kind::Unauthorized => problem.with(header::WWW_AUTHENTICATE, "Bearer"),
            _ => problem,
        }
    }

    fn with(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    pub(crate) fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// There is no such route.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such route")
            .saying("no route has this path; those of the API begin with /api/v1")
    }

    /// The route is there, and does not take this method.
    pub(crate) fn method_not_allowed(allow: HeaderValue) -> Self {
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "The route does not take this method",
        );
        let methods = allow.to_str().map(ToOwned::to_owned).unwrap_or_default();
        problem.headers.push((header::ALLOW, allow));
        problem.saying(format!("this route takes {methods}"))
    }

    /// The body is of a type that nobody reads here.
    pub(crate) fn unsupported_media_type(detail: &'static str) -> Self {
        Self::only_of_type("application/json", detail)
    }

    /// The same, where others are read.
    pub(crate) fn only_of_type(accepted: &'static str, detail: &'static str) -> Self {
        let title = "The body is of an unsupported type";
        let problem = Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            title,
        );
        problem.with(header::ACCEPT, accepted).saying(detail)
    }

    /// The body is too large.
    pub(crate) fn too_large(most: usize) -> Self {
        let title = "The body is too large";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", title)
            .saying(format!("a body has at most {most} bytes here"))
    }

    /// The request did not come in time.
    pub(crate) fn timeout() -> Self {
        let title = "The request took too long to arrive";
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", title)
            .saying("the request did not arrive whole in time: send it again")
    }

    /// The server holds as many bytes of bodies as it may.
    pub(crate) fn no_room() -> Self {
        Self::of(Code::Overloaded).saying(
            "the server holds as many request bodies as it has room for: send it again soon",
        )
    }

    /// The answer did not come in time.
    pub(crate) fn no_answer_in_time() -> Self {
        Self::of(Code::Unavailable).saying(
            "there was no answer in time; the request may have taken effect: send it again, \
             a vote with the same ballot id",
        )
    }

    /// The body cannot be read as what it should be: it is no JSON, or the transport broke it.
    pub(crate) fn unreadable(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            ..Self::of(Code::Invalid).saying(detail)
        }
    }

    /// One field breaks a rule.
    pub(crate) fn invalid_field(field: FieldError) -> Self {
        Self {
            errors: Box::new([field]),
            ..Self::of(Code::Invalid).saying("the request is not valid")
        }
    }

    /// A credential was sent, and is not good.
    pub(crate) fn bad_credential(detail: &'static str) -> Self {
        let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
        Self {
            headers: vec![(header::WWW_AUTHENTICATE, challenge)],
            ..Self::of(Code::Unauthorized).saying(detail)
        }
    }

    /// The answer. What is our own fault is never sent, but [logged](Self::log).
    pub(crate) fn into_response(self, retry_after: Duration) -> Response {
        let mut response = Response::new(ResponseBody::whole(self.json()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(polling_core::Problem::MEDIA_TYPE),
        );
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, retry_after.as_secs().into());
        }
        headers.extend(self.headers);
        response
    }

    /// Logs what is our own fault, as often as such faults are logged.
    pub(crate) fn log(&self, rates: &FaultRates, request_id: &str) {
        let Some(cause) = &self.cause else { return };
        let cause = || chain(&**cause);
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            if let Some(left_out) = rates.failed.due() {
                let (error, left_out) = (cause(), left_out.count());
                tracing::error!(request_id, error, left_out, "a request failed");
            }
        } else if let Some(left_out) = rates.unserved.due() {
            let (error, left_out) = (cause(), left_out.count());
            tracing::warn!(
                request_id,
                error,
                left_out,
                "a request could not be served now"
            );
        }
    }

    /// The body.
    pub(crate) fn json(&self) -> Vec<u8> {
        let problem = polling_core::Problem {
            status: self.status.as_u16(),
            code: self.code,
            title: self.title,
            detail: self.detail.as_deref(),
            errors: &self.errors,
        };
        problem.to_json()
    }
}

/// An error with everything that led to it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use polling_core::StoreError;
    use polling_core::polls::PollError;

    use super::*;

    fn json(problem: &Problem) -> serde_json::Value {
        serde_json::from_slice(&problem.json()).unwrap()
    }

    #[test]
    fn every_code_has_its_documented_status() {
        for &code in Code::ALL {
            let expected = match code.as_str() {
                "invalid" | "option_unknown" | "selection_invalid" | "voter_required"
                | "password_weak" => 422,
                missing if missing.ends_with("_not_found") => 404,
                "unauthorized" => 401,
                "results_hidden" | "forbidden" | "feature_off" => 403,
                "rate_limited" => 429,
                "overloaded" | "unavailable" => 503,
                "internal" => 500,
                _ => 409,
            };
            let problem = json(&Problem::of(code));
            assert_eq!(problem["status"], expected, "{code}");
            assert_eq!(problem["code"], code.as_str());
            let name = format!("urn:problem-type:polling:{code}");
            assert_eq!(problem["type"], name);
        }
    }

    #[test]
    fn what_is_our_own_fault_is_not_sent() {
        let secret = StoreError::internal("disk 7 is broken");
        let problem = Problem::from(PollError::from(secret));
        let sent = String::from_utf8(problem.json()).unwrap();
        assert!(!sent.contains("disk") && !sent.contains("detail"), "{sent}");
        let logged = chain(&*problem.cause.unwrap());
        assert!(logged.contains("disk 7 is broken"), "{logged}");
    }

    #[test]
    fn fields_are_named() {
        let field = FieldError::invalid("/question", "is needed");
        let problem = json(&Problem::from(PollError::Invalid(vec![field])));
        assert_eq!(problem["errors"][0]["pointer"], "/question");
        assert_eq!(problem["errors"][0]["code"], "invalid");
        assert_eq!(problem["errors"][0]["detail"], "is needed");
    }

    #[test]
    fn headers_belong_to_their_problems() {
        let answer = |problem: Problem| problem.into_response(Duration::from_secs(3));
        let unavailable = answer(Problem::of(Code::Unavailable));
        assert_eq!(unavailable.headers()["retry-after"], "3");
        let anonymous = answer(Problem::from(PollError::Unauthorized));
        assert_eq!(anonymous.headers()["www-authenticate"], "Bearer");
        let bad = answer(Problem::bad_credential("x"));
        assert_eq!(
            bad.headers()["www-authenticate"],
            r#"Bearer error="invalid_token""#
        );
        let allow = HeaderValue::from_static("GET");
        let refused = answer(Problem::method_not_allowed(allow));
        assert_eq!(refused.headers()["allow"], "GET");
        assert_eq!(
            refused.headers()["content-type"],
            "application/problem+json"
        );
    }
}
