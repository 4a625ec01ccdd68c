//! The port of the workspaces: they themselves, and their members. A store that keeps none passes.

use std::sync::Arc;

use futures_util::future::join_all;
use polling_core::users::Email;
use polling_core::workspaces::{
    Accepted, Added, Deleted, Invitation, Member, MemberChange, MembershipLimits, Workspace,
    WorkspaceName, WorkspaceRepository, WorkspaceRole,
};
use polling_core::{InvitationId, Repository, UserId, WorkspaceId};

use crate::fixtures::noon;
use WorkspaceRole::{Collaborator, Owner, Viewer};

/// More than any test has.
pub(crate) const MANY: usize = 1_000;

pub(crate) const LIMITS: MembershipLimits = MembershipLimits {
    members: MANY,
    workspaces: MANY,
};

pub(crate) fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

pub(crate) fn email(number: u8) -> Email {
    Email::from_store(format!("user{number}@example.org"))
}

pub(crate) fn workspace(number: u8) -> Workspace {
    Workspace {
        id: WorkspaceId::from_bytes([number; 16]),
        name: WorkspaceName::from_store(format!("Workspace {number} 🦉'; DROP")),
        created_at: noon(number.into()),
    }
}

/// A kept workspace, which user 1 owns.
pub(crate) async fn kept(store: &dyn WorkspaceRepository, number: u8) -> WorkspaceId {
    let workspace = workspace(number);
    let added = store.insert(&workspace, user(1), MANY).await.unwrap();
    assert_eq!(added, Added::Done(()));
    workspace.id
}

/// An invitation of a user that lasts until a minute after noon.
pub(crate) fn invitation(number: u8, workspace: WorkspaceId, role: WorkspaceRole) -> Invitation {
    Invitation {
        id: InvitationId::from_bytes([number; 16]),
        workspace,
        workspace_name: WorkspaceName::from_store("told by the store".into()),
        email: email(number),
        role,
        created_at: noon(0),
        expires_at: noon(60),
    }
}

/// Makes a user a member, on the only way there is.
pub(crate) async fn join(
    store: &dyn WorkspaceRepository,
    workspace: WorkspaceId,
    number: u8,
    role: WorkspaceRole,
) {
    // Each workspace has its own invitations.
    let mut invited = invitation(number, workspace, role);
    let mut id = *invited.id.as_bytes();
    id[0] = workspace.as_bytes()[0];
    invited.id = InvitationId::from_bytes(id);
    store.invite(&invited, MANY).await.unwrap();
    let address = email(number);
    let joined = store.accept(invited.id, user(number), &address, noon(1), LIMITS);
    assert!(matches!(joined.await.unwrap(), Accepted::Joined(..)));
}

/// With the role of whoever asks, and without one for who is no member.
pub async fn a_workspace_is_found_as_it_was_kept(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    for (asks, role) in [
        (None, None),
        (Some(user(1)), Some(Owner)),
        (Some(user(2)), None),
    ] {
        let found = store.find(id, asks).await.unwrap();
        assert_eq!(found, Some((workspace(1), role)));
    }
    assert_eq!(store.role(id, user(1)).await.unwrap(), Some(Owner));
    assert_eq!(store.role(id, user(2)).await.unwrap(), None);
    let nowhere = workspace(2).id;
    let asked = [
        (nowhere, user(1)),
        (id, user(1)),
        (id, user(2)),
        (id, user(1)),
    ];
    let roles = store.roles(&asked).await.unwrap();
    assert_eq!(roles, [None, Some(Owner), None, Some(Owner)]);
    assert_eq!(store.find(nowhere, Some(user(1))).await.unwrap(), None);
    assert_eq!(store.role(nowhere, user(1)).await.unwrap(), None);
}

