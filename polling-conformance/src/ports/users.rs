//! The port of the accounts. A store that keeps none passes.

use std::sync::Arc;

use futures_util::future::join_all;
use polling_core::users::{Account, Email, Inserted, PasswordHash, SigningKey, User, UserName};
use polling_core::{Repository, UserId};

use crate::fixtures::noon;

fn user(id: u8, email: &str) -> User {
    User {
        id: UserId::from_bytes([id; 16]),
        name: UserName::from_store("Ada Lovelace 🦉".into()),
        email: Email::from_store(email.into()),
        is_admin: false,
        created_at: noon(1),
    }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_store(format!("$argon2id${text}"))
}

/// By id without the hash, by e-mail with it.
pub async fn a_user_is_found_as_they_were_kept(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let ada = user(1, "Ada@Example.org");
    let inserted = users.insert(&ada, Some(&hash("ada"))).await.unwrap();
    assert_eq!(inserted, Inserted::Done);
    assert_eq!(users.find(ada.id).await.unwrap().as_ref(), Some(&ada));
    for email in ["Ada@Example.org", "ada@example.org", "ADA@EXAMPLE.ORG"] {
        let found = users.find_by_email(&Email::from_store(email.into())).await;
        let found = found.unwrap().unwrap();
        let expected = Account {
            user: ada.clone(),
            password: Some(hash("ada")),
        };
        assert_eq!(found, expected);
    }
}

/// Nothing is made up.
pub async fn a_user_who_never_signed_up_is_not_there(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    users
        .insert(&user(1, "ada@example.org"), Some(&hash("ada")))
        .await
        .unwrap();
    let stranger = user(2, "ada@example.com");
    assert!(users.find(stranger.id).await.unwrap().is_none());
    assert!(
        users
            .find_by_email(&stranger.email)
            .await
            .unwrap()
            .is_none()
    );
}

/// Without regard to case, also beyond ASCII; the first account stays as it is.
pub async fn an_email_has_one_account(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let ada = user(1, "ÄDA@example.org");
    users.insert(&ada, Some(&hash("first"))).await.unwrap();
    for email in ["ÄDA@example.org", "äda@example.org", "äDA@EXAMPLE.ORG"] {
        let inserted = users
            .insert(&user(2, email), Some(&hash("second")))
            .await
            .unwrap();
        assert_eq!(inserted, Inserted::EmailTaken);
    }
    let found = users.find_by_email(&ada.email).await.unwrap();
    let expected = Account {
        user: ada,
        password: Some(hash("first")),
    };
    assert_eq!(found, Some(expected));
    assert!(
        users
            .find(UserId::from_bytes([2; 16]))
            .await
            .unwrap()
            .is_none()
    );
}

/// Exactly one is told that it is theirs, and it is.
pub async fn of_many_who_sign_up_at_once_one_gets_the_account(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let candidates: Vec<User> = (1..=16)
        .map(|n| {
            user(
                n,
                if n % 2 == 0 {
                    "ADA@example.org"
                } else {
                    "ada@example.org"
                },
            )
        })
        .collect();
    let password = hash("ada");
    let signed_up = join_all(
        candidates
            .iter()
            .map(|user| users.insert(user, Some(&password))),
    )
    .await;
    let done: Vec<&User> = candidates
        .iter()
        .zip(signed_up)
        .filter(|(_, inserted)| matches!(inserted, Ok(Inserted::Done)))
        .map(|(user, _)| user)
        .collect();
    assert_eq!(done.len(), 1);
    for candidate in &candidates {
        let found = users.find(candidate.id).await.unwrap();
        assert_eq!(found.as_ref(), (candidate == done[0]).then_some(candidate));
    }
}

/// All who ask get the same key, for ever.
pub async fn the_signing_key_is_the_same_for_everyone(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let candidates: Vec<SigningKey> = (0..16).map(|n| SigningKey::from_bytes([n; 32])).collect();
    let asked = candidates.iter().map(|key| users.signing_key(key.clone()));
    let keys: Vec<SigningKey> = join_all(asked)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(candidates.contains(&keys[0]));
    assert!(keys.iter().all(|key| *key == keys[0]));
    let later = users.signing_key(SigningKey::from_bytes([99; 32])).await;
    assert!(later.unwrap() == keys[0]);
}
