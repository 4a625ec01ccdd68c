//! What visitors may do, how often, and how it is known where they come from.

use std::fmt;

use clap::{ArgAction, Args};
use polling_core::limits::{ParseLimitError, Rule};
use polling_core::{FeatureSettings, LimitSettings, TrustedProxies};

use super::given;

#[derive(Args)]
#[expect(clippy::doc_markdown, reason = "these comments are what --help prints")]
pub(super) struct Flags {
    /// The proxies whose X-Forwarded-For says where a request comes from, as 10.0.0.0/8,2001:db8::1,…
    #[arg(long, env = "POLLING_TRUSTED_PROXIES", value_delimiter = ',')]
    trusted_proxies: Vec<String>,

    /// How often somebody may do what, as login=10/60,vote=off,…: so many in so many seconds. What is not named stays as it
    /// is by default.
    #[arg(long, env = "POLLING_LIMITS", value_delimiter = ',')]
    limits: Vec<String>,

    /// Whether addresses of this computer are limited like others.
    #[arg(long, env = "POLLING_LIMIT_LOOPBACK", default_value_t = false, action = ArgAction::Set)]
    limit_loopback: bool,

    /// Whether people may sign up by themselves.
    #[arg(long, env = "POLLING_SIGN_UP", default_value_t = true, action = ArgAction::Set)]
    sign_up: bool,

    /// Whether polls may be created without an account.
    #[arg(long, env = "POLLING_ANONYMOUS_POLLS", default_value_t = true, action = ArgAction::Set)]
    anonymous_polls: bool,

    /// Whether users may be imported in bulk.
    #[arg(long, env = "POLLING_IMPORT", default_value_t = true, action = ArgAction::Set)]
    import: bool,

    /// Whether the API documents itself, at /api/docs.
    #[arg(long, env = "POLLING_DOCS", default_value_t = true, action = ArgAction::Set)]
    docs: bool,
}

/// What visitors may do.
#[derive(Clone, Debug)]
pub(crate) struct Visitors {
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) limits: LimitSettings,
    pub(crate) features: FeatureSettings,
    pub(crate) docs: bool,
}

impl Visitors {
    /// # Errors
    /// The flag that is wrong, and why.
    pub(super) fn of(flags: &Flags) -> Result<Self, (&'static str, String)> {
        let trusted_proxies = TrustedProxies::parse(given(&flags.trusted_proxies))
            .map_err(|why| ("--trusted-proxies", why.to_string()))?;
        let mut limits = limits(&flags.limits).map_err(|why| ("--limits", why))?;
        limits.loopback = flags.limit_loopback;
        let mut features = FeatureSettings::default();
        features.sign_up = flags.sign_up;
        features.anonymous_polls = flags.anonymous_polls;
        features.import = flags.import;
        Ok(Self {
            trusted_proxies,
            limits,
            features,
            docs: flags.docs,
        })
    }
}

fn limits(list: &[String]) -> Result<LimitSettings, String> {
    let mut limits = LimitSettings::default();
    for text in given(list) {
        let (name, limit) = text
            .split_once('=')
            .ok_or("a limit is given as NAME=COUNT/SECONDS, or NAME=off")?;
        let rule: Rule = name.parse().map_err(|_| {
            let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
            format!("there is no limit {name}, but {}", names.join(", "))
        })?;
        let limit = match limit {
            "off" => None,
            limit => {
                let limit = limit.parse();
                Some(limit.map_err(|why: ParseLimitError| format!("{name}: {why}"))?)
            }
        };
        limits.set(rule, limit);
    }
    Ok(limits)
}

/// As the flags would say it.
impl fmt::Display for Visitors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trusted_proxies,
            limits,
            features,
            docs,
        } = self;
        write!(
            f,
            "trusted-proxies=\"{trusted_proxies}\" limits={limits} limit-loopback={} sign-up={} anonymous-polls={} import={} docs={docs}",
            limits.loopback, features.sign_up, features.anonymous_polls, features.import
        )
    }
}
