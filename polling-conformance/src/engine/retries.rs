//! The same request again returns the same receipt; a different one is refused.

use std::sync::Arc;
use std::time::Duration;

use polling_core::polls::{Status, Step};
use polling_core::votes::Chosen;
use polling_core::{
    Actor, Ballot, Clock, Code, NewPoll, PollId, Receipt, Repository, Settings, Voter,
};

use super::lab::{ANYONE, Lab, ballot, ballot_id, refused, tea, toppings, votes};
use crate::faulty::{Fault, FaultyStore};

/// With the same ballot id or with none: the same ballot id and time.
pub async fn the_same_vote_again_returns_the_same_receipt(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    for first_id in [None, Some(ballot_id(1))] {
        let poll = lab.open().await.id;
        let mut vote = ballot(poll, "ada", &[1]);
        vote.id = first_id;
        let first = lab.cast(vote.clone()).await.unwrap();
        assert!(first.created);
        assert_eq!(first.cast_at, lab.clock.now());
        lab.advance(1);
        lab.vote(poll, "bob", &[1]).await.unwrap();
        let by_id = ballot(poll, "ada", &[1]).with_id(first.ballot_id);
        for retry in [vote, ballot(poll, "ada", &[1]), by_id] {
            let again = lab.cast(retry).await.unwrap();
            let mut expected = first.clone();
            // It is not created again, and may name a later revision.
            (expected.created, expected.revision) = (false, again.revision);
            assert_eq!(again, expected);
            assert!(again.revision >= first.revision);
        }
        assert_eq!(votes(&lab.proven(poll).await), [0, 2, 0]);
    }
}

/// Content is the set of the chosen options, in whatever way it is said.
pub async fn the_order_of_the_options_makes_no_other_vote(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.create(toppings().published()).await;
    let options: Vec<_> = poll.options.iter().map(|option| option.id).collect();
    let first = lab.vote(poll.id, "ada", &[2, 0]).await.unwrap();
    for chosen in [
        Chosen::Positions(vec![0, 2]),
        Chosen::Options(vec![options[0], options[2]]),
        Chosen::Options(vec![options[2], options[0]]),
    ] {
        let again = lab
            .cast(Ballot::new(poll.id, Voter::anyone("ada"), chosen))
            .await;
        assert_eq!(again.unwrap().ballot_id, first.ballot_id);
    }
    let voter = Voter::anyone("ada");
    let own = lab
        .engine
        .votes()
        .read(&ANYONE, poll.id, &voter)
        .await
        .unwrap();
    assert_eq!(own.option_ids, [options[0], options[2]]);
}

/// Another ballot id, or none and another content.
pub async fn another_vote_of_the_same_voter_is_refused(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    lab.cast(ballot(poll, "ada", &[1]).with_id(ballot_id(1)))
        .await
        .unwrap();
    for other in [
        ballot(poll, "ada", &[1]).with_id(ballot_id(2)),
        ballot(poll, "ada", &[0]).with_id(ballot_id(2)),
        ballot(poll, "ada", &[0]),
    ] {
        assert_eq!(refused(lab.cast(other).await), Code::AlreadyVoted);
    }
    let results = lab.proven(poll).await;
    assert_eq!((results.revision, votes(&results)), (2, vec![0, 1, 0]));
}

/// And never dropped in silence.
pub async fn the_same_ballot_id_with_another_content_is_refused(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    let first = lab.vote(poll, "ada", &[1]).await.unwrap();
    lab.cast(ballot(poll, "bob", &[1]).with_id(ballot_id(1)))
        .await
        .unwrap();
    for (voter, id) in [("ada", first.ballot_id), ("bob", ballot_id(1))] {
        let other = ballot(poll, voter, &[0]).with_id(id);
        assert_eq!(refused(lab.cast(other).await), Code::BallotIdReused);
    }
    // In another poll, or of another voter, the same id is another ballot.
    let elsewhere = lab.open().await.id;
    for (poll, voter) in [(poll, "eve"), (elsewhere, "ada")] {
        let other = ballot(poll, voter, &[0]).with_id(ballot_id(1));
        assert!(lab.cast(other).await.unwrap().created);
    }
    assert_eq!(votes(&lab.proven(poll).await), [1, 2, 0]);
}

/// Before status and window are judged: while the poll is closing, and after it is closed, by its own server and by one
/// that never saw it open. Only who has no recorded ballot is told that it is over.
pub async fn a_retry_is_recognised_while_closing_and_closed(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let closes_at = lab.clock.now().after(Duration::from_secs(10));
    let poll = lab.create(tea().published().closes_at(closes_at)).await.id;
    let first = lab
        .cast(ballot(poll, "ada", &[1]).with_id(ballot_id(1)))
        .await
        .unwrap();
    lab.advance(10);
    verdicts_stand(&lab, &first).await;
    lab.reached(poll, Status::Closing).await;
    verdicts_stand(&lab, &first).await;
    lab.advance(1);
    lab.reached(poll, Status::Closed).await;
    verdicts_stand(&lab, &first).await;
    verdicts_stand(&lab.another().await, &first).await;
    assert_eq!(lab.proven(poll).await.ballots, 1);
}

