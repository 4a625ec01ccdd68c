//! The ports of the workspaces and the polls: projects, and the polls in them. A store that keeps none passes.

use std::sync::Arc;

use futures_util::future::join_all;
use polling_core::polls::{Kept, ListQuery, Poll, PollRecord, ProjectQuery, ProjectRef, Status};
use polling_core::results::Tally;
use polling_core::workspaces::{Added, Deleted, Project, ProjectName, WorkspaceRepository};
use polling_core::{PollId, ProjectId, Repository, WorkspaceId};

use super::workspaces::{MANY, kept, user, workspace};
use crate::fixtures::{Ports, noon};

fn project(number: u8, workspace: WorkspaceId) -> Project {
    Project {
        id: ProjectId::from_bytes([number; 16]),
        workspace,
        name: ProjectName::from_store(format!("Project {number} 🫖'; DROP")),
        created_at: noon(number.into()),
    }
}

async fn kept_project(
    store: &dyn WorkspaceRepository,
    number: u8,
    workspace: WorkspaceId,
) -> ProjectRef {
    let project = project(number, workspace);
    let added = store.insert_project(&project, MANY).await.unwrap();
    assert_eq!(added, Added::Done(()));
    ProjectRef {
        id: project.id,
        workspace,
    }
}

fn in_project(ports: &Ports, project: ProjectRef, status: Status) -> (Poll, Tally) {
    let (poll, tally) = ports.poll(status);
    let poll = Poll {
        project: Some(project),
        creator: Some(user(1)),
        ..poll
    };
    (poll, tally)
}

/// By its id, and in the list of its workspace, newest first.
pub async fn a_project_is_found_as_it_was_kept(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let (id, other) = (kept(store, 1).await, kept(store, 2).await);
    for (number, workspace) in [(3, id), (5, id), (4, id), (6, other)] {
        kept_project(store, number, workspace).await;
    }
    let found = store.project(project(3, id).id).await.unwrap();
    assert_eq!(found, Some(project(3, id)));
    assert_eq!(store.project(project(9, id).id).await.unwrap(), None);
    let all = [project(5, id), project(4, id), project(3, id)];
    let list = async |before, limit| store.projects(id, before, limit).await.unwrap();
    assert_eq!(list(None, 9).await, all);
    assert_eq!(list(None, 2).await, all[..2]);
    assert_eq!(list(Some(all[0].id), 1).await, all[1..2]);
}

/// Of its own workspace only.
pub async fn a_project_is_renamed_and_deleted_in_its_workspace(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let (id, other) = (kept(store, 1).await, kept(store, 2).await);
    let new = project(3, id);
    kept_project(store, 3, id).await;
    let name = ProjectName::from_store("Supper".into());
    let renamed = store.rename_project(other, new.id, &name).await.unwrap();
    assert_eq!(renamed, None);
    let deleted = store.delete_project(other, new.id, 9).await.unwrap();
    assert_eq!(deleted, Deleted::Missing);
    let renamed = store.rename_project(id, new.id, &name).await.unwrap();
    assert_eq!(
        renamed,
        Some(Project {
            name,
            ..new.clone()
        })
    );
    assert_eq!(store.project(new.id).await.unwrap(), renamed);
    let deleted = store.delete_project(id, new.id, 9).await.unwrap();
    assert_eq!(deleted, Deleted::Done);
    let deleted = store.delete_project(id, new.id, 9).await.unwrap();
    assert_eq!(deleted, Deleted::Missing);
    assert_eq!(store.project(new.id).await.unwrap(), None);
}

/// Exactly so many, also of those who come at once; and none where there is no workspace.
pub async fn a_workspace_has_no_more_projects_than_there_may_be(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let new: Vec<Project> = (1..=8).map(|number| project(number, id)).collect();
    let added = join_all(new.iter().map(|new| store.insert_project(new, 3))).await;
    let done = added
        .iter()
        .filter(|added| matches!(added, Ok(Added::Done(()))));
    assert_eq!(done.count(), 3, "{added:?}");
    assert_eq!(store.projects(id, None, 9).await.unwrap().len(), 3);
    let nowhere = project(9, workspace(9).id);
    let added = store.insert_project(&nowhere, 3).await.unwrap();
    assert_eq!(added, Added::Missing);
}

/// With its project and the workspace of that, whatever is asked for; a project that is not there gets none.
pub async fn a_poll_is_kept_in_its_project(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(workspaces) = ports.store.workspaces() else {
        return;
    };
    let id = kept(workspaces, 1).await;
    let project = kept_project(workspaces, 3, id).await;
    let (poll, tally) = in_project(&ports, project, Status::Open);
    let polls = ports.store.polls();
    assert_eq!(polls.insert(&poll, &tally).await.unwrap(), Kept::Done);
    let found = polls.find(poll.id).await.unwrap().unwrap();
    assert_eq!((&*found.poll, &found.tally), (&poll, &tally));
    let nowhere = ProjectRef {
        id: ProjectId::from_bytes([9; 16]),
        ..project
    };
    let (poll, tally) = in_project(&ports, nowhere, Status::Open);
    let kept = polls.insert(&poll, &tally).await.unwrap();
    assert_eq!(kept, Kept::ProjectMissing);
    assert!(polls.find(poll.id).await.unwrap().is_none());
}

