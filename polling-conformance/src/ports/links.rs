//! The port of the one-time links. A store that keeps no accounts passes.

use std::sync::Arc;

use futures_util::future::join_all;
use polling_core::users::{
    Email, Link, SessionRepository, UserDeleted, UserEdit, UserEdited, UserName, UserRepository,
};
use polling_core::{Repository, SessionId, TokenHash, UserId};

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

/// Whether the link with this token is good.
async fn is_good(sessions: &dyn SessionRepository, token: &str) -> bool {
    let linked = sessions.linked(TokenHash::of(token), noon(1)).await;
    linked.unwrap().is_some()
}

/// Gives Ada another address.
async fn move_to(users: &dyn UserRepository, email: Email) {
    let edit = UserEdit {
        email: Some(email),
        ..UserEdit::default()
    };
    let edited = users.edit(ADA, &edit).await.unwrap();
    assert!(matches!(edited, UserEdited::Done(_)), "{edited:?}");
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

/// By its token alone: what was not sent keeps none from being made.
pub async fn a_link_that_is_dropped_is_as_none(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    let (kept, since) = (link(ADA, "link", 0), Some(noon(-60)));
    assert!(sessions.keep_link(&kept, None).await.unwrap());
    sessions.drop_link(TokenHash::of("other")).await.unwrap();
    assert!(is_good(sessions, "link").await);
    assert!(
        !sessions
            .keep_link(&link(ADA, "new", 0), since)
            .await
            .unwrap()
    );
    sessions.drop_link(TokenHash::of("link")).await.unwrap();
    assert!(!is_good(sessions, "link").await);
    assert!(
        sessions
            .keep_link(&link(ADA, "new", 0), since)
            .await
            .unwrap()
    );
    assert!(!redeem(sessions, "link", "stolen", 1).await);
}

/// It does not come back with the address that it was sent to.
pub async fn a_link_ends_with_the_address_for_good(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    assert!(
        sessions
            .keep_link(&link(ADA, "old", 0), None)
            .await
            .unwrap()
    );
    move_to(users, email(BOB)).await;
    move_to(users, email(ADA)).await;
    assert!(!is_good(sessions, "old").await);
    // It keeps none from being made, also where it was made a moment ago.
    let next = link(ADA, "new", 1);
    assert!(sessions.keep_link(&next, Some(noon(-60))).await.unwrap());
    assert!(is_good(sessions, "new").await);
    assert!(!redeem(sessions, "old", "stolen", 1).await);
    let account = users.account(ADA).await.unwrap().unwrap();
    assert_eq!(account.password, Some(hash("first")));
}

/// Addresses are the same whatever their case: a name, or an address written in another way, ends nothing.
pub async fn a_link_outlives_another_case_of_the_address(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    assert!(
        sessions
            .keep_link(&link(ADA, "link", 0), None)
            .await
            .unwrap()
    );
    let shouted = Email::from_store(email(ADA).as_str().to_uppercase());
    move_to(users, shouted.clone()).await;
    let edit = UserEdit {
        name: Some(UserName::from_store("Countess".into())),
        ..UserEdit::default()
    };
    users.edit(ADA, &edit).await.unwrap();
    let linked = sessions.linked(TokenHash::of("link"), noon(1)).await;
    assert_eq!(linked.unwrap().map(|user| user.email), Some(shouted));
    assert!(redeem(sessions, "link", "new", 1).await);
}

/// Whoever ends all sign-ins has been broken into: what is on its way into the account ends too. One sign-in ends alone.
pub async fn a_link_ends_with_all_sign_ins(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    sign_up(users, BOB).await;
    for (user, token) in [(ADA, "hers"), (BOB, "his")] {
        assert!(
            sessions
                .keep_link(&link(user, token, 0), None)
                .await
                .unwrap()
        );
    }
    assert!(begin(sessions, 1, ADA, "first").await);
    sessions.end(SessionId::from_bytes([1; 16])).await.unwrap();
    assert!(is_good(sessions, "hers").await);
    sessions.end_all(ADA).await.unwrap();
    assert!(!is_good(sessions, "hers").await && is_good(sessions, "his").await);
    // It keeps none from being made, also where it was made a moment ago.
    let next = link(ADA, "new", 1);
    assert!(sessions.keep_link(&next, Some(noon(-60))).await.unwrap());
    assert!(!redeem(sessions, "hers", "stolen", 1).await);
}

/// Whatever else happens to the account at the same moment, each comes to its end: nobody waits in a circle.
pub async fn a_link_is_used_while_the_account_changes(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    for round in 0..50 {
        let account = users.account(ADA).await.unwrap().unwrap();
        let old = account.password.unwrap();
        let (new, chosen) = (hash(&format!("new {round}")), format!("chosen {round}"));
        assert!(
            sessions
                .keep_link(&link(ADA, "link", 0), None)
                .await
                .unwrap()
        );
        let (redeemed, changed, ()) = futures_util::join!(
            redeem(sessions, "link", &chosen, 1),
            async { users.change_password(ADA, &old, &new).await.unwrap() },
            async { sessions.end_all(ADA).await.unwrap() },
        );
        let account = users.account(ADA).await.unwrap().unwrap();
        let expected = match (redeemed, changed) {
            (true, false) => hash(&chosen),
            (false, true) => new,
            (false, false) => panic!("neither was done"),
            (true, true) => panic!("the password was the old one for both"),
        };
        assert_eq!(account.password, Some(expected));
        assert!(!is_good(sessions, "link").await);
    }
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
