//! How a file that an older version has written becomes one of this version.

use std::path::PathBuf;

use polling_core::polls::Voters;
use polling_core::votes::VoterKey;
use polling_core::{PollId, Repository};
use refinery::Target;
use tempfile::TempDir;

use super::*;
use crate::SqliteStore;

/// One row of everything, as the first version wrote it: a poll of users with two ballots, of which one was changed; a
/// draft; and what is left of a deleted poll.
const FIRST_VERSION: &str = "\
INSERT INTO users VALUES
    (x'AA000000000000000000000000000000', 'Ada', 'Ada@example.org', 'ada@example.org', '$', 1000);
INSERT INTO signing_keys VALUES ('access_tokens', zeroblob(32));
INSERT INTO polls (key, id, question, description, choice_min, choice_max, voters, allow_change, listed, creator,
    manage_token, version, created_at, updated_at, deleted_at, purged)
VALUES
    (1, x'01000000000000000000000000000000', 'On top?', 'Of it', 1, 2, 'registered', 1, 1,
        x'AA000000000000000000000000000000', NULL, 3, 1000, 2000, NULL, 0),
    (4, x'04000000000000000000000000000000', 'Tea?', NULL, NULL, NULL, 'anyone', 0, 0, NULL, zeroblob(32), 1, 1, 1, NULL, 0),
    (9, x'09000000000000000000000000000000', '', NULL, NULL, NULL, 'vouched', 0, 0, NULL, zeroblob(32), 1, 1, 1, 2, 1);
INSERT INTO poll_options VALUES
    (1, 0, x'00', x'01000000000000000000000000000001', 'Salt'), (1, 1, x'01', x'01000000000000000000000000000002', 'Oil'),
    (4, 0, x'00', x'04000000000000000000000000000001', 'Yes'), (4, 1, x'01', x'04000000000000000000000000000002', 'No');
INSERT INTO poll_tallies VALUES
    (1, 'open', NULL, 5000, 'after_vote', 4, 2, x'01000000000000000200000000000000'),
    (4, 'draft', NULL, NULL, 'always', 0, 0, x'00000000000000000000000000000000');
INSERT INTO votes VALUES
    (1, x'AA000000000000000000000000000000', x'0B000000000000000000000000000001', x'0001', 1500, NULL),
    (1, x'BB000000000000000000000000000000', x'0B000000000000000000000000000002', x'01', 1600, NULL);
INSERT INTO superseded_ballots VALUES
    (1, x'AA000000000000000000000000000000', x'0B000000000000000000000000000009', 1);";

/// Everything that is in the tables, row by row.
const TABLES_OF_FIRST_VERSION: [&str; 7] = [
    "polls",
    "poll_options",
    "poll_tallies",
    "votes",
    "superseded_ballots",
    "users",
    "signing_keys",
];

fn file_of_first_version() -> (TempDir, PathBuf, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("polls.db");
    let mut connection = Connection::open(&path).unwrap();
    let first = runner().set_target(Target::Version(1));
    first.run(&mut connection).unwrap();
    connection
        .pragma_update(None, "foreign_keys", true)
        .unwrap();
    connection.execute_batch(FIRST_VERSION).unwrap();
    (folder, path, connection)
}

/// The rows of a statement, each as SQLite's values.
fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| {
        (0..columns)
            .map(|column| {
                Ok(format!(
                    "{:?}",
                    row.get::<_, rusqlite::types::Value>(column)?
                ))
            })
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    let rows = statement.query_map([], read).unwrap();
    rows.map(|row| row.unwrap().join("|")).collect()
}

/// The rows of all tables that the first version had, as far as it knew their columns, and of its view.
fn everything(connection: &Connection, columns: &[String]) -> Vec<Vec<String>> {
    let tables = TABLES_OF_FIRST_VERSION.iter().zip(columns);
    let mut all: Vec<_> = tables
        .map(|(table, columns)| rows(connection, &format!("SELECT {columns} FROM {table}")))
        .collect();
    all.push(rows(connection, "SELECT * FROM vote_selections"));
    all
}

