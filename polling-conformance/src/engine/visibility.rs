//! Who sees results, and when.

use std::sync::Arc;

use polling_core::polls::{PollPatch, ShowResults, Status, Voters};
use polling_core::{Actor, Ballot, Code, PollId, Repository, UserId, Voter};

use super::lab::{ANYONE, Lab, ballot, hidden, refused, results, tea, votes};
use crate::faulty::FaultyStore;

use ShowResults::{AfterClose, AfterVote, Always, Managers};

/// The whole table, for reading a poll and for reading its results.
pub async fn results_are_seen_exactly_when_the_poll_says_so(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    for status in [
        Status::Scheduled,
        Status::Open,
        Status::Closing,
        Status::Closed,
    ] {
        for show in [Always, AfterVote, AfterClose, Managers] {
            let poll = lab.open_with(show).await;
            if status >= Status::Open {
                lab.vote(poll, "ada", &[0]).await.unwrap();
            }
            let poll = lab.brought_to(poll, status, show).await;
            let closed = status == Status::Closed;
            for (voter, voted) in [
                (None, false),
                (Some("ada"), status != Status::Scheduled),
                (Some("bob"), false),
            ] {
                let sees = match show {
                    Always => true,
                    AfterVote => voted || closed,
                    AfterClose => closed,
                    Managers => false,
                };
                let voter = voter.map(Voter::anyone);
                let read = lab
                    .engine
                    .results()
                    .read(&ANYONE, poll, voter.clone())
                    .await;
                let case = format!("{show:?} of a {status:?} poll to {voter:?}");
                match read {
                    Ok(_) => assert!(sees, "{case}"),
                    Err(error) => {
                        assert_eq!((error.code(), sees), (Code::ResultsHidden, false), "{case}");
                    }
                }
                let view = lab.engine.polls().read(&ANYONE, poll, voter).await.unwrap();
                assert_eq!(view.results.is_some(), sees, "{case}");
            }
            let managers = lab.engine.results().read(&Actor::System, poll, None).await;
            assert_eq!(managers.unwrap().results().status, status);
        }
    }
}

impl Lab {
    async fn open_with(&self, show: ShowResults) -> PollId {
        let new = tea().published().show_results(show).allow_change();
        self.create(new).await.id
    }

    /// An open poll with this visibility, or another one like it where no step leads there.
    async fn brought_to(&self, poll: PollId, status: Status, show: ShowResults) -> PollId {
        match status {
            Status::Scheduled => {
                let new = tea().show_results(show);
                self.in_status(Status::Scheduled, new).await.id
            }
            Status::Closing => {
                let now = polling_core::Clock::now(&self.clock);
                let mut patch = PollPatch::default();
                patch.closes_at = Some(Some(now.after(std::time::Duration::from_secs(5))));
                self.engine
                    .polls()
                    .edit(&Actor::System, poll, patch)
                    .await
                    .unwrap();
                self.advance(5);
                self.reached(poll, Status::Closing).await;
                poll
            }
            Status::Closed => {
                self.engine
                    .polls()
                    .close(&Actor::System, poll)
                    .await
                    .unwrap();
                poll
            }
            Status::Draft | Status::Open => poll,
        }
    }

    async fn show(&self, poll: PollId, show: ShowResults) {
        let mut patch = PollPatch::default();
        patch.show_results = Some(show);
        self.engine
            .polls()
            .edit(&Actor::System, poll, patch)
            .await
            .unwrap();
    }
}

