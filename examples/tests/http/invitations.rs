//! Who is in a workspace: invited by e-mail, and changed and removed by user id.

use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use polling_core::FakeClock;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::Start;
use crate::team::{Person, Team, text};

on_every_store! {
    who_is_invited_accepts_and_is_a_member
    who_is_invited_may_decline
    an_invitation_is_for_its_address_only
    an_invitation_tells_nothing_about_an_account
    inviting_again_replaces_the_invitation
    an_invitation_ends_after_its_time
    an_invitation_can_be_withdrawn
    accepting_again_is_harmless_and_no_way_back_in
    a_member_who_is_invited_stays_what_they_are
    members_are_changed_and_removed
    everybody_may_leave
    a_workspace_never_loses_its_last_owner
    of_two_owners_who_leave_at_once_one_stays
    invitations_and_members_have_bounds_and_pages
}

async fn who_is_invited_accepts_and_is_a_member(store: Store) {
    let team = Team::on(store).await;
    // Whatever the case, and before there is an account.
    let invited = team.invites("ANA@example.org", "collaborator").await;
    assert_eq!(invited.status, 201);
    let invitation = invited.json();
    let ana = Person::signs_up(&team.server, "ana").await;
    let mine = team.shows(&ana, &text(&invitation["id"])).await;
    assert_eq!(
        (mine.status.as_u16(), mine.json()),
        (200, invitation.clone())
    );
    let workspace = team.path.rsplit('/').next().unwrap();
    let expected = json!({
        "id": invitation["id"], "workspace_id": workspace, "workspace_name": "Kitchen",
        "email": "ANA@example.org", "role": "collaborator", "created_at": invitation["created_at"],
        "expires_at": invitation["expires_at"],
    });
    assert_eq!(invitation, expected);
    let listed = team.gets(&team.olga, "/invitations").await.json();
    assert_eq!(listed["items"], json!([invitation]));

    let read = team.gets(&ana, "").await;
    read.refuses(404, "workspace_not_found");
    let id = text(&invitation["id"]);
    let accepted = team.answers(&ana, &id, "accept").await;
    assert_eq!(accepted.status, 200);
    assert_eq!(accepted.json(), team.gets(&ana, "").await.json());
    assert_eq!(accepted.json()["role"], "collaborator");
    let over = team.shows(&ana, &id).await;
    over.refuses(404, "invitation_not_found");
    let listed = team.gets(&team.olga, "/invitations").await.json();
    assert_eq!(listed["items"], json!([]));
}

async fn who_is_invited_may_decline(store: Store) {
    let team = Team::on(store).await;
    let invited = team.invites(&team.eve.email(), "owner").await.json();
    let id = text(&invited["id"]);
    let declined = team.answers(&team.eve, &id, "decline").await;
    assert_eq!(declined.status, 204);
    for answer in ["decline", "accept"] {
        let again = team.answers(&team.eve, &id, answer).await;
        again.refuses(404, "invitation_not_found");
    }
    let listed = team.gets(&team.olga, "/invitations").await.json();
    assert_eq!(listed["items"], json!([]));
}

async fn an_invitation_is_for_its_address_only(store: Store) {
    let team = Team::on(store).await;
    let invited = team.invites("ana@example.org", "viewer").await.json();
    let id = text(&invited["id"]);
    for person in [&team.eve, &team.vera, &team.olga] {
        let hidden = team.shows(person, &id).await;
        hidden.refuses(404, "invitation_not_found");
        for answer in ["accept", "decline"] {
            let refused = team.answers(person, &id, answer).await;
            refused.refuses(404, "invitation_not_found");
        }
    }
    for answer in ["accept", "decline"] {
        let path = format!("/api/v1/invitations/{id}/{answer}");
        let nameless = team.server.request(Method::POST, path).await;
        nameless.refuses(401, "unauthorized");
        let unknown = team.answers(&team.eve, "x", answer).await;
        unknown.refuses(404, "invitation_not_found");
    }
    let path = format!("/api/v1/invitations/{id}");
    let nameless = team.server.get(path).await;
    nameless.refuses(401, "unauthorized");
    let unknown = team.shows(&team.eve, "x").await;
    unknown.refuses(404, "invitation_not_found");
    let listed = team.gets(&team.olga, "/invitations").await.json();
    assert_eq!(listed["items"], json!([invited]), "it is still there");
}

