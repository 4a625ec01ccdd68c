//! The port of the workspaces: invitations, and how they are answered. A store that keeps none passes.

use std::sync::Arc;

use futures_util::future::join_all;
use polling_core::users::Email;
use polling_core::workspaces::{
    Accepted, Added, Invitation, MembershipLimits, WorkspaceRepository, WorkspaceRole,
};
use polling_core::{InvitationId, Repository, WorkspaceId};

use super::workspaces::{LIMITS, MANY, email, invitation, join, kept, user, workspace};
use crate::fixtures::noon;
use WorkspaceRole::{Collaborator, Owner, Viewer};

async fn invited(
    store: &dyn WorkspaceRepository,
    number: u8,
    workspace: WorkspaceId,
    role: WorkspaceRole,
) -> Invitation {
    invites(store, &invitation(number, workspace, role)).await
}

async fn invites(store: &dyn WorkspaceRepository, new: &Invitation) -> Invitation {
    match store.invite(new, MANY).await.unwrap() {
        Added::Done(invitation) => invitation,
        other => panic!("was to be kept: {other:?}"),
    }
}

/// Invites the address of an invitation once more, at so many seconds after noon.
async fn renewed(store: &dyn WorkspaceRepository, first: &Invitation, seconds: i64) -> Invitation {
    let mut id = *first.id.as_bytes();
    id[0] = id[0].wrapping_add(100);
    let again = Invitation {
        id: InvitationId::from_bytes(id),
        created_at: noon(seconds),
        expires_at: noon(seconds + 60),
        ..first.clone()
    };
    invites(store, &again).await
}

async fn accept(
    store: &dyn WorkspaceRepository,
    invitation: &Invitation,
    number: u8,
    seconds: i64,
) -> Accepted {
    let address = email(number);
    let accepted = store.accept(invitation.id, user(number), &address, noon(seconds), LIMITS);
    accepted.await.unwrap()
}

/// What is to be answered by an address, of these invitations.
async fn found(
    store: &dyn WorkspaceRepository,
    id: InvitationId,
    address: &str,
    seconds: i64,
) -> Option<Invitation> {
    let address = Email::from_store(address.into());
    let found = store.invitation(id, &address, noon(seconds)).await;
    found.unwrap()
}

/// In the list of the workspace, and by its id and its address, whatever its case, with the name of the workspace.
pub async fn an_invitation_is_found_as_it_was_kept(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let expected = Invitation {
        workspace_name: workspace(1).name,
        ..invitation(2, id, Collaborator)
    };
    assert_eq!(invited(store, 2, id, Collaborator).await, expected);
    let listed = store.invitations(id, noon(0), None, 9).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&expected));
    for address in ["user2@example.org", "USER2@Example.org"] {
        let found = found(store, expected.id, address, 59).await;
        assert_eq!(found.as_ref(), Some(&expected));
    }
}

/// Whoever has only one of the two finds nothing; nor does who comes too late.
pub async fn an_invitation_is_found_by_its_id_and_its_address_in_time(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let (one, other) = (
        invited(store, 2, id, Viewer).await,
        invited(store, 3, id, Viewer).await,
    );
    let unknown = InvitationId::from_bytes([9; 16]);
    for (id, address, seconds) in [
        (one.id, "user3@example.org", 0),
        (other.id, "user2@example.org", 0),
        (unknown, "user2@example.org", 0),
        (one.id, "", 0),
        (one.id, "%", 0),
        (one.id, "user2@example.org", 60),
    ] {
        let nothing = found(store, id, address, seconds).await;
        assert_eq!(nothing, None, "{address} at {seconds}");
    }
    let first = found(store, one.id, "user2@example.org", 59).await;
    assert_eq!(first, Some(one.clone()));
    accept(store, &one, 2, 1).await;
    assert_eq!(found(store, one.id, "user2@example.org", 1).await, None);
    store.withdraw(id, other.id).await.unwrap();
    assert_eq!(found(store, other.id, "user3@example.org", 1).await, None);
}

/// Newest first, page by page.
pub async fn invitations_are_listed_newest_first(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let (first, second) = (kept(store, 1).await, kept(store, 2).await);
    invited(store, 9, second, Owner).await;
    let mut ids = Vec::new();
    for number in [3, 5, 4] {
        ids.push(invited(store, number, first, Viewer).await.id);
    }
    ids.sort();
    ids.reverse();
    let of = |listed: Vec<Invitation>| listed.iter().map(|one| one.id).collect::<Vec<_>>();
    let list = async |before, limit| {
        of(store
            .invitations(first, noon(0), before, limit)
            .await
            .unwrap())
    };
    assert_eq!(list(None, 9).await, ids);
    assert_eq!(list(None, 2).await, ids[..2]);
    assert_eq!(list(Some(ids[0]), 1).await, ids[1..2]);
}

