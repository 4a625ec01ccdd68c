//! The fastest that PostgreSQL takes the same rows from anybody: binary COPY, and an insert of whole arrays, each with the
//! count in the same transaction. Nothing is parsed, checked, hashed or answered.

use std::time::{Duration, UNIX_EPOCH};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, pin_mut};
use tokio::try_join;
use tokio_postgres::Statement;
use uuid::Uuid;

use super::{Bench, Case, Kind};
use crate::Outcome;
use crate::bed::{Counters, OPTIONS, Polls, connect};
use crate::load::{Answer, Client, Pace, drive, mix};
use crate::measure::{Run, number};

/// As many connections as the engine writes on.
const CONNECTIONS: u64 = 2;

/// How the rows get in.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Copy,
    Unnest,
}

pub(super) struct Raw {
    pub(super) way: Way,
    /// Rows of a transaction.
    pub(super) batch: usize,
}

const COPY: &str =
    "COPY polling.votes (poll, voter, ballot, cast_at, content) FROM STDIN (FORMAT binary)";

const INSERT: &str = "INSERT INTO polling.votes (poll, voter, ballot, cast_at, content)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::bytea[])";

/// The gate of the one poll, last as the engine has it.
const COUNT: &str = "UPDATE polling.poll_tallies
SET revision = revision + 1, ballots = ballots + $2,
    counts = ARRAY[counts[1] + $3, counts[2] + $4, counts[3] + $5, counts[4] + $6]
WHERE poll = $1 AND status = 'open'";

impl Case for Raw {
    fn name(&self) -> String {
        let way = match self.way {
            Way::Copy => "COPY",
            Way::Unnest => "unnest",
        };
        format!("raw {way}, one poll, {} x {CONNECTIONS}", self.batch)
    }

    fn kind(&self) -> Kind {
        match self.way {
            Way::Copy => Kind::Copy,
            Way::Unnest => Kind::Other,
        }
    }

    fn run(&self, bench: &Bench<'_>) -> Outcome<Run> {
        let bed = bench.bed;
        bed.reset()?;
        let poll = Uuid::from_bytes(*bed.polls(Polls::One)[0].id.as_bytes());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (mut run, seen) = runtime.block_on(async {
            let mut writers = Vec::new();
            for place in 0..CONNECTIONS {
                writers.push(Writer::connect(self, &bed.url(), poll, place).await?);
            }
            drive(writers, Pace::Closed, bench.length, bed.cluster().pid()).await
        })?;
        let found = bed.found(Counters::Tallies)?;
        run.lost_or_doubled = found.lost_or_doubled(seen.votes.created);
        run.batch = Some(number(self.batch));
        Ok(run)
    }
}

/// A connection that writes batches.
struct Writer {
    client: tokio_postgres::Client,
    way: Way,
    write: Statement,
    count: Statement,
    poll: Uuid,
    batch: usize,
    random: u64,
    buffer: BytesMut,
}

/// What a row adds to what all rows of a batch have.
struct Row {
    voter: Uuid,
    ballot: Uuid,
    option: u8,
}

impl Writer {
    async fn connect(case: &Raw, url: &str, poll: Uuid, place: u64) -> Outcome<Self> {
        let client = connect(url).await?;
        let write = match case.way {
            Way::Copy => COPY,
            Way::Unnest => INSERT,
        };
        Ok(Self {
            write: client.prepare(write).await?,
            count: client.prepare(COUNT).await?,
            client,
            way: case.way,
            poll,
            batch: case.batch,
            random: mix(place) << 1,
            buffer: BytesMut::new(),
        })
    }

    /// In the order of the key, as the engine sorts them.
    fn rows(&mut self) -> Vec<Row> {
        let mut rows: Vec<Row> = (0..self.batch)
            .map(|_| {
                let option = u8::try_from(self.draw() % OPTIONS as u64).unwrap_or(0);
                Row {
                    voter: Uuid::from_u64_pair(self.draw(), self.draw()),
                    ballot: Uuid::from_u64_pair(self.draw(), self.draw()),
                    option,
                }
            })
            .collect();
        rows.sort_unstable_by_key(|row| row.voter);
        rows
    }

    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(1);
        mix(self.random)
    }

    async fn count(&self, rows: &[Row]) -> Result<u64, tokio_postgres::Error> {
        let mut votes = [0_i64; OPTIONS];
        for row in rows {
            votes[usize::from(row.option)] += 1;
        }
        let ballots: i64 = votes.iter().sum();
        let [a, b, c, d] = &votes;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&self.poll, &ballots, a, b, c, d];
        self.client.execute(&self.count, &params).await
    }

    async fn copy(&mut self, rows: &[Row]) -> Result<u64, tokio_postgres::Error> {
        let mut data = std::mem::take(&mut self.buffer);
        write_copy(&mut data, self.poll, rows);
        let data: Bytes = data.freeze();
        let (_, sink) = try_join!(
            self.client.batch_execute("BEGIN"),
            self.client.copy_in(&self.write)
        )?;
        pin_mut!(sink);
        sink.send(data).await?;
        sink.finish().await?;
        let (counted, ()) = try_join!(self.count(rows), self.client.batch_execute("COMMIT"))?;
        Ok(counted)
    }

    async fn unnest(&self, rows: &[Row]) -> Result<u64, tokio_postgres::Error> {
        let polls = vec![self.poll; rows.len()];
        let voters: Vec<Uuid> = rows.iter().map(|row| row.voter).collect();
        let ballots: Vec<Uuid> = rows.iter().map(|row| row.ballot).collect();
        let times = vec![UNIX_EPOCH + Duration::from_secs(1_700_000_000); rows.len()];
        let contents: Vec<&[u8]> = rows
            .iter()
            .map(|row| std::slice::from_ref(&row.option))
            .collect();
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&polls, &voters, &ballots, &times, &contents];
        // All of them are sent before the first is answered.
        let ((), _, counted, ()) = try_join!(
            self.client.batch_execute("BEGIN"),
            self.client.execute(&self.write, &params),
            self.count(rows),
            self.client.batch_execute("COMMIT")
        )?;
        Ok(counted)
    }
}

impl Client for Writer {
    async fn vote(&mut self) -> Outcome<Answer> {
        let rows = self.rows();
        let counted = match self.way {
            Way::Copy => self.copy(&rows).await?,
            Way::Unnest => self.unnest(&rows).await?,
        };
        if counted != 1 {
            return Err("the poll was not counted".into());
        }
        Ok(Answer {
            created: rows.len() as u64,
            ..Answer::default()
        })
    }
}

/// The binary format of COPY: a head, rows of counted columns, and an end.
fn write_copy(data: &mut BytesMut, poll: Uuid, rows: &[Row]) {
    const MICROS: i64 = 750_000_000_000_000;
    data.reserve(32 + rows.len() * 80);
    data.put_slice(b"PGCOPY\n\xff\r\n\0");
    data.put_i32(0);
    data.put_i32(0);
    for row in rows {
        data.put_i16(5);
        for id in [poll, row.voter, row.ballot] {
            data.put_i32(16);
            data.put_slice(id.as_bytes());
        }
        data.put_i32(8);
        data.put_i64(MICROS);
        data.put_i32(1);
        data.put_u8(row.option);
    }
    data.put_i16(-1);
}
