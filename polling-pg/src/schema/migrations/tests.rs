//! How a schema that an older version has made becomes one of this version.

use pg_cluster::{Cluster, Version};
use polling_core::polls::Voters;
use polling_core::votes::VoterKey;
use polling_core::{PollId, Repository};
use refinery::Target;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::*;
use crate::PgStore;

/// One row of everything, as the first version wrote it: a poll of users with two ballots, of which one was changed; a
/// draft; and what is left of a deleted poll.
const FIRST_VERSION: &str = "\
INSERT INTO polling.users VALUES
    ('aa000000-0000-0000-0000-000000000000', 'Ada', 'Ada@example.org', 'ada@example.org', '$', now());
INSERT INTO polling.signing_keys VALUES ('access_tokens', decode(repeat('00', 32), 'hex'));
INSERT INTO polling.polls (id, question, description, choice_min, choice_max, voters, allow_change, listed, creator,
    manage_token, created_at, deleted_at, purged)
VALUES
    ('01000000-0000-0000-0000-000000000000', 'On top?', 'Of it', 1, 2, 'registered', true, true,
        'aa000000-0000-0000-0000-000000000000', NULL, now(), NULL, false),
    ('04000000-0000-0000-0000-000000000000', 'Tea?', NULL, NULL, NULL, 'anyone', false, false, NULL,
        decode(repeat('00', 32), 'hex'), now(), NULL, false),
    ('09000000-0000-0000-0000-000000000000', '', NULL, NULL, NULL, 'vouched', false, false, NULL,
        decode(repeat('00', 32), 'hex'), now(), now(), true);
INSERT INTO polling.poll_options VALUES
    ('01000000-0000-0000-0000-000000000000', 0, '01000000-0000-0000-0000-000000000001', 'Salt'),
    ('01000000-0000-0000-0000-000000000000', 1, '01000000-0000-0000-0000-000000000002', 'Oil'),
    ('04000000-0000-0000-0000-000000000000', 0, '04000000-0000-0000-0000-000000000001', 'Yes'),
    ('04000000-0000-0000-0000-000000000000', 1, '04000000-0000-0000-0000-000000000002', 'No');
INSERT INTO polling.poll_tallies VALUES
    ('01000000-0000-0000-0000-000000000000', 3, now(), 'open', NULL, '2030-01-01T00:00:00Z', 'after_vote', 4, 2, '{1,2}'),
    ('04000000-0000-0000-0000-000000000000', 1, now(), 'draft', NULL, NULL, 'always', 0, 0, '{0,0}');
INSERT INTO polling.votes VALUES
    ('01000000-0000-0000-0000-000000000000', 'aa000000-0000-0000-0000-000000000000',
        '0b000000-0000-0000-0000-000000000001', now(), NULL, '\\x0001'),
    ('01000000-0000-0000-0000-000000000000', 'bb000000-0000-0000-0000-000000000000',
        '0b000000-0000-0000-0000-000000000002', now(), NULL, '\\x01');
INSERT INTO polling.superseded_ballots VALUES
    ('01000000-0000-0000-0000-000000000000', 'aa000000-0000-0000-0000-000000000000',
        '0b000000-0000-0000-0000-000000000009', '0b000000-0000-0000-0000-000000000009');";

/// What the first version had, with the columns that it knew of those tables that have got more since.
const EVERYTHING_OF_FIRST_VERSION: [&str; 8] = [
    "SELECT id, question, description, choice_min, choice_max, voters, allow_change, listed, creator, manage_token, \
     created_at, deleted_at, purged FROM polling.polls ORDER BY id",
    "TABLE polling.poll_options ORDER BY 1, 2",
    "TABLE polling.poll_tallies ORDER BY 1",
    "TABLE polling.votes ORDER BY 1, 2",
    "TABLE polling.superseded_ballots",
    "SELECT id, name, email, email_key, password_hash, created_at FROM polling.users",
    "TABLE polling.signing_keys",
    "TABLE polling.vote_selections ORDER BY 1, 4, 6",
];

/// Every object of the schema but its history, with what explains it.
const SCHEMA: &str = "\
SELECT c.relname, a.attname, col_description(c.oid, a.attnum), obj_description(c.oid) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE n.nspname = 'polling' ORDER BY 1, 2";

const CHECK: &str = "\
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'polls_voters_known'";