/// With its id and the time of its creation; there is one still.
pub async fn inviting_an_address_again_replaces_the_invitation(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let first = invited(store, 2, id, Viewer).await;
    let again = Invitation {
        email: Email::from_store("USER2@example.org".into()),
        created_at: noon(30),
        expires_at: noon(90),
        ..invitation(8, id, Owner)
    };
    // Not even where there may be no more.
    let kept_now = store.invite(&again, 1).await.unwrap();
    let expected = Invitation {
        workspace_name: first.workspace_name.clone(),
        ..again
    };
    assert_eq!(kept_now, Added::Done(expected.clone()));
    let listed = store.invitations(id, noon(80), None, 9).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&expected));
    is_good_for_nothing(store, &first, 2, 31).await;
    let joined = accept(store, &expected, 2, 80).await;
    assert_eq!(joined, Accepted::Joined(workspace(1), Owner));
}

/// Fails if an invitation can be found, answered or withdrawn.
async fn is_good_for_nothing(
    store: &dyn WorkspaceRepository,
    old: &Invitation,
    number: u8,
    seconds: i64,
) {
    let address = email(number);
    assert_eq!(found(store, old.id, address.as_str(), seconds).await, None);
    let accepted = accept(store, old, number, seconds).await;
    assert_eq!(accepted, Accepted::Missing);
    let declined = store.decline(old.id, &address, noon(seconds)).await;
    assert!(!declined.unwrap(), "it was declined");
    let withdrawn = store.withdraw(old.workspace, old.id).await;
    assert!(!withdrawn.unwrap(), "it was withdrawn");
}

/// Whoever knew it once knows nothing of what was made since: neither after the end of the old one, nor removed after they
/// accepted it, nor as a member.
pub async fn the_id_of_a_replaced_invitation_is_good_for_nothing(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let over = invited(store, 2, id, Viewer).await;
    let current = renewed(store, &over, 60).await;
    is_good_for_nothing(store, &over, 2, 61).await;
    let joined = accept(store, &current, 2, 61).await;
    assert_eq!(joined, Accepted::Joined(workspace(1), Viewer));

    store.remove_member(id, user(2)).await.unwrap();
    let next = renewed(store, &current, 62).await;
    is_good_for_nothing(store, &current, 2, 63).await;
    assert_eq!(store.role(id, user(2)).await.unwrap(), None);
    accept(store, &next, 2, 63).await;

    let last = renewed(store, &next, 64).await;
    is_good_for_nothing(store, &next, 2, 65).await;
    let accepted = accept(store, &last, 2, 65).await;
    assert_eq!(accepted, Accepted::Member(workspace(1), Viewer));
}

/// Exactly so many, also of those who are invited at once; what was accepted or is over makes room.
pub async fn a_workspace_has_no_more_invitations_than_there_may_be(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let new: Vec<Invitation> = (2..=9)
        .map(|number| invitation(number, id, Viewer))
        .collect();
    let invites = join_all(new.iter().map(|new| store.invite(new, 3))).await;
    let done = |added: &Result<Added<Invitation>, _>| matches!(added, Ok(Added::Done(_)));
    assert_eq!(invites.iter().filter(|added| done(added)).count(), 3);
    let listed = store.invitations(id, noon(0), None, 9).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(
        store.invite(&invitation(20, id, Viewer), 3).await.unwrap(),
        Added::TooMany
    );

    let number = listed[0].id.as_bytes()[0];
    assert!(matches!(
        accept(store, &listed[0], number, 1).await,
        Accepted::Joined(..)
    ));
    let room = store.invite(&invitation(20, id, Viewer), 3).await;
    assert!(done(&room), "what was accepted makes room: {room:?}");
    let later = Invitation {
        created_at: noon(60),
        expires_at: noon(120),
        ..invitation(21, id, Viewer)
    };
    let room = store.invite(&later, 1).await;
    assert!(done(&room), "what is over makes room: {room:?}");
}

/// From its creation on, and before its end; by whoever has its address.
pub async fn an_invitation_is_accepted_in_time_by_its_address(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let invitation = invited(store, 2, id, Collaborator).await;
    assert_eq!(accept(store, &invitation, 3, 1).await, Accepted::Missing);
    assert_eq!(accept(store, &invitation, 2, 60).await, Accepted::Missing);
    assert_eq!(store.role(id, user(2)).await.unwrap(), None);
    let joined = accept(store, &invitation, 2, 59).await;
    assert_eq!(joined, Accepted::Joined(workspace(1), Collaborator));
    let members = store.members(id, None, 9).await.unwrap();
    assert_eq!((members[1].user, members[1].joined_at), (user(2), noon(59)));
    let listed = store.invitations(id, noon(1), None, 9).await.unwrap();
    assert_eq!(listed, []);
}

