//! The steps that the clock takes: scheduled to open, open to closing, closing to closed. Steps that were missed while
//! no server ran are taken at the next start.

use std::sync::Arc;

use tokio::sync::Notify;
use tracing::{info, warn};

use super::repository::Advanced;
use crate::engine::Parts;
use crate::{StoreError, Timestamp, log_each_second};

/// Steps that are read from the store at once.
const STEPS_AT_ONCE: usize = 256;

/// Wakes the schedule when a poll's times have changed here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alarm(Arc<Notify>);

impl Alarm {
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }
}

pub(crate) struct Schedule {
    pub(crate) parts: Parts,
    pub(crate) alarm: Alarm,
}

impl Schedule {
    pub(crate) async fn run(self) {
        let mut was_sure = true;
        loop {
            let clock = &self.parts.clock;
            let (now, certain) = (clock.now(), clock.certain_now());
            if certain.is_some() != was_sure {
                was_sure = certain.is_some();
                say(was_sure);
            }
            let next = if certain.is_some() {
                self.take_due_steps().await.unwrap_or_else(|error| {
                    log_each_second!(
                        warn,
                        "the schedule of the polls cannot be read or kept",
                        error = %error
                    );
                    None
                })
            } else {
                None
            };
            // While the clock is in doubt a step may be due by `now()` and has to wait all the same.
            let next = next.filter(|_| certain >= Some(now));
            let step = async {
                match next {
                    Some(next) => clock.sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = step => {}
                // Whatever is known here: other servers publish polls too, and may be gone when these end.
                () = clock.pause(self.parts.settings.refresh_interval) => {}
                () = self.alarm.0.notified() => {}
            }
        }
    }

    /// Takes every step whose time has certainly come, and returns when the next one comes; `None` where nothing is known of
    /// the time.
    async fn take_due_steps(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut look_once_more = true;
        loop {
            let Some(now) = self.parts.clock.certain_now() else {
                return Ok(None);
            };
            let steps = self
                .parts
                .store
                .polls()
                .upcoming(self.parts.settings.closing_grace, STEPS_AT_ONCE)
                .await?;
            let due = steps.partition_point(|step| step.at <= now);
            let next = steps.get(due).map(|step| step.at);
            let mut taken = false;
            for due in &steps[..due] {
                let polls = self.parts.store.polls();
                match polls.advance(due.poll, due.step, now).await {
                    Ok(Advanced::Taken(record)) => {
                        log_each_second!(
                            info,
                            "a poll took its step in time",
                            poll = %due.poll,
                            status = record.tally.status.as_str()
                        );
                        self.parts.cache.note(&record);
                        self.parts.hub.put_changed(&record);
                        taken = true;
                    }
                    // Another server or a ballot was faster, or somebody moved the end.
                    Ok(Advanced::Refused(_) | Advanced::Missing) => {}
                    // One poll that cannot be moved must not hold up all the others.
                    Err(StoreError::Internal(cause)) => {
                        log_each_second!(
                            warn,
                            "a poll cannot take its step",
                            error = %cause,
                            poll = %due.poll
                        );
                    }
                    Err(error) => return Err(error),
                }
            }
            // Whoever was faster has changed what comes next; but a step that stays refused is not asked for in a circle.
            if due == 0 || !(taken || look_once_more) {
                return Ok(next);
            }
            look_once_more = taken;
        }
    }
}

fn say(is_sure: bool) {
    if is_sure {
        info!("the clock is measured against the store's again: polls take their steps in time");
    } else {
        warn!("the store's clock could not be read for too long: no poll takes its step in time");
    }
}

#[cfg(test)]
mod tests;
