//! Polls for the members of a workspace: what is a membership is looked up at each vote. A store that keeps no workspaces
//! passes.

use std::sync::Arc;

use polling_core::polls::{PageRequest, PollError, Voters};
use polling_core::users::Email;
use polling_core::votes::VoteError;
use polling_core::workspaces::{
    Invitation, MembershipLimits, Project, ProjectName, Workspace, WorkspaceName,
    WorkspaceRepository, WorkspaceRole,
};
use polling_core::{
    Actor, Ballot, Code, InvitationId, PollId, ProjectId, Receipt, Repository, UserId, Voter,
    WorkspaceId,
};

use super::lab::{Lab, refused, tea};
use crate::fixtures::noon;

pub(super) const WORKSPACE: WorkspaceId = WorkspaceId::from_bytes([1; 16]);
pub(super) const PROJECT: ProjectId = ProjectId::from_bytes([2; 16]);

pub(super) fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

/// The workspace of user 1, with a project.
pub(super) async fn prepare(store: &dyn WorkspaceRepository) {
    let workspace = Workspace {
        id: WORKSPACE,
        name: WorkspaceName::from_store("Kitchen".into()),
        created_at: noon(0),
    };
    store.insert(&workspace, user(1), 9).await.unwrap();
    let project = Project {
        id: PROJECT,
        workspace: WORKSPACE,
        name: ProjectName::from_store("Lunch".into()),
        created_at: noon(0),
    };
    store.insert_project(&project, 9).await.unwrap();
}

pub(super) async fn join(store: &dyn WorkspaceRepository, number: u8, role: WorkspaceRole) {
    let email = Email::from_store(format!("user{number}@example.org"));
    let invitation = Invitation {
        id: InvitationId::from_bytes([number; 16]),
        workspace: WORKSPACE,
        workspace_name: WorkspaceName::from_store("Kitchen".into()),
        email: email.clone(),
        role,
        created_at: noon(0),
        expires_at: noon(60),
    };
    store.invite(&invitation, 9).await.unwrap();
    let most = MembershipLimits {
        members: 9,
        workspaces: 9,
    };
    let accepted = store.accept(invitation.id, user(number), &email, noon(1), most);
    accepted.await.unwrap();
}

async fn for_members(lab: &Lab) -> PollId {
    let new = tea().voters(Voters::Members).in_project(PROJECT);
    lab.create(new.published()).await.id
}

async fn vote(lab: &Lab, poll: PollId, number: u8) -> Result<Receipt, VoteError> {
    let ballot = Ballot::of(poll, Voter::Caller, [0]);
    lab.engine
        .votes()
        .cast(&Actor::user(user(number)), ballot)
        .await
}

/// On every server: whoever was removed elsewhere votes no more, and whoever joined there votes.
pub async fn a_membership_counts_at_the_moment_of_the_vote(store: Arc<dyn Repository>) {
    let Some(workspaces) = store.workspaces() else {
        return;
    };
    prepare(workspaces).await;
    let lab = Lab::on(Arc::clone(&store)).await;
    let other = lab.another().await;
    let poll = for_members(&lab).await;
    for number in [2, 3] {
        for server in [&lab, &other] {
            assert_eq!(refused(vote(server, poll, number).await), Code::Forbidden);
        }
        join(workspaces, number, WorkspaceRole::Viewer).await;
        let receipt = vote(&other, poll, number).await.unwrap();
        assert!(receipt.created);
        assert!(!vote(&lab, poll, number).await.unwrap().created);
        workspaces
            .remove_member(WORKSPACE, user(number))
            .await
            .unwrap();
        for server in [&lab, &other] {
            assert_eq!(refused(vote(server, poll, number).await), Code::Forbidden);
        }
    }
    assert_eq!(lab.proven(poll).await.ballots, 2, "what was cast stays");
}

/// One by one and many at once: who is no member is none, whoever says so.
pub async fn the_application_names_members_as_voters(store: Arc<dyn Repository>) {
    let Some(workspaces) = store.workspaces() else {
        return;
    };
    prepare(workspaces).await;
    join(workspaces, 2, WorkspaceRole::Viewer).await;
    let lab = Lab::on(Arc::clone(&store)).await;
    let poll = for_members(&lab).await;
    let ballot = |number| Ballot::of(poll, Voter::user(user(number)), [0]);
    let votes = lab.engine.votes();
    let stranger = votes.cast(&Actor::System, ballot(3)).await;
    assert_eq!(refused(stranger), Code::Forbidden);
    let ballots = [1, 3, 2, 3, 1].map(|number| Ok(ballot(number)));
    let outcomes = votes.cast_all(&Actor::System, poll, ballots.into()).await;
    let outcomes: Vec<Result<bool, Code>> = outcomes
        .unwrap()
        .into_iter()
        .map(|outcome| {
            outcome
                .map(|receipt| receipt.created)
                .map_err(|error| error.code())
        })
        .collect();
    let forbidden = Err(Code::Forbidden);
    let expected = [Ok(true), forbidden, Ok(true), forbidden, Ok(false)];
    assert_eq!(outcomes, expected);
    assert_eq!(lab.proven(poll).await.ballots, 2);
}

/// With the next request, on every server.
pub async fn a_role_decides_about_the_polls_of_a_project(store: Arc<dyn Repository>) {
    let Some(workspaces) = store.workspaces() else {
        return;
    };
    prepare(workspaces).await;
    join(workspaces, 2, WorkspaceRole::Collaborator).await;
    let lab = Lab::on(Arc::clone(&store)).await;
    let (other, cora) = (lab.another().await, Actor::user(user(2)));
    let polls = lab.engine.polls();
    let draft = polls
        .create(&cora, tea().in_project(PROJECT))
        .await
        .unwrap();
    let read = async || other.engine.polls().read(&cora, draft.id, None).await;
    assert_eq!(read().await.unwrap().project_id, Some(PROJECT));
    let list = async || {
        let page = PageRequest::default().of_project(Some(PROJECT));
        let listed: Result<_, PollError> = other.engine.polls().list(&cora, page).await;
        listed.map(|page| page.items.len())
    };
    assert_eq!(list().await.unwrap(), 1);
    let viewer = WorkspaceRole::Viewer;
    workspaces
        .set_role(WORKSPACE, user(2), viewer)
        .await
        .unwrap();
    assert_eq!(refused(read().await), Code::PollNotFound);
    assert_eq!(list().await.unwrap(), 0);
    let created = polls.create(&cora, tea().in_project(PROJECT)).await;
    assert_eq!(refused(created), Code::Forbidden);
    workspaces.remove_member(WORKSPACE, user(2)).await.unwrap();
    assert_eq!(refused(list().await), Code::ProjectNotFound);
    let created = polls.create(&cora, tea().in_project(PROJECT)).await;
    assert_eq!(refused(created), Code::ProjectNotFound);
    let deleted = polls.delete(&cora, draft.id).await;
    assert_eq!(refused(deleted), Code::PollNotFound);
}
