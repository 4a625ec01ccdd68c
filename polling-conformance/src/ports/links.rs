//! The port of the one-time links. A store that keeps no accounts passes.

use std::sync::Arc;

use futures_util::future::join_all;
use polling_core::users::{Link, SessionRepository, UserDeleted, UserEdit};
use polling_core::{Repository, TokenHash, UserId};

use super::sessions::{ADA, BOB, begin, email, hash, link, lives, sign_up};
use crate::fixtures::noon;

/// Sets the password of whoever's link it is; says whether it was good.
async fn redeem(
    sessions: &dyn SessionRepository,
    token: &str,
    password: &str,
    second: i64,
) -> bool {
    let (token, password) = (TokenHash::of(token), hash(password));
    let redeemed = sessions.redeem(token, &password, noon(second)).await;
    redeemed.unwrap()
}

/// By its token, until its end, and whose it is.
pub async fn a_link_is_good_until_its_end(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    let ada = sign_up(users, ADA).await;
    let link = link(ADA, "link", 0);
    assert!(sessions.keep_link(&link, None).await.unwrap());
    let linked = async |token: &str, second| {
        let token = TokenHash::of(token);
        sessions.linked(token, noon(second)).await.unwrap()
    };
    assert_eq!(linked("link", 3_599).await, Some(ada));
    assert_eq!(linked("link", 3_600).await, None);
    assert_eq!(linked("other", 0).await, None);
    assert!(!redeem(sessions, "link", "new", 3_600).await);
    let account = users.account(ADA).await.unwrap().unwrap();
    assert_eq!(account.password, Some(hash("first")));
}

/// The newest replaces the one before, unless that was made too short a time ago.
pub async fn the_newest_link_is_the_one_that_is_good(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    let keep = async |token: &str, made, unless_after: Option<i64>| {
        let link = link(ADA, token, made);
        let kept = sessions.keep_link(&link, unless_after.map(noon));
        kept.await.unwrap()
    };
    let is_good = async |token: &str| {
        let linked = sessions.linked(TokenHash::of(token), noon(100));
        linked.await.unwrap().is_some()
    };
    assert!(keep("one", 0, Some(-60)).await);
    assert!(!keep("two", 59, Some(-1)).await);
    assert!(is_good("one").await && !is_good("two").await);
    assert!(keep("two", 60, Some(0)).await);
    assert!(!is_good("one").await && is_good("two").await);
    assert!(keep("three", 61, None).await);
    assert!(!is_good("two").await && is_good("three").await);
}

/// There must be an account with this address; once it has another one, or is deleted, the link is no good.
pub async fn a_link_is_for_the_address_that_it_is_sent_to(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    let keep = async |link: &Link| sessions.keep_link(link, None).await.unwrap();
    assert!(!keep(&link(ADA, "link", 0)).await);
    sign_up(users, ADA).await;
    let elsewhere = Link {
        email: email(BOB),
        ..link(ADA, "link", 0)
    };
    assert!(!keep(&elsewhere).await);
    assert!(keep(&link(ADA, "link", 0)).await);
    let edit = UserEdit {
        email: Some(email(BOB)),
        ..UserEdit::default()
    };
    users.edit(ADA, &edit).await.unwrap();
    let linked = sessions.linked(TokenHash::of("link"), noon(1)).await;
    assert_eq!(linked.unwrap(), None);
    assert!(!redeem(sessions, "link", "stolen", 1).await);
    let account = users.account(ADA).await.unwrap().unwrap();
    assert_eq!(account.password, Some(hash("first")));
    assert!(
        keep(&Link {
            token: TokenHash::of("new"),
            ..elsewhere
        })
        .await
    );
    assert_eq!(users.delete(ADA, noon(0)).await.unwrap(), UserDeleted::Done);
    assert!(!redeem(sessions, "new", "stolen", 1).await);
}

/// It sets the password, also the first one, ends all sign-ins, and is used up.
pub async fn a_link_sets_a_password_once(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    let mut bob = sign_up(users, BOB).await;
    bob.id = UserId::from_bytes([3; 16]);
    bob.email = email(bob.id);
    users.insert(&bob, None).await.unwrap();
    for user in [ADA, bob.id] {
        let number = user.as_bytes()[0];
        assert_eq!(begin(sessions, number, user, "first").await, user == ADA);
        let link = link(user, "link", 0);
        assert!(sessions.keep_link(&link, None).await.unwrap());
        let at_once = (0..8).map(|_| redeem(sessions, "link", "new", 1));
        let done = join_all(at_once).await.into_iter();
        assert_eq!(done.filter(|done| *done).count(), 1);
        assert!(!redeem(sessions, "link", "new", 1).await);
        assert!(!lives(sessions, number).await);
        let account = users.account(user).await.unwrap().unwrap();
        assert_eq!(account.password, Some(hash("new")));
    }
    let bystander = users.account(BOB).await.unwrap().unwrap();
    assert_eq!(bystander.password, Some(hash("first")));
}
