//! Recording a large batch of new voters by COPY: a fifth less work for PostgreSQL than an insert.
//!
//! It is a transaction of several messages, and still waits for nobody while it holds a gate: the statement that takes the
//! gates and the COMMIT are sent together, in one packet for as long as the batch has few polls, and the gates come last.

use bytes::{BufMut, Bytes, BytesMut};
use deadpool_postgres::ClientWrapper;
use futures_util::{SinkExt, pin_mut};
use polling_core::votes::BallotRecord;
use tokio::join;
use tokio::task::yield_now;
use tokio_postgres::{CopyInSink, Row};

use super::VoteStatements;
use super::params::Ballots;
use super::sums::Sums;
use crate::columns::Time;
use crate::error::Failure;

/// What the binary format of COPY begins with: its signature, no flags, and no more of a head.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What a row takes beside its content: the number of its columns, their five lengths, three ids and a time.
const ROW_BYTES: usize = 2 + 5 * 4 + 3 * 16 + 8;

/// Copies ballots in, none of whose voters has a row, and counts them; returns what was counted. Nothing stands where this
/// fails, unless the connection is lost.
pub(super) async fn send(
    client: &ClientWrapper,
    sql: &VoteStatements,
    ballots: Ballots<'_>,
    sums: &Sums,
) -> Result<Vec<Row>, Failure> {
    let copy = client.prepare_cached(&sql.copy).await?;
    let count = client.prepare_cached(&sql.count_copied).await?;
    let sums = sums.params();
    let rows = async {
        // Not before the others are sent.
        yield_now().await;
        rows(ballots)
    };
    let (begun, sink, rows) = join!(client.batch_execute("BEGIN"), client.copy_in(&copy), rows);
    let sink = match (begun, sink) {
        (Ok(()), Ok(sink)) => sink,
        // The connection is of no more use: the driver ends what it could not begin, and the server answers that too, so
        // that every later answer would be taken for the one before it.
        (Err(error), _) | (_, Err(error)) => return Err(Failure::NotBegun(error)),
    };
    // Where one of them fails, those after it fail too, and the COMMIT undoes it all.
    let (written, counted, committed) = join!(
        write(sink, rows),
        client.query(&count, &sums),
        client.batch_execute("COMMIT"),
    );
    written?;
    let counted = counted?;
    committed?;
    Ok(counted)
}

async fn write(sink: CopyInSink<Bytes>, rows: Bytes) -> Result<u64, tokio_postgres::Error> {
    pin_mut!(sink);
    sink.send(rows).await?;
    sink.finish().await
}

/// The ballots in the binary format of COPY.
fn rows(ballots: Ballots<'_>) -> Bytes {
    let content = |ballot: &BallotRecord| ballot.selection.positions().len();
    let contents: usize = ballots.iter().map(content).sum();
    let mut out =
        BytesMut::with_capacity(HEAD.len() + 2 + contents + ballots.iter().len() * ROW_BYTES);
    out.put_slice(HEAD);
    for ballot in ballots.iter() {
        out.put_i16(5);
        for id in [
            ballot.poll.as_bytes(),
            ballot.voter.as_bytes(),
            ballot.id.as_bytes(),
        ] {
            out.put_i32(16);
            out.put_slice(id);
        }
        let positions = ballot.selection.positions();
        // A content has at most 255 positions.
        out.put_i32(i32::try_from(positions.len()).unwrap_or(i32::MAX));
        out.put_slice(positions);
        out.put_i32(8);
        out.put_i64(Time(ballot.received_at).micros());
    }
    out.put_i16(-1);
    out.freeze()
}
