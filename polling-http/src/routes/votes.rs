//! Votes: cast, one or many; read, change and withdraw one's own.

use http::{Method, StatusCode};
use polling_core::votes::{BatchBody, VoteBody, VoteError};
use polling_core::{Code, Fault, FieldError, Kind, PollId, Receipt, Voter};
use serde::Serialize;

use crate::problem::{self, Problem};
use crate::request::Call;
use crate::response::{self, Answer};
use crate::router::{Route, Takes};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::at("/api/v1/polls/{id}/votes").post(Takes::Json, cast),
        Route::at("/api/v1/polls/{id}/votes/batch").post(Takes::Batch, cast_all),
        Route::at("/api/v1/polls/{id}/vote")
            .get(read)
            .on(Method::PUT, Takes::Json, change)
            .on(Method::DELETE, Takes::Nothing, withdraw),
    ]
}

pub(super) async fn cast(call: Call) -> Answer {
    let poll = call.poll_id()?;
    let body: VoteBody = call.json()?;
    cast_in(&call, poll, body).await
}

pub(super) async fn cast_in(call: &Call, poll: PollId, mut body: VoteBody) -> Answer {
    body.ballot_id = call.ballot_id(body.ballot_id)?;
    let ballot = body.into_ballot(poll)?;
    let receipt = call.engine.votes().cast(&call.actor, ballot).await?;
    receipted(&receipt)
}

fn receipted(receipt: &Receipt) -> Answer {
    response::json(status(receipt), receipt)
}

fn status(receipt: &Receipt) -> StatusCode {
    if receipt.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    }
}

async fn change(call: Call) -> Answer {
    let poll = call.poll_id()?;
    let mut body: VoteBody = call.json()?;
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

async fn read(call: Call) -> Answer {
    let (poll, voter) = (call.poll_id()?, Voter::named(call.voter()?));
    let ballot = call.engine.votes().read(&call.actor, poll, &voter).await?;
    response::json(StatusCode::OK, &ballot)
}

async fn withdraw(call: Call) -> Answer {
    let (poll, voter) = (call.poll_id()?, Voter::named(call.voter()?));
    let votes = call.engine.votes();
    votes.withdraw(&call.actor, poll, &voter).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

/// What became of one ballot of many.
#[derive(Serialize)]
struct Outcome {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

#[derive(Serialize)]
struct Outcomes {
    outcomes: Vec<Outcome>,
}

async fn cast_all(call: Call) -> Answer {
    let poll = call.poll_id()?;
    let body: BatchBody = call.json()?;
    let ballots = body.into_ballots(poll, call.engine.settings().request_ballots)?;
    let votes = call.engine.votes();
    let outcomes = votes.cast_all(&call.actor, poll, ballots).await?;
    log_failures(&outcomes);
    let outcomes = outcomes.into_iter().map(Outcome::from).collect();
    response::json(StatusCode::OK, &Outcomes { outcomes })
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
        tracing::error!(ballots, error, "ballots of a batch failed");
    }
}

impl From<Result<Receipt, VoteError>> for Outcome {
    fn from(outcome: Result<Receipt, VoteError>) -> Self {
        match outcome {
            Ok(receipt) => Self {
                status: status(&receipt).as_u16(),
                receipt: Some(receipt),
                code: None,
                detail: None,
                errors: Vec::new(),
            },
            Err(error) => {
                let code = error.code();
                Self {
                    status: problem::status_of(code.kind()).as_u16(),
                    receipt: None,
                    code: Some(code),
                    detail: (code.kind() != Kind::Internal).then(|| error.to_string()),
                    errors: error.fields().to_vec(),
                }
            }
        }
    }
}
