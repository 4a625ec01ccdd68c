//! Watching results: the newest ones, in order, to the end.

use std::sync::Arc;
use std::time::Duration;

use polling_core::polls::ShowResults;
use polling_core::results::{Update, Viewer, WatchEnd};
use polling_core::{Actor, Repository};

use super::lab::{ANYONE, Lab, ballot, end, hidden, results, tea, votes};
use crate::faulty::FaultyStore;

/// The current results first, whatever the viewer had been told of.
pub async fn the_first_results_are_the_current_ones(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    for n in 1..=10_u64 {
        let receipt = lab.vote(poll, &n.to_string(), &[0]).await.unwrap();
        let mut live = lab.engine.results().watch(&ANYONE, poll).await.unwrap();
        let first = live.next().await.unwrap();
        assert!(first.revision >= receipt.revision);
        assert_eq!(first, lab.proven(poll).await);
    }
}

/// Also for a second viewer of the poll, whose first one has not been told yet.
pub async fn the_first_results_are_current_also_between_two_pushes(store: Arc<dyn Repository>) {
    let lab = Lab::with(store, |settings| {
        settings.push_interval = Duration::from_secs(3_600);
    });
    let lab = lab.await;
    let poll = lab.open().await.id;
    let mut early = lab.subscribe(&ANYONE, poll, None).await;
    assert_eq!(results(early.update().await).ballots, 0);
    lab.vote(poll, "ada", &[0]).await.unwrap();
    assert_eq!(results(early.update().await).ballots, 1);
    for n in 2..=5_u64 {
        lab.vote(poll, &n.to_string(), &[0]).await.unwrap();
        let mut late = lab.subscribe(&ANYONE, poll, None).await;
        assert_eq!(results(late.update().await).ballots, n);
    }
    lab.advance(3_600);
    assert_eq!(results(early.update().await).ballots, 5);
}

