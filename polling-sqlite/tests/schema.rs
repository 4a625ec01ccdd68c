//! The schema, as people and their tools see it from outside.

mod common;

use common::{engine, folder, open_poll, shell, tea, vote};
use polling_core::polls::{Step, Voters};
use polling_core::users::{Email, PasswordHash, User, UserName};
use polling_core::{Actor, Ballot, Clock, NewPoll, Repository, SystemClock, UserId, Voter};
use polling_sqlite::SqliteStore;
use rusqlite::Connection;

#[tokio::test]
async fn the_shell_reads_the_selections_while_the_store_is_open() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let engine = engine(&store).await;
    let (system, ada) = (&Actor::System, UserId::from_bytes([0xAB; 16]));
    let user = User {
        id: ada,
        name: UserName::from_store("Ada".into()),
        email: Email::from_store("ada@example.org".into()),
        is_admin: false,
        created_at: SystemClock.now(),
    };
    let hash = PasswordHash::from_store("$".into());
    store
        .users()
        .unwrap()
        .insert(&user, Some(&hash))
        .await
        .unwrap();
    let new = NewPoll::multiple("On top?", ["Salt", "Oil", "Basil"], 1, 3);
    let new = new.voters(Voters::Registered).allow_change().published();
    let poll = engine.polls().create(system, new).await.unwrap();
    let stranger = UserId::from_bytes([0xCD; 16]);
    for (voter, positions) in [(ada, &[0, 2][..]), (stranger, &[2])] {
        let ballot = Ballot::of(poll.id, Voter::user(voter), positions.iter().copied());
        engine.votes().cast(system, ballot).await.unwrap();
    }
    let sql = "SELECT poll_id, option_id, position, option_text, user_id, user_name FROM vote_selections \
               ORDER BY voter, position";
    let id = |position: usize| poll.options[position].id;
    let row =
        |at: usize, text: &str, user: &str| format!("{}|{}|{at}|{text}|{user}", poll.id, id(at));
    let ada_row = format!("{ada}|Ada");
    let rows = [
        row(0, "Salt", &ada_row),
        row(2, "Basil", &ada_row),
        row(2, "Basil", "|"),
    ];
    assert_eq!(shell(&path, sql), rows.join("\n"));
    let voter = Voter::user(ada);
    engine
        .votes()
        .withdraw(system, poll.id, &voter)
        .await
        .unwrap();
    assert_eq!(shell(&path, sql), rows[2]);
    let times =
        "SELECT cast_at GLOB '20*T*.???Z', length(ballot_id), question FROM vote_selections";
    assert_eq!(shell(&path, times), "1|36|On top?");
    engine.polls().delete(system, poll.id).await.unwrap();
    assert_eq!(shell(&path, sql), "");
}

/// The view agrees with the counters, for each of 255 options.
#[tokio::test]
async fn the_view_counts_as_the_counters_do() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let engine = engine(&store).await;
    let options: Vec<String> = (0..255).map(|n| format!("Option {n}")).collect();
    let new = NewPoll::multiple("Which?", options, 1, 255).published();
    let poll = engine.polls().create(&Actor::System, new).await.unwrap().id;
    for n in 1..=40_u8 {
        let chosen = (0..255).filter(|at| at % n == 0);
        let ballot = Ballot::of(poll, Voter::vouched(n.to_string()), chosen);
        engine.votes().cast(&Actor::System, ballot).await.unwrap();
    }
    let tally = store.results().tally(poll).await.unwrap().unwrap();
    let counts: Vec<String> = tally.counts.iter().map(u64::to_string).collect();
    let sql = "SELECT count(*) FROM vote_selections GROUP BY position ORDER BY position";
    assert_eq!(shell(&path, sql), counts.join("\n"));
}

