//! The port of the sign-ins. A store that keeps no accounts passes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use polling_core::users::{
    Email, Link, PasswordHash, Renewal, RenewalPlan, Renewed, Session, SessionRepository, User,
    UserDeleted, UserName, UserRepository,
};
use polling_core::{Repository, SessionId, TokenHash, UserId};

use crate::fixtures::noon;

pub(super) const ADA: UserId = UserId::from_bytes([1; 16]);
pub(super) const BOB: UserId = UserId::from_bytes([2; 16]);

pub(super) fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_store(format!("$argon2id${text}"))
}

pub(super) fn email(id: UserId) -> Email {
    Email::from_store(format!("user-{}@example.org", id.as_bytes()[0]))
}

/// Keeps a user with the password `first`.
pub(super) async fn sign_up(users: &dyn UserRepository, id: UserId) -> User {
    let user = User {
        id,
        name: UserName::from_store("Ada".into()),
        email: email(id),
        is_admin: false,
        created_at: noon(0),
    };
    users.insert(&user, Some(&hash("first"))).await.unwrap();
    user
}

/// The sign-in with this number: begun at noon with the token `a`, good for 100 s without use and for 250 s in all.
fn session(number: u8, user: UserId) -> Session {
    Session {
        id: SessionId::from_bytes([number; 16]),
        user,
        token: TokenHash::of("a"),
        spent: None,
        renewed_at: noon(0),
        expires_at: noon(100),
        ends_at: noon(250),
    }
}

/// Begins the sign-in with this number; says whether it has begun.
pub(super) async fn begin(
    sessions: &dyn SessionRepository,
    number: u8,
    user: UserId,
    password: &str,
) -> bool {
    let (session, proved) = (session(number, user), hash(password));
    sessions.begin(&session, &proved).await.unwrap()
}

/// Changes the password of a user; says whether it was the old one.
async fn change(users: &dyn UserRepository, user: UserId, old: &str, new: &str) -> bool {
    let (old, new) = (hash(old), hash(new));
    users.change_password(user, &old, &new).await.unwrap()
}

fn renewal(number: u8, presented: &str, next: &str, second: i64) -> Renewal {
    Renewal {
        session: SessionId::from_bytes([number; 16]),
        presented: TokenHash::of(presented),
        next: TokenHash::of(next),
        now: noon(second),
        idle: Duration::from_secs(100),
        grace: Duration::from_secs(10),
    }
}

async fn renew(
    sessions: &dyn SessionRepository,
    number: u8,
    presented: &str,
    next: &str,
    second: i64,
) -> Renewed {
    let renewal = renewal(number, presented, next, second);
    sessions.renew(&renewal).await.unwrap()
}

/// Whether the sign-in with this number goes on, with the token `a`, which it then has again for its last.
pub(super) async fn lives(sessions: &dyn SessionRepository, number: u8) -> bool {
    match renew(sessions, number, "a", "a", 1).await {
        Renewed::Done(_) => true,
        Renewed::Missing => false,
        Renewed::Revoked(user) => panic!("the sign-in of {user} was to live or to be over"),
    }
}

pub(super) fn link(user: UserId, token: &str, made: i64) -> Link {
    Link {
        user,
        email: email(user),
        token: TokenHash::of(token),
        made_at: noon(made),
        expires_at: noon(made + 3_600),
    }
}

/// It goes on under the next token as the rule says, and is kept so.
pub async fn a_sign_in_is_renewed_as_the_rule_says(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    let begun = session(1, ADA);
    assert!(sessions.begin(&begun, &hash("first")).await.unwrap());
    let mut expected = begun;
    // The first use, its retry, and what came of it.
    for (presented, next, second) in [("a", "b", 50), ("a", "b2", 60), ("b2", "c", 140)] {
        let plan = expected.plan(&renewal(1, presented, next, second));
        let RenewalPlan::Renew(planned) = plan else {
            panic!("{plan:?}");
        };
        expected = planned;
        let renewed = renew(sessions, 1, presented, next, second).await;
        assert_eq!(renewed, Renewed::Done(expected.clone()));
    }
    assert_eq!(expected.expires_at, noon(240));
}

/// A token that was spent too long ago ends the whole sign-in, and no other.
pub async fn a_spent_token_revokes_its_sign_in(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    for number in [1, 2] {
        assert!(begin(sessions, number, ADA, "first").await);
    }
    renew(sessions, 1, "a", "b", 50).await;
    let revoked = renew(sessions, 1, "a", "x", 61).await;
    assert_eq!(revoked, Renewed::Revoked(ADA));
    for token in ["a", "b", "x"] {
        let renewed = renew(sessions, 1, token, "y", 61).await;
        assert_eq!(renewed, Renewed::Missing, "{token}");
    }
    assert!(lives(sessions, 2).await);
}

/// And what is over is not there.
pub async fn a_sign_in_that_is_over_is_not_renewed(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    assert_eq!(renew(sessions, 1, "a", "b", 1).await, Renewed::Missing);
    assert!(begin(sessions, 1, ADA, "first").await);
    assert_eq!(renew(sessions, 1, "a", "b", 100).await, Renewed::Missing);
    assert_eq!(renew(sessions, 1, "a", "b", 1).await, Renewed::Missing);
}

