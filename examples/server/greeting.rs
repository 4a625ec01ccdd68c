//! What the server says when it is ready: where it listens, and lines to paste into a shell.

use std::io::Write;
use std::net::SocketAddr;

use polling_core::PollId;

/// The lines for the next steps. They need a shell, curl and sed, and work as they are.
pub(crate) fn lines(address: SocketAddr, demo: Option<PollId>) -> String {
    let base = format!("http://{}/api/v1", reachable(address));
    let watch = |poll: &str| {
        format!(
            "\n# watch it live (or, with bars: cargo run --release --example watch -- {base}/polls/{poll})\n\
             curl -sN {base}/polls/{poll}/events\n"
        )
    };
    let demo = demo.map(|poll| {
        let read = format!("\n# read the sample poll, for which simulated voters vote for a minute\ncurl -s {base}/polls/{poll}\n");
        read + &watch(&poll.to_string())
    });
    let create = format!(
        "\n# create a poll\n\
         POLL=$(curl -s {base}/polls -H content-type:application/json -d '{{\"question\":\"Tea or coffee?\",\"options\":[\"Tea\",\"Coffee\"],\"publish\":true}}')\n\
         ID=$(echo \"$POLL\" | sed 's/^{{\"id\":\"\\([^\"]*\\)\".*/\\1/')\n\
         TEA=$(echo \"$POLL\" | sed 's/.*\"options\":\\[{{\"id\":\"\\([^\"]*\\)\".*/\\1/')\n"
    );
    let vote = format!(
        "\n# vote\ncurl -s {base}/polls/$ID/votes -H content-type:application/json -d \"{{\\\"option_id\\\":\\\"$TEA\\\",\\\"voter\\\":\\\"ada\\\"}}\"\n"
    );
    let read = format!("\n# read the result\ncurl -s {base}/polls/$ID/results\n");
    demo.unwrap_or_default() + &create + &vote + &read + &watch("$ID")
}

/// Prints the greeting. A server whose output nobody reads serves all the same.
pub(crate) fn print(address: SocketAddr, demo: Option<PollId>) {
    let greeting = format!("listening on http://{address}\n{}\n", lines(address, demo));
    let mut output = std::io::stdout().lock();
    let _ = output
        .write_all(greeting.as_bytes())
        .and_then(|()| output.flush());
}

/// An address that one can connect to, where the server listens on all of them.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}
