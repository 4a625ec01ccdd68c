//! Workspaces, and what is in them: members, invitations, projects.

use http::{Method, StatusCode, header};
use polling_core::workspaces::{
    ListingRequest, NewInvitation, NewProject, NewRole, NewWorkspace, ProjectPatch, WorkspacePatch,
    Workspaces,
};
use polling_core::{Code, Engine, InvitationId, ProjectId, UserId, WorkspaceId};
use serde::Serialize;

use super::polls::location;
use crate::problem::Problem;
use crate::request::Call;
use crate::response::{self, Answer};
use crate::router::{Checked, Route, Takes};

/// Where the store keeps no workspaces there are no such routes.
pub(super) fn routes(engine: &Engine) -> Vec<Route> {
    if engine.workspaces().is_none() {
        return Vec::new();
    }
    vec![
        Route::at("/api/v1/workspaces")
            .get(list)
            .many()
            .post(Takes::Json, create)
            .checked(may_create),
        Route::at("/api/v1/workspaces/{id}")
            .get(read)
            .on(Method::PATCH, Takes::Json, rename)
            .checked(may_rename)
            .on(Method::DELETE, Takes::Nothing, delete),
        Route::at("/api/v1/workspaces/{id}/members")
            .get(members)
            .many(),
        Route::at("/api/v1/workspaces/{id}/members/{user_id}")
            .on(Method::PATCH, Takes::Json, set_role)
            .checked(may_set_role)
            .on(Method::DELETE, Takes::Nothing, remove_member),
        Route::at("/api/v1/workspaces/{id}/invitations")
            .get(invitations)
            .many()
            .post(Takes::Json, invite)
            .checked(may_invite),
        Route::at("/api/v1/workspaces/{id}/invitations/{invitation_id}").on(
            Method::DELETE,
            Takes::Nothing,
            withdraw,
        ),
        Route::at("/api/v1/invitations/{id}").get(invitation),
        Route::at("/api/v1/invitations/{id}/accept").post(Takes::Nothing, accept),
        Route::at("/api/v1/invitations/{id}/decline").post(Takes::Nothing, decline),
        Route::at("/api/v1/workspaces/{id}/projects")
            .get(projects)
            .many()
            .post(Takes::Json, create_project)
            .checked(may_create_project),
        Route::at("/api/v1/workspaces/{id}/projects/{project_id}")
            .on(Method::PATCH, Takes::Json, rename_project)
            .checked(may_rename_project)
            .on(Method::DELETE, Takes::Nothing, delete_project),
    ]
}

fn workspaces(call: &Call) -> Result<&Workspaces, Problem> {
    call.engine.workspaces().ok_or_else(Problem::not_found)
}

fn workspace_id(call: &Call) -> Result<WorkspaceId, Problem> {
    call.id_or(Code::WorkspaceNotFound)
}

fn invitation_id(call: &Call) -> Result<InvitationId, Problem> {
    call.id_or(Code::InvitationNotFound)
}

fn project_id(call: &Call) -> Result<ProjectId, Problem> {
    call.inner_id_or(Code::ProjectNotFound)
}

fn page<C: std::str::FromStr>(call: &Call) -> Result<ListingRequest<C>, Problem> {
    let limit = call.query().parsed("limit", "must be a number from 1 on")?;
    let cursor = call
        .query()
        .parsed("cursor", "must be the next_cursor of a page")?;
    Ok(ListingRequest::new(limit, cursor))
}

fn ok(view: &impl Serialize) -> Answer {
    response::json(StatusCode::OK, view)
}

fn gone() -> Answer {
    Ok(response::empty(StatusCode::NO_CONTENT))
}

fn may_create(call: &Call) -> Checked<'_> {
    Box::pin(async {
        workspaces(call)?.may_create(&call.actor).await?;
        Ok(())
    })
}

fn may_rename(call: &Call) -> Checked<'_> {
    Box::pin(async {
        let id = workspace_id(call)?;
        workspaces(call)?.may_rename(&call.actor, id).await?;
        Ok(())
    })
}

fn may_set_role(call: &Call) -> Checked<'_> {
    Box::pin(async {
        let id = workspace_id(call)?;
        call.inner_id_or::<UserId>(Code::MemberNotFound)?;
        workspaces(call)?
            .may_manage_members(&call.actor, id)
            .await?;
        Ok(())
    })
}

fn may_invite(call: &Call) -> Checked<'_> {
    Box::pin(async {
        let id = workspace_id(call)?;
        workspaces(call)?.may_invite(&call.actor, id).await?;
        Ok(())
    })
}

fn may_create_project(call: &Call) -> Checked<'_> {
    Box::pin(async {
        let id = workspace_id(call)?;
        workspaces(call)?
            .may_manage_projects(&call.actor, id)
            .await?;
        Ok(())
    })
}

