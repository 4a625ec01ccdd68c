//! Editing and publishing: what may change when, and by whom.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use polling_core::polls::{
    NewChoice, NewOption, PollError, PollPatch, ShowResults, Status, Voters,
};
use polling_core::votes::VoteError;
use polling_core::{
    Actor, Clock, Code, Fault, NewPoll, PollView, Repository, TokenHash, UserId, Voter,
};

use super::lab::{ANYONE, Lab, ballot, refused, tea};

/// A patch of one field.
fn patch(set: impl FnOnce(&mut PollPatch)) -> PollPatch {
    let mut patch = PollPatch::default();
    set(&mut patch);
    patch
}

/// Each field with another value than [`tea`] has, its pointer, and the last status in which it may change.
fn each_field(lab: &Lab) -> Vec<(&'static str, Status, PollPatch)> {
    let later = |seconds| Some(Some(lab.clock.now().after(Duration::from_secs(seconds))));
    let options = ["Milk", "Juice", "Beer"].map(NewOption::from);
    use Status::{Closed, Draft, Open, Scheduled};
    vec![
        (
            "/question",
            Scheduled,
            patch(|p| p.question = Some("Milk?".into())),
        ),
        (
            "/description",
            Closed,
            patch(|p| p.description = Some(Some("Hot".into()))),
        ),
        (
            "/options",
            Draft,
            patch(|p| p.options = Some(options.into())),
        ),
        (
            "/choice",
            Draft,
            patch(|p| {
                p.choice = Some(NewChoice::multiple(1, 2));
            }),
        ),
        (
            "/voters",
            Draft,
            patch(|p| p.voters = Some(Voters::Vouched)),
        ),
        (
            "/show_results",
            Closed,
            patch(|p| p.show_results = Some(ShowResults::Managers)),
        ),
        (
            "/allow_change",
            Scheduled,
            patch(|p| p.allow_change = Some(true)),
        ),
        ("/listed", Closed, patch(|p| p.listed = Some(true))),
        ("/opens_at", Scheduled, patch(|p| p.opens_at = later(20))),
        ("/closes_at", Open, patch(|p| p.closes_at = later(200))),
    ]
}

/// The whole table of fields and statuses; what is locked says so with its pointer.
pub async fn what_may_change_depends_on_the_status(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    for status in Status::ALL {
        for (pointer, last, patch) in each_field(&lab) {
            let poll = lab.in_status(status, tea()).await;
            // The clock moved on to get there.
            let fields = each_field(&lab);
            let patch = fields
                .into_iter()
                .find(|field| field.0 == pointer)
                .map_or(patch, |f| f.2);
            let edited = lab
                .engine
                .polls()
                .edit(&Actor::System, poll.id, patch)
                .await;
            if status <= last {
                let edited = edited.unwrap();
                assert_eq!(edited.version, 2, "{pointer} of a {status:?} poll");
                let read = lab.read(poll.id).await;
                assert_eq!((read.version, &read.options), (2, &edited.options));
            } else {
                let error = edited.unwrap_err();
                let code = match status {
                    Status::Closing | Status::Closed => Code::PollClosed,
                    _ => Code::OptionsFixed,
                };
                assert_eq!(error.code(), code, "{pointer} of a {status:?} poll");
                let pointers: Vec<_> = error.fields().iter().map(|f| &*f.pointer).collect();
                assert_eq!(pointers, [pointer]);
                assert_eq!(lab.read(poll.id).await, poll);
            }
        }
    }
}

/// Sent with the values that it has: clients may send back what they read.
pub async fn a_change_that_changes_nothing_is_no_edit(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.in_status(Status::Closed, tea()).await;
    let same = patch(|p| {
        p.version = Some(1);
        p.question = Some(poll.question.clone());
        p.options = Some(
            poll.options
                .iter()
                .map(|option| NewOption::from(option.text.clone()))
                .collect(),
        );
        p.choice = Some(NewChoice::single());
        p.closes_at = Some(poll.closes_at);
    });
    lab.advance(1);
    let polls = lab.engine.polls();
    for patch in [same, PollPatch::default()] {
        let edited = polls.edit(&Actor::System, poll.id, patch).await.unwrap();
        assert_eq!(edited, poll);
    }
}

