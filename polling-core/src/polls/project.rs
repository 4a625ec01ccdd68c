//! Polls that belong to a project: who may create them, and who may list them.

use super::error::PollError;
use super::model::ProjectRef;
use super::repository::ProjectQuery;
use crate::workspaces::Action;
use crate::{Actor, ProjectId, Repository};

/// The project that the actor wants to create a poll in, if they may.
pub(super) async fn to_create_in(
    store: &dyn Repository,
    actor: &Actor,
    id: ProjectId,
) -> Result<ProjectRef, PollError> {
    let (project, manages) = find(store, actor, id).await?;
    if manages {
        Ok(project)
    } else {
        Err(PollError::Forbidden)
    }
}

/// What the actor may list of a project.
pub(super) async fn to_list(
    store: &dyn Repository,
    actor: &Actor,
    id: ProjectId,
) -> Result<ProjectQuery, PollError> {
    let (project, manages) = find(store, actor, id).await?;
    Ok(ProjectQuery {
        id: project.id,
        drafts: manages,
    })
}

/// A project that is there for the actor, and whether they manage its polls.
async fn find(
    store: &dyn Repository,
    actor: &Actor,
    id: ProjectId,
) -> Result<(ProjectRef, bool), PollError> {
    let user = match actor {
        Actor::System => None,
        Actor::Caller(_) => Some(actor.user_id().ok_or(PollError::Unauthorized)?),
    };
    let workspaces = store.workspaces().ok_or(PollError::ProjectNotFound)?;
    let found = workspaces.project(id).await?;
    let workspace = found.ok_or(PollError::ProjectNotFound)?.workspace;
    let project = ProjectRef { id, workspace };
    let Some(user) = user else {
        return Ok((project, true));
    };
    match workspaces.role(workspace, user).await? {
        Some(role) if role.may(Action::Read) => Ok((project, role.may(Action::ManagePolls))),
        _ => Err(PollError::ProjectNotFound),
    }
}
