//! Deleting accounts that are in workspaces: a port of two rooms. A store that keeps no accounts, or no workspaces, passes.

use std::sync::Arc;

use futures_util::future::join_all;
use polling_core::Repository;
use polling_core::users::{User, UserDeleted, UserName, UserRepository};
use polling_core::workspaces::{Added, WorkspaceRole};

use super::workspaces::{MANY, email, invitation, join, kept, user, workspace};
use crate::fixtures::noon;
use WorkspaceRole::{Owner, Viewer};

async fn sign_up(users: &dyn UserRepository, number: u8) {
    let new = User {
        id: user(number),
        name: UserName::from_store(format!("User {number}")),
        email: email(number),
        is_admin: false,
        created_at: noon(0),
    };
    users.insert(&new, None).await.unwrap();
}

/// It is a member of nothing, nor invited, and comes into no workspace any more.
pub async fn a_deleted_account_is_in_no_workspace(store: Arc<dyn Repository>) {
    let (Some(users), Some(workspaces)) = (store.users(), store.workspaces()) else {
        return;
    };
    sign_up(users, 2).await;
    let (id, other) = (kept(workspaces, 1).await, kept(workspaces, 2).await);
    join(workspaces, id, 2, Owner).await;
    let pending = invitation(2, other, Viewer);
    workspaces.invite(&pending, MANY).await.unwrap();
    let deleted = users.delete(user(2), noon(5)).await.unwrap();
    assert_eq!(deleted, UserDeleted::Done);
    assert_eq!(workspaces.role(id, user(2)).await.unwrap(), None);
    assert_eq!(workspaces.members(id, None, 9).await.unwrap().len(), 1);
    let address = email(2);
    let invited = workspaces.invitation(pending.id, &address, noon(5));
    assert_eq!(invited.await.unwrap(), None);
    let created = workspaces.insert(&workspace(3), user(2), MANY).await;
    assert_eq!(created.unwrap(), Added::TooMany);
    // Whoever has the address next is nobody in the workspaces.
    sign_up(users, 3).await;
    assert_eq!(workspaces.role(id, user(3)).await.unwrap(), None);
}

/// With all that there is of the account, until somebody else owns the workspace, or it is gone.
pub async fn the_account_of_the_last_owner_stays(store: Arc<dyn Repository>) {
    let (Some(users), Some(workspaces)) = (store.users(), store.workspaces()) else {
        return;
    };
    sign_up(users, 1).await;
    let (id, alone) = (kept(workspaces, 1).await, kept(workspaces, 2).await);
    join(workspaces, id, 2, Viewer).await;
    let delete = async || users.delete(user(1), noon(5)).await.unwrap();
    assert_eq!(delete().await, UserDeleted::LastOwner(id));
    assert!(users.find(user(1)).await.unwrap().is_some());
    assert_eq!(workspaces.role(id, user(1)).await.unwrap(), Some(Owner));
    workspaces.set_role(id, user(2), Owner).await.unwrap();
    assert_eq!(delete().await, UserDeleted::LastOwner(alone));
    workspaces.delete(alone, 9).await.unwrap();
    assert_eq!(delete().await, UserDeleted::Done);
    assert_eq!(delete().await, UserDeleted::Missing);
    assert_eq!(workspaces.role(id, user(2)).await.unwrap(), Some(Owner));
}

/// However many go at once.
pub async fn of_owners_who_delete_their_accounts_at_once_one_stays(store: Arc<dyn Repository>) {
    let (Some(users), Some(workspaces)) = (store.users(), store.workspaces()) else {
        return;
    };
    for number in 1..=4 {
        sign_up(users, number).await;
    }
    let mut ids = Vec::new();
    for number in 1..=3 {
        let id = kept(workspaces, number).await;
        for owner in 2..=4 {
            join(workspaces, id, owner, Owner).await;
        }
        ids.push(id);
    }
    let go = (1..=4).map(|number| users.delete(user(number), noon(5)));
    let went: Vec<_> = join_all(go).await.into_iter().map(Result::unwrap).collect();
    let stayed = went
        .iter()
        .filter(|deleted| matches!(deleted, UserDeleted::LastOwner(_)));
    assert_eq!(stayed.count(), 1, "{went:?}");
    for id in ids {
        let members = workspaces.members(id, None, 9).await.unwrap();
        assert_eq!(members.len(), 1);
        assert_eq!(members[0].role, Owner);
    }
}
