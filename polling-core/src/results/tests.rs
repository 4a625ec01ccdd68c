//! The hub and its viewers, on a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::hub::Hub;
use super::judge::Asked;
use super::rights::Rights;
use super::watch::{Subscription, Update, WatchEnd};
use crate::polls::{NewPoll, PollRecord, ShowResults, Status, Voters};
use crate::votes::VoterKey;
use crate::workspaces::membership::Memberships;
use crate::{Actor, Clock, FakeClock, PollLimits, SeededIds, Tally, UserId};

const PUSH: Duration = Duration::from_millis(50);

struct Bed {
    hub: Arc<Hub>,
    clock: FakeClock,
    record: PollRecord,
}

fn bed(show_results: ShowResults) -> Bed {
    bed_for(Voters::Anyone, show_results)
}

fn bed_for(voters: Voters, show_results: ShowResults) -> Bed {
    let clock = FakeClock::default();
    let new = NewPoll::single("?", ["a", "b"])
        .voters(voters)
        .show_results(show_results)
        .published();
    let ids = SeededIds::new(1);
    let (poll, tally) = new
        .validate(
            &Actor::System,
            None,
            clock.now(),
            &ids,
            &PollLimits::default(),
        )
        .unwrap();
    let hub = Arc::new(Hub::default());
    tokio::spawn(Arc::clone(&hub).run(Arc::new(clock.clone()), PUSH));
    Bed {
        hub,
        clock,
        record: PollRecord {
            poll: Arc::new(poll),
            tally,
        },
    }
}

impl Bed {
    fn put(&self, tally: &Tally) {
        self.hub
            .put_batch(std::slice::from_ref(tally), std::iter::empty());
    }

    fn watch(&self, after: Option<u64>) -> Subscription {
        self.watch_as(None, after)
    }

    /// Watches as somebody who proved nothing, with the eyes of this voter.
    fn watch_as(&self, voter: Option<VoterKey>, after: Option<u64>) -> Subscription {
        self.watch_by(Rights::visitor(&self.record.poll, voter), after)
    }

    /// Watches with what this actor has proved.
    fn watch_with(&self, actor: &Actor) -> Subscription {
        let (poll, memberships) = (&self.record.poll, Memberships::none());
        let rights = Rights::of(actor, poll, memberships, Asked::default(), None);
        self.watch_by(rights, None)
    }

    fn watch_by(&self, rights: Rights, after: Option<u64>) -> Subscription {
        let clock = Arc::new(self.clock.clone());
        Subscription::new(self.hub.watch(&self.record), rights, after, clock)
    }

    fn tally(&self, revision: u64) -> Tally {
        Tally {
            revision,
            ballots: revision,
            ..self.record.tally.clone()
        }
    }
}

