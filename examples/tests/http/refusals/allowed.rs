//! Every operation once for whoever has the least right that suffices; that less does not, the refusals say.

use serde_json::json;

use super::case::Case;
use super::site::Site;
use crate::support::Poll;
use crate::team::Person;

const IMPORT: &str = "018f3c6e-0000-7000-8000-00000000000c";

impl Site {
    /// In an order in which each can be done.
    pub(super) fn cases(&self) -> Vec<Case<'_>> {
        let mut cases = self.nobody();
        cases.extend(self.voters());
        cases.extend(self.managers());
        cases.extend(self.users());
        cases.extend(self.members());
        cases.extend(self.administrators());
        cases
    }

    fn nobody(&self) -> Vec<Case<'_>> {
        let new = json!({"name": "Bob", "email": "bob@example.org", "password": "correct horse"});
        let credentials = json!({"email": "bob@example.org", "password": "correct horse"});
        let refresh = json!({"refresh_token": self.refresh_token});
        let set = json!({"token": self.link, "new_password": "battery staple"});
        let get = |path: &str| self.at(&format!("GET {path}"), &[]).is(200, "");
        let mut cases = vec![
            get("/healthz"),
            get("/readyz"),
            get("/api/v1/features"),
            self.post("/users", &new).is(201, ""),
            self.post("/auth/login", &credentials).is(200, ""),
            self.post("/auth/refresh", &refresh).is(200, ""),
            self.post("/auth/logout", &refresh).is(204, ""),
            self.post("/auth/password-reset/confirm", &set).is(204, ""),
            self.post("/auth/password-reset", &json!({"email": "bob@example.org"}))
                .is(202, ""),
            self.at("GET /api/v1/users/{id}", &[&self.zoe.id])
                .is(200, ""),
        ];
        let poll = json!({"question": "Q", "options": ["A", "B"]});
        for root in ["/api/v1/polls", "/polls"] {
            cases.push(get(root));
            cases.push(
                self.at(&format!("POST {root}"), &[])
                    .json(&poll)
                    .is(201, ""),
            );
            let read = self.at(&format!("GET {root}/{{id}}"), &[&self.open.id]);
            cases.push(read.is(200, ""));
        }
        cases
    }

    fn voters(&self) -> Vec<Case<'_>> {
        let poll = &self.open;
        let of = |operation: &str, rest: &str| {
            let (method, root) = operation.split_once(' ').unwrap();
            self.at(&format!("{method} {root}/{{id}}{rest}"), &[&poll.id])
        };
        let of_polls = |method: &str, rest| of(&format!("{method} /api/v1/polls"), rest);
        let batch = json!({"ballots": [poll.vote(0, "cid")]});
        let mut old = poll.vote(0, "dan");
        old["pollId"] = (*poll.id).into();
        vec![
            of_polls("POST", "/votes")
                .json(&poll.vote(0, "ada"))
                .is(201, ""),
            of_polls("POST", "/votes/batch").json(&batch).is(200, ""),
            of("POST /polls", "/vote")
                .json(&poll.vote(0, "bob"))
                .is(201, ""),
            self.at("POST /vote", &[]).json(&old).is(201, ""),
            of_polls("PUT", "/vote")
                .json(&poll.vote(1, "ada"))
                .is(200, ""),
            of_polls("GET", "/vote").query("voter=ada").is(200, ""),
            of_polls("DELETE", "/vote").query("voter=ada").is(204, ""),
            of_polls("GET", "/results").is(200, ""),
            of_polls("GET", "/events").is(200, ""),
        ]
    }

    fn managers(&self) -> Vec<Case<'_>> {
        let mut cases = Vec::new();
        for [poll, other] in &self.managed {
            let ask = |operation: &str, (token, poll): &(String, Poll)| {
                self.at(operation, &[&poll.id]).bearer(token)
            };
            let (change, all) = (json!({"description": "x"}), json!({"all": true}));
            let make = ask("POST /api/v1/polls/{id}/tokens", poll).json(&json!({"count": 1}));
            let revoke = ask("POST /api/v1/polls/{id}/tokens/revoke", poll).json(&all);
            cases.extend([
                ask("PATCH /api/v1/polls/{id}", poll)
                    .json(&change)
                    .is(200, ""),
                ask("POST /api/v1/polls/{id}/publish", poll).is(200, ""),
                make.is(201, ""),
                ask("GET /api/v1/polls/{id}/tokens", poll).is(200, ""),
                revoke.is(200, ""),
                ask("POST /api/v1/polls/{id}/close", poll).is(200, ""),
                ask("DELETE /api/v1/polls/{id}", poll).is(204, ""),
                ask("PATCH /polls/{id}", other).json(&change).is(200, ""),
                ask("DELETE /polls/{id}", other).is(204, ""),
                self.post("/auth/ticket", &json!({}))
                    .bearer(&poll.0)
                    .is(201, ""),
            ]);
        }
        cases
    }

    fn users(&self) -> Vec<Case<'_>> {
        let (zoe, eve) = (&self.zoe, &self.team.eve);
        let get = |path: &str| {
            self.at(&format!("GET /api/v1{path}"), &[])
                .by(zoe)
                .is(200, "")
        };
        let patch = self.at("PATCH /api/v1/users/me", &[]).by(zoe);
        let password =
            json!({"current_password": "battery staple", "new_password": "correct horse"});
        let answer = |answer: &str, at: usize| {
            let operation = format!("POST /api/v1/invitations/{{id}}/{answer}");
            self.at(&operation, &[&self.invitations[at]]).by(eve)
        };
        vec![
            get("/users/me"),
            get("/workspaces"),
            self.at("GET /api/v1/invitations/{id}", &[&self.invitations[0]])
                .by(eve)
                .is(200, ""),
            patch.json(&json!({"name": "Zoë"})).is(200, ""),
            self.post("/auth/password", &password).by(zoe).is(200, ""),
            self.post("/auth/logout-all", &json!({}))
                .by(zoe)
                .is(204, ""),
            self.post("/workspaces", &json!({"name": "Hers"}))
                .by(eve)
                .is(201, ""),
            answer("accept", 0).is(200, ""),
            answer("decline", 1).is(204, ""),
            self.at("DELETE /api/v1/users/me", &[]).by(zoe).is(204, ""),
        ]
    }

    fn members(&self) -> Vec<Case<'_>> {
        let team = &self.team;
        let id = team.path.rsplit('/').next().unwrap();
        let ask = |person, method: &str, rest: &str, ids: &[&str]| {
            let operation = format!("{method} /api/v1/workspaces/{{id}}{rest}");
            let ids: Vec<&str> = [id].iter().chain(ids).copied().collect();
            self.at(&operation, &ids).by(person)
        };
        let (viewer, collaborator, owner) = (&team.vera, &team.cora, &team.olga);
        let (member, project) = ("/members/{user_id}", "/projects/{project_id}");
        let name = json!({"name": "Brunch"});
        let invited = json!({"email": "x@example.org", "role": "viewer"});
        let invitation = "/invitations/{invitation_id}";
        vec![
            ask(viewer, "GET", "", &[]).is(200, ""),
            ask(viewer, "GET", "/members", &[]).is(200, ""),
            ask(viewer, "GET", "/projects", &[]).is(200, ""),
            ask(collaborator, "POST", "/projects", &[])
                .json(&name)
                .is(201, ""),
            ask(collaborator, "PATCH", project, &[&team.project])
                .json(&name)
                .is(200, ""),
            ask(collaborator, "DELETE", project, &[&team.project]).is(204, ""),
            // Everybody may leave.
            ask(viewer, "DELETE", member, &[&viewer.id]).is(204, ""),
            ask(owner, "PATCH", member, &[&collaborator.id])
                .json(&json!({"role": "viewer"}))
                .is(200, ""),
            ask(owner, "DELETE", member, &[&collaborator.id]).is(204, ""),
            ask(owner, "POST", "/invitations", &[])
                .json(&invited)
                .is(201, ""),
            ask(owner, "GET", "/invitations", &[]).is(200, ""),
            ask(owner, "DELETE", invitation, &[&self.unanswered]).is(204, ""),
            ask(owner, "PATCH", "", &[]).json(&name).is(200, ""),
            ask(owner, "DELETE", "", &[]).is(204, ""),
        ]
    }

    fn administrators(&self) -> Vec<Case<'_>> {
        let (root, vera, cora) = (&self.root, &self.team.vera, &self.team.cora);
        let import = self.at("POST /api/v1/users/import", &[]).by(root);
        let rows = "name,email\nKim,kim@example.org\n";
        let delete = |person: &Person| self.at("DELETE /api/v1/users/{id}", &[&person.id]);
        vec![
            import
                .header("idempotency-key", IMPORT)
                .body("text/csv", rows)
                .is(200, ""),
            self.at("GET /api/v1/users/import/{id}", &[IMPORT])
                .by(root)
                .is(200, ""),
            delete(vera).by(vera).is(204, ""),
            delete(cora).by(root).is(204, ""),
        ]
    }
}
