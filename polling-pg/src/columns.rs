//! How the core's types stand in columns, each in one place.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use polling_core::polls::{ShowResults, Status, Voters, Window};
use polling_core::votes::VoterKey;
use polling_core::{BallotId, OptionId, PollId, Timestamp, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use uuid::Uuid;

use crate::error::Failure;

/// The parameters of a statement, by reference.
pub(crate) type Params<'a> = [&'a (dyn ToSql + Sync)];

/// A column that holds what was never written into it.
#[derive(Debug, thiserror::Error)]
#[error("a column holds {found:?}, which is no {what}")]
pub(crate) struct Corrupt {
    what: &'static str,
    found: String,
}

pub(crate) fn corrupt(what: &'static str, found: &dyn ToString) -> Box<dyn Error + Send + Sync> {
    let found = found.to_string();
    Corrupt { what, found }.into()
}

/// What a row becomes, or why it becomes nothing.
pub(crate) type Read<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What the first row becomes, where there is one.
pub(crate) fn first<T>(
    rows: &[Row],
    read: impl FnOnce(&Row) -> Read<T>,
) -> Result<Option<T>, Failure> {
    rows.first().map(read).transpose().map_err(Failure::Row)
}

/// What all rows become, in their order.
pub(crate) fn each<T>(rows: &[Row], read: impl Fn(&Row) -> Read<T>) -> Result<Vec<T>, Failure> {
    rows.iter()
        .map(read)
        .collect::<Read<_>>()
        .map_err(Failure::Row)
}

/// PostgreSQL counts microseconds from 2000.
const MILLIS_TO_2000: i64 = 946_684_800_000;

/// A time as `timestamptz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Time {
    /// As PostgreSQL counts. The years 1 to 9999 are far from the edge.
    pub(crate) const fn micros(self) -> i64 {
        (self.0.as_millis() - MILLIS_TO_2000) * 1_000
    }
}

impl ToSql for Time {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i64(self.micros());
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Time {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let micros = i64::from_be_bytes(raw.try_into()?);
        let millis = micros.div_euclid(1_000).saturating_add(MILLIS_TO_2000);
        Ok(Self(Timestamp::from_millis(millis)))
    }

    accepts!(TIMESTAMPTZ);
}

pub(crate) fn time(row: &Row, column: usize) -> Read<Timestamp> {
    Ok(row.try_get::<_, Time>(column)?.0)
}

pub(crate) fn maybe_time(row: &Row, column: usize) -> Read<Option<Timestamp>> {
    Ok(row.try_get::<_, Option<Time>>(column)?.map(|time| time.0))
}

/// Two columns, side by side.
pub(crate) fn window(row: &Row, column: usize) -> Read<Window> {
    Ok(Window {
        opens_at: maybe_time(row, column)?,
        closes_at: maybe_time(row, column + 1)?,
    })
}

pub(crate) const fn poll(id: PollId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

pub(crate) fn poll_id(row: &Row, column: usize) -> Read<PollId> {
    let id: Uuid = row.try_get(column)?;
    Ok(PollId::from_bytes(id.into_bytes()))
}

pub(crate) const fn voter(key: &VoterKey) -> Uuid {
    Uuid::from_bytes(*key.as_bytes())
}

pub(crate) const fn ballot(id: BallotId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

pub(crate) const fn user(id: UserId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

pub(crate) const fn option(id: OptionId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// Versions, revisions and counters are far from 2^63.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(row: &Row, column: usize) -> Read<u64> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| corrupt("counter", &number))
}

/// How many rows, where a caller says how many it wants.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(crate) fn counts(row: &Row, column: usize) -> Read<Vec<u64>> {
    let counts: Vec<i64> = row.try_get(column)?;
    let unsigned = |count| u64::try_from(count).map_err(|_| corrupt("counter", &count));
    counts.into_iter().map(unsigned).collect()
}

pub(crate) fn signed_counts(counts: &[u64]) -> Vec<i64> {
    counts.iter().copied().map(signed).collect()
}

pub(crate) fn status(row: &Row, column: usize) -> Read<Status> {
    let word: &str = row.try_get(column)?;
    Status::from_word(word).ok_or_else(|| corrupt("status", &word))
}

pub(crate) fn show_results(row: &Row, column: usize) -> Read<ShowResults> {
    let word: &str = row.try_get(column)?;
    ShowResults::from_word(word).ok_or_else(|| corrupt("visibility", &word))
}

pub(crate) fn voters(row: &Row, column: usize) -> Read<Voters> {
    let word: &str = row.try_get(column)?;
    Voters::from_word(word).ok_or_else(|| corrupt("kind of voters", &word))
}

/// The number of options that `smallint` columns bound a choice with.
pub(crate) fn bound(row: &Row, column: usize) -> Read<Option<u8>> {
    let number: Option<i16> = row.try_get(column)?;
    let narrow = |number| u8::try_from(number).map_err(|_| corrupt("bound of a choice", &number));
    number.map(narrow).transpose()
}

pub(crate) fn bytes<const N: usize>(row: &Row, column: usize) -> Read<[u8; N]> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes
        .try_into()
        .map_err(|_| corrupt("value of so many bytes", &bytes.len()))
}
