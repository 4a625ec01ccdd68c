//! For those who watch the server: whether it lives, and whether it can work.

use http::StatusCode;
use serde_json::json;

use crate::request::Call;
use crate::response::{self, Answer};
use crate::router::Route;

pub(super) fn routes() -> [Route; 2] {
    [
        Route::probe("/healthz").get(alive).small(),
        Route::probe("/readyz").get(ready).small(),
    ]
}

async fn alive(_call: Box<Call>) -> Answer {
    response::json(StatusCode::OK, &json!({ "status": "ok" }))
}

async fn ready(call: Box<Call>) -> Answer {
    call.engine.ready().await?;
    response::json(StatusCode::OK, &json!({ "status": "ready" }))
}
