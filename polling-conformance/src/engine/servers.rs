//! Several servers on one store, and nothing between them but what the store gives.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use polling_core::polls::{PollPatch, ShowResults, Voters};
use polling_core::results::{Update, Viewer};
use polling_core::vote_tokens::{NewVoteTokens, Revocation};
use polling_core::votes::Chosen;
use polling_core::{Actor, Ballot, Clock, Code, PollId, Repository, Voter};

use super::lab::{ANYONE, Lab, ballot, hidden, refused, results, tea, votes};
use crate::faulty::FaultyStore;

/// A poll that shows its results to who has voted, and lets them change their mind.
async fn for_voters(lab: &Lab) -> PollId {
    let new = tea().show_results(ShowResults::AfterVote).allow_change();
    lab.create(new.published()).await.id
}

/// Who withdraws through one server is seen as a voter by none.
pub async fn a_withdrawal_at_another_server_hides_the_results_again(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let poll = for_voters(&lab).await;
    for voter in ["ada", "bob"] {
        lab.vote(poll, voter, &[0]).await.unwrap();
    }
    let mut ada = other.subscribe(&ANYONE, poll, Some("ada")).await;
    let mut bob = other.subscribe(&ANYONE, poll, Some("bob")).await;
    for viewer in [&mut ada, &mut bob] {
        assert_eq!(results(viewer.update().await).ballots, 2);
    }
    lab.withdraw(poll, "ada").await.unwrap();
    hidden(other.told_in_time(&mut ada).await);
    assert_eq!(results(other.told_in_time(&mut bob).await).ballots, 1);
    lab.change(ballot(poll, "ada", &[2])).await.unwrap();
    let again = results(other.told_in_time(&mut ada).await);
    assert_eq!(votes(&again), [1, 0, 1]);
}

/// Whoever voted anywhere sees the results everywhere, the own vote in them. Where votes are for good, too.
pub async fn a_vote_at_another_server_shows_the_results(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let new = tea().show_results(ShowResults::AfterVote).published();
    let polls = [for_voters(&lab).await, lab.create(new).await.id];
    for poll in polls {
        let mut viewers = Vec::new();
        for n in 0..20 {
            let voter = n.to_string();
            viewers.push(other.subscribe(&ANYONE, poll, Some(&voter)).await);
        }
        let mut nobody = other.subscribe(&ANYONE, poll, None).await;
        for viewer in viewers.iter_mut().chain([&mut nobody]) {
            hidden(viewer.update().await);
        }
        for (n, viewer) in viewers.iter_mut().enumerate() {
            let receipt = lab.vote(poll, &n.to_string(), &[1]).await.unwrap();
            let first = results(other.told_in_time(viewer).await);
            assert!(first.revision >= receipt.revision, "without the own vote");
        }
        assert!(futures_util::poll!(Box::pin(nobody.update())).is_pending());
    }
}

/// A server whose own votes have carried its results past those of another one still learns who voted there.
pub async fn news_from_another_server_is_not_drowned_by_votes_here(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let poll = for_voters(&lab).await;
    let mut ada = other.subscribe(&ANYONE, poll, Some("ada")).await;
    hidden(ada.update().await);
    for n in 0..3 {
        let receipt = lab.change(ballot(poll, "ada", &[n])).await.unwrap();
        other.vote(poll, &format!("{n}"), &[0]).await.unwrap();
        let seen = results(other.told_in_time(&mut ada).await);
        assert!(seen.revision >= receipt.revision, "without the own vote");
        lab.withdraw(poll, "ada").await.unwrap();
        other.vote(poll, &format!("{n} too"), &[0]).await.unwrap();
        // As long as nobody has looked, the results come to a voter.
        while let Update::Results(_) = other.told_in_time(&mut ada).await {}
    }
}

/// One question for all, and then a bounded number of reads at once for what has moved.
pub async fn every_watched_poll_is_asked_about_at_once(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(Arc::clone(&store));
    let watching = Lab::on(held.clone()).await;
    let elsewhere = Lab::on(store).await;
    let mut viewers = Vec::new();
    for _ in 0..40 {
        let poll = elsewhere.open().await.id;
        let mut viewer = watching.subscribe(&ANYONE, poll, None).await;
        results(viewer.update().await);
        elsewhere.vote(poll, "ada", &[0]).await.unwrap();
        viewers.push(viewer);
    }
    let began = watching.clock.now();
    for viewer in &mut viewers {
        let told = watching.told_in_time(viewer).await;
        assert_eq!(results(told).ballots, 1);
    }
    let most = held.polls_asked.most();
    assert!((2..=8).contains(&most), "{most} polls were read at once");
    let asked = held.revisions_asked.asked() as u64;
    let seconds = watching.clock.now().since(began).as_secs();
    assert!(asked <= seconds, "{asked} questions in {seconds} s");
}

