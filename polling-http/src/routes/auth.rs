//! Signing in, staying signed in, signing out, and passwords.

use http::StatusCode;
use polling_core::Engine;
use polling_core::users::{Credentials, NewPassword, PasswordChange, PasswordReset, Refresh};

use super::users::users;
use crate::request::Call;
use crate::response::{self, Answer};
use crate::router::{Checked, Route, Takes};

/// Where the store keeps no accounts there are no such routes.
pub(super) fn routes(engine: &Engine) -> Vec<Route> {
    if engine.users().is_none() {
        return Vec::new();
    }
    vec![
        Route::at("/api/v1/auth/login")
            .post(Takes::Json, sign_in)
            .checked(may_try),
        Route::at("/api/v1/auth/refresh")
            .post(Takes::Json, refresh)
            .checked(may_refresh),
        Route::at("/api/v1/auth/logout").post(Takes::Json, sign_out),
        Route::at("/api/v1/auth/logout-all").post(Takes::Nothing, sign_out_everywhere),
        Route::at("/api/v1/auth/password")
            .post(Takes::Json, change_password)
            .checked(may_change_password),
        Route::at("/api/v1/auth/password-reset")
            .post(Takes::Json, reset_password)
            .checked(may_reset_password),
        Route::at("/api/v1/auth/password-reset/confirm")
            .post(Takes::Json, set_password)
            .checked(may_try),
    ]
}

fn may_try(call: &Call) -> Checked<'_> {
    Box::pin(async {
        users(call)?.may_try(&call.actor).await?;
        Ok(())
    })
}

fn may_refresh(call: &Call) -> Checked<'_> {
    Box::pin(async {
        users(call)?.may_refresh(&call.actor).await?;
        Ok(())
    })
}

fn may_change_password(call: &Call) -> Checked<'_> {
    Box::pin(async {
        users(call)?.may_change_password(&call.actor).await?;
        Ok(())
    })
}

fn may_reset_password(call: &Call) -> Checked<'_> {
    Box::pin(async {
        users(call)?.may_reset_password(&call.actor).await?;
        Ok(())
    })
}

async fn sign_in(call: Box<Call>) -> Answer {
    let credentials: Credentials = call.json()?;
    let signed_in = users(&call)?.sign_in(&call.actor, credentials).await?;
    response::json(StatusCode::OK, &signed_in)
}

async fn refresh(call: Box<Call>) -> Answer {
    let token: Refresh = call.json()?;
    let signed_in = users(&call)?.refresh(&call.actor, token).await?;
    response::json(StatusCode::OK, &signed_in)
}

async fn sign_out(call: Box<Call>) -> Answer {
    let token: Refresh = call.json()?;
    users(&call)?.sign_out(&call.actor, token).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

async fn sign_out_everywhere(call: Box<Call>) -> Answer {
    users(&call)?.sign_out_everywhere(&call.actor).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

async fn change_password(call: Box<Call>) -> Answer {
    let change: PasswordChange = call.json()?;
    let signed_in = users(&call)?.change_password(&call.actor, change).await?;
    response::json(StatusCode::OK, &signed_in)
}

async fn reset_password(call: Box<Call>) -> Answer {
    let reset: PasswordReset = call.json()?;
    users(&call)?.reset_password(&call.actor, reset).await?;
    Ok(response::empty(StatusCode::ACCEPTED))
}

async fn set_password(call: Box<Call>) -> Answer {
    let new: NewPassword = call.json()?;
    users(&call)?.set_password(&call.actor, new).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}
