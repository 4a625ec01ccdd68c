//! What the database says about the schema.

use pg_cluster::Version;
use polling_pg::PgStore;

use crate::common::{on_each_version, rows, session, until};
use crate::migrated;
use crate::voting::{engine, tea, vote};

on_each_version! {
    everything_that_is_not_obvious_has_a_comment
    every_constraint_and_index_has_a_name_of_ours
    there_are_foreign_keys_everywhere_but_from_the_ballots
    only_what_can_be_is_let_in
    a_ballot_is_counted_in_place
}

/// Columns whose names say all, in every table that has them.
const OBVIOUS: &str = "'id', 'poll', 'name', 'question', 'description', 'text', 'created_at', 'version', 'poll_id', \
                       'option_id', 'position', 'option_text', 'user_name', 'ballot_id', 'cast_at'";

async fn everything_that_is_not_obvious_has_a_comment(version: Version) {
    let database = migrated(version).await;
    let session = session(&database).await;
    let relations = "SELECT relname FROM pg_class WHERE relnamespace = 'polling'::regnamespace \
                     AND relkind IN ('r', 'v', 'p', 'm') AND obj_description(oid, 'pg_class') IS NULL";
    assert_eq!(rows(&session, relations).await, [""; 0]);
    let functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'polling'::regnamespace \
                     AND obj_description(oid, 'pg_proc') IS NULL";
    assert_eq!(rows(&session, functions).await, [""; 0]);
    let columns = |which: &str| {
        format!(
            "SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relnamespace = 'polling'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 \
             AND NOT a.attisdropped AND {which} ORDER BY 1"
        )
    };
    let silent = columns(&format!(
        "col_description(c.oid, a.attnum) IS NULL AND a.attname NOT IN ({OBVIOUS})"
    ));
    assert_eq!(rows(&session, &silent).await, [""; 0]);
    // It would find one.
    assert!(rows(&session, &columns("true")).await.len() > 50);
}

/// None that PostgreSQL makes up by itself, which an error would then name.
async fn every_constraint_and_index_has_a_name_of_ours(version: Version) {
    let database = migrated(version).await;
    let session = session(&database).await;
    let made_up = "SELECT conname FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid \
                   WHERE c.relnamespace = 'polling'::regnamespace AND n.contype <> 'n' \
                   AND (conname ~ '_(pkey|fkey|check|excl)[0-9]*$' OR n.contype <> 'p' AND conname ~ '_key[0-9]*$' \
                   OR n.contype = 'p' AND conname <> relname || '_key')";
    assert_eq!(rows(&session, made_up).await, [""; 0]);
    let all =
        "SELECT count(*) > 20 FROM pg_constraint WHERE connamespace = 'polling'::regnamespace";
    assert_eq!(rows(&session, all).await, ["t"]);
    let indexes = "SELECT relname FROM pg_class WHERE relnamespace = 'polling'::regnamespace AND relkind = 'i' \
                   AND relname ~ '_idx[0-9]*$'";
    assert_eq!(rows(&session, indexes).await, [""; 0]);
}

async fn there_are_foreign_keys_everywhere_but_from_the_ballots(version: Version) {
    let database = migrated(version).await;
    let session = session(&database).await;
    let keys = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint \
                WHERE connamespace = 'polling'::regnamespace AND contype = 'f' ORDER BY 1";
    let key = |name: &str, column: &str, table: &str| {
        format!("{name}|FOREIGN KEY ({column}) REFERENCES polling.{table}(id)")
    };
    let user = |name: &str| key(name, "user_id", "users") + " ON DELETE CASCADE";
    let expected = [
        key("invitations_workspace", "workspace", "workspaces"),
        key("memberships_workspace", "workspace", "workspaces"),
        user("one_time_links_user"),
        key("poll_options_poll", "poll", "polls"),
        key("poll_tallies_poll", "poll", "polls"),
        key("polls_project", "project", "projects"),
        key("projects_workspace", "workspace", "workspaces"),
        user("sessions_user"),
        key("vote_token_counts_poll", "poll", "polls"),
    ];
    assert_eq!(rows(&session, keys).await, expected);
    // The primary key, which forbids a second ballot, is all that a ballot costs.
    let indexes =
        "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'polling.votes'::regclass";
    assert_eq!(rows(&session, indexes).await, ["polling.votes_key"]);
}

/// Whoever writes into the tables.
async fn only_what_can_be_is_let_in(version: Version) {
    let database = migrated(version).await;
    let store = PgStore::connect(database.url()).await.unwrap();
    let engine = engine(&store).await;
    let poll = tea(&engine).await;
    vote(&engine, poll, "ada", 0).await;
    let session = session(&database).await;
    let refused = async |sql: &str| {
        let error = session.batch_execute(sql).await.unwrap_err();
        let constraint = error.as_db_error().and_then(|said| said.constraint());
        constraint.unwrap_or_default().to_owned()
    };
    for (sql, constraint) in [
        (
            "INSERT INTO polling.votes SELECT * FROM polling.votes",
            "votes_key",
        ),
        (
            "UPDATE polling.votes SET content = ''",
            "votes_content_selects",
        ),
        (
            "UPDATE polling.poll_options SET id = (SELECT min(id::text)::uuid FROM polling.poll_options)",
            "poll_options_id_unique",
        ),
        (
            "UPDATE polling.poll_options SET position = position + 254",
            "poll_options_position_is_byte",
        ),
        (
            "UPDATE polling.polls SET choice_min = 1, choice_max = 256",
            "polls_choice_fits",
        ),
        (
            "UPDATE polling.poll_tallies SET status = 'reopened'",
            "poll_tallies_status_known",
        ),
        (
            "UPDATE polling.poll_tallies SET counts = '{1,-1}'",
            "poll_tallies_counts_count",
        ),
        (
            "UPDATE polling.poll_tallies SET opens_at = now(), closes_at = now()",
            "poll_tallies_window_in_order",
        ),
        ("DELETE FROM polling.polls", "poll_options_poll"),
        (
            "INSERT INTO polling.users VALUES (gen_random_uuid(), 'Ada', NULL, NULL, NULL, now())",
            "users_email_until_deleted",
        ),
    ] {
        assert_eq!(refused(sql).await, constraint, "{sql}");
    }
    // Two options change places in one statement.
    let swap = "UPDATE polling.poll_options o SET id = p.id FROM polling.poll_options p WHERE p.poll = o.poll AND p.position = 1 - o.position";
    session.batch_execute(swap).await.unwrap();
}

/// The gate's row stays on its page, and no index of it is touched: that is what half a page is left free for. Now and
/// then the page is full of what somebody may still see, and the row moves on.
async fn a_ballot_is_counted_in_place(version: Version) {
    let database = migrated(version).await;
    let store = PgStore::connect(database.url()).await.unwrap();
    let engine = engine(&store).await;
    let poll = tea(&engine).await;
    for n in 0..200 {
        vote(&engine, poll, &n.to_string(), 0).await;
    }
    // What a session did is counted at the latest when it ends.
    engine.shutdown().await;
    drop((engine, store));
    let session = session(&database).await;
    let updates = "SELECT n_tup_upd, n_tup_hot_upd >= 180 FROM pg_stat_user_tables WHERE relname = 'poll_tallies'";
    until(&session, updates, "200|t").await;
}
