//! Polls whose votes have to wait, because somebody else holds what the store needs for them, and a store that does not
//! answer: whoever waits is answered in time, and nobody else waits with them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use polling_core::{Ballot, Clock, Code, PollId, Receipt, Repository, Settings, Voter};

use super::lab::{ANYONE, Lab, ballot, ballot_id, refused, votes};
use crate::faulty::FaultyStore;

/// An engine on a store that can be made to hold things, and polls.
struct Stuck {
    lab: Lab,
    store: Arc<FaultyStore>,
    polls: Vec<PollId>,
}

impl Stuck {
    async fn on(store: Arc<dyn Repository>, set: impl FnOnce(&mut Settings)) -> Self {
        let store = FaultyStore::new(store);
        let lab = Lab::with(store.clone(), |settings| {
            settings.lanes = Some(1);
            set(settings);
        });
        let lab = lab.await;
        let mut polls = Vec::new();
        for _ in 0..6 {
            polls.push(lab.open().await.id);
        }
        // From the cache on, a vote is in its queue as soon as it is polled once.
        for &poll in &polls {
            let nobody = Voter::anyone("nobody");
            let found = lab.engine.votes().read(&ANYONE, poll, &nobody).await;
            assert_eq!(refused(found), Code::VoteNotFound);
        }
        Self { lab, store, polls }
    }

    /// What comes of this while time goes by.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = Box::pin(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::task::yield_now() => self.lab.clock.advance(Duration::from_millis(1)),
            }
        }
    }

    /// Sends a vote until it is answered with more than that it should be sent again.
    async fn insist(&self, ballot: Ballot) -> Receipt {
        let insist = async {
            loop {
                match self.lab.cast(ballot.clone()).await {
                    Ok(receipt) => return receipt,
                    Err(error) => assert_eq!(error.code(), Code::Unavailable),
                }
            }
        };
        self.in_time(insist).await
    }

    async fn proven(&self, poll: PollId) -> u64 {
        self.lab.proven(poll).await.ballots
    }
}

/// However long the engine is let wait.
fn patient(settings: &mut Settings) {
    settings.retry_for = Duration::from_secs(1 << 29);
}

/// Whether the store names the polls or not, and with several of them at once.
pub async fn votes_in_other_polls_do_not_wait_for_one_that_is_stuck(store: Arc<dyn Repository>) {
    let stuck = Stuck::on(store, patient).await;
    let (lab, polls) = (&stuck.lab, &stuck.polls);
    for (round, is_named) in [true, false].into_iter().enumerate() {
        stuck.store.hold(&polls[..2], is_named);
        // All of them are in one batch.
        stuck.store.record.shut();
        let voter = |name: &str| format!("{name} {round}");
        let first = voter("first");
        let first = lab.vote(polls[5], &first, &[0]);
        let (held, free) = (voter("held"), voter("free"));
        let held = join_all(polls[..2].iter().map(|&poll| lab.vote(poll, &held, &[0])));
        let free = join_all(polls[2..].iter().map(|&poll| lab.vote(poll, &free, &[0])));
        let open = async {
            stuck.store.record.somebody_waits().await;
            stuck.store.record.open();
        };
        let mut held = Box::pin(held);
        // Time stands still: they wait for nothing.
        let others = async { tokio::join!(first, free, open) };
        let (first, free, ()) = tokio::select! {
            biased;
            _ = &mut held => panic!("their polls are held"),
            others = others => others,
        };
        assert!(first.unwrap().created);
        assert!(free.into_iter().all(|answer| answer.unwrap().created));
        stuck.store.let_go(&polls[..1]);
        stuck.store.let_go(&polls[1..2]);
        for answer in stuck.in_time(held).await {
            assert!(answer.unwrap().created, "nobody has recorded it before");
        }
        // The polls are like all others again.
        for &poll in polls {
            let voter = voter("last");
            assert!(lab.vote(poll, &voter, &[0]).await.unwrap().created);
        }
    }
    assert_eq!(stuck.proven(polls[0]).await, 4);
    assert_eq!(stuck.proven(polls[4]).await, 4);
}

/// One that is free again does not wait for one that is not.
pub async fn of_several_stuck_polls_each_goes_on_when_it_is_free(store: Arc<dyn Repository>) {
    let stuck = Stuck::on(store, patient).await;
    let (lab, polls) = (&stuck.lab, &stuck.polls);
    stuck.store.hold(&polls[..3], false);
    let mut first = Box::pin(lab.vote(polls[0], "ada", &[0]));
    let mut second = Box::pin(lab.vote(polls[1], "ada", &[0]));
    let mut third = Box::pin(lab.vote(polls[2], "ada", &[0]));
    let free_one = async {
        // As long as it takes until they are known to be stuck.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        stuck.store.let_go(&polls[1..2]);
    };
    let answer = stuck.in_time(async {
        tokio::select! {
            biased;
            _ = &mut first => panic!("it is held"),
            _ = &mut third => panic!("it is held"),
            (answer, ()) = async { tokio::join!(&mut second, free_one) } => answer,
        }
    });
    assert!(answer.await.unwrap().created);
    stuck.store.let_go(polls);
    let (first, third) = stuck.in_time(async { tokio::join!(first, third) }).await;
    assert!(first.unwrap().created && third.unwrap().created);
}

