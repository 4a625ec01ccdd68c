//! The tasks that run as long as the engine does.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::parts::Parts;
use super::time::Task;
use crate::polls::purge;
use crate::polls::schedule::{Alarm, Schedule};
use crate::results::{Announcer, Judge, Refresher, ResultsNotifier};
use crate::users::detach;

/// Starts the tasks; `stop` ends them at their next pause.
pub(super) fn start(
    parts: &Parts,
    clock_task: Option<Task>,
    notifier: &Arc<dyn ResultsNotifier>,
    (alarm, deleted): (Alarm, Arc<Notify>),
    stop: &CancellationToken,
) -> TaskTracker {
    let tasks = TaskTracker::new();
    let run = |task: Task| {
        let stop = stop.clone();
        tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    };
    let Parts {
        store,
        clock,
        settings,
        hub,
        health,
        ..
    } = parts;
    let refresher = Refresher::new(Arc::clone(hub), Arc::clone(store), Arc::clone(health));
    let announcer = || Announcer {
        hub: Arc::clone(hub),
        notifier: Arc::clone(notifier),
        clock: Arc::clone(clock),
        health: Arc::clone(health),
    };
    let schedule = Schedule {
        parts: parts.clone(),
        alarm,
    };
    let purge = purge::run(parts.clone(), deleted);

    if let Some(task) = clock_task {
        run(task);
    }
    run(Box::pin(schedule.run()));
    run(Box::pin(purge));
    if store.users().is_some() {
        run(Box::pin(detach::run(parts.clone())));
    }
    run(Box::pin(
        Arc::clone(hub).run(Arc::clone(clock), settings.push_interval),
    ));
    run(Box::pin(
        refresher
            .clone()
            .run(Arc::clone(clock), settings.refresh_interval),
    ));
    let judge = Judge::new(Arc::clone(hub), Arc::clone(store));
    run(Box::pin(
        judge.run(Arc::clone(clock), settings.refresh_interval),
    ));
    run(Box::pin(announcer().announce(settings.push_interval)));
    run(Box::pin(
        announcer().listen(refresher, settings.refresh_interval),
    ));
    tasks
}
