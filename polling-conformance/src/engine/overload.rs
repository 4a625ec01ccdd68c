//! More ballots than the store can take: whoever was let in has a bounded way to go. Counted in batches, not in time.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::{join, join_all};
use futures_util::poll;
use polling_core::votes::VoteError;
use polling_core::{Actor, Ballot, Code, PollId, Receipt, Repository};

use super::lab::{ANYONE, Lab, ballot, refused, results};
use crate::faulty::FaultyStore;

const QUEUE: usize = 16;
const BATCH: usize = 4;

type Vote<'a> = Pin<Box<dyn Future<Output = Result<Receipt, VoteError>> + 'a>>;

/// An engine with little room, whose one lane is held up with a ballot of the hot poll in its hands.
struct Flooded {
    lab: Lab,
    store: Arc<FaultyStore>,
    hot: PollId,
    /// Polls that share the hot one's part of the queue are rare, and of several one does not.
    others: [PollId; 3],
}

impl Flooded {
    async fn on(store: Arc<dyn Repository>) -> Self {
        let store = FaultyStore::new(store);
        let lab = Lab::with(store.clone(), |settings| {
            settings.lanes = Some(1);
            settings.batch_ballots = BATCH;
            (settings.queue_ballots, settings.request_ballots) = (QUEUE, QUEUE);
        });
        let lab = lab.await;
        let hot = lab.open().await.id;
        let others = [
            lab.open().await.id,
            lab.open().await.id,
            lab.open().await.id,
        ];
        // From the cache on, a vote is in its queue as soon as it is polled once.
        for poll in others.into_iter().chain([hot]) {
            lab.vote(poll, "first", &[0]).await.unwrap();
        }
        store.record.shut();
        Self {
            lab,
            store,
            hot,
            others,
        }
    }

    /// The vote of a voter that is in the queue; the refusal, where it is refused at once.
    async fn queued(&self, poll: PollId, voter: &str) -> Result<Vote<'_>, Code> {
        let mut vote: Vote<'_> = Box::pin(self.lab.cast(ballot(poll, voter, &[1])));
        match poll!(&mut vote) {
            std::task::Poll::Pending => Ok(vote),
            std::task::Poll::Ready(answer) => Err(refused(answer)),
        }
    }

    /// A vote in another poll than the hot one.
    async fn in_another(&self) -> (PollId, Vote<'_>) {
        for poll in self.others {
            if let Ok(vote) = self.queued(poll, "late").await {
                return (poll, vote);
            }
        }
        panic!("the flood keeps all others out");
    }

    /// As many votes in a poll as find room, and no more than `most`.
    async fn flood(&self, poll: PollId, most: usize) -> Vec<Vote<'_>> {
        let mut taken = Vec::new();
        for n in 0..most {
            match self.queued(poll, &format!("{poll} {n}")).await {
                Ok(vote) => taken.push(vote),
                Err(code) => {
                    assert_eq!(code, Code::Overloaded);
                    break;
                }
            }
        }
        taken
    }

    /// Lets the store go on, and returns how many batches were written before the first with a ballot of this poll.
    async fn batches_before(&self, poll: PollId, votes: Vec<Vote<'_>>) -> usize {
        let written = self.store.batches().len();
        self.store.record.open();
        for answer in join_all(votes).await {
            assert!(answer.unwrap().created, "what was taken is recorded");
        }
        let batches = self.store.batches();
        let mut new = batches[written..].iter();
        let before = new.position(|batch| batch.iter().any(|ballot| ballot.poll == poll));
        before.expect("a ballot of the poll was written")
    }
}

/// While the store does not move, no more is kept than the bound says; the rest is refused at once.
pub async fn no_more_waits_than_there_is_room_for(store: Arc<dyn Repository>) {
    let flooded = Flooded::on(store).await;
    let in_the_lane = flooded.queued(flooded.hot, "held").await.unwrap();
    flooded.store.record.somebody_waits().await;
    let taken = flooded.flood(flooded.hot, 10 * QUEUE).await;
    assert!(taken.len() <= QUEUE, "{} wait", taken.len());
    assert!(!taken.is_empty());
    let answered = 1 + taken.len() as u64;
    let mut votes = taken;
    votes.push(in_the_lane);
    flooded.batches_before(flooded.hot, votes).await;
    let results = flooded.lab.proven(flooded.hot).await;
    assert_eq!(results.ballots, 1 + answered);
}