fn may_rename_project(call: &Call) -> Checked<'_> {
    Box::pin(async {
        let id = workspace_id(call)?;
        project_id(call)?;
        workspaces(call)?
            .may_manage_projects(&call.actor, id)
            .await?;
        Ok(())
    })
}

async fn create(call: Box<Call>) -> Answer {
    let new: NewWorkspace = call.json()?;
    let workspace = workspaces(&call)?.create(&call.actor, new).await?;
    let mut response = response::json(StatusCode::CREATED, &workspace)?;
    let location = location(&call, "workspaces", &workspace.id)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

async fn list(call: Box<Call>) -> Answer {
    let page = page(&call)?;
    ok(&workspaces(&call)?.list(&call.actor, page).await?)
}

async fn read(call: Box<Call>) -> Answer {
    let id = workspace_id(&call)?;
    ok(&workspaces(&call)?.read(&call.actor, id).await?)
}

async fn rename(call: Box<Call>) -> Answer {
    let id = workspace_id(&call)?;
    let patch: WorkspacePatch = call.json()?;
    ok(&workspaces(&call)?.rename(&call.actor, id, patch).await?)
}

async fn delete(call: Box<Call>) -> Answer {
    let id = workspace_id(&call)?;
    workspaces(&call)?.delete(&call.actor, id).await?;
    gone()
}

async fn members(call: Box<Call>) -> Answer {
    let (id, page) = (workspace_id(&call)?, page(&call)?);
    ok(&workspaces(&call)?.members(&call.actor, id, page).await?)
}

async fn set_role(call: Box<Call>) -> Answer {
    let id = workspace_id(&call)?;
    let user: UserId = call.inner_id_or(Code::MemberNotFound)?;
    let role: NewRole = call.json()?;
    let workspaces = workspaces(&call)?;
    ok(&workspaces.set_role(&call.actor, id, user, role).await?)
}

async fn remove_member(call: Box<Call>) -> Answer {
    let id = workspace_id(&call)?;
    let user: UserId = call.inner_id_or(Code::MemberNotFound)?;
    let workspaces = workspaces(&call)?;
    workspaces.remove_member(&call.actor, id, user).await?;
    gone()
}

async fn invite(call: Box<Call>) -> Answer {
    let id = workspace_id(&call)?;
    let new: NewInvitation = call.json()?;
    let invitation = workspaces(&call)?.invite(&call.actor, id, new).await?;
    response::json(StatusCode::CREATED, &invitation)
}

async fn invitations(call: Box<Call>) -> Answer {
    let (id, page) = (workspace_id(&call)?, page(&call)?);
    let workspaces = workspaces(&call)?;
    ok(&workspaces.invitations(&call.actor, id, page).await?)
}

async fn withdraw(call: Box<Call>) -> Answer {
    let id = workspace_id(&call)?;
    let invitation: InvitationId = call.inner_id_or(Code::InvitationNotFound)?;
    let workspaces = workspaces(&call)?;
    workspaces
        .withdraw_invitation(&call.actor, id, invitation)
        .await?;
    gone()
}

async fn invitation(call: Box<Call>) -> Answer {
    let id = invitation_id(&call)?;
    ok(&workspaces(&call)?.invitation(&call.actor, id).await?)
}

async fn accept(call: Box<Call>) -> Answer {
    let id = invitation_id(&call)?;
    ok(&workspaces(&call)?.accept(&call.actor, id).await?)
}

async fn decline(call: Box<Call>) -> Answer {
    let id = invitation_id(&call)?;
    workspaces(&call)?.decline(&call.actor, id).await?;
    gone()
}

async fn create_project(call: Box<Call>) -> Answer {
    let id = workspace_id(&call)?;
    let new: NewProject = call.json()?;
    let workspaces = workspaces(&call)?;
    let project = workspaces.create_project(&call.actor, id, new).await?;
    response::json(StatusCode::CREATED, &project)
}

async fn projects(call: Box<Call>) -> Answer {
    let (id, page) = (workspace_id(&call)?, page(&call)?);
    ok(&workspaces(&call)?.projects(&call.actor, id, page).await?)
}

async fn rename_project(call: Box<Call>) -> Answer {
    let (id, project) = (workspace_id(&call)?, project_id(&call)?);
    let patch: ProjectPatch = call.json()?;
    let workspaces = workspaces(&call)?;
    let renamed = workspaces.rename_project(&call.actor, id, project, patch);
    ok(&renamed.await?)
}

async fn delete_project(call: Box<Call>) -> Answer {
    let (id, project) = (workspace_id(&call)?, project_id(&call)?);
    let workspaces = workspaces(&call)?;
    workspaces.delete_project(&call.actor, id, project).await?;
    gone()
}
