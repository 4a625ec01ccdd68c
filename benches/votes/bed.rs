//! The PostgreSQL that everything is measured on: a cluster of the bench's own, which syncs every commit, and in it the
//! engine's own schema with polls that the engine has made.

use std::cell::RefCell;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use pg_cluster::{Cluster, ClusterOptions, Version};
use polling_core::polls::Voters;
use polling_core::{Actor, Engine, NewPoll, OptionId, PollId, Settings};
use polling_pg::PgStore;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use crate::Outcome;
use crate::load::Shared;
use crate::people::{People, Proof};

/// Options of each poll.
pub(crate) const OPTIONS: usize = 4;

/// Polls where the votes are spread.
pub(crate) const MANY: usize = 1000;

/// Voters who prove who they are, of each kind: one for each connection.
pub(crate) const PEOPLE: usize = 256;

/// Where the votes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polls {
    /// All into one poll.
    One,
    /// Each into one of [`MANY`].
    Many,
}

/// A poll to vote in.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) id: PollId,
    pub(crate) options: Vec<OptionId>,
}

/// Where the votes of a run are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counters {
    /// In the engine's own row of the poll, the gate.
    Tallies,
    /// In a row for each poll and option, which only the bench has.
    Options,
}

/// What the database has after a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) rows: u64,
    counted: u64,
    /// Commits that counted something, in a run on one poll.
    pub(crate) revisions: u64,
}

impl Found {
    /// What is wrong, where so many votes were answered: none may be missing or too many, neither as rows nor counted.
    pub(crate) fn lost_or_doubled(&self, answered: u64) -> u64 {
        self.rows
            .abs_diff(answered)
            .max(self.counted.abs_diff(answered))
    }
}

/// The cluster, and a database in it.
pub(crate) struct Bed {
    cluster: Cluster,
    database: String,
    runtime: Runtime,
    client: Client,
    polls: Shared<Poll>,
    /// Those whom a case has asked for.
    people: RefCell<Vec<(Proof, People)>>,
}

const PREPARE: &str = "
CREATE SCHEMA bench;
CREATE TABLE bench.tallies AS SELECT * FROM polling.poll_tallies;
CREATE TABLE bench.option_counts (
    poll     uuid,
    position smallint,
    votes    bigint NOT NULL,
    CONSTRAINT option_counts_key PRIMARY KEY (poll, position)
) WITH (fillfactor = 50);";

/// What a reset puts back of polls that came later.
const REMEMBER: &str = "
INSERT INTO bench.tallies
SELECT * FROM polling.poll_tallies t WHERE NOT EXISTS (SELECT FROM bench.tallies b WHERE b.poll = t.poll)";

/// The rows go first, so that the checkpoint has nothing of them to write. It lets every run begin alike.
const RESET: &str = "
TRUNCATE polling.votes, polling.superseded_ballots, polling.poll_tallies, bench.option_counts;
INSERT INTO polling.poll_tallies SELECT * FROM bench.tallies;
INSERT INTO bench.option_counts SELECT poll, position, 0 FROM polling.poll_options;
ANALYZE polling.poll_tallies, polling.votes;
CHECKPOINT;";

/// In the order of the key, which is random all the same: so the index is as it would be, and made in a minute.
const FILL: &str = "
SET work_mem = '1GB';
INSERT INTO polling.votes (poll, voter, ballot, cast_at, content)
SELECT '{poll}', md5('voter ' || n)::uuid, md5('ballot ' || n)::uuid, now(), set_byte('\\x00', 0, n % {options})
FROM generate_series(1, {rows}) AS n
ORDER BY 2;
RESET work_mem;
UPDATE polling.poll_tallies
SET ballots = {rows}, counts = array_fill({rows} / {options}, ARRAY[{options}])
WHERE poll = '{poll}';
ANALYZE polling.votes;
CHECKPOINT;";

const FOUND: &str = "
SELECT (SELECT count(*) FROM polling.votes WHERE withdrawn_at IS NULL),
    sum(t.ballots)::bigint,
    sum((SELECT sum(votes) FROM unnest(t.counts) AS votes))::bigint,
    (SELECT sum(votes)::bigint FROM bench.option_counts),
    sum(t.revision - f.revision)::bigint
FROM polling.poll_tallies t JOIN bench.tallies f USING (poll)";

impl Bed {
    /// Starts the cluster, and makes the schema and the polls through the engine.
    pub(crate) fn start() -> Outcome<Self> {
        // As a server for this would be set up: its memory holds what is written.
        let options = ClusterOptions::new(Version::Installed)
            .durable()
            .config("shared_buffers = 1GB")
            .config("max_wal_size = 8GB")
            .config("min_wal_size = 2GB");
        let cluster = Cluster::start(&options)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let name = runtime.block_on(cluster.database()).name().to_owned();
        let url = cluster.url_of(&name);
        let (polls, client) = runtime.block_on(async {
            let engine = Engine::builder(PgStore::connect(&url).await?)
                .build()
                .await?;
            let polls = create_polls(&engine, 1 + MANY, for_anyone).await?;
            engine.shutdown().await;
            let client = connect(&url).await?;
            client.batch_execute(PREPARE).await?;
            Outcome::Ok((polls, client))
        })?;
        Ok(Self {
            cluster,
            database: name,
            runtime,
            client,
            polls: polls.into(),
            people: RefCell::default(),
        })
    }

