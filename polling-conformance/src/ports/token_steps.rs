//! Vote tokens that are made in steps: a making is begun, its tokens are inserted, or taken back. A store that keeps no tokens
//! passes.

use std::sync::Arc;

use polling_core::polls::Status;
use polling_core::vote_tokens::{Making, NewMaking, VoteTokenRepository, WhichTokens};
use polling_core::{PollId, Repository};

use super::vote_tokens::{ENOUGH, counts, make, tokens};
use crate::fixtures::{Ports, noon};

async fn begin(port: &dyn VoteTokenRepository, poll: PollId, tokens: u64) -> Making {
    match port.begin(poll, tokens, ENOUGH).await.unwrap() {
        NewMaking::Begun(making) => making,
        other => panic!("a making was to begin: {other:?}"),
    }
}

/// All of it counts from the beginning, and each step is good by itself; two of one poll may go on at the same time.
pub async fn a_making_goes_in_steps(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    let (first, second) = (begin(port, poll, 4).await, begin(port, poll, 2).await);
    assert_ne!(first, second);
    assert_eq!(port.count(poll).await.unwrap(), counts(6, 0));
    let bound = port.begin(poll, 1, 6).await.unwrap();
    assert_eq!(bound, NewMaking::TooMany);
    for (making, names) in [(first, 0..2), (second, 2..4), (first, 4..6)] {
        let set = tokens(names);
        assert!(port.insert(poll, making, &set).await.unwrap());
        for token in set {
            assert_eq!(port.poll_of(token).await.unwrap(), Some(poll));
        }
    }
    assert_eq!(port.count(poll).await.unwrap(), counts(6, 0));
    // A poll that is deleted in between takes no more.
    let third = begin(port, poll, 4).await;
    assert!(port.insert(poll, third, &tokens(6..8)).await.unwrap());
    ports.store.polls().delete(poll, noon(0)).await.unwrap();
    assert!(!port.insert(poll, third, &tokens(8..10)).await.unwrap());
    port.take_back(poll, third, &tokens(6..10)).await.unwrap();
}

/// Inserted or not, in whichever steps; what others made stays.
pub async fn what_is_taken_back_was_never_made(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    // Of the first making of a poll, so that nothing is left; and beside another one.
    for others in [0, 3] {
        let other = tokens(100..100 + others);
        if others > 0 {
            make(port, poll, &other, ENOUGH).await.unwrap();
        }
        let making = begin(port, poll, 5).await;
        port.insert(poll, making, &tokens(0..2)).await.unwrap();
        port.take_back(poll, making, &tokens(1..4)).await.unwrap();
        let left = counts(u64::from(others) + 2, 0);
        assert_eq!(port.count(poll).await.unwrap(), left);
        let of = async |name| port.poll_of(tokens([name])[0]).await.unwrap();
        assert_eq!((of(0).await, of(1).await), (Some(poll), None));
        let rest = tokens([0, 4]);
        port.take_back(poll, making, &rest).await.unwrap();
        let left = counts(u64::from(others), 0);
        assert_eq!(port.count(poll).await.unwrap(), left);
        assert_eq!(of(0).await, None);
        for token in &other {
            assert_eq!(port.poll_of(*token).await.unwrap(), Some(poll));
        }
        // Of another making, or another poll, nothing is taken.
        if others > 0 {
            let making = begin(port, poll, 3).await;
            port.take_back(poll, making, &other).await.unwrap();
            assert_eq!(port.poll_of(other[0]).await.unwrap(), Some(poll));
            assert_eq!(port.count(poll).await.unwrap(), left);
        }
    }
    let revoked = port.revoke(poll, WhichTokens::All).await.unwrap();
    assert_eq!(revoked, 3);
}

/// Also the tokens that are inserted later, because their making began before.
pub async fn revoking_all_reaches_a_making_that_goes_on(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    make(port, poll, &tokens(10..13), ENOUGH).await.unwrap();
    let making = begin(port, poll, 4).await;
    port.insert(poll, making, &tokens(0..2)).await.unwrap();
    assert_eq!(port.revoke(poll, WhichTokens::All).await.unwrap(), 7);
    port.insert(poll, making, &tokens(2..4)).await.unwrap();
    for token in tokens(0..4) {
        assert_eq!(port.poll_of(token).await.unwrap(), None);
    }
    assert_eq!(port.count(poll).await.unwrap(), counts(7, 7));
    make(port, poll, &tokens(20..22), ENOUGH).await.unwrap();
    assert_eq!(port.count(poll).await.unwrap(), counts(9, 7));
    port.take_back(poll, making, &tokens(0..4)).await.unwrap();
    assert_eq!(port.count(poll).await.unwrap(), counts(5, 3));
    assert_eq!(port.revoke(poll, WhichTokens::All).await.unwrap(), 2);
    assert_eq!(port.count(poll).await.unwrap(), counts(5, 5));
}
