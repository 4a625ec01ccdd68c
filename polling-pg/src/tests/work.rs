//! How much a statement reads, whatever the tables hold.

use super::*;

/// The blocks that PostgreSQL touched so far for this table and its indexes, by the word of its own statistics.
const BLOCKS: &str = "\
SELECT (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::bigint
FROM pg_statio_user_tables WHERE schemaname = 'polling' AND relname = 'votes'";

/// What `work` touches of the ballots, on a connection whose statistics are told when it ends.
async fn blocks(bed: &Bed, ballots: Vec<Arc<[BallotRecord]>>) -> i64 {
    let before = bed.settled(BLOCKS).await;
    let mut writer = writer(&bed.store).await;
    for ballot in ballots {
        writer.record(ballot).await.unwrap();
    }
    drop(writer);
    bed.settled(BLOCKS).await - before
}

impl Bed {
    /// A number of the statistics, when every other connection has told its own: they do at their end.
    async fn settled(&self, sql: &str) -> i64 {
        const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '-- votes.%'";
        let client = self.store.database().take().await.unwrap();
        loop {
            let others: i64 = client.query_one(OTHERS, &[]).await.unwrap().get(0);
            if others == 0 {
                return client.query_one(sql, &[]).await.unwrap().get(0);
            }
        }
    }

    async fn fill(&self, poll: PollId, voters: std::ops::Range<u64>) {
        let mut writer = writer(&self.store).await;
        let voters: Vec<u64> = voters.collect();
        for some in voters.chunks(4_000) {
            let batch = some.iter().map(|&voter| self.ballot(poll, voter));
            writer.record(batch.collect()).await.unwrap();
        }
    }
}

/// Fresh votes and repeated ones, one by one and together.
fn votes(bed: &Bed, poll: PollId, voters: std::ops::Range<u64>) -> Vec<Arc<[BallotRecord]>> {
    let mut votes: Vec<Arc<[BallotRecord]>> = Vec::new();
    for voter in voters.clone() {
        let ballot = bed.ballot(poll, voter);
        votes.push([ballot.clone()].into());
        votes.push([ballot].into());
    }
    votes.push(voters.map(|voter| bed.ballot(poll, voter)).collect());
    votes
}

#[tokio::test]
async fn bug_20_a_vote_reads_as_much_in_a_poll_of_many_votes_as_in_a_small_one() {
    let bed = bed().await;
    let poll = bed.poll().await;
    bed.fill(poll, 0..100).await;
    // The planner has seen the table small, and believes it is.
    bed.number("SELECT 1::bigint FROM polling.votes LIMIT 1")
        .await;
    let small = blocks(&bed, votes(&bed, poll, 1_000_000..1_000_040)).await;
    bed.fill(poll, 100..60_000).await;
    let large = blocks(&bed, votes(&bed, poll, 2_000_000..2_000_040)).await;
    assert!(small > 0, "the statistics say nothing");
    // The index is a level or two deeper; that is all.
    assert!(
        large <= small * 3,
        "{small} blocks at first, and {large} later"
    );
}

#[tokio::test]
async fn bug_20_the_ballots_of_many_voters_are_looked_up_by_their_whole_key() {
    let bed = bed().await;
    let poll = bed.poll().await;
    bed.fill(poll, 0..2_000).await;
    let voters: Vec<VoterKey> = (0..100).map(voter_key).collect();
    let find = async |bed: &Bed| {
        let before = bed.settled(BLOCKS).await;
        let store = bed.another_server().await;
        // Often enough for a plan that fits all parameters.
        for _ in 0..8 {
            let found = store.votes().find_all(poll, &voters).await.unwrap();
            assert!(found.iter().all(Option::is_some));
        }
        drop(store);
        bed.settled(BLOCKS).await - before
    };
    let small = find(&bed).await;
    bed.fill(poll, 2_000..60_000).await;
    let large = find(&bed).await;
    assert!(
        large <= small * 3,
        "{small} blocks at first, and {large} later"
    );
}