/// Those of a user, or all; newest first, page by page.
pub async fn workspaces_are_listed_newest_first(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    for number in [2, 1, 3] {
        kept(store, number).await;
    }
    let (first, second, third) = (workspace(1), workspace(2), workspace(3));
    join(store, first.id, 2, Viewer).await;
    join(store, third.id, 2, Collaborator).await;
    let list = async |user, before, limit| store.list(user, before, limit).await.unwrap();
    let all = [third.clone(), second.clone(), first.clone()];
    let with = |role: Option<WorkspaceRole>| all.clone().map(|workspace| (workspace, role));
    assert_eq!(list(Some(user(1)), None, 9).await, with(Some(Owner)));
    assert_eq!(list(None, None, 9).await, with(None));
    assert_eq!(list(None, Some(third.id), 1).await, with(None)[1..2]);
    let theirs = [(third.clone(), Some(Collaborator)), (first, Some(Viewer))];
    assert_eq!(list(Some(user(2)), None, 9).await, theirs);
    assert_eq!(list(Some(user(2)), None, 1).await, theirs[..1]);
    assert_eq!(list(Some(user(2)), Some(third.id), 9).await, theirs[1..]);
    assert_eq!(list(Some(user(3)), None, 9).await, []);
}

/// Everybody sees the new name.
pub async fn a_workspace_is_renamed(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let (id, name) = (
        kept(store, 1).await,
        WorkspaceName::from_store("Galley".into()),
    );
    assert!(store.rename(id, &name).await.unwrap());
    let (found, _) = store.find(id, None).await.unwrap().unwrap();
    assert_eq!(
        found,
        Workspace {
            name: name.clone(),
            ..workspace(1)
        }
    );
    assert!(!store.rename(workspace(2).id, &name).await.unwrap());
}

/// Also for those who create or join many at once.
pub async fn a_user_is_in_no_more_workspaces_than_there_may_be(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let most = MembershipLimits {
        workspaces: 3,
        ..LIMITS
    };
    // In several rounds, so that a store has its connections when they come at once.
    for round in 2..=9 {
        let (somebody, address) = (user(round), email(round));
        let foreign = kept(store, 100 + round).await;
        let invited = invitation(round, foreign, Viewer);
        store.invite(&invited, MANY).await.unwrap();
        let spaces: Vec<Workspace> = (0..8).map(|n| workspace(round * 10 + n)).collect();
        let inserts = spaces.iter().map(|space| store.insert(space, somebody, 3));
        let accept = store.accept(invited.id, somebody, &address, noon(1), most);
        let (inserted, accepted) = tokio::join!(join_all(inserts), accept);
        let done = |added: &&Result<Added<()>, _>| matches!(added, Ok(Added::Done(())));
        let created = inserted.iter().filter(done).count();
        let joined = usize::from(matches!(accepted, Ok(Accepted::Joined(..))));
        assert_eq!(created + joined, 3, "{inserted:?} {accepted:?}");
        let listed = store.list(Some(somebody), None, 99).await.unwrap();
        assert_eq!(listed.len(), 3);

        let more = workspace(200 + round);
        let refused = store.insert(&more, somebody, 3).await.unwrap();
        assert_eq!(refused, Added::TooMany);
        assert!(store.find(more.id, None).await.unwrap().is_none());
        let other = kept(store, 120 + round).await;
        let invited = Invitation {
            id: InvitationId::from_bytes([120 + round; 16]),
            workspace: other,
            ..invited
        };
        store.invite(&invited, MANY).await.unwrap();
        let full = store.accept(invited.id, somebody, &address, noon(1), most);
        assert_eq!(full.await.unwrap(), Accepted::UserFull);
        assert_eq!(store.role(other, somebody).await.unwrap(), None);
    }
}

/// In the order of their ids, page by page.
pub async fn members_are_listed_by_their_ids(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let (id, other) = (kept(store, 1).await, kept(store, 2).await);
    join(store, id, 3, Viewer).await;
    join(store, id, 2, Collaborator).await;
    join(store, other, 4, Viewer).await;
    let member = |number, role, at| Member {
        user: user(number),
        role,
        joined_at: noon(at),
    };
    let all = [
        member(1, Owner, 1),
        member(2, Collaborator, 1),
        member(3, Viewer, 1),
    ];
    let list = async |after, limit| store.members(id, after, limit).await.unwrap();
    assert_eq!(list(None, 9).await, all);
    assert_eq!(list(None, 2).await, all[..2]);
    assert_eq!(list(Some(user(1)), 1).await, all[1..2]);
    assert_eq!(list(Some(user(3)), 9).await, []);
    assert_eq!(store.members(workspace(9).id, None, 9).await.unwrap(), []);
}

