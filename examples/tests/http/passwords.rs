//! Passwords: which are good enough, how they are changed, and one-time links.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use polling_core::users::{Email, LinkPurpose, LinkSender, OneTimeLink, PasswordHash};
use polling_core::{Cause, FakeClock, Settings};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore, mpsc};

use crate::answer::Answer;
use crate::store::Store;
use crate::support::{Server, Start, soon};

on_every_store! {
    a_weak_password_is_refused_with_advice
    a_changed_password_ends_every_sign_in
    a_change_of_the_password_is_refused_with_reasons
    a_forgotten_password_is_set_through_a_link
    a_reset_says_nothing_about_the_account
    a_link_is_refused_with_reasons
    weaker_parameters_are_raised_at_the_next_sign_in
}

pub(crate) const CHANGE: &str = "/api/v1/auth/password";
pub(crate) const RESET: &str = "/api/v1/auth/password-reset";
pub(crate) const CONFIRM: &str = "/api/v1/auth/password-reset/confirm";

/// What is sent, in the test's hands.
type Sent = mpsc::UnboundedReceiver<(String, OneTimeLink)>;

/// A sender whose post the test reads, and can hold up.
struct Post {
    sent: mpsc::UnboundedSender<(String, OneTimeLink)>,
    door: Arc<Semaphore>,
}

#[async_trait]
impl LinkSender for Post {
    async fn deliver(&self, to: &Email, link: OneTimeLink) -> Result<(), Cause> {
        let _turn = self.door.acquire().await?;
        self.sent.send((to.as_str().to_owned(), link))?;
        Ok(())
    }
}

pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) clock: FakeClock,
    sent: Mutex<Sent>,
    door: Arc<Semaphore>,
}

impl Site {
    pub(crate) async fn on(store: Store) -> Self {
        Self::with(store, Settings::default()).await
    }

    pub(crate) async fn with(store: Store, core: Settings) -> Self {
        let (start, site) = Self::planned(store, core);
        site(start.run().await)
    }

    /// In the place of a server, on its store.
    pub(crate) async fn instead_of(server: Server, store: Store) -> Self {
        let (start, site) = Self::planned(store, Settings::default());
        site(server.restart(start).await)
    }

    fn planned(store: Store, core: Settings) -> (Start, impl FnOnce(Server) -> Self) {
        let (clock, door) = (FakeClock::default(), Arc::new(Semaphore::new(1)));
        let (sender, sent) = mpsc::unbounded_channel();
        let post = Post {
            sent: sender,
            door: Arc::clone(&door),
        };
        let start = Start {
            core,
            clock: Some(clock.clone()),
            with: Some(Box::new(|builder| builder.link_sender(post))),
            ..Start::on(store)
        };
        let site = |server| Self {
            server,
            clock,
            sent: Mutex::new(sent),
            door,
        };
        (start, site)
    }

    pub(crate) async fn ask(&self, path: &str, body: Value) -> Answer {
        self.server.post(path, &body).await
    }

    pub(crate) async fn login(&self, password: &str) -> Answer {
        let body = json!({"email": "ada@example.org", "password": password});
        self.ask("/api/v1/auth/login", body).await
    }

    /// The next link that is sent, and to whom.
    pub(crate) async fn link(&self) -> (String, OneTimeLink) {
        soon(self.sent.lock().await.recv()).await.unwrap()
    }

    /// Fails if a link was sent, after everything that could send one has come to its end.
    pub(crate) async fn nothing_was_sent(self) {
        self.server.engine.shutdown().await;
        assert!(self.sent.lock().await.try_recv().is_err());
    }

    /// A link of Ada's.
    pub(crate) async fn reset(&self) -> String {
        let answer = self.ask(RESET, json!({"email": "ADA@example.org"})).await;
        assert_eq!(answer.status, 202);
        assert!(answer.body.is_empty());
        let (to, link) = self.link().await;
        assert_eq!(to, "ada@example.org");
        assert_eq!(link.purpose, LinkPurpose::PasswordReset);
        assert!(link.token.starts_with("pl_") && link.token.len() == 46);
        assert!(!format!("{link:?}").contains(&link.token));
        link.token
    }

