//! The port of the polls: keeping, listing and deleting them.

use std::sync::Arc;
use std::time::Duration;

use polling_core::polls::{
    Advanced, Choice, Description, Edited, ListQuery, Poll, PollRecord, Question, ShowResults,
    Status, Step, Voters,
};
use polling_core::results::Tally;
use polling_core::{PollId, Repository, Timestamp, TokenHash, UserId};

use super::steps::edit_of;
use crate::fixtures::{Ports, noon, window};

/// Whatever a poll holds comes back as it was.
pub async fn a_poll_is_found_as_it_was_kept(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (plain, plain_tally) = ports.poll(Status::Draft);
    let (rich, rich_tally) = ports.poll_with(Status::Open, window(Some(-5), Some(5)));
    let rich = Poll {
        question: Question::from_store("¿Té o café? 🫖\u{200d}\"'; DROP".into()),
        description: Some(Description::from_store("Two\nlines\r\n\tand a tab".into())),
        choice: Choice::Single,
        voters: Voters::Registered,
        allow_change: false,
        listed: true,
        creator: Some(UserId::from_bytes([3; 16])),
        manage_token: Some(TokenHash::of("pm_secret")),
        version: 9_000_000_000,
        created_at: Timestamp::from_millis(-1),
        updated_at: Timestamp::from_millis(i64::MAX),
        options: ports.options(255),
        ..rich
    };
    let rich_tally = Tally {
        show_results: ShowResults::AfterVote,
        revision: 5_000_000_000,
        counts: vec![0; 255],
        ..rich_tally
    };
    for (poll, tally) in [(plain, plain_tally), (rich, rich_tally)] {
        ports.keep((poll.clone(), tally.clone())).await;
        let found = ports.store.polls().find(poll.id).await.unwrap().unwrap();
        assert_eq!((&*found.poll, &found.tally), (&poll, &tally));
        assert_eq!(ports.tally(poll.id).await, tally);
    }
}

/// Every word that a store keeps is read back as the same word.
pub async fn every_status_visibility_and_kind_of_voters_is_kept(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    use ShowResults::{AfterClose, AfterVote, Always, Managers};
    for status in Status::ALL {
        for show_results in [Always, AfterVote, AfterClose, Managers] {
            for voters in Voters::ALL {
                let (poll, tally) = ports.poll(status);
                let poll = Poll { voters, ..poll };
                let tally = Tally {
                    show_results,
                    ..tally
                };
                let id = ports.keep((poll.clone(), tally.clone())).await;
                let found = ports.store.polls().find(id).await.unwrap().unwrap();
                assert_eq!((&*found.poll, &found.tally), (&poll, &tally));
            }
        }
    }
}

/// Nothing is made up.
pub async fn a_poll_that_was_never_kept_is_not_there(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    ports.kept(Status::Open).await;
    let (poll, _) = ports.poll(Status::Open);
    let polls = ports.store.polls();
    assert!(polls.find(poll.id).await.unwrap().is_none());
    let advanced = polls.advance(poll.id, Step::Close, noon(0)).await.unwrap();
    assert!(matches!(advanced, Advanced::Missing));
    let edited = polls.edit(&edit_of(&poll, Status::Open)).await.unwrap();
    assert!(matches!(edited, Edited::Missing));
    assert_eq!(polls.delete(poll.id, noon(0)).await.unwrap(), None);
    let unknown = TokenHash::of("pm_unknown");
    assert!(!polls.knows_manage_token(unknown).await.unwrap());
    assert!(!polls.purge(10).await.unwrap());
}

/// An id is kept once, and a failed step leaves nothing.
pub async fn a_second_poll_with_the_same_id_changes_nothing(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let first = ports.poll(Status::Open);
    let id = ports.keep(first.clone()).await;
    let (second, tally) = ports.poll(Status::Open);
    let second = Poll { id, ..second };
    assert!(ports.store.polls().insert(&second, &tally).await.is_err());
    let found = ports.store.polls().find(id).await.unwrap().unwrap();
    assert_eq!((&*found.poll, &found.tally), (&first.0, &first.1));
}