/// And whoever votes there meanwhile joins them. None of them is recorded.
pub async fn a_ballot_of_a_stuck_poll_is_unavailable_at_its_own_deadline(
    store: Arc<dyn Repository>,
) {
    let stuck = Stuck::on(store, |_| ()).await;
    let (lab, poll) = (&stuck.lab, stuck.polls[0]);
    stuck.store.hold(&[poll], true);
    for voter in ["ada", "grace", "linus"] {
        let asked = lab.clock.now();
        let answer = stuck.in_time(lab.vote(poll, voter, &[0])).await;
        assert_eq!(refused(answer), Code::Unavailable);
        let waited = lab.clock.now().since(asked);
        assert!(waited >= Duration::from_secs(2), "{waited:?}");
    }
    stuck.store.let_go(&[poll]);
    assert_eq!(stuck.proven(poll).await, 0);
    assert!(stuck.insist(ballot(poll, "ada", &[0])).await.created);
}

/// Only the first of them is new, and each is answered from what became of it.
pub async fn ballots_of_one_voter_in_a_stuck_poll_are_decided_one_after_the_other(
    store: Arc<dyn Repository>,
) {
    let stuck = Stuck::on(store, patient).await;
    let (lab, poll) = (&stuck.lab, stuck.polls[0]);
    stuck.store.record.shut();
    stuck.store.hold(&[poll], true);
    let same = (0..8).map(|_| Ok(ballot(poll, "ada", &[1])));
    let named = (1..=8).map(|id| Ok(ballot(poll, "ada", &[1]).with_id(ballot_id(id))));
    let flood = same.chain(named).collect();
    let flood = lab.engine.votes().cast_all(&ANYONE, poll, flood);
    let later = async {
        stuck.store.record.somebody_waits().await;
        stuck.store.record.open();
        // It finds the poll stuck, or in the queue, and is one of them in any case.
        let other = lab.vote(poll, "ada", &[0]);
        let let_go = async {
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            stuck.store.let_go(&[poll]);
        };
        let (other, ()) = tokio::join!(other, let_go);
        other
    };
    let (flood, other) = stuck.in_time(async { tokio::join!(flood, later) }).await;
    let flood = flood.unwrap();
    let created = flood.iter().flatten().filter(|receipt| receipt.created);
    assert_eq!(created.count(), 1);
    for (number, answer) in flood.into_iter().enumerate() {
        match answer {
            Ok(receipt) => assert_eq!((receipt.created, number < 8), (number == 0, true)),
            Err(error) => {
                assert!(number >= 8, "{number}");
                assert_eq!(refused(Err::<(), _>(error)), Code::AlreadyVoted);
            }
        }
    }
    assert_eq!(refused(other), Code::AlreadyVoted);
    assert_eq!(votes(&lab.proven(poll).await), [0, 1, 0]);
}

/// Recorded, or at their deadline.
pub async fn a_shutdown_answers_the_ballots_of_a_stuck_poll(store: Arc<dyn Repository>) {
    for goes_on in [true, false] {
        let set = |settings: &mut Settings| {
            if goes_on {
                patient(settings);
            }
        };
        let stuck = Stuck::on(Arc::clone(&store), set).await;
        let poll = stuck.polls[0];
        stuck.store.hold(&[poll], true);
        let vote = stuck.lab.vote(poll, "ada", &[0]);
        let shutdown = async {
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            if goes_on {
                stuck.store.let_go(&[poll]);
            }
            stuck.lab.engine.shutdown().await;
        };
        let (answer, ()) = stuck.in_time(async { tokio::join!(vote, shutdown) }).await;
        assert_eq!(answer.is_ok(), goes_on);
        let recount = store.results().recount(poll).await.unwrap().unwrap();
        assert!(recount.agrees());
        assert_eq!(recount.ballots, u64::from(goes_on));
    }
}

/// However long the store itself waits; what comes meanwhile is not sent behind it. When the store answers after all it is
/// found to be recorded.
pub async fn a_vote_is_answered_in_time_by_a_store_that_does_not_answer(
    store: Arc<dyn Repository>,
) {
    let in_time = |settings: &mut Settings| settings.answer_within = Duration::from_secs(2);
    let stuck = Stuck::on(store, in_time).await;
    let (lab, poll) = (&stuck.lab, stuck.polls[0]);
    stuck.store.recorded.shut();
    let vote = || lab.cast(ballot(poll, "ada", &[0]).with_id(ballot_id(1)));
    for vote in [vote(), vote(), lab.cast(ballot(poll, "bob", &[0]))] {
        assert_eq!(refused(stuck.in_time(vote).await), Code::Unavailable);
    }
    assert_eq!(stuck.store.batches().len(), 1);
    stuck.store.recorded.open();
    let again = ballot(poll, "ada", &[0]).with_id(ballot_id(1));
    assert!(!stuck.insist(again).await.created);
    stuck.insist(ballot(poll, "bob", &[0])).await;
    assert_eq!(stuck.proven(poll).await, 2);
}