/// However many of them there are: everybody who is let in waits for as many batches as the queue makes, and not longer.
pub async fn a_vote_waits_for_no_more_batches_than_the_queue_holds(store: Arc<dyn Repository>) {
    let flooded = Flooded::on(store).await;
    let in_the_lane = flooded.queued(flooded.hot, "held").await.unwrap();
    flooded.store.record.somebody_waits().await;
    let mut votes = flooded.flood(flooded.hot, QUEUE - 1).await;
    votes.push(in_the_lane);
    let (other, late) = flooded.in_another().await;
    votes.push(late);
    let before = flooded.batches_before(other, votes).await;
    let most = QUEUE.div_ceil(BATCH);
    assert!(before <= most, "{before} batches went first, not {most}");
    assert_eq!(flooded.lab.proven(other).await.ballots, 2);
}
/// A poll that floods its queue is refused; ballots and whole requests of another find room.
pub async fn a_hot_poll_leaves_room_for_the_others(store: Arc<dyn Repository>) {
    let flooded = Flooded::on(store).await;
    let in_the_lane = flooded.queued(flooded.hot, "held").await.unwrap();
    flooded.store.record.somebody_waits().await;
    let mut votes = flooded.flood(flooded.hot, 10 * QUEUE).await;
    votes.push(in_the_lane);
    assert!(flooded.queued(flooded.hot, "one more").await.is_err());
    let (other, late) = flooded.in_another().await;
    votes.push(late);
    let more = flooded.flood(other, QUEUE / 4 - 1).await;
    assert_eq!(
        more.len(),
        QUEUE / 4 - 1,
        "the flood is refused, and not the others"
    );
    votes.extend(more);
    let before = flooded.batches_before(other, votes).await;
    assert!(
        before <= QUEUE.div_ceil(BATCH),
        "{before} batches went first"
    );
    assert_eq!(
        flooded.lab.proven(other).await.ballots,
        1 + QUEUE as u64 / 4
    );
}

/// Ballots that a request hands over in one turn.
const TURN: usize = 4;

/// An engine whose one lane is held up with a ballot of a poll in its hands, and a request of forty behind it.
struct Requested {
    lab: Lab,
    store: Arc<FaultyStore>,
    poll: PollId,
}

impl Requested {
    async fn on(store: Arc<dyn Repository>) -> Self {
        let store = FaultyStore::new(store);
        let lab = Lab::with(store.clone(), |settings| {
            settings.lanes = Some(1);
            (settings.batch_ballots, settings.turn_ballots) = (TURN, Some(TURN));
        });
        let lab = lab.await;
        let poll = lab.open().await.id;
        // From the cache on, what is cast is in its queue as soon as it is polled once.
        lab.vote(poll, "first", &[0]).await.unwrap();
        store.record.shut();
        Self { lab, store, poll }
    }

    fn ballots(&self, name: &str) -> Vec<Result<Ballot, VoteError>> {
        let ballot = |n| Ok(ballot(self.poll, &format!("{name} {n}"), &[1]));
        (0..40).map(ballot).collect()
    }
}

/// Of requests with many ballots, however many of them there are: no more than two turns of them go first.
pub async fn a_vote_waits_for_no_whole_request(store: Arc<dyn Repository>) {
    let requested = Requested::on(store).await;
    let (lab, store) = (&requested.lab, &requested.store);
    let votes = lab.engine.votes();
    let held = lab.vote(requested.poll, "held", &[0]);
    let all = async {
        store.record.somebody_waits().await;
        let mut requests: Vec<_> = ["ada", "bob", "cid"]
            .map(|name| Box::pin(votes.cast_all(&ANYONE, requested.poll, requested.ballots(name))))
            .into();
        // Large ones go on by themselves.
        for request in &mut requests {
            assert!(poll!(request).is_pending());
        }
        tokio::task::yield_now().await;
        let mut late = Box::pin(lab.vote(requested.poll, "late", &[2]));
        assert!(poll!(&mut late).is_pending());
        store.record.open();
        let (late, answers) = join(late, join_all(requests)).await;
        assert!(late.unwrap().created);
        answers
    };
    let (held, answers) = join(held, all).await;
    assert!(held.unwrap().created);
    for answer in answers {
        let outcomes = answer.unwrap();
        assert_eq!(outcomes.len(), 40);
        assert!(outcomes.iter().all(|o| o.as_ref().is_ok_and(|r| r.created)));
    }
    let before = store.batches_before(|ballot| ballot.selection.positions() == [2]);
    assert!(before <= 4, "{before} batches went first, of 30");
    assert_eq!(lab.proven(requested.poll).await.ballots, 3 + 120);
}

/// As if they had all been handed over at once.
pub async fn a_request_whose_caller_leaves_between_its_turns_counts(store: Arc<dyn Repository>) {
    let requested = Requested::on(store).await;
    let (lab, store) = (&requested.lab, &requested.store);
    let votes = lab.engine.votes();
    let mut request = Box::pin(votes.cast_all(&ANYONE, requested.poll, requested.ballots("ada")));
    tokio::select! {
        biased;
        _ = &mut request => panic!("the lane is held up"),
        () = store.record.somebody_waits() => {}
    }
    drop(request);
    store.record.open();
    let mut viewer = lab.subscribe(&Actor::System, requested.poll, None).await;
    while results(viewer.update().await).ballots < 41 {}
    assert_eq!(lab.proven(requested.poll).await.ballots, 41);
}
