//! Deleting a poll: at once, for everybody.

use std::sync::Arc;

use polling_core::polls::{PageRequest, PollPatch, ShowResults};
use polling_core::results::WatchEnd;
use polling_core::{Actor, Code, Repository, Voter};

use super::lab::{ANYONE, Lab, ballot, end, hidden, refused, results, tea};

/// For its managers as for its voters, here and on other servers.
pub async fn a_deleted_poll_is_gone_everywhere_at_once(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let poll = lab
        .create(tea().listed().allow_change().published())
        .await
        .id;
    for lab in [&lab, &other] {
        lab.vote(poll, "ada", &[0]).await.unwrap();
    }
    lab.engine
        .polls()
        .delete(&Actor::System, poll)
        .await
        .unwrap();
    for lab in [&lab, &other] {
        let (polls, votes) = (lab.engine.polls(), lab.engine.votes());
        let system = &Actor::System;
        let gone = Code::PollNotFound;
        assert_eq!(refused(lab.vote(poll, "ada", &[0]).await), gone);
        assert_eq!(refused(lab.vote(poll, "bob", &[0]).await), gone);
        assert_eq!(refused(lab.change(ballot(poll, "ada", &[1])).await), gone);
        assert_eq!(refused(lab.withdraw(poll, "ada").await), gone);
        let voter = Voter::anyone("ada");
        assert_eq!(refused(votes.read(&ANYONE, poll, &voter).await), gone);
        assert_eq!(refused(polls.read(system, poll, None).await), gone);
        let patch = PollPatch::default();
        assert_eq!(refused(polls.edit(system, poll, patch).await), gone);
        assert_eq!(refused(polls.publish(system, poll).await), gone);
        assert_eq!(refused(polls.close(system, poll).await), gone);
        assert_eq!(refused(polls.delete(system, poll).await), gone);
        let service = lab.engine.results();
        assert_eq!(refused(service.read(system, poll, None).await), gone);
        assert_eq!(refused(service.watch(system, poll).await), gone);
        assert_eq!(refused(service.recount(system, poll).await), gone);
        let page = polls.list(system, PageRequest::default()).await.unwrap();
        assert!(page.items.is_empty());
    }
}

/// A server that remembers the poll as closed does not go on to say so.
pub async fn a_closed_poll_that_another_server_deletes_is_gone(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let system = &Actor::System;
    for ask in 0..4 {
        let poll = lab.open().await.id;
        lab.vote(poll, "ada", &[0]).await.unwrap();
        other.vote(poll, "bob", &[0]).await.unwrap();
        other.engine.polls().close(system, poll).await.unwrap();
        lab.engine.polls().delete(system, poll).await.unwrap();
        let voter = Voter::anyone("ada");
        let votes = other.engine.votes();
        let gone = match ask {
            0 => refused(other.vote(poll, "ada", &[0]).await),
            1 => refused(other.vote(poll, "eve", &[0]).await),
            2 => {
                let batch = votes.cast_all(&ANYONE, poll, vec![Ok(ballot(poll, "ada", &[0]))]);
                refused(batch.await.unwrap().remove(0))
            }
            _ => refused(votes.read(&ANYONE, poll, &voter).await),
        };
        assert_eq!(gone, Code::PollNotFound);
    }
}

/// Also those who may not see its results.
pub async fn the_viewers_of_a_deleted_poll_are_told(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let new = tea().published().show_results(ShowResults::Managers);
    let poll = lab.create(new).await.id;
    let mut manager = lab.subscribe(&Actor::System, poll, None).await;
    let mut visitor = lab.subscribe(&ANYONE, poll, None).await;
    let mut stream = lab
        .engine
        .results()
        .watch(&Actor::System, poll)
        .await
        .unwrap();
    results(manager.update().await);
    hidden(visitor.update().await);
    stream.next().await.unwrap();
    lab.engine
        .polls()
        .delete(&Actor::System, poll)
        .await
        .unwrap();
    for viewer in [&mut manager, &mut visitor] {
        assert_eq!(end(viewer.update().await), WatchEnd::PollDeleted);
        assert_eq!(end(viewer.update().await), WatchEnd::PollDeleted);
    }
    assert_eq!(stream.ended(), None);
    assert_eq!(stream.next().await, None);
    assert_eq!(stream.ended(), Some(WatchEnd::PollDeleted));
}

/// A repeated request to delete finds no poll, and not a bad token; also much later, on another server.
pub async fn the_manage_token_of_a_deleted_poll_stays_good(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.engine.polls().create(&ANYONE, tea()).await.unwrap();
    let token = poll.manage_token.unwrap();
    let owner = lab.engine.authenticate(&token).await.unwrap();
    lab.engine.polls().delete(&owner, poll.id).await.unwrap();
    while lab.store.polls().purge(100).await.unwrap() {}
    for lab in [&lab, &lab.another().await] {
        let owner = lab.engine.authenticate(&token).await.unwrap();
        let again = lab.engine.polls().delete(&owner, poll.id).await;
        assert_eq!(refused(again), Code::PollNotFound);
    }
}

/// Who votes meanwhile is either counted before, or finds no poll; and nothing of the poll is left behind.
pub async fn deleting_in_a_storm_of_votes_leaves_nothing_behind(store: Arc<dyn Repository>) {
    let lab = Arc::new(Lab::on(store).await);
    let poll = lab.open().await.id;
    let voters: Vec<_> = (0..16)
        .map(|crowd| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move {
                for n in 0.. {
                    if let Err(error) = lab.vote(poll, &format!("{crowd}-{n}"), &[0]).await {
                        assert_eq!(error.code(), Code::PollNotFound);
                        return n;
                    }
                }
                0
            })
        })
        .collect();
    lab.vote(poll, "ada", &[0]).await.unwrap();
    lab.engine
        .polls()
        .delete(&Actor::System, poll)
        .await
        .unwrap();
    for voter in voters {
        voter.await.unwrap();
    }
    while lab.store.polls().purge(10).await.unwrap() {}
    assert_eq!(lab.store.results().orphans().await.unwrap(), 0);
}