/// Never an older one, never the same twice, and the last one in the end.
pub async fn after_it_come_only_newer_ones(store: Arc<dyn Repository>) {
    let lab = Arc::new(Lab::on(store).await);
    let poll = lab.open().await.id;
    let viewers: Vec<_> = (0..6)
        .map(|_| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move {
                let mut live = lab.engine.results().watch(&ANYONE, poll).await.unwrap();
                let mut seen = live.next().await.unwrap();
                while !seen.is_final {
                    let next = live.next().await.unwrap();
                    assert!(
                        next.revision > seen.revision,
                        "an older one after a newer one"
                    );
                    assert!(next.ballots >= seen.ballots);
                    assert_eq!(votes(&next).iter().sum::<u64>(), next.ballots);
                    seen = next;
                }
                seen
            })
        })
        .collect();
    let voters: Vec<_> = (0..8_u8)
        .map(|crowd| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move {
                for n in 0..25 {
                    lab.vote(poll, &format!("{crowd}-{n}"), &[n % 3])
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for voter in voters {
        voter.await.unwrap();
    }
    lab.engine
        .polls()
        .close(&Actor::System, poll)
        .await
        .unwrap();
    let last = lab.proven(poll).await;
    assert_eq!((last.ballots, last.is_final), (200, true));
    for viewer in viewers {
        assert_eq!(viewer.await.unwrap(), last);
    }
}

/// Who comes back with what they hold is told whether it is still current.
pub async fn who_holds_the_current_results_is_told_so(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    lab.vote(poll, "ada", &[0]).await.unwrap();
    let resume = async |held: u64| {
        let viewer = Viewer::default().after(Some(held));
        let service = lab.engine.results();
        service.subscribe(&ANYONE, poll, viewer).await.unwrap()
    };
    let mut current = resume(2).await;
    assert!(matches!(current.update().await, Update::Unchanged(2)));
    // What is older is replaced; what nobody can hold is worth nothing.
    for held in [0, 1, 3, u64::MAX] {
        let mut viewer = resume(held).await;
        assert_eq!(results(viewer.update().await).revision, 2, "after {held}");
    }
    lab.vote(poll, "bob", &[0]).await.unwrap();
    assert_eq!(results(current.update().await).revision, 3);
}

/// A viewer that was away misses nothing that still counts, and gets nothing twice.
pub async fn who_was_away_gets_the_newest_and_nothing_twice(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    let mut slow = lab.subscribe(&ANYONE, poll, None).await;
    let held = results(slow.update().await).revision;
    for n in 0..30 {
        lab.vote(poll, &n.to_string(), &[0]).await.unwrap();
    }
    let newest = loop {
        let told = results(slow.update().await);
        if told.ballots == 30 {
            break told.revision;
        }
    };
    assert!(newest > held);
    assert!(futures_util::poll!(Box::pin(slow.update())).is_pending());
    drop(slow);
    let viewer = Viewer::default().after(Some(newest));
    let mut back = lab
        .engine
        .results()
        .subscribe(&ANYONE, poll, viewer)
        .await
        .unwrap();
    assert!(matches!(back.update().await, Update::Unchanged(revision) if revision == newest));
}

/// Two servers, one viewer each, and nothing between them but the store.
pub async fn viewers_of_two_servers_end_on_the_same_results(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let poll = lab.open().await.id;
    let mut here = lab.subscribe(&ANYONE, poll, None).await;
    let mut there = other.subscribe(&ANYONE, poll, None).await;
    for n in 0..10 {
        let lab = [&lab, &other][n % 2];
        lab.vote(poll, &n.to_string(), &[0]).await.unwrap();
    }
    lab.engine
        .polls()
        .close(&Actor::System, poll)
        .await
        .unwrap();
    let last = lab.proven(poll).await;
    for viewer in [&mut here, &mut there] {
        loop {
            let told = tokio::select! {
                biased;
                told = viewer.update() => results(told),
                // Every second each server reads the store again.
                () = tokio::task::yield_now() => {
                    lab.advance(1);
                    continue;
                }
            };
            if told.is_final {
                assert_eq!(told, last);
                break;
            }
        }
    }
}

/// A commit whose answer comes late, after that of a later one, takes nobody back.
pub async fn an_older_count_that_arrives_last_is_not_shown(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(store);
    let lab = Lab::with(held.clone(), |settings| {
        settings.push_interval = Duration::from_secs(3_600);
    });
    let lab = Arc::new(lab.await);
    let poll = lab.create(tea().allow_change().published()).await.id;
    let mut viewer = lab.subscribe(&ANYONE, poll, None).await;
    results(viewer.update().await);
    lab.vote(poll, "ada", &[0]).await.unwrap();
    assert_eq!(results(viewer.update().await).revision, 2);
    held.recorded.shut();
    let late = tokio::spawn({
        let lab = Arc::clone(&lab);
        async move { lab.vote(poll, "bob", &[0]).await }
    });
    held.recorded.somebody_waits().await;
    let newer = lab.change(ballot(poll, "eve", &[1])).await.unwrap();
    assert_eq!(newer.revision, 4);
    held.recorded.open();
    assert_eq!(late.await.unwrap().unwrap().revision, 3);
    lab.advance(3_600);
    let told = results(viewer.update().await);
    assert_eq!((told.revision, votes(&told)), (4, vec![2, 1, 0]));
}

/// What is committed between the look into the store and the first results is in these, or comes after them.
pub async fn a_vote_during_the_subscription_is_not_missed(store: Arc<dyn Repository>) {
    for others_watch in [false, true] {
        let held = FaultyStore::new(Arc::clone(&store));
        let lab = Arc::new(Lab::on(held.clone()).await);
        let poll = lab.open().await.id;
        lab.vote(poll, "ada", &[0]).await.unwrap();
        let mut other = None;
        if others_watch {
            other = Some(lab.subscribe(&ANYONE, poll, None).await);
        }
        let asked = held.polls_asked.asked();
        held.poll_found.shut();
        let subscription = tokio::spawn({
            let lab = Arc::clone(&lab);
            async move { lab.subscribe(&ANYONE, poll, None).await }
        });
        held.poll_found.somebody_waits().await;
        let receipt = lab.vote(poll, "bob", &[0]).await.unwrap();
        held.poll_found.open();
        let first = results(subscription.await.unwrap().update().await);
        assert!(
            first.revision >= receipt.revision,
            "older than what was acknowledged"
        );
        let reads = held.polls_asked.asked() - asked;
        // And one where the hint of the vote came round through the store's own notifier.
        let most = if others_watch { 1 } else { 2 } + 1;
        assert!(reads <= most, "{reads} reads");
        drop(other);
    }
}

/// Rights that go and come back, as tokens do on a long connection.
pub async fn who_gets_the_right_back_sees_the_results_again(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let new = tea().published().show_results(ShowResults::Managers);
    let poll = lab.create(new).await.id;
    let mut viewer = lab.subscribe(&Actor::System, poll, None).await;
    let first = results(viewer.update().await);
    for _ in 0..2 {
        viewer.set_actor(&ANYONE);
        hidden(viewer.update().await);
        viewer.set_actor(&Actor::System);
        assert_eq!(results(viewer.update().await), first);
    }
}

/// What was committed last is shown before the end.
pub async fn a_shutdown_ends_every_watch_after_the_last_results(store: Arc<dyn Repository>) {
    let lab = Lab::with(store, |settings| {
        settings.push_interval = Duration::from_secs(3_600);
    });
    let lab = lab.await;
    let poll = lab.open().await.id;
    let mut stream = lab.engine.results().watch(&ANYONE, poll).await.unwrap();
    let mut viewer = lab.subscribe(&ANYONE, poll, None).await;
    stream.next().await.unwrap();
    results(viewer.update().await);
    for n in 1..=3_u64 {
        lab.vote(poll, &n.to_string(), &[0]).await.unwrap();
        if n == 1 {
            // The one push of the hour.
            assert_eq!(results(viewer.update().await).ballots, 1);
        }
    }
    lab.engine.shutdown().await;
    assert_eq!(results(viewer.update().await).ballots, 3);
    assert_eq!(stream.next().await.unwrap().ballots, 3);
    assert_eq!(end(viewer.update().await), WatchEnd::ShuttingDown);
    assert_eq!(stream.next().await, None);
    assert_eq!(stream.ended(), Some(WatchEnd::ShuttingDown));
    let mut late = lab.engine.results().watch(&ANYONE, poll).await.unwrap();
    while late.next().await.is_some() {}
    assert_eq!(late.ended(), Some(WatchEnd::ShuttingDown));
}

/// Viewers come and go, and nobody's vote goes with them.
pub async fn a_viewer_who_leaves_takes_nothing_along(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    lab.vote(poll, "ada", &[0]).await.unwrap();
    for _ in 0..3 {
        let mut ada = lab.subscribe(&ANYONE, poll, Some("ada")).await;
        assert_eq!(results(ada.update().await).ballots, 1);
        // Dropped in the middle of waiting, and then for good.
        assert!(futures_util::poll!(Box::pin(ada.update())).is_pending());
    }
    assert_eq!(lab.proven(poll).await.ballots, 1);
}
