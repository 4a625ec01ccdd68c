//! What can be asked about accounts.

use http::Method;
use polling_core::users::{ImportProgress, NewUser, UserPatch, UserView};
use polling_core::{Code, ImportId, UserId};
use serde_json::json;
use utoipa::PartialSchema;

use super::operation::{Description, operation};
use super::{CREATED, NO_CONTENT, OK, Room, failures, nothing};

const SIGN_UP: &str = "An e-mail address has one account, whatever its case, and nobody else sees it. A password that is \
    guessed easily is refused by the field error `password_weak`, which says what to do about it.";
const DELETE: &str = "Gone at once: nobody signs in or finds it, and the address is free. Access tokens that were given are \
    good for votes until they end, and for nothing else. Ballots go on counting, and polls stay.";
const EDIT: &str = "The fields that are sent change. Another `email` needs the `current_password`.";
const OWN: &str = "/api/v1/users/me";

const IMPORT: &str = "For administrators of the site: up to 100,000 rows and 32 MiB, read while they come in. A table has the \
    columns `name`, `email`, and `password` where there are any; a line of JSON is an object with these fields. Each row is \
    answered, in order: `{\"row\":1,\"status\":201,\"id\":\"…\"}`, 200 where the address has an account, which stays as it is, \
    or 422 with `errors`. The last line is `{\"import\":{…}}`, with a `problem` where the import ended before its rows did: \
    send them again.";

pub(super) fn room() -> Room {
    Room {
        name: "Users",
        says: "Accounts.",
        operations: accounts().into_iter().chain(imports()).collect(),
    }
}

fn accounts() -> Vec<Description> {
    let at = |method, template, id, summary| operation(method, template, id, summary);
    let one = "/api/v1/users/{id}";
    vec![
        at(Method::POST, "/api/v1/users", "signUp", "Sign up")
            .says(SIGN_UP)
            .takes::<NewUser>(json!({
                "name": "Ada",
                "email": "ada@example.org",
                "password": "correct horse",
            }))
            .answers::<UserView>(CREATED, "The account")
            .with("Location", "Where it is found.")
            .with(failures::POLICY.0, failures::POLICY.1)
            .with(failures::LEFT.0, failures::LEFT.1)
            .leads_to("readUser", None)
            .refuses(&[
                Code::EmailTaken,
                Code::FeatureOff,
                Code::Overloaded,
                Code::RateLimited,
            ]),
        of_user(at(Method::GET, one, "readUser", "Read a user"))
            .says("Administrators see everybody whole, and everybody themselves.")
            .answers::<UserView>(OK, "What the caller may see of them")
            .refuses(&[Code::UserNotFound]),
        of_user(at(Method::DELETE, one, "deleteUser", "Delete a user"))
            .says("For administrators, and for the user.")
            .needs_token()
            .answers_with(NO_CONTENT, nothing("Deleted"))
            .refuses(&[Code::Forbidden, Code::LastOwner, Code::UserNotFound]),
        at(Method::GET, OWN, "readOwnAccount", "Read one's own account")
            .needs_token()
            .answers::<UserView>(OK, "The account"),
        at(
            Method::PATCH,
            OWN,
            "editOwnAccount",
            "Change one's own account",
        )
        .says(EDIT)
        .needs_token()
        .takes::<UserPatch>(json!({ "name": "Ada Lovelace" }))
        .answers::<UserView>(OK, "The account as it is now")
        .refuses(&[
            Code::EmailTaken,
            Code::Forbidden,
            Code::Overloaded,
            Code::RateLimited,
        ]),
        at(
            Method::DELETE,
            OWN,
            "deleteOwnAccount",
            "Delete one's own account",
        )
        .says(DELETE)
        .needs_token()
        .answers_with(NO_CONTENT, nothing("Deleted"))
        .refuses(&[Code::LastOwner]),
    ]
}

fn imports() -> Vec<Description> {
    vec![
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
        .answers_lines(
            OK,
            "application/x-ndjson",
            "One line for each row, and a last one",
        )
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
    ]
}

fn of_user(operation: Description) -> Description {
    operation.path::<UserId>("id", "The user. What is no id names no user.")
}
