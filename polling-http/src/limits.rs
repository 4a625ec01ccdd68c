//! Limits in the words of HTTP: `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 has them, and
//! `Retry-After` (RFC 9110, section 10.2.3).

use http::{HeaderName, HeaderValue};
use polling_core::limits::{Rule, Standing};

use crate::request::Call;
use crate::response::Response;

/// What is allowed: `"login";q=10;w=60` is ten in a minute.
pub(crate) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it: `"login";r=3;t=42` is three, and all of it again in 42 seconds.
pub(crate) const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// The fields about a limit. They say nothing where one of them cannot be written, which numbers and names always can.
pub(crate) fn fields(standing: &Standing) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let (rule, limit) = (standing.rule, standing.limit);
    let (quota, window) = (limit.count, limit.window.as_secs());
    let (remaining, resets_in) = (standing.remaining, standing.resets_in_seconds());
    let fields = [
        (POLICY, format!("\"{rule}\";q={quota};w={window}")),
        (LEFT, format!("\"{rule}\";r={remaining};t={resets_in}")),
    ];
    let field = |(name, text)| Some((name, HeaderValue::try_from(text).ok()?));
    fields.into_iter().filter_map(field)
}

/// Says on an answer what is left to its caller.
pub(crate) async fn tell(call: &Call, rule: Rule, mut response: Response) -> Response {
    // What was done is done: a limiter that cannot be asked now does not change it.
    if let Ok(Some(standing)) = call.engine.limits().standing(rule, &call.actor).await {
        response.headers_mut().extend(fields(&standing));
    }
    response
}
