//! The settings that libpq knows: where each comes from, and which mean something here.

use super::ConnectOptionsError;
use super::text::{self, Pairs};

/// A keyword, the variable that fills it in, and what becomes of it.
const KNOWN: &[(&str, &str, Use)] = &[
    ("host", "PGHOST", Use::Taken),
    ("hostaddr", "PGHOSTADDR", Use::Taken),
    ("port", "PGPORT", Use::Taken),
    ("dbname", "PGDATABASE", Use::Taken),
    ("user", "PGUSER", Use::Taken),
    ("password", "PGPASSWORD", Use::Taken),
    ("passfile", "PGPASSFILE", Use::Taken),
    ("channel_binding", "PGCHANNELBINDING", Use::Taken),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Use::Taken),
    ("options", "PGOPTIONS", Use::Taken),
    ("application_name", "PGAPPNAME", Use::Taken),
    ("fallback_application_name", "", Use::Taken),
    ("keepalives", "", Use::Taken),
    ("keepalives_idle", "", Use::Taken),
    ("keepalives_interval", "", Use::Taken),
    ("keepalives_count", "", Use::Taken),
    ("tcp_user_timeout", "", Use::Taken),
    ("sslmode", "PGSSLMODE", Use::Taken),
    ("sslrootcert", "PGSSLROOTCERT", Use::Taken),
    ("sslcert", "PGSSLCERT", Use::Taken),
    ("sslkey", "PGSSLKEY", Use::Taken),
    ("sslsni", "PGSSLSNI", Use::Taken),
    ("sslnegotiation", "PGSSLNEGOTIATION", Use::Taken),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Use::Taken),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Use::Taken),
    (
        "client_encoding",
        "",
        Use::Only(&["UTF8", "utf8", "UTF-8", "utf-8", "auto"]),
    ),
    (
        "gssencmode",
        "PGGSSENCMODE",
        Use::Only(&["disable", "prefer"]),
    ),
    ("gssdelegation", "PGGSSDELEGATION", Use::Only(&["0"])),
    ("requiressl", "PGREQUIRESSL", Use::Only(&["0"])),
    ("sslcompression", "PGSSLCOMPRESSION", Use::Only(&["0"])),
    ("sslcertmode", "PGSSLCERTMODE", Use::Only(&["allow"])),
    (
        "ssl_min_protocol_version",
        "PGSSLMINPROTOCOLVERSION",
        Use::Only(&["TLSv1", "TLSv1.1", "TLSv1.2"]),
    ),
    (
        "ssl_max_protocol_version",
        "PGSSLMAXPROTOCOLVERSION",
        Use::Only(&["TLSv1.3"]),
    ),
    ("replication", "", Use::Only(&["false", "off", "no", "0"])),
    ("require_auth", "PGREQUIREAUTH", Use::Only(&[])),
    ("requirepeer", "PGREQUIREPEER", Use::Only(&[])),
    ("service", "PGSERVICE", Use::Only(&[])),
    ("sslpassword", "", Use::Only(&[])),
    ("sslcrl", "PGSSLCRL", Use::Only(&[])),
    ("sslcrldir", "PGSSLCRLDIR", Use::Only(&[])),
    // Without GSS they say nothing.
    ("krbsrvname", "PGKRBSRVNAME", Use::Ignored),
    ("gsslib", "PGGSSLIB", Use::Ignored),
];

/// What becomes of a setting.
enum Use {
    /// It is heeded.
    Taken,
    /// It asks for nothing that is not so anyway, as long as it is one of these.
    Only(&'static [&'static str]),
    /// It has no effect.
    Ignored,
}

/// The settings of a text, with what it leaves out from the environment.
pub(super) struct Settings {
    pairs: Pairs,
}

impl Settings {
    pub(super) fn new(
        text: &str,
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConnectOptionsError> {
        let mut pairs = text::pairs(text)?;
        for keyword in pairs.keys() {
            if !KNOWN.iter().any(|(known, ..)| known == keyword) {
                return Err(unknown(keyword));
            }
        }
        for (keyword, variable, _) in KNOWN.iter().filter(|(_, variable, _)| !variable.is_empty()) {
            if !pairs.contains_key(*keyword)
                && let Some(value) = environment(variable)
            {
                pairs.insert((*keyword).to_owned(), value);
            }
        }
        pairs.retain(|_, value| !value.is_empty());
        for (keyword, variable, used) in KNOWN {
            match (pairs.get(*keyword), used) {
                (Some(value), Use::Only(harmless)) if !harmless.contains(&value.as_str()) => {
                    return Err(ConnectOptionsError::Unsupported { keyword, variable });
                }
                _ => {}
            }
        }
        Ok(Self { pairs })
    }

    pub(super) fn get(&self, keyword: &'static str) -> Option<&str> {
        self.pairs.get(keyword).map(String::as_str)
    }

    /// The comma-separated parts of a setting; none where it is left out.
    pub(super) fn list(&self, keyword: &'static str) -> Vec<&str> {
        let value = self.get(keyword);
        value.map_or_else(Vec::new, |value| value.split(',').map(str::trim).collect())
    }

    /// A whole number, in whatever unit the setting is in. Below 0 counts as 0, as libpq has it.
    pub(super) fn number(&self, keyword: &'static str) -> Result<Option<u32>, ConnectOptionsError> {
        let Some(value) = self.get(keyword) else {
            return Ok(None);
        };
        match value.trim().parse::<i64>().map(|number| number.max(0)) {
            Ok(number) => Ok(Some(u32::try_from(number).unwrap_or(u32::MAX))),
            Err(_) => Err(self.wrong(keyword, "a whole number")),
        }
    }

    /// One of several words, and what it stands for.
    pub(super) fn choice<T: Copy>(
        &self,
        keyword: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ConnectOptionsError> {
        let Some(value) = self.get(keyword) else {
            return Ok(None);
        };
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                Err(self.wrong(keyword, &words.join(", ")))
            }
        }
    }

    pub(super) fn wrong(&self, keyword: &'static str, expected: &str) -> ConnectOptionsError {
        ConnectOptionsError::Value {
            keyword,
            found: self.get(keyword).unwrap_or_default().to_owned(),
            expected: expected.to_owned(),
        }
    }
}

/// Names a keyword that nobody knows, unless it looks like a piece of something else: a password, say.
fn unknown(keyword: &str) -> ConnectOptionsError {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    ConnectOptionsError::Unknown {
        keyword: if keyword.chars().all(plain) {
            format!("\"{keyword}\"")
        } else {
            "something".to_owned()
        },
    }
}
