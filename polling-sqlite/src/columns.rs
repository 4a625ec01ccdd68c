//! How the core's types stand in columns, each in one place.

use polling_core::Timestamp;
use polling_core::polls::{ShowResults, Status, Voters, Window};
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Error, Row};

/// A column that holds what was never written into it.
pub(crate) fn corrupt(column: usize, what: &str) -> Error {
    let cause = FromSqlError::Other(format!("is no {what}").into());
    Error::FromSqlConversionFailure(column, Type::Blob, Box::new(cause))
}

/// Versions, revisions and counters are far from 2^63.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(column, number))
}

/// How many rows, where a caller says how many it wants.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

pub(crate) fn maybe_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.map(Timestamp::from_millis))
}

/// Two columns, side by side.
pub(crate) fn window(row: &Row<'_>, column: usize) -> rusqlite::Result<Window> {
    Ok(Window {
        opens_at: maybe_time(row, column)?,
        closes_at: maybe_time(row, column + 1)?,
    })
}

pub(crate) fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millis)
}

pub(crate) fn status(row: &Row<'_>, column: usize) -> rusqlite::Result<Status> {
    let word = row.get_ref(column)?.as_str()?;
    Status::from_word(word).ok_or_else(|| corrupt(column, "status"))
}

pub(crate) fn show_results(row: &Row<'_>, column: usize) -> rusqlite::Result<ShowResults> {
    let word = row.get_ref(column)?.as_str()?;
    ShowResults::from_word(word).ok_or_else(|| corrupt(column, "visibility"))
}

pub(crate) fn voters(row: &Row<'_>, column: usize) -> rusqlite::Result<Voters> {
    let word = row.get_ref(column)?.as_str()?;
    Voters::from_word(word).ok_or_else(|| corrupt(column, "kind of voters"))
}

/// Counters, 8 bytes each, little-endian.
pub(crate) fn counts(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<u64>> {
    let (words, rest) = row.get_ref(column)?.as_blob()?.as_chunks();
    if rest.is_empty() {
        Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
    } else {
        Err(corrupt(column, "list of counters"))
    }
}

pub(crate) fn counts_to_bytes(counts: &[u64]) -> Vec<u8> {
    counts
        .iter()
        .flat_map(|count| count.to_le_bytes())
        .collect()
}
