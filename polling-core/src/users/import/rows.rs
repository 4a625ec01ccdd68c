//! Rows out of pieces of a body, wherever those are cut.

use csv_core::ReadRecordResult;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::model::ImportFormat;
use crate::FieldError;
use crate::wire::{self, ParseError, UnknownFields};

/// Bytes of a row, at most: three times what its fields can have.
const MOST_ROW_BYTES: usize = 16 * 1024;

/// Fields of a row that are told apart.
const MOST_FIELDS: usize = 16;

/// What a row says, before anybody has judged it.
#[derive(Deserialize)]
pub(super) struct Raw {
    pub(super) name: String,
    pub(super) email: String,
    #[serde(default, deserialize_with = "secret")]
    pub(super) password: Option<SecretString>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| text.map(SecretString::from))
}

/// A row, or why it cannot be read.
pub(super) type Row = Result<Raw, FieldError>;

/// Reads rows, piece by piece.
pub(super) enum Rows {
    Csv(Box<Table>),
    JsonLines(Lines),
}

impl Rows {
    pub(super) fn new(format: ImportFormat) -> Self {
        match format {
            ImportFormat::Csv => Rows::Csv(Box::new(Table::new())),
            ImportFormat::JsonLines => Rows::JsonLines(Lines::default()),
        }
    }

    /// Whether rows can be read: the columns of a table are known.
    pub(super) fn have_begun(&self) -> bool {
        match self {
            Rows::Csv(table) => table.columns.is_some(),
            Rows::JsonLines(_) => true,
        }
    }

    /// Reads the columns of a table, as far as this piece has them, and leaves what follows.
    ///
    /// # Errors
    /// They are not what they should be.
    pub(super) fn begin(&mut self, piece: &mut &[u8]) -> Result<(), FieldError> {
        match self {
            Rows::Csv(table) if table.columns.is_none() => table.begin(piece),
            _ => Ok(()),
        }
    }

    /// The next row, and leaves what follows it; `None` where the piece is over. To be asked after [`begin`](Self::begin).
    pub(super) fn next(&mut self, piece: &mut &[u8]) -> Option<Row> {
        match self {
            Rows::Csv(table) => table.next(piece),
            Rows::JsonLines(lines) => lines.next(piece),
        }
    }

    /// The last row, where the body ended without a line break.
    ///
    /// # Errors
    /// There were no columns.
    pub(super) fn end(&mut self) -> Result<Option<Row>, FieldError> {
        match self {
            Rows::Csv(table) => table.end(),
            Rows::JsonLines(lines) => Ok(lines.end()),
        }
    }
}

fn too_long() -> FieldError {
    FieldError::invalid(
        "",
        format!("must not have more than {MOST_ROW_BYTES} bytes"),
    )
}

/// A column of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Email,
    Password,
}

/// A table (RFC 4180), of which one row is held.
pub(super) struct Table {
    reader: csv_core::Reader,
    columns: Option<Vec<Column>>,
    text: Box<[u8]>,
    length: usize,
    ends: [usize; MOST_FIELDS],
    fields: usize,
    too_long: bool,
}

impl Table {
    fn new() -> Self {
        Self {
            reader: csv_core::Reader::new(),
            columns: None,
            text: vec![0; MOST_ROW_BYTES].into(),
            length: 0,
            ends: [0; MOST_FIELDS],
            fields: 0,
            too_long: false,
        }
    }

    fn begin(&mut self, piece: &mut &[u8]) -> Result<(), FieldError> {
        if !piece.is_empty() && self.is_whole(piece) {
            self.columns = Some(self.header()?);
        }
        Ok(())
    }

    fn next(&mut self, piece: &mut &[u8]) -> Option<Row> {
        // Nothing at all would say that the body is over.
        (!piece.is_empty() && self.is_whole(piece)).then(|| self.row())
    }

    fn end(&mut self) -> Result<Option<Row>, FieldError> {
        let is_whole = self.is_whole(&mut &b""[..]);
        if self.columns.is_none() {
            self.columns = Some(self.header()?);
            return Ok(None);
        }
        Ok(is_whole.then(|| self.row()))
    }