/// As long as they are a member, and nobody was invited anew. Who was removed, or has the address now, needs a new one.
pub async fn accepting_again_changes_nothing(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let invitation = invited(store, 2, id, Viewer).await;
    accept(store, &invitation, 2, 1).await;
    store.set_role(id, user(2), Collaborator).await.unwrap();
    // Also when it would be over.
    for at in [2, 100] {
        let again = accept(store, &invitation, 2, at).await;
        assert_eq!(again, Accepted::Member(workspace(1), Collaborator));
    }
    // Another member who has the address now has not accepted it.
    join(store, id, 3, Viewer).await;
    let address = email(2);
    let somebody_else = store.accept(invitation.id, user(3), &address, noon(2), LIMITS);
    assert_eq!(somebody_else.await.unwrap(), Accepted::Missing);
    store.remove_member(id, user(2)).await.unwrap();
    assert_eq!(accept(store, &invitation, 2, 2).await, Accepted::Missing);
    let renewed = renewed(store, &invitation, 2).await;
    let joined = accept(store, &renewed, 2, 2).await;
    assert_eq!(joined, Accepted::Joined(workspace(1), Viewer));
}

/// Whatever they were invited as.
pub async fn a_member_who_accepts_stays_what_they_are(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let invitation = invited(store, 1, id, Viewer).await;
    for _ in 0..2 {
        let accepted = accept(store, &invitation, 1, 1).await;
        assert_eq!(accepted, Accepted::Member(workspace(1), Owner));
    }
    let listed = store.invitations(id, noon(1), None, 9).await.unwrap();
    assert_eq!(listed, []);
}

/// Exactly so many, also of those who accept at once.
pub async fn a_workspace_has_no_more_members_than_there_may_be(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let id = kept(store, 1).await;
    let most = MembershipLimits {
        members: 4,
        ..LIMITS
    };
    let mut all = Vec::new();
    for number in 2..=9 {
        all.push((number, invited(store, number, id, Viewer).await.id));
    }
    let accepts = all.iter().map(|&(number, invitation)| async move {
        let address = email(number);
        let accepted = store.accept(invitation, user(number), &address, noon(1), most);
        accepted.await.unwrap()
    });
    let accepted = join_all(accepts).await;
    let joined = accepted
        .iter()
        .filter(|one| matches!(one, Accepted::Joined(..)));
    assert_eq!(joined.count(), 3);
    let full = accepted
        .iter()
        .filter(|one| **one == Accepted::WorkspaceFull);
    assert_eq!(full.count(), 5);
    assert_eq!(store.members(id, None, 99).await.unwrap().len(), 4);
}

/// Of those who accept, decline and withdraw at once, one has it.
pub async fn an_invitation_is_answered_once(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    for round in 1..=8 {
        let id = kept(store, round).await;
        let invitation = invited(store, 2, id, Viewer).await;
        let address = email(2);
        let (accepted, declined, withdrawn) = tokio::join!(
            accept(store, &invitation, 2, 1),
            store.decline(invitation.id, &address, noon(1)),
            store.withdraw(id, invitation.id),
        );
        let joined = matches!(accepted, Accepted::Joined(..));
        let had_it = [joined, declined.unwrap(), withdrawn.unwrap()];
        assert_eq!(
            had_it.into_iter().filter(|had| *had).count(),
            1,
            "{had_it:?}"
        );
        assert_eq!(store.role(id, user(2)).await.unwrap().is_some(), joined);
        store.delete(id, 9).await.unwrap();
    }
}

/// In time, by its address; and nothing that was accepted.
pub async fn an_invitation_is_declined_and_withdrawn(store: Arc<dyn Repository>) {
    let Some(store) = store.workspaces() else {
        return;
    };
    let (id, other) = (kept(store, 1).await, kept(store, 2).await);
    let invitation = invited(store, 2, id, Viewer).await;
    let decline = async |number, at| {
        let address = email(number);
        store
            .decline(invitation.id, &address, noon(at))
            .await
            .unwrap()
    };
    assert!(!decline(3, 1).await, "somebody else's");
    assert!(!decline(2, 60).await, "too late");
    assert!(decline(2, 59).await);
    assert!(!decline(2, 59).await);
    invited(store, 2, id, Viewer).await;
    assert!(
        !store.withdraw(other, invitation.id).await.unwrap(),
        "of another workspace"
    );
    assert!(store.withdraw(id, invitation.id).await.unwrap());
    assert!(!store.withdraw(id, invitation.id).await.unwrap());
    let accepted = invited(store, 2, id, Viewer).await;
    accept(store, &accepted, 2, 1).await;
    assert!(!decline(2, 1).await, "it was accepted");
    assert!(
        !store.withdraw(id, accepted.id).await.unwrap(),
        "it was accepted"
    );
}