/// At once, whatever rows of it are still to be purged; and it stays so.
pub async fn a_deleted_poll_is_gone_for_every_method(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let other = ports.kept(Status::Open).await;
    let (poll, tally) = ports.poll_with(Status::Open, window(None, Some(10)));
    let poll = Poll {
        listed: true,
        creator: Some(UserId::from_bytes([3; 16])),
        manage_token: Some(TokenHash::of("pm_secret")),
        ..poll
    };
    let id = ports.keep((poll.clone(), tally)).await;
    let ballot = ports.named_ballot(id, 1, &[0]);
    ports.cast(&ballot).await;
    let (polls, votes) = (ports.store.polls(), ports.store.votes());
    votes.withdraw(id, &ballot.voter, noon(0)).await.unwrap();
    assert_eq!(polls.delete(id, noon(1)).await.unwrap(), Some(4));
    for purged in [false, true] {
        assert!(polls.find(id).await.unwrap().is_none());
        let advanced = polls.advance(id, Step::Close, noon(1)).await.unwrap();
        assert!(matches!(advanced, Advanced::Missing));
        let edited = polls.edit(&edit_of(&poll, Status::Open)).await.unwrap();
        assert!(matches!(edited, Edited::Missing));
        assert_eq!(polls.delete(id, noon(2)).await.unwrap(), None);
        assert_eq!(polls.upcoming(Duration::ZERO, 9).await.unwrap(), []);
        let mut query = ListQuery::listed(9);
        query.everything = true;
        assert_eq!(ids(&polls.list(&query).await.unwrap()), [other]);
        query.everything = false;
        query.creator = poll.creator;
        query.manage_tokens = poll.manage_token.into_iter().collect();
        assert_eq!(ids(&polls.list(&query).await.unwrap()), []);
        assert!(votes.find(id, &ballot.voter).await.unwrap().is_none());
        let superseded = votes.is_superseded(id, &ballot.voter, ballot.id).await;
        assert!(!superseded.unwrap());
        let results = ports.store.results();
        assert!(results.tally(id).await.unwrap().is_none());
        assert!(results.recount(id).await.unwrap().is_none());
        let revisions = results.revisions(&[id, other]).await.unwrap();
        assert_eq!(revisions, [None, Some(1)]);
        assert_eq!(results.orphans().await.unwrap(), 0, "purged: {purged}");
        while polls.purge(1).await.unwrap() {}
    }
}

/// So that a repeated request to delete finds no poll, and not a bad token.
pub async fn a_manage_token_is_known_also_after_its_poll_is_purged(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let token = TokenHash::of("pm_secret");
    let (poll, tally) = ports.poll(Status::Open);
    let poll = Poll {
        manage_token: Some(token),
        ..poll
    };
    let polls = ports.store.polls();
    assert!(!polls.knows_manage_token(token).await.unwrap());
    let id = ports.keep((poll, tally)).await;
    assert!(polls.knows_manage_token(token).await.unwrap());
    polls.delete(id, noon(0)).await.unwrap();
    assert!(polls.knows_manage_token(token).await.unwrap());
    while polls.purge(100).await.unwrap() {}
    assert!(polls.knows_manage_token(token).await.unwrap());
    let other = TokenHash::of("pm_other");
    assert!(!polls.knows_manage_token(other).await.unwrap());
}

