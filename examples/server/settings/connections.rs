//! How many connections there may be.

use std::fmt;
use std::str::FromStr;

use clap::Args;

#[derive(Args)]
#[group(skip)]
pub(super) struct ConnectionFlags {
    /// The most connections at the same time, viewers included. Each takes a file descriptor.
    #[arg(long, env = "POLLING_CONNECTIONS", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,

    /// The most of them from one address, or one /64 network of IPv6, or off. Trusted proxies are not counted, nor is this
    /// computer without --limit-loopback [default: half of --connections].
    #[arg(long, env = "POLLING_CONNECTIONS_PER_ADDRESS")]
    connections_per_address: Option<PerAddress>,
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connections {
    pub(crate) all: usize,
    pub(crate) per_address: Option<usize>,
}

/// A number from 1 on, or `off`.
#[derive(Clone, Copy, Debug)]
struct PerAddress(Option<u32>);

impl FromStr for PerAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self(None)),
            text => match text.parse() {
                Ok(count) if count > 0 => Ok(Self(Some(count))),
                _ => Err("it is a number from 1 on, or off"),
            },
        }
    }
}

impl Connections {
    pub(super) fn of(flags: &ConnectionFlags) -> Self {
        let all = size(flags.connections);
        let per_address = match flags.connections_per_address {
            None => Some(all.div_ceil(2)),
            Some(PerAddress(count)) => count.map(size),
        };
        Self { all, per_address }
    }

    /// Of fewer connections an address has the same share.
    pub(crate) fn lowered_to(self, fewer: usize) -> Self {
        let share = |of_address: usize| {
            let share = of_address.min(self.all) * fewer / self.all;
            share.max(1)
        };
        Self {
            all: fewer,
            per_address: self.per_address.map(share),
        }
    }
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// As the flags would say it.
impl fmt::Display for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connections={} connections-per-address=", self.all)?;
        match self.per_address {
            Some(count) => write!(f, "{count}"),
            None => f.write_str("off"),
        }
    }
}
