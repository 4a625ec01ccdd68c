//! Rights that a viewer loses while watching: what was seen by them is seen no more, whichever server took them away.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use polling_core::polls::{PollPatch, ShowResults, Voters};
use polling_core::results::{Subscription, Update, Viewer, WatchEnd};
use polling_core::users::{Email, User, UserName, UserRepository};
use polling_core::vote_tokens::{NewVoteTokens, Revocation};
use polling_core::workspaces::WorkspaceRole;
use polling_core::{Actor, Ballot, Clock, PollId, Repository, UserId, Voter};

use super::lab::{Lab, hidden, results, tea};
use super::memberships::{PROJECT, WORKSPACE, join, prepare, user};
use crate::faulty::FaultyStore;
use crate::fixtures::noon;

const ADA: UserId = UserId::from_bytes([1; 16]);

/// A poll of Ada's, whose results only its managers see.
async fn hers(lab: &Lab) -> PollId {
    let new = tea().show_results(ShowResults::Managers).published();
    let created = lab.engine.polls().create(&Actor::user(ADA), new).await;
    created.unwrap().id
}

/// Every server reads within a second what a member is now.
pub async fn a_role_that_another_server_takes_hides_the_results(store: Arc<dyn Repository>) {
    let Some(workspaces) = store.workspaces() else {
        return;
    };
    prepare(workspaces).await;
    join(workspaces, 2, WorkspaceRole::Collaborator).await;
    let lab = Lab::on(Arc::clone(&store)).await;
    let new = tea()
        .show_results(ShowResults::Managers)
        .in_project(PROJECT);
    let poll = lab.create(new.published()).await.id;
    let cora = Actor::user(user(2));
    let mut viewer = lab.subscribe(&cora, poll, None).await;
    let first = results(viewer.update().await);
    let mut live = lab.engine.results().watch(&cora, poll).await.unwrap();
    assert_eq!(live.next().await.unwrap(), first);
    let becomes = async |role| {
        let set = workspaces.set_role(WORKSPACE, user(2), role);
        set.await.unwrap()
    };
    becomes(WorkspaceRole::Viewer).await;
    hidden(lab.told_in_time(&mut viewer).await);
    assert_eq!(live.next().await, None);
    assert_eq!(live.ended(), Some(WatchEnd::RightsLost));
    becomes(WorkspaceRole::Collaborator).await;
    assert_eq!(results(lab.told_in_time(&mut viewer).await), first);
    let removed = workspaces.remove_member(WORKSPACE, user(2));
    removed.await.unwrap();
    hidden(lab.told_in_time(&mut viewer).await);
}

/// Who has voted as a member sees what voters see as long as they are one.
pub async fn who_is_no_member_any_more_is_no_voter(store: Arc<dyn Repository>) {
    let Some(workspaces) = store.workspaces() else {
        return;
    };
    prepare(workspaces).await;
    join(workspaces, 2, WorkspaceRole::Viewer).await;
    let lab = Lab::on(Arc::clone(&store)).await;
    let new = tea().voters(Voters::Members).in_project(PROJECT);
    let new = new.show_results(ShowResults::AfterVote).published();
    let poll = lab.create(new).await.id;
    let vera = Actor::user(user(2));
    let own = Ballot::of(poll, Voter::Caller, [0]);
    lab.engine.votes().cast(&vera, own).await.unwrap();
    let mut viewer = lab.subscribe(&vera, poll, None).await;
    assert_eq!(results(viewer.update().await).ballots, 1);
    let removed = workspaces.remove_member(WORKSPACE, user(2));
    removed.await.unwrap();
    hidden(lab.told_in_time(&mut viewer).await);
}

