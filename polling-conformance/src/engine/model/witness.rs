//! Who watches, and remembers what they were shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use polling_core::results::{Update, Viewer};
use polling_core::{Actor, Engine, PollId};
use tokio::sync::oneshot;

/// The ballots, and the votes of each option.
type Content = (u64, Vec<u64>);

/// The same revision is the same content, whoever shows it.
#[derive(Clone, Default)]
pub(super) struct Witness {
    seen: Arc<Mutex<BTreeMap<u64, Content>>>,
}

impl Witness {
    pub(super) fn saw(&self, revision: u64, ballots: u64, votes: &[u64]) -> Result<(), String> {
        let now = (ballots, votes.to_vec());
        let mut seen = self.seen.lock().unwrap();
        let before = seen.entry(revision).or_insert_with(|| now.clone());
        if *before != now || votes.iter().sum::<u64>() != ballots {
            return Err(format!(
                "revision {revision} was {before:?}, and is {now:?}"
            ));
        }
        Ok(())
    }

    /// Looks at what is shown until it is called off, or the server ends: every result is newer than the one before.
    pub(super) async fn watch(
        self,
        engine: Engine,
        poll: PollId,
        mut enough: oneshot::Receiver<()>,
    ) -> Result<(), String> {
        let service = engine.results();
        let viewing = service.subscribe(&Actor::System, poll, Viewer::default());
        let Ok(mut viewing) = viewing.await else {
            return Ok(());
        };
        // Whoever watches must not keep the server from ending.
        drop(engine);
        let mut newest = 0;
        loop {
            let update = tokio::select! {
                update = viewing.update() => update,
                _ = &mut enough => return Ok(()),
            };
            let Update::Results(shown) = update else {
                return Ok(());
            };
            let results = shown.results();
            if results.revision <= newest {
                return Err(format!("{} was shown after {newest}", results.revision));
            }
            newest = results.revision;
            let votes: Vec<u64> = results.options.iter().map(|option| option.votes).collect();
            self.saw(newest, results.ballots, &votes)?;
        }
    }
}
