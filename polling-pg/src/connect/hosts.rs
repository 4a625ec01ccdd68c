//! The places where a server may be.

use std::fmt;
use std::net::IpAddr;

use super::ConnectOptionsError;
use super::settings::Settings;

/// One place where the server may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// A name, an address, or the directory of a socket.
    pub(super) name: String,
    /// Spares looking the name up.
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
}

/// Every place that the settings name, or the usual ones.
pub(super) fn hosts(settings: &Settings) -> Result<Vec<Host>, ConnectOptionsError> {
    let names = settings.list("host");
    let addresses = addresses(settings)?;
    let ports = ports(settings)?;
    let count = names.len().max(addresses.len()).max(1);
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return Err(settings.wrong("hostaddr", "as many addresses as there are hosts"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(malformed(
            "there must be one port for all hosts, or one for each",
        ));
    }
    let mut hosts = Vec::new();
    for place in 0..count {
        let address = addresses.get(place).copied().flatten();
        let port = ports.get(place).or(ports.first()).copied().unwrap_or(5432);
        let host = |name: &str| Host {
            name: name.to_owned(),
            address,
            port,
        };
        match (names.get(place).filter(|name| !name.is_empty()), address) {
            (Some(name), _) => hosts.push(host(name)),
            (None, Some(address)) => hosts.push(host(&address.to_string())),
            (None, None) => hosts.extend(LOCAL.iter().map(|name| host(name))),
        }
    }
    Ok(hosts)
}

/// Where a server on the same machine has its socket: as Debian builds it, and as PostgreSQL itself does.
#[cfg(unix)]
const LOCAL: &[&str] = &["/var/run/postgresql", "/tmp"];
#[cfg(not(unix))]
const LOCAL: &[&str] = &["localhost"];

fn addresses(settings: &Settings) -> Result<Vec<Option<IpAddr>>, ConnectOptionsError> {
    let list = settings.list("hostaddr").into_iter();
    list.map(|text| match text {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| settings.wrong("hostaddr", "IP addresses")),
    })
    .collect()
}

fn ports(settings: &Settings) -> Result<Vec<u16>, ConnectOptionsError> {
    let list = settings.list("port").into_iter();
    list.map(|text| match text {
        "" => Ok(5432),
        text => match text.parse() {
            // Not repeated: in a URL that was not encoded it may be a piece of the password.
            Ok(0) | Err(_) => Err(malformed("a port must be a number between 1 and 65535")),
            Ok(port) => Ok(port),
        },
    })
    .collect()
}

fn malformed(reason: &str) -> ConnectOptionsError {
    ConnectOptionsError::Malformed {
        reason: reason.to_owned(),
    }
}

impl Host {
    pub(super) fn is_usual_socket(&self) -> bool {
        self.is_socket() && LOCAL.contains(&self.name.as_str())
    }

    pub(super) fn is_socket(&self) -> bool {
        self.name.starts_with('/') && self.address.is_none()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_socket() {
            true => write!(f, "{}/.s.PGSQL.{}", self.name, self.port),
            false if self.name.contains(':') => write!(f, "[{}]:{}", self.name, self.port),
            false => write!(f, "{}:{}", self.name, self.port),
        }
    }
}
