//! What can be asked about the projects of workspaces.

use http::Method;
use polling_core::workspaces::{NewProject, ProjectPatch, ProjectView};
use polling_core::{Code, ProjectId};
use serde_json::json;

use super::operation::{Description, operation};
use super::workspaces::{of_workspace, paged};
use super::{CREATED, NO_CONTENT, OK, Room, nothing};

const ALL: &str = "/api/v1/workspaces/{id}/projects";
const ONE: &str = "/api/v1/workspaces/{id}/projects/{project_id}";

pub(super) fn room() -> Room {
    let at = |method, template, id, summary| {
        of_workspace(operation(method, template, id, summary).needs_token())
    };
    let this = [
        ("id", "$response.body#/workspace_id"),
        ("project_id", "$response.body#/id"),
    ];
    let poll = json!({
        "question": "Tea or coffee?",
        "options": ["Tea", "Coffee"],
        "voters": "members",
        "publish": true,
        "project_id": "$response.body#/id",
    });
    let of_it = [("project_id", "$response.body#/id")];
    Room {
        name: "Projects",
        says: "Polls of a workspace that belong together. A poll is created in one by its `project_id`.",
        operations: vec![
            paged::<ProjectView, ProjectId>(at(
                Method::GET,
                ALL,
                "listProjects",
                "List the projects",
            ))
            .says("Newest first."),
            at(Method::POST, ALL, "createProject", "Create a project")
                .says("For owners and collaborators.")
                .takes::<NewProject>(json!({ "name": "Drinks" }))
                .answers::<ProjectView>(CREATED, "The project")
                .leads_on_to("renameProject", &this, None)
                .leads_on_to("deleteProject", &this, None)
                .leads_on_to("createPoll", &[], Some(poll))
                .leads_on_to("listPolls", &of_it, None)
                .refuses(&[Code::Forbidden, Code::LimitReached]),
            of_project(at(Method::PATCH, ONE, "renameProject", "Rename a project"))
                .takes::<ProjectPatch>(json!({ "name": "Hot drinks" }))
                .answers::<ProjectView>(OK, "The project as it is now"),
            of_project(at(Method::DELETE, ONE, "deleteProject", "Delete a project"))
                .says("For owners and collaborators. Gone with its polls.")
                .answers_with(NO_CONTENT, nothing("Deleted")),
        ],
    }
}

fn of_project(operation: Description) -> Description {
    operation
        .path::<ProjectId>("project_id", "The project. What is no id names none.")
        .says("For owners and collaborators.")
        .refuses(&[Code::Forbidden, Code::ProjectNotFound])
}
