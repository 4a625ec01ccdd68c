//! The bar that moves while the votes come in. It goes to the terminal, and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::AbortHandle;
use tokio::time::interval;

use crate::Run;
use crate::chart::{a_second, grouped};
use crate::pace::Pace;

/// Between two looks.
const TICK: Duration = Duration::from_millis(200);

/// The bar's own length: it is full at so many.
const WHOLE: f64 = 1_000.0;

/// A bar that is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    moving: Option<AbortHandle>,
}

impl Progress {
    /// Words beside a bar that does not move by itself.
    pub(crate) fn words(words: &'static str) -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_message(words);
        bar.tick();
        Self { bar, moving: None }
    }

    /// How far the votes are.
    pub(crate) fn votes(run: &Arc<Run>, pace: &Arc<Pace>) -> Self {
        let bar = ProgressBar::new(WHOLE as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}") {
            bar.set_style(style);
        }
        let (run, pace, moved) = (Arc::clone(run), Arc::clone(pace), bar.clone());
        let moving = tokio::spawn(async move {
            let mut tick = interval(TICK);
            let mut before = 0;
            loop {
                tick.tick().await;
                let ballots = run.book().decided;
                let now = grouped(a_second(ballots - before, TICK));
                before = ballots;
                moved.set_position((pace.progress(ballots) * WHOLE) as u64);
                moved.set_message(format!("{} ballots, {now}/s", grouped(ballots)));
            }
        });
        Self {
            bar,
            moving: Some(moving.abort_handle()),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(moving) = &self.moving {
            moving.abort();
        }
        self.bar.finish_and_clear();
    }
}
