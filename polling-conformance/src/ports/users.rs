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

fn account(id: u8, email: &str, password: Option<&str>) -> Account {
    Account {
        user: user(id, email),
        password: password.map(hash),
    }
}

fn ids(bytes: impl IntoIterator<Item = u8>) -> Vec<UserId> {
    let id = |byte| UserId::from_bytes([byte; 16]);
    bytes.into_iter().map(id).collect()
}

/// Whose the address was first keeps it, whether within the same call or before.
pub async fn many_accounts_are_kept_as_one_by_one(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    assert_eq!(users.insert_many(&[]).await.unwrap(), []);
    let first = account(1, "zoe@example.org", Some("zoe"));
    let inserted = users.insert(&first.user, first.password.as_ref()).await;
    assert_eq!(inserted.unwrap(), Inserted::Done);
    let admin = User {
        is_admin: true,
        ..user(4, "bob@example.org")
    };
    let admin = Account {
        user: admin,
        password: None,
    };
    let many = [
        account(2, "ZOE@example.org", None),
        account(3, "ÄDA@example.org", Some("ada")),
        admin,
        account(5, "äda@example.org", None),
    ];
    let owners = users.insert_many(&many).await.unwrap();
    assert_eq!(owners, ids([1, 3, 4, 3]));
    for kept in [&first, &many[1], &many[2]] {
        let found = users.account(kept.user.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(kept));
    }
    for id in ids([2, 5]) {
        assert!(users.find(id).await.unwrap().is_none());
    }
}

/// The same ids once more, and with other ids those of before.
pub async fn many_accounts_that_are_sent_again_change_nothing(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let many = [
        account(1, "ada@example.org", Some("ada")),
        account(2, "bob@example.org", None),
    ];
    for _ in 0..2 {
        let owners = users.insert_many(&many).await.unwrap();
        assert_eq!(owners, ids([1, 2]));
    }
    let again = [
        account(3, "Bob@example.org", Some("new")),
        account(4, "ada@example.org", None),
    ];
    assert_eq!(users.insert_many(&again).await.unwrap(), ids([2, 1]));
    for kept in &many {
        let found = users.account(kept.user.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(kept));
    }
}

/// Each in an order of its own, and each is told the same owners.
pub async fn of_many_imports_at_once_one_gets_each_account(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let addresses: Vec<String> = (0..50).map(|n| format!("{n}@example.org")).collect();
    let import = async |nth: u8| {
        let mut turned: Vec<&String> = addresses.iter().collect();
        turned.rotate_left(usize::from(nth) * 7);
        let accounts = turned.iter().enumerate().map(|(at, email)| {
            let mut id = [nth; 16];
            id[0] = at as u8;
            let user = User {
                id: UserId::from_bytes(id),
                ..user(0, email)
            };
            Account {
                user,
                password: None,
            }
        });
        let accounts: Vec<Account> = accounts.collect();
        let mut owners = users.insert_many(&accounts).await.unwrap();
        owners.rotate_right(usize::from(nth) * 7);
        owners
    };
    let told = join_all((1..=6).map(import)).await;
    for (address, owner) in addresses.iter().zip(&told[0]) {
        let email = Email::from_store(address.clone());
        let found = users.find_by_email(&email).await.unwrap();
        assert_eq!(found.unwrap().user.id, *owner);
    }
    assert!(told.iter().all(|owners| *owners == told[0]));
}