async fn verdicts_stand(lab: &Lab, first: &Receipt) {
    let poll = first.poll_id;
    let id = first.ballot_id;
    let by_id = |id, positions: &[u8]| ballot(poll, "ada", positions).with_id(id);
    for retry in [by_id(id, &[1]), ballot(poll, "ada", &[1])] {
        let again = lab.cast(retry).await.unwrap();
        assert_eq!((again.ballot_id, again.cast_at), (id, first.cast_at));
        assert!(!again.created);
    }
    for (other, code) in [
        (by_id(id, &[0]), Code::BallotIdReused),
        (by_id(ballot_id(7), &[1]), Code::AlreadyVoted),
        (ballot(poll, "ada", &[0]), Code::AlreadyVoted),
        (ballot(poll, "bob", &[1]), Code::PollClosed),
        (ballot(poll, "bob", &[1]).with_id(id), Code::PollClosed),
    ] {
        assert_eq!(refused(lab.cast(other).await), code);
    }
}

/// The answer of the store was lost, and the engine sent the ballot again by itself: to its voter it is no retry.
pub async fn a_ballot_that_the_engine_sends_again_is_no_retry(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(store);
    // However fast the clock is moved here, the engine does not give up.
    let patient = |settings: &mut Settings| settings.retry_for = Duration::from_secs(1 << 30);
    let lab = Lab::with(held.clone(), patient).await;
    for id in [None, Some(ballot_id(1))] {
        let poll = lab.open().await.id;
        let mut vote = ballot(poll, "ada", &[1]);
        vote.id = id;
        held.will([Fault::LostAfterCommit]);
        let mut cast = Box::pin(lab.cast(vote.clone()));
        let first = loop {
            tokio::select! {
                biased;
                first = &mut cast => break first.unwrap(),
                () = tokio::task::yield_now() => lab.clock.advance(Duration::from_millis(1)),
            }
        };
        assert!(first.created);
        let again = lab.cast(vote).await.unwrap();
        assert_eq!((again.created, again.ballot_id), (false, first.ballot_id));
        assert_eq!(lab.proven(poll).await.ballots, 1);
    }
}

/// A poll of which everybody may change their vote.
async fn changeable(lab: &Lab, new: NewPoll) -> PollId {
    lab.create(new.allow_change().published()).await.id
}

/// Whatever the poll allows otherwise.
pub async fn casting_never_changes_a_vote(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = changeable(&lab, tea()).await;
    lab.vote(poll, "ada", &[0]).await.unwrap();
    assert_eq!(
        refused(lab.vote(poll, "ada", &[1]).await),
        Code::AlreadyVoted
    );
    assert_eq!(votes(&lab.proven(poll).await), [1, 0, 0]);
}

/// Created where there was none, changed where there was another, and nothing where it was already so.
pub async fn a_change_says_what_the_vote_is(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = changeable(&lab, tea()).await;
    let first = lab.change(ballot(poll, "ada", &[0])).await.unwrap();
    assert_eq!((first.created, first.revision), (true, 2));
    lab.advance(1);
    let same = lab
        .change(ballot(poll, "ada", &[0]).with_id(ballot_id(5)))
        .await
        .unwrap();
    assert_eq!(
        (same.ballot_id, same.cast_at),
        (first.ballot_id, first.cast_at)
    );
    assert_eq!((same.created, same.revision), (false, 2));
    let second = lab
        .change(ballot(poll, "ada", &[1]).with_id(ballot_id(6)))
        .await
        .unwrap();
    assert_eq!(
        (second.ballot_id, second.cast_at),
        (ballot_id(6), lab.clock.now())
    );
    assert_eq!((second.created, second.revision), (false, 3));
    let reused = lab
        .change(ballot(poll, "ada", &[2]).with_id(ballot_id(6)))
        .await;
    assert_eq!(refused(reused), Code::BallotIdReused);
    let results = lab.proven(poll).await;
    assert_eq!((results.ballots, votes(&results)), (1, vec![0, 1, 0]));
}

