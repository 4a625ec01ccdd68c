//! The port of the one-time vote tokens. A store that keeps none passes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use polling_core::polls::Status;
use polling_core::vote_tokens::{NewMaking, TokensInStore, VoteTokenRepository, WhichTokens};
use polling_core::{PollId, Repository, StoreError, TokenHash};

use crate::fixtures::{Ports, noon};

pub(super) const ENOUGH: u64 = 1_000_000;

/// Far more than it takes on a machine that does nothing else, and far less than row by row over a network.
const LONG: Duration = Duration::from_secs(20);

pub(super) fn tokens(names: impl IntoIterator<Item = u32>) -> Vec<TokenHash> {
    let token = |name| TokenHash::of(&format!("pv_{name}"));
    names.into_iter().map(token).collect()
}

/// What became of new tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Done,
    TooMany,
    Missing,
}

/// Makes these tokens in one step.
pub(super) async fn make(
    port: &dyn VoteTokenRepository,
    poll: PollId,
    tokens: &[TokenHash],
    most: u64,
) -> Result<Made, StoreError> {
    let making = match port.begin(poll, tokens.len() as u64, most).await? {
        NewMaking::Begun(making) => making,
        NewMaking::TooMany => return Ok(Made::TooMany),
        NewMaking::Missing => return Ok(Made::Missing),
    };
    Ok(if port.insert(poll, making, tokens).await? {
        Made::Done
    } else {
        Made::Missing
    })
}

pub(super) const fn counts(made: u64, revoked: u64) -> TokensInStore {
    TokensInStore { made, revoked }
}

/// For its poll alone, also where another one has tokens; what was never kept is not there.
pub async fn a_kept_token_is_good_for_its_poll(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let (poll, other) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Draft).await,
    );
    assert_eq!(port.count(poll).await.unwrap(), counts(0, 0));
    for (poll, names) in [(poll, 0..3), (other, 3..5), (poll, 5..7)] {
        let kept = make(port, poll, &tokens(names), ENOUGH).await.unwrap();
        assert_eq!(kept, Made::Done);
    }
    let expected = [poll, poll, poll, other, other, poll, poll].map(Some);
    for (token, expected) in tokens(0..7).into_iter().zip(expected) {
        assert_eq!(port.poll_of(token).await.unwrap(), expected);
    }
    assert_eq!(port.poll_of(TokenHash::of("pv_x")).await.unwrap(), None);
    assert_eq!(port.count(poll).await.unwrap(), counts(5, 0));
    assert_eq!(port.count(other).await.unwrap(), counts(2, 0));
    assert_eq!(port.count(ports.poll_id()).await.unwrap(), counts(0, 0));
}

/// One too many leaves nothing; none can be kept for a poll that is not there.
pub async fn tokens_are_kept_all_or_none(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    let insert = async |names, most| make(port, poll, &tokens(names), most).await.unwrap();
    assert_eq!(insert(0..6, 5).await, Made::TooMany);
    assert_eq!(port.count(poll).await.unwrap(), counts(0, 0));
    assert_eq!(insert(0..3, 5).await, Made::Done);
    assert_eq!(insert(3..6, 5).await, Made::TooMany);
    assert_eq!(port.poll_of(tokens([3])[0]).await.unwrap(), None);
    // Revoked ones were made too.
    port.revoke(poll, WhichTokens::All).await.unwrap();
    assert_eq!(insert(3..6, 5).await, Made::TooMany);
    assert_eq!(insert(3..5, 5).await, Made::Done);
    assert_eq!(port.count(poll).await.unwrap(), counts(5, 3));
    let nowhere = make(port, ports.poll_id(), &tokens([9]), ENOUGH).await;
    assert_eq!(nowhere.unwrap(), Made::Missing);
    assert_eq!(port.poll_of(tokens([9])[0]).await.unwrap(), None);
}

/// Each has room for itself alone.
pub async fn of_many_who_make_tokens_at_once_nobody_gets_over_the_bound(
    store: Arc<dyn Repository>,
) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    let sets: Vec<_> = (0..12).map(|n| tokens(n * 10..n * 10 + 10)).collect();
    let all = join_all(sets.iter().map(|set| make(port, poll, set, 50))).await;
    let done = |kept: &&Result<Made, _>| matches!(kept, Ok(Made::Done));
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(all.iter().filter(done).count(), 5);
    assert_eq!(port.count(poll).await.unwrap(), counts(50, 0));
    for (set, kept) in sets.iter().zip(&all) {
        for token in set {
            let expected = matches!(kept, Ok(Made::Done)).then_some(poll);
            assert_eq!(port.poll_of(*token).await.unwrap(), expected);
        }
    }
}

