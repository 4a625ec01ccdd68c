//! What only the store itself can be asked: how its statements behave when many run at once, and how much they read.

use std::sync::Arc;
use std::time::Duration;

use pg_cluster::{Cluster, Database, Version};
use polling_core::polls::{
    Advanced, Choice, OptionText, Poll, PollOption, Question, ShowResults, Status, Step, Voters,
    Window,
};
use polling_core::results::Tally;
use polling_core::votes::{
    BallotRecord, Change, Outcome, RecordError, Recorded, Refusal, Selection, VoteWriter, VoterKey,
    takes,
};
use polling_core::{BallotId, IdSource, OptionId, PollId, Repository, SeededIds, Timestamp};
use tokio::task::JoinSet;

use crate::{ConnectOptions, PgOptions, PgStore};

mod gate;
mod held;
mod lost;
mod work;

/// A database of its own, and what goes into it.
struct Bed {
    database: Database,
    store: PgStore,
    ids: SeededIds,
}

/// More than anything takes, also on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(50);

async fn open(url: &str) -> PgStore {
    open_with(PgStore::builder(), url).await
}

async fn open_with(options: PgOptions, url: &str) -> PgStore {
    let patient = options.statement_timeout(PATIENCE).lock_timeout(PATIENCE);
    let options = ConnectOptions::parse(url).unwrap();
    let store = patient
        .connect_with(options.connect_timeout(PATIENCE))
        .await;
    store.unwrap()
}

async fn bed() -> Bed {
    let migrate = |url: String| async move { drop(open(&url).await) };
    let cluster = Cluster::shared(Version::Installed);
    let database = cluster.database_like("polls", migrate).await;
    Bed {
        store: open(database.url()).await,
        database,
        ids: SeededIds::new(1),
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_767_268_800_000 + millis)
}

impl Bed {
    /// Another server on the same database.
    async fn another_server(&self) -> PgStore {
        open(self.database.url()).await
    }

    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.ids.fill(&mut bytes);
        bytes
    }

    /// An open poll with three options, whose voters may change their mind.
    async fn poll(&self) -> PollId {
        self.poll_with(Status::Open, Window::default(), 3).await
    }

    async fn poll_with(&self, status: Status, window: Window, options: usize) -> PollId {
        let option = |position| PollOption {
            id: OptionId::from_bytes(self.bytes()),
            text: OptionText::from_store(format!("Option {position}")),
        };
        let poll = Poll {
            id: PollId::from_bytes(self.bytes()),
            question: Question::from_store("Tea or coffee?".into()),
            description: None,
            choice: Choice::Single,
            voters: Voters::Anyone,
            allow_change: true,
            listed: false,
            creator: None,
            project: None,
            manage_token: None,
            version: 1,
            created_at: at(0),
            updated_at: at(0),
            options: (0..options).map(option).collect(),
        };
        let tally = Tally {
            status,
            ..Tally::new(&poll, window, ShowResults::Always)
        };
        self.store.polls().insert(&poll, &tally).await.unwrap();
        poll.id
    }

    fn ballot(&self, poll: PollId, voter: u64) -> BallotRecord {
        BallotRecord {
            poll,
            voter: voter_key(voter),
            id: BallotId::from_bytes(self.bytes()),
            id_is_clients: true,
            selection: Selection::from_store(&[(voter % 3) as u8]),
            received_at: at(0),
        }
    }

    async fn tally(&self, poll: PollId) -> Tally {
        self.store.results().tally(poll).await.unwrap().unwrap()
    }

    /// The number of ballots, by the counter and by counting them.
    async fn proven(&self, poll: PollId) -> u64 {
        let recount = self.store.results().recount(poll).await.unwrap().unwrap();
        assert!(recount.agrees(), "{recount:?}");
        recount.ballots
    }

    /// One number from the database, asked on a connection of its own.
    async fn number(&self, sql: &str) -> i64 {
        let client = self.store.database().take().await.unwrap();
        client.query_one(sql, &[]).await.unwrap().get(0)
    }
}

fn voter_key(voter: u64) -> VoterKey {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&voter.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    key[8..].copy_from_slice(&voter.to_be_bytes());
    VoterKey::from_bytes(key)
}

async fn writer(store: &PgStore) -> Box<dyn VoteWriter> {
    store.votes().writer().await.unwrap()
}

/// Records a batch; where the store is lost, again, as a lane does.
async fn record(writer: &mut dyn VoteWriter, batch: &Arc<[BallotRecord]>) -> Recorded {
    for _ in 0..100 {
        match writer.record(Arc::clone(batch)).await {
            Ok(recorded) => return recorded,
            Err(RecordError::Lost(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("the store does not come back");
}

fn added(recorded: &Recorded) -> u64 {
    let added = |outcome: &&Outcome| matches!(outcome, Outcome::Added(_));
    recorded.outcomes.iter().filter(added).count() as u64
}
