//! A throw-away PostgreSQL to look at: `cargo run -p pg-cluster`, or `… -p pg-cluster -- 18`. It is
//! there until its input ends, or until it is interrupted.

#![expect(
    clippy::print_stdout,
    reason = "a command for people at a terminal: printing is what it does"
)]

use std::io;
use std::process::ExitCode;

use pg_cluster::{Cluster, ClusterOptions, Version};

fn main() -> ExitCode {
    let version = match std::env::args().nth(1).as_deref() {
        Some("18") => Version::V18,
        _ => Version::Installed,
    };
    match Cluster::start(&ClusterOptions::new(version)) {
        Ok(cluster) => {
            println!("{}", cluster.url_of("postgres"));
            println!("{}", cluster.socket_dir().display());
            let ended = io::copy(&mut io::stdin(), &mut io::sink());
            drop(cluster);
            ended.map_or(ExitCode::FAILURE, |_| ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
