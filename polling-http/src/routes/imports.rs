//! Bulk import of users: rows in while they come, one outcome for each out.
//!
//! The head of the answer is sent as soon as the import has begun; it says where the progress is read. The outcomes follow
//! when the body was read to its end, and not before: a client that writes everything before it reads would wait for us,
//! and we for it. Until then they are held, which their number bounds.

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use polling_core::users::{Import, ImportFormat, ImportProgress, RowOutcome};
use polling_core::{Code, Engine, FieldError, StoreError, UserId};
use serde::Serialize;
use serde_json::value::RawValue;

use super::polls::location;
use super::users::users;
use crate::pieces::Pieces;
use crate::problem::{FaultRates, Problem, status_of};
use crate::request::{Call, check_content_encoding};
use crate::response::{self, Answer, Response, ResponseBody};
use crate::router::{Route, Takes};

pub(super) fn routes(engine: &Engine) -> Vec<Route> {
    if engine.users().is_none() {
        return Vec::new();
    }
    vec![
        Route::at("/api/v1/users/import").post(Takes::Rows, import),
        Route::at("/api/v1/users/import/{id}").get(progress).small(),
    ]
}

async fn progress(call: Box<Call>) -> Answer {
    let id = call.id_or(Code::ImportNotFound)?;
    let progress = users(&call)?.import_progress(&call.actor, id).await?;
    response::json(StatusCode::OK, &progress)
}

async fn import(mut call: Box<Call>) -> Answer {
    let pieces = call.pieces.get_mut().ok().and_then(Option::take);
    let pieces = pieces.ok_or_else(|| StoreError::internal("the body was read already"))?;
    // Who may not import learns nothing of what would be wrong with it.
    users(&call)?.may_import(&call.actor).await?;
    check_content_encoding(&call.parts.headers)?;
    let format = format(&call.parts.headers)?;
    pieces.fits()?;
    let id = call.idempotency_key()?;
    let import = users(&call)?.import(&call.actor, format, id).await?;
    let id = import.progress().id;
    let mut reading = Reading {
        import,
        pieces,
        piece: Bytes::new(),
        outcomes: Vec::new(),
    };
    reading.begin().await?;
    let mut response = Response::new(ResponseBody::pieces(lines(reading)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON_LINES);
    headers.insert(header::LOCATION, location(&call, "users/import", &id)?);
    Ok(response)
}

const JSON_LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

fn format(headers: &HeaderMap) -> Result<ImportFormat, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let text = content_type.and_then(|value| value.to_str().ok());
    let essence = text.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "text/csv" => Ok(ImportFormat::Csv),
        "application/x-ndjson" | "application/jsonl" => Ok(ImportFormat::JsonLines),
        _ => Err(Problem::only_of_type(
            "text/csv, application/x-ndjson",
            "the Content-Type must be text/csv or application/x-ndjson",
        )),
    }
}

/// An import whose body is being read.
struct Reading {
    import: Import,
    pieces: Pieces,
    /// What is read of the body, and not yet fed to the import.
    piece: Bytes,
    outcomes: Vec<RowOutcome>,
}

impl Reading {
    /// Reads the columns of a table, which are refused before anything is answered.
    async fn begin(&mut self) -> Result<(), Problem> {
        while !self.import.has_begun() {
            match self.pieces.first().await? {
                Some(piece) => {
                    self.piece = piece;
                    self.import.begin(&mut self.piece)?;
                }
                None => self.import.finish(&mut self.outcomes).await?,
            }
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Problem> {
        loop {
            let piece = std::mem::take(&mut self.piece);
            self.import.feed(piece, &mut self.outcomes).await?;
            match self.pieces.next().await? {
                Some(piece) => self.piece = piece,
                None => break,
            }
        }
        Ok(self.import.finish(&mut self.outcomes).await?)
    }
}

/// What is still to be done for an answer.
enum Step {
    Read(Box<Reading>),
    Write(Written),
}

/// Outcomes on their way to the client.
struct Written {
    outcomes: Vec<RowOutcome>,
    /// How many were sent.
    sent: usize,
    /// The last line.
    end: Bytes,
}

/// Lines that are written before they are sent.
const LINES_AT_ONCE: usize = 1_000;

fn lines(reading: Reading) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::unfold(
        Some(Step::Read(Box::new(reading))),
        |step: Option<Step>| async move {
            let mut written = match step? {
                Step::Read(reading) => read(reading).await,
                Step::Write(written) => written,
            };
            let from = written.sent;
            let until = written.outcomes.len().min(from + LINES_AT_ONCE);
            if from == until {
                return Some((written.end, None));
            }
            let rows = written.outcomes[from..until].iter();
            let mut text = Vec::with_capacity(LINES_AT_ONCE * 80);
            for (at, outcome) in rows.enumerate() {
                write_line(&mut text, &Line::of(from + at + 1, outcome));
            }
            written.sent = until;
            Some((text.into(), Some(Step::Write(written))))
        },
    )
}

/// Reads the body to its end, or to where something goes wrong.
async fn read(mut reading: Box<Reading>) -> Written {
    let problem = reading.read().await.err();
    let Reading {
        import,
        pieces,
        outcomes,
        ..
    } = *reading;
    let id = import.progress().id;
    if let Some(problem) = &problem {
        // Of each import once: only one runs at a time.
        problem.log(&FaultRates::default(), &format!("import {id}"));
        import.stop();
    }
    let problem = problem.map(|problem| problem.json());
    let problem = problem.and_then(|json| String::from_utf8(json).ok());
    let end = End {
        import: import.progress(),
        problem: problem.and_then(|json| RawValue::from_string(json).ok()),
    };
    let mut text = Vec::new();
    write_line(&mut text, &end);
    // Others may begin, however long this client takes to read.
    drop((import, pieces));
    Written {
        outcomes,
        sent: 0,
        end: text.into(),
    }
}

/// The last line.
#[derive(Serialize)]
struct End {
    import: ImportProgress,
    /// Why it ended before its rows did.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Box<RawValue>>,
}

/// The line of a row.
#[derive(Serialize)]
struct Line<'a> {
    row: usize,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl<'a> Line<'a> {
    fn of(row: usize, outcome: &'a RowOutcome) -> Self {
        let (status, id, code, errors) = match outcome {
            RowOutcome::Created(id) => (StatusCode::CREATED, Some(*id), None, &[][..]),
            RowOutcome::Existing(id) => (StatusCode::OK, Some(*id), None, &[][..]),
            RowOutcome::Invalid(errors) => {
                let code = Code::Invalid;
                (status_of(code.kind()), None, Some(code), &errors[..])
            }
        };
        Self {
            row,
            status: status.as_u16(),
            id,
            code,
            errors,
        }
    }
}

fn write_line(text: &mut Vec<u8>, line: &impl Serialize) {
    // Texts, ids and numbers always have a JSON.
    let _ = serde_json::to_writer(&mut *text, line);
    text.push(b'\n');
}
