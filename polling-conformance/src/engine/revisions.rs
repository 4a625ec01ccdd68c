//! Exactly which steps add one revision.

use std::sync::Arc;

use polling_core::polls::{PollPatch, ShowResults, Status};
use polling_core::{Actor, Clock, Repository};

use super::lab::{Lab, ballot, refused, tea};

fn edit(set: impl FnOnce(&mut PollPatch)) -> PollPatch {
    let mut patch = PollPatch::default();
    set(&mut patch);
    patch
}

/// Publish, open, each batch, change, withdrawal, visibility, end, closing, close; and nothing else.
pub async fn exactly_these_steps_add_a_revision(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let (polls, system) = (lab.engine.polls(), &Actor::System);
    let later = |seconds| {
        let at = lab
            .clock
            .now()
            .after(std::time::Duration::from_secs(seconds));
        Some(Some(at))
    };
    let poll = lab.create(tea().allow_change()).await.id;
    let at = async |revision: u64, what: &str| {
        assert_eq!(lab.proven(poll).await.revision, revision, "after {what}");
    };
    at(0, "creation").await;
    let opens = later(10);
    polls
        .edit(system, poll, edit(|p| p.opens_at = opens))
        .await
        .unwrap();
    polls
        .edit(system, poll, edit(|p| p.question = Some("?".into())))
        .await
        .unwrap();
    at(0, "edits of a draft that no viewer can tell").await;
    polls.publish(system, poll).await.unwrap();
    polls.publish(system, poll).await.unwrap();
    at(1, "publication").await;
    refused(lab.vote(poll, "early", &[0]).await);
    at(1, "a refused ballot").await;
    lab.advance(10);
    lab.reached(poll, Status::Open).await;
    at(2, "opening").await;
    lab.vote(poll, "ada", &[0]).await.unwrap();
    at(3, "a ballot").await;
    lab.vote(poll, "ada", &[0]).await.unwrap();
    refused(lab.vote(poll, "ada", &[1]).await);
    refused(lab.vote(poll, "bob", &[8]).await);
    at(3, "a retry and refused ballots").await;
    lab.change(ballot(poll, "ada", &[1])).await.unwrap();
    at(4, "a change").await;
    lab.change(ballot(poll, "ada", &[1])).await.unwrap();
    at(4, "the same change").await;
    lab.withdraw(poll, "ada").await.unwrap();
    refused(lab.withdraw(poll, "ada").await);
    at(5, "a withdrawal").await;
    lab.change(ballot(poll, "ada", &[1])).await.unwrap();
    at(6, "a vote by change").await;
    let describe = edit(|p| p.description = Some(Some("Hot".into())));
    polls.edit(system, poll, describe).await.unwrap();
    polls
        .edit(system, poll, edit(|p| p.listed = Some(true)))
        .await
        .unwrap();
    at(6, "edits that no viewer can tell").await;
    let show = |show| edit(|p| p.show_results = Some(show));
    polls
        .edit(system, poll, show(ShowResults::AfterVote))
        .await
        .unwrap();
    polls
        .edit(system, poll, show(ShowResults::AfterVote))
        .await
        .unwrap();
    at(7, "a change of visibility").await;
    let ends = later(10);
    let end = edit(|p| (p.closes_at, p.show_results) = (ends, Some(ShowResults::Always)));
    polls.edit(system, poll, end).await.unwrap();
    at(8, "a change of end and visibility").await;
    lab.advance(10);
    lab.reached(poll, Status::Closing).await;
    at(9, "the end").await;
    lab.advance(1);
    lab.reached(poll, Status::Closed).await;
    polls.close(system, poll).await.unwrap();
    at(10, "the close").await;
    lab.vote(poll, "ada", &[1]).await.unwrap();
    refused(lab.vote(poll, "bob", &[1]).await);
    at(10, "ballots of a closed poll").await;
    let deleted = lab
        .store
        .polls()
        .delete(poll, lab.clock.now())
        .await
        .unwrap();
    assert_eq!(deleted, Some(11));
}

/// By hand there is no closing in between.
pub async fn a_close_by_hand_is_one_revision(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    for status in [Status::Scheduled, Status::Open, Status::Closing] {
        let poll = lab.in_status(status, tea()).await.id;
        let before = lab.proven(poll).await.revision;
        lab.engine
            .polls()
            .close(&Actor::System, poll)
            .await
            .unwrap();
        let after = lab.proven(poll).await;
        assert_eq!((after.revision, after.is_final), (before + 1, true));
    }
}
