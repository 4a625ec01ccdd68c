//! Users: sign up, sign in, look up.

use http::{StatusCode, header};
use polling_core::users::{Credentials, NewUser, Users};
use polling_core::{Code, Engine, UserId};

use super::polls::location;
use crate::problem::Problem;
use crate::request::Call;
use crate::response::{self, Answer};
use crate::router::{Route, Takes};

/// Where the store keeps no accounts there are no such routes.
pub(super) fn routes(engine: &Engine) -> Vec<Route> {
    if engine.users().is_none() {
        return Vec::new();
    }
    vec![
        Route::at("/api/v1/users").post(Takes::Json, create),
        Route::at("/api/v1/users/{id}").get(read),
        Route::at("/api/v1/auth/login").post(Takes::Json, sign_in),
    ]
}

fn users(call: &Call) -> Result<&Users, Problem> {
    call.engine.users().ok_or_else(Problem::not_found)
}

async fn create(call: Box<Call>) -> Answer {
    let new: NewUser = call.json()?;
    let user = users(&call)?.create(&call.actor, new).await?;
    let mut response = response::json(StatusCode::CREATED, &user)?;
    let location = location(&call, "users", &user.id)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

async fn read(call: Box<Call>) -> Answer {
    let id: UserId = call.id_or(Code::UserNotFound)?;
    let user = users(&call)?.read(&call.actor, id).await?;
    response::json(StatusCode::OK, &user)
}

async fn sign_in(call: Box<Call>) -> Answer {
    let credentials: Credentials = call.json()?;
    let token = users(&call)?.sign_in(&call.actor, credentials).await?;
    response::json(StatusCode::OK, &token)
}
