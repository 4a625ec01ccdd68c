//! Where a request comes from: the other end of its connection, or what proxies that are trusted say of it. Addresses
//! are data, as in `core::net`; nothing here connects to one.

use core::net::IpAddr;
use std::fmt;
use std::str::FromStr;

/// The other end of the connection that a request came in on: a server puts it into the extensions of each request, where
/// the transports look for it. Without it they do not know where a request comes from, and nothing is limited by address.
///
/// The server of `polling-http` does so. In axum a layer turns its `ConnectInfo` into this: `examples/axum.rs` shows how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// The proxies whose `X-Forwarded-For` is believed. None by default: then the header says nothing, because everybody can
/// send it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl TrustedProxies {
    /// From texts like `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.1`.
    ///
    /// # Errors
    /// One of them is no such text.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ParseNetworkError> {
        let networks = texts.into_iter().map(str::parse);
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who asks: `peer`, unless that is a trusted proxy; then the last address of `forwarded`, the values of all headers
    /// `X-Forwarded-For` in their order, that is not a trusted proxy's. Each proxy adds at the end whom it heard from, so
    /// that what stands before that address may be anybody's invention. Something that is no address ends the search: then
    /// it is the last proxy that was named well.
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> IpAddr {
        let mut client = peer.to_canonical();
        let entries = forwarded
            .rev()
            .flat_map(|value| value.rsplit(|&byte| byte == b','));
        for entry in entries {
            if !self.trusts(client) {
                break;
            }
            match address(entry) {
                Some(named) => client = named,
                None => break,
            }
        }
        client
    }

    /// Whether `address` is that of one of them. IPv4 within IPv6 is IPv4.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.has(address))
    }
}

/// An address as proxies write it, perhaps with a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<core::net::SocketAddr>().ok().map(|at| at.ip());
    let address: IpAddr = text.parse().ok().or_else(bare).or_else(with_port)?;
    Some(address.to_canonical())
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| ParseNetworkError)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| ParseNetworkError)?,
            None => most,
        };
        if bits > most {
            return Err(ParseNetworkError);
        }
        Ok(Self { address, bits })
    }
}

/// In the form that they are parsed from, with commas between.
impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Network { address, bits }) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{address}/{bits}")?;
        }
        Ok(())
    }
}

/// The text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a network is written ADDRESS/BITS, like 10.0.0.0/8 or 2001:db8::/32, or ADDRESS")]
pub struct ParseNetworkError;

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let trusted = TrustedProxies::parse(trusted.iter().copied()).unwrap();
        let forwarded = forwarded.iter().map(|value| value.as_bytes());
        trusted.client(peer.parse().unwrap(), forwarded).to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        assert_eq!(client(&[], "192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        let private = &["10.0.0.0/8"];
        assert_eq!(client(private, "192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client(private, "10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client(private, "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn the_last_address_that_is_no_trusted_proxys_wins() {
        let trusted = &["10.0.0.0/8", "2001:db8::/32"];
        // What the client invented stands before what the proxies added.
        let chain = ["198.51.100.1, 203.0.113.9", " 2001:db8::7 ,10.0.0.2"];
        assert_eq!(client(trusted, "10.1.2.3", &chain), "203.0.113.9");
        assert_eq!(
            client(trusted, "10.1.2.3", &["10.0.0.9,10.0.0.2"]),
            "10.0.0.9"
        );
        let mapped = "::ffff:10.1.2.3";
        assert_eq!(client(trusted, mapped, &["203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn something_that_is_no_address_ends_the_search() {
        let trusted = &["10.0.0.0/8"];
        for bad in ["unknown", "", "203.0.113.9 x", "_hidden", "1.2.3", "é"] {
            let chain = format!("203.0.113.9, {bad}, 10.0.0.2");
            assert_eq!(client(trusted, "10.1.2.3", &[&chain]), "10.0.0.2", "{bad}");
        }
    }

    #[test]
    fn an_address_may_have_a_port() {
        let trusted = &["10.0.0.1"];
        for (entry, is) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(client(trusted, "10.0.0.1", &[entry]), is, "{entry}");
        }
    }

    #[test]
    fn networks_are_written_with_their_bits() {
        let printed = |text| TrustedProxies::parse([text]).map(|proxies| proxies.to_string());
        assert_eq!(printed("10.0.0.0/8").unwrap(), "10.0.0.0/8");
        assert_eq!(printed(" ::1 ").unwrap(), "::1/128");
        for bad in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "host",
        ] {
            assert_eq!(printed(bad), Err(ParseNetworkError), "{bad}");
        }
        let everybody = &["0.0.0.0/0", "::/0"];
        assert_eq!(client(everybody, "::2", &["192.0.2.1"]), "192.0.2.1");
    }
}
