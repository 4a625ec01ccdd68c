//! The engine on an application's own pool, in its own database.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot make its store has failed"
)]

mod common;
#[path = "common/voting.rs"]
mod voting;

use std::time::Duration;

use common::{empty, on_each_version, rows, session, until};
use pg_cluster::{Database, Version};
use polling_core::{Actor, Engine, PollId, Settings};
use polling_pg::deadpool_postgres::tokio_postgres::{self, NoTls};
use polling_pg::deadpool_postgres::{Manager, Pool, Runtime};
use polling_pg::{ConnectOptions, OpenError, PgStore};
use voting::{a_whole_life, engine, tea, vote};

on_each_version! {
    an_engine_lives_on_the_pool_of_an_application
    a_pool_whose_commits_may_be_lost_is_refused
    a_pool_of_another_isolation_level_is_refused
    the_sessions_of_the_pool_stay_as_they_were
    what_the_lanes_took_is_not_in_the_pool_any_more
    without_a_listener_two_engines_end_on_the_same_result
    with_a_listener_they_do_not_wait_for_the_next_look
    an_engine_that_is_closed_gives_everything_back
}

/// How the application calls its connections.
const HOST: &str = "host";

/// Connects when it has to, as the application would have it.
fn pool(database: &Database, options: &str, connections: usize) -> Pool {
    let mut config: tokio_postgres::Config = database.url().parse().unwrap();
    config.options(options).application_name(HOST);
    Pool::builder(Manager::new(config, NoTls))
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .build()
        .unwrap()
}

async fn through(pool: &Pool) -> Result<PgStore, OpenError> {
    PgStore::builder().connect_through(pool.clone(), None).await
}

/// The sessions of the application in its database.
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity \
                        WHERE datname = current_database() AND application_name = 'host'";

async fn an_engine_lives_on_the_pool_of_an_application(version: Version) {
    let database = empty(version).await;
    let session = session(&database).await;
    let theirs = "CREATE TABLE votes (poll text, voter text); CREATE TABLE users (id integer);
                  INSERT INTO votes VALUES ('lunch', 'ada'); INSERT INTO users VALUES (1), (2)";
    session.batch_execute(theirs).await.unwrap();
    let pool = pool(&database, "", 4);
    a_whole_life(&through(&pool).await.unwrap()).await;
    // What is theirs was not touched, and their connections still find it under its plain name.
    let client = pool.get().await.unwrap();
    assert_eq!(rows(&client, "SELECT * FROM votes").await, ["lunch|ada"]);
    assert_eq!(rows(&client, "SELECT * FROM users").await, ["1", "2"]);
    let tables =
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1";
    assert_eq!(rows(&client, tables).await, ["users", "votes"]);
}

async fn a_pool_whose_commits_may_be_lost_is_refused(version: Version) {
    let database = empty(version).await;
    for setting in ["off", "local", "remote_write"] {
        let pool = pool(&database, &format!("-c synchronous_commit={setting}"), 4);
        let refused = through(&pool).await.unwrap_err().to_string();
        assert_eq!(
            refused,
            format!(
                "the connections of the pool have synchronous_commit = {setting}, and votes need on"
            )
        );
    }
    through(&pool(&database, "-c synchronous_commit=remote_apply", 4))
        .await
        .unwrap();
}

async fn a_pool_of_another_isolation_level_is_refused(version: Version) {
    let database = empty(version).await;
    for level in ["serializable", "repeatable read"] {
        let option = level.replace(' ', "\\ ");
        let pool = pool(
            &database,
            &format!("-c default_transaction_isolation={option}"),
            4,
        );
        let refused = through(&pool).await.unwrap_err().to_string();
        assert_eq!(
            refused,
            format!(
                "the connections of the pool have default_transaction_isolation = {level}, and votes need read committed"
            )
        );
    }
    // Nothing was done there.
    let made = "SELECT count(*) FROM pg_namespace WHERE nspname = 'polling'";
    assert_eq!(rows(&session(&database).await, made).await, ["0"]);
}

/// Of every session of the pool, all its settings, but for those of PL/pgSQL, which come with its first function; and
/// how many channels it listens to and locks it holds.
async fn settings(pool: &Pool) -> Vec<Vec<String>> {
    let mut clients = Vec::new();
    for _ in 0..pool.status().max_size {
        clients.push(pool.get().await.unwrap());
    }
    let mut settings = Vec::new();
    for client in &clients {
        let all = "SELECT name, setting FROM pg_settings WHERE name NOT LIKE 'plpgsql.%'";
        settings.push(rows(client, all).await);
        let held = "SELECT (SELECT count(*) FROM pg_listening_channels()), \
                    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())";
        settings.push(rows(client, held).await);
    }
    settings
}

