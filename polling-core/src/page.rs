//! Listings come in pages: the rules that all of them have.

use crate::FieldError;

/// How many of `what` a page may have: as many as were asked for, from 1 to `most`, which is also what counts where nobody
/// says.
pub(crate) fn limit(asked: Option<usize>, most: usize, what: &str) -> Result<usize, FieldError> {
    let limit = asked.unwrap_or(most);
    if (1..=most).contains(&limit) {
        Ok(limit)
    } else {
        let detail = format!("a page has from 1 to {most} {what}, not {limit}");
        Err(FieldError::invalid("/limit", detail))
    }
}

/// Leaves the first `limit` of what was found, of which one more says that there is a next page; returns whether there is.
pub(crate) fn cut<T>(found: &mut Vec<T>, limit: usize) -> bool {
    let more = found.len() > limit;
    found.truncate(limit);
    more
}
