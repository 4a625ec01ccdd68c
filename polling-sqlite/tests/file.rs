//! The database as a file: opening it, keeping it, and reading it from outside.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{engine, folder, open_poll, shell, tea, vote};
use polling_core::{Actor, Repository};
use polling_sqlite::{OpenError, SqliteStore};
use rusqlite::Connection;

/// The sentence that people read.
fn sentence(opened: Result<SqliteStore, OpenError>) -> String {
    opened.map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn what_was_kept_is_there_after_the_file_is_opened_again() {
    let (_folder, path) = folder();
    let mut poll = None;
    for round in 0..3 {
        let store = SqliteStore::open(&path).await.unwrap();
        let engine = engine(&store).await;
        let id = match poll {
            None => {
                engine
                    .polls()
                    .create(&Actor::System, tea())
                    .await
                    .unwrap()
                    .id
            }
            Some(id) => id,
        };
        poll = Some(id);
        assert_eq!(vote(&engine, id, "ada", 0).await, round == 0);
        assert!(vote(&engine, id, &format!("voter {round}"), 1).await);
        engine.shutdown().await;
    }
    assert_eq!(shell(&path, "SELECT ballots FROM poll_tallies"), "4");
}

/// A kill takes the process and nothing else: the files are as they are at this moment.
#[tokio::test]
async fn what_was_answered_is_in_the_files_at_that_moment() {
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let engine = engine(&store).await;
    let poll = open_poll(&engine).await;
    for n in 0..30_u64 {
        assert!(vote(&engine, poll, &n.to_string(), 0).await);
        if n % 10 != 9 {
            continue;
        }
        let copy = folder.path().join(format!("copy-{n}.db"));
        for end in ["", "-wal"] {
            let file = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
            fs::copy(file(&path), file(&copy)).unwrap();
        }
        let survived = SqliteStore::open(&copy).await.unwrap();
        let recount = survived.results().recount(poll).await.unwrap().unwrap();
        assert!(recount.agrees());
        assert_eq!(recount.ballots, n + 1);
    }
}

#[tokio::test]
async fn a_file_belongs_to_one_process_and_the_second_is_told_so() {
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let clone = store.clone();
    drop(store);
    fs::create_dir(folder.path().join("below")).unwrap();
    let roundabout = folder.path().join("below/../polls.db");
    for path in [&path, &roundabout] {
        let told = sentence(SqliteStore::open(path).await);
        assert!(told.contains("one process at a time"), "{told}");
        assert!(told.contains("polls.db"), "{told}");
    }
    clone.ping().await.unwrap();
    drop(clone);
    // The last handle closes the file, and everything beside it is tidied up.
    SqliteStore::open(&path).await.unwrap();
    let wal = folder.path().join("polls.db-wal");
    assert!(!wal.exists());
}

/// Whatever was opened by another name is the same file.
#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_file_is_the_same_file() {
    let (folder, path) = folder();
    let _store = SqliteStore::open(&path).await.unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let told = sentence(SqliteStore::open(&link).await);
    assert!(told.contains("one process at a time"), "{told}");
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_in_words() {
    let (folder, path) = folder();
    let nowhere = folder.path().join("nowhere").join("polls.db");
    let told = sentence(SqliteStore::open(&nowhere).await);
    assert!(told.starts_with("there is no directory"), "{told}");
    fs::write(&path, "This is a letter, and not a database. ".repeat(40)).unwrap();
    let told = sentence(SqliteStore::open(&path).await);
    assert!(told.ends_with("polls.db is not a database"), "{told}");
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .starts_with("This is a letter")
    );
    let other = folder.path().join("other.db");
    let foreign = Connection::open(&other).unwrap();
    foreign
        .execute_batch("CREATE TABLE cats (name TEXT)")
        .unwrap();
    let told = sentence(SqliteStore::open(&other).await);
    assert!(
        told.ends_with("is the database of another program"),
        "{told}"
    );
    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    let told = sentence(SqliteStore::open(&below).await);
    assert!(told.ends_with("below is not a database"), "{told}");
    assert!(!folder.path().join("below.lock").exists());
    let told = sentence(SqliteStore::builder().readers(0).in_memory().await);
    assert_eq!(told, "the option readers must be at least 1");
}

/// A path is a path, whatever it looks like.
#[tokio::test]
async fn names_that_sqlite_finds_special_are_files() {
    let (folder, _) = folder();
    for name in [
        ":memory:",
        "file:polls.db?mode=memory",
        "100% a b#.db",
        "ü.db",
    ] {
        let path = folder.path().join(name);
        SqliteStore::open(&path)
            .await
            .unwrap()
            .ping()
            .await
            .unwrap();
        assert!(path.is_file(), "{name}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let (_folder, path) = folder();
    SqliteStore::migrate(&path).await.unwrap();
    let raw = Connection::open(&path).unwrap();
    raw.execute(
        "INSERT INTO refinery_schema_history VALUES (99, 'future', '2027-01-01T00:00:00Z', '1')",
        [],
    )
    .unwrap();
    drop(raw);
    for migrate in [true, false] {
        let opened = SqliteStore::builder()
            .migrate_on_open(migrate)
            .open(&path)
            .await;
        let told = sentence(opened);
        assert!(
            told.starts_with("the database was written by a newer version"),
            "{told}"
        );
        assert!(told.contains("99"), "{told}");
    }
}

#[tokio::test]
async fn who_migrates_by_hand_is_told_when_to() {
    let (_folder, path) = folder();
    let by_hand = || SqliteStore::builder().migrate_on_open(false);
    let told = sentence(by_hand().open(&path).await);
    assert!(told.ends_with("migrate it first"), "{told}");
    SqliteStore::migrate(&path).await.unwrap();
    SqliteStore::migrate(&path).await.unwrap();
    by_hand().open(&path).await.unwrap().ping().await.unwrap();
}

/// It holds the key that signs access tokens, and the hashes of passwords.
#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let engine = engine(&store).await;
    engine.polls().create(&Actor::System, tea()).await.unwrap();
    let mut names = Vec::new();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
        names.push(file.file_name());
    }
    names.sort();
    let expected = ["polls.db", "polls.db-shm", "polls.db-wal", "polls.db.lock"];
    assert_eq!(names, expected);
}
