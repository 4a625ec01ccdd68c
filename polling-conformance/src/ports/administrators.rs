//! The port of the accounts: administrators of the site. A store that keeps none passes.

use std::sync::Arc;

use futures_util::future::join_all;
use polling_core::Repository;
use polling_core::users::{Email, User, UserEdit};

use super::accounts::{hash, sign_up, user};
use crate::fixtures::noon;

/// And unmade; who is none stays none.
pub async fn an_administrator_is_made_and_unmade(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let (ada, bob) = (sign_up(users, 1).await, sign_up(users, 2).await);
    for is_admin in [true, true, false] {
        let expected = Some(User {
            is_admin,
            ..ada.clone()
        });
        assert_eq!(users.set_admin(ada.id, is_admin).await.unwrap(), expected);
        assert_eq!(users.find(ada.id).await.unwrap(), expected);
    }
    assert_eq!(users.find(bob.id).await.unwrap(), Some(bob));
    assert_eq!(users.set_admin(user(3).id, true).await.unwrap(), None);
}

/// By the address that the account has now, whatever its case; and again where the last one is none any more.
pub async fn the_first_administrator_is_appointed_while_there_is_none(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let (ada, bob) = (sign_up(users, 1).await, sign_up(users, 2).await);
    let appoint = async |address: &str| {
        let address = Email::from_store(address.into());
        users.appoint_first_admin(&address).await.unwrap()
    };
    let made = |user: &User| {
        Some(User {
            is_admin: true,
            ..user.clone()
        })
    };
    let is = async |user: &User| users.find(user.id).await.unwrap();
    assert_eq!(appoint("user-3@example.org").await, None, "nobody's");
    assert_eq!(appoint("USER-1@example.org").await, made(&ada));
    assert_eq!(is(&ada).await, made(&ada));
    for address in ["user-1@example.org", "user-2@example.org"] {
        assert_eq!(appoint(address).await, None, "there is one");
    }
    assert_eq!(is(&bob).await, Some(bob.clone()));
    // Whoever has the address later is not who was appointed.
    let moved = UserEdit {
        email: Some(Email::from_store("ada@example.org".into())),
        ..UserEdit::default()
    };
    users.edit(ada.id, &moved).await.unwrap();
    let heir = User {
        email: ada.email.clone(),
        ..user(4)
    };
    users.insert(&heir, Some(&hash())).await.unwrap();
    assert_eq!(appoint("user-1@example.org").await, None);
    assert_eq!(is(&heir).await, Some(heir.clone()));
    // One that is revoked while there is another stays so.
    users.set_admin(bob.id, true).await.unwrap();
    users.set_admin(ada.id, false).await.unwrap();
    assert_eq!(appoint("ada@example.org").await, None);
    users.delete(bob.id, noon(9)).await.unwrap();
    assert_eq!(appoint("user-2@example.org").await, None, "it is deleted");
    assert_eq!(appoint("user-1@example.org").await, made(&heir));
}

/// Whoever it is.
pub async fn of_first_administrators_who_are_appointed_at_once_one_is(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let mut all = Vec::new();
    for number in 1..=8 {
        all.push(sign_up(users, number).await);
    }
    for _ in 0..4 {
        let appoint = all
            .iter()
            .map(|user| users.appoint_first_admin(&user.email));
        let appointed = join_all(appoint).await;
        let mut appointed: Vec<User> = appointed.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(appointed.len(), 1, "{appointed:?}");
        let one = appointed.remove(0);
        for user in &all {
            let found = users.find(user.id).await.unwrap().unwrap();
            assert_eq!(found.is_admin, user.id == one.id);
        }
        users.set_admin(one.id, false).await.unwrap();
    }
}
