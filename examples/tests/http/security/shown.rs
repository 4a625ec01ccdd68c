//! What holds a secret or an address does not show it by `Debug`, which is what ends up in logs.

use std::fmt::Debug;

use polling_core::users::{
    Credentials, Email, NewPassword, NewUser, PasswordChange, PasswordHash, PasswordReset, Refresh,
    UserPatch,
};
use polling_core::vote_tokens::{NewVoteTokens, Revocation};
use polling_core::workspaces::NewInvitation;
use polling_core::{Actor, NewPoll, TokenHash};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::forged::key;
use crate::support::Server;

/// In all that is secret here.
const SECRET: &str = "hunter2";

#[track_caller]
fn hides(shown: &impl Debug) {
    for shown in [format!("{shown:?}"), format!("{shown:#?}")] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[track_caller]
fn hidden<T: DeserializeOwned + Debug>(body: Value) {
    hides(&serde_json::from_value::<T>(body).unwrap());
}

#[test]
fn what_is_sent_is_not_shown() {
    let email = "hunter2@example.org";
    hidden::<NewUser>(json!({"name": "Ada", "email": email, "password": SECRET}));
    hidden::<Credentials>(json!({"email": email, "password": SECRET}));
    hidden::<Refresh>(json!({"refresh_token": SECRET}));
    hidden::<PasswordChange>(json!({"current_password": SECRET, "new_password": SECRET}));
    hidden::<PasswordReset>(json!({"email": email}));
    hidden::<NewPassword>(json!({"token": SECRET, "new_password": SECRET}));
    hidden::<UserPatch>(json!({"email": email, "current_password": SECRET}));
    hidden::<NewInvitation>(json!({"email": email, "role": "viewer"}));
    hidden::<Revocation>(json!({"tokens": [SECRET]}));
    hidden::<NewVoteTokens>(json!({"count": 1}));
    hides(&Email::parse(email).unwrap());
    hides(&PasswordHash::from_store(SECRET.into()));
    hides(&TokenHash::of(SECRET));
    hides(&Actor::manage_token(TokenHash::of(SECRET)));
    let shown = format!("{:?}", key());
    assert!(!shown.contains("07") && !shown.contains("[7"), "{shown}");
}

#[tokio::test]
async fn what_is_answered_is_not_shown() {
    let server = Server::start().await;
    let engine = &server.engine;
    let nobody = Actor::anonymous();
    let users = engine.users().unwrap();
    let new = NewUser::new("Ada", "hunter2@example.org", "hunter2 hunter2");
    hides(&users.create(&Actor::System, new).await.unwrap());
    let credentials = Credentials::new("hunter2@example.org", "hunter2 hunter2");
    let signed_in = users.sign_in(&nobody, credentials).await.unwrap();
    let shown = format!("{signed_in:?}");
    for secret in [&signed_in.access_token, &signed_in.refresh_token] {
        assert!(!shown.contains(secret.as_str()), "{shown}");
    }
    let ada = engine.authenticate(&signed_in.access_token).await.unwrap();
    hides(&users.read_own(&ada).await.unwrap());
    let poll = NewPoll::single("?", ["a", "b"]);
    let poll = engine.polls().create(&nobody, poll).await.unwrap();
    let token = poll.manage_token.as_deref().unwrap().to_owned();
    assert!(!format!("{poll:?}").contains(&token));
    let manager = engine.authenticate(&token).await.unwrap();
    assert!(!format!("{manager:?}").contains(&token));
    let hash = TokenHash::of(&token);
    assert!(!format!("{manager:?}").contains(&format!("{:?}", hash.as_bytes())));
    hides(engine);
}