/// What is read is read from the store, whatever is remembered here.
pub async fn what_another_server_changed_is_read_at_once(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let (system, poll) = (&Actor::System, lab.open().await.id);
    // Known here, and watched.
    other.vote(poll, "ada", &[0]).await.unwrap();
    let mut viewer = other.subscribe(&ANYONE, poll, None).await;
    results(viewer.update().await);
    lab.vote(poll, "bob", &[1]).await.unwrap();
    let read = other.engine.results().read(&ANYONE, poll, None).await;
    assert_eq!(read.unwrap().results().ballots, 2);
    let mut second = other.subscribe(&ANYONE, poll, None).await;
    assert_eq!(results(second.update().await).ballots, 2);
    let mut patch = PollPatch::default();
    patch.show_results = Some(ShowResults::Managers);
    lab.engine.polls().edit(system, poll, patch).await.unwrap();
    let read = other.engine.results().read(&ANYONE, poll, None).await;
    assert_eq!(refused(read), Code::ResultsHidden);
    lab.engine.polls().close(system, poll).await.unwrap();
    let seen = other.read(poll).await;
    assert!(seen.results.unwrap().is_final);
    assert_eq!(
        refused(other.vote(poll, "eve", &[0]).await),
        Code::PollClosed
    );
    lab.engine.polls().delete(system, poll).await.unwrap();
    let read = other.engine.polls().read(system, poll, None).await;
    assert_eq!(refused(read), Code::PollNotFound);
}

/// What was remembered of a poll is true of it as long as it is there.
pub async fn a_poll_that_another_server_deleted_refuses_nobody_from_memory(
    store: Arc<dyn Repository>,
) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let (system, votes) = (&Actor::System, other.engine.votes());
    for ask in 0..6 {
        let poll = for_voters(&lab).await;
        other.vote(poll, "ada", &[0]).await.unwrap();
        let unknown = ballot(poll, "bob", &[9]);
        let nobody = Ballot::new(poll, Voter::Caller, Chosen::Positions(vec![0]));
        assert_eq!(
            refused(other.cast(unknown.clone()).await),
            Code::OptionUnknown
        );
        assert_eq!(
            refused(other.cast(nobody.clone()).await),
            Code::VoterRequired
        );
        lab.engine.polls().delete(system, poll).await.unwrap();
        let gone = match ask {
            0 => refused(other.cast(unknown).await),
            1 => refused(other.cast(nobody).await),
            2 => refused(other.change(unknown).await),
            3 => refused(votes.withdraw(&ANYONE, poll, &Voter::Caller).await),
            4 => refused(votes.read(&ANYONE, poll, &Voter::Caller).await),
            _ => {
                let ballots = vec![Ok(ballot(poll, "eve", &[0])), Ok(unknown)];
                refused(votes.cast_all(&ANYONE, poll, ballots).await)
            }
        };
        assert_eq!(gone, Code::PollNotFound, "{ask}");
    }
}

/// Reads, first results and retries: all of them say so.
pub async fn a_store_that_is_lost_answers_nothing_from_memory(store: Arc<dyn Repository>) {
    let held = FaultyStore::new(store);
    let lab = Lab::on(held.clone()).await;
    let poll = lab.open().await.id;
    lab.vote(poll, "ada", &[0]).await.unwrap();
    let mut viewer = lab.subscribe(&ANYONE, poll, None).await;
    results(viewer.update().await);
    held.is_lost.store(true, Ordering::SeqCst);
    let (service, ada) = (lab.engine.results(), Voter::anyone("ada"));
    let answers = [
        refused(service.read(&ANYONE, poll, None).await),
        refused(service.watch(&ANYONE, poll).await),
        refused(service.subscribe(&ANYONE, poll, Viewer::default()).await),
        refused(lab.engine.polls().read(&ANYONE, poll, None).await),
        refused(lab.engine.votes().read(&ANYONE, poll, &ada).await),
        refused(lab.vote(poll, "eve", &[9]).await),
    ];
    assert_eq!(answers, [Code::Unavailable; 6]);
    // Who watched before goes on to watch.
    assert!(futures_util::poll!(Box::pin(viewer.update())).is_pending());
    held.is_lost.store(false, Ordering::SeqCst);
    lab.vote(poll, "bob", &[0]).await.unwrap();
    assert_eq!(results(viewer.update().await).ballots, 2);
}

/// Also by whoever showed it here before, and whatever was voted with it stays.
pub async fn a_token_that_another_server_revoked_votes_no_more(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let (Some(tokens), Some(there)) = (lab.engine.vote_tokens(), other.engine.vote_tokens()) else {
        return;
    };
    let new = tea().voters(Voters::Tokens).allow_change().published();
    let poll = lab.create(new).await.id;
    let made = tokens
        .make(&Actor::System, poll, &NewVoteTokens::count(2))
        .await;
    let texts = made.unwrap().tokens;
    let mut holders = Vec::new();
    for text in &texts {
        holders.push(lab.engine.authenticate(text).await.unwrap());
    }
    let own = |position| Ballot::of(poll, Voter::Caller, [position]);
    let votes = lab.engine.votes();
    assert!(votes.cast(&holders[0], own(0)).await.unwrap().created);
    let which = Revocation::these(texts.clone());
    let revoked = there.revoke(&Actor::System, poll, &which).await.unwrap();
    assert_eq!(revoked.revoked, 2);
    for (holder, text) in holders.iter().zip(&texts) {
        let answers = [
            refused(votes.cast(holder, own(0)).await),
            refused(votes.cast_all(holder, poll, vec![Ok(own(0))]).await),
            refused(votes.change(holder, own(1)).await),
            refused(votes.withdraw(holder, poll, &Voter::Caller).await),
            refused(votes.read(holder, poll, &Voter::Caller).await),
            refused(lab.engine.authenticate(text).await),
        ];
        assert_eq!(answers, [Code::Unauthorized; 6]);
    }
    assert_eq!(lab.proven(poll).await.ballots, 1);
}