async fn an_invitation_tells_nothing_about_an_account(store: Store) {
    let team = Team::on(store).await;
    let mut answers = Vec::new();
    // Nobody's, a stranger's, and a member's.
    for email in ["nobody@example.org", "eve@example.org", "vera@example.org"] {
        let answer = team.invites(email, "viewer").await;
        let mut json = answer.json();
        for own in ["id", "email", "created_at", "expires_at"] {
            assert!(json[own].take().is_string(), "{own} of {email}");
        }
        answers.push((answer.status, json));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let listed = team.gets(&team.olga, "/invitations").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
}

/// Its id too: whoever was told the old one was told nothing of the new one.
async fn inviting_again_replaces_the_invitation(store: Store) {
    let clock = FakeClock::default();
    let start = Start {
        clock: Some(clock.clone()),
        ..Start::on(store)
    };
    let team = Team::started(start).await;
    let first = team.invites("eve@example.org", "viewer").await.json();
    clock.advance(Duration::from_secs(60));
    let second = team.invites("EVE@example.org", "owner").await.json();
    for field in ["id", "created_at", "expires_at", "role", "email"] {
        assert_ne!(first[field], second[field], "{field}");
    }
    let listed = team.gets(&team.olga, "/invitations").await.json();
    assert_eq!(listed["items"], json!([second]));
    is_unknown(&team, &team.eve, &text(&first["id"])).await;
    let id = text(&second["id"]);
    let accepted = team.answers(&team.eve, &id, "accept").await;
    assert_eq!(accepted.json()["role"], "owner");
}

/// Fails if this id, which was replaced, can be looked at, answered or withdrawn.
async fn is_unknown(team: &Team, person: &Person, id: &str) {
    let shown = team.shows(person, id).await;
    shown.refuses(404, "invitation_not_found");
    for answer in ["accept", "decline"] {
        let refused = team.answers(person, id, answer).await;
        refused.refuses(404, "invitation_not_found");
    }
    let rest = format!("/invitations/{id}");
    let withdrawn = team.deletes(&team.olga, &rest).await;
    withdrawn.refuses(404, "invitation_not_found");
}

async fn an_invitation_ends_after_its_time(store: Store) {
    let clock = FakeClock::default();
    let mut start = Start {
        clock: Some(clock.clone()),
        ..Start::on(store)
    };
    start.core.workspaces.invitation_lifetime = Duration::from_secs(60);
    let team = Team::started(start).await;
    let invite = async || text(&team.invites("eve@example.org", "viewer").await.json()["id"]);
    let id = invite().await;
    clock.advance(Duration::from_secs(60));
    for answer in ["accept", "decline"] {
        let late = team.answers(&team.eve, &id, answer).await;
        late.refuses(404, "invitation_not_found");
    }
    let late = team.shows(&team.eve, &id).await;
    late.refuses(404, "invitation_not_found");
    let listed = team.gets(&team.olga, "/invitations").await.json();
    assert_eq!(listed["items"], json!([]));
    let again = invite().await;
    is_unknown(&team, &team.eve, &id).await;
    clock.advance(Duration::from_secs(59));
    let in_time = team.answers(&team.eve, &again, "accept").await;
    assert_eq!(in_time.status, 200);
}

async fn an_invitation_can_be_withdrawn(store: Store) {
    let team = Team::on(store).await;
    let invited = team.invites("eve@example.org", "viewer").await.json();
    let rest = format!("/invitations/{}", text(&invited["id"]));
    for (status, code, person) in [
        (403, "forbidden", &team.vera),
        (403, "forbidden", &team.cora),
        (404, "workspace_not_found", &team.eve),
    ] {
        team.deletes(person, &rest).await.refuses(status, code);
    }
    assert_eq!(team.deletes(&team.olga, &rest).await.status, 204);
    for rest in [&*rest, "/invitations/x"] {
        let again = team.deletes(&team.olga, rest).await;
        again.refuses(404, "invitation_not_found");
    }
    let late = team
        .answers(&team.eve, &text(&invited["id"]), "accept")
        .await;
    late.refuses(404, "invitation_not_found");
}

async fn accepting_again_is_harmless_and_no_way_back_in(store: Store) {
    let team = Team::on(store).await;
    let invited = team.invites("eve@example.org", "viewer").await.json();
    let id = text(&invited["id"]);
    let accept = async || team.answers(&team.eve, &id, "accept").await;
    let first = accept().await;
    let promoted = json!({"role": "collaborator"});
    let changed = team.patches(&team.olga, &team.member(&team.eve), &promoted);
    assert_eq!(changed.await.status, 200);
    let second = accept().await;
    assert_eq!(
        (first.status, second.status),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    assert_eq!(second.json()["role"], "collaborator");
    let declined = team.answers(&team.eve, &id, "decline").await;
    declined.refuses(404, "invitation_not_found");

    let removed = team.deletes(&team.olga, &team.member(&team.eve)).await;
    assert_eq!(removed.status, 204);
    accept().await.refuses(404, "invitation_not_found");
    // Being invited again is.
    let again = team.invites("eve@example.org", "viewer").await.json();
    is_unknown(&team, &team.eve, &id).await;
    let accept = async |id: &str| team.answers(&team.eve, id, "accept").await;
    let back = accept(&text(&again["id"])).await;
    assert_eq!(back.json()["role"], "viewer");
    // Who is a member by one that was replaced since is one still, and needs the new one to be told so.
    let last = team.invites("eve@example.org", "owner").await.json();
    is_unknown(&team, &team.eve, &text(&again["id"])).await;
    let told = accept(&text(&last["id"])).await;
    assert_eq!(told.json()["role"], "viewer");
}

async fn a_member_who_is_invited_stays_what_they_are(store: Store) {
    let team = Team::on(store).await;
    // Also the last owner.
    for (person, role) in [(&team.olga, "owner"), (&team.vera, "viewer")] {
        let invited = team.invites(&person.email(), "collaborator").await.json();
        let accepted = team.answers(person, &text(&invited["id"]), "accept").await;
        assert_eq!(accepted.status, 200);
        assert_eq!(accepted.json()["role"], role);
    }
    let roles = json!({"olga": "owner", "cora": "collaborator", "vera": "viewer"});
    assert_eq!(team.roles().await, roles);
}

async fn members_are_changed_and_removed(store: Store) {
    let team = Team::on(store).await;
    let vera = team.member(&team.vera);
    let role = |role: &str| json!({ "role": role });
    let changed = team.patches(&team.olga, &vera, &role("owner")).await;
    assert_eq!(changed.status, 200);
    let expected = json!({
        "user_id": team.vera.id, "role": "owner", "joined_at": changed.json()["joined_at"],
    });
    assert_eq!(changed.json(), expected);
    // It counts with the next request, whatever token is sent.
    let rename = json!({"name": "Galley"});
    assert_eq!(team.patches(&team.vera, "", &rename).await.status, 200);
    assert_eq!(
        team.patches(&team.olga, &vera, &role("viewer"))
            .await
            .status,
        200
    );
    let refused = team.patches(&team.vera, "", &rename).await;
    refused.refuses(403, "forbidden");

    let cora = team.member(&team.cora);
    assert_eq!(team.deletes(&team.olga, &cora).await.status, 204);
    let gone = team.gets(&team.cora, "").await;
    gone.refuses(404, "workspace_not_found");
    assert_eq!(
        team.roles().await,
        json!({"olga": "owner", "vera": "viewer"})
    );
    for rest in [&*cora, &*team.member(&team.eve), "/members/x"] {
        let removed = team.deletes(&team.olga, rest).await;
        removed.refuses(404, "member_not_found");
        let changed = team.patches(&team.olga, rest, &role("owner")).await;
        changed.refuses(404, "member_not_found");
    }
}

async fn everybody_may_leave(store: Store) {
    let team = Team::on(store).await;
    for person in [&team.vera, &team.cora] {
        let left = team.deletes(person, &team.member(person)).await;
        assert_eq!(left.status, 204);
        let again = team.deletes(person, &team.member(person)).await;
        again.refuses(404, "workspace_not_found");
    }
    assert_eq!(team.roles().await, json!({"olga": "owner"}));
}

async fn a_workspace_never_loses_its_last_owner(store: Store) {
    let team = Team::on(store).await;
    let olga = team.member(&team.olga);
    let viewer = json!({"role": "viewer"});
    let left = team.deletes(&team.olga, &olga).await;
    left.refuses(409, "last_owner");
    let demoted = team.patches(&team.olga, &olga, &viewer).await;
    demoted.refuses(409, "last_owner");
    let same = team.patches(&team.olga, &olga, &json!({"role": "owner"}));
    assert_eq!(same.await.status, 200);
    // With another one they may go.
    let owner = json!({"role": "owner"});
    let cora = team.member(&team.cora);
    assert_eq!(team.patches(&team.olga, &cora, &owner).await.status, 200);
    assert_eq!(team.patches(&team.olga, &olga, &viewer).await.status, 200);
    let last = team.deletes(&team.cora, &cora).await;
    last.refuses(409, "last_owner");
}

async fn of_two_owners_who_leave_at_once_one_stays(store: Store) {
    let team = Team::on(store).await;
    let owner = json!({"role": "owner"});
    for person in [&team.cora, &team.vera] {
        let promoted = team.patches(&team.olga, &team.member(person), &owner).await;
        assert_eq!(promoted.status, 200);
    }
    let all = [&team.olga, &team.cora, &team.vera];
    let leave = all.map(|person| team.deletes(person, &team.member(person)).into_future());
    let left = join_all(leave).await;
    let stayed: Vec<_> = left.iter().filter(|left| left.status != 204).collect();
    assert_eq!(stayed.len(), 1);
    stayed[0].refuses(409, "last_owner");
}

async fn invitations_and_members_have_bounds_and_pages(store: Store) {
    let mut start = Start::on(store);
    start.core.workspaces.invitations = 2;
    start.core.workspaces.members = 4;
    let team = Team::started(start).await;
    let ana = Person::signs_up(&team.server, "ana").await;
    let invite = async |name: &str| team.invites(&format!("{name}@example.org"), "viewer").await;
    let eves = invite("eve").await.json();
    invite("ana").await;
    invite("bob").await.refuses(409, "limit_reached");
    let again = invite("ana").await;
    assert_eq!(again.status, 201, "it takes the place of the one before");
    let anas = again.json();
    let first = team.gets(&team.olga, "/invitations?limit=1").await.json();
    assert_eq!(first["items"][0]["id"], anas["id"]);
    let cursor = text(&first["next_cursor"]);
    let rest = format!("/invitations?limit=1&cursor={cursor}");
    let second = team.gets(&team.olga, &rest).await.json();
    assert_eq!(second["items"][0]["id"], eves["id"]);
    assert_eq!(second["next_cursor"], Value::Null);

    let accepted = team.answers(&team.eve, &text(&eves["id"]), "accept").await;
    assert_eq!(accepted.status, 200);
    assert_eq!(
        invite("bob").await.status,
        201,
        "what was accepted makes room"
    );
    let full = team.answers(&ana, &text(&anas["id"]), "accept").await;
    full.refuses(409, "limit_reached");
    let removed = team.deletes(&team.olga, &team.member(&team.vera)).await;
    assert_eq!(removed.status, 204);
    let joined = team.answers(&ana, &text(&anas["id"]), "accept").await;
    assert_eq!(joined.status, 200);

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for expected in [3, 1] {
        let rest = format!("/members?limit=3{cursor}");
        let page = team.gets(&team.cora, &rest).await.json();
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), expected);
        seen.extend(items.iter().map(|member| text(&member["user_id"])));
        cursor = format!(
            "&cursor={}",
            page["next_cursor"].as_str().unwrap_or_default()
        );
    }
    let mut all = [&team.olga, &team.cora, &team.eve, &ana].map(|person| person.id.clone());
    all.sort();
    assert_eq!((seen, &*cursor), (all.to_vec(), "&cursor="));
}
