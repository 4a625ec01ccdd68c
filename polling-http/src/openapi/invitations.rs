//! What can be asked about invitations to workspaces.

use http::Method;
use polling_core::workspaces::{InvitationView, NewInvitation, WorkspaceView};
use polling_core::{Code, InvitationId};
use serde_json::json;

use super::operation::{Description, operation};
use super::workspaces::{of_workspace, paged};
use super::{CREATED, NO_CONTENT, OK, Room, nothing};

const INVITE: &str = "For owners. It is for whoever has the account of the address, whatever its case, when it is \
    answered: nothing here says whether there is one. It is sent to the address, if the server sends anything. Keep its \
    id like a secret, and pass it on to nobody but who reads that mail. Inviting an address again replaces the invitation, \
    and its id: the one before is good for nothing any more.";
const ACCEPT: &str = "Repeated, the same, as long as the membership lasts and the invitation was not replaced. Who is a \
    member already stays what they are.";
const MINE: &str =
    "An invitation to another address than the caller's account has, or one that is over, is 404.";

pub(super) fn room() -> Room {
    let at = |method, template, id, summary| operation(method, template, id, summary).needs_token();
    let of_one = "/api/v1/workspaces/{id}/invitations";
    let withdrawn = [
        ("id", "$response.body#/workspace_id"),
        ("invitation_id", "$response.body#/id"),
    ];
    Room {
        name: "Invitations",
        says: "To workspaces, by e-mail address, good for 7 days.",
        operations: vec![
            of_workspace(paged::<InvitationView, InvitationId>(at(
                Method::GET,
                of_one,
                "listInvitations",
                "List the invitations to a workspace",
            )))
            .says("For owners: those that are to be answered, newest first.")
            .refuses(&[Code::Forbidden]),
            of_workspace(at(
                Method::POST,
                of_one,
                "inviteMember",
                "Invite to a workspace",
            ))
            .says(INVITE)
            .takes::<NewInvitation>(json!({ "email": "ada@example.org", "role": "viewer" }))
            .answers::<InvitationView>(CREATED, "The invitation")
            .leads_to("readInvitation", None)
            .leads_to("acceptInvitation", None)
            .leads_to("declineInvitation", None)
            .leads_on_to("withdrawInvitation", &withdrawn, None)
            .refuses(&[Code::Forbidden, Code::LimitReached, Code::RateLimited]),
            of_workspace(at(
                Method::DELETE,
                "/api/v1/workspaces/{id}/invitations/{invitation_id}",
                "withdrawInvitation",
                "Withdraw an invitation",
            ))
            .path::<InvitationId>("invitation_id", "The invitation. What is no id names none.")
            .says("For owners. One that was accepted is 404.")
            .answers_with(NO_CONTENT, nothing("Withdrawn"))
            .refuses(&[Code::Forbidden, Code::InvitationNotFound]),
            own(at(
                Method::GET,
                "/api/v1/invitations/{id}",
                "readInvitation",
                "Read an invitation to oneself",
            ))
            .says(MINE)
            .answers::<InvitationView>(OK, "The invitation"),
            own(at(
                Method::POST,
                "/api/v1/invitations/{id}/accept",
                "acceptInvitation",
                "Accept an invitation",
            ))
            .says(ACCEPT)
            .answers::<WorkspaceView>(OK, "The workspace, with the role of the caller")
            .refuses(&[Code::LimitReached]),
            own(at(
                Method::POST,
                "/api/v1/invitations/{id}/decline",
                "declineInvitation",
                "Decline an invitation",
            ))
            .says(MINE)
            .answers_with(NO_CONTENT, nothing("Declined")),
        ],
    }
}

fn own(operation: Description) -> Description {
    operation
        .path::<InvitationId>("id", "The invitation. What is no id names none.")
        .refuses(&[Code::InvitationNotFound])
}
