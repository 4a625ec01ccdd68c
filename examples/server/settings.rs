//! What the server runs with: each setting is a flag and a variable, and a file `.env` is read.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use polling_core::users::{Email, TokenKey};
use polling_pg::{ConnectOptions, SchemaName};

use crate::admin::Command;
pub(crate) use answers::Answers;
pub(crate) use connections::Connections;
pub(crate) use memory::Memory;
pub(crate) use visitors::Visitors;
pub(crate) use waits::Waits;

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

    // This and the keys are read later than all else: what is wrong with them is told without what was given.
    /// The database: sqlite://PATH, or sqlite::memory: which forgets everything at the end, or postgres://… in all forms
    /// of libpq, with PGHOST and its sisters for what is left out.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite://polling.db",
        global = true
    )]
    database_url: String,

    /// The schema that holds the tables, in a PostgreSQL.
    #[arg(
        long,
        env = "POLLING_DATABASE_SCHEMA",
        default_value = "polling",
        global = true
    )]
    database_schema: SchemaName,

    /// The most connections to a PostgreSQL, beside one for each lane that records votes and one that listens.
    #[arg(long, env = "POLLING_DATABASE_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    database_connections: u16,

    /// For how many seconds a server that starts waits for its PostgreSQL to take connections.
    #[arg(long, env = "POLLING_DATABASE_WAIT", default_value_t = 60)]
    database_wait: u64,

    /// How many bytes the write-ahead log of a SQLite file is kept to.
    #[arg(long, env = "POLLING_DATABASE_LOG", default_value_t = 128 << 20, value_parser = clap::value_parser!(u64).range(1 << 16..))]
    database_log: u64,

    /// How many bytes the write-ahead log of a SQLite file may grow to while a read transaction of another process keeps it
    /// from starting over; beyond it nothing is written.
    #[arg(long, env = "POLLING_DATABASE_LOG_LIMIT", default_value_t = 4 << 30)]
    database_log_limit: u64,

    /// The keys of the access tokens, as kid:secret,…; the first signs. Without any, one is made and kept in the store.
    #[arg(long, env = "POLLING_JWT_KEYS", hide_env_values = true)]
    jwt_keys: Option<String>,

    /// The origins of web pages that may use the server from a browser, beside its own, as https://example.org,… or *.
    #[arg(long, env = "POLLING_ALLOWED_ORIGINS", value_delimiter = ',')]
    allowed_origins: Vec<String>,

    #[command(flatten)]
    waits: Waits,

    #[command(flatten)]
    visitors: visitors::Flags,

    /// For how many seconds a jump of this computer's clock has to stand until polls open and close by it.
    #[arg(long, env = "POLLING_CLOCK_JUMP_WAIT", default_value_t = 60)]
    clock_jump_wait: u64,

    #[command(flatten)]
    memory: memory::MemoryFlags,

    #[command(flatten)]
    connections: connections::ConnectionFlags,

    #[command(flatten)]
    answers: answers::AnswerFlags,

    /// How many threads serve; the store and passwords have others beside them [default: one for every two cores].
    #[arg(long, env = "POLLING_THREADS")]
    threads: Option<NonZeroUsize>,

    /// What is logged: error, warn, info, debug, trace, or parts of it, as polling_http=debug,info.
    #[arg(long, env = "POLLING_LOG", default_value = "info")]
    log: String,

    /// Make a sample poll, and let simulated voters vote for a minute.
    #[arg(long, env = "POLLING_DEMO")]
    demo: bool,

    /// The address of the first administrator: while there is none at all, the account that has it at the start, or signs up
    /// with it, becomes one.
    #[arg(long, env = "POLLING_ADMIN_EMAIL")]
    admin_email: Option<String>,

    #[command(subcommand)]
    command: Option<Command>,
}

/// What the server runs with.
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) database: Database,
    pub(crate) token_keys: Vec<TokenKey>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) visitors: Visitors,
    pub(crate) clock_jump_wait: Duration,
    pub(crate) waits: Waits,
    pub(crate) memory: Memory,
    pub(crate) connections: Connections,
    pub(crate) answers: Answers,
    pub(crate) threads: NonZeroUsize,
    pub(crate) log: String,
    pub(crate) demo: bool,
    pub(crate) administrator: Option<Email>,
    pub(crate) command: Option<Command>,
}

/// Where everything is kept.
pub(crate) enum Database {
    Memory,
    File(DatabaseFile),
    Postgres(Postgres),
}

/// A SQLite file, and how many bytes its write-ahead log may have.
pub(crate) struct DatabaseFile {
    pub(crate) path: PathBuf,
    pub(crate) log: u64,
    pub(crate) log_limit: u64,
}

/// A PostgreSQL, and what the store does there.
pub(crate) struct Postgres {
    pub(crate) server: Box<ConnectOptions>,
    pub(crate) schema: SchemaName,
    pub(crate) connections: u16,
    pub(crate) wait: Duration,
}

