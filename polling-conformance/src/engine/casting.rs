//! Casting ballots: one for each voter, whatever happens at once.

use std::sync::Arc;

use polling_core::polls::Voters;
use polling_core::votes::{Chosen, VoteError};
use polling_core::{
    Actor, Ballot, Code, NewPoll, PollView, Receipt, Repository, TokenHash, UserId, Voter,
};

use super::lab::{ANYONE, Lab, ballot, ballot_id, refused, tea, toppings, votes};
use crate::faulty::FaultyStore;

/// Every one of them gets the same receipt, and one of them made the vote.
pub async fn identical_votes_at_once_count_once(store: Arc<dyn Repository>) {
    let lab = Arc::new(Lab::on(store).await);
    let poll = lab.open().await.id;
    let receipts = at_once(&lab, 32, move |_| ballot(poll, "ada", &[1])).await;
    let receipts: Vec<Receipt> = receipts.into_iter().map(Result::unwrap).collect();
    let created = receipts.iter().filter(|receipt| receipt.created).count();
    assert_eq!(created, 1);
    for receipt in &receipts {
        let same = (receipts[0].ballot_id, receipts[0].cast_at);
        assert_eq!((receipt.ballot_id, receipt.cast_at), same);
    }
    let results = lab.proven(poll).await;
    assert_eq!((results.ballots, votes(&results)), (1, vec![0, 1, 0]));
}

/// One of them is the vote, and the others are told that there is one.
pub async fn votes_for_different_options_at_once_count_once(store: Arc<dyn Repository>) {
    let lab = Arc::new(Lab::on(store).await);
    let poll = lab.open().await.id;
    let cast = at_once(&lab, 33, move |n| {
        ballot(poll, "ada", &[n % 3]).with_id(ballot_id(n))
    });
    let (done, refusals): (Vec<_>, Vec<_>) = cast.await.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 1);
    for refusal in refusals {
        assert_eq!(refused(refusal), Code::AlreadyVoted);
    }
    let results = lab.proven(poll).await;
    assert_eq!(votes(&results).iter().sum::<u64>(), 1);
}

