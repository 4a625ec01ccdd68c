//! The schema beside what else is in the database: an application's own tables, and other schemas of ours.

use std::time::Duration;

use futures_util::StreamExt;
use pg_cluster::{Database, Version};
use polling_core::polls::PollError;
use polling_core::results::{Hint, ResultsNotifier};
use polling_core::{Actor, PollId, Repository};
use polling_pg::{Migrations, PgNotifier, PgStore};
use tokio::time::timeout;

use crate::common::{empty, on_each_version, rows, session, until};
use crate::voting::{a_whole_life, engine, tea, vote};
use crate::{migrated, store_in};

on_each_version! {
    nothing_is_made_outside_the_schema
    a_search_path_that_leads_nowhere_does_no_harm
    tables_of_the_same_names_before_ours_do_no_harm
    a_migration_means_the_functions_of_postgresql
    two_schemas_know_nothing_of_each_other
    the_lock_of_one_schema_is_not_that_of_another
}

/// Everything with a name that is not in the schema itself; what keeps the long values of its tables counts as part of it.
const ELSEWHERE: &str = "\
SELECT 'relation', n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('polling', 'pg_toast')
UNION ALL SELECT 'function', n.nspname, p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname <> 'polling'
UNION ALL SELECT 'type', n.nspname, t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname NOT IN ('polling', 'pg_toast')
UNION ALL SELECT 'operator', oprname, oid::text FROM pg_operator
UNION ALL SELECT 'schema', nspname, '' FROM pg_namespace WHERE nspname <> 'polling'
UNION ALL SELECT 'extension', extname, '' FROM pg_extension
UNION ALL SELECT 'trigger', evtname, '' FROM pg_event_trigger
UNION ALL SELECT 'cast', castsource::text, casttarget::text FROM pg_cast
UNION ALL SELECT 'setting', setdatabase::text, setconfig::text FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY 1, 2, 3";

async fn nothing_is_made_outside_the_schema(version: Version) {
    let database = empty(version).await;
    let session = session(&database).await;
    let before = rows(&session, ELSEWHERE).await;
    let store = PgStore::connect(database.url()).await.unwrap();
    a_whole_life(&store).await;
    assert_eq!(rows(&session, ELSEWHERE).await, before);
    // Also not by what was handed in and is still under way: it is closed.
    drop(store);
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    until(&session, others, "0").await;
}

async fn set_search_path(database: &Database, path: &str) {
    let sql = format!(
        "ALTER DATABASE {} SET search_path = {path}",
        database.name()
    );
    session(database).await.batch_execute(&sql).await.unwrap();
}

async fn a_search_path_that_leads_nowhere_does_no_harm(version: Version) {
    let database = empty(version).await;
    set_search_path(&database, "nowhere").await;
    a_whole_life(&PgStore::connect(database.url()).await.unwrap()).await;
    let database = empty(version).await;
    let by_the_url = format!("{}?options=-c%20search_path%3Dnowhere", database.url());
    a_whole_life(&PgStore::connect(&by_the_url).await.unwrap()).await;
}

/// They raise when they are read, and when they are written.
async fn tables_of_the_same_names_before_ours_do_no_harm(version: Version) {
    let database = migrated(version).await;
    let session = session(&database).await;
    let trap = "\
        CREATE SCHEMA trap;
        CREATE FUNCTION trap.refuse() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
        CREATE FUNCTION trap.is_read() RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE 'trapped'; END $$;
        CREATE FUNCTION trap.is_written() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
        DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'polling'::regnamespace AND relkind = 'r' LOOP
                EXECUTE format('CREATE VIEW trap.%1$I AS SELECT * FROM polling.%1$I WHERE trap.is_read()', name);
                EXECUTE format('CREATE TRIGGER is_written INSTEAD OF INSERT OR UPDATE OR DELETE ON trap.%I '
                    'FOR EACH ROW EXECUTE FUNCTION trap.is_written()', name);
            END LOOP;
        END $$";
    session.batch_execute(trap).await.unwrap();
    let tables = "SELECT relname FROM pg_class WHERE relnamespace = 'trap'::regnamespace";
    let tables = rows(&session, tables).await;
    let ours = "SELECT relname FROM pg_class WHERE relnamespace = 'polling'::regnamespace AND relkind = 'r'";
    assert_eq!(tables.len(), rows(&session, ours).await.len(), "{tables:?}");
    for table in tables {
        let read = format!("SELECT 1 FROM trap.{table}");
        assert!(session.batch_execute(&read).await.is_err(), "{table}");
    }
    set_search_path(&database, "trap, public").await;
    a_whole_life(&PgStore::connect(database.url()).await.unwrap()).await;
    // A schema that is not there yet is not made of what is in the way, either.
    a_whole_life(&store_in(&database, "other").await).await;
}

