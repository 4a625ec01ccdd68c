//! What can be asked about workspaces, and about who is in them.

use http::Method;
use polling_core::openapi::whole;
use polling_core::workspaces::{
    Listing, MemberView, NewRole, NewWorkspace, WorkspacePatch, WorkspaceView,
};
use polling_core::{Code, UserId, WorkspaceId};
use serde_json::json;
use utoipa::{PartialSchema, ToSchema};

use super::operation::{Description, operation};
use super::{CREATED, NO_CONTENT, OK, Room, nothing};

const CREATE: &str = "The user who asks is its owner, and may be in 100 workspaces.";
const DELETE: &str = "For owners. Gone with its projects, and their polls first, one by one; where it was cut short, send \
    it again.";
const SET_ROLE: &str = "For owners. It counts from the next request on. The last owner stays one.";
const REMOVE: &str =
    "For owners; everybody may remove themselves. A workspace never loses its last owner.";

/// What owners may be refused for; whom it says are all others.
const OWNING: [Code; 2] = [Code::Forbidden, Code::WorkspaceNotFound];

const ONE: &str = "/api/v1/workspaces/{id}";
const MEMBER: &str = "/api/v1/workspaces/{id}/members/{user_id}";

pub(super) fn room() -> Room {
    let at = |method, template, id, summary| operation(method, template, id, summary).needs_token();
    let all = "/api/v1/workspaces";
    let members = "/api/v1/workspaces/{id}/members";
    Room {
        name: "Workspaces",
        says: "People who keep polls together. To who is no member there is no such workspace.",
        operations: vec![
            paged::<WorkspaceView, WorkspaceId>(at(
                Method::GET,
                all,
                "listWorkspaces",
                "List one's workspaces",
            ))
            .says("Newest first."),
            at(Method::POST, all, "createWorkspace", "Create a workspace")
                .says(CREATE)
                .takes::<NewWorkspace>(json!({ "name": "Kitchen" }))
                .answers::<WorkspaceView>(CREATED, "The workspace")
                .with("Location", "Where it is found.")
                .leads_to("readWorkspace", None)
                .leads_to("renameWorkspace", None)
                .leads_to("listMembers", None)
                .leads_to("inviteMember", None)
                .leads_to("createProject", None)
                .leads_to("deleteWorkspace", None)
                .refuses(&[Code::LimitReached]),
            of_workspace(at(Method::GET, ONE, "readWorkspace", "Read a workspace"))
                .answers::<WorkspaceView>(OK, "The workspace, with the role of the caller"),
            of_workspace(at(
                Method::PATCH,
                ONE,
                "renameWorkspace",
                "Rename a workspace",
            ))
            .says("For owners.")
            .takes::<WorkspacePatch>(json!({ "name": "Tea kitchen" }))
            .answers::<WorkspaceView>(OK, "The workspace as it is now")
            .refuses(&OWNING),
            of_workspace(at(
                Method::DELETE,
                ONE,
                "deleteWorkspace",
                "Delete a workspace",
            ))
            .says(DELETE)
            .answers_with(NO_CONTENT, nothing("Deleted"))
            .refuses(&OWNING),
            of_workspace(paged::<MemberView, UserId>(at(
                Method::GET,
                members,
                "listMembers",
                "List the members",
            )))
            .says("By user id."),
            of_member(at(Method::PATCH, MEMBER, "setRole", "Change a role"))
                .says(SET_ROLE)
                .takes::<NewRole>(json!({ "role": "collaborator" }))
                .answers::<MemberView>(OK, "The member as it is now"),
            of_member(at(
                Method::DELETE,
                MEMBER,
                "removeMember",
                "Remove a member, or leave",
            ))
            .says(REMOVE)
            .answers_with(NO_CONTENT, nothing("Removed")),
        ],
    }
}

/// Of a workspace, which is there for its members only.
pub(super) fn of_workspace(operation: Description) -> Description {
    operation
        .path::<WorkspaceId>("id", "The workspace. What is no id names none.")
        .refuses(&[Code::WorkspaceNotFound])
}

fn of_member(operation: Description) -> Description {
    of_workspace(operation)
        .path::<UserId>("user_id", "The member. What is no id names none.")
        .refuses(&OWNING)
        .refuses(&[Code::LastOwner, Code::MemberNotFound])
}

/// A page of a listing.
pub(super) fn paged<T, C: PartialSchema>(operation: Description) -> Description
where
    Listing<T, C>: ToSchema,
{
    operation
        .query(
            "limit",
            "How many, at most; a page may have fewer.",
            whole(1, 100),
        )
        .query(
            "cursor",
            "The `next_cursor` of the page before.",
            C::schema(),
        )
        .answers::<Listing<T, C>>(OK, "A page")
        .refuses(&[Code::Invalid, Code::RateLimited])
}