/// Who edits what they read is told when somebody was faster.
pub async fn another_version_is_a_conflict(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    let edits = (0..16_u8).map(|n| {
        let patch = patch(|p| {
            p.version = Some(1);
            p.description = Some(Some(format!("From {n}")));
        });
        lab.engine.polls().edit(&Actor::System, poll, patch)
    });
    let mut written = Vec::new();
    for edited in join_all(edits).await {
        match edited {
            Ok(view) => written.push(view),
            Err(PollError::VersionConflict { current }) => assert_eq!(current, 2),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(written, [lab.read(poll).await]);
}

/// Who does not say which version they mean is judged on the newest one, and loses nobody else's change.
pub async fn edits_at_once_are_all_written(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.open().await.id;
    let polls = lab.engine.polls();
    let describe = patch(|p| p.description = Some(Some("Hot".into())));
    let list = patch(|p| p.listed = Some(true));
    let hide = patch(|p| p.show_results = Some(ShowResults::AfterClose));
    let edits = [describe, list, hide].map(|patch| polls.edit(&Actor::System, poll, patch));
    for edited in join_all(edits).await {
        edited.unwrap();
    }
    let view = lab.read(poll).await;
    assert_eq!((view.version, view.listed), (4, true));
    assert_eq!(view.description.as_deref(), Some("Hot"));
    assert_eq!(view.show_results, ShowResults::AfterClose);
}

/// Its managers see it, and nobody else can tell that it is there.
pub async fn a_draft_is_hidden_from_everybody_else(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let (polls, votes) = (lab.engine.polls(), lab.engine.votes());
    let created = polls.create(&ANYONE, tea()).await.unwrap();
    let token = created.manage_token.clone().unwrap();
    let poll = created.id;
    let owner = lab.engine.authenticate(&token).await.unwrap();
    let other = Actor::manage_token(TokenHash::of("pm_other"));
    for stranger in [&ANYONE, &other, &Actor::user(UserId::from_bytes([1; 16]))] {
        let not_found = Code::PollNotFound;
        assert_eq!(refused(polls.read(stranger, poll, None).await), not_found);
        assert_eq!(
            refused(polls.edit(stranger, poll, PollPatch::default()).await),
            not_found
        );
        assert_eq!(refused(polls.publish(stranger, poll).await), not_found);
        assert_eq!(refused(polls.close(stranger, poll).await), not_found);
        assert_eq!(refused(polls.delete(stranger, poll).await), not_found);
        let vote = ballot(poll, "ada", &[0]);
        assert_eq!(refused(votes.cast(stranger, vote.clone()).await), not_found);
        assert_eq!(refused(votes.change(stranger, vote).await), not_found);
        assert_eq!(
            refused(votes.cast_all(stranger, poll, Vec::new()).await),
            not_found
        );
        let voter = Voter::anyone("ada");
        assert_eq!(refused(votes.read(stranger, poll, &voter).await), not_found);
        let results = lab.engine.results();
        assert_eq!(refused(results.read(stranger, poll, None).await), not_found);
        assert_eq!(refused(results.watch(stranger, poll).await), not_found);
        assert_eq!(refused(results.recount(stranger, poll).await), not_found);
    }
    let cast = votes.cast(&owner, ballot(poll, "ada", &[0])).await;
    assert!(matches!(cast, Err(VoteError::Draft)), "{cast:?}");
    assert_eq!(refused(polls.close(&owner, poll).await), Code::PollDraft);
    assert_eq!(
        polls.read(&owner, poll, None).await.unwrap().status,
        Status::Draft
    );
    polls.publish(&owner, poll).await.unwrap();
    assert_eq!(
        polls.read(&ANYONE, poll, None).await.unwrap().status,
        Status::Open
    );
}

/// Everybody else is told to sign in, or that they may not.
pub async fn only_who_manages_a_poll_may_change_it(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let polls = lab.engine.polls();
    let ada = Actor::user(UserId::from_bytes([1; 16]));
    let poll = polls.create(&ada, tea().published()).await.unwrap();
    assert_eq!(poll.creator_id, ada.user_id());
    assert!(poll.manage_token.is_none());
    let bob = Actor::user(UserId::from_bytes([2; 16]));
    for (actor, code) in [(&ANYONE, Code::Unauthorized), (&bob, Code::Forbidden)] {
        let edit = patch(|p| p.listed = Some(true));
        assert_eq!(refused(polls.edit(actor, poll.id, edit).await), code);
        assert_eq!(refused(polls.publish(actor, poll.id).await), code);
        assert_eq!(refused(polls.close(actor, poll.id).await), code);
        assert_eq!(refused(polls.delete(actor, poll.id).await), code);
        let recount = lab.engine.results().recount(actor, poll.id).await;
        assert_eq!(refused(recount), Code::Forbidden);
    }
    assert!(lab.engine.authenticate("pm_unknown").await.is_err());
    assert_eq!(polls.read(&ANYONE, poll.id, None).await.unwrap(), poll);
    polls.close(&ada, poll.id).await.unwrap();
}

/// Publishing again answers the same state; a draft whose end has passed cannot be published.
pub async fn publishing_is_done_once(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let polls = lab.engine.polls();
    let system = &Actor::System;
    let draft = lab.create(tea()).await;
    assert_eq!((draft.status, draft.version), (Status::Draft, 1));
    let published = join_all((0..8).map(|_| polls.publish(system, draft.id))).await;
    let published: Vec<PollView> = published.into_iter().map(Result::unwrap).collect();
    assert!(published.iter().all(|view| *view == published[0]));
    assert_eq!(published[0].status, Status::Open);
    assert_eq!(published[0].results.as_ref().unwrap().revision, 1);
    let over = lab.in_status(Status::Draft, tea()).await.id;
    lab.advance(100);
    assert_eq!(refused(polls.publish(system, over).await), Code::Invalid);
    let missing = polls
        .publish(system, polling_core::PollId::from_bytes([9; 16]))
        .await;
    assert_eq!(refused(missing), Code::PollNotFound);
}

/// Each field that breaks a rule is named, and nothing is kept.
pub async fn a_poll_that_breaks_rules_is_not_created(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let now = lab.clock.now();
    let many: Vec<String> = (0..256).map(|n| n.to_string()).collect();
    let table = [
        (NewPoll::single("", ["A", "B"]), "/question"),
        (NewPoll::single("a".repeat(501), ["A", "B"]), "/question"),
        (NewPoll::single("Q?", ["A"]), "/options"),
        (NewPoll::single("Q?", many), "/options"),
        (NewPoll::single("Q?", ["A", "B", "A"]), "/options/2"),
        (NewPoll::single("Q?", ["A", " "]), "/options/1"),
        (NewPoll::multiple("Q?", ["A", "B"], 0, 1), "/choice/min"),
        (NewPoll::multiple("Q?", ["A", "B"], 1, 3), "/choice/max"),
        (
            NewPoll::single("Q?", ["A", "B"]).closes_at(now),
            "/closes_at",
        ),
    ];
    for (new, pointer) in table {
        let error = lab
            .engine
            .polls()
            .create(&Actor::System, new)
            .await
            .unwrap_err();
        let fields: Vec<_> = error.fields().iter().map(|field| &*field.pointer).collect();
        assert_eq!(fields, [pointer]);
    }
    let page = lab
        .engine
        .polls()
        .list(&Actor::System, Default::default())
        .await;
    assert!(page.unwrap().items.is_empty());
}
