//! How a database gets to the schema: once, whole, and with words for whoever may not.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot make its store has failed"
)]

mod common;
#[path = "common/voting.rs"]
mod voting;

use std::error::Error;

use common::{empty, on_each_version, rows, session, until};
use futures_util::future::join_all;
use pg_cluster::{Cluster, Database, Version};
use polling_pg::{Migrations, OpenError, PgOptions, PgStore, SchemaName};
use voting::a_whole_life;

on_each_version! {
    ten_stores_that_open_at_once_migrate_once
    ten_schemas_are_made_at_once
    a_schema_of_a_newer_version_is_refused
    a_schema_that_is_another_one_than_it_says_is_refused
    whoever_does_not_migrate_needs_a_schema_that_is_there
    a_role_that_may_not_make_schemas_uses_the_one_made_for_it
    a_role_without_any_right_is_told_what_it_lacks
    a_schema_that_is_current_needs_no_right_to_change_it
    a_migration_whose_connection_is_lost_leaves_nothing_half
    a_migration_that_fails_leaves_nothing_half
    a_migration_takes_the_time_that_it_needs
}

const HISTORY: &str = "SELECT version, name FROM polling.schema_history ORDER BY version";
const ALL: [&str; 5] = [
    "1|polls_votes_results_users",
    "2|voter_kinds",
    "3|sessions",
    "4|workspaces",
    "5|vote_tokens",
];
/// What the schema polling holds but for the history and its key.
const MADE: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                    WHERE n.nspname = 'polling' AND relname NOT LIKE 'schema_history%'";

async fn open(database: &Database) -> Result<PgStore, OpenError> {
    PgStore::connect(database.url()).await
}

/// With all that it was caused by.
fn words(opened: Result<PgStore, OpenError>) -> String {
    let error = opened.unwrap_err();
    let causes = std::iter::successors(Some(&error as &dyn Error), |&error| error.source());
    let words: Vec<String> = causes.map(ToString::to_string).collect();
    words.join(": ")
}

fn named(schema: &str) -> PgOptions {
    PgStore::builder().schema(schema.parse().unwrap())
}

async fn ten_stores_that_open_at_once_migrate_once(version: Version) {
    let database = empty(version).await;
    let stores = join_all((0..10).map(|_| open(&database))).await;
    assert!(stores.iter().all(Result::is_ok), "{stores:?}");
    assert_eq!(rows(&session(&database).await, HISTORY).await, ALL);
}

async fn ten_schemas_are_made_at_once(version: Version) {
    let database = empty(version).await;
    let names: Vec<String> = (0..10).map(|n| format!("polls_{n}")).collect();
    let open = |name: &String| named(name).connect(database.url());
    let stores = join_all(names.iter().map(open)).await;
    assert!(stores.iter().all(Result::is_ok), "{stores:?}");
    let session = session(&database).await;
    for name in &names {
        assert_eq!(rows(&session, &HISTORY.replace("polling", name)).await, ALL);
    }
}

async fn a_schema_of_a_newer_version_is_refused(version: Version) {
    let database = empty(version).await;
    open(&database).await.unwrap();
    let newer = Migrations::known() + 1;
    let session = session(&database).await;
    let insert = format!(
        "INSERT INTO polling.schema_history VALUES ({newer}, 'later', '2030-01-01T00:00:00Z', '1')"
    );
    session.batch_execute(&insert).await.unwrap();
    for options in [
        PgStore::builder(),
        PgStore::builder().migrate_on_open(false),
    ] {
        let refused = words(options.connect(database.url()).await);
        let known = Migrations::known();
        let expected = format!(
            "the database was migrated by a newer version: its schema is {newer}, \
             and this program knows them up to {known}"
        );
        assert_eq!(refused, expected);
    }
}

/// Somebody has mended a migration that was run already.
async fn a_schema_that_is_another_one_than_it_says_is_refused(version: Version) {
    let database = empty(version).await;
    open(&database).await.unwrap();
    let other = "UPDATE polling.schema_history SET checksum = '1'";
    session(&database).await.batch_execute(other).await.unwrap();
    let refused = words(open(&database).await);
    assert!(
        refused.contains("what was run as V1__polls_votes_results_users in the schema polling"),
        "{refused}"
    );
}

async fn whoever_does_not_migrate_needs_a_schema_that_is_there(version: Version) {
    let database = empty(version).await;
    let open = || {
        PgStore::builder()
            .migrate_on_open(false)
            .connect(database.url())
    };
    let refused = open().await.unwrap_err();
    let known = Migrations::known();
    assert!(
        matches!(refused, OpenError::OldSchema { found: 0, needed } if needed == known),
        "{refused:?}"
    );
    let expected =
        format!("the database has schema 0, and this program needs {known}: migrate it first");
    assert_eq!(refused.to_string(), expected);
    let mut session = session(&database).await;
    assert_eq!(rows(&session, MADE).await, ["0"]);
    let migrations = Migrations::of(SchemaName::default());
    for _ in 0..2 {
        migrations.apply(&mut session).await.unwrap();
    }
    migrations.check(&session).await.unwrap();
    open().await.unwrap();
}

/// The address at which a role without any right in the database comes in. Roles belong to the whole cluster: each is
/// called like its database.
async fn role(version: Version, database: &Database) -> (String, String) {
    let role = format!("role_{}", database.name());
    let name = database.name();
    let sql = format!(
        "CREATE ROLE {role} LOGIN; REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO {role}"
    );
    for statement in sql.split("; ") {
        Cluster::shared(version).execute(statement).await.unwrap();
    }
    let (scheme, rest) = database.url().split_once("://").unwrap();
    let place = rest.split_once('@').map_or(rest, |(_, place)| place);
    let url = format!("{scheme}://{role}@{place}");
    (role, url)
}