async fn at_once(
    lab: &Arc<Lab>,
    count: u8,
    ballot: impl Fn(u8) -> Ballot,
) -> Vec<Result<Receipt, VoteError>> {
    let tasks: Vec<_> = (0..count)
        .map(|n| {
            let (lab, ballot) = (Arc::clone(lab), ballot(n));
            tokio::spawn(async move { lab.cast(ballot).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// By another server, by the next run, and by a server whose memory of the poll was pushed out.
pub async fn voting_again_is_refused_after_a_restart(store: Arc<dyn Repository>) {
    let lab = Lab::with(store, |settings| settings.cached_polls = 1).await;
    let poll = lab.open().await.id;
    let first = lab.vote(poll, "ada", &[0]).await.unwrap();
    let again = async |lab: &Lab| {
        let same = lab.vote(poll, "ada", &[0]).await.unwrap();
        assert_eq!((same.ballot_id, same.created), (first.ballot_id, false));
        assert_eq!(
            refused(lab.vote(poll, "ada", &[1]).await),
            Code::AlreadyVoted
        );
    };
    again(&lab.another().await).await;
    for _ in 0..40 {
        let other = lab.open().await.id;
        lab.vote(other, "ada", &[2]).await.unwrap();
    }
    again(&lab).await;
    lab.engine.shutdown().await;
    again(&lab.another().await).await;
    assert_eq!(lab.another().await.proven(poll).await.ballots, 1);
}

/// Neither by its id nor by a position.
pub async fn an_option_of_another_poll_is_refused(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let (poll, other) = (lab.open().await, lab.open().await);
    for chosen in [
        Chosen::Option(other.options[0].id),
        Chosen::Options(vec![poll.options[0].id, other.options[1].id]),
        Chosen::Positions(vec![3]),
        Chosen::Positions(vec![255]),
    ] {
        let ballot = Ballot::new(poll.id, Voter::anyone("ada"), chosen);
        assert_eq!(refused(lab.cast(ballot.clone()).await), Code::OptionUnknown);
        let batch = lab
            .engine
            .votes()
            .cast_all(&ANYONE, poll.id, vec![Ok(ballot)]);
        let outcome = batch.await.unwrap().remove(0);
        assert_eq!(refused(outcome), Code::OptionUnknown);
    }
    assert_eq!(lab.proven(poll.id).await.ballots, 0);
    assert_eq!(lab.proven(other.id).await.ballots, 0);
}

/// Nobody is a voter whom nothing stops from voting again.
pub async fn a_vote_without_a_voter_is_refused(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let named = |text: &str| Voter::named(Some(text.to_owned()));
    let cast = async |actor: &Actor, poll: &PollView, voter: Voter| {
        let ballot = Ballot::of(poll.id, voter, [0]);
        refused(lab.engine.votes().cast(actor, ballot).await)
    };
    let anyone = lab.open().await;
    assert_eq!(
        cast(&ANYONE, &anyone, Voter::named(None)).await,
        Code::VoterRequired
    );
    assert_eq!(cast(&ANYONE, &anyone, named("")).await, Code::Invalid);
    let long = "a".repeat(201);
    assert_eq!(cast(&ANYONE, &anyone, named(&long)).await, Code::Invalid);
    lab.vote(anyone.id, &long[1..], &[0]).await.unwrap();
    let vouched = lab.create(tea().voters(Voters::Vouched).published()).await;
    let system = &Actor::System;
    assert_eq!(
        cast(system, &vouched, Voter::Caller).await,
        Code::VoterRequired
    );
    let registered = lab
        .create(tea().voters(Voters::Registered).published())
        .await;
    assert_eq!(
        cast(&ANYONE, &registered, Voter::Caller).await,
        Code::Unauthorized
    );
    assert_eq!(
        cast(system, &registered, Voter::Caller).await,
        Code::VoterRequired
    );
    assert_eq!(lab.proven(anyone.id).await.ballots, 1);
}

/// Nobody votes under somebody else's name.
pub async fn a_voter_of_another_kind_is_refused(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let (ada, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
    let user = Actor::user(ada);
    let text = || Voter::named(Some("ada".into()));
    let cast = async |actor: &Actor, voters: Voters, voter: Voter| {
        let poll = lab.create(tea().voters(voters).published()).await.id;
        let cast = lab
            .engine
            .votes()
            .cast(actor, Ballot::of(poll, voter, [0]))
            .await;
        cast.map_err(|error| error.code())
            .map(|receipt| receipt.voter)
    };
    let forbidden = Err(Code::Forbidden);
    use Voters::{Anyone, Registered, Vouched};
    assert_eq!(cast(&ANYONE, Anyone, text()).await, Ok(Some("ada".into())));
    assert_eq!(
        cast(&ANYONE, Anyone, Voter::vouched("ada")).await,
        forbidden
    );
    assert_eq!(
        cast(&Actor::System, Anyone, Voter::user(ada)).await,
        forbidden
    );
    assert_eq!(cast(&ANYONE, Vouched, text()).await, forbidden);
    assert_eq!(cast(&user, Vouched, text()).await, forbidden);
    let stranger = Actor::manage_token(TokenHash::of("pm_other"));
    assert_eq!(cast(&stranger, Vouched, text()).await, forbidden);
    assert_eq!(
        cast(&Actor::System, Vouched, text()).await,
        Ok(Some("ada".into()))
    );
    assert_eq!(
        cast(&Actor::System, Vouched, Voter::anyone("ada")).await,
        forbidden
    );
    assert_eq!(cast(&user, Registered, Voter::Caller).await, Ok(None));
    assert_eq!(cast(&user, Registered, Voter::user(ada)).await, Ok(None));
    assert_eq!(cast(&user, Registered, Voter::user(bob)).await, forbidden);
    assert_eq!(cast(&user, Registered, text()).await, forbidden);
    assert_eq!(
        cast(&Actor::System, Registered, Voter::user(bob)).await,
        Ok(None)
    );
}

/// Who manages a poll may vouch: its creator, and who holds its manage token.
pub async fn who_manages_a_poll_may_vouch(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let ada = Actor::user(UserId::from_bytes([1; 16]));
    let polls = lab.engine.polls();
    let hers = polls
        .create(&ada, tea().voters(Voters::Vouched).published())
        .await
        .unwrap();
    let new = tea().voters(Voters::Vouched).published();
    let theirs = polls.create(&ANYONE, new).await.unwrap();
    let token = lab
        .engine
        .authenticate(theirs.manage_token.as_deref().unwrap())
        .await;
    for (manager, poll) in [(&ada, hers.id), (&token.unwrap(), theirs.id)] {
        let vote = Ballot::of(poll, Voter::vouched("bob"), [0]);
        lab.engine.votes().cast(manager, vote).await.unwrap();
        assert_eq!(lab.proven(poll).await.ballots, 1);
    }
}

/// Ballots are voters; selections are more.
pub async fn selections_are_not_counted_as_voters(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.create(toppings().published()).await.id;
    lab.vote(poll, "ada", &[0, 1, 2]).await.unwrap();
    lab.vote(poll, "bob", &[2, 0]).await.unwrap();
    let results = lab.proven(poll).await;
    assert_eq!((results.ballots, votes(&results)), (2, vec![2, 1, 2, 0]));
}

/// Too few, too many, doubled.
pub async fn a_selection_that_does_not_fit_the_poll_is_refused(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let single = lab.open().await.id;
    let multiple = lab.create(toppings().published()).await.id;
    for (poll, positions) in [
        (single, &[][..]),
        (single, &[0, 1]),
        (single, &[1, 1]),
        (multiple, &[]),
        (multiple, &[0]),
        (multiple, &[0, 1, 2, 3]),
        (multiple, &[1, 2, 1]),
    ] {
        let refusal = refused(lab.vote(poll, "ada", positions).await);
        assert_eq!(refusal, Code::SelectionInvalid, "{positions:?}");
        let refusal = refused(lab.change(ballot(poll, "ada", positions)).await);
        assert_eq!(refusal, Code::SelectionInvalid, "{positions:?}");
    }
    assert_eq!(lab.proven(single).await.ballots, 0);
    assert_eq!(lab.proven(multiple).await.ballots, 0);
}

/// A disconnect removes no vote: neither one that waits for its commit, nor one that was answered.
pub async fn who_stops_waiting_does_not_take_the_ballot_back(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(store);
    let lab = Lab::on(held.clone()).await;
    let poll = lab.open().await.id;
    lab.vote(poll, "ada", &[0]).await.unwrap();
    held.record.shut();
    {
        let mut leaving = std::pin::pin!(lab.vote(poll, "bob", &[1]));
        tokio::select! {
            biased;
            _ = &mut leaving => panic!("nobody is answered while the store is held"),
            () = held.record.somebody_waits() => {}
        }
    }
    held.record.open();
    let receipt = lab.vote(poll, "bob", &[1]).await.unwrap();
    assert!(!receipt.created, "the ballot was recorded before");
    assert_eq!(votes(&lab.proven(poll).await), [1, 1, 0]);
}

/// What was accepted is answered; what comes later is told that nothing was done.
pub async fn what_was_accepted_is_answered_at_the_shutdown(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(store);
    let lab = Arc::new(Lab::on(held.clone()).await);
    let poll = lab.open().await.id;
    held.record.shut();
    let waiting: Vec<_> = ["ada", "bob", "eve"]
        .map(|voter| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move { lab.vote(poll, voter, &[0]).await })
        })
        .into();
    held.record.somebody_waits().await;
    let shutdown = tokio::spawn({
        let lab = Arc::clone(&lab);
        async move { lab.engine.shutdown().await }
    });
    while lab.engine.ready().await.is_ok() {
        tokio::task::yield_now().await;
    }
    held.record.open();
    shutdown.await.unwrap();
    let mut answered = 0;
    for vote in waiting {
        match vote.await.unwrap() {
            Ok(_) => answered += 1,
            // It had not come as far as the queue.
            Err(error) => assert_eq!(error.code(), Code::Unavailable),
        }
    }
    assert!(answered >= 1);
    assert_eq!(lab.another().await.proven(poll).await.ballots, answered);
}

/// A batch is taken into the queue whole, or refused whole.
pub async fn a_batch_that_finds_no_room_is_refused_whole(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(store);
    let lab = Lab::with(held.clone(), |settings| {
        (settings.queue_ballots, settings.request_ballots) = (8, 8);
    });
    let lab = Arc::new(lab.await);
    let poll = lab.open().await.id;
    held.record.shut();
    let first = tokio::spawn({
        let lab = Arc::clone(&lab);
        async move { lab.vote(poll, "first", &[0]).await }
    });
    held.record.somebody_waits().await;
    let batch = |name: &'static str| {
        let ballots = (0..5).map(move |n| Ok(ballot(poll, &format!("{name} {n}"), &[1])));
        let (lab, ballots) = (Arc::clone(&lab), ballots.collect());
        async move { lab.engine.votes().cast_all(&ANYONE, poll, ballots).await }
    };
    let mut second = Box::pin(batch("second"));
    // Once polled, it has its places in the queue.
    assert!(futures_util::poll!(&mut second).is_pending());
    assert_eq!(refused(batch("third").await), Code::Overloaded);
    held.record.open();
    first.await.unwrap().unwrap();
    assert!(second.await.unwrap().iter().all(Result::is_ok));
    assert_eq!(votes(&lab.proven(poll).await), [1, 5, 0]);
}

/// A voter who manages to be somebody else is somebody else: ids are compared byte by byte.
pub async fn voters_are_told_apart_byte_by_byte(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let new = NewPoll::single("Which?", ["A", "B"])
        .voters(Voters::Anyone)
        .published();
    let poll = lab.create(new).await.id;
    let voters = [
        "ada",
        "Ada",
        " ada",
        "ada\0",
        "a\u{308}",
        "ä",
        "'; DROP TABLE votes",
        "🦉",
    ];
    for voter in voters {
        let receipt = lab.vote(poll, voter, &[0]).await.unwrap();
        assert_eq!(
            (receipt.created, receipt.voter.as_deref()),
            (true, Some(voter))
        );
    }
    assert_eq!(lab.proven(poll).await.ballots, 8);
}
