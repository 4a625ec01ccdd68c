//! The port of the ballots: changing and withdrawing them.

use std::sync::Arc;

use polling_core::polls::{Poll, Status, Step};
use polling_core::results::Tally;
use polling_core::votes::{BallotRecord, Change, Outcome, Refusal, Withdrawal};
use polling_core::{PollId, Repository};

use crate::fixtures::{Ports, added, existing, noon, voter_key, window};

async fn change(ports: &Ports, ballot: &BallotRecord) -> Change {
    ports.store.votes().change(ballot).await.unwrap()
}

async fn withdraw(ports: &Ports, poll: PollId, voter: u64) -> Withdrawal {
    let votes = ports.store.votes();
    votes
        .withdraw(poll, &voter_key(voter), noon(0))
        .await
        .unwrap()
}

/// A poll that does not let votes be changed.
async fn kept_fixed(ports: &Ports, status: Status) -> PollId {
    let (poll, tally) = ports.poll(status);
    let poll = Poll {
        allow_change: false,
        ..poll
    };
    ports.keep((poll, tally)).await
}

/// "My vote is this", also for who has not voted.
pub async fn a_change_where_there_was_no_ballot_creates_it(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let ballot = ports.named_ballot(id, 1, &[0, 1]);
    let tally = created(change(&ports, &ballot).await);
    assert_eq!((tally.revision, &tally.counts[..]), (2, &[1, 1, 0][..]));
    assert_eq!(tally, ports.proven(id).await);
    let found = ports
        .store
        .votes()
        .find(id, &ballot.voter)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.selection), (ballot.id, ballot.selection));
}

/// A wish that was so already has its own id, and a late repeat of it must not undo a newer wish.
pub async fn a_late_repeat_of_what_was_so_already_is_superseded(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let first = ports.named_ballot(id, 1, &[0]);
    let again = ports.named_ballot(id, 1, &[0]);
    let other = ports.named_ballot(id, 1, &[1]);
    created(change(&ports, &first).await);
    for _ in 0..2 {
        let unchanged = change(&ports, &again).await;
        assert!(
            matches!(&unchanged, Change::Unchanged(ballot) if ballot.id == first.id),
            "{unchanged:?}"
        );
    }
    let reused = BallotRecord {
        selection: other.selection.clone(),
        ..again.clone()
    };
    assert_eq!(change(&ports, &reused).await, Change::IdReused);
    assert!(matches!(change(&ports, &other).await, Change::Changed(_)));
    for late in [&first, &again, &reused] {
        assert_eq!(change(&ports, late).await, Change::Superseded);
    }
    ports.proven(id).await;
}

/// One revision, one ballot, and the old id is superseded for ever.
pub async fn a_change_replaces_the_ballot(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let (first, second) = (
        ports.named_ballot(id, 1, &[0]),
        ports.named_ballot(id, 1, &[1, 2]),
    );
    ports.cast(&ports.ballot(id, 2, &[0])).await;
    ports.cast(&first).await;
    let tally = changed(change(&ports, &second).await);
    assert_eq!((tally.revision, tally.ballots), (4, 2));
    assert_eq!(tally.counts, [1, 1, 1]);
    assert_eq!(tally, ports.proven(id).await);
    let votes = ports.store.votes();
    let found = votes.find(id, &first.voter).await.unwrap().unwrap();
    assert_eq!((found.id, found.revision), (second.id, 4));
    assert!(
        votes
            .is_superseded(id, &first.voter, first.id)
            .await
            .unwrap()
    );
    assert!(
        !votes
            .is_superseded(id, &first.voter, second.id)
            .await
            .unwrap()
    );
    let other = voter_key(2);
    assert!(!votes.is_superseded(id, &other, first.id).await.unwrap());
}