fn columns(connection: &Connection) -> Vec<String> {
    let tables = TABLES_OF_FIRST_VERSION.iter();
    let names = |table: &&str| {
        let statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        statement.column_names().collect::<Vec<_>>().join(", ")
    };
    tables.map(names).collect()
}

#[tokio::test]
async fn a_file_of_the_first_version_is_there_whole_after_it_was_migrated() {
    let (_folder, path, first) = file_of_first_version();
    let columns = columns(&first);
    let before = everything(&first, &columns);
    assert!(before.iter().all(|rows| !rows.is_empty()), "{before:?}");
    drop(first);
    let store = SqliteStore::open(&path).await.unwrap();
    let outside = Connection::open(&path).unwrap();
    assert_eq!(everything(&outside, &columns), before);
    assert_eq!(rows(&outside, "PRAGMA foreign_key_check"), [""; 0]);
    assert_eq!(rows(&outside, "PRAGMA integrity_check"), ["Text(\"ok\")"]);

    let poll = PollId::from_bytes([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let found = store.polls().find(poll).await.unwrap().unwrap();
    assert_eq!(found.poll.voters, Voters::Registered);
    assert_eq!((found.tally.ballots, found.tally.counts), (2, vec![1, 2]));
    let recount = store.results().recount(poll).await.unwrap().unwrap();
    assert!(recount.agrees() && recount.ballots == 2, "{recount:?}");
    let mut ada = [0; 16];
    ada[0] = 0xAA;
    let ada = VoterKey::from_bytes(ada);
    assert!(store.votes().find(poll, &ada).await.unwrap().is_some());
}

/// Its name, the comments that explain the table, and the indexes are as they were.
#[tokio::test]
async fn the_kinds_of_voters_are_still_checked_by_name() {
    let (_folder, path, first) = file_of_first_version();
    let indexes = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'polls' AND sql IS NOT NULL";
    let before = rows(&first, indexes);
    drop(first);
    drop(SqliteStore::open(&path).await.unwrap());
    let file = Connection::open(&path).unwrap();
    assert!(
        before
            .iter()
            .all(|index| rows(&file, indexes).contains(index))
    );
    let insert = |voters: &str, id: u8| {
        let sql = "INSERT INTO polls (id, question, voters, allow_change, listed, version, created_at, updated_at) \
                   VALUES (?1, '', ?2, 0, 0, 1, 1, 1)";
        file.execute(sql, (vec![id; 16], voters))
    };
    for (id, voters) in ["anyone", "vouched", "registered", "members", "tokens"]
        .iter()
        .enumerate()
    {
        insert(voters, 100 + id as u8).unwrap();
    }
    let refused = insert("cats", 200).unwrap_err().to_string();
    assert_eq!(refused, "CHECK constraint failed: polls_voters_known");
    let table = &rows(&file, "SELECT sql FROM sqlite_schema WHERE name = 'polls'")[0];
    assert!(
        table.contains("-- The definitions of the polls."),
        "{table}"
    );
    assert_eq!(table.matches("polls_voters_known").count(), 1, "{table}");
}

/// The last thing that a migration writes is that it was run: where that fails, nothing of it stands.
#[tokio::test]
async fn a_migration_that_does_not_come_to_its_end_leaves_the_version_before() {
    let (_folder, path, first) = file_of_first_version();
    let schema = "SELECT type, name, sql FROM sqlite_schema WHERE name <> 'in_the_way'";
    let before = rows(&first, schema);
    let in_the_way = "CREATE TRIGGER in_the_way BEFORE INSERT ON refinery_schema_history \
                      BEGIN SELECT raise(ABORT, 'in the way'); END";
    first.execute_batch(in_the_way).unwrap();
    drop(first);
    let refused = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(refused, OpenError::Migration(_)), "{refused:?}");
    let file = Connection::open(&path).unwrap();
    assert_eq!(rows(&file, schema), before);
    file.execute_batch("DROP TRIGGER in_the_way").unwrap();
    drop(file);
    SqliteStore::open(&path).await.unwrap();
}
