//! Ports that nobody has.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Below the ports that systems lend to outgoing connections (32768 and up on Linux): nothing
/// takes one of these by chance while a server that is to come back on it is down.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// How often another port is tried when somebody was quicker.
pub(crate) const ATTEMPTS: usize = 20;

pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A port that is free at this moment. Whoever binds it may still come too late, and asks again.
pub(crate) fn free() -> u16 {
    let mut port = FIRST;
    for _ in 0..COUNT {
        port = somewhere();
        if TcpListener::bind(loopback(port)).is_ok() {
            break;
        }
    }
    port
}

/// Every process begins elsewhere, so that test programs side by side seldom meet.
fn somewhere() -> u16 {
    let random = RandomState::new().hash_one(0) % u64::from(COUNT);
    FIRST + u16::try_from(random).unwrap_or_default()
}