/// One is first; the others come within the grace, and there is one good token in the end.
pub async fn of_many_who_spend_a_token_at_once_one_is_first(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    assert!(begin(sessions, 1, ADA, "first").await);
    let names: Vec<String> = (0..8).map(|number| format!("next {number}")).collect();
    let asked = names.iter().map(|next| renew(sessions, 1, "a", next, 50));
    let renewed = join_all(asked).await;
    assert!(
        renewed
            .iter()
            .all(|renewed| matches!(renewed, Renewed::Done(_)))
    );
    let mut good = 0;
    for next in &names {
        // Of those that were replaced, the first to be shown revokes the sign-in: only the last one is good.
        if matches!(
            renew(sessions, 1, next, "end", 51).await,
            Renewed::Done(session) if session.spent == Some(TokenHash::of(next))
        ) {
            good += 1;
        }
    }
    assert!(good <= 1, "{good} tokens were good");
}

/// Without an account, after it was deleted, and with a password that is another one by now.
pub async fn a_sign_in_needs_its_account_and_password(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    assert!(!begin(sessions, 1, ADA, "first").await);
    sign_up(users, ADA).await;
    assert!(!begin(sessions, 1, ADA, "second").await);
    assert!(change(users, ADA, "first", "second").await);
    assert!(!begin(sessions, 1, ADA, "first").await);
    assert!(begin(sessions, 1, ADA, "second").await);
    assert_eq!(users.delete(ADA, noon(0)).await.unwrap(), UserDeleted::Done);
    assert!(!begin(sessions, 2, ADA, "second").await);
    assert!(!lives(sessions, 1).await);
}

/// One, or all of one user; nobody else's. Repeated, nothing happens.
pub async fn sign_ins_end_one_by_one_and_together(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    for (user, numbers) in [(ADA, 1..=3), (BOB, 4..=4)] {
        sign_up(users, user).await;
        for number in numbers {
            assert!(begin(sessions, number, user, "first").await);
        }
    }
    for _ in 0..2 {
        sessions.end(SessionId::from_bytes([1; 16])).await.unwrap();
        assert!(!lives(sessions, 1).await && lives(sessions, 2).await);
    }
    for _ in 0..2 {
        sessions.end_all(ADA).await.unwrap();
        assert!(!lives(sessions, 2).await && !lives(sessions, 3).await);
    }
    assert!(lives(sessions, 4).await);
    // Whoever signs in anew is signed in.
    assert!(begin(sessions, 5, ADA, "first").await && lives(sessions, 5).await);
}

/// Another password ends sign-ins and links; the same one under better parameters ends nothing.
pub async fn sign_ins_end_with_their_password(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    assert!(begin(sessions, 1, ADA, "first").await);
    let link = link(ADA, "link", 0);
    assert!(sessions.keep_link(&link, None).await.unwrap());
    let linked = async || sessions.linked(link.token, noon(1)).await.unwrap();
    for (old, new, done) in [("other", "better", false), ("first", "better", true)] {
        let rehashed = users.rehash(ADA, &hash(old), &hash(new)).await.unwrap();
        assert_eq!(rehashed, done);
        assert!(lives(sessions, 1).await && linked().await.is_some());
    }
    for (old, done) in [("first", false), ("better", true)] {
        assert_eq!(change(users, ADA, old, "second").await, done);
        assert_eq!(lives(sessions, 1).await, !done);
        assert_eq!(linked().await.is_none(), done);
    }
    let account = users.account(ADA).await.unwrap().unwrap();
    assert_eq!(account.password, Some(hash("second")));
}

/// Whichever comes first: no sign-in with the old password lives on after it was changed.
pub async fn no_sign_in_outlives_a_change_of_the_password(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    let mut old = "first".to_owned();
    for round in 0..8_u8 {
        let (new, numbers) = (round.to_string(), round * 4..round * 4 + 4);
        let begin = numbers.clone().map(|n| begin(sessions, n, ADA, &old));
        let (changed, _) = tokio::join!(change(users, ADA, &old, &new), join_all(begin));
        assert!(changed);
        for number in numbers {
            assert!(!lives(sessions, number).await, "{number}");
        }
        old = new;
    }
}

/// A bounded number at a time, and nothing that is good still.
pub async fn what_is_over_is_swept_away(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let sessions = users.sessions();
    sign_up(users, ADA).await;
    for number in 1..=5 {
        let mut session = session(number, ADA);
        session.expires_at = noon(100 + i64::from(number / 5));
        assert!(sessions.begin(&session, &hash("first")).await.unwrap());
    }
    assert!(
        sessions
            .keep_link(&link(ADA, "link", -3_500), None)
            .await
            .unwrap()
    );
    assert!(!sessions.sweep(noon(99), 2).await.unwrap());
    let mut steps = 0;
    while sessions.sweep(noon(100), 2).await.unwrap() {
        steps += 1;
    }
    assert_eq!(steps, 2);
    for number in 1..=4 {
        assert!(!lives(sessions, number).await, "{number}");
    }
    assert!(lives(sessions, 5).await);
    let linked = sessions.linked(TokenHash::of("link"), noon(0)).await;
    assert_eq!(linked.unwrap(), None);
}
