//! The load generator, as people run it: it proves what a server did, and says so where a server lies.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::process::Command;

use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::liar::{Liar, Lie};
use crate::support::process::program;
use crate::support::soon;

on_every_store! {
    what_is_sent_one_by_one_is_proved
    what_is_sent_in_batches_is_proved
    what_is_sent_over_web_sockets_is_proved
    an_open_loop_is_proved
}

/// What a run of the generator printed, and whether it ended well.
struct Told {
    output: String,
    errors: String,
    well: bool,
}

/// Runs the generator against a server.
async fn load(server: SocketAddr, flags: &str) -> Told {
    let load = Command::new(program().with_file_name("load"))
        .args(["--url", &format!("http://{server}")])
        .args(flags.split(' '))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = soon(load)
        .await
        .expect("the generator is built: cargo build --examples");
    Told {
        output: String::from_utf8(ended.stdout).expect("it prints UTF-8"),
        errors: String::from_utf8(ended.stderr).expect("it prints UTF-8"),
        well: ended.status.success(),
    }
}

impl Told {
    /// What stands in the line that begins with this word.
    #[track_caller]
    fn line(&self, word: &str) -> &str {
        let mut lines = self.output.lines();
        let found = lines.find_map(|line| line.trim_start().strip_prefix(word));
        let Some(line) = found else {
            panic!("no {word} in {}{}", self.output, self.errors)
        };
        line.trim()
    }

    /// How often this answer came.
    #[track_caller]
    fn times(&self, answer: &str) -> usize {
        let found = self.output.lines().find(|line| line.contains(answer));
        let times = found.and_then(|line| line.rsplit(' ').next()?.parse().ok());
        times.unwrap_or_else(|| panic!("no {answer} in {}", self.output))
    }

    /// How many ballots were answered, counted and recounted.
    #[track_caller]
    fn proved(&self) -> [usize; 3] {
        assert!(self.well, "{}{}", self.output, self.errors);
        let proof = self.line("proof").strip_suffix(": it holds");
        let proof = proof.expect("the proof holds").replace(',', "");
        let numbers = proof.split(' ').filter_map(|word| word.parse().ok());
        let numbers: Vec<usize> = numbers.collect();
        numbers.try_into().expect("three numbers")
    }
}

/// Runs the generator on a server of its own, with ballots in two polls and three viewers, and looks past the server
/// whether what it says is what is stored.
async fn prove(store: Store, flags: &str) -> Told {
    let bed = Bed::on(store).await;
    let server = bed.start().await;
    let two_polls = format!("--polls 2 --viewers 3 {flags}");
    let told = load(server.address, &two_polls).await;
    let [answered, counted, recounted] = told.proved();
    assert!(answered > 0 && answered == counted && counted == recounted);
    let viewers = told.line("viewers");
    assert!(
        viewers.ends_with("3 of 3 ended on the final result"),
        "{viewers}"
    );
    assert!(server.stop().await.success());
    let mut stored = 0;
    for poll in told.line("polls").split(' ') {
        let poll: polling_core::PollId = poll.parse().unwrap();
        let store = bed.open().await;
        let recount = store.results().recount(poll).await.unwrap().unwrap();
        assert!(recount.agrees() && recount.ballots > 0, "{recount:?}");
        stored += recount.ballots;
    }
    assert_eq!(stored, answered as u64);
    told
}

async fn what_is_sent_one_by_one_is_proved(store: Store) {
    let told = prove(store, "--votes 400 --voters 8 --duplicates 40").await;
    assert!(told.line("votes").starts_with("400 ballots"));
    let (again, second) = (told.times("200 retry"), told.times("409 already_voted"));
    // The dice fall the same in every run.
    assert!(again > 40 && second > 40, "{}", told.output);
    let new = told.times("201 recorded");
    assert_eq!(new + again + second, 400);
    assert_eq!(told.proved()[0], new);
    assert!(told.line("latency").starts_with("p50 "));
    assert!(told.output.contains('█'), "a histogram is drawn");
    assert!(told.line("generator").contains("processor time a ballot"));
    assert_eq!(told.errors, "", "the bar is for terminals");
}

async fn what_is_sent_in_batches_is_proved(store: Store) {
    let flags = "--votes 3000 --voters 3 --duplicates 40 --transport batch --together 100";
    let told = prove(store, flags).await;
    assert!(told.line("votes").starts_with("3,000 ballots"));
}

async fn what_is_sent_over_web_sockets_is_proved(store: Store) {
    let flags = "--votes 2000 --voters 4 --duplicates 40 --transport ws";
    let told = prove(store, flags).await;
    assert!(told.line("votes").starts_with("2,000 ballots"));
}

async fn an_open_loop_is_proved(store: Store) {
    let told = prove(store, "--votes 200 --voters 8 --rate 1000").await;
    assert_eq!(told.proved()[0], 200);
    assert!(told.line("began late by").starts_with("p50 "));
}

/// What the generator says of a server that behaves like this.
async fn lied_to(lie: Lie) -> Told {
    lied_to_with(lie, "--votes 100 --voters 4").await
}

async fn lied_to_with(lie: Lie, flags: &str) -> Told {
    let bed = Bed::on(Store::Sqlite).await;
    let server = bed.start().await;
    let liar = Liar::before(server.address, lie).await;
    let told = load(liar.address, flags).await;
    assert!(server.stop().await.success());
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_counts_a_ballot_less_fails_the_proof() {
    let told = lied_to(Lie::Miscounts).await;
    assert!(!told.well, "{}", told.output);
    let proof = "100 answered, 99 counted, 100 recounted: IT FAILS";
    assert_eq!(told.line("proof"), proof);
    assert_eq!(told.errors, "the proof fails\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_what_it_has_not_recorded_fails_the_proof() {
    let told = lied_to(Lie::Forgets).await;
    assert!(!told.well, "{}", told.output);
    let proof = "100 answered, 90 counted, 90 recounted: IT FAILS";
    assert_eq!(told.line("proof"), proof);
    let lost = "10 ballots were answered as recorded, and are not stored";
    assert!(told.output.contains(lost), "{}", told.output);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_no_vote_fails_the_proof() {
    let told = lied_to_with(Lie::PutsOff, "--votes 4 --voters 4 --patience 2").await;
    assert!(!told.well, "{}", told.output);
    let doubt = "no vote was answered";
    assert!(told.output.contains(doubt), "{}", told.output);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_lost_are_asked_for_again() {
    let told = lied_to(Lie::LosesAnswers).await;
    assert_eq!(told.proved(), [100; 3]);
    for (answer, at_least) in [("503 overloaded", 10), ("no answer, sent again", 10)] {
        assert!(told.times(answer) >= at_least, "{}", told.output);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_who_are_shown_nothing_end_the_run() {
    let bed = Bed::on(Store::Sqlite).await;
    let server = bed.start().await;
    // It passes requests on, but no WebSockets.
    let liar = Liar::before(server.address, Lie::Miscounts).await;
    let told = load(liar.address, "--votes 1 --viewers 2 --patience 5").await;
    assert!(!told.well);
    let expected = "the load was not run to its end: only 0 of 2 viewers are shown anything\n";
    assert_eq!((told.errors.as_str(), &*told.output), (expected, ""));
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = free.local_addr().unwrap();
    drop(free);
    let told = load(nobody, "--votes 1").await;
    assert!(!told.well);
    let expected = format!("no server answers at http://{nobody}");
    assert!(told.errors.contains(&expected), "{}", told.errors);
}
