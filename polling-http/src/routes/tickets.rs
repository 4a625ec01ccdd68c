//! Tickets: a credential for what browsers open without headers.

use http::StatusCode;

use crate::request::Call;
use crate::response::{self, Answer};
use crate::router::{Route, Takes};

pub(super) fn routes() -> [Route; 1] {
    [Route::at("/api/v1/auth/ticket")
        .post(Takes::Nothing, make)
        .small()]
}

async fn make(call: Box<Call>) -> Answer {
    let ticket = call.engine.ticket(&call.actor).await?;
    response::json(StatusCode::CREATED, &ticket)
}
