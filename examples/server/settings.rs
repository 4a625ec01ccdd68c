//! What the server runs with: each setting is a flag and a variable, and a file `.env` is read.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use polling_core::users::TokenKey;

/// A polling server: durable before it answers, exact, retry-safe and live.
#[derive(Parser)]
#[command(name = "server", version, about)]
#[expect(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "these comments are what --help prints"
)]
struct Arguments {
    /// The address to listen on [default: 127.0.0.1:8080, or 0.0.0.0:$PORT where PORT is set].
    #[arg(long, env = "POLLING_LISTEN")]
    listen: Option<SocketAddr>,

    /// The port of the platform that the server runs on.
    #[arg(long, env = "PORT", hide = true)]
    port: Option<u16>,

    /// The database: sqlite://PATH, or sqlite::memory: which forgets everything at the end.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://polling.db", value_parser = database)]
    database_url: Database,

    /// The keys of the access tokens, as kid:secret,…; the first signs. Without any, one is made and kept in the store.
    #[arg(long, env = "POLLING_JWT_KEYS", hide_env_values = true, value_parser = token_keys)]
    jwt_keys: Option<TokenKeys>,

    /// The origins of web pages that may use the server from a browser, beside its own, as https://example.org,… or *.
    #[arg(long, env = "POLLING_ALLOWED_ORIGINS", value_delimiter = ',')]
    allowed_origins: Vec<String>,

    /// What is logged: error, warn, info, debug, trace, or parts of it, as polling_http=debug,info.
    #[arg(long, env = "POLLING_LOG", default_value = "info")]
    log: String,

    /// Make a sample poll, and let simulated voters vote for a minute.
    #[arg(long, env = "POLLING_DEMO")]
    demo: bool,
}

/// What the server runs with.
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) database: Database,
    pub(crate) token_keys: Vec<TokenKey>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) log: String,
    pub(crate) demo: bool,
}

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Memory,
    File(PathBuf),
}

#[derive(Clone, Debug)]
struct TokenKeys(Vec<TokenKey>);

impl Settings {
    /// # Errors
    /// What to print, and the code to exit with.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        // A file that is not there is no error; one that cannot be read must not be passed over.
        if let Err(error) = dotenvy::dotenv()
            && !error.not_found()
        {
            let told = format!("the file .env cannot be read: {error}\n");
            return Err(clap::Error::raw(clap::error::ErrorKind::Io, told));
        }
        Arguments::try_parse().map(Self::from)
    }
}

impl From<Arguments> for Settings {
    fn from(arguments: Arguments) -> Self {
        let listen = arguments.listen.unwrap_or_else(|| match arguments.port {
            Some(port) => SocketAddr::from(([0, 0, 0, 0], port)),
            None => SocketAddr::from(([127, 0, 0, 1], 8080)),
        });
        Self {
            listen,
            database: arguments.database_url,
            token_keys: arguments.jwt_keys.map(|keys| keys.0).unwrap_or_default(),
            allowed_origins: origins(&arguments.allowed_origins),
            log: arguments.log,
            demo: arguments.demo,
        }
    }
}

/// The effective settings, without secrets.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = match self.token_keys.len() {
            0 => "the store's own".to_owned(),
            given => format!("{given} given (hidden)"),
        };
        write!(
            f,
            "listen={} database-url={} jwt-keys={keys} allowed-origins={:?} log={} demo={}",
            self.listen, self.database, self.allowed_origins, self.log, self.demo
        )
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Memory => f.write_str("sqlite::memory:"),
            Database::File(path) => write!(f, "sqlite://{}", path.display()),
        }
    }
}

/// As a browser writes them; an empty variable is none.
fn origins(given: &[String]) -> Vec<String> {
    let origins = given
        .iter()
        .map(|origin| origin.trim().trim_end_matches('/').to_owned());
    origins.filter(|origin| !origin.is_empty()).collect()
}

fn database(url: &str) -> Result<Database, String> {
    match url.strip_prefix("sqlite:") {
        Some(":memory:") => Ok(Database::Memory),
        Some(rest) => match rest.strip_prefix("//") {
            Some("") | None => Err("after sqlite:// comes the path of the file".into()),
            Some(path) => Ok(Database::File(path.into())),
        },
        None => Err("a database is sqlite://PATH or sqlite::memory:".into()),
    }
}

/// The messages never repeat what was given: it is secret.
fn token_keys(text: &str) -> Result<TokenKeys, String> {
    let key = |entry: &str| {
        let (kid, secret) = entry
            .split_once(':')
            .ok_or("each key is written as kid:secret")?;
        TokenKey::new(kid.trim(), secret.as_bytes())
    };
    text.split(',')
        .map(key)
        .collect::<Result<_, String>>()
        .map(TokenKeys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_slashes_is_the_path_as_it_stands() {
        assert_eq!(database("sqlite::memory:"), Ok(Database::Memory));
        assert_eq!(
            database("sqlite://polling.db"),
            Ok(Database::File("polling.db".into()))
        );
        assert_eq!(
            database("sqlite:///var/lib/a b?.db"),
            Ok(Database::File("/var/lib/a b?.db".into()))
        );
        for bad in ["", "sqlite:", "sqlite://", "sqlite:polling.db", "mysql://x"] {
            assert!(database(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_platforms_port_is_honoured_where_no_address_is_given() {
        let listen = |flags: &[&str]| {
            let arguments = Arguments::try_parse_from(["server"].iter().chain(flags)).unwrap();
            Settings::from(arguments).listen.to_string()
        };
        assert_eq!(listen(&["--port", "9000"]), "0.0.0.0:9000");
        assert_eq!(
            listen(&["--port", "9000", "--listen", "127.0.0.1:1"]),
            "127.0.0.1:1"
        );
    }

    #[test]
    fn an_empty_list_of_origins_is_none() {
        assert_eq!(origins(&[String::new()]), Vec::<String>::new());
        assert_eq!(
            origins(&[" https://a.example/".into(), "*".into()]),
            ["https://a.example", "*"]
        );
    }

    #[test]
    fn secrets_are_never_printed() {
        let secret = "correct horse battery staple, 2026";
        let secret = secret.replace(',', "");
        let keys = format!("new:{secret},old:{secret}");
        let arguments = Arguments::try_parse_from(["server", "--jwt-keys", &keys]).unwrap();
        let settings = Settings::from(arguments);
        assert_eq!(settings.token_keys.len(), 2);
        assert!(!format!("{settings} {:?}", settings.token_keys).contains("horse"));
        let error = token_keys("horse").unwrap_err();
        assert!(!error.contains("horse"), "{error}");
    }
}