    pub(crate) async fn confirm(&self, token: &str, password: &str) -> Answer {
        let body = json!({"token": token, "new_password": password});
        self.ask(CONFIRM, body).await
    }
}

/// The tokens of somebody who is signed in.
#[track_caller]
pub(crate) fn tokens(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn a_weak_password_is_refused_with_advice(store: Store) {
    let site = Site::on(store).await;
    let sign_up = async |password: &str| {
        let body =
            json!({"name": "Ada Lovelace", "email": "ada@example.org", "password": password});
        site.ask("/api/v1/users", body).await
    };
    for weak in ["password", "aaaaaaaaaaa", "adalovelace", "ada@example.org"] {
        let refused = sign_up(weak).await;
        refused.refuses_field(422, "invalid", "/password");
        let error = &refused.json()["errors"][0];
        assert_eq!(error["code"], "password_weak");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.starts_with("is too easy to guess. "), "{detail}");
    }
    assert_eq!(sign_up("correct horse").await.status, 201);
    let (access, _) = tokens(&site.login("correct horse").await);
    let body = json!({"current_password": "correct horse", "new_password": "lovelace"});
    let refused = site.server.post(CHANGE, &body).bearer(&access).await;
    refused.refuses_field(422, "invalid", "/new_password");
    let token = site.reset().await;
    let refused = site.confirm(&token, "lovelace").await;
    refused.refuses_field(422, "invalid", "/new_password");
    assert_eq!(refused.json()["errors"][0]["code"], "password_weak");
    // Which used nothing up.
    assert_eq!(site.confirm(&token, "battery staple").await.status, 204);
}

async fn a_changed_password_ends_every_sign_in(store: Store) {
    let site = Site::on(store).await;
    site.server.user("ada").await;
    let (access, here) = tokens(&site.login("correct horse").await);
    let (_, there) = tokens(&site.login("correct horse").await);
    let link = site.reset().await;
    let body = json!({"current_password": "correct horse", "new_password": "battery staple"});
    let changed = site.server.post(CHANGE, &body).bearer(&access).await;
    let (_, fresh) = tokens(&changed);
    for (token, status) in [(here, 401), (there, 401), (fresh, 200)] {
        let refreshed = site.ask("/api/v1/auth/refresh", json!({"refresh_token": token}));
        assert_eq!(refreshed.await.status, status);
    }
    let late = site.confirm(&link, "staple battery").await;
    late.refuses_field(422, "invalid", "/token");
    site.login("correct horse")
        .await
        .refuses(401, "unauthorized");
    tokens(&site.login("battery staple").await);
}

async fn a_change_of_the_password_is_refused_with_reasons(store: Store) {
    let site = Site::on(store).await;
    let (_, access) = site.server.user("ada").await;
    let change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        site.server.post(CHANGE, &body)
    };
    let nobody = change("correct horse", "battery staple").await;
    nobody.refuses(401, "unauthorized");
    let wrong = change("wrong horse", "battery staple")
        .bearer(&access)
        .await;
    wrong.refuses(403, "forbidden");
    let short = change("correct horse", "short").bearer(&access).await;
    short.refuses_field(422, "invalid", "/new_password");
    let long = change("correct horse", &"x".repeat(1_001)).bearer(&access);
    long.await.refuses_field(422, "invalid", "/new_password");
    let missing = site.server.post(CHANGE, &json!({"new_password": "x"}));
    let missing = missing.bearer(&access).await;
    missing.refuses_field(422, "invalid", "/current_password");
    tokens(&site.login("correct horse").await);
}

