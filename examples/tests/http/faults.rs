//! Our own faults: answered, logged once, and never explained to clients; and what the log never holds.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use polling_core::{Actor, AuthError, Authenticator, StoreError};
use polling_http::HttpSettings;
use serde_json::json;
use tokio::time::Instant;
use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing_subscriber::fmt::MakeWriter;

use crate::store::Store;
use crate::support::{Server, Start};

// The log is that of one thread.
on_every_store! {
    #[tokio::test]
    the_log_names_routes_and_never_people_or_secrets
}

/// Goes wrong in the way that the credential names.
struct Faulty;

#[async_trait::async_trait]
impl Authenticator for Faulty {
    async fn authenticate(&self, bearer: &str) -> Result<Actor, AuthError> {
        match bearer {
            "panic" => panic!("the wheel came off"),
            "fail" => Err(StoreError::internal("disk 7 is broken").into()),
            "away" => Err(StoreError::unavailable("no route to the host").into()),
            "hang" => std::future::pending().await,
            _ => Err(AuthError::Rejected),
        }
    }
}

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Logs all of our own packages on this thread, on which the test's server runs too.
fn log() -> (Log, DefaultGuard) {
    // While there is one subscriber in all the program, a line that logs is asked for once, on the thread that reaches it
    // first, which may be another test's that logs nothing; with two, all are asked.
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));
    LazyLock::force(&SECOND);
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(
            "polling_core=trace,polling_http=trace,polling_pg=trace,polling_sqlite=trace",
        )
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

async fn faulty(http: HttpSettings) -> Server {
    let start = Start {
        http,
        with: Some(Box::new(|builder| builder.authenticator(Faulty))),
        ..Start::default()
    };
    start.run().await
}

#[tokio::test]
async fn a_panic_is_answered_and_logged_once() {
    let (log, _logging) = log();
    let server = faulty(HttpSettings::default()).await;
    let ask = server.get("/api/v1/polls").bearer("panic");
    let answer = ask.header("x-request-id", "trace-1").await;
    answer.refuses(500, "internal");
    assert_eq!(answer.json().get("detail"), None);
    let logged = log.text();
    assert_eq!(logged.matches("the wheel came off").count(), 1, "{logged}");
    let line = logged.lines().find(|line| line.contains("the wheel"));
    assert!(line.unwrap().contains("trace-1"), "{logged}");
    assert_eq!(server.get("/api/v1/polls").await.status, 200);
}

#[tokio::test]
async fn an_internal_error_is_logged_once_with_its_causes_and_not_sent() {
    let (log, _logging) = log();
    let server = faulty(HttpSettings::default()).await;
    let ask = server.get("/api/v1/polls").bearer("fail");
    let answer = ask.header("x-request-id", "trace-2").await;
    answer.refuses(500, "internal");
    assert!(!answer.text().contains("disk"), "{}", answer.text());
    let logged = log.text();
    assert_eq!(logged.matches("disk 7 is broken").count(), 1, "{logged}");
    let line = logged.lines().find(|line| line.contains("disk 7"));
    assert!(line.unwrap().contains("trace-2"), "{logged}");
}

#[tokio::test]
async fn an_outage_is_a_line_a_second_and_a_count() {
    const ASKED: u64 = 500;
    const EVENT: &str = "a request could not be served now";
    let (log, _logging) = log();
    let server = faulty(HttpSettings::default()).await;
    let began = Instant::now();
    for _ in 0..ASKED {
        let answer = server.get("/api/v1/polls").bearer("away").await;
        answer.refuses(503, "unavailable");
    }
    let told = || {
        let text = log.text();
        let lines: Vec<String> = text
            .lines()
            .filter(|line| line.contains(EVENT))
            .map(ToOwned::to_owned)
            .collect();
        let left_out = lines
            .iter()
            .filter_map(|line| line.split("left_out=").nth(1));
        let left_out =
            left_out.map(|count| count.split(' ').next().unwrap().parse::<u64>().unwrap());
        let events = lines
            .iter()
            .filter(|line| !line.contains("more of the same"));
        (lines.len(), events.count() as u64 + left_out.sum::<u64>())
    };
    // The last count comes by itself.
    while told().1 < ASKED {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", log.text());
        tokio::task::yield_now().await;
    }
    let (lines, counted) = told();
    assert_eq!(counted, ASKED);
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    assert!(lines <= seconds + 2, "{}", log.text());
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable() {
    let server = faulty(HttpSettings::default()).await;
    let answer = server.get("/api/v1/polls").bearer("away").await;
    answer.refuses(503, "unavailable");
    assert!(!answer.text().contains("route"), "{}", answer.text());
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_not_waited_for() {
    let mut http = HttpSettings::default();
    http.request_timeout = Duration::from_millis(50);
    let server = faulty(http).await;
    let answer = server.get("/api/v1/polls").bearer("hang").await;
    answer.refuses(503, "unavailable");
}

async fn the_log_names_routes_and_never_people_or_secrets(store: Store) {
    let (log, _logging) = log();
    let server = Server::on(store).await;
    let (_, token) = server.user("ada").await;
    let poll = server.poll(json!({"show_results": "after_vote"})).await;
    server
        .post(poll.path("/votes"), &poll.vote(0, "voter-of-the-test"))
        .await;
    server
        .get(poll.path("/results?voter=voter-of-the-test"))
        .bearer(&token)
        .await;
    let logged = log.text();
    assert!(
        logged.contains("route=\"/api/v1/polls/{id}/votes\""),
        "{logged}"
    );
    assert!(logged.contains("method=POST"), "{logged}");
    assert!(logged.contains("status=201"), "{logged}");
    assert!(logged.contains("latency_us="), "{logged}");
    let secrets = [
        "ada@example.org",
        "correct horse",
        "voter-of-the-test",
        &token,
        &poll.token,
    ];
    for secret in secrets {
        assert!(!logged.contains(secret), "{secret}: {logged}");
    }
}