async fn session(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A database as the first version made it, with a session beside the stores that come.
async fn first_version() -> (pg_cluster::Database, Client) {
    let database = Cluster::shared(Version::Installed).database().await;
    let mut client = session(database.url()).await;
    let migrations = Migrations::default();
    migrations.make_room(&client).await.unwrap();
    let filled = migrations.filled_in().unwrap();
    let mut runner = Runner::new(&filled).set_target(Target::Version(1));
    runner.set_migration_table_name(migrations.schema.fill(HISTORY));
    runner.run_async(&mut client).await.unwrap();
    client.batch_execute(FIRST_VERSION).await.unwrap();
    (database, client)
}

/// The rows as psql shows them.
async fn rows(client: &Client, sql: &str) -> Vec<String> {
    let answer = client.simple_query(sql).await.unwrap();
    let rows = answer.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| {
        let columns = (0..row.len()).map(|column| row.get(column).unwrap_or_default());
        columns.collect::<Vec<_>>().join("|")
    })
    .collect()
}

async fn everything(client: &Client) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for sql in EVERYTHING_OF_FIRST_VERSION {
        all.push(rows(client, sql).await);
    }
    all
}

#[tokio::test]
async fn a_schema_of_the_first_version_is_there_whole_after_it_was_migrated() {
    let (database, client) = first_version().await;
    let before = everything(&client).await;
    assert!(before.iter().all(|rows| !rows.is_empty()), "{before:?}");
    let schema = rows(&client, SCHEMA).await;
    let store = PgStore::connect(database.url()).await.unwrap();
    assert_eq!(everything(&client).await, before);
    let now = rows(&client, SCHEMA).await;
    let lost: Vec<_> = schema.iter().filter(|row| !now.contains(row)).collect();
    assert!(lost.is_empty(), "{lost:?}");

    let mut bytes = [0; 16];
    bytes[0] = 1;
    let poll = PollId::from_bytes(bytes);
    let found = store.polls().find(poll).await.unwrap().unwrap();
    assert_eq!(found.poll.voters, Voters::Registered);
    assert_eq!((found.tally.ballots, found.tally.counts), (2, vec![1, 2]));
    let recount = store.results().recount(poll).await.unwrap().unwrap();
    assert!(recount.agrees() && recount.ballots == 2, "{recount:?}");
    bytes[0] = 0xAA;
    let ada = VoterKey::from_bytes(bytes);
    assert!(store.votes().find(poll, &ada).await.unwrap().is_some());
}

#[tokio::test]
async fn the_kinds_of_voters_are_still_checked_by_name() {
    let (database, client) = first_version().await;
    PgStore::connect(database.url()).await.unwrap();
    for voters in ["anyone", "vouched", "registered", "members", "tokens"] {
        let update = format!("UPDATE polling.polls SET voters = '{voters}'");
        client.batch_execute(&update).await.unwrap();
    }
    let refused = client
        .batch_execute("UPDATE polling.polls SET voters = 'cats'")
        .await;
    let refused = refused.unwrap_err();
    let constraint = refused.as_db_error().and_then(|error| error.constraint());
    assert_eq!(constraint, Some("polls_voters_known"));
}

/// The last thing that a migration writes is that it was run: where that fails, nothing of it stands.
#[tokio::test]
async fn a_migration_that_does_not_come_to_its_end_leaves_the_version_before() {
    let (database, client) = first_version().await;
    let before = (rows(&client, CHECK).await, rows(&client, SCHEMA).await);
    let in_the_way = "CREATE FUNCTION public.in_the_way() RETURNS trigger LANGUAGE plpgsql AS \
                      $$ BEGIN RAISE 'in the way'; END $$; \
                      CREATE TRIGGER in_the_way BEFORE INSERT ON polling.schema_history \
                      FOR EACH ROW EXECUTE FUNCTION public.in_the_way()";
    client.batch_execute(in_the_way).await.unwrap();
    let refused = PgStore::connect(database.url()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Migration(_)), "{refused:?}");
    let after = (rows(&client, CHECK).await, rows(&client, SCHEMA).await);
    assert_eq!(after, before);
    let away = "DROP TRIGGER in_the_way ON polling.schema_history";
    client.batch_execute(away).await.unwrap();
    PgStore::connect(database.url()).await.unwrap();
}
