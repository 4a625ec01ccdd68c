//! The network between a server and its database fails, and comes back.

use std::net::SocketAddr;

use http::{Method, StatusCode, header};
use pg_cluster::Proxy;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::crash::open_poll;
use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::{Client, ready};
use crate::support::process::ServerProcess;
use crate::support::soon;
use crate::support::storm::{Storm, recorded};
use crate::support::voter::{BOUND, ballot, votes_of};

/// A server that reaches its database through a proxy.
struct Remote {
    bed: Bed,
    proxy: Proxy,
    server: ServerProcess,
    poll: Value,
}

impl Remote {
    async fn start() -> Self {
        let bed = Bed::on(Store::Postgres).await;
        let proxy = Proxy::start(bed.cluster().address()).await.unwrap();
        let server = ServerProcess::start(&proxy.url_of(bed.database())).await;
        let poll = open_poll(&mut Client::connect(server.address).await.unwrap()).await;
        Self {
            bed,
            proxy,
            server,
            poll,
        }
    }

    fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Sends a vote, and returns the answer, which comes within a bounded time.
    async fn vote(&self, ballot: &Value) -> http::Response<Value> {
        let mut client = Client::connect(self.address()).await.unwrap();
        let path = votes_of(&self.poll);
        let sent = client.exchange(Method::POST, &path, Some(ballot));
        let answer = timeout(BOUND, sent).await;
        answer.expect("it is answered in time").unwrap()
    }

    /// A ballot that the database records, without the server's hearing of it.
    fn ballot_whose_answer_is_lost(&self) -> Value {
        self.proxy
            .lose_next_answer(|said| says(said, &BALLOT_ID_BYTES));
        let mut ballot = ballot(&self.poll, "ada");
        ballot["ballot_id"] = json!(BALLOT_ID);
        ballot
    }

    /// Without the database nothing is acknowledged, and everybody is told so in time.
    async fn is_unavailable(&self, voter: &str) {
        let refused = self.vote(&ballot(&self.poll, voter)).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.body()["code"], "unavailable");
        assert!(refused.headers().contains_key(header::RETRY_AFTER));
        let is_ready = timeout(BOUND, ready(self.address())).await;
        assert_eq!(is_ready.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
        // What was read long ago may be wrong by now.
        let path = format!("/polls/{}/results", self.poll["id"].as_str().unwrap());
        let mut client = Client::connect(self.address()).await.unwrap();
        let results = timeout(BOUND, client.get(&path)).await;
        assert_eq!(results.unwrap().0, StatusCode::SERVICE_UNAVAILABLE);
    }

    /// The storm goes on without anybody's help, and in the end everything is right.
    async fn heals(self, storm: Storm) {
        storm.goes_on_by(300).await;
        let answers = storm.ends().await;
        assert_eq!(soon(ready(self.address())).await, StatusCode::OK);
        let answered = recorded(&answers).len();
        assert_eq!(answered, answers.len(), "a voter who insists is recorded");
        for voter in ["ada", "bob"] {
            let again = self.vote(&ballot(&self.poll, voter)).await;
            assert!(again.status().is_success());
        }
        self.bed.recount(&self.poll, answered + 2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_cut_is_told_in_time_and_heals() {
    let remote = Remote::start().await;
    let storm = Storm::insisting(&[remote.address()], &remote.poll, 16);
    storm.reaches(300).await;
    remote.proxy.cut().await;
    remote.is_unavailable("ada").await;
    remote.is_unavailable("bob").await;
    assert!(storm.repeated() > 0);
    remote.proxy.mend().await.unwrap();
    remote.heals(storm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_swallows_everything_is_told_in_time_and_heals() {
    let remote = Remote::start().await;
    let storm = Storm::insisting(&[remote.address()], &remote.poll, 16);
    storm.reaches(300).await;
    remote.proxy.freeze();
    remote.is_unavailable("ada").await;
    remote.is_unavailable("bob").await;
    remote.proxy.thaw();
    remote.heals(storm).await;
}

const BALLOT_ID: &str = "018f3c6e-0000-7000-8fff-00000000002a";
const BALLOT_ID_BYTES: [u8; 16] = [
    0x01, 0x8f, 0x3c, 0x6e, 0, 0, 0x70, 0, 0x8f, 0xff, 0, 0, 0, 0, 0, 0x2a,
];

fn says(said: &[u8], bytes: &[u8]) -> bool {
    said.windows(bytes.len()).any(|window| window == bytes)
}

/// The ballot is committed, and the connection ends before the server hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_on_the_wire_is_answered_truly() {
    let remote = Remote::start().await;
    let ballot = remote.ballot_whose_answer_is_lost();
    let mut answer = remote.vote(&ballot).await;
    assert_eq!(remote.proxy.answers_lost(), 1);
    while answer.status() == StatusCode::SERVICE_UNAVAILABLE {
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
        answer = remote.vote(&ballot).await;
    }
    assert!(answer.status().is_success(), "{answer:?}");
    assert_eq!(answer.body()["ballot_id"], BALLOT_ID);
    remote.bed.recount(&remote.poll, 1).await;
    let again = remote.vote(&ballot).await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.body()["cast_at"], answer.body()["cast_at"]);
    remote.bed.recount(&remote.poll, 1).await;
}

/// The same, and then the database is away for longer than anybody waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_for_good_is_found_by_a_retry() {
    let remote = Remote::start().await;
    let ballot = remote.ballot_whose_answer_is_lost();
    let cut_after_it = async {
        while remote.proxy.answers_lost() == 0 {
            tokio::task::yield_now().await;
        }
        remote.proxy.cut().await;
    };
    let (first, ()) = tokio::join!(remote.vote(&ballot), cut_after_it);
    let is_known = first.status().is_success();
    if !is_known {
        assert_eq!(first.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(first.headers().contains_key(header::RETRY_AFTER));
    }
    // It was committed all the same.
    remote.bed.recount(&remote.poll, 1).await;
    remote.proxy.mend().await.unwrap();
    let retried = async {
        loop {
            let answer = remote.vote(&ballot).await;
            if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
                break answer;
            }
        }
    };
    let answer = soon(retried).await;
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body()["ballot_id"], BALLOT_ID);
    remote.bed.recount(&remote.poll, 1).await;
}

/// One answer after the other is lost, of whoever is under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_lost_in_a_storm_cost_and_double_no_vote() {
    let remote = Remote::start().await;
    let storm = Storm::insisting(&[remote.address()], &remote.poll, 16);
    storm.reaches(100).await;
    for lost in 1..=20 {
        // All ballots of the storm begin so.
        remote
            .proxy
            .lose_next_answer(|said| says(said, &BALLOT_ID_BYTES[..8]));
        let loses = async {
            while remote.proxy.answers_lost() < lost {
                tokio::task::yield_now().await;
            }
        };
        soon(loses).await;
        storm.goes_on_by(20).await;
    }
    remote.heals(storm).await;
}