async fn a_forgotten_password_is_set_through_a_link(store: Store) {
    let site = Site::on(store).await;
    site.server.user("ada").await;
    let (_, refresh) = tokens(&site.login("correct horse").await);
    let old = site.reset().await;
    let token = site.reset().await;
    // The newest wins.
    let replaced = site.confirm(&old, "battery staple").await;
    replaced.refuses_field(422, "invalid", "/token");
    let set = site.confirm(&token, "battery staple").await;
    assert_eq!((set.status.as_u16(), set.body.len()), (204, 0));
    let again = site.confirm(&token, "staple battery").await;
    again.refuses_field(422, "invalid", "/token");
    let refreshed = site.ask("/api/v1/auth/refresh", json!({"refresh_token": refresh}));
    refreshed.await.refuses(401, "unauthorized");
    site.login("correct horse")
        .await
        .refuses(401, "unauthorized");
    tokens(&site.login("battery staple").await);
}

/// It is answered while nobody can have looked: what looks and sends is held up, and another such request is answered all
/// the same. What is sent tells the one who reads the post, and nobody else.
async fn a_reset_says_nothing_about_the_account(store: Store) {
    let site = Site::on(store).await;
    site.server.user("ada").await;
    let held = site.door.acquire().await.unwrap();
    let mut answers = Vec::new();
    for name in ["ada", "eve", "ada", "mallory"] {
        let body = json!({"email": format!("{name}@example.org")});
        let mut answer = site.ask(RESET, body).await;
        answer.headers.remove("x-request-id");
        answer.headers.remove("date");
        answers.push((answer.status, answer.headers, answer.body));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    drop(held);
    for _ in 0..2 {
        assert_eq!(site.link().await.0, "ada@example.org");
    }
    let nonsense = site.ask(RESET, json!({"email": "no address"})).await;
    nonsense.refuses_field(422, "invalid", "/email");
    site.nothing_was_sent().await;
}

async fn a_link_is_refused_with_reasons(store: Store) {
    let site = Site::on(store).await;
    let (_, access) = site.server.user("ada").await;
    let late = site.reset().await;
    site.clock.advance(Duration::from_secs(3_600));
    for bad in [
        &*late,
        "",
        "pl_",
        &format!("pl_{}", "A".repeat(43)),
        &access,
    ] {
        let refused = site.confirm(bad, "battery staple").await;
        refused.refuses_field(422, "invalid", "/token");
        assert!(!refused.text().contains("pl_"));
    }
    let missing = site.ask(CONFIRM, json!({"token": late})).await;
    missing.refuses_field(422, "invalid", "/new_password");
    // A link to an address that is the account's no more.
    let link = site.reset().await;
    let (access, _) = tokens(&site.login("correct horse").await);
    let moved = json!({"email": "countess@example.org", "current_password": "correct horse"});
    let request = site.server.request(http::Method::PATCH, "/api/v1/users/me");
    assert_eq!(request.json(&moved).bearer(&access).await.status, 200);
    let refused = site.confirm(&link, "battery staple").await;
    refused.refuses_field(422, "invalid", "/token");
}

async fn weaker_parameters_are_raised_at_the_next_sign_in(store: Store) {
    let site = Site::on(store).await;
    let (id, _) = site.server.user("ada").await;
    let id = id.parse().unwrap();
    let users = site.server.store.users().unwrap();
    let stored = async || users.account(id).await.unwrap().unwrap().password.unwrap();
    let today = stored().await;
    // "correct horse", as somebody may have hashed it years ago.
    let weak = PasswordHash::from_store(WEAK.into());
    assert!(users.rehash(id, &today, &weak).await.unwrap());
    site.login("wrong horse").await.refuses(401, "unauthorized");
    assert_eq!(stored().await, weak);
    let (one, other) = tokio::join!(site.login("correct horse"), site.login("correct horse"));
    for answer in [one, other] {
        let (_, refresh) = tokens(&answer);
        let refreshed = site.ask("/api/v1/auth/refresh", json!({"refresh_token": refresh}));
        assert_eq!(refreshed.await.status, 200);
    }
    let raised = stored().await;
    assert!(
        raised
            .as_str()
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
    tokens(&site.login("correct horse").await);
    assert_eq!(stored().await, raised);
}

const WEAK: &str = "$argon2id$v=19$m=19456,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ$gf4wIcrgSj/whmcO6gbopXr9qdO/aFGvsSWEchFrHE0";