/// At that moment, without a question to anybody; signing in anew brings the results back.
pub async fn a_sign_in_that_is_over_hides_the_results(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let (poll, open) = (hers(&lab).await, lab.open().await.id);
    let signed_in = |lab: &Lab| Actor::user_until(ADA, lab.clock.now().after(MINUTE));
    let actor = signed_in(&lab);
    let mut viewer = lab.subscribe(&actor, poll, None).await;
    let first = results(viewer.update().await);
    let mut of_open = lab.subscribe(&actor, open, None).await;
    results(of_open.update().await);
    let mut live = lab.engine.results().watch(&actor, poll).await.unwrap();
    assert_eq!(live.next().await.unwrap(), first);
    lab.advance(59);
    assert!(viewer.update().now_or_never().is_none());
    let (told, ()) = tokio::join!(viewer.update(), async { lab.advance(1) });
    hidden(told);
    assert_eq!(live.next().await, None);
    assert_eq!(live.ended(), Some(WatchEnd::RightsLost));
    // What everybody sees, nobody loses.
    assert!(of_open.update().now_or_never().is_none());
    // Whoever comes with it now is nobody.
    hidden(lab.subscribe(&actor, poll, None).await.update().await);
    viewer.set_actor(&signed_in(&lab));
    assert_eq!(results(viewer.update().await), first);
}

const MINUTE: Duration = Duration::from_secs(60);

/// A poll of vote tokens that shows its results to who has voted, and as many holders who have.
async fn of_tokens(lab: &Lab, count: usize) -> Option<(PollId, Vec<String>, Vec<Actor>)> {
    let tokens = lab.engine.vote_tokens()?;
    let new = tea().voters(Voters::Tokens);
    let new = new.show_results(ShowResults::AfterVote).published();
    let poll = lab.create(new).await.id;
    let count = NewVoteTokens::count(count);
    let made = tokens.make(&Actor::System, poll, &count).await.unwrap();
    let mut holders = Vec::new();
    for text in &made.tokens {
        let holder = lab.engine.authenticate(text).await.unwrap();
        let own = Ballot::of(poll, Voter::Caller, [0]);
        lab.engine.votes().cast(&holder, own).await.unwrap();
        holders.push(holder);
    }
    Some((poll, made.tokens, holders))
}

async fn revoke(lab: &Lab, poll: PollId, tokens: &[String]) {
    let which = Revocation::these(tokens.to_vec());
    let port = lab.engine.vote_tokens().unwrap();
    let revoked = port.revoke(&Actor::System, poll, &which).await.unwrap();
    assert_eq!(revoked.revoked, tokens.len() as u64);
}

/// Here at once, and within a second where another server took it.
pub async fn a_revoked_vote_token_hides_the_results(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let Some((poll, tokens, holders)) = of_tokens(&lab, 2).await else {
        return;
    };
    let mut viewers = Vec::new();
    for holder in holders {
        viewers.push((lab.subscribe(&holder, poll, None).await, holder));
    }
    for (viewer, _) in &mut viewers {
        assert_eq!(results(viewer.update().await).ballots, 2);
    }
    let (first, second) = viewers.split_at_mut(1);
    revoke(&lab, poll, &tokens[..1]).await;
    hidden(first[0].0.update().await);
    assert!(second[0].0.update().now_or_never().is_none());
    revoke(&other, poll, &tokens[1..]).await;
    hidden(lab.told_in_time(&mut second[0].0).await);
    // A connection may hold the token for longer than it is good.
    for (_, holder) in &viewers {
        let mut again = lab.subscribe(holder, poll, None).await;
        hidden(again.update().await);
    }
}

/// Far more than it takes on a machine that does nothing else.
const LONG: Duration = Duration::from_secs(20);

/// Hidden from this viewer, while time goes by.
async fn hidden_in_time(lab: &Lab, viewer: &mut Subscription) {
    let told = tokio::time::timeout(LONG, lab.told_in_time(viewer)).await;
    hidden(told.expect("the viewer is told"));
}

/// Whoever begins to watch while everybody sees the results, too: the tokens that are held are asked for again only when
/// more are revoked.
pub async fn a_token_revoked_before_the_results_were_hidden_is_found(store: Arc<dyn Repository>) {
    let faulty = FaultyStore::new(store);
    let lab = Lab::on(Arc::clone(&faulty) as _).await;
    let Some((poll, tokens, holders)) = of_tokens(&lab, 2).await else {
        return;
    };
    let mut stays = lab.subscribe(&holders[1], poll, None).await;
    let mut viewer = lab.subscribe(&holders[0], poll, None).await;
    for viewer in [&mut stays, &mut viewer] {
        assert_eq!(results(viewer.update().await).ballots, 2);
    }
    revoke(&lab, poll, &tokens[..1]).await;
    hidden(viewer.update().await);
    drop(viewer);
    // Who judges has done so when they come again.
    faulty.count_tokens.shut();
    lab.advance(1);
    faulty.count_tokens.somebody_waits().await;
    faulty.count_tokens.open();

    let show = async |show| {
        let mut patch = PollPatch::default();
        patch.show_results = Some(show);
        let edited = lab.engine.polls().edit(&Actor::System, poll, patch).await;
        edited.unwrap();
    };
    show(ShowResults::Always).await;
    let mut viewer = lab.subscribe(&holders[0], poll, None).await;
    results(viewer.update().await);
    show(ShowResults::AfterVote).await;
    hidden(viewer.update().await);
}

