//! Polls of a workspace: its members vote, and see what their role lets them see.

use polling_core::polls::{ShowResults, Voters};
use polling_core::users::{Credentials, NewUser};
use polling_core::workspaces::{
    ListingRequest, NewInvitation, NewProject, NewRole, NewWorkspace, WorkspaceRole,
};
use polling_core::{Actor, NewPoll, PollView};
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::Server;

on_every_store! {
    members_vote_with_their_access_token
    a_viewer_who_signs_in_sees_what_the_role_lets_them_see
    who_leaves_a_workspace_loses_its_streams_at_once
    who_deletes_their_account_loses_their_streams_at_once
}

/// Signs somebody up and in; who they are, and their token.
pub(crate) async fn signed_in(server: &Server, name: &str) -> (Actor, String) {
    let users = server.engine.users().unwrap();
    let (email, password) = (format!("{name}@example.com"), "correct horse battery");
    let new = NewUser::new(name, email.as_str(), password);
    let user = users.create(&Actor::anonymous(), new).await.unwrap();
    let credentials = Credentials::new(email, password);
    let token = users.sign_in(&Actor::anonymous(), credentials).await;
    (Actor::user(user.id), token.unwrap().access_token)
}

/// A poll in a project of this owner's workspace.
async fn poll(server: &Server, owner: &Actor, new: NewPoll) -> PollView {
    let workspaces = server.engine.workspaces().unwrap();
    let workspace = workspaces.create(owner, NewWorkspace::named("Kitchen"));
    let workspace = workspace.await.unwrap().id;
    let project = workspaces.create_project(owner, workspace, NewProject::named("Lunch"));
    let project = project.await.unwrap().id;
    server
        .create(owner, new.in_project(project).published())
        .await
}

pub(crate) fn authenticate(token: &str) -> Value {
    json!({"type": "authenticate", "token": token})
}

async fn members_vote_with_their_access_token(store: Store) {
    let server = Server::on(store).await;
    let (olga, token) = signed_in(&server, "olga").await;
    let (_, strangers) = signed_in(&server, "eve").await;
    let new = NewPoll::single("?", ["a", "b"]).voters(Voters::Members);
    let poll = poll(&server, &olga, new).await;
    let frame = json!({"type": "vote", "poll_id": poll.id, "option_id": poll.options[0].id});
    let mut client = server.client().await;
    assert_eq!(client.ask(frame.clone()).await["code"], "unauthorized");
    client.ask(authenticate(&strangers)).await;
    assert_eq!(client.ask(frame.clone()).await["code"], "forbidden");
    client.ask(authenticate(&token)).await;
    assert_eq!(client.ask(frame).await["type"], "ack");
}

async fn a_viewer_who_signs_in_sees_what_the_role_lets_them_see(store: Store) {
    let server = Server::on(store).await;
    let (olga, token) = signed_in(&server, "olga").await;
    let (_, strangers) = signed_in(&server, "eve").await;
    let new = NewPoll::single("?", ["a", "b"]).show_results(ShowResults::Managers);
    let poll = poll(&server, &olga, new).await;
    let other = NewPoll::single("?", ["a", "b"]);
    let other = server.create(&Actor::anonymous(), other).await;
    let mut client = server.client().await;
    let subscribe = json!({"type": "subscribe", "poll_id": poll.id});
    assert_eq!(client.ask(subscribe).await["code"], "results_hidden");
    assert_eq!(client.ask(authenticate(&strangers)).await["type"], "ok");
    assert_eq!(client.ask(authenticate(&token)).await["type"], "ok");
    assert_eq!(client.next().await["type"], "results");
    // What is proved more takes nothing away.
    let more = other.manage_token.as_deref().unwrap();
    assert_eq!(client.ask(authenticate(more)).await["type"], "ok");
    let closed = server.engine.polls().close(&olga, poll.id).await;
    assert!(closed.is_ok());
    assert_eq!(client.next().await["final"], true);
    // Another user is somebody else.
    assert_eq!(client.ask(authenticate(&strangers)).await["type"], "ok");
    assert_eq!(client.next().await["code"], "results_hidden");
}

async fn who_leaves_a_workspace_loses_its_streams_at_once(store: Store) {
    let server = Server::on(store).await;
    let (olga, _) = signed_in(&server, "olga").await;
    let (cora, token) = signed_in(&server, "cora").await;
    let new = NewPoll::single("?", ["a", "b"]).show_results(ShowResults::Managers);
    let poll = poll(&server, &olga, new).await;
    let workspaces = server.engine.workspaces().unwrap();
    let listed = workspaces.list(&olga, ListingRequest::default()).await;
    let kitchen = listed.unwrap().items[0].id;
    let new = NewInvitation::of("cora@example.com", WorkspaceRole::Collaborator);
    let invited = workspaces.invite(&olga, kitchen, new).await.unwrap();
    workspaces.accept(&cora, invited.id).await.unwrap();

    let mut client = server.client().await;
    client.ask(authenticate(&token)).await;
    assert_eq!(client.subscribe(poll.id).await["type"], "results");
    let id = cora.user_id().unwrap();
    for role in [WorkspaceRole::Viewer, WorkspaceRole::Collaborator] {
        let set = workspaces.set_role(&olga, kitchen, id, NewRole::of(role));
        set.await.unwrap();
        let told = client.next().await;
        let (kind, code) = if role == WorkspaceRole::Viewer {
            ("error", json!("results_hidden"))
        } else {
            ("results", Value::Null)
        };
        assert_eq!((&told["type"], &told["code"]), (&json!(kind), &code));
    }
    workspaces.remove_member(&cora, kitchen, id).await.unwrap();
    assert_eq!(client.next().await["code"], "results_hidden");
    // The connection, and the subscription, are there still.
    server.engine.polls().delete(&olga, poll.id).await.unwrap();
    assert_eq!(client.next().await["type"], "poll_deleted");
}

async fn who_deletes_their_account_loses_their_streams_at_once(store: Store) {
    let server = Server::on(store).await;
    let (ada, token) = signed_in(&server, "ada").await;
    let new = NewPoll::single("?", ["a", "b"]).show_results(ShowResults::Managers);
    let poll = server.create(&ada, new.published()).await;
    let mut client = server.client().await;
    client.ask(authenticate(&token)).await;
    assert_eq!(client.subscribe(poll.id).await["type"], "results");
    let users = server.engine.users().unwrap();
    users.delete_own(&ada).await.unwrap();
    assert_eq!(client.next().await["code"], "results_hidden");
    assert_eq!(client.subscribe(poll.id).await["code"], "results_hidden");
}
