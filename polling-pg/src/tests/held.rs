//! What a writer says of rows that somebody else holds.

use super::*;

async fn impatient(bed: &Bed, options: PgOptions) -> PgStore {
    let options = options.lock_timeout(Duration::from_millis(20));
    options.connect(bed.database.url()).await.unwrap()
}

/// Inserted and copied in, by the writer of a lane and by the patient one.
#[tokio::test]
async fn a_writer_names_the_polls_whose_rows_are_held_and_goes_on_with_the_others() {
    for copy_from in [usize::MAX, 1] {
        let bed = bed().await;
        let polls = [bed.poll().await, bed.poll().await, bed.poll().await];
        let store = impatient(&bed, PgStore::builder().copy_from(copy_from)).await;
        let holder = bed.store.database().take().await.unwrap();
        let hold = format!(
            "BEGIN; SELECT 1 FROM polling.poll_tallies WHERE poll IN ('{}', '{}') FOR UPDATE",
            polls[0], polls[2]
        );
        holder.batch_execute(&hold).await.unwrap();
        let patient = store.votes().patient_writer().await.unwrap();
        let mut held = [polls[0], polls[2]];
        held.sort_unstable();
        for (voter, mut writer) in [(1, writer(&store).await), (2, patient)] {
            let batch = polls.map(|poll| bed.ballot(poll, voter));
            let blocked = writer.record(batch.clone().into()).await;
            let Err(RecordError::Blocked { mut polls, .. }) = blocked else {
                panic!("{blocked:?}")
            };
            polls.sort_unstable();
            assert_eq!(polls, held);
            let [_, free, _] = batch;
            let recorded = writer.record([free].into()).await.unwrap();
            assert_eq!(added(&recorded), 1);
        }
        holder.batch_execute("ROLLBACK").await.unwrap();
        for (poll, ballots) in [(polls[0], 0), (polls[1], 2), (polls[2], 0)] {
            assert_eq!(bed.proven(poll).await, ballots);
        }
    }
}

/// The row of a voter that another transaction is about to write has no gate that is held.
#[tokio::test]
async fn a_writer_that_waits_for_a_ballot_names_no_poll() {
    let bed = bed().await;
    let poll = bed.poll().await;
    let store = impatient(&bed, PgStore::builder()).await;
    let ballot = bed.ballot(poll, 1);
    let holder = bed.store.database().take().await.unwrap();
    holder.batch_execute("BEGIN").await.unwrap();
    let insert = "INSERT INTO polling.votes (poll, voter, ballot, content, cast_at) \
        VALUES ($1, $2, $1, '\\x00', now())";
    let voter = crate::columns::voter(&ballot.voter);
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
        [&crate::columns::poll(poll), &voter];
    holder.execute(insert, &values).await.unwrap();
    let mut writer = writer(&store).await;
    let batch: Arc<[BallotRecord]> = [ballot].into();
    let blocked = writer.record(Arc::clone(&batch)).await;
    assert!(
        matches!(&blocked, Err(RecordError::Blocked { polls, .. }) if polls.is_empty()),
        "{blocked:?}"
    );
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(added(&writer.record(batch).await.unwrap()), 1);
    assert_eq!(bed.proven(poll).await, 1);
}
