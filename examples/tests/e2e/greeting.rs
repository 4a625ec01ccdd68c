//! What the server prints can be pasted into a shell as it is.

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::store::Store;
use crate::support::bed::Bed;

on_every_store! {
    the_lines_that_the_server_prints_create_vote_read_and_watch
}

async fn the_lines_that_the_server_prints_create_vote_read_and_watch(store: Store) {
    let bed = Bed::on(store).await;
    let server = bed.start().await;
    let lines = server.greeting.split_once('\n').unwrap().1;
    // The last line watches until it is stopped: here, when the first results have come.
    let mut shell = Command::new("sh")
        .args(["-c", &format!("set -e\n{lines}")])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(shell.stdout.take().unwrap()).lines();
    let mut seen = String::new();
    let read = async {
        while !(seen.contains("event: results") && seen.contains("data:")) {
            let line = output.next_line().await.unwrap();
            seen.push_str(&line.unwrap_or_else(|| panic!("the lines end early: {seen}")));
            seen.push('\n');
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), read)
        .await
        .unwrap();
    assert!(
        seen.contains(r#""voter":"ada""#),
        "the receipt of the vote: {seen}"
    );
    assert!(seen.contains(r#""ballots":1"#), "the result: {seen}");
    shell.start_kill().unwrap();
    shell.wait().await.unwrap();
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_file_is_refused_in_words() {
    let bed = Bed::on(Store::Sqlite).await;
    let server = bed.start().await;
    let second = Command::new(crate::support::process::program())
        .args(["--listen", "127.0.0.1:0", "--database-url", &bed.url()])
        .output()
        .await
        .unwrap();
    assert!(!second.status.success());
    let words = String::from_utf8(second.stderr).unwrap();
    assert!(words.contains("another process"), "{words}");
    assert!(server.stop().await.success());
}
