//! What the generator is told: how many vote, how, and for how long.

use std::time::Duration;

use clap::{Parser, ValueEnum};
use http::Uri;

/// Seconds that the votes go on for, where nothing says how many there are.
const SECONDS: u64 = 10;

/// Vote in polls of a running server, watch them live, and prove at the end that every vote was counted once.
///
/// It makes its own polls, closes them at the end, and leaves them there. It exits with 0 only if the proof holds: as many
/// ballots were answered as are counted, and as are found when every one of them is sent again.
#[derive(Clone, Debug, Parser)]
#[command(name = "load")]
pub(crate) struct Arguments {
    /// The server, as http://HOST:PORT, with a path before /api where it is mounted under one.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub(crate) url: Uri,

    /// Send to a server that is not on this machine: be sure that it is yours.
    #[arg(long)]
    pub(crate) anywhere: bool,

    /// End after so many ballots, duplicates included.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) votes: Option<u64>,

    /// End after so many seconds [default: 10, where --votes is not given].
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: Option<u64>,

    /// Connections that vote, each waiting for its answers before it goes on.
    #[arg(long, default_value_t = 64, value_parser = from_one)]
    pub(crate) voters: usize,

    /// Connections that watch a poll live, over WebSocket.
    #[arg(long, default_value_t = 0)]
    pub(crate) viewers: usize,

    /// Polls that the votes are spread over.
    #[arg(long, default_value_t = 1, value_parser = from_one)]
    pub(crate) polls: usize,

    /// How many of a hundred ballots come from somebody who has voted: half of them the same ballot again, half another.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..100))]
    pub(crate) duplicates: u64,

    /// How ballots are sent.
    #[arg(long, value_enum, default_value_t = Transport::Http)]
    pub(crate) transport: Transport,

    /// Ballots that a voter sends at once: in a request [default: 1000], or over its WebSocket [default: 32].
    #[arg(long, value_name = "BALLOTS", value_parser = from_one)]
    pub(crate) together: Option<usize>,

    /// Begin so many votes a second, whether the server keeps up or not: an open loop, whose latencies count from when a
    /// vote was to begin. Without it a voter begins when it has its answers.
    #[arg(long, value_name = "VOTES_PER_SECOND", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) rate: Option<u64>,

    /// How many seconds a ballot is sent again for, which got no answer or was put off.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) patience: u64,
}

/// How ballots are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// One ballot a request.
    Http,
    /// Many ballots a request.
    Batch,
    /// One ballot a frame, many on their way at once.
    Ws,
}

impl Transport {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "over HTTP, one a request",
            Self::Batch => "over HTTP, in batches",
            Self::Ws => "over WebSocket",
        }
    }

    /// The default, and the most: an endless burst would fill the buffers of both sides before anybody reads.
    const fn together(self) -> (usize, usize) {
        match self {
            Self::Http => (1, 1),
            Self::Batch => (1_000, 10_000),
            Self::Ws => (32, 256),
        }
    }
}

impl Arguments {
    /// How many ballots a voter sends at once, at most.
    ///
    /// # Errors
    /// Where more are asked for than the transport takes.
    pub(crate) fn together(&self) -> Result<usize, String> {
        let (default, most) = self.transport.together();
        match self.together {
            None => Ok(default),
            Some(asked) if asked <= most => Ok(asked),
            Some(_) => Err(format!("--together is {most} at most here")),
        }
    }

    pub(crate) fn length(&self) -> Option<Duration> {
        let default = self.votes.is_none().then_some(SECONDS);
        self.seconds.or(default).map(Duration::from_secs)
    }

    /// What is going to be done.
    pub(crate) fn in_words(&self) -> String {
        let Self { url, voters, .. } = self;
        let count = |number, what| match number {
            1 => format!("1 {what}"),
            more => format!("{more} {what}s"),
        };
        let voters = count(*voters, "voter");
        let (viewers, polls) = (count(self.viewers, "viewer"), count(self.polls, "poll"));
        let how = self.transport.as_str();
        let pace = match self.rate {
            Some(rate) => format!("open loop, {rate} votes/s"),
            None => "closed loop".into(),
        };
        let duplicates = match self.duplicates {
            0 => String::new(),
            percent => format!(", {percent} % duplicates"),
        };
        format!("load       {voters} {how}, {viewers}, {polls}, {pace}{duplicates}, to {url}")
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }
}

fn from_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "must be a number from 1 on".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[&str]) -> Arguments {
        Arguments::try_parse_from(["load"].iter().chain(flags)).unwrap()
    }

    #[test]
    fn a_run_always_has_an_end() {
        assert_eq!(read(&[]).length(), Some(Duration::from_secs(10)));
        assert_eq!(read(&["--votes", "5"]).length(), None);
        let both = read(&["--votes", "5", "--for", "7"]);
        assert_eq!(both.length(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            ["--votes", "0"],
            ["--voters", "0"],
            ["--polls", "0"],
            ["--duplicates", "100"],
            ["--rate", "0"],
            ["--for", "0"],
            ["--transport", "pigeon"],
        ] {
            let read = Arguments::try_parse_from(["load"].iter().chain(&wrong));
            assert!(read.is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn each_transport_says_how_many_ballots_go_together() {
        let together = |flags: &[&str]| read(flags).together().ok();
        assert_eq!(together(&[]), Some(1));
        assert_eq!(together(&["--together", "2"]), None);
        assert_eq!(together(&["--transport", "batch"]), Some(1_000));
        let most = ["--transport", "batch", "--together", "10001"];
        assert_eq!(together(&most), None);
        assert_eq!(
            together(&["--transport", "ws", "--together", "256"]),
            Some(256)
        );
    }
}
