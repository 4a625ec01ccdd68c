//! What a server switches off.

use polling_core::{Actor, NewPoll, Settings};
use polling_http::HttpSettings;
use serde_json::json;

use crate::store::Store;
use crate::support::{Server, Start};

on_every_store! {
    what_is_switched_off_is_refused_and_told
    everything_is_switched_on_by_default
}

async fn what_is_switched_off_is_refused_and_told(store: Store) {
    let mut core = Settings::default();
    core.features.sign_up = false;
    core.features.anonymous_polls = false;
    core.features.import = false;
    let mut http = HttpSettings::default();
    http.docs = false;
    let server = Start {
        core,
        http,
        ..Start::on(store)
    }
    .run()
    .await;
    let features = server.get("/api/v1/features").await;
    assert_eq!(features.status, 200);
    let off = json!({"sign_up": false, "anonymous_polls": false, "import": false, "docs": false});
    assert_eq!(features.json(), off);

    let new = json!({"name": "Ada", "email": "ada@example.org", "password": "correct horse"});
    let refused = server.post("/api/v1/users", &new).await;
    refused.refuses(403, "feature_off");
    assert!(refused.text().contains("sign_up"), "{}", refused.text());

    let poll = json!({"question": "Q", "options": ["A", "B"]});
    for path in ["/api/v1/polls", "/polls"] {
        server.post(path, &poll).await.refuses(401, "unauthorized");
    }
    // The application itself still may; and whose users sign up no more may have some already.
    let new: polling_core::users::NewUser = serde_json::from_value(new).unwrap();
    let users = server.engine.users().unwrap();
    users.create(&Actor::System, new).await.unwrap();
    let polls = server.engine.polls();
    let by_itself = polls.create(&Actor::System, NewPoll::single("Q", ["A", "B"]));
    by_itself.await.unwrap();
    let credentials = json!({"email": "ada@example.org", "password": "correct horse"});
    let login = server.post("/api/v1/auth/login", &credentials).await.json();
    let token = login["access_token"].as_str().unwrap();
    let created = server.post("/api/v1/polls", &poll).bearer(token).await;
    assert_eq!(created.status, 201, "{}", created.text());
}

async fn everything_is_switched_on_by_default(store: Store) {
    let server = Server::on(store).await;
    let on = json!({"sign_up": true, "anonymous_polls": true, "import": true, "docs": true});
    assert_eq!(server.get("/api/v1/features").await.json(), on);
}
