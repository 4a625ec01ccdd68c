//! What can be asked about accounts.

use http::Method;
use polling_core::users::{Credentials, ImportProgress, NewUser, SignedIn, UserView};
use polling_core::{Code, ImportId, UserId};
use serde_json::json;
use utoipa::PartialSchema;

use super::operation::operation;
use super::{CREATED, OK, Room};

const IMPORT: &str = "For administrators of the site: up to 100,000 rows and 32 MiB, read while they come in. A table has the \
    columns `name`, `email`, and `password` where there are any; a line of JSON is an object with these fields. Each row is \
    answered, in order: `{\"row\":1,\"status\":201,\"id\":\"…\"}`, 200 where the address has an account, which stays as it is, \
    or 422 with `errors`. The last line is `{\"import\":{…}}`, with a `problem` where the import ended before its rows did: \
    send them again.";

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
            operation(
                Method::POST,
                "/api/v1/users/import",
                "importUsers",
                "Import many users",
            )
            .says(IMPORT)
            .needs_token()
            .header(
                "Idempotency-Key",
                "The id of the import; without it a new one.",
                ImportId::schema(),
            )
            .takes_lines("text/csv", "name,email\r\nAda,ada@example.org\r\n")
            .takes_lines(
                "application/x-ndjson",
                "{\"name\":\"Ada\",\"email\":\"ada@example.org\"}\n",
            )
            .answers_lines(OK, "application/x-ndjson", "One line for each row, and a last one")
            .with("Location", "Where the progress is read.")
            .refuses(&[Code::Forbidden, Code::FeatureOff, Code::Overloaded]),
            operation(
                Method::GET,
                "/api/v1/users/import/{id}",
                "readImport",
                "Read how far an import has come",
            )
            .says("In the memory of the server that it was sent to: of the last imports.")
            .needs_token()
            .path::<ImportId>("id", "The import. What is no id names no import.")
            .answers::<ImportProgress>(OK, "The progress")
            .refuses(&[Code::Forbidden, Code::ImportNotFound]),
            operation(Method::POST, "/api/v1/auth/login", "signIn", "Sign in")
                .says("A wrong address and a wrong password are answered alike.")
                .takes::<Credentials>(credentials)
                .answers::<SignedIn>(OK, "An access token, and a refresh token")
                .refuses(&[Code::Unauthorized, Code::Overloaded]),
        ],
    }
}
