//! Exactly which steps add one revision.

use std::sync::Arc;
use std::time::Duration;

use polling_core::polls::{PollPatch, ShowResults, Status};
use polling_core::{Actor, Clock, PollId, Repository, Timestamp};

use super::lab::{Lab, ballot, refused, tea};

/// One poll, and how its revision moves.
struct Counted {
    lab: Lab,
    poll: PollId,
}

impl Counted {
    /// The revision that the poll is to have now.
    async fn at(&self, revision: u64, what: &str) {
        let results = self.lab.proven(self.poll).await;
        assert_eq!(results.revision, revision, "after {what}");
    }

    async fn edit(&self, set: impl FnOnce(&mut PollPatch)) {
        let mut patch = PollPatch::default();
        set(&mut patch);
        let polls = self.lab.engine.polls();
        polls.edit(&Actor::System, self.poll, patch).await.unwrap();
    }

    fn in_seconds(&self, seconds: u64) -> Timestamp {
        self.lab.clock.now().after(Duration::from_secs(seconds))
    }
}

/// Publish, open, each batch, change, withdrawal, visibility, end, closing, close, delete; and nothing else.
pub async fn exactly_these_steps_add_a_revision(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.create(tea().allow_change()).await.id;
    let counted = Counted { lab, poll };
    beginning(&counted).await;
    ballots(&counted).await;
    edits(&counted).await;
    ending(&counted).await;
}

async fn beginning(counted: &Counted) {
    let Counted { lab, poll } = counted;
    counted.at(0, "creation").await;
    let opens_at = counted.in_seconds(10);
    counted.edit(|p| p.opens_at = Some(Some(opens_at))).await;
    counted.edit(|p| p.question = Some("?".into())).await;
    counted
        .at(0, "edits of a draft that no viewer can tell")
        .await;
    for _ in 0..2 {
        lab.engine
            .polls()
            .publish(&Actor::System, *poll)
            .await
            .unwrap();
    }
    counted.at(1, "publication").await;
    refused(lab.vote(*poll, "early", &[0]).await);
    counted.at(1, "a refused ballot").await;
    lab.advance(10);
    lab.reached(*poll, Status::Open).await;
    counted.at(2, "opening").await;
}

async fn ballots(counted: &Counted) {
    let Counted { lab, poll } = counted;
    lab.vote(*poll, "ada", &[0]).await.unwrap();
    counted.at(3, "a ballot").await;
    lab.vote(*poll, "ada", &[0]).await.unwrap();
    refused(lab.vote(*poll, "ada", &[1]).await);
    refused(lab.vote(*poll, "bob", &[8]).await);
    counted.at(3, "a retry and refused ballots").await;
    lab.change(ballot(*poll, "ada", &[1])).await.unwrap();
    counted.at(4, "a change").await;
    lab.change(ballot(*poll, "ada", &[1])).await.unwrap();
    counted.at(4, "the same change").await;
    lab.withdraw(*poll, "ada").await.unwrap();
    refused(lab.withdraw(*poll, "ada").await);
    counted.at(5, "a withdrawal").await;
    lab.change(ballot(*poll, "ada", &[1])).await.unwrap();
    counted.at(6, "a vote by change").await;
}

async fn edits(counted: &Counted) {
    counted
        .edit(|p| p.description = Some(Some("Hot".into())))
        .await;
    counted.edit(|p| p.listed = Some(true)).await;
    counted.at(6, "edits that no viewer can tell").await;
    for _ in 0..2 {
        counted
            .edit(|p| p.show_results = Some(ShowResults::AfterVote))
            .await;
    }
    counted.at(7, "a change of visibility").await;
    let closes_at = counted.in_seconds(10);
    let both = |p: &mut PollPatch| {
        p.closes_at = Some(Some(closes_at));
        p.show_results = Some(ShowResults::Always);
    };
    counted.edit(both).await;
    counted.at(8, "a change of end and visibility").await;
}

async fn ending(counted: &Counted) {
    let Counted { lab, poll } = counted;
    lab.advance(10);
    lab.reached(*poll, Status::Closing).await;
    counted.at(9, "the end").await;
    lab.advance(1);
    lab.reached(*poll, Status::Closed).await;
    lab.engine
        .polls()
        .close(&Actor::System, *poll)
        .await
        .unwrap();
    counted.at(10, "the close").await;
    lab.vote(*poll, "ada", &[1]).await.unwrap();
    refused(lab.vote(*poll, "bob", &[1]).await);
    counted.at(10, "ballots of a closed poll").await;
    let deleted = lab.store.polls().delete(*poll, lab.clock.now()).await;
    assert_eq!(deleted.unwrap(), Some(11));
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