async fn the_sessions_of_the_pool_stay_as_they_were(version: Version) {
    let database = empty(version).await;
    let pool = pool(
        &database,
        "-c statement_timeout=12345 -c enable_hashjoin=off",
        4,
    );
    let before = settings(&pool).await;
    let store = through(&pool).await.unwrap();
    a_whole_life(&store).await;
    let after = settings(&pool).await;
    for (before, after) in before.iter().zip(&after) {
        let changed = after.iter().filter(|setting| !before.contains(setting));
        assert_eq!(changed.collect::<Vec<_>>(), [""; 0]);
    }
    assert!(after[0].contains(&"statement_timeout|12345".to_owned()));
}

async fn what_the_lanes_took_is_not_in_the_pool_any_more(version: Version) {
    let database = empty(version).await;
    let pool = pool(&database, "", 2);
    let store = through(&pool).await.unwrap();
    // Of two lanes, it is chance which one a voter takes.
    let mut settings = Settings::default();
    settings.lanes = Some(1);
    let engine = Engine::builder(store).settings(settings).build();
    let engine = engine.await.unwrap();
    let poll = tea(&engine).await;
    for voter in ["ada", "grace"] {
        vote(&engine, poll, voter, 0).await;
    }
    // The pool lends as many as ever, and none of those is set up as a lane's.
    let lent = [pool.get().await.unwrap(), pool.get().await.unwrap()];
    for client in &lent {
        let lanes = "SELECT current_setting('enable_seqscan')";
        assert_eq!(rows(client, lanes).await, ["on"]);
    }
    let session = session(&database).await;
    until(&session, SESSIONS, "3").await;
    // And the lane goes on while the application has lent out all that there is.
    vote(&engine, poll, "linus", 0).await;
}

/// What a viewer of this engine is shown once so many ballots are counted.
async fn shown(engine: &Engine, poll: PollId, ballots: u64) -> (u64, Vec<u64>) {
    let mut live = engine.results().watch(&Actor::System, poll).await.unwrap();
    let watch = async {
        loop {
            let results = live.next().await.unwrap();
            if results.ballots == ballots {
                let votes = results.options.iter().map(|option| option.votes);
                return (results.revision, votes.collect());
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), watch).await;
    in_time.unwrap()
}

async fn without_a_listener_two_engines_end_on_the_same_result(version: Version) {
    let database = empty(version).await;
    let (one, two) = (pool(&database, "", 4), pool(&database, "", 4));
    let one = engine(&through(&one).await.unwrap()).await;
    let two = engine(&through(&two).await.unwrap()).await;
    let poll = tea(&one).await;
    let voting = async {
        for n in 0..10 {
            vote(&one, poll, &format!("one {n}"), 0).await;
            vote(&two, poll, &format!("two {n}"), 1).await;
        }
    };
    let (in_one, in_two, ()) = tokio::join!(shown(&one, poll, 20), shown(&two, poll, 20), voting);
    assert_eq!(in_one, in_two);
    assert_eq!(in_one.1, [10, 10]);
    let listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'";
    assert_eq!(rows(&session(&database).await, listening).await, ["0"]);
}

/// The store is not looked at again within the time of the test: what is shown was heard.
async fn with_a_listener_they_do_not_wait_for_the_next_look(version: Version) {
    let database = empty(version).await;
    let engine = async || {
        let listener = ConnectOptions::parse(database.url()).unwrap();
        let store = PgStore::builder()
            .connect_through(pool(&database, "", 4), Some(listener))
            .await
            .unwrap();
        let mut settings = Settings::default();
        settings.refresh_interval = Duration::from_secs(600);
        Engine::builder(store)
            .settings(settings)
            .build()
            .await
            .unwrap()
    };
    let (one, two) = (engine().await, engine().await);
    let listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'";
    until(&session(&database).await, listening, "2").await;
    let poll = tea(&one).await;
    let watching = tokio::spawn({
        let two = two.clone();
        async move { shown(&two, poll, 1).await }
    });
    vote(&one, poll, "ada", 1).await;
    assert_eq!(watching.await.unwrap().1, [0, 1]);
}

async fn an_engine_that_is_closed_gives_everything_back(version: Version) {
    let database = empty(version).await;
    let pool = pool(&database, "", 4);
    let listener = ConnectOptions::parse(database.url()).unwrap();
    let store = PgStore::builder()
        .connect_through(pool.clone(), Some(listener))
        .await
        .unwrap();
    let engine = engine(&store).await;
    let poll = tea(&engine).await;
    vote(&engine, poll, "ada", 0).await;
    engine.shutdown().await;
    drop((engine, store));
    // What is left is what the pool itself keeps, all of it free.
    let session = session(&database).await;
    let others = "SELECT count(*) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'host'";
    until(&session, others, "0").await;
    until(&session, SESSIONS, &pool.status().size.to_string()).await;
    assert_eq!(pool.status().available, pool.status().size);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    assert_eq!(rows(&session, waiting).await, ["0"]);
}