/// Newest first, drafts where they are asked for; and the polls of a creator are those of no project.
pub async fn the_polls_of_a_project_are_listed(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(workspaces) = ports.store.workspaces() else {
        return;
    };
    let id = kept(workspaces, 1).await;
    let project = kept_project(workspaces, 3, id).await;
    let other = kept_project(workspaces, 4, id).await;
    let mut all = Vec::new();
    for status in [Status::Open, Status::Draft, Status::Closed] {
        all.insert(0, ports.keep(in_project(&ports, project, status)).await);
    }
    ports.keep(in_project(&ports, other, Status::Open)).await;
    let (poll, tally) = ports.poll(Status::Draft);
    let poll = Poll {
        creator: Some(user(1)),
        ..poll
    };
    let own = ports.keep((poll, tally)).await;
    let mut query = ListQuery::listed(9);
    query.creator = Some(user(1));
    assert_eq!(list(&ports, &query).await, [own]);
    query.project = Some(ProjectQuery {
        id: project.id,
        drafts: true,
    });
    assert_eq!(list(&ports, &query).await, all);
    query.before = Some(all[0]);
    query.limit = 1;
    assert_eq!(list(&ports, &query).await, all[1..2]);
    query.project = Some(ProjectQuery {
        id: project.id,
        drafts: false,
    });
    assert_eq!(list(&ports, &query).await, all[2..]);
    query.before = None;
    assert_eq!(list(&ports, &query).await, all[..1]);
}

async fn list(ports: &Ports, query: &ListQuery) -> Vec<PollId> {
    let records: Vec<PollRecord> = ports.store.polls().list(query).await.unwrap();
    records.iter().map(|record| record.poll.id).collect()
}

/// Nothing is removed before them, and what is left of deleted ones holds nobody up.
pub async fn what_has_polls_is_not_deleted(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(workspaces) = ports.store.workspaces() else {
        return;
    };
    let id = kept(workspaces, 1).await;
    let project = kept_project(workspaces, 3, id).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(ports.keep(in_project(&ports, project, Status::Open)).await);
    }
    let refused = async |most| {
        let of_project = workspaces.delete_project(id, project.id, most).await;
        let of_workspace = workspaces.delete(id, most).await;
        [of_project, of_workspace].map(|deleted| match deleted.unwrap() {
            Deleted::HasPolls(mut polls) => {
                polls.sort();
                polls
            }
            other => panic!("there are polls: {other:?}"),
        })
    };
    assert_eq!(refused(9).await, [all.clone(), all.clone()]);
    assert_eq!(refused(2).await.map(|polls| polls.len()), [2, 2]);
    assert!(workspaces.find(id, None).await.unwrap().is_some());
    for poll in &all {
        ports.store.polls().delete(*poll, noon(0)).await.unwrap();
    }
    let deleted = workspaces.delete_project(id, project.id, 9).await.unwrap();
    assert_eq!(deleted, Deleted::Done);
    kept_project(workspaces, 4, id).await;
    assert_eq!(workspaces.delete(id, 9).await.unwrap(), Deleted::Done);
    while ports.store.polls().purge(9).await.unwrap() {}
}

/// Whoever comes first: no poll is ever in a project that is gone.
pub async fn a_project_that_goes_takes_no_new_polls(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(workspaces) = ports.store.workspaces() else {
        return;
    };
    for number in 1..=8 {
        let id = kept(workspaces, number).await;
        let project = kept_project(workspaces, number, id).await;
        let new: Vec<_> = (0..4)
            .map(|_| in_project(&ports, project, Status::Open))
            .collect();
        let polls = ports.store.polls();
        let inserts = join_all(new.iter().map(|(poll, tally)| polls.insert(poll, tally)));
        let delete = async {
            if number % 2 == 0 {
                workspaces.delete(id, 9).await.unwrap()
            } else {
                workspaces.delete_project(id, project.id, 9).await.unwrap()
            }
        };
        let (inserted, deleted) = tokio::join!(inserts, delete);
        let is_kept = |kept: &Result<Kept, _>| matches!(kept, Ok(Kept::Done));
        let is_missing = |kept: &Result<Kept, _>| matches!(kept, Ok(Kept::ProjectMissing));
        let is_there = workspaces.project(project.id).await.unwrap().is_some();
        if deleted == Deleted::Done {
            assert!(!is_there && inserted.iter().all(is_missing), "{inserted:?}");
        } else {
            assert!(matches!(deleted, Deleted::HasPolls(_)), "{deleted:?}");
            assert!(is_there && inserted.iter().all(is_kept), "{inserted:?}");
        }
    }
}
