//! Users: sign up, look up, change, delete.

use http::{Method, StatusCode, header};
use polling_core::limits::Rule;
use polling_core::users::{NewUser, UserPatch, Users};
use polling_core::{Code, Engine};

use super::polls::location;
use crate::limits;
use crate::problem::Problem;
use crate::request::Call;
use crate::response::{self, Answer};
use crate::router::{Checked, Route, Takes};

/// Where the store keeps no accounts there are no such routes.
pub(super) fn routes(engine: &Engine) -> Vec<Route> {
    if engine.users().is_none() {
        return Vec::new();
    }
    vec![
        Route::at("/api/v1/users")
            .post(Takes::Json, create)
            .checked(may_sign_up),
        Route::at("/api/v1/users/me")
            .get(read_own)
            .on(Method::PATCH, Takes::Json, edit_own)
            .checked(may_edit_own)
            .on(Method::DELETE, Takes::Nothing, delete_own),
        Route::at("/api/v1/users/{id}")
            .get(read)
            .on(Method::DELETE, Takes::Nothing, delete),
    ]
}

pub(super) fn users(call: &Call) -> Result<&Users, Problem> {
    call.engine.users().ok_or_else(Problem::not_found)
}

fn may_sign_up(call: &Call) -> Checked<'_> {
    Box::pin(async {
        users(call)?.may_sign_up(&call.actor).await?;
        Ok(())
    })
}

fn may_edit_own(call: &Call) -> Checked<'_> {
    Box::pin(async {
        users(call)?.may_edit_own(&call.actor).await?;
        Ok(())
    })
}

async fn create(call: Box<Call>) -> Answer {
    let new: NewUser = call.json()?;
    let user = users(&call)?.create(&call.actor, new).await?;
    let mut response = response::json(StatusCode::CREATED, &user)?;
    let location = location(&call, "users", &user.id)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(limits::tell(&call, Rule::SignUp, response).await)
}

async fn read(call: Box<Call>) -> Answer {
    let user = users(&call)?
        .read(&call.actor, call.id_or(Code::UserNotFound)?)
        .await?;
    response::json(StatusCode::OK, &user)
}

async fn delete(call: Box<Call>) -> Answer {
    users(&call)?
        .delete(&call.actor, call.id_or(Code::UserNotFound)?)
        .await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

async fn read_own(call: Box<Call>) -> Answer {
    let user = users(&call)?.read_own(&call.actor).await?;
    response::json(StatusCode::OK, &user)
}

async fn edit_own(call: Box<Call>) -> Answer {
    let patch: UserPatch = call.json()?;
    let user = users(&call)?.edit_own(&call.actor, patch).await?;
    response::json(StatusCode::OK, &user)
}

async fn delete_own(call: Box<Call>) -> Answer {
    users(&call)?.delete_own(&call.actor).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}
