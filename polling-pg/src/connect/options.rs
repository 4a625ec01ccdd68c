//! Where the server is, and how it is reached.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, TargetSessionAttrs};

use super::hosts::{Host, hosts};
use super::settings::Settings;
use super::tls::TlsOptions;
use super::{ConnectError, passfile};

/// Where PostgreSQL is and how it is reached: what libpq reads from a URL, a key/value string and the environment.
///
/// ```
/// use polling_pg::ConnectOptions;
///
/// let options = ConnectOptions::parse("postgres://polling:secret@db.example.org/polls?sslmode=verify-full")?;
/// assert_eq!(options.to_string(), "db.example.org:5432/polls as polling");
/// # Ok::<(), polling_pg::ConnectOptionsError>(())
/// ```
///
/// # What is as in libpq
/// Both forms of text, several hosts (the first that answers serves), sockets (`?host=` or a percent-encoded host),
/// `PGHOST` and its sisters, the password file, `connect_timeout` and the keepalives with their units, client
/// certificates (`sslcert`, `sslkey`, in PEM and not encrypted), `target_session_attrs` as far as it finds a server
/// that takes writes, and `sslmode`:
///
/// | `sslmode` | |
/// | --- | --- |
/// | `disable` | not encrypted |
/// | `prefer` (the default) | encrypted where the server offers it; the certificate is not looked at |
/// | `require` | encrypted or refused; the certificate is not looked at, unless there is an `sslrootcert` |
/// | `verify-ca` | and the certificate comes from a trusted root |
/// | `verify-full` | and it names the host |
///
/// # What is not
/// Roots are the system's, unless `sslrootcert` names a file; nothing is looked for in `~/.postgresql`. A certificate
/// names its host in `subjectAltName`; a common name is not looked at. `prefer` does not go on unencrypted after a
/// handshake that failed. `sslmode=allow`, services, GSS and revocation lists are refused, not ignored.
#[derive(Clone)]
#[must_use]
pub struct ConnectOptions {
    /// All but the host.
    config: Config,
    pub(super) hosts: Vec<Host>,
    pub(super) any_order: bool,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) passfile: Option<PathBuf>,
    pub(super) tls: TlsOptions,
}

/// Why a text does not say how to connect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectOptionsError {
    /// The text is in neither form.
    #[error("the database URL cannot be read: {reason}")]
    Malformed {
        /// Why not. Never a piece of the text, which may be one of the password.
        reason: String,
    },
    /// A keyword that PostgreSQL does not know.
    #[error("the database URL sets {keyword}, which is no setting of PostgreSQL's")]
    Unknown {
        /// Which one, in quotation marks.
        keyword: String,
    },
    /// A setting that is known, with a value that is not.
    #[error("the database setting {keyword} is \"{found}\"; it must be {expected}")]
    Value {
        /// The setting.
        keyword: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// A setting of libpq's that would have no effect here, and that must not be dropped silently.
    #[error(
        "the database setting {keyword} has a value that is not supported: leave it out of the URL and {variable} unset"
    )]
    Unsupported {
        /// The setting.
        keyword: &'static str,
        /// The variable that it may come from.
        variable: &'static str,
    },
    /// `sslmode=allow`, which encrypts only when the server insists.
    #[error(
        "sslmode=allow is not supported: say disable, prefer, require, verify-ca or verify-full"
    )]
    SslModeAllow,
    /// Neither the text nor the environment says as whom.
    #[error("nothing says as which user to connect: put it in the URL, or set PGUSER")]
    NoUser,
}

impl ConnectOptions {
    /// Reads a URL or a key/value string, with PostgreSQL's defaults for what it leaves out.
    ///
    /// # Errors
    /// [`ConnectOptionsError`] says what is wrong, without the password.
    pub fn parse(text: &str) -> Result<Self, ConnectOptionsError> {
        Self::parse_with(text, |_| None)
    }

