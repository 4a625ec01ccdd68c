//! Ballots as parameters of a statement: written straight from the ballots into the message, column by column.
//!
//! All arrays are of elements of a fixed size, and the contents stand one behind the other in one text of bytes: of these
//! PostgreSQL reads a row by its place, for a fraction of what it takes to unnest five arrays side by side.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use polling_core::votes::BallotRecord;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, accepts, to_sql_checked};

use crate::columns::Time;

type Written = Result<IsNull, Box<dyn Error + Sync + Send>>;

/// Ballots of a batch, in the order in which they are sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ballots<'a> {
    pub(super) batch: &'a [BallotRecord],
    pub(super) places: &'a [usize],
}

impl<'a> Ballots<'a> {
    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = &'a BallotRecord> {
        self.places.iter().map(move |&place| &self.batch[place])
    }
}

/// One column of them.
#[derive(Debug)]
pub(super) enum Column<'a> {
    Polls(Ballots<'a>),
    Voters(Ballots<'a>),
    Ids(Ballots<'a>),
    /// Whether the id was chosen by the client.
    Named(Ballots<'a>),
    Times(Ballots<'a>),
    /// Where each content begins in the text of them all, counted from 1, and where the last one ends.
    Starts(Ballots<'a>),
    /// The text of them all.
    Contents(Ballots<'a>),
}

/// `{row}`: the columns of the ballot at place `i`, from the first six parameters; see [`row_columns`].
macro_rules! row {
    () => {
        "($1::uuid[])[i] AS poll, ($2::uuid[])[i] AS voter, ($3::uuid[])[i] AS ballot,
        substring($4::bytea FROM ($5::integer[])[i] FOR ($5::integer[])[i + 1] - ($5::integer[])[i]) AS content,
        ($6::timestamptz[])[i] AS received_at"
    };
}

pub(super) use row;

/// What [`row`] is read from, in its order.
pub(super) fn row_columns(ballots: Ballots<'_>) -> [Column<'_>; 6] {
    [
        Column::Polls(ballots),
        Column::Voters(ballots),
        Column::Ids(ballots),
        Column::Contents(ballots),
        Column::Starts(ballots),
        Column::Times(ballots),
    ]
}

impl ToSql for Column<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Written {
        match *self {
            Column::Polls(of) => array(ty, out, of.iter().map(|ballot| *ballot.poll.as_bytes())),
            Column::Voters(of) => array(ty, out, of.iter().map(|ballot| *ballot.voter.as_bytes())),
            Column::Ids(of) => array(ty, out, of.iter().map(|ballot| *ballot.id.as_bytes())),
            Column::Named(of) => array(ty, out, of.iter().map(|b| [u8::from(b.id_is_clients)])),
            Column::Times(of) => {
                let micros = |ballot: &BallotRecord| Time(ballot.received_at).micros();
                array(
                    ty,
                    out,
                    of.iter().map(|ballot| micros(ballot).to_be_bytes()),
                )
            }
            Column::Starts(of) => starts(ty, out, of),
            Column::Contents(of) => {
                for ballot in of.iter() {
                    out.put_slice(ballot.selection.positions());
                }
                Ok(IsNull::No)
            }
        }
    }

    accepts!(UUID_ARRAY, BOOL_ARRAY, TIMESTAMPTZ_ARRAY, INT4_ARRAY, BYTEA);
    to_sql_checked!();
}

fn starts(ty: &Type, out: &mut BytesMut, ballots: Ballots<'_>) -> Written {
    let mut starts = Vec::with_capacity(ballots.places.len() + 1);
    let mut next = 1_i32;
    for ballot in ballots.iter() {
        starts.push(next);
        next = next
            .checked_add(i32::try_from(ballot.selection.positions().len())?)
            .ok_or("the contents of a batch are longer than a parameter")?;
    }
    starts.push(next);
    array(ty, out, starts.into_iter().map(i32::to_be_bytes))
}

/// An array of one dimension without NULLs, as PostgreSQL receives it.
fn array<const N: usize>(
    ty: &Type,
    out: &mut BytesMut,
    elements: impl ExactSizeIterator<Item = [u8; N]>,
) -> Written {
    let Kind::Array(element) = ty.kind() else {
        return Err(format!("{ty} is no array").into());
    };
    let (length, size) = (i32::try_from(elements.len())?, i32::try_from(N)?);
    out.reserve(20 + elements.len() * (N + 4));
    // Dimensions, no NULLs, the type, the length, and the place of the first.
    out.put_i32(i32::from(length > 0));
    out.put_i32(0);
    out.put_u32(element.oid());
    if length > 0 {
        out.put_i32(length);
        out.put_i32(1);
    }
    for element in elements {
        out.put_i32(size);
        out.put_slice(&element);
    }
    Ok(IsNull::No)
}