    /// [`PEOPLE`] voters who prove this, one more whose votes make their polls known to a server, and the polls. They are
    /// made when they are asked for first, which has to be on tables that are empty.
    pub(crate) fn people(&self, proof: Proof) -> Outcome<People> {
        let mut all = self.people.borrow_mut();
        if let Some((_, people)) = all.iter().find(|(known, _)| *known == proof) {
            return Ok(people.clone());
        }
        let people = self.runtime.block_on(async {
            let store = PgStore::connect(&self.url()).await?;
            let engine = Engine::builder(store).settings(settings()).build().await?;
            let people = People::make(&engine, proof, PEOPLE + 1).await?;
            engine.shutdown().await;
            self.client.batch_execute(REMEMBER).await?;
            Outcome::Ok(people)
        })?;
        all.push((proof, people.clone()));
        Ok(people)
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    pub(crate) fn url(&self) -> String {
        self.cluster.url_of(&self.database)
    }

    /// The first is the hot one, and is none of the many.
    pub(crate) fn polls(&self, polls: Polls) -> Shared<Poll> {
        match polls {
            Polls::One => Arc::from(&self.polls[..1]),
            Polls::Many => Arc::from(&self.polls[1..]),
        }
    }

    /// Empties the tables.
    pub(crate) fn reset(&self) -> Outcome<()> {
        Ok(self.runtime.block_on(self.client.batch_execute(RESET))?)
    }

    /// Puts so many votes into the first poll, as many for each option.
    pub(crate) fn fill(&self, rows: u64) -> Outcome<()> {
        let sql = FILL
            .replace("{poll}", &self.polls[0].id.to_string())
            .replace("{options}", &OPTIONS.to_string())
            .replace("{rows}", &rows.to_string());
        Ok(self.runtime.block_on(self.client.batch_execute(&sql))?)
    }

    /// Counts what is there, in every way that there is.
    pub(crate) fn found(&self, counters: Counters) -> Outcome<Found> {
        let row = self.runtime.block_on(self.client.query_one(FOUND, &[]))?;
        let count = |at| {
            row.try_get::<_, i64>(at)
                .map(|count| u64::try_from(count).unwrap_or(0))
        };
        let (ballots, selections, by_option) = (count(1)?, count(2)?, count(3)?);
        let counted = match counters {
            Counters::Options => by_option,
            Counters::Tallies if ballots == selections => ballots,
            // They select one option each: this is a fault whatever was answered.
            Counters::Tallies => u64::MAX,
        };
        Ok(Found {
            rows: count(0)?,
            counted,
            revisions: count(4)?,
        })
    }

    /// Which PostgreSQL it is.
    pub(crate) fn version(&self) -> Outcome<String> {
        let asked = self.client.query_one("SHOW server_version", &[]);
        Ok(self.runtime.block_on(asked)?.try_get(0)?)
    }

    /// Ends the cluster, and waits until it is gone.
    pub(crate) fn stop(self) {
        drop(self.client);
        self.cluster.stop();
    }
}

/// A connection of the bench's own. What drives it ends with the runtime that it was made in.
pub(crate) async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The documented settings, but that who signed in before the first round still is when the last one runs.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.access_token_lifetime = Duration::from_secs(24 * 60 * 60);
    settings
}

/// A poll for everybody, open for votes.
pub(crate) fn for_anyone(number: usize) -> NewPoll {
    let options = (0..OPTIONS).map(|option| format!("Option {option}"));
    NewPoll::single(format!("Poll {number}"), options)
        .voters(Voters::Anyone)
        .published()
}

/// So many polls.
pub(crate) async fn create_polls(
    engine: &Engine,
    count: usize,
    new: impl Fn(usize) -> NewPoll,
) -> Outcome<Vec<Poll>> {
    let create = async |number: usize| {
        let poll = engine.polls().create(&Actor::System, new(number)).await?;
        Ok::<_, Box<dyn Error + Send + Sync>>(Poll {
            id: poll.id,
            options: poll.options.iter().map(|option| option.id).collect(),
        })
    };
    let mut polls = Vec::with_capacity(count);
    // A few at a time: no more than the store has connections for.
    for first in (0..count).step_by(8) {
        let some = (first..(first + 8).min(count)).map(&create);
        polls.extend(try_join_all(some).await?);
    }
    Ok(polls)
}