/// Also where its holder comes while the tokens of the poll are being counted.
pub async fn a_token_revoked_while_others_are_judged_is_found(store: Arc<dyn Repository>) {
    let faulty = FaultyStore::new(Arc::clone(&store));
    let (lab, other) = (
        Lab::on(Arc::clone(&faulty) as _).await,
        Lab::on(store).await,
    );
    let Some((poll, tokens, holders)) = of_tokens(&lab, 2).await else {
        return;
    };
    let mut stays = lab.subscribe(&holders[1], poll, None).await;
    assert_eq!(results(stays.update().await).ballots, 2);
    faulty.count_tokens.shut();
    lab.advance(1);
    faulty.count_tokens.somebody_waits().await;
    let mut viewer = lab.subscribe(&holders[0], poll, None).await;
    assert_eq!(results(viewer.update().await).ballots, 2);
    revoke(&other, poll, &tokens[..1]).await;
    faulty.count_tokens.open();
    hidden_in_time(&lab, &mut viewer).await;
    assert!(stays.update().now_or_never().is_none());
}

/// However many they are.
pub async fn the_tokens_of_all_viewers_are_one_question(store: Arc<dyn Repository>) {
    let faulty = FaultyStore::new(Arc::clone(&store));
    let (lab, other) = (
        Lab::on(Arc::clone(&faulty) as _).await,
        Lab::on(store).await,
    );
    let Some((poll, tokens, holders)) = of_tokens(&lab, 20).await else {
        return;
    };
    let mut viewers = Vec::new();
    for holder in &holders {
        let mut viewer = lab.subscribe(holder, poll, None).await;
        assert_eq!(results(viewer.update().await).ballots, 20);
        viewers.push(viewer);
    }
    let asked = faulty.tokens_asked.asked();
    revoke(&other, poll, &tokens[..5]).await;
    let (revoked, good) = viewers.split_at_mut(5);
    for viewer in revoked {
        hidden_in_time(&lab, viewer).await;
    }
    for viewer in good {
        assert!(viewer.update().now_or_never().is_none());
    }
    assert_eq!(faulty.tokens_asked.asked() - asked, 1);
}

/// Before the second is over after which every server reads it again.
pub async fn what_a_new_viewer_is_found_to_be_all_of_theirs_learn(store: Arc<dyn Repository>) {
    let Some(workspaces) = store.workspaces() else {
        return;
    };
    prepare(workspaces).await;
    join(workspaces, 2, WorkspaceRole::Viewer).await;
    let lab = Lab::on(Arc::clone(&store)).await;
    for voters in [Voters::Members, Voters::Anyone] {
        let new = tea().voters(voters).show_results(ShowResults::Managers);
        let poll = lab.create(new.in_project(PROJECT).published()).await.id;
        let vera = Actor::user(user(2));
        let becomes = async |role| {
            let set = workspaces.set_role(WORKSPACE, user(2), role);
            set.await.unwrap();
        };
        // As another server does it, of which this one knows nothing yet.
        becomes(WorkspaceRole::Viewer).await;
        let mut first = lab.subscribe(&vera, poll, None).await;
        hidden(first.update().await);
        becomes(WorkspaceRole::Collaborator).await;
        let mut second = lab.subscribe(&vera, poll, None).await;
        results(second.update().await);
        if voters == Voters::Members {
            results(first.update().await);
        }
        becomes(WorkspaceRole::Viewer).await;
        let mut third = lab.subscribe(&vera, poll, None).await;
        hidden(third.update().await);
        hidden(second.update().await);
    }
}