/// What the next update is: a revision, or what else.
async fn next(subscription: &mut Subscription) -> Result<u64, String> {
    let update = tokio::time::timeout(Duration::from_secs(10), subscription.update()).await;
    match update.expect("an update comes") {
        Update::Results(snapshot) => Ok(snapshot.results().revision),
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test]
async fn bug_13_an_older_count_that_arrives_last_is_not_shown() {
    let bed = bed(ShowResults::Always);
    let mut viewer = bed.watch(None);
    assert_eq!(next(&mut viewer).await, Ok(1));
    bed.put(&bed.tally(5));
    assert_eq!(next(&mut viewer).await, Ok(5));
    for old in [4, 5, 2] {
        bed.put(&bed.tally(old));
    }
    bed.clock.advance(PUSH);
    bed.put(&bed.tally(6));
    assert_eq!(next(&mut viewer).await, Ok(6));
}

#[tokio::test]
async fn viewers_are_told_at_most_once_in_an_interval_and_then_the_newest() {
    let bed = bed(ShowResults::Always);
    let mut viewer = bed.watch(None);
    assert_eq!(next(&mut viewer).await, Ok(1));
    bed.put(&bed.tally(2));
    assert_eq!(next(&mut viewer).await, Ok(2), "the first is told at once");
    for revision in 3..=100 {
        bed.put(&bed.tally(revision));
        tokio::task::yield_now().await;
        assert!(
            viewer.update().now_or_never().is_none(),
            "the clock stands still"
        );
    }
    bed.clock.advance(PUSH);
    assert_eq!(
        next(&mut viewer).await,
        Ok(100),
        "what came between is skipped"
    );
}

#[tokio::test]
async fn the_first_answer_is_never_older_than_what_was_committed_here() {
    let bed = bed(ShowResults::Always);
    let mut early = bed.watch(None);
    assert_eq!(next(&mut early).await, Ok(1));
    bed.put(&bed.tally(2));
    assert_eq!(next(&mut early).await, Ok(2));
    bed.put(&bed.tally(3));
    let mut late = bed.watch(None);
    assert_eq!(
        next(&mut late).await,
        Ok(3),
        "not pushed yet, and known all the same"
    );
    bed.clock.advance(PUSH);
    assert_eq!(next(&mut early).await, Ok(3));
    assert!(
        late.update().now_or_never().is_none(),
        "nothing is told twice"
    );
}

#[tokio::test]
async fn bug_12_a_viewer_that_was_away_misses_nothing_and_gets_nothing_twice() {
    let bed = bed(ShowResults::Always);
    let _keeps_the_cell = bed.watch(None);
    bed.put(&bed.tally(7));
    let mut holds_all = bed.watch(Some(7));
    assert!(matches!(holds_all.update().await, Update::Unchanged(7)));
    assert!(holds_all.update().now_or_never().is_none());
    let mut was_away = bed.watch(Some(4));
    assert_eq!(next(&mut was_away).await, Ok(7));
    let mut from_the_future = bed.watch(Some(1_000));
    assert_eq!(next(&mut from_the_future).await, Ok(7));
}

#[tokio::test]
async fn hidden_results_come_and_go_with_the_ballot_and_the_visibility() {
    let bed = bed(ShowResults::AfterVote);
    let ada = VoterKey::from_bytes([1; 16]);
    let mut viewer = bed.watch_as(Some(ada), None);
    assert!(matches!(viewer.update().await, Update::Hidden));
    bed.put(&bed.tally(2));
    bed.clock.advance(PUSH);
    tokio::task::yield_now().await;
    assert!(viewer.update().now_or_never().is_none(), "it is said once");
    bed.hub.put_changed_vote(&bed.tally(3), &ada, true);
    assert_eq!(
        next(&mut viewer).await,
        Ok(3),
        "the newest, whether it was pushed yet or not"
    );
    bed.hub.put_changed_vote(&bed.tally(4), &ada, false);
    assert!(matches!(viewer.update().await, Update::Hidden));
    bed.put(&Tally {
        show_results: ShowResults::Always,
        ..bed.tally(5)
    });
    bed.clock.advance(PUSH);
    assert_eq!(next(&mut viewer).await, Ok(5));
    bed.put(&Tally {
        show_results: ShowResults::AfterClose,
        ..bed.tally(6)
    });
    bed.clock.advance(PUSH);
    assert!(matches!(viewer.update().await, Update::Hidden));
    bed.put(&Tally {
        show_results: ShowResults::AfterClose,
        status: Status::Closed,
        ..bed.tally(7)
    });
    bed.clock.advance(PUSH);
    assert_eq!(
        next(&mut viewer).await,
        Ok(7),
        "final results are for everybody"
    );
}

#[tokio::test]
async fn a_subscription_that_continues_another_tells_only_what_is_new() {
    let bed = bed(ShowResults::AfterVote);
    let ada = VoterKey::from_bytes([1; 16]);
    let as_ada = || bed.watch_as(Some(ada), None);
    let mut viewer = bed.watch(None);
    assert!(matches!(viewer.update().await, Update::Hidden));
    let mut viewer = as_ada().continuing(&viewer);
    assert!(viewer.update().now_or_never().is_none(), "it was said");

    bed.hub.put_changed_vote(&bed.tally(2), &ada, true);
    let mut viewer = as_ada().continuing(&viewer);
    assert_eq!(next(&mut viewer).await, Ok(2));
    let mut viewer = as_ada().continuing(&viewer);
    assert!(viewer.update().now_or_never().is_none(), "it holds this");
    bed.put(&bed.tally(3));
    bed.clock.advance(PUSH);
    assert_eq!(next(&mut viewer).await, Ok(3));
    let mut nobody = bed.watch(None).continuing(&viewer);
    assert!(matches!(nobody.update().await, Update::Hidden));
}

#[tokio::test]
async fn the_vote_of_a_former_voter_opens_no_eyes_where_nobody_takes_over() {
    let bed = bed_for(Voters::Registered, ShowResults::AfterVote);
    let (ada, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
    // The key of a user is their id.
    let voter = VoterKey::from_bytes(*ada.as_bytes());
    let (ada, bob) = (Actor::user(ada), Actor::user(bob));
    let mut viewer = bed.watch_with(&ada);
    bed.hub.put_changed_vote(&bed.tally(2), &voter, true);
    assert_eq!(next(&mut viewer).await, Ok(2));
    // Another voter's subscription is to take over: nothing is hidden in between.
    viewer.set_actor(&bob);
    assert!(viewer.update().now_or_never().is_none());
    viewer.forget_voter();
    assert_eq!(next(&mut viewer).await, Err("Hidden".into()));
    // What was known of her when she left is not known now.
    viewer.set_actor(&ada);
    assert!(viewer.update().now_or_never().is_none());
    let mut viewer = bed.watch_with(&ada).continuing(&viewer);
    assert_eq!(next(&mut viewer).await, Ok(2), "it is her vote");
    viewer.set_actor(&ada);
    viewer.forget_voter();
    assert!(viewer.update().now_or_never().is_none(), "she is there");
    // Nobody has no vote that another subscription could find.
    viewer.set_actor(&Actor::anonymous());
    assert_eq!(next(&mut viewer).await, Err("Hidden".into()));
}

#[tokio::test]
async fn a_watch_says_why_it_ends_and_leaves_nothing_behind() {
    let bed = bed(ShowResults::Always);
    let mut viewer = bed.watch(None);
    assert_eq!(next(&mut viewer).await, Ok(1));
    bed.hub.delete_committed(bed.record.poll.id);
    for _ in 0..2 {
        assert!(matches!(
            viewer.update().await,
            Update::Ended(WatchEnd::PollDeleted)
        ));
    }
    drop(viewer);
    assert!(bed.hub.watched().is_empty());

    let mut viewer = bed.watch(None);
    assert_eq!(next(&mut viewer).await, Ok(1));
    bed.put(&bed.tally(2));
    bed.hub.end();
    assert_eq!(
        next(&mut viewer).await,
        Ok(2),
        "what was committed last is told before the end"
    );
    assert!(matches!(
        viewer.update().await,
        Update::Ended(WatchEnd::ShuttingDown)
    ));
    let mut late = bed.watch(None);
    assert_eq!(next(&mut late).await, Ok(2));
    assert!(matches!(
        late.update().await,
        Update::Ended(WatchEnd::ShuttingDown)
    ));
}

#[test]
fn a_message_is_the_results_with_a_type_before_them() {
    let clock = FakeClock::default();
    let new = NewPoll::single("?", ["a", "b"]).published();
    let (poll, tally) = new
        .validate(
            &Actor::System,
            None,
            clock.now(),
            &SeededIds::new(1),
            &PollLimits::default(),
        )
        .unwrap();
    let snapshot = super::Snapshot::new(PollRecord {
        poll: Arc::new(poll),
        tally,
    });
    let mut message: serde_json::Value = serde_json::from_slice(snapshot.message()).unwrap();
    assert_eq!(
        message.as_object_mut().unwrap().remove("type").unwrap(),
        "results"
    );
    assert_eq!(
        message,
        serde_json::from_slice::<serde_json::Value>(snapshot.json()).unwrap()
    );
    assert_eq!(message["final"], false);
    assert_eq!(message["options"][1]["position"], 1);
}
