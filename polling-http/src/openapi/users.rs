//! What can be asked about accounts.

use http::Method;
use polling_core::users::{NewUser, UserPatch, UserView};
use polling_core::{Code, UserId};
use serde_json::json;

use super::operation::{Description, operation};
use super::{CREATED, NO_CONTENT, OK, Room, failures, nothing};

const SIGN_UP: &str = "An e-mail address has one account, whatever its case, and nobody else sees it. A password that is \
    guessed easily is refused by the field error `password_weak`, which says what to do about it.";
const DELETE: &str = "Gone at once: nobody signs in or finds it, and the address is free. Access tokens that were given are \
    good for votes until they end, and for nothing else. Ballots go on counting, and polls stay.";
const EDIT: &str = "The fields that are sent change. Another `email` needs the `current_password`.";
const OWN: &str = "/api/v1/users/me";

pub(super) fn room() -> Room {
    let at = |method, template, id, summary| operation(method, template, id, summary);
    let one = "/api/v1/users/{id}";
    Room {
        name: "Users",
        says: "Accounts.",
        operations: vec![
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
                .refuses(&[Code::Forbidden, Code::UserNotFound]),
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
            .answers_with(NO_CONTENT, nothing("Deleted")),
        ],
    }
}

fn of_user(operation: Description) -> Description {
    operation.path::<UserId>("id", "The user. What is no id names no user.")
}
