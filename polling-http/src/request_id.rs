//! The id by which a request is found in the log: the client's own, or one that is made here.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use polling_core::{IdSource, RandomIds};

/// The header that carries it, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Characters of a client's own id, at most.
const MOST_CHARS: usize = 128;

/// Bytes of an id that is made here, at most: 16 digits, a dash, and the greatest number.
const MADE_BYTES: usize = 16 + 1 + 20;

/// Makes ids: a random one for each run, and a number for each request.
pub(crate) struct RequestIds {
    run: String,
    requests: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        let mut random = [0; 8];
        RandomIds.fill(&mut random);
        Self {
            run: format!("{:016x}", u64::from_ne_bytes(random)),
            requests: AtomicU64::new(1),
        }
    }

    /// The client's id where it is fit to be logged, else a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        if let Some(own) = headers.get(REQUEST_ID).filter(|own| is_sane(own)) {
            return own.clone();
        }
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut text = [0; MADE_BYTES];
        let mut rest = &mut text[..];
        let _ = write!(rest, "{}-{number}", self.run);
        let length = MADE_BYTES - rest.len();
        // Hexadecimal digits and a dash are good in headers.
        HeaderValue::from_bytes(&text[..length]).unwrap_or(HeaderValue::from_static("none"))
    }
}

fn is_sane(id: &HeaderValue) -> bool {
    (1..=MOST_CHARS).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_the_longest_id_that_is_made() {
        let ids = RequestIds::new();
        ids.requests.store(u64::MAX, Ordering::Relaxed);
        let made = ids.of(&HeaderMap::new());
        assert_eq!(made.to_str().unwrap(), format!("{}-{}", ids.run, u64::MAX));
        assert_eq!(made.len(), MADE_BYTES);
    }

    #[test]
    fn the_clients_id_is_taken_when_it_is_sane() {
        let ids = RequestIds::new();
        let answered = |own: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(own).unwrap());
            ids.of(&headers) == own
        };
        let longest = [b'a'; MOST_CHARS];
        assert!(answered(b"a") && answered(b"req-1/2:3") && answered(&longest));
        assert!(!answered(b"") && !answered(b"a b") && !answered(&[b'a'; MOST_CHARS + 1]));
        assert!(!answered("é".as_bytes()));
    }

    #[test]
    fn made_ids_differ() {
        let (ids, headers) = (RequestIds::new(), HeaderMap::new());
        assert_ne!(ids.of(&headers), ids.of(&headers));
        assert_ne!(ids.of(&headers), RequestIds::new().of(&headers));
    }
}
