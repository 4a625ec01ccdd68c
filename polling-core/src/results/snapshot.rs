//! One revision of a poll's results, rendered at most once for all who watch.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::model::{Results, Tally};
use crate::polls::{Poll, PollRecord, ShowResults, Status};

/// One revision of a poll's results, shared by all of its viewers.
#[derive(Debug)]
pub struct Snapshot {
    poll: Arc<Poll>,
    tally: Tally,
    results: OnceLock<Results>,
    json: OnceLock<Bytes>,
    message: OnceLock<Bytes>,
}

impl Snapshot {
    pub(crate) fn new(record: PollRecord) -> Self {
        Self {
            poll: record.poll,
            tally: record.tally,
            results: OnceLock::new(),
            json: OnceLock::new(),
            message: OnceLock::new(),
        }
    }

    /// The next snapshot of the same poll, whose definition has not changed.
    pub(crate) fn with(&self, tally: Tally) -> Self {
        Self::new(PollRecord {
            poll: Arc::clone(&self.poll),
            tally,
        })
    }

    pub(crate) fn poll(&self) -> &Arc<Poll> {
        &self.poll
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether everybody may see these results: else a transport must keep shared caches from keeping them.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.tally.show_results == ShowResults::Always && self.tally.status != Status::Draft
    }

    /// The results.
    pub fn results(&self) -> &Results {
        self.results
            .get_or_init(|| Results::of(&self.poll, &self.tally))
    }

    /// The results as a JSON object.
    pub fn json(&self) -> &Bytes {
        self.json.get_or_init(|| {
            serde_json::to_vec(self.results())
                .map(Bytes::from)
                .unwrap_or_default()
        })
    }

    /// The same object with `"type":"results"` first: what transports of messages send, one buffer for all viewers.
    pub fn message(&self) -> &Bytes {
        self.message.get_or_init(|| {
            const HEAD: &[u8] = br#"{"type":"results","#;
            // The object is never empty: after its brace comes a field.
            let fields = self.json().get(1..).unwrap_or_default();
            Bytes::from([HEAD, fields].concat())
        })
    }
}
