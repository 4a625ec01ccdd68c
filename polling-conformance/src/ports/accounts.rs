//! The port of the accounts, from their first change to what is left of them. A store that keeps none passes.

use std::sync::Arc;

use futures_util::future::join_all;
use polling_core::polls::{Poll, Status, Voters};
use polling_core::results::Tally;
use polling_core::users::{
    Email, PasswordHash, User, UserDeleted, UserEdit, UserEdited, UserName, UserRepository,
};
use polling_core::votes::{BallotRecord, Change, VoterKey};
use polling_core::{BallotId, PollId, Repository, UserId};

use crate::fixtures::{Ports, noon};

pub(super) fn user(number: u8) -> User {
    User {
        id: UserId::from_bytes([number; 16]),
        name: UserName::from_store(format!("User {number}")),
        email: Email::from_store(format!("User-{number}@example.org")),
        is_admin: false,
        created_at: noon(i64::from(number)),
    }
}

pub(super) fn hash() -> PasswordHash {
    PasswordHash::from_store("$argon2id$".into())
}

pub(super) async fn sign_up(users: &dyn UserRepository, number: u8) -> User {
    let user = user(number);
    users.insert(&user, Some(&hash())).await.unwrap();
    user
}

/// Without one too, and as an administrator too.
pub async fn an_account_is_found_with_its_password(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    for (number, password) in [(1, Some(hash())), (2, None)] {
        let user = User {
            is_admin: number == 2,
            ..user(number)
        };
        users.insert(&user, password.as_ref()).await.unwrap();
        let by_id = users.account(user.id).await.unwrap().unwrap();
        assert_eq!((&by_id.user, &by_id.password), (&user, &password));
        let by_email = users.find_by_email(&user.email).await.unwrap();
        assert_eq!(by_email, Some(by_id));
    }
    assert_eq!(users.account(user(3).id).await.unwrap(), None);
}

/// Name and address, each alone and both; an address that has another account is not taken from it.
pub async fn an_edit_of_a_user_is_written_whole(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let (mut ada, bob) = (sign_up(users, 1).await, sign_up(users, 2).await);
    let name = |text: &str| Some(UserName::from_store(text.into()));
    let email = |text: &str| Some(Email::from_store(text.into()));
    let edits = [
        (name("Ada"), None),
        (None, email("ada@example.org")),
        (name("Countess"), email("ADA@example.org")),
    ];
    for (name, email) in edits {
        ada.name = name.clone().unwrap_or(ada.name);
        ada.email = email.clone().unwrap_or(ada.email);
        let edited = users.edit(ada.id, &UserEdit { name, email }).await;
        assert_eq!(edited.unwrap(), UserEdited::Done(ada.clone()));
        assert_eq!(users.find(ada.id).await.unwrap().as_ref(), Some(&ada));
    }
    let edit = UserEdit {
        name: name("Thief"),
        email: email("user-2@EXAMPLE.org"),
    };
    assert_eq!(
        users.edit(ada.id, &edit).await.unwrap(),
        UserEdited::EmailTaken
    );
    assert_eq!(users.find(ada.id).await.unwrap().as_ref(), Some(&ada));
    let found = users.find_by_email(&bob.email).await.unwrap().unwrap();
    assert_eq!(found.user, bob);
    let stranger = users.edit(user(3).id, &edit).await.unwrap();
    assert_eq!(stranger, UserEdited::Missing);
    // The address of before is free, exactly once.
    let many: Vec<User> = (4..12)
        .map(|number| User {
            email: user(1).email,
            ..user(number)
        })
        .collect();
    let password = hash();
    let taken = join_all(many.iter().map(|user| users.insert(user, Some(&password)))).await;
    let done = taken
        .iter()
        .filter(|inserted| matches!(inserted, Ok(polling_core::users::Inserted::Done)));
    assert_eq!(done.count(), 1);
}