/// A poll with many ballots goes in many steps, none of them larger than was asked for.
pub async fn purging_goes_in_bounded_steps_and_comes_to_an_end(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let polls = ports.store.polls();
    let mut kept = Vec::new();
    for _ in 0..2 {
        let id = ports.kept(Status::Open).await;
        let batch: Vec<_> = (0..25).map(|voter| ports.ballot(id, voter, &[0])).collect();
        ports.record(&batch).await;
        kept.push(id);
    }
    let stays = ports.kept(Status::Open).await;
    ports.cast(&ports.ballot(stays, 1, &[2])).await;
    for id in kept {
        polls.delete(id, noon(0)).await.unwrap();
    }
    let mut steps = 1;
    while polls.purge(10).await.unwrap() {
        steps += 1;
        assert!(steps < 100, "purging does not come to an end");
    }
    assert!(steps >= 5, "50 ballots went in {steps} steps of 10 rows");
    assert!(!polls.purge(10).await.unwrap());
    assert_eq!(ports.store.results().orphans().await.unwrap(), 0);
    assert_eq!(ports.proven(stays).await.ballots, 1);
}

/// Drafts are their owners' only, and whoever asks for everything gets it.
pub async fn a_listing_holds_what_its_caller_may_list(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (ada, token) = (UserId::from_bytes([1; 16]), TokenHash::of("pm_secret"));
    let keep = async |status, listed, creator, manage_token| {
        let (poll, tally) = ports.poll(status);
        let poll = Poll {
            listed,
            creator,
            manage_token,
            ..poll
        };
        ports.keep((poll, tally)).await
    };
    let other = Some(UserId::from_bytes([2; 16]));
    let public = keep(Status::Open, true, other, None).await;
    let hidden = keep(Status::Open, false, other, None).await;
    let draft = keep(Status::Draft, true, other, None).await;
    let hers = keep(Status::Draft, false, Some(ada), None).await;
    let hers_listed = keep(Status::Closed, true, Some(ada), None).await;
    let with_token = keep(Status::Draft, true, None, Some(token)).await;
    let list = async |query: ListQuery| ids(&ports.store.polls().list(&query).await.unwrap());

    let mut query = ListQuery::listed(9);
    assert_eq!(list(query.clone()).await, [hers_listed, public]);
    query.creator = Some(ada);
    assert_eq!(list(query.clone()).await, [hers_listed, hers, public]);
    query.manage_tokens = vec![TokenHash::of("pm_other"), token];
    let own = [with_token, hers_listed, hers, public];
    assert_eq!(list(query.clone()).await, own);
    query.limit = 2;
    assert_eq!(list(query.clone()).await, own[..2]);
    query.before = Some(hers_listed);
    assert_eq!(list(query.clone()).await, own[2..]);
    let mut everything = ListQuery::listed(9);
    everything.everything = true;
    let all = [with_token, hers_listed, hers, draft, hidden, public];
    assert_eq!(list(everything.clone()).await, all);
    everything.before = Some(draft);
    assert_eq!(list(everything).await, all[4..]);
}

/// By the bytes of what was found, with one poll more than fits, and never fewer than two.
pub async fn a_listing_ends_once_it_is_full(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let description = |length: usize| Some(Description::from_store("é".repeat(length / 2)));
    let mut kept = Vec::new();
    let mut bytes = 0;
    for length in [40_000, 10_000, 10_000, 10_000] {
        let (poll, tally) = ports.poll(Status::Open);
        let poll = Poll {
            description: description(length),
            options: ports.options(20),
            listed: true,
            ..poll
        };
        bytes = poll.estimated_bytes();
        kept.insert(0, ports.keep((poll, tally)).await);
    }
    let list = async |bytes| {
        let mut query = ListQuery::listed(9);
        query.bytes = bytes;
        ids(&ports.store.polls().list(&query).await.unwrap())
    };
    assert_eq!(list(usize::MAX).await, kept);
    assert_eq!(list(bytes * 3).await, kept);
    assert_eq!(list(bytes * 3 - 1).await, kept[..3]);
    assert_eq!(list(bytes * 2).await, kept[..3]);
    assert_eq!(list(bytes * 2 - 1).await, kept[..2]);
    assert_eq!(list(1).await, kept[..2]);
}

fn ids(records: &[PollRecord]) -> Vec<PollId> {
    records.iter().map(|record| record.poll.id).collect()
}