/// Both a change and a withdrawal need leave, and obey status and window.
pub async fn a_change_obeys_the_poll(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let fixed = lab.open().await.id;
    lab.vote(fixed, "ada", &[0]).await.unwrap();
    let change = |poll, positions: &[u8]| lab.change(ballot(poll, "ada", positions));
    assert_eq!(refused(change(fixed, &[1]).await), Code::ChangeNotAllowed);
    assert_eq!(refused(change(fixed, &[0]).await), Code::ChangeNotAllowed);
    assert_eq!(
        refused(lab.withdraw(fixed, "ada").await),
        Code::ChangeNotAllowed
    );
    let new = || tea().allow_change();
    let scheduled = lab.in_status(Status::Scheduled, new()).await.id;
    assert_eq!(refused(change(scheduled, &[0]).await), Code::PollNotOpen);
    assert_eq!(
        refused(lab.withdraw(scheduled, "ada").await),
        Code::PollNotOpen
    );
    let draft = lab.in_status(Status::Draft, new()).await.id;
    assert_eq!(refused(change(draft, &[0]).await), Code::PollNotFound);
    let closed = changeable(&lab, tea()).await;
    change(closed, &[0]).await.unwrap();
    lab.engine
        .polls()
        .close(&Actor::System, closed)
        .await
        .unwrap();
    assert!(!change(closed, &[0]).await.unwrap().created);
    assert_eq!(refused(change(closed, &[1]).await), Code::PollClosed);
    assert_eq!(refused(lab.withdraw(closed, "ada").await), Code::PollClosed);
    assert_eq!(votes(&lab.proven(closed).await), [1, 0, 0]);
    assert_eq!(votes(&lab.proven(fixed).await), [1, 0, 0]);
}

/// And their old ballot id is nobody's any more.
pub async fn a_withdrawn_voter_is_free_to_vote_again(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = changeable(&lab, tea()).await;
    let voter = Voter::anyone("ada");
    assert_eq!(refused(lab.withdraw(poll, "ada").await), Code::VoteNotFound);
    lab.cast(ballot(poll, "ada", &[0]).with_id(ballot_id(1)))
        .await
        .unwrap();
    lab.withdraw(poll, "ada").await.unwrap();
    assert_eq!(refused(lab.withdraw(poll, "ada").await), Code::VoteNotFound);
    let read = lab.engine.votes().read(&ANYONE, poll, &voter).await;
    assert_eq!(refused(read), Code::VoteNotFound);
    assert_eq!(votes(&lab.proven(poll).await), [0, 0, 0]);
    // Without an id a late repeat cannot be told from a new wish.
    assert!(lab.vote(poll, "ada", &[0]).await.unwrap().created);
    lab.withdraw(poll, "ada").await.unwrap();
    let third = lab
        .cast(ballot(poll, "ada", &[2]).with_id(ballot_id(3)))
        .await
        .unwrap();
    assert!(third.created);
    let results = lab.proven(poll).await;
    assert_eq!((results.revision, votes(&results)), (6, vec![0, 0, 1]));
}

/// Of a ballot that was changed, and of one that was withdrawn; by every road, open and closed, here and elsewhere.
pub async fn a_superseded_ballot_is_refused_on_every_road(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = changeable(&lab, tea()).await;
    let vote = |id, at: u8| ballot(poll, "ada", &[at]).with_id(ballot_id(id));
    lab.cast(vote(1, 0)).await.unwrap();
    lab.change(vote(2, 1)).await.unwrap();
    lab.withdraw(poll, "ada").await.unwrap();
    lab.cast(vote(3, 2)).await.unwrap();
    let refused_on = async |lab: &Lab| {
        for id in [1, 2] {
            for at in 0..3 {
                assert_eq!(
                    refused(lab.cast(vote(id, at)).await),
                    Code::BallotSuperseded
                );
                assert_eq!(
                    refused(lab.change(vote(id, at)).await),
                    Code::BallotSuperseded
                );
                let batch = lab
                    .engine
                    .votes()
                    .cast_all(&ANYONE, poll, vec![Ok(vote(id, at))]);
                let outcome = batch.await.unwrap().remove(0);
                assert_eq!(refused(outcome), Code::BallotSuperseded);
            }
        }
    };
    refused_on(&lab).await;
    lab.engine
        .polls()
        .close(&Actor::System, poll)
        .await
        .unwrap();
    refused_on(&lab).await;
    refused_on(&lab.another().await).await;
    assert_eq!(votes(&lab.proven(poll).await), [0, 0, 1]);
}

/// A revision that contains the ballot: who has seen results with it has seen the vote.
pub async fn a_receipt_names_a_revision_that_contains_the_ballot(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    for n in 1..=20_u64 {
        let receipt = lab.vote(poll, &n.to_string(), &[0]).await.unwrap();
        let results = lab.proven(poll).await;
        assert!(results.revision >= receipt.revision);
        assert_eq!(results.ballots, n);
    }
    let polls = lab.store.polls();
    polls
        .advance(poll, Step::Close, lab.clock.now())
        .await
        .unwrap();
    let retry = lab.vote(poll, "1", &[0]).await.unwrap();
    assert!(retry.revision <= lab.proven(poll).await.revision);
}