/// The others are as good as before.
pub async fn a_revoked_token_is_good_no_more(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    make(port, poll, &tokens(0..5), ENOUGH).await.unwrap();
    let which = tokens([1, 3]);
    let revoked = port.revoke(poll, WhichTokens::These(&which)).await.unwrap();
    assert_eq!(revoked, 2);
    for (n, token) in tokens(0..5).into_iter().enumerate() {
        let expected = (n % 2 == 0).then_some(poll);
        assert_eq!(port.poll_of(token).await.unwrap(), expected);
    }
    assert_eq!(port.count(poll).await.unwrap(), counts(5, 2));
}

/// However many are asked for at once.
pub async fn the_good_tokens_of_a_poll_are_told_from_the_others(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let (poll, other) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Draft).await,
    );
    make(port, poll, &tokens(0..2_000), ENOUGH).await.unwrap();
    make(port, other, &tokens([5_000]), ENOUGH).await.unwrap();
    let revoked = tokens((0..2_000).step_by(2));
    let which = WhichTokens::These(&revoked);
    port.revoke(poll, which).await.unwrap();
    let good = async |poll, names: Vec<u32>| {
        let mut good = port.good_for(poll, &tokens(names)).await.unwrap();
        good.sort_unstable_by_key(|token| *token.as_bytes());
        good
    };
    let sorted = |names: Vec<u32>| {
        let mut tokens = tokens(names);
        tokens.sort_unstable_by_key(|token| *token.as_bytes());
        tokens
    };
    // Some that nobody made, and one of another poll.
    let asked: Vec<u32> = (0..2_100).chain([5_000]).collect();
    let expected = sorted((1..2_000).step_by(2).collect());
    assert_eq!(good(poll, asked.clone()).await, expected);
    assert_eq!(good(other, asked.clone()).await, tokens([5_000]));
    assert_eq!(good(poll, Vec::new()).await, []);
    assert_eq!(good(ports.poll_id(), asked.clone()).await, []);
    port.revoke(poll, WhichTokens::All).await.unwrap();
    assert_eq!(good(poll, asked.clone()).await, []);
    make(port, poll, &tokens([2_050]), ENOUGH).await.unwrap();
    assert_eq!(good(poll, asked.clone()).await, tokens([2_050]));
    ports.store.polls().delete(poll, noon(0)).await.unwrap();
    assert_eq!(good(poll, asked).await, []);
}

/// Singly or all together, in whichever order.
pub async fn revoking_again_revokes_nothing(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    make(port, poll, &tokens(0..5), ENOUGH).await.unwrap();
    // Named twice, it is revoked once.
    let (some, all) = (tokens([1, 1]), tokens(0..5));
    let steps = [
        (WhichTokens::These(&some), 1, 1),
        (WhichTokens::These(&some), 0, 1),
        (WhichTokens::All, 4, 5),
        (WhichTokens::All, 0, 5),
        (WhichTokens::These(&all), 0, 5),
    ];
    for (which, expected, revoked) in steps {
        let now = port.revoke(poll, which).await.unwrap();
        assert_eq!(now, expected, "{which:?}");
        assert_eq!(port.count(poll).await.unwrap(), counts(5, revoked));
    }
}

/// Whatever nobody made, and the tokens of other polls.
pub async fn what_is_no_token_of_the_poll_is_passed_over(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let (poll, other) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    );
    make(port, poll, &tokens([0]), ENOUGH).await.unwrap();
    make(port, other, &tokens([1]), ENOUGH).await.unwrap();
    let which = tokens([1, 2, 0]);
    let revoke = async |poll: PollId| port.revoke(poll, WhichTokens::These(&which)).await;
    assert_eq!(revoke(poll).await.unwrap(), 1);
    assert_eq!(port.poll_of(which[0]).await.unwrap(), Some(other));
    assert_eq!(revoke(ports.poll_id()).await.unwrap(), 0);
    let nowhere = port.revoke(ports.poll_id(), WhichTokens::All).await;
    assert_eq!(nowhere.unwrap(), 0);
}