/// Also to the viewers who are told what somebody else asked for meanwhile.
pub async fn a_role_that_was_read_later_counts(store: Arc<dyn Repository>) {
    let Some(workspaces) = store.workspaces() else {
        return;
    };
    prepare(workspaces).await;
    join(workspaces, 2, WorkspaceRole::Collaborator).await;
    let faulty = FaultyStore::new(Arc::clone(&store));
    let lab = Lab::on(Arc::clone(&faulty) as _).await;
    let new = tea().voters(Voters::Members).in_project(PROJECT);
    let new = new.show_results(ShowResults::Managers).published();
    let poll = lab.create(new).await.id;
    let cora = Actor::user(user(2));
    let mut first = lab.subscribe(&cora, poll, None).await;
    results(first.update().await);
    let becomes = async |role| {
        let set = workspaces.set_role(WORKSPACE, user(2), role);
        set.await.unwrap();
    };
    faulty.poll_found.shut();
    let mut second = Box::pin(lab.subscribe(&cora, poll, None));
    tokio::select! {
        _ = &mut second => panic!("it waits"),
        () = faulty.poll_found.somebody_waits() => {}
    }
    becomes(WorkspaceRole::Viewer).await;
    hidden(lab.told_in_time(&mut first).await);
    becomes(WorkspaceRole::Collaborator).await;
    faulty.poll_found.open();
    let mut second = second.await;
    results(second.update().await);
    results(first.update().await);
}

async fn sign_up(users: &dyn UserRepository) {
    let ada = User {
        id: ADA,
        name: UserName::from_store("Ada".into()),
        email: Email::from_store("ada@example.org".into()),
        is_admin: false,
        created_at: noon(0),
    };
    users.insert(&ada, None).await.unwrap();
}

/// Though its access token is alive still.
pub async fn a_deleted_account_hides_the_results(store: Arc<dyn Repository>) {
    let Some(users) = store.users() else { return };
    sign_up(users).await;
    let lab = Lab::on(Arc::clone(&store)).await;
    let poll = hers(&lab).await;
    let actor = Actor::user_until(ADA, noon(3_600));
    let mut viewer = lab.subscribe(&actor, poll, None).await;
    results(viewer.update().await);
    users.delete(ADA, noon(0)).await.unwrap();
    hidden(lab.told_in_time(&mut viewer).await);
    let again = lab.engine.results();
    let again = again.subscribe(&actor, poll, Viewer::default()).await;
    assert!(matches!(again.unwrap().update().await, Update::Hidden));
}

/// At once, whoever deleted it: nobody is asked for while everybody sees the results, and no time goes by here.
pub async fn an_account_deleted_while_everybody_saw_the_results_hides_them_later(
    store: Arc<dyn Repository>,
) {
    let Some(users) = store.users() else { return };
    sign_up(users).await;
    let lab = Lab::on(Arc::clone(&store)).await;
    let actor = Actor::user_until(ADA, noon(3_600));
    let mut polls = Vec::new();
    for _ in 0..2 {
        let new = tea().voters(Voters::Registered).published();
        let poll = lab.create(new.show_results(ShowResults::Always)).await.id;
        let own = Ballot::of(poll, Voter::Caller, [0]);
        lab.engine.votes().cast(&actor, own).await.unwrap();
        polls.push(poll);
    }
    let mut before = lab.subscribe(&actor, polls[0], None).await;
    results(before.update().await);
    users.delete(ADA, noon(0)).await.unwrap();
    let mut after = lab.subscribe(&actor, polls[1], None).await;
    results(after.update().await);
    for poll in polls {
        let mut patch = PollPatch::default();
        patch.show_results = Some(ShowResults::AfterVote);
        let edited = lab.engine.polls().edit(&Actor::System, poll, patch).await;
        edited.unwrap();
    }
    // Whoever begins to watch was asked for, and is shown nothing any more.
    hidden(after.update().await);
    // Whoever did so before may be shown what was there when they were asked for again.
    let told = async {
        loop {
            match before.update().await {
                Update::Results(_) => {}
                told => return told,
            }
        }
    };
    hidden(
        tokio::time::timeout(LONG, told)
            .await
            .expect("they are told"),
    );
}
