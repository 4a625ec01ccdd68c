//! Connections that are lost, and commits whose answer is.

use futures_util::StreamExt;
use pg_cluster::Proxy;
use polling_core::results::{Hint, ResultsNotifier};

use super::*;
use crate::PgNotifier;

/// A server of its own, for what would disturb others.
async fn own_server() -> (Cluster, Bed) {
    let cluster = Cluster::start(&pg_cluster::ClusterOptions::new(Version::Installed)).unwrap();
    let database = cluster.database().await;
    let bed = Bed {
        store: PgStore::connect(database.url()).await.unwrap(),
        database,
        ids: SeededIds::new(1),
    };
    (cluster, bed)
}

const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND query SIMILAR TO '(-- votes|BEGIN|COMMIT)%'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_whose_back_ends_are_killed_go_on_and_lose_nothing() {
    writers_are_killed(PgStore::builder()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_are_killed_while_they_copy_go_on_and_lose_nothing() {
    writers_are_killed(PgStore::builder().copy_from(1)).await;
}

async fn writers_are_killed(options: PgOptions) {
    let bed = Arc::new(bed().await);
    let poll = bed.poll().await;
    let store = open_with(options, bed.database.url()).await;
    let mut writers = JoinSet::new();
    for number in 0..4_u64 {
        let (bed, store) = (Arc::clone(&bed), store.clone());
        writers.spawn(async move {
            let mut writer = writer(&store).await;
            for voter in 0..300 {
                let batch = [bed.ballot(poll, voter * 4 + number)].into();
                let recorded = record(&mut *writer, &batch).await;
                assert!(matches!(
                    recorded.outcomes[0],
                    Outcome::Added(_) | Outcome::Existing(_)
                ));
            }
        });
    }
    let mut killed = 0;
    while !writers.is_empty() {
        killed += bed.number(TERMINATE).await;
        while writers.try_join_next().is_some() {}
    }
    assert!(killed > 0);
    assert_eq!(bed.proven(poll).await, 1_200);
}

#[tokio::test]
async fn reads_do_not_notice_that_their_connection_was_lost() {
    let bed = bed().await;
    let poll = bed.poll().await;
    for _ in 0..5 {
        bed.tally(poll).await;
        let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        bed.number(others).await;
        assert_eq!(bed.tally(poll).await.ballots, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_was_lost_is_found_by_its_ballot_id() {
    answers_are_lost(PgStore::builder(), b"").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_whose_answer_was_lost_is_found_by_its_ballot_id() {
    answers_are_lost(PgStore::builder().copy_from(1), b"COMMIT").await;
}

fn contains(sent: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || sent.windows(wanted.len()).any(|bytes| bytes == wanted)
}

/// `last` is in what is sent last.
async fn answers_are_lost(options: PgOptions, last: &'static [u8]) {
    let bed = bed().await;
    let poll = bed.poll().await;
    let cluster = Cluster::shared(Version::Installed);
    let proxy = Proxy::start(cluster.address()).await.unwrap();
    let store = open_with(options, &proxy.url_of(bed.database.name())).await;
    for voter in 0..20 {
        // A new one, which knows of no conflict.
        let mut writer = writer(&store).await;
        let ballot = bed.ballot(poll, voter);
        let id = ballot.id;
        proxy.lose_next_answer(move |sent: &[u8]| {
            contains(sent, id.as_bytes()) && contains(sent, last)
        });
        let batch: Arc<[BallotRecord]> = [ballot].into();
        let error = writer.record(Arc::clone(&batch)).await.unwrap_err();
        assert!(matches!(error, RecordError::Lost(_)), "{error:?}");
        // It is there all the same, and once.
        let recorded = record(&mut *writer, &batch).await;
        let Outcome::Existing(existing) = &recorded.outcomes[0] else {
            panic!("{recorded:?}")
        };
        assert_eq!(existing.id, id);
    }
    assert_eq!(proxy.answers_lost(), 20);
    assert_eq!(bed.proven(poll).await, 20);
}

#[tokio::test]
async fn after_a_copy_that_could_not_begin_every_answer_is_that_to_its_own_batch() {
    let bed = bed().await;
    let poll = bed.poll().await;
    let impatient = PgOptions::default().statement_timeout(Duration::from_millis(300));
    let store = impatient.copy_from(1).connect(bed.database.url()).await;
    let mut writer = writer(&store.unwrap()).await;
    let other = bed.store.database().take().await.unwrap();
    let lock = "BEGIN; LOCK TABLE polling.votes IN ACCESS EXCLUSIVE MODE";
    other.batch_execute(lock).await.unwrap();
    let batch: Arc<[BallotRecord]> = [bed.ballot(poll, 0)].into();
    let error = writer.record(Arc::clone(&batch)).await.unwrap_err();
    assert!(matches!(error, RecordError::Lost(_)), "{error:?}");
    other.batch_execute("ROLLBACK").await.unwrap();
    for voter in 0..5 {
        let ballots = (0..=voter).map(|one| bed.ballot(poll, 100 * voter + one));
        let batch: Arc<[BallotRecord]> = ballots.collect();
        assert_eq!(added(&record(&mut *writer, &batch).await), voter + 1);
    }
    assert_eq!(bed.proven(poll).await, 15);
}

/// A policy for rows lets nobody copy into a table but its owner.
#[tokio::test]
async fn where_copies_are_refused_ballots_are_inserted() {
    let bed = bed().await;
    let poll = bed.poll().await;
    let role = bed.database.name().replace('-', "_") + "_role";
    let owner = bed.store.database().take().await.unwrap();
    let policy = format!(
        "CREATE ROLE {role} LOGIN;
        GRANT USAGE ON SCHEMA polling TO {role};
        GRANT ALL ON ALL TABLES IN SCHEMA polling TO {role};
        ALTER TABLE polling.votes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY everything ON polling.votes USING (true) WITH CHECK (true)"
    );
    owner.batch_execute(&policy).await.unwrap();
    let url = bed.database.url().replace("postgres@", &format!("{role}@"));
    assert_ne!(url, bed.database.url());
    let options = PgStore::builder().copy_from(1).migrate_on_open(false);
    let mut writer = writer(&open_with(options, &url).await).await;
    let batch: Arc<[BallotRecord]> = [bed.ballot(poll, 0)].into();
    let error = writer.record(Arc::clone(&batch)).await.unwrap_err();
    assert!(matches!(error, RecordError::Lost(_)), "{error:?}");
    let recorded = writer.record(batch).await.unwrap();
    assert_eq!(added(&recorded), 1);
    assert_eq!(bed.proven(poll).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_swallows_everything_is_an_error_within_its_time_and_heals() {
    let bed = bed().await;
    let poll = bed.poll().await;
    let proxy = Proxy::start(Cluster::shared(Version::Installed).address())
        .await
        .unwrap();
    let options = PgOptions::default().statement_timeout(Duration::from_millis(300));
    let store = options
        .connect(&proxy.url_of(bed.database.name()))
        .await
        .unwrap();
    let mut writer = writer(&store).await;
    let batch: Arc<[BallotRecord]> = [bed.ballot(poll, 1)].into();
    record(&mut *writer, &batch).await;
    proxy.freeze();
    let batch: Arc<[BallotRecord]> = [bed.ballot(poll, 2)].into();
    let error = writer.record(Arc::clone(&batch)).await.unwrap_err();
    assert!(matches!(error, RecordError::Lost(_)), "{error:?}");
    assert!(store.ping().await.is_err());
    assert!(store.results().tally(poll).await.is_err());
    proxy.thaw();
    record(&mut *writer, &batch).await;
    while store.ping().await.is_err() {}
    assert_eq!(bed.proven(poll).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_killed_and_comes_back_is_used_again() {
    let (cluster, bed) = own_server().await;
    let poll = bed.poll().await;
    let mut writer = writer(&bed.store).await;
    record(&mut *writer, &[bed.ballot(poll, 1)].into()).await;
    cluster.kill_9().unwrap();
    let batch: Arc<[BallotRecord]> = [bed.ballot(poll, 2)].into();
    // A back end lives on until it notices.
    let error = loop {
        if let Err(error) = writer.record(Arc::clone(&batch)).await {
            break error;
        }
    };
    assert!(matches!(error, RecordError::Lost(_)), "{error:?}");
    while bed.store.ping().await.is_ok() {}
    cluster.start_again().unwrap();
    record(&mut *writer, &batch).await;
    bed.store.ping().await.unwrap();
    assert_eq!(bed.proven(poll).await, 2);
}

/// The engine subscribes again to a stream that ended, and reads everything once.
#[tokio::test]
async fn a_subscription_ends_with_its_connection_and_can_be_made_again() {
    let bed = bed().await;
    let notifier = PgNotifier::of(bed.store.clone());
    let mut hints = notifier.subscribe().await.unwrap();
    let listeners = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    assert_eq!(bed.number(listeners).await, 1);
    assert!(hints.next().await.is_none());
    let mut hints = notifier.subscribe().await.unwrap();
    let hint = Hint {
        poll: PollId::from_bytes([7; 16]),
        revision: Some(3),
    };
    notifier.announce(&[hint]).await.unwrap();
    assert_eq!(&*hints.next().await.unwrap(), [hint]);
}
