//! The view for people who read the database: who chose what, one row per selection.

use pg_cluster::Version;
use polling_core::polls::Voters;
use polling_core::users::{Email, PasswordHash, User, UserName};
use polling_core::{Actor, Ballot, Clock, NewPoll, Repository, SystemClock, UserId, Voter};
use polling_pg::PgStore;
use tokio_postgres::Client;

use crate::common::{on_each_version, rows, session};
use crate::migrated;
use crate::voting::engine;

on_each_version! {
    the_view_shows_who_chose_what
    the_view_counts_as_the_counters_do
}

async fn ada(store: &PgStore) -> UserId {
    let ada = UserId::from_bytes([0xAB; 16]);
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
    ada
}

async fn selections(session: &Client) -> Vec<String> {
    let sql = "SELECT poll_id, option_id, position, option_text, user_id, user_name FROM polling.vote_selections \
               ORDER BY voter, position";
    rows(session, sql).await
}

async fn the_view_shows_who_chose_what(version: Version) {
    let database = migrated(version).await;
    let store = PgStore::connect(database.url()).await.unwrap();
    let engine = engine(&store).await;
    let (system, ada) = (&Actor::System, ada(&store).await);
    let new = NewPoll::multiple("On top?", ["Salt", "Oil", "Basil"], 1, 3);
    let new = new.voters(Voters::Registered).allow_change().published();
    let poll = engine.polls().create(system, new).await.unwrap();
    let stranger = UserId::from_bytes([0xCD; 16]);
    for (voter, positions) in [(ada, &[0, 2][..]), (stranger, &[2])] {
        let ballot = Ballot::of(poll.id, Voter::user(voter), positions.iter().copied());
        engine.votes().cast(system, ballot).await.unwrap();
    }
    let session = session(&database).await;
    let id = |position: usize| poll.options[position].id;
    let row =
        |at: usize, text: &str, user: &str| format!("{}|{}|{at}|{text}|{user}", poll.id, id(at));
    let ada_row = format!("{ada}|Ada");
    let expected = [
        row(0, "Salt", &ada_row),
        row(2, "Basil", &ada_row),
        row(2, "Basil", "|"),
    ];
    assert_eq!(selections(&session).await, expected);
    let times = "SELECT question, cast_at <= now(), cast_at > now() - interval '1 hour', ballot_id IS NOT NULL \
                 FROM polling.vote_selections LIMIT 1";
    assert_eq!(rows(&session, times).await, ["On top?|t|t|t"]);
    let voter = Voter::user(ada);
    engine
        .votes()
        .withdraw(system, poll.id, &voter)
        .await
        .unwrap();
    assert_eq!(selections(&session).await, expected[2..]);
    engine.polls().delete(system, poll.id).await.unwrap();
    assert_eq!(selections(&session).await, [""; 0]);
}

/// For each of 255 options.
async fn the_view_counts_as_the_counters_do(version: Version) {
    let database = migrated(version).await;
    let store = PgStore::connect(database.url()).await.unwrap();
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
    let session = session(&database).await;
    let sql = "SELECT count(*) FROM polling.vote_selections GROUP BY position ORDER BY position";
    assert_eq!(rows(&session, sql).await, counts);
    let ballots = "SELECT count(DISTINCT ballot_id) FROM polling.vote_selections";
    assert_eq!(rows(&session, ballots).await, [tally.ballots.to_string()]);
}