/// For every method, once; the address is free for somebody else.
pub async fn a_deleted_account_is_gone_for_every_method(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let (ada, bob) = (sign_up(users, 1).await, sign_up(users, 2).await);
    assert!(!users.is_deleted(ada.id).await.unwrap());
    assert_eq!(
        users.delete(ada.id, noon(0)).await.unwrap(),
        UserDeleted::Done
    );
    assert_eq!(
        users.delete(ada.id, noon(0)).await.unwrap(),
        UserDeleted::Missing
    );
    assert_eq!(
        users.delete(user(3).id, noon(0)).await.unwrap(),
        UserDeleted::Missing
    );
    assert!(users.is_deleted(ada.id).await.unwrap());
    assert!(!users.is_deleted(user(3).id).await.unwrap());
    let asked = [bob.id, ada.id, user(3).id];
    assert_eq!(users.deleted(&asked).await.unwrap(), [ada.id]);
    assert_eq!(users.deleted(&[]).await.unwrap(), []);
    assert_eq!(users.find(ada.id).await.unwrap(), None);
    assert_eq!(users.account(ada.id).await.unwrap(), None);
    assert_eq!(users.find_by_email(&ada.email).await.unwrap(), None);
    assert_eq!(users.set_admin(ada.id, true).await.unwrap(), None);
    let edit = UserEdit {
        email: Some(ada.email.clone()),
        ..UserEdit::default()
    };
    assert_eq!(
        users.edit(ada.id, &edit).await.unwrap(),
        UserEdited::Missing
    );
    let (old, new) = (hash(), PasswordHash::from_store("$new".into()));
    assert!(!users.rehash(ada.id, &old, &new).await.unwrap());
    assert!(!users.change_password(ada.id, &old, &new).await.unwrap());
    let heir = User {
        email: ada.email,
        ..user(4)
    };
    users.insert(&heir, Some(&hash())).await.unwrap();
    let found = users.find_by_email(&heir.email).await.unwrap().unwrap();
    assert_eq!(found.user, heir);
    assert_eq!(users.find(bob.id).await.unwrap(), Some(bob));
}

/// A voter's key, as the engine makes it of a user.
fn voter(user: &User) -> VoterKey {
    VoterKey::from_bytes(*user.id.as_bytes())
}

/// Voters who are nobody, from the number `first` on.
fn nobodies(first: u8, count: u8) -> Vec<VoterKey> {
    let key = |number| {
        VoterKey::from_bytes([0xF0, number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
    };
    (first..first + count).map(key).collect()
}

fn registered((poll, tally): (Poll, Tally)) -> (Poll, Tally) {
    let voters = Voters::Registered;
    (Poll { voters, ..poll }, tally)
}

/// Two polls with a ballot of this user, one that counts and was changed, and one that is withdrawn; and two without, one
/// before each.
async fn voted(ports: &Ports, voter: VoterKey) -> [PollId; 2] {
    let mut polls = Vec::new();
    for withdrawn in [false, true] {
        ports.keep(registered(ports.poll(Status::Open))).await;
        let poll = ports.keep(registered(ports.poll(Status::Open))).await;
        for positions in [[0, 1], [1, 2]] {
            let ballot = BallotRecord {
                voter,
                id: BallotId::from_bytes([positions[0]; 16]),
                ..ports.named_ballot(poll, 1, &positions)
            };
            let changed = ports.store.votes().change(&ballot).await.unwrap();
            assert!(matches!(changed, Change::Created(_) | Change::Changed(_)));
        }
        if withdrawn {
            let withdrawal = ports.store.votes().withdraw(poll, &voter, noon(0));
            withdrawal.await.unwrap();
        }
        polls.push(poll);
    }
    [polls[0], polls[1]]
}

/// Each ballot goes to somebody who is nobody, and with it what is known of it; results stay as they are.
pub async fn the_ballots_of_a_deleted_user_are_detached(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let ports = Ports::new(Arc::clone(&store));
    let (ada, bob) = (sign_up(users, 1).await, sign_up(users, 2).await);
    let [counting, withdrawn] = voted(&ports, voter(&ada)).await;
    let others = BallotRecord {
        voter: voter(&bob),
        ..ports.ballot(counting, 1, &[0])
    };
    ports.cast(&others).await;
    let before = (ports.tally(counting).await, ports.tally(withdrawn).await);
    assert_eq!(
        users.delete(ada.id, noon(0)).await.unwrap(),
        UserDeleted::Done
    );
    let keys = nobodies(0, 100);
    while users.detach(noon(1), &keys).await.unwrap() {}

    let votes = store.votes();
    for poll in [counting, withdrawn] {
        assert!(votes.find(poll, &voter(&ada)).await.unwrap().is_none());
    }
    let found = votes.find_all(counting, &keys).await.unwrap();
    let found: Vec<_> = found.into_iter().flatten().collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].selection.positions(), [1, 2]);
    // The polls are gone through in their order: the second and the fourth.
    for (poll, key) in [(counting, &keys[1]), (withdrawn, &keys[3])] {
        let old = BallotId::from_bytes([0; 16]);
        assert!(votes.is_superseded(poll, key, old).await.unwrap());
        let superseded = votes.is_superseded(poll, &voter(&ada), old).await;
        assert!(!superseded.unwrap());
    }
    assert!(votes.find(counting, &voter(&bob)).await.unwrap().is_some());
    let after = (ports.proven(counting).await, ports.proven(withdrawn).await);
    assert_eq!(after, before);
    assert!(!users.is_deleted(ada.id).await.unwrap());
    assert_eq!(users.find(bob.id).await.unwrap(), Some(bob));
}

