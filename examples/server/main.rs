//! The bundled server: the one place where a store, the engine and the transports are put together.
//!
//! `settings.rs` reads what it runs with, `descriptors.rs` looks how many connections there can be, `app.rs` composes the services, `greeting.rs` says how to go on from here, and
//! `demo.rs` votes for a minute so that there is something to see. `links.rs` delivers one-time links, and `admin.rs` is
//! what it can do instead of serving.

mod admin;
mod app;
mod demo;
mod descriptors;
mod gauges;
mod greeting;
mod links;
mod settings;

use std::error::Error;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;

use polling_core::{Engine, Repository};
use polling_pg::{ConnectOptions, OpenError, PgStore};
use polling_sqlite::SqliteStore;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};

use admin::Command;
use app::App;
use links::IntoTheLog;
use settings::{Database, Postgres, Settings, Waits};

/// Gives the memory of a burst back to the system within seconds, without anybody asking for it
/// (docs/decisions/0007-memory-after-a-burst.md).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(error) => error.exit(),
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(&settings.log))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match runtime(settings.threads).and_then(|runtime| runtime.block_on(run(&settings))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut causes = vec![error.to_string()];
            let mut cause = error.source();
            while let Some(error) = cause {
                causes.push(error.to_string());
                cause = error.source();
            }
            error!("the server cannot go on: {}", causes.join(": "));
            ExitCode::FAILURE
        }
    }
}

/// What serves. One thread alone needs no work-stealing, which costs a fifth more processor time for each vote.
fn runtime(threads: NonZeroUsize) -> Result<Runtime, Box<dyn Error + Send + Sync>> {
    let mut builder = match threads {
        NonZeroUsize::MIN => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(threads.get())
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime cannot be started: {error}"))?;
    Ok(runtime)
}

async fn run(settings: &Settings) -> Result<(), Box<dyn Error + Send + Sync>> {
    info!("settings: {settings}");
    let open_files = descriptors::raise_limit();
    // From the beginning on: a database may have to be waited for.
    let mut asked_to_stop = pin!(asked_to_stop()?);
    let engine = tokio::select! {
        engine = engine(settings) => engine?,
        () = &mut asked_to_stop => return Ok(()),
    };
    if let Some(Command::Admin(admin)) = &settings.command {
        return admin::run(&engine, admin).await;
    }
    let listener = TcpListener::bind(&settings.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", settings.listen))?;
    let address = listener.local_addr()?;
    let app = App::new(engine.clone(), settings, open_files)?;

    let demo = if settings.demo {
        Some(demo::start(&engine).await?)
    } else {
        None
    };
    greeting::print(address, demo.as_ref().map(|demo| demo.poll));

    app.serve(listener, asked_to_stop).await;
    if let Some(demo) = demo {
        demo.task.abort();
    }
    info!("everything that was accepted is answered; good-bye");
    Ok(())
}

async fn engine(settings: &Settings) -> Result<Engine, Box<dyn Error + Send + Sync>> {
    let store: Arc<dyn Repository> = match &settings.database {
        Database::Memory => Arc::new(SqliteStore::in_memory().await?),
        Database::File(file) => {
            let store = SqliteStore::builder()
                .log_bytes(file.log)
                .log_limit_bytes(file.log_limit);
            Arc::new(store.open(&file.path).await?)
        }
        Database::Postgres(postgres) => Arc::new(open(postgres, settings.waits).await?),
    };
    let mut bounds = polling_core::Settings::default();
    bounds.retry_for = settings.waits.of_votes();
    bounds.answer_within = settings.waits.of_votes();
    bounds.limits = settings.visitors.limits.clone();
    bounds.page_bytes = settings.memory.page_bytes;
    bounds.cached_poll_bytes = settings.memory.cached_poll_bytes;
    bounds.features = settings.visitors.features.clone();
    bounds.clock_jump_wait = settings.clock_jump_wait;
    let mut builder = Engine::builder(store)
        .settings(bounds)
        .token_keys(settings.token_keys.clone())
        .link_sender(IntoTheLog);
    if let Some(email) = &settings.administrator {
        builder = builder.administrator(email.clone());
    }
    Ok(builder.build().await?)
}

/// Waits for a database that is not there yet, and migrates it.
async fn open(postgres: &Postgres, waits: Waits) -> Result<PgStore, OpenError> {
    let store = PgStore::builder()
        .schema(postgres.schema.clone())
        .connections(postgres.connections.into())
        .wait_for(postgres.wait)
        .lock_timeout(waits.for_locks())
        .frozen_timeout(waits.for_frozen());
    store
        .connect_with(ConnectOptions::clone(&postgres.server))
        .await
}

/// Returns when the process is asked to stop, by a service manager or from the keyboard.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => info!("asked to stop"),
            _ = interrupt.recv() => info!("interrupted"),
        }
    })
}
