//! What can be asked about signing in, and about passwords.

use http::{Method, StatusCode};
use polling_core::Code;
use polling_core::users::{
    Credentials, NewPassword, PasswordChange, PasswordReset, Refresh, SignedIn,
};
use serde_json::{Value, json};

use super::operation::{Description, operation};
use super::{NO_CONTENT, OK, Room, nothing};

const SIGN_IN: &str = "A wrong address and a wrong password are answered alike, after the same time. An account without a \
    password is sent a one-time link to set one, unless it has a good one. Send no `Authorization`: a token that is over is refused here, too.";
const REFRESH: &str = "A refresh token is good once. Who got no answer sends the same one again, within 10 seconds, and \
    gets the same successor. One that was spent before ends the whole sign-in. Send no `Authorization`.";
const SIGN_OUT: &str =
    "Ends the sign-in that the token belongs to; repeated, the same. Send no `Authorization`.";
const SIGN_OUT_ALL: &str =
    "Ends a one-time link, too. Access tokens that were given are good until they end.";
const CHANGE: &str = "Ends all sign-ins, the caller's too, and begins a new one. 403 where the `current_password` is \
    another.";
const RESET: &str = "If there is an account, a one-time link is sent to the address: good once, for an hour. Neither the \
    answer nor its time says whether there is one.";
const SET: &str = "Ends all sign-ins of the user. A link that is not good (any more) is 422, with the field `/token`.";

/// What is refused where passwords are hashed, or links sent.
const SECRET: [Code; 2] = [Code::Overloaded, Code::RateLimited];

pub(super) fn room() -> Room {
    Room {
        name: "Signing in",
        says: "Access tokens live for 15 minutes; a refresh token gets the next one, for 30 days.",
        operations: sign_ins().into_iter().chain(passwords()).collect(),
    }
}

fn sign_ins() -> Vec<Description> {
    vec![
        at("/api/v1/auth/login", "signIn", "Sign in")
            .says(SIGN_IN)
            .takes::<Credentials>(
                json!({ "email": "ada@example.org", "password": "correct horse" }),
            )
            .answers::<SignedIn>(OK, "An access token, and a refresh token")
            .leads_on_to("refresh", &[], Some(with_token()))
            .leads_on_to("signOut", &[], Some(with_token()))
            .refuses(&SECRET),
        at("/api/v1/auth/refresh", "refresh", "Get the next tokens")
            .says(REFRESH)
            .takes::<Refresh>(refresh_token())
            .answers::<SignedIn>(OK, "An access token, and the refresh token to spend next")
            .leads_on_to("signOut", &[], Some(with_token()))
            .refuses(&[Code::RateLimited]),
        at("/api/v1/auth/logout", "signOut", "Sign out")
            .says(SIGN_OUT)
            .takes::<Refresh>(refresh_token())
            .answers_with(NO_CONTENT, nothing("Signed out")),
        at(
            "/api/v1/auth/logout-all",
            "signOutEverywhere",
            "Sign out everywhere",
        )
        .says(SIGN_OUT_ALL)
        .needs_token()
        .answers_with(NO_CONTENT, nothing("All sign-ins of the user are over")),
    ]
}

fn passwords() -> Vec<Description> {
    vec![
        at(
            "/api/v1/auth/password",
            "changePassword",
            "Change one's password",
        )
        .says(CHANGE)
        .needs_token()
        .takes::<PasswordChange>(json!({
            "current_password": "correct horse",
            "new_password": "battery staple",
        }))
        .answers::<SignedIn>(OK, "The tokens of a new sign-in")
        .refuses(&SECRET)
        .refuses(&[Code::Forbidden]),
        at(
            "/api/v1/auth/password-reset",
            "resetPassword",
            "Ask for a new password",
        )
        .says(RESET)
        .takes::<PasswordReset>(json!({ "email": "ada@example.org" }))
        .answers_with(
            StatusCode::ACCEPTED,
            nothing("Whether or not there is an account"),
        )
        .refuses(&SECRET),
        at(
            "/api/v1/auth/password-reset/confirm",
            "setPassword",
            "Set a new password",
        )
        .says(SET)
        .takes::<NewPassword>(json!({
            "token": "pl_CBrFQ2S8pXvYgX5hXcHq4H3VxO8sS4l0pN1mY7bWk2E",
            "new_password": "battery staple",
        }))
        .answers_with(NO_CONTENT, nothing("The password is set"))
        .refuses(&SECRET),
    ]
}

fn at(template: &'static str, id: &'static str, summary: &'static str) -> Description {
    operation(Method::POST, template, id, summary)
}

fn with_token() -> Value {
    json!({ "refresh_token": "$response.body#/refresh_token" })
}

/// One that looks like those that are good.
fn refresh_token() -> Value {
    let token = "pr_AZOlsHx8fVKPXm8NOhwrTAgaxUNkvKV72IF-YV3B6uB91cTvLEuJdKTdZmO21pNh";
    json!({ "refresh_token": token })
}
