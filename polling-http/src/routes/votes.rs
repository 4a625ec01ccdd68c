//! Votes: cast, one or many; read, change and withdraw one's own.

use http::{Method, StatusCode};
use polling_core::limits::Standing;
use polling_core::votes::{VoteBody, VoteError};
use polling_core::{
    BallotId, Code, Fault, FieldError, Kind, PollId, Receipt, StoreError, Voter, log_each_second,
};
use serde::Serialize;

use crate::problem::{self, Problem};
use crate::request::Call;
use crate::response::{self, Answer, PieceWriter, ResponseBody};
use crate::router::{Checked, Route, Takes};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::at("/api/v1/polls/{id}/votes")
            .post(Takes::Json, cast)
            .checked(may_cast)
            .small(),
        Route::at("/api/v1/polls/{id}/votes/batch")
            .post(Takes::Batch, cast_all)
            .checked(may_cast_all),
        Route::at("/api/v1/polls/{id}/vote")
            .get(read)
            .small()
            .on(Method::PUT, Takes::Json, change)
            .checked(may_cast)
            .small()
            .on(Method::DELETE, Takes::Nothing, withdraw)
            .small(),
    ]
}

pub(super) fn may_cast(call: &Call) -> Checked<'_> {
    Box::pin(async {
        let poll = call.poll_id()?;
        call.idempotency_key::<BallotId>()?;
        call.engine.votes().may_cast(&call.actor, poll).await?;
        Ok(())
    })
}

fn may_cast_all(call: &Call) -> Checked<'_> {
    Box::pin(async {
        let poll = call.poll_id()?;
        call.engine.votes().may_cast_many(&call.actor, poll).await?;
        Ok(())
    })
}

pub(super) async fn cast(mut call: Box<Call>) -> Answer {
    let poll = call.poll_id()?;
    let body = call.vote()?;
    call.forget_body();
    cast_in(&call, poll, body).await
}

pub(super) async fn cast_in(call: &Call, poll: PollId, mut body: VoteBody) -> Answer {
    body.ballot_id = call.ballot_id(body.ballot_id)?;
    let ballot = body.into_ballot(poll)?;
    let receipt = call.engine.votes().cast(&call.actor, ballot).await?;
    receipted(&receipt)
}

/// Room for a receipt whose voter has a name of some length; longer ones make more.
const RECEIPT_BYTES: usize = 256;

fn receipted(receipt: &Receipt) -> Answer {
    let mut body = Vec::with_capacity(RECEIPT_BYTES);
    receipt.write_json(&mut body);
    Ok(response::json_bytes(status(receipt), body))
}

fn status(receipt: &Receipt) -> StatusCode {
    if receipt.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    }
}

async fn change(mut call: Box<Call>) -> Answer {
    let poll = call.poll_id()?;
    let mut body = call.vote()?;
    call.forget_body();
    body.ballot_id = call.ballot_id(body.ballot_id)?;
    body.voter = match (body.voter, call.voter()?) {
        (Some(body), Some(query)) if body != query => {
            let field = FieldError::invalid("/voter", "must be the same in the query and the body");
            return Err(Problem::invalid_field(field));
        }
        (body, query) => body.or(query),
    };
    let ballot = body.into_ballot(poll)?;
    let receipt = call.engine.votes().change(&call.actor, ballot).await?;
    receipted(&receipt)
}

async fn read(call: Box<Call>) -> Answer {
    let (poll, voter) = (call.poll_id()?, Voter::named(call.voter()?));
    let ballot = call.engine.votes().read(&call.actor, poll, &voter).await?;
    response::json(StatusCode::OK, &ballot)
}

async fn withdraw(call: Box<Call>) -> Answer {
    let (poll, voter) = (call.poll_id()?, Voter::named(call.voter()?));
    let votes = call.engine.votes();
    votes.withdraw(&call.actor, poll, &voter).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

async fn cast_all(mut call: Box<Call>) -> Answer {
    let poll = call.poll_id()?;
    let ballots = call.votes()?;
    call.forget_body();
    let ballots = ballots.into_ballots(poll, call.engine.settings().request_ballots)?;
    let votes = call.engine.votes();
    let outcomes = votes.cast_all(&call.actor, poll, ballots).await?;
    log_failures(&outcomes);
    let body = written(&outcomes).map_err(StoreError::internal)?;
    Ok(response::json_body(StatusCode::OK, body))
}

/// Our own faults are logged once for the batch, and not for each of its ballots.
fn log_failures(outcomes: &[Result<Receipt, VoteError>]) {
    let failed = |outcome: &Result<Receipt, VoteError>| match outcome {
        Err(error) => matches!(error.code().kind(), Kind::Internal | Kind::Unavailable),
        Ok(_) => false,
    };
    let ballots = outcomes.iter().filter(|outcome| failed(outcome)).count();
    if let Some(Err(first)) = outcomes.iter().find(|outcome| failed(outcome)) {
        let error = problem::chain(first);
        log_each_second!(error, "ballots of a batch failed", ballots, error);
    }
}

/// The answer to a batch, written in one pass: `{"outcomes": [{"status", "receipt"} or {"status", "code", …}, …]}`.
fn written(outcomes: &[Result<Receipt, VoteError>]) -> Result<ResponseBody, serde_json::Error> {
    let mut writer = PieceWriter::with_capacity(32 + outcomes.len() * RECEIPT_BYTES);
    let mut body = writer.buffer();
    body.extend_from_slice(b"{\"outcomes\":[");
    for (at, outcome) in outcomes.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body = writer.buffer();
        match outcome {
            Ok(receipt) => {
                let status = status(receipt);
                body.extend_from_slice(b"{\"status\":");
                body.extend_from_slice(status.as_str().as_bytes());
                body.extend_from_slice(b",\"receipt\":");
                receipt.write_json(body);
                body.push(b'}');
            }
            Err(error) => serde_json::to_writer(&mut *body, &Refused::of(error))?,
        }
    }
    body.extend_from_slice(b"]}");
    Ok(writer.into_body())
}

/// What became of a ballot of a batch that was not recorded.
#[derive(Serialize)]
struct Refused<'a> {
    status: u16,
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// Seconds, where a limit was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl<'a> Refused<'a> {
    fn of(error: &'a VoteError) -> Self {
        let code = error.code();
        Self {
            status: problem::status_of(code.kind()).as_u16(),
            code,
            detail: (code.kind() != Kind::Internal).then(|| error.to_string()),
            errors: error.fields(),
            retry_after: error.standing().map(Standing::retry_after_seconds),
        }
    }
}