/// Whoever writes into the tables: the primary key is what forbids it.
#[tokio::test]
async fn a_second_ballot_is_forbidden_by_the_primary_key() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let engine = engine(&store).await;
    let poll = open_poll(&engine).await;
    vote(&engine, poll, "ada", 0).await;
    let raw = Connection::open(&path).unwrap();
    let refused = |sql: &str| raw.execute(sql, []).unwrap_err().to_string();
    let told = refused("INSERT INTO votes SELECT * FROM votes");
    assert_eq!(told, "UNIQUE constraint failed: votes.poll, votes.voter");
    let told = refused("UPDATE poll_tallies SET status = 'reopened'");
    assert_eq!(told, "CHECK constraint failed: poll_tallies_status_known");
    let told = refused("UPDATE votes SET ballot = x'00'");
    assert_eq!(told, "CHECK constraint failed: votes_ballot_is_uuid");
    let told = refused("UPDATE polls SET question = 5, version = 'one'");
    assert!(
        told.contains("cannot store TEXT value in INTEGER column"),
        "{told}"
    );
    raw.pragma_update(None, "foreign_keys", true).unwrap();
    let told = refused("DELETE FROM polls");
    assert_eq!(told, "FOREIGN KEY constraint failed");
}

/// Nothing of what it said stays, nor of what was voted.
#[tokio::test]
async fn a_purged_poll_leaves_the_hash_of_its_token_and_nothing_else() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let engine = engine(&store).await;
    let anonymous = Actor::anonymous();
    let theirs = engine
        .polls()
        .create(&anonymous, tea().allow_change())
        .await
        .unwrap();
    let nameless = engine.polls().create(&Actor::System, tea()).await.unwrap();
    let ballot = |at| Ballot::of(theirs.id, Voter::anyone("ada"), [at]);
    engine.votes().cast(&anonymous, ballot(0)).await.unwrap();
    engine.votes().change(&anonymous, ballot(1)).await.unwrap();
    for poll in [theirs.id, nameless.id] {
        engine.polls().delete(&Actor::System, poll).await.unwrap();
    }
    let texts = "SELECT count(*) FROM polls WHERE question <> '' OR description IS NOT NULL";
    assert_eq!(shell(&path, texts), "0");
    engine.shutdown().await;
    while store.polls().purge(2).await.unwrap() {}
    let rows = "SELECT count(*), (SELECT count(*) FROM poll_options), (SELECT count(*) FROM poll_tallies), \
                (SELECT count(*) FROM votes), (SELECT count(*) FROM superseded_ballots) FROM polls";
    assert_eq!(shell(&path, rows), "1|0|0|0|0");
    assert_eq!(
        shell(
            &path,
            "SELECT length(manage_token), length(question) FROM polls"
        ),
        "32|0"
    );
}

/// Nobody asks for it: what is deleted goes, and what an earlier run has left too.
#[tokio::test]
async fn the_rows_of_deleted_polls_go_in_the_background() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let left = store.clone();
    for earlier_run in [true, false] {
        let engine = engine(&store).await;
        let poll = open_poll(&engine).await;
        vote(&engine, poll, "ada", 0).await;
        if earlier_run {
            engine.shutdown().await;
            left.polls().delete(poll, SystemClock.now()).await.unwrap();
            continue;
        }
        engine.polls().delete(&Actor::System, poll).await.unwrap();
        let raw = Connection::open(&path).unwrap();
        let mut rows = raw.prepare("SELECT count(*) FROM votes").unwrap();
        let gone = async {
            while rows.query_row([], |row| row.get::<_, u32>(0)).unwrap() > 0 {
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(std::time::Duration::from_secs(30), gone).await;
        assert!(in_time.is_ok(), "the rows stay");
    }
}

/// A step that somebody waits for is on disk when it returns, and so is there for who reads the file from outside.
#[tokio::test]
async fn a_step_is_seen_from_outside_when_it_returns() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let engine = engine(&store).await;
    let poll = open_poll(&engine).await;
    let status = || shell(&path, "SELECT status FROM poll_tallies");
    assert_eq!(status(), "open");
    let now = SystemClock.now();
    store.polls().advance(poll, Step::Close, now).await.unwrap();
    assert_eq!(status(), "closed");
    assert_eq!(shell(&path, "PRAGMA journal_mode"), "wal");
}
