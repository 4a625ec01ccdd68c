//! What can be asked about accounts.

use http::Method;
use polling_core::users::{Credentials, NewUser, SignedIn, UserView};
use polling_core::{Code, UserId};
use serde_json::json;

use super::operation::operation;
use super::{CREATED, OK, Room};

pub(super) fn room() -> Room {
    let credentials = json!({ "email": "ada@example.org", "password": "correct horse" });
    let mut new = credentials.clone();
    new["name"] = "Ada".into();
    Room {
        name: "Users",
        says: "Sign up, sign in.",
        operations: vec![
            operation(Method::POST, "/api/v1/users", "signUp", "Sign up")
                .says("An e-mail address has one account, whatever its case, and nobody else sees it.")
                .takes::<NewUser>(new)
                .answers::<UserView>(CREATED, "The account")
                .with("Location", "Where it is found.")
                .refuses(&[Code::EmailTaken, Code::Overloaded]),
            operation(Method::GET, "/api/v1/users/{id}", "readUser", "Read a user")
                .path::<UserId>("id", "The user. What is no id names no user.")
                .answers::<UserView>(OK, "What everybody may see of them")
                .refuses(&[Code::UserNotFound]),
            operation(Method::POST, "/api/v1/auth/login", "signIn", "Sign in")
                .says("A wrong address and a wrong password are answered alike.")
                .takes::<Credentials>(credentials)
                .answers::<SignedIn>(OK, "An access token, and a refresh token")
                .refuses(&[Code::Unauthorized, Code::Overloaded]),
        ],
    }
}