/// Everybody sees the new role at once, and nothing else has changed.
pub async fn a_role_is_changed_and_a_member_is_removed(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let (id, other) = (kept(store, 1).await, kept(store, 2).await);
    join(store, id, 2, Viewer).await;
    join(store, other, 2, Viewer).await;
    let member = |role| {
        MemberChange::Done(Member {
            user: user(2),
            role,
            joined_at: noon(1),
        })
    };
    for role in WorkspaceRole::ALL {
        let changed = store.set_role(id, user(2), role).await.unwrap();
        assert_eq!(changed, member(role));
        assert_eq!(store.role(id, user(2)).await.unwrap(), Some(role));
    }
    assert_eq!(
        store.remove_member(id, user(2)).await.unwrap(),
        member(Viewer)
    );
    assert_eq!(store.role(id, user(2)).await.unwrap(), None);
    assert_eq!(store.role(other, user(2)).await.unwrap(), Some(Viewer));
    for workspace in [id, workspace(9).id] {
        let removed = store.remove_member(workspace, user(2)).await.unwrap();
        let changed = store.set_role(workspace, user(2), Owner).await.unwrap();
        assert_eq!(
            (removed, changed),
            (MemberChange::Missing, MemberChange::Missing)
        );
    }
}

/// Whether it would be removed or demoted.
pub async fn the_last_owner_stays(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    join(store, id, 2, Collaborator).await;
    for role in [Collaborator, Viewer] {
        let changed = store.set_role(id, user(1), role).await.unwrap();
        assert_eq!(changed, MemberChange::LastOwner);
    }
    let removed = store.remove_member(id, user(1)).await.unwrap();
    assert_eq!(removed, MemberChange::LastOwner);
    let same = store.set_role(id, user(1), Owner).await.unwrap();
    assert!(matches!(same, MemberChange::Done(_)));
    assert_eq!(store.role(id, user(1)).await.unwrap(), Some(Owner));
    store.set_role(id, user(2), Owner).await.unwrap();
    let removed = store.remove_member(id, user(1)).await.unwrap();
    assert!(matches!(removed, MemberChange::Done(_)));
}

/// However many go at once, and whichever way.
pub async fn of_owners_who_go_at_once_one_stays(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    for round in 1..=8 {
        let id = kept(store, round).await;
        for number in 2..=6 {
            join(store, id, number, Owner).await;
        }
        let go = (1..=6).map(|number| async move {
            if number % 2 == 0 {
                store.remove_member(id, user(number)).await
            } else {
                store.set_role(id, user(number), Viewer).await
            }
        });
        let went = join_all(go).await;
        let stayed = went
            .iter()
            .filter(|change| matches!(change, Ok(MemberChange::LastOwner)));
        assert_eq!(stayed.count(), 1, "{went:?}");
        let members = store.members(id, None, 9).await.unwrap();
        let owners = members.iter().filter(|member| member.role == Owner);
        assert_eq!(owners.count(), 1);
    }
}

/// With all that is in it, and nothing of another one.
pub async fn a_deleted_workspace_leaves_nothing(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let (id, other) = (kept(store, 1).await, kept(store, 2).await);
    for workspace in [id, other] {
        join(store, workspace, 2, Viewer).await;
    }
    let pending = invitation(3, id, Viewer);
    store.invite(&pending, MANY).await.unwrap();
    assert_eq!(store.delete(id, 9).await.unwrap(), Deleted::Done);
    assert_eq!(store.delete(id, 9).await.unwrap(), Deleted::Missing);
    assert!(store.find(id, None).await.unwrap().is_none());
    assert_eq!(store.role(id, user(2)).await.unwrap(), None);
    let listed = store.list(Some(user(2)), None, 9).await.unwrap();
    assert_eq!(listed, [(workspace(2), Some(Viewer))]);
    let address = email(3);
    let accepted = store.accept(pending.id, user(3), &address, noon(1), LIMITS);
    assert_eq!(accepted.await.unwrap(), Accepted::Missing);
    let invited = store.invite(&pending, MANY).await.unwrap();
    assert_eq!(invited, Added::Missing);
}