/// Not before their time, at most one poll for each of the voters, and going on where the last call has stopped; one
/// account after the other.
pub async fn detaching_goes_in_bounded_steps_and_comes_to_an_end(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    let ports = Ports::new(Arc::clone(&store));
    let (ada, bob) = (sign_up(users, 1).await, sign_up(users, 2).await);
    let [counting, withdrawn] = voted(&ports, voter(&ada)).await;
    ports
        .cast(&BallotRecord {
            voter: voter(&bob),
            ..ports.ballot(counting, 1, &[0])
        })
        .await;
    assert_eq!(
        users.delete(ada.id, noon(10)).await.unwrap(),
        UserDeleted::Done
    );
    assert_eq!(
        users.delete(bob.id, noon(20)).await.unwrap(),
        UserDeleted::Done
    );
    let has_ballot = async |user: &User, poll| {
        let found = store.votes().find(poll, &voter(user)).await;
        found.unwrap().is_some()
    };
    let detach = async |before, first, count| {
        let keys = nobodies(first, count);
        users.detach(noon(before), &keys).await.unwrap()
    };
    assert!(!detach(10, 0, 9).await && has_ballot(&ada, counting).await);
    // Four polls, one at a time: the first has no ballot of hers.
    assert!(detach(11, 0, 1).await && has_ballot(&ada, counting).await);
    assert!(detach(11, 1, 1).await && !has_ballot(&ada, counting).await);
    let old = BallotId::from_bytes([0; 16]);
    let known = async || {
        let voter = voter(&ada);
        let superseded = store.votes().is_superseded(withdrawn, &voter, old).await;
        superseded.unwrap()
    };
    assert!(detach(11, 2, 1).await && known().await);
    assert!(detach(11, 3, 1).await && !known().await);
    assert!(users.is_deleted(ada.id).await.unwrap());
    assert!(detach(11, 4, 1).await && !users.is_deleted(ada.id).await.unwrap());
    assert!(!detach(20, 5, 9).await && has_ballot(&bob, counting).await);
    assert!(detach(21, 5, 9).await && !has_ballot(&bob, counting).await);
    assert!(!detach(21, 20, 9).await);
    assert!(!users.is_deleted(bob.id).await.unwrap());
    ports.proven(counting).await;
}