    /// Reads a URL or a key/value string, and takes what it leaves out from variables: `PGHOST` and its sisters, `USER`
    /// where no user is named, and `HOME`, in which `.pgpass` lies.
    ///
    /// # Errors
    /// [`ConnectOptionsError`] says what is wrong, without the password.
    pub fn parse_with(
        text: &str,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConnectOptionsError> {
        let settings = Settings::new(text, &environment)?;
        let user = settings.get("user").map(str::to_owned);
        let user = user.or_else(|| environment("USER").filter(|user| !user.is_empty()));
        let home = environment("HOME").filter(|home| !home.is_empty());
        let passfile = settings.get("passfile").map(PathBuf::from);
        let choice = [("disable", false), ("random", true)];
        Ok(Self {
            config: config(&settings, user.ok_or(ConnectOptionsError::NoUser)?)?,
            hosts: hosts(&settings)?,
            any_order: settings
                .choice("load_balance_hosts", &choice)?
                .unwrap_or(false),
            connect_timeout: match settings.number("connect_timeout")? {
                Some(0) => None,
                Some(seconds) => Some(Duration::from_secs(seconds.into())),
                None => Some(Duration::from_secs(5)),
            },
            passfile: passfile.or_else(|| Some(PathBuf::from(home?).join(".pgpass"))),
            tls: TlsOptions::new(&settings)?,
        })
    }

    /// How long one attempt may take at each host, until queries can be sent; 5 s by default, or `connect_timeout`,
    /// whose 0 is for ever.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// What the server's own views and logs call the connections, unless the text or the environment names them;
    /// "polling" by default.
    pub fn fallback_application_name(mut self, name: &str) -> Self {
        if self.config.get_application_name() == Some(DEFAULT_NAME) {
            self.config.application_name(name);
        }
        self
    }

    /// As whom.
    #[must_use]
    pub fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// To which database.
    #[must_use]
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }

    /// What reaches one of the hosts.
    pub(super) fn config_for(&self, host: &Host) -> Result<Config, ConnectError> {
        let mut config = self.config.clone();
        if let (None, Some(path)) = (config.get_password(), &self.passfile)
            && let Some(password) = passfile::password(path, host, self.database(), self.user())?
        {
            config.password(password);
        }
        config.port(host.port);
        config.ssl_mode(self.tls.mode_for(host));
        config.ssl_negotiation(self.tls.negotiation);
        if self.any_order {
            config.load_balance_hosts(LoadBalanceHosts::Random);
        }
        config.host(&host.name);
        if let Some(address) = host.address {
            config.hostaddr(address);
        }
        if let Some(timeout) = self.connect_timeout {
            config.connect_timeout(timeout);
        }
        Ok(config)
    }
}

const DEFAULT_NAME: &str = "polling";

/// A connection that idles asks after the server once in this while, so that a dead network is noticed.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// A question that was not answered is asked again after this time,
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// this many times.
const KEEPALIVE_COUNT: u32 = 3;
/// What was sent and not acknowledged for this long has no receiver.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);

fn config(settings: &Settings, user: String) -> Result<Config, ConnectOptionsError> {
    let mut config = Config::new();
    config.dbname(settings.get("dbname").unwrap_or(&user));
    config.user(user);
    if let Some(password) = settings.get("password") {
        config.password(password);
    }
    // PgBouncer refuses this one, so it is not sent unless somebody asked for it.
    if let Some(options) = settings.get("options") {
        config.options(options);
    }
    let name = settings.get("application_name");
    let name = name.or_else(|| settings.get("fallback_application_name"));
    config.application_name(name.unwrap_or(DEFAULT_NAME));
    let bindings = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    if let Some(binding) = settings.choice("channel_binding", &bindings)? {
        config.channel_binding(binding);
    }
    let attributes = [
        ("any", TargetSessionAttrs::Any),
        ("read-write", TargetSessionAttrs::ReadWrite),
        ("primary", TargetSessionAttrs::ReadWrite),
    ];
    if let Some(attributes) = settings.choice("target_session_attrs", &attributes)? {
        config.target_session_attrs(attributes);
    }
    keep_alive(&mut config, settings)?;
    Ok(config)
}

fn keep_alive(config: &mut Config, settings: &Settings) -> Result<(), ConnectOptionsError> {
    // As in libpq: seconds, 0 is the system's own.
    let seconds = |keyword, default| {
        Ok::<_, ConnectOptionsError>(match settings.number(keyword)? {
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds.into())),
            None => Some(default),
        })
    };
    config.keepalives(settings.number("keepalives")? != Some(0));
    if let Some(idle) = seconds("keepalives_idle", KEEPALIVE_IDLE)? {
        config.keepalives_idle(idle);
    }
    if let Some(interval) = seconds("keepalives_interval", KEEPALIVE_INTERVAL)? {
        config.keepalives_interval(interval);
    }
    match settings.number("keepalives_count")? {
        Some(0) => {}
        count => {
            config.keepalives_retries(count.unwrap_or(KEEPALIVE_COUNT));
        }
    }
    // This one is in milliseconds.
    match settings.number("tcp_user_timeout")? {
        Some(0) => {}
        Some(milliseconds) => {
            config.tcp_user_timeout(Duration::from_millis(milliseconds.into()));
        }
        None => {
            config.tcp_user_timeout(TCP_USER_TIMEOUT);
        }
    }
    Ok(())
}

/// `host:port/database as user`, for logs.
impl fmt::Display for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, host) in self.hosts.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{host}")?;
        }
        write!(f, "/{} as {}", self.database(), self.user())
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("target", &self.to_string())
            .field("tls", &self.tls)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}