async fn a_role_that_may_not_make_schemas_uses_the_one_made_for_it(version: Version) {
    let database = empty(version).await;
    let (role, url) = role(version, &database).await;
    let made = format!("CREATE SCHEMA polling; GRANT USAGE, CREATE ON SCHEMA polling TO {role}");
    let session = session(&database).await;
    session.batch_execute(&made).await.unwrap();
    PgStore::connect(&url).await.unwrap();
    assert_eq!(rows(&session, HISTORY).await, ALL);
    let owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'polling'";
    assert_eq!(rows(&session, owners).await, [role]);
}

async fn a_role_without_any_right_is_told_what_it_lacks(version: Version) {
    let database = empty(version).await;
    let (role, url) = role(version, &database).await;
    let name = database.name();
    let refused = words(PgStore::connect(&url).await);
    assert_eq!(
        refused,
        format!(
            "the database could not be migrated: permission denied for database {name} (42501); there is no schema \
             polling yet, and the role {role} may not make it: somebody who may has to run either \
             GRANT CREATE ON DATABASE {name} TO {role}, or CREATE SCHEMA polling AUTHORIZATION {role}"
        )
    );
    let session = session(&database).await;
    let run = async |sql: &str| session.batch_execute(sql).await.unwrap();
    run("CREATE SCHEMA polling").await;
    let refused = words(PgStore::connect(&url).await);
    let denied = "permission denied for schema polling (42501)";
    assert!(refused.contains(denied), "{refused}");
    run(&format!("GRANT USAGE ON SCHEMA polling TO {role}")).await;
    let refused = words(PgStore::connect(&url).await);
    let remedy = format!("GRANT USAGE, CREATE ON SCHEMA polling TO {role}");
    assert!(
        refused.contains(denied) && refused.ends_with(&remedy),
        "{refused}"
    );
    // What it says is what it takes.
    run(&remedy).await;
    PgStore::connect(&url).await.unwrap();
}

/// It is owned by whoever migrates; the servers only write rows.
async fn a_schema_that_is_current_needs_no_right_to_change_it(version: Version) {
    let database = empty(version).await;
    let (role, url) = role(version, &database).await;
    open(&database).await.unwrap();
    let refused = words(PgStore::connect(&url).await);
    assert!(
        refused.contains("permission denied for schema polling"),
        "{refused}"
    );
    let session = session(&database).await;
    let run = async |sql: &str| session.batch_execute(sql).await.unwrap();
    run(&format!("GRANT USAGE ON SCHEMA polling TO {role}")).await;
    let refused = words(PgStore::connect(&url).await);
    assert!(
        refused.contains("permission denied for table schema_history"),
        "{refused}"
    );
    let remedy =
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA polling TO {role}");
    assert!(refused.ends_with(&remedy), "{refused}");
    run(&remedy).await;
    a_whole_life(&PgStore::connect(&url).await.unwrap()).await;
}

/// The view of another transaction is in the way of the migration's, which waits in the middle.
async fn a_migration_whose_connection_is_lost_leaves_nothing_half(version: Version) {
    let database = empty(version).await;
    let watcher = session(&database).await;
    let blocker = session(&database).await;
    let run = async |sql: &str| blocker.batch_execute(sql).await.unwrap();
    run("CREATE SCHEMA polling").await;
    run("BEGIN; CREATE VIEW polling.vote_selections AS SELECT 1").await;
    let opening = {
        let database = database.clone();
        tokio::spawn(async move { open(&database).await })
    };
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(&watcher, waits, "1").await;
    let end = waits.replace("count(*)", "pg_terminate_backend(pid)");
    assert_eq!(rows(&watcher, &end).await, ["t"]);
    let told = words(opening.await.unwrap());
    assert!(
        told.starts_with("the database could not be migrated: "),
        "{told}"
    );
    assert!(told.contains("terminating connection"), "{told}");
    run("ROLLBACK").await;
    assert_eq!(rows(&watcher, MADE).await, ["0"]);
    assert_eq!(rows(&watcher, HISTORY).await, [""; 0]);
    open(&database).await.unwrap();
    assert_eq!(rows(&watcher, HISTORY).await, ALL);
}

async fn a_migration_that_fails_leaves_nothing_half(version: Version) {
    let database = empty(version).await;
    let session = session(&database).await;
    let run = async |sql: &str| session.batch_execute(sql).await.unwrap();
    run("CREATE SCHEMA polling; CREATE VIEW polling.vote_selections AS SELECT 1").await;
    let told = words(open(&database).await);
    let expected =
        "the database could not be migrated: relation \"vote_selections\" already exists (42P07)";
    assert_eq!(told, expected);
    assert_eq!(rows(&session, MADE).await, ["1"]);
    assert_eq!(rows(&session, HISTORY).await, [""; 0]);
    run("DROP VIEW polling.vote_selections").await;
    open(&database).await.unwrap();
    assert_eq!(rows(&session, HISTORY).await, ALL);
}

/// A database whose statements are cut off soon lets the migration through: it waits for longer than that in the middle.
async fn a_migration_takes_the_time_that_it_needs(version: Version) {
    let database = empty(version).await;
    let blocker = session(&database).await;
    let run = async |sql: &str| blocker.batch_execute(sql).await.unwrap();
    run("CREATE SCHEMA polling").await;
    run("BEGIN; CREATE VIEW polling.vote_selections AS SELECT 1").await;
    let url = format!("{}?options=-c%20statement_timeout%3D50ms", database.url());
    let opening = tokio::spawn(async move { PgStore::connect(&url).await });
    let watcher = session(&database).await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '200 ms'";
    until(&watcher, waits, "1").await;
    run("ROLLBACK").await;
    opening.await.unwrap().unwrap();
}
