//! Large makings of vote tokens: in steps, between which votes are written, and all or none.

use std::sync::Arc;

use futures_util::future::join;
use futures_util::poll;
use polling_core::polls::Voters;
use polling_core::vote_tokens::{NewVoteTokens, VoteTokenCounts, VoteTokens};
use polling_core::{Actor, Code, PollId, Repository, Settings};

use super::lab::{Lab, refused, tea};
use crate::faulty::{Fault, FaultyStore};

/// A store that is watched, an engine on it whose steps are of two tokens, and a poll for tokens, which has no more than
/// twelve. `None` where the store keeps no tokens.
async fn small_steps(
    store: Arc<dyn Repository>,
    set: impl FnOnce(&mut Settings),
) -> Option<(Arc<FaultyStore>, Lab, PollId)> {
    let store = FaultyStore::new(store);
    let lab = Lab::with(store.clone(), |settings| {
        settings.bulk.step_rows = 2;
        settings.poll_tokens = 12;
        set(settings);
    });
    let lab = lab.await;
    lab.engine.vote_tokens()?;
    let poll = lab.create(tea().voters(Voters::Tokens).published()).await;
    Some((store, lab, poll.id))
}

fn tokens(lab: &Lab) -> &VoteTokens {
    lab.engine.vote_tokens().unwrap()
}

async fn counts(lab: &Lab, poll: PollId) -> VoteTokenCounts {
    tokens(lab).count(&Actor::System, poll).await.unwrap()
}

/// While a making goes on, nobody waits for its end.
pub async fn votes_are_written_between_the_steps_of_a_making(store: Arc<dyn Repository>) {
    let Some((held, lab, poll)) = small_steps(store, |_| ()).await else {
        return;
    };
    let other = lab.open().await.id;
    held.tokens_inserted.shut();
    let six = NewVoteTokens::count(6);
    let making = tokens(&lab).make(&Actor::System, poll, &six);
    let meanwhile = async {
        held.tokens_inserted.somebody_waits().await;
        // After the first step and before the second.
        assert!(lab.vote(other, "ada", &[0]).await.unwrap().created);
        assert_eq!(lab.proven(other).await.ballots, 1);
        held.tokens_inserted.open();
    };
    let (made, ()) = join(making, meanwhile).await;
    let made = made.unwrap().tokens;
    assert_eq!(made.len(), 6);
    assert_eq!(held.token_steps.asked(), 3);
    for token in &made {
        assert!(lab.engine.authenticate(token).await.is_ok());
    }
    assert_eq!(counts(&lab, poll).await.made, 6);
}

/// Whoever comes first is not served to the end first.
pub async fn makings_take_turns(store: Arc<dyn Repository>) {
    const STEPS: usize = 200;
    let many = |settings: &mut Settings| settings.poll_tokens = 2 * STEPS as u64;
    let Some((held, lab, poll)) = small_steps(store, many).await else {
        return;
    };
    let other = lab
        .create(tea().voters(Voters::Tokens).published())
        .await
        .id;
    held.tokens_inserted.shut();
    let (long, two) = (NewVoteTokens::count(2 * STEPS), NewVoteTokens::count(2));
    let long = tokens(&lab).make(&Actor::System, poll, &long);
    let short = async {
        held.tokens_inserted.somebody_waits().await;
        let mut short = Box::pin(tokens(&lab).make(&Actor::System, other, &two));
        // It is counted before it waits for its turn.
        while counts(&lab, other).await.made == 0 {
            assert!(poll!(&mut short).is_pending());
            tokio::task::yield_now().await;
        }
        held.tokens_inserted.open();
        short.await.unwrap();
        held.token_steps.asked()
    };
    let (long, steps) = join(long, short).await;
    assert_eq!(long.unwrap().tokens.len(), 2 * STEPS);
    assert_eq!(held.token_steps.asked(), STEPS + 1);
    assert!(
        steps <= STEPS,
        "the short one waited for the long one's end"
    );
    assert_eq!(held.token_steps.most(), 1, "steps at the same time");
}

/// Nobody ever saw them, and they take no room from the next ones.
pub async fn a_making_that_fails_leaves_nothing(store: Arc<dyn Repository>) {
    let faults = [Fault::LostBeforeCommit, Fault::LostAfterCommit];
    let Some((held, lab, poll)) = small_steps(store, |_| ()).await else {
        return;
    };
    let make = async |count| {
        let count = NewVoteTokens::count(count);
        tokens(&lab).make(&Actor::System, poll, &count).await
    };
    for (before, fault) in faults.into_iter().enumerate() {
        held.will_insert_tokens([None, None, Some(fault)]);
        assert_eq!(refused(make(10).await), Code::Unavailable);
        assert_eq!(counts(&lab, poll).await.made, 2 * before as u64);
        // What is made beside one that fails stays.
        assert_eq!(make(2).await.unwrap().tokens.len(), 2);
    }
    let rest = make(8).await.unwrap().tokens;
    assert_eq!(counts(&lab, poll).await.made, 12);
    assert!(lab.engine.authenticate(&rest[0]).await.is_ok());
    assert_eq!(refused(make(1).await), Code::Invalid);
}

/// Who asks for one more comes again.
pub async fn large_jobs_have_a_bound(store: Arc<dyn Repository>) {
    let Some((held, lab, poll)) = small_steps(store, |settings| settings.bulk.jobs = 1).await
    else {
        return;
    };
    held.tokens_inserted.shut();
    let two = NewVoteTokens::count(2);
    let first = tokens(&lab).make(&Actor::System, poll, &two);
    let second = async {
        held.tokens_inserted.somebody_waits().await;
        let second = tokens(&lab).make(&Actor::System, poll, &two).await;
        assert_eq!(refused(second), Code::Overloaded);
        held.tokens_inserted.open();
    };
    let (first, ()) = join(first, second).await;
    assert_eq!(first.unwrap().tokens.len(), 2);
    let third = tokens(&lab).make(&Actor::System, poll, &two).await;
    assert_eq!(third.unwrap().tokens.len(), 2);
}

/// The others hold nothing while they wait; small ones do not wait for them.
pub async fn of_large_makings_a_bounded_number_goes_on(store: Arc<dyn Repository>) {
    let set = |settings: &mut Settings| settings.bulk.large_at_once = 1;
    let Some((held, lab, poll)) = small_steps(store, set).await else {
        return;
    };
    held.tokens_inserted.shut();
    let (four, two) = (NewVoteTokens::count(4), NewVoteTokens::count(2));
    let first = tokens(&lab).make(&Actor::System, poll, &four);
    let others = async {
        held.tokens_inserted.somebody_waits().await;
        let mut second = Box::pin(tokens(&lab).make(&Actor::System, poll, &four));
        let mut small = Box::pin(tokens(&lab).make(&Actor::System, poll, &two));
        while counts(&lab, poll).await.made < 6 {
            assert!(poll!(&mut second).is_pending());
            assert!(poll!(&mut small).is_pending());
            tokio::task::yield_now().await;
        }
        assert_eq!(counts(&lab, poll).await.made, 6, "the second one has begun");
        held.tokens_inserted.open();
        join(second, small).await
    };
    let (first, (second, small)) = join(first, others).await;
    let made = [first, second, small].map(|made| made.unwrap().tokens.len());
    assert_eq!(made, [4, 4, 2]);
}