/// Nobody looks with the eyes of somebody whom they cannot be.
pub async fn nobody_looks_with_other_peoples_eyes(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let (ada, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
    let new = tea().published().show_results(AfterVote);
    let vouched = lab.create(new.clone().voters(Voters::Vouched)).await.id;
    let registered = lab.create(new.voters(Voters::Registered)).await.id;
    let read =
        async |actor: &Actor, poll, voter| lab.engine.results().read(actor, poll, voter).await;
    let vote = Ballot::of(registered, Voter::Caller, [0]);
    lab.engine
        .votes()
        .cast(&Actor::user(ada), vote)
        .await
        .unwrap();
    let named = |text: &str| Some(Voter::named(Some(text.into())));
    assert_eq!(
        refused(read(&ANYONE, vouched, named("ada")).await),
        Code::Forbidden
    );
    assert_eq!(
        refused(read(&ANYONE, vouched, None).await),
        Code::ResultsHidden
    );
    assert_eq!(
        refused(read(&ANYONE, registered, named("ada")).await),
        Code::Forbidden
    );
    let other = Some(Voter::user(ada));
    assert_eq!(
        refused(read(&Actor::user(bob), registered, other).await),
        Code::Forbidden
    );
    assert_eq!(
        refused(read(&Actor::user(bob), registered, None).await),
        Code::ResultsHidden
    );
    assert_eq!(
        refused(read(&ANYONE, registered, None).await),
        Code::ResultsHidden
    );
    read(&Actor::user(ada), registered, None).await.unwrap();
}

/// Hidden, then there with the own vote, hidden again with the withdrawal, and there at the end.
pub async fn a_viewer_sees_results_from_the_own_vote_on(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open_with(AfterVote).await;
    lab.vote(poll, "bob", &[1]).await.unwrap();
    let mut ada = lab.subscribe(&ANYONE, poll, Some("ada")).await;
    let mut bob = lab.subscribe(&ANYONE, poll, Some("bob")).await;
    let mut nobody = lab.subscribe(&ANYONE, poll, None).await;
    hidden(ada.update().await);
    assert_eq!(votes(&results(bob.update().await)), [0, 1, 0]);
    hidden(nobody.update().await);
    let receipt = lab.vote(poll, "ada", &[0]).await.unwrap();
    let first = results(ada.update().await);
    assert!(first.revision >= receipt.revision, "without the own vote");
    assert_eq!(votes(&first), [1, 1, 0]);
    lab.withdraw(poll, "ada").await.unwrap();
    hidden(ada.update().await);
    lab.change(ballot(poll, "ada", &[2])).await.unwrap();
    assert_eq!(votes(&results(ada.update().await)), [0, 1, 1]);
    lab.engine
        .polls()
        .close(&Actor::System, poll)
        .await
        .unwrap();
    for viewer in [&mut ada, &mut nobody] {
        let last = results(viewer.update().await);
        assert_eq!((votes(&last), last.is_final), (vec![0, 1, 1], true));
    }
}

/// The first results after they were hidden are never older than what this server has acknowledged: though viewers are
/// told of changes only now and then.
pub async fn the_first_results_to_be_seen_contain_the_own_vote(store: Arc<dyn Repository>) {
    let lab = Lab::with(store, |settings| {
        settings.push_interval = std::time::Duration::from_secs(3_600);
    });
    let lab = lab.await;
    let poll = lab.open_with(AfterVote).await;
    let mut ada = lab.subscribe(&ANYONE, poll, Some("ada")).await;
    hidden(ada.update().await);
    // Takes the one push of the hour, so that the next ones wait.
    let mut manager = lab.subscribe(&Actor::System, poll, None).await;
    assert_eq!(results(manager.update().await).ballots, 0);
    lab.vote(poll, "bob", &[1]).await.unwrap();
    assert_eq!(results(manager.update().await).ballots, 1);
    let receipt = lab.vote(poll, "ada", &[0]).await.unwrap();
    let first = results(ada.update().await);
    assert!(first.revision >= receipt.revision, "without the own vote");
    assert_eq!(votes(&first), [1, 1, 0]);
}

/// A vote that is recorded while somebody subscribes is not overlooked.
pub async fn a_vote_during_the_subscription_is_not_overlooked(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(store);
    let lab = Arc::new(Lab::on(held.clone()).await);
    let poll = lab.open_with(AfterVote).await;
    held.found.shut();
    let subscription = tokio::spawn({
        let lab = Arc::clone(&lab);
        async move { lab.subscribe(&ANYONE, poll, Some("ada")).await }
    });
    // The store was asked, and had no vote.
    held.found.somebody_waits().await;
    lab.vote(poll, "ada", &[0]).await.unwrap();
    held.found.open();
    let mut ada = subscription.await.unwrap();
    assert_eq!(votes(&results(ada.update().await)), [1, 0, 0]);
}

/// Who has voted sees results, also where nobody waited for the answer to the vote.
pub async fn a_viewer_is_told_though_the_voter_did_not_wait(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(store);
    let lab = Lab::on(held.clone()).await;
    let poll = lab.open_with(AfterVote).await;
    lab.vote(poll, "bob", &[1]).await.unwrap();
    let mut ada = lab.subscribe(&ANYONE, poll, Some("ada")).await;
    hidden(ada.update().await);
    held.record.shut();
    {
        let mut leaving = std::pin::pin!(lab.vote(poll, "ada", &[0]));
        tokio::select! {
            biased;
            _ = &mut leaving => panic!("nobody is answered while the store is held"),
            () = held.record.somebody_waits() => {}
        }
    }
    held.record.open();
    assert_eq!(votes(&results(ada.update().await)), [1, 1, 0]);
}

/// Shown, hidden and shown again, as the managers like it; managers see them all the time.
pub async fn a_change_of_visibility_reaches_the_viewers(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open_with(Managers).await;
    let mut visitor = lab.subscribe(&ANYONE, poll, None).await;
    let mut manager = lab.subscribe(&Actor::System, poll, None).await;
    hidden(visitor.update().await);
    assert_eq!(results(manager.update().await).revision, 1);
    for revision in [2, 4] {
        lab.show(poll, Always).await;
        assert_eq!(results(visitor.update().await).revision, revision);
        assert_eq!(results(manager.update().await).revision, revision);
        lab.show(poll, AfterClose).await;
        hidden(visitor.update().await);
        assert_eq!(results(manager.update().await).revision, revision + 1);
    }
    lab.engine
        .polls()
        .close(&Actor::System, poll)
        .await
        .unwrap();
    assert!(results(visitor.update().await).is_final);
}

/// A stream waits in silence while the results are hidden.
pub async fn a_stream_begins_when_the_results_may_be_seen(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open_with(AfterClose).await;
    let mut live = lab.engine.results().watch(&ANYONE, poll).await.unwrap();
    lab.vote(poll, "ada", &[0]).await.unwrap();
    assert!(futures_util::poll!(Box::pin(live.next())).is_pending());
    lab.engine
        .polls()
        .close(&Actor::System, poll)
        .await
        .unwrap();
    let first = live.next().await.unwrap();
    assert_eq!((first.is_final, votes(&first)), (true, vec![1, 0, 0]));
}
