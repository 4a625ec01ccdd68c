//! What the tests of the file share.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use polling_core::{Actor, Ballot, Engine, NewPoll, PollId, Voter};
use polling_sqlite::SqliteStore;
use tempfile::TempDir;

pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("polls.db");
    (folder, path)
}

pub(crate) async fn engine(store: &SqliteStore) -> Engine {
    Engine::builder(store.clone()).build().await.unwrap()
}

pub(crate) fn tea() -> NewPoll {
    NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]).published()
}

/// An open poll of [`tea`].
pub(crate) async fn open_poll(engine: &Engine) -> PollId {
    let poll = engine.polls().create(&Actor::System, tea()).await;
    poll.unwrap().id
}

pub(crate) async fn vote(engine: &Engine, poll: PollId, voter: &str, position: u8) -> bool {
    let ballot = Ballot::of(poll, Voter::vouched(voter), [position]);
    engine
        .votes()
        .cast(&Actor::System, ballot)
        .await
        .unwrap()
        .created
}

/// What the sqlite3 shell says to `sql`.
pub(crate) fn shell(path: &Path, sql: &str) -> String {
    let mut shell = Command::new("sqlite3");
    let output = shell.arg("-readonly").arg(path).arg(sql).output();
    let output = output.expect("the sqlite3 shell is installed");
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && complaint.is_empty(),
        "{complaint}"
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