impl Settings {
    /// # Errors
    /// What to print, and the code to exit with.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        // A file that is not there is no error; one that cannot be read must not be passed over.
        if let Err(error) = dotenvy::dotenv()
            && !error.not_found()
        {
            let told = format!("the file .env cannot be read: {error}\n");
            return Err(clap::Error::raw(ErrorKind::Io, told));
        }
        Self::of(Arguments::try_parse()?, variable)
    }

    fn of(
        arguments: Arguments,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, clap::Error> {
        let wrong = |flag: &str, why: String| {
            clap::Error::raw(ErrorKind::ValueValidation, format!("{flag}: {why}\n"))
        };
        let listen = arguments.listen.unwrap_or_else(|| match arguments.port {
            Some(port) => SocketAddr::from(([0, 0, 0, 0], port)),
            None => SocketAddr::from(([127, 0, 0, 1], 8080)),
        });
        let token_keys = arguments.jwt_keys.as_deref().map(token_keys).transpose();
        // An empty variable is none.
        let administrator = arguments.admin_email.as_deref();
        let administrator = administrator
            .filter(|email| !email.trim().is_empty())
            .map(Email::parse)
            .transpose();
        Ok(Self {
            listen,
            database: database(&arguments, environment)
                .map_err(|why| wrong("--database-url", why))?,
            token_keys: token_keys
                .map_err(|why| wrong("--jwt-keys", why))?
                .unwrap_or_default(),
            visitors: Visitors::of(&arguments.visitors).map_err(|(flag, why)| wrong(flag, why))?,
            memory: Memory::of(&arguments.memory),
            connections: Connections::of(&arguments.connections),
            answers: Answers::of(&arguments.answers),
            allowed_origins: origins(&arguments.allowed_origins),
            clock_jump_wait: Duration::from_secs(arguments.clock_jump_wait),
            waits: arguments.waits,
            threads: arguments
                .threads
                .unwrap_or_else(|| threads_for(std::thread::available_parallelism())),
            log: arguments.log,
            demo: arguments.demo,
            administrator: administrator.map_err(|why| wrong("--admin-email", why))?,
            command: arguments.command,
        })
    }
}

/// One for every two cores: the database, the kernel's network and the store's own threads want the others, and where they
/// share two cores with us, a second thread only takes from them (ARCHITECTURE.md, trade-offs).
fn threads_for(cores: std::io::Result<NonZeroUsize>) -> NonZeroUsize {
    let cores = cores.map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(cores / 2).unwrap_or(NonZeroUsize::MIN)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where settings are read"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The effective settings, without secrets.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = match self.token_keys.len() {
            0 => "the store's own".to_owned(),
            given => format!("{given} given (hidden)"),
        };
        let administrator = match &self.administrator {
            None => "none",
            // No address stands in a log.
            Some(_) => "given (hidden)",
        };
        write!(
            f,
            "listen={} database-url={} jwt-keys={keys} allowed-origins={:?} {} {} {} {} {} clock-jump-wait={}s threads={} log={} demo={} admin-email={administrator}",
            self.listen,
            self.database,
            self.allowed_origins,
            self.waits,
            self.visitors,
            self.answers,
            self.connections,
            self.memory,
            self.clock_jump_wait.as_secs(),
            self.threads,
            self.log,
            self.demo
        )
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Memory => f.write_str("sqlite::memory:"),
            Database::File(file) => {
                let DatabaseFile {
                    path,
                    log,
                    log_limit,
                } = file;
                let path = path.display();
                write!(
                    f,
                    "sqlite://{path} database-log={log} database-log-limit={log_limit}"
                )
            }
            Database::Postgres(postgres) => postgres.fmt(f),
        }
    }
}

impl fmt::Display for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            server,
            schema,
            connections,
            wait,
        } = self;
        let seconds = wait.as_secs();
        write!(
            f,
            "\"PostgreSQL, {server}\" database-schema={schema} database-connections={connections} database-wait={seconds}s"
        )
    }
}

/// What is in a list; an empty variable is none.
fn given(list: &[String]) -> impl Iterator<Item = &str> {
    let texts = list.iter().map(|text| text.trim());
    texts.filter(|text| !text.is_empty())
}

/// As a browser writes them.
fn origins(list: &[String]) -> Vec<String> {
    let origins = given(list).map(|origin| origin.trim_end_matches('/').to_owned());
    origins.collect()
}

/// The messages never repeat what was given: there may be a password in it.
fn database(
    arguments: &Arguments,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Database, String> {
    let url = &*arguments.database_url;
    if let Some(rest) = url.strip_prefix("sqlite:") {
        return match (rest, rest.strip_prefix("//")) {
            (":memory:", _) => Ok(Database::Memory),
            (_, Some("") | None) => Err("after sqlite:// comes the path of the file".into()),
            (_, Some(path)) => Ok(Database::File(DatabaseFile {
                path: path.into(),
                log: arguments.database_log,
                log_limit: arguments.database_log_limit,
            })),
        };
    }
    // libpq's other form is keyword=value, and a value may hold anything.
    let before = url.split_once("://").map_or(url, |(scheme, _)| scheme);
    if !matches!(before, "postgres" | "postgresql") && !before.contains('=') {
        return Err("a database is sqlite://PATH, sqlite::memory: or postgres://…".into());
    }
    let server = ConnectOptions::parse_with(url, environment).map_err(|error| error.to_string())?;
    Ok(Database::Postgres(Postgres {
        server: Box::new(server),
        schema: arguments.database_schema.clone(),
        connections: arguments.database_connections,
        wait: Duration::from_secs(arguments.database_wait),
    }))
}

/// The messages never repeat what was given: it is secret.
fn token_keys(text: &str) -> Result<Vec<TokenKey>, String> {
    let key = |entry: &str| {
        let (kid, secret) = entry
            .split_once(':')
            .ok_or("each key is written as kid:secret")?;
        TokenKey::new(kid.trim(), secret.as_bytes())
    };
    text.split(',').map(key).collect()
}

mod answers;
mod connections;
mod memory;
mod visitors;
mod waits;

#[cfg(test)]
mod tests;
