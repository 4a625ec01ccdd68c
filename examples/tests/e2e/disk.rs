//! The disk is full in the middle of a storm of votes: nobody is answered what is not so, and once there is room the servers
//! go on by themselves.

use serde_json::Value;
use tokio::task::block_in_place;

use crate::crash::open_poll;
use crate::database::{CONNECTIONS, assert_exact, two_in_a_storm};
use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::Client;
use crate::support::soon;
use crate::support::storm::{Storm, recorded};

const MIB: u64 = 1 << 20;

/// Makes the file of the ballots larger than a segment of the log, so that it can be the first to find no room: with rows of
/// another poll, and little in each block.
async fn grow(bed: &Bed, poll: &Value) {
    bed.query("ALTER TABLE polling.votes SET (fillfactor = 10)")
        .await;
    let poll = poll["id"].as_str().expect("a poll has an id");
    bed.query(&format!(
        "INSERT INTO polling.votes (poll, voter, ballot, cast_at, content)
         SELECT '{poll}', gen_random_uuid(), gen_random_uuid(), now(), '\\x00' FROM generate_series(1, 25000)"
    ))
    .await;
}

/// The bytes of the ballots' file.
async fn size(bed: &Bed) -> u64 {
    let size = bed.query("SELECT pg_relation_size('polling.votes')").await;
    let size: i64 = size[0].get(0);
    u64::try_from(size).expect("a size")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_room_for_ballots_loses_none_and_heals() {
    let bed = Bed::durable().await;
    let servers = bed.start_two().await;
    let addresses = servers.each_ref().map(|server| server.address);
    let mut client = Client::connect(addresses[0]).await.unwrap();
    let (poll, other) = (open_poll(&mut client).await, open_poll(&mut client).await);
    grow(&bed, &other).await;
    let storm = Storm::insisting(&addresses, &poll, CONNECTIONS);
    storm.reaches(300).await;
    // More than the storm takes meanwhile.
    let room = size(&bed).await + MIB;
    assert!(room > 18 * MIB, "{room}");
    block_in_place(|| bed.cluster().limit_files(Some(room))).unwrap();
    // Everybody is told at least once.
    storm.repeats(CONNECTIONS).await;
    let log = bed.cluster().log();
    assert!(log.contains("could not extend file"), "{log}");
    block_in_place(|| bed.cluster().limit_files(None)).unwrap();
    storm.goes_on_by(300).await;
    let answers = storm.ends().await;
    assert_exact(&bed, &addresses, &poll, &answers).await;
}

/// PostgreSQL cannot go on without a log, and ends in the middle of commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_room_for_its_log_loses_no_answered_vote() {
    let bed = Bed::durable().await;
    let (_servers, addresses, poll, storm) = two_in_a_storm(&bed).await;
    block_in_place(|| bed.cluster().limit_files(Some(8 * MIB))).unwrap();
    // The next segment of the log has to be made.
    let ends = async { while bed.try_query("SELECT pg_switch_wal()").await.is_ok() {} };
    soon(ends).await;
    storm.repeats(CONNECTIONS).await;
    let log = bed.cluster().log();
    assert!(log.contains("PANIC:  could not write to "), "{log}");
    // Somebody makes room, and starts it again, whatever it came to.
    block_in_place(|| bed.cluster().kill_9()).unwrap();
    block_in_place(|| bed.cluster().start_again()).unwrap();
    storm.goes_on_by(300).await;
    let answers = storm.ends().await;
    assert_exact(&bed, &addresses, &poll, &answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_without_room_loses_no_answered_vote_and_heals() {
    let bed = Bed::on(Store::Sqlite).await;
    let server = bed.start().await;
    let poll = open_poll(&mut Client::connect(server.address).await.unwrap()).await;
    let storm = Storm::insisting(&[server.address], &poll, CONNECTIONS);
    for _ in 0..3 {
        storm.goes_on_by(300).await;
        // Less than is there already, of the file or of its log.
        server.limit_files(Some(MIB / 16));
        storm.repeats(CONNECTIONS).await;
        server.limit_files(None);
    }
    storm.goes_on_by(300).await;
    let answers = storm.ends().await;
    let answered = recorded(&answers).len();
    assert_eq!(answered, answers.len(), "a voter who insists is recorded");
    assert!(server.stop().await.success());
    bed.recount(&poll, answered).await;
}
