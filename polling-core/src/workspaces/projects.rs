//! The projects of a workspace, to which polls may belong.

use tracing::instrument;

use super::access::Action;
use super::error::WorkspaceError;
use super::model::{NAME_CHARS, Project, ProjectName};
use super::page::{Listing, ListingRequest};
use super::repository::{Added, Deleted};
use super::service::{POLLS_AT_ONCE, Workspaces};
use super::view::ProjectView;
use super::wire::{NewProject, ProjectPatch};
use crate::limits::Rule;
use crate::{Actor, FieldError, ProjectId, WorkspaceId};

impl Workspaces {
    /// Creates a project.
    ///
    /// # Errors
    /// `Invalid`; `LimitReached`; `Forbidden` to viewers; `NotFound`, `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.create_project", skip_all, fields(workspace = %id))]
    pub async fn create_project(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        new: NewProject,
    ) -> Result<ProjectView, WorkspaceError> {
        let actor = actor.clone();
        self.run(move |inner| async move {
            inner.allowed(&actor, id, Action::ManageProjects).await?;
            let name = name(&new.name)?;
            let now = inner.parts.clock.now();
            let project = Project {
                id: ProjectId::new(now, &*inner.parts.ids),
                workspace: id,
                name,
                created_at: now,
            };
            let most = inner.limits().projects;
            match inner.store()?.insert_project(&project, most).await? {
                Added::Done(()) => Ok(project.into()),
                Added::TooMany => Err(WorkspaceError::LimitReached("projects in this workspace")),
                Added::Missing => Err(WorkspaceError::NotFound),
            }
        })
        .await
    }

    /// Lists the projects of a workspace, newest first.
    ///
    /// # Errors
    /// `Invalid` where the page is none; `RateLimited`; `NotFound`, `Unauthorized`; `Store`.
    pub async fn projects(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        page: ListingRequest<ProjectId>,
    ) -> Result<Listing<ProjectView, ProjectId>, WorkspaceError> {
        let inner = &self.inner;
        inner.allowed(actor, id, Action::Read).await?;
        let room = page.room(&inner.parts.settings)?;
        inner.parts.limits.check(Rule::List, actor).await?;
        let store = inner.store()?;
        let found = store.projects(id, page.cursor, room.limit + 1).await?;
        let name = |project: &Project| project.name.as_str().len();
        Ok(Listing::of(found, room, |project| project.id, name))
    }

    /// Gives a project another name.
    ///
    /// # Errors
    /// `Invalid`; `ProjectNotFound`; `Forbidden` to viewers; `NotFound`, `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.rename_project", skip_all, fields(workspace = %id, %project))]
    pub async fn rename_project(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        project: ProjectId,
        patch: ProjectPatch,
    ) -> Result<ProjectView, WorkspaceError> {
        let actor = actor.clone();
        self.run(move |inner| async move {
            inner.allowed(&actor, id, Action::ManageProjects).await?;
            let name = name(&patch.name)?;
            let renamed = inner.store()?.rename_project(id, project, &name).await?;
            let renamed = renamed.ok_or(WorkspaceError::ProjectNotFound)?;
            Ok(renamed.into())
        })
        .await
    }

    /// Deletes a project, with its polls first: each is gone at once, for everybody, and its viewers are told.
    ///
    /// # Errors
    /// `ProjectNotFound`; `Forbidden` to viewers; `NotFound`, `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.delete_project", skip_all, fields(workspace = %id, %project))]
    pub async fn delete_project(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        project: ProjectId,
    ) -> Result<(), WorkspaceError> {
        let actor = actor.clone();
        self.run(move |inner| async move {
            inner.allowed(&actor, id, Action::ManageProjects).await?;
            loop {
                let store = inner.store()?;
                match store.delete_project(id, project, POLLS_AT_ONCE).await? {
                    Deleted::Done => return Ok(()),
                    Deleted::HasPolls(polls) => inner.delete_polls(polls).await?,
                    Deleted::Missing => return Err(WorkspaceError::ProjectNotFound),
                }
            }
        })
        .await
    }
}

fn name(text: &str) -> Result<ProjectName, WorkspaceError> {
    ProjectName::parse(text, NAME_CHARS)
        .map_err(|detail| WorkspaceError::Invalid(vec![FieldError::invalid("/name", detail)]))
}