/// As a manager does whose list of tokens got into the wrong hands.
pub async fn revoking_all_leaves_what_is_made_later(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let (poll, other) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    );
    assert_eq!(port.revoke(poll, WhichTokens::All).await.unwrap(), 0);
    make(port, other, &tokens([100]), ENOUGH).await.unwrap();
    for round in 0..3 {
        let (first, second) = (round * 10, round * 10 + 5);
        for from in [first, second] {
            let set = tokens(from..from + 5);
            make(port, poll, &set, ENOUGH).await.unwrap();
        }
        let singly = tokens([first]);
        let revoked = port.revoke(poll, WhichTokens::These(&singly)).await;
        assert_eq!(revoked.unwrap(), 1);
        assert_eq!(port.revoke(poll, WhichTokens::All).await.unwrap(), 9);
        for token in tokens(0..first + 10) {
            assert_eq!(port.poll_of(token).await.unwrap(), None);
        }
    }
    make(port, poll, &tokens([30]), ENOUGH).await.unwrap();
    assert_eq!(port.poll_of(tokens([30])[0]).await.unwrap(), Some(poll));
    assert_eq!(port.count(poll).await.unwrap(), counts(31, 30));
    assert_eq!(port.poll_of(tokens([100])[0]).await.unwrap(), Some(other));
}

/// In whichever order they name them.
pub async fn of_many_who_revoke_a_token_at_once_one_counts_it(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    let all = tokens(0..200);
    make(port, poll, &all, ENOUGH).await.unwrap();
    let orders: Vec<Vec<TokenHash>> = (0..8)
        .map(|n| {
            let mut order = all.clone();
            order.rotate_left(n * 25);
            if n % 2 == 0 {
                order.reverse();
            }
            order
        })
        .collect();
    let orders = orders.iter().map(|order| WhichTokens::These(order));
    let revoked = join_all(orders.map(|which| port.revoke(poll, which))).await;
    let revoked: u64 = revoked.into_iter().map(Result::unwrap).sum();
    assert_eq!(revoked, 200);
    assert_eq!(port.count(poll).await.unwrap(), counts(200, 200));
}

/// At once, and before anything is purged.
pub async fn the_tokens_of_a_deleted_poll_are_gone(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    let token = tokens([0]);
    make(port, poll, &token, ENOUGH).await.unwrap();
    ports.store.polls().delete(poll, noon(0)).await.unwrap();
    assert_eq!(port.poll_of(token[0]).await.unwrap(), None);
    assert_eq!(port.count(poll).await.unwrap(), counts(0, 0));
    for which in [WhichTokens::These(&token), WhichTokens::All] {
        assert_eq!(port.revoke(poll, which).await.unwrap(), 0);
    }
    let late = make(port, poll, &tokens([1]), ENOUGH).await;
    assert_eq!(late.unwrap(), Made::Missing);
}

/// With its ballots, options and counters; a hash that is free again can be kept again.
pub async fn purging_a_poll_takes_its_tokens_in_bounded_steps(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let (poll, stays) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    );
    ports.cast(&ports.ballot(poll, 1, &[0])).await;
    make(port, poll, &tokens(0..50), ENOUGH).await.unwrap();
    make(port, stays, &tokens(50..60), ENOUGH).await.unwrap();
    ports.store.polls().delete(poll, noon(0)).await.unwrap();
    let mut steps = 1;
    while ports.store.polls().purge(10).await.unwrap() {
        steps += 1;
        assert!(steps < 100, "purging does not come to an end");
    }
    assert!(steps >= 5, "50 tokens went in {steps} steps of 10 rows");
    assert_eq!(port.count(stays).await.unwrap(), counts(10, 0));
    let again = make(port, stays, &tokens(0..50), ENOUGH).await;
    assert_eq!(again.unwrap(), Made::Done);
}

/// As many as one request may ask for, in a few seconds, and revoked in less.
pub async fn a_hundred_thousand_tokens_are_kept_at_once(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let Some(port) = ports.store.vote_tokens() else {
        return;
    };
    let poll = ports.kept(Status::Open).await;
    let many = tokens(0..100_000);
    let at_once = async {
        let kept = make(port, poll, &many, ENOUGH).await.unwrap();
        assert_eq!(kept, Made::Done);
        assert_eq!(port.count(poll).await.unwrap(), counts(100_000, 0));
        for token in [many[0], many[99_999]] {
            assert_eq!(port.poll_of(token).await.unwrap(), Some(poll));
        }
        let some = WhichTokens::These(&many[..10_000]);
        assert_eq!(port.revoke(poll, some).await.unwrap(), 10_000);
        assert_eq!(port.revoke(poll, WhichTokens::All).await.unwrap(), 90_000);
    };
    let in_time = tokio::time::timeout(LONG, at_once).await;
    assert!(in_time.is_ok(), "not in {LONG:?}");
}