/// Under this id or another, nothing is written, whatever the poll takes now.
pub async fn a_change_to_the_same_content_is_no_change(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports
        .keep(ports.poll_with(Status::Open, window(None, Some(10))))
        .await;
    let first = ports.named_ballot(id, 1, &[0, 2]);
    ports.cast(&first).await;
    let advance = [(Step::BeginClosing, 10), (Step::Finish, 11)];
    for (step, now) in advance {
        let revision = ports.tally(id).await.revision;
        for mut repeat in [
            first.clone(),
            ports.named_ballot(id, 1, &[0, 2]),
            ports.ballot(id, 1, &[0, 2]),
        ] {
            repeat.received_at = noon(10);
            match change(&ports, &repeat).await {
                Change::Unchanged(found) => {
                    assert_eq!((found.id, found.cast_at), (first.id, first.received_at));
                    assert_eq!(found.revision, revision);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(ports.proven(id).await.revision, revision);
        ports
            .store
            .polls()
            .advance(id, step, noon(now))
            .await
            .unwrap();
    }
}

/// The outcomes are judged in the order in which the port lists them.
pub async fn a_change_is_judged_in_the_order_of_its_outcomes(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let missing = ports.ballot(ports.poll_id(), 1, &[0]);
    assert_eq!(
        change(&ports, &missing).await,
        Change::Refused(Refusal::Missing)
    );
    for status in [Status::Draft, Status::Open, Status::Closed] {
        let fixed = kept_fixed(&ports, status).await;
        let ballot = ports.ballot(fixed, 1, &[0]);
        assert_eq!(change(&ports, &ballot).await, Change::NotAllowed);
    }
    let id = ports.kept(Status::Open).await;
    let first = ports.named_ballot(id, 1, &[0]);
    let second = ports.named_ballot(id, 1, &[1]);
    ports.cast(&first).await;
    changed(change(&ports, &second).await);
    let mut reused = ports.named_ballot(id, 1, &[2]);
    reused.id = second.id;
    let mut superseded = ports.named_ballot(id, 1, &[1]);
    superseded.id = first.id;
    let other = ports.named_ballot(id, 1, &[2]);
    let unknown = ports.named_ballot(id, 1, &[3]);
    for closed in [false, true] {
        assert_eq!(change(&ports, &reused).await, Change::IdReused);
        assert_eq!(change(&ports, &superseded).await, Change::Superseded);
        if !closed {
            let refused = Change::Refused(Refusal::OptionUnknown);
            assert_eq!(change(&ports, &unknown).await, refused);
        }
        ports
            .store
            .polls()
            .advance(id, Step::Close, noon(0))
            .await
            .unwrap();
    }
    let refused = Change::Refused(Refusal::Closed);
    assert_eq!(change(&ports, &other).await, refused);
    assert_eq!(change(&ports, &ports.ballot(id, 9, &[0])).await, refused);
    assert_eq!(ports.proven(id).await.revision, 4);
}

/// As a batch would.
pub async fn a_change_may_open_a_poll_whose_time_has_come(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports
        .keep(ports.poll_with(Status::Scheduled, window(Some(0), None)))
        .await;
    let mut early = ports.ballot(id, 1, &[0]);
    early.received_at = noon(-1);
    assert_eq!(
        change(&ports, &early).await,
        Change::Refused(Refusal::NotOpen)
    );
    let tally = created(change(&ports, &ports.ballot(id, 1, &[0])).await);
    assert_eq!((tally.status, tally.revision), (Status::Open, 3));
    assert_eq!(tally, ports.proven(id).await);
}

/// It leaves every count, and its id is superseded.
pub async fn a_withdrawn_ballot_does_not_count(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let ballot = ports.ballot(id, 1, &[0, 2]);
    ports.cast(&ports.ballot(id, 2, &[0])).await;
    ports.cast(&ballot).await;
    let tally = withdrawn(withdraw(&ports, id, 1).await);
    assert_eq!((tally.revision, tally.ballots), (4, 1));
    assert_eq!(tally.counts, [1, 0, 0]);
    assert_eq!(tally, ports.proven(id).await);
    let votes = ports.store.votes();
    assert!(votes.find(id, &ballot.voter).await.unwrap().is_none());
    assert!(
        votes
            .is_superseded(id, &ballot.voter, ballot.id)
            .await
            .unwrap()
    );
    assert_eq!(withdraw(&ports, id, 1).await, Withdrawal::Missing);
    assert_eq!(ports.proven(id).await.revision, 4);
}

/// The outcomes are judged in the order in which the port lists them.
pub async fn a_withdrawal_is_judged_in_the_order_of_its_outcomes(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let missing = withdraw(&ports, ports.poll_id(), 1).await;
    assert_eq!(missing, Withdrawal::Refused(Refusal::Missing));
    for status in [Status::Draft, Status::Open, Status::Closed] {
        let fixed = kept_fixed(&ports, status).await;
        assert_eq!(withdraw(&ports, fixed, 1).await, Withdrawal::NotAllowed);
    }
    let id = ports.kept(Status::Open).await;
    assert_eq!(withdraw(&ports, id, 1).await, Withdrawal::Missing);
    ports.cast(&ports.ballot(id, 1, &[0])).await;
    ports
        .store
        .polls()
        .advance(id, Step::Close, noon(0))
        .await
        .unwrap();
    for voter in [1, 2] {
        let refused = Withdrawal::Refused(Refusal::Closed);
        assert_eq!(withdraw(&ports, id, voter).await, refused);
    }
    assert_eq!(ports.proven(id).await.ballots, 1);
}

/// By a vote as by a change, and as often as they like.
pub async fn a_withdrawn_voter_may_vote_again(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    ports.cast(&ports.named_ballot(id, 1, &[0])).await;
    withdrawn(withdraw(&ports, id, 1).await);
    let again = ports.named_ballot(id, 1, &[1]);
    let recorded = ports.record(std::slice::from_ref(&again)).await;
    assert_eq!(recorded.outcomes, [Outcome::Added(4)]);
    assert_eq!(recorded.tallies, [ports.proven(id).await]);
    assert_eq!(existing(&ports.cast(&again).await).id, again.id);
    withdrawn(withdraw(&ports, id, 1).await);
    let third = ports.ballot(id, 1, &[2]);
    let tally = created(change(&ports, &third).await);
    assert_eq!((tally.ballots, &tally.counts[..]), (1, &[0, 0, 1][..]));
    assert_eq!(tally, ports.proven(id).await);
    let found = ports
        .store
        .votes()
        .find(id, &third.voter)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.cast_at), (third.id, third.received_at));
}

/// Who has withdrawn is a newcomer to the gate.
pub async fn a_withdrawn_voter_is_refused_by_a_closed_poll(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    ports.cast(&ports.ballot(id, 1, &[0])).await;
    withdrawn(withdraw(&ports, id, 1).await);
    let unknown = ports.cast(&ports.ballot(id, 1, &[7])).await;
    assert_eq!(unknown, Outcome::Refused(Refusal::OptionUnknown));
    ports
        .store
        .polls()
        .advance(id, Step::Close, noon(0))
        .await
        .unwrap();
    let again = ports.ballot(id, 1, &[1]);
    assert_eq!(ports.cast(&again).await, Outcome::Refused(Refusal::Closed));
    assert_eq!(
        change(&ports, &again).await,
        Change::Refused(Refusal::Closed)
    );
    assert_eq!(ports.proven(id).await.ballots, 0);
}

/// For ever: after later changes, withdrawals and votes, and in a closed poll.
pub async fn a_superseded_ballot_id_is_refused_for_ever(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let (changed_one, withdrawn_one) = (
        ports.named_ballot(id, 1, &[0]),
        ports.named_ballot(id, 1, &[1]),
    );
    ports.cast(&changed_one).await;
    changed(change(&ports, &withdrawn_one).await);
    let refused = async |ballot: &BallotRecord| {
        assert_eq!(ports.cast(ballot).await, Outcome::Superseded);
        assert_eq!(change(&ports, ballot).await, Change::Superseded);
    };
    refused(&changed_one).await;
    withdrawn(withdraw(&ports, id, 1).await);
    refused(&changed_one).await;
    refused(&withdrawn_one).await;
    // The same content does not make it another ballot.
    added(&ports.cast(&ports.named_ballot(id, 1, &[1])).await);
    refused(&changed_one).await;
    refused(&withdrawn_one).await;
    ports
        .store
        .polls()
        .advance(id, Step::Close, noon(0))
        .await
        .unwrap();
    refused(&changed_one).await;
    refused(&withdrawn_one).await;
    // Another voter's ballot under this id is another ballot.
    let mut elsewhere = ports.named_ballot(id, 2, &[0]);
    elsewhere.id = changed_one.id;
    assert_eq!(
        ports.cast(&elsewhere).await,
        Outcome::Refused(Refusal::Closed)
    );
}

/// Votes, changes and withdrawals of the same few voters, all at once.
pub async fn changes_and_votes_at_once_keep_the_counters_right(store: Arc<dyn Repository>) {
    let ports = Arc::new(Ports::new(store));
    let id = ports.kept(Status::Open).await;
    let workers = (0..12_u64).map(|worker| {
        let ports = Arc::clone(&ports);
        tokio::spawn(async move {
            for n in 0..12_u64 {
                let voter = (worker + n) % 5;
                let position = u8::try_from((worker * n) % 3).unwrap();
                let ballot = ports.ballot(id, voter, &[position]);
                match (worker + 2 * n) % 3 {
                    0 => drop(ports.cast(&ballot).await),
                    1 => drop(change(&ports, &ballot).await),
                    _ => drop(withdraw(&ports, id, voter).await),
                }
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let tally = ports.proven(id).await;
    assert!(tally.ballots <= 5);
    assert_eq!(tally.counts.iter().sum::<u64>(), tally.ballots);
}

#[track_caller]
fn created(change: Change) -> Tally {
    match change {
        Change::Created(tally) => tally,
        other => panic!("was to be created: {other:?}"),
    }
}

#[track_caller]
fn changed(change: Change) -> Tally {
    match change {
        Change::Changed(tally) => tally,
        other => panic!("was to be changed: {other:?}"),
    }
}

#[track_caller]
fn withdrawn(withdrawal: Withdrawal) -> Tally {
    match withdrawal {
        Withdrawal::Withdrawn(tally) => tally,
        other => panic!("was to be withdrawn: {other:?}"),
    }
}
