//! Closing a poll decides every race: who was answered is in the final result.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use polling_core::polls::Status;
use polling_core::{Actor, Clock, Code, PollId, Repository};

use super::lab::{Lab, refused, tea, votes};

/// Voters who vote as fast as they can, until they are told that the poll is over.
struct Storm {
    answered: Arc<AtomicU64>,
    voters: Vec<tokio::task::JoinHandle<()>>,
}

impl Storm {
    fn begin(labs: &[Arc<Lab>], poll: PollId) -> Self {
        let answered = Arc::new(AtomicU64::new(0));
        let voters = (0..24_usize).map(|crowd| {
            let lab = Arc::clone(&labs[crowd % labs.len()]);
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                for n in 0.. {
                    match lab.vote(poll, &format!("{crowd}-{n}"), &[0]).await {
                        Ok(receipt) => {
                            assert!(receipt.created);
                            answered.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(error) => {
                            assert_eq!(error.code(), Code::PollClosed);
                            return;
                        }
                    }
                }
            })
        });
        Self {
            voters: voters.collect(),
            answered,
        }
    }

    /// Waits until so many were answered: the storm is at its height.
    async fn rages(&self, votes: u64) {
        while self.answered.load(Ordering::SeqCst) < votes {
            tokio::task::yield_now().await;
        }
    }

    /// Waits for its end, and returns how many were answered.
    async fn ends(self) -> u64 {
        for voter in self.voters {
            voter.await.unwrap();
        }
        self.answered.load(Ordering::SeqCst)
    }
}

/// Every vote that was answered before or after is in the result that the close returned, and no other is.
pub async fn a_close_in_a_storm_of_votes_returns_the_final_result(store: Arc<dyn Repository>) {
    let lab = Arc::new(Lab::on(store).await);
    let labs = [Arc::clone(&lab), Arc::new(lab.another().await)];
    for _ in 0..3 {
        let poll = lab.open().await.id;
        let storm = Storm::begin(&labs, poll);
        storm.rages(50).await;
        let closed = lab
            .engine
            .polls()
            .close(&Actor::System, poll)
            .await
            .unwrap();
        let result = closed.results.unwrap();
        assert!(result.is_final);
        let answered = storm.ends().await;
        assert_eq!(
            result.ballots, answered,
            "answered, and in the final result"
        );
        assert_eq!(lab.proven(poll).await, result);
    }
}

/// Who is answered after a close has returned is told that the poll is closed.
pub async fn nobody_is_recorded_after_the_close_was_answered(store: Arc<dyn Repository>) {
    let lab = Arc::new(Lab::on(store).await);
    let poll = lab.open().await.id;
    let storm = Storm::begin(&[Arc::clone(&lab)], poll);
    storm.rages(20).await;
    lab.engine
        .polls()
        .close(&Actor::System, poll)
        .await
        .unwrap();
    let late = lab.vote(poll, "late", &[1]).await;
    assert_eq!(refused(late), Code::PollClosed);
    storm.ends().await;
    assert_eq!(votes(&lab.proven(poll).await)[1], 0);
}

/// At its end by the clock, too: who was received in time, and answered, is in the final result.
pub async fn an_end_by_the_clock_in_a_storm_of_votes_loses_none(store: Arc<dyn Repository>) {
    let lab = Arc::new(Lab::on(store).await);
    let closes_at = lab.clock.now().after(Duration::from_secs(10));
    let poll = lab.create(tea().published().closes_at(closes_at)).await.id;
    let storm = Storm::begin(&[Arc::clone(&lab)], poll);
    storm.rages(50).await;
    lab.advance(10);
    let answered = storm.ends().await;
    lab.advance(1);
    let result = lab.reached(poll, Status::Closed).await;
    assert_eq!(result.ballots, answered);
    assert_eq!(lab.proven(poll).await, result);
}

/// The same final state, also for the second who asks, also when both ask at once.
pub async fn closing_again_answers_the_same_state(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    lab.vote(poll, "ada", &[0]).await.unwrap();
    let polls = lab.engine.polls();
    let close = || polls.close(&Actor::System, poll);
    let (first, second) = tokio::join!(close(), close());
    let first = first.unwrap();
    assert_eq!(first, second.unwrap());
    lab.advance(5);
    assert_eq!(first, close().await.unwrap());
    assert_eq!(
        (first.status, first.results.unwrap().revision),
        (Status::Closed, 3)
    );
}

/// No step leads back.
pub async fn a_closed_poll_never_opens_again(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.in_status(Status::Scheduled, tea()).await.id;
    let closed = lab
        .engine
        .polls()
        .close(&Actor::System, poll)
        .await
        .unwrap();
    assert_eq!(closed.status, Status::Closed);
    // Past its opening time, and past its end.
    for _ in 0..3 {
        lab.advance(60);
        let published = lab
            .engine
            .polls()
            .publish(&Actor::System, poll)
            .await
            .unwrap();
        assert_eq!(published, closed);
        assert_eq!(refused(lab.vote(poll, "ada", &[0]).await), Code::PollClosed);
    }
    assert_eq!(lab.proven(poll).await.ballots, 0);
}
