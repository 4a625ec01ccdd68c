//! What can be asked about tickets.

use http::Method;
use polling_core::{Code, Ticket};

use super::operation::operation;
use super::{CREATED, Room};

const MAKE: &str = "For browsers, which open event streams and WebSockets without headers: `?ticket=` of \
    `GET /api/v1/polls/{id}/events` and `GET /api/v1/ws`. It stands for the credential that this is asked with, once, for \
    30 seconds, on the server that made it.";

/// The parameter that takes one.
pub(super) const PARAMETER: &str = "A ticket (`POST /api/v1/auth/ticket`), instead of the `Authorization` that a browser \
    cannot send here. One that was used, or is over, is 401.";

pub(super) fn room() -> Room {
    Room {
        name: "Tickets",
        says: "A credential for what browsers open without headers.",
        operations: vec![
            operation(
                Method::POST,
                "/api/v1/auth/ticket",
                "makeTicket",
                "Make a ticket for a live stream",
            )
            .says(MAKE)
            .needs_token()
            .answers::<Ticket>(CREATED, "The ticket, shown this once")
            .refuses(&[Code::Overloaded, Code::RateLimited]),
        ],
    }
}
