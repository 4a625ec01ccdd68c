//! Who remembers everything that anybody was shown.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::task::JoinSet;

use super::client::Client;
use super::events::Viewer;

/// The same revision of a poll has the same content, on every server, for ever: a second one ends the test.
#[derive(Clone, Default)]
pub(crate) struct Witness {
    seen: Arc<Mutex<BTreeMap<(String, u64), Value>>>,
}

impl Witness {
    pub(crate) fn saw(&self, results: &Value) {
        let poll = results["poll_id"].as_str().expect("of a poll").to_owned();
        let revision = results["revision"].as_u64().expect("a revision");
        let before = self
            .seen
            .lock()
            .unwrap()
            .entry((poll, revision))
            .or_insert_with(|| results.clone())
            .clone();
        assert_eq!(&before, results, "revision {revision} was something else");
    }

    /// How many revisions were shown to anybody.
    pub(crate) fn revisions(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Looks at what viewers and readers of this poll are shown by this server, until it is final. What they are shown
    /// never gets older.
    pub(crate) fn look(&self, watching: &mut JoinSet<Value>, server: SocketAddr, poll: &Value) {
        let (witness, poll_watched) = (self.clone(), poll.clone());
        watching.spawn(async move {
            let mut viewer = Viewer::watch(server, &poll_watched).await;
            let mut newest = 0;
            loop {
                witness.saw(&viewer.last);
                newest = newer(newest, &viewer.last);
                if viewer.last["final"] == true {
                    return viewer.last;
                }
                viewer.next().await.expect("the stream goes on");
            }
        });
        let (witness, poll_read) = (self.clone(), poll.clone());
        watching.spawn(async move {
            let path = format!("/polls/{}/results", poll_read["id"].as_str().unwrap());
            let mut client = Client::connect(server).await.unwrap();
            let mut newest = 0;
            loop {
                let (_, results) = client.get(&path).await;
                witness.saw(&results);
                newest = newer(newest, &results);
                if results["final"] == true {
                    return results;
                }
            }
        });
    }
}

fn newer(before: u64, results: &Value) -> u64 {
    let revision = results["revision"].as_u64().expect("a revision");
    assert!(
        revision >= before,
        "{revision} was shown by the same server after {before}"
    );
    revision
}