    /// Reads until a row is whole, or the piece is over.
    fn is_whole(&mut self, piece: &mut &[u8]) -> bool {
        loop {
            let (text, ends) = (&mut self.text[self.length..], &mut self.ends[self.fields..]);
            let (result, read, written, ended) = self.reader.read_record(piece, text, ends);
            *piece = &piece[read..];
            self.length += written;
            self.fields += ended;
            match result {
                ReadRecordResult::Record => return true,
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return false,
                // What follows is read all the same, to find the end of the row.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    self.too_long = true;
                    self.length = 0;
                    self.fields = 0;
                }
            }
        }
    }

    /// The fields of the row that is whole, which is then forgotten.
    fn take(&mut self) -> Result<Vec<&str>, FieldError> {
        let fields = std::mem::take(&mut self.fields);
        self.length = 0;
        if std::mem::take(&mut self.too_long) {
            return Err(too_long());
        }
        let mut begin = 0;
        let cut = self.ends[..fields].iter().map(|&end| {
            let field = &self.text[begin..end];
            begin = end;
            std::str::from_utf8(field).map_err(|_| FieldError::invalid("", "is no UTF-8"))
        });
        cut.collect()
    }

    fn header(&mut self) -> Result<Vec<Column>, FieldError> {
        let columns = self.take()?.into_iter().map(|name| {
            let name = name.trim_start_matches('\u{feff}').trim();
            match name.to_ascii_lowercase().as_str() {
                "name" => Some(Column::Name),
                "email" => Some(Column::Email),
                "password" => Some(Column::Password),
                _ => None,
            }
        });
        let columns: Option<Vec<_>> = columns.collect();
        let counts =
            |columns: &[Column], of| columns.iter().filter(|&&column| column == of).count();
        columns
            .filter(|columns| {
                counts(columns, Column::Name) == 1
                    && counts(columns, Column::Email) == 1
                    && counts(columns, Column::Password) <= 1
            })
            .ok_or_else(|| {
                let detail = "the first row must name the columns: name, email, and password where there are any";
                FieldError::invalid("", detail)
            })
    }

    fn row(&mut self) -> Row {
        let columns = self.columns.clone().unwrap_or_default();
        let fields = self.take()?;
        if fields.len() != columns.len() {
            let (has, expected) = (fields.len(), columns.len());
            let detail = format!("has {has} fields, and there are {expected} columns");
            return Err(FieldError::invalid("", detail));
        }
        let of = |wanted| {
            let mut cells = columns.iter().zip(&fields);
            let cell = cells.find(|(column, _)| **column == wanted);
            cell.map_or("", |(_, field)| field).to_owned()
        };
        let password = of(Column::Password);
        Ok(Raw {
            name: of(Column::Name),
            email: of(Column::Email),
            // A cell is never absent.
            password: (!password.is_empty()).then(|| password.into()),
        })
    }
}

/// Lines of JSON, of which one is held.
#[derive(Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    too_long: bool,
}

impl Lines {
    fn next(&mut self, piece: &mut &[u8]) -> Option<Row> {
        while !piece.is_empty() {
            let end = piece.iter().position(|&byte| byte == b'\n');
            let part = &piece[..end.unwrap_or(piece.len())];
            if self.line.len() + part.len() > MOST_ROW_BYTES {
                self.too_long = true;
                self.line.clear();
            } else if !self.too_long {
                self.line.extend_from_slice(part);
            }
            *piece = end.map_or(&[][..], |end| &piece[end + 1..]);
            if end.is_some()
                && let Some(row) = self.end()
            {
                return Some(row);
            }
        }
        None
    }

    /// What the line says; `None` where there is nothing on it.
    fn end(&mut self) -> Option<Row> {
        if std::mem::take(&mut self.too_long) {
            return Some(Err(too_long()));
        }
        let line = self.line.trim_ascii();
        let row = (!line.is_empty()).then(|| {
            wire::parse(line, UnknownFields::Refuse).map_err(|error| match error {
                ParseError::Shape(field) => field,
                error => FieldError::invalid("", error.to_string()),
            })
        });
        self.line.clear();
        row
    }
}

#[cfg(test)]
mod tests;