/// Whatever an application calls its own, and lets come first.
async fn a_migration_means_the_functions_of_postgresql(version: Version) {
    let database = empty(version).await;
    let session = session(&database).await;
    let trap = "\
        CREATE SCHEMA trap;
        CREATE FUNCTION trap.octet_length(bytea) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
        CREATE FUNCTION trap.get_byte(bytea, integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$";
    session.batch_execute(trap).await.unwrap();
    set_search_path(&database, "trap, pg_catalog").await;
    drop(PgStore::connect(database.url()).await.unwrap());
    let users = "SELECT count(*) FROM pg_depend WHERE refobjid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'trap'::regnamespace)";
    assert_eq!(rows(&session, users).await, ["0"]);
}

async fn two_schemas_know_nothing_of_each_other(version: Version) {
    let database = empty(version).await;
    let (a, b) = (
        store_in(&database, "a").await,
        store_in(&database, "b").await,
    );
    let (in_a, in_b) = (engine(&a).await, engine(&b).await);
    let poll = tea(&in_a).await;
    vote(&in_a, poll, "ada", 0).await;
    let found = in_b.polls().read(&Actor::System, poll, None).await;
    assert!(matches!(found, Err(PollError::NotFound)), "{found:?}");
    assert!(b.results().tally(poll).await.unwrap().is_none());
    assert!(in_a.polls().read(&Actor::System, poll, None).await.is_ok());

    let (a, b) = (PgNotifier::of(a), PgNotifier::of(b));
    let mut heard_in_b = b.subscribe().await.unwrap();
    let hint = |byte| Hint {
        poll: PollId::from_bytes([byte; 16]),
        revision: Some(u64::from(byte)),
    };
    a.announce(&[hint(1)]).await.unwrap();
    b.announce(&[hint(2)]).await.unwrap();
    // What was told first is not what is heard first.
    let heard = timeout(Duration::from_secs(30), heard_in_b.next()).await;
    assert_eq!(heard.unwrap().unwrap().as_ref(), [hint(2)]);
    let session = session(&database).await;
    for schema in ["a", "b"] {
        let history = format!("SELECT max(version) FROM {schema}.schema_history");
        let known = Migrations::known().to_string();
        assert_eq!(rows(&session, &history).await, [known]);
    }
}

async fn the_lock_of_one_schema_is_not_that_of_another(version: Version) {
    let database = empty(version).await;
    let session = session(&database).await;
    let lock = "SELECT pg_advisory_lock(1886350444, hashtext('a'))";
    rows(&session, lock).await;
    let waiting = {
        let database = database.clone();
        tokio::spawn(async move { store_in(&database, "a").await })
    };
    let asks = "SELECT count(*) FROM pg_stat_activity \
                WHERE datname = current_database() AND query LIKE '-- schema.try_lock%'";
    until(&session, asks, "1").await;
    drop(store_in(&database, "b").await);
    let made = "SELECT nspname FROM pg_namespace WHERE nspname IN ('a', 'b')";
    assert_eq!(rows(&session, made).await, ["b"]);
    assert!(!waiting.is_finished());
    rows(&session, &lock.replace("_lock", "_unlock")).await;
    waiting.await.unwrap();
    assert_eq!(rows(&session, made).await.len(), 2);
}
