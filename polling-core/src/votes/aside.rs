//! Ballots that are set aside: somebody else holds what the store needs to record them, such as the row of their poll. They
//! are tried again beside the lane, by a writer of their own, and hold up nobody else.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tracing::{Instrument, debug_span, info};

use super::recorder::Recorder;
use super::repository::{RecordError, Recorded};
use super::shares::Shares;
use super::split::{Part, Split};
use super::waiting::Job;
use crate::engine::Parts;
use crate::{Cause, Clock, PollId, Timestamp};

/// The pause after a try, before the next one. The store has waited for a while by itself in each.
const PAUSE: Duration = Duration::from_millis(50);

/// For so long after its last ballot a poll counts as stuck, so that the next one does not hold up the lane anew.
const REMEMBERED: Duration = Duration::from_secs(10);

/// The polls of a lane that are stuck, and their ballots.
pub(super) struct Aside {
    parts: Parts,
    shares: Arc<Shares>,
    polls: HashMap<PollId, Stuck>,
    /// How many ballots wait here; those that are being tried are not among them.
    waiting: usize,
    next_try: Timestamp,
    /// `None` while it is trying, and while there is nothing to try.
    recorder: Option<Recorder>,
    trying: Option<JoinHandle<Tried>>,
    tried: Option<Tried>,
}

/// A poll that is stuck.
struct Stuck {
    /// In the order in which they came.
    jobs: VecDeque<Job>,
    /// When it was found to be stuck.
    since: Timestamp,
    /// When something of it was here last.
    seen: Timestamp,
    sent_before: bool,
}

/// What became of ballots that were tried.
pub(super) struct Tried {
    recorder: Recorder,
    pub(super) fates: Vec<(Part, Fate)>,
}

pub(super) enum Fate {
    Recorded(Recorded),
    /// It cannot be recorded; it is a single ballot.
    Poisoned(Cause),
    /// It is tried again.
    Waits,
}

impl Aside {
    pub(super) fn new(parts: Parts, shares: Arc<Shares>) -> Self {
        Self {
            next_try: parts.clock.now(),
            parts,
            shares,
            polls: HashMap::new(),
            waiting: 0,
            recorder: None,
            trying: None,
            tried: None,
        }
    }

    /// Whether no poll is stuck.
    pub(super) fn is_unused(&self) -> bool {
        self.polls.is_empty() && self.recorder.is_none() && !self.is_trying()
    }

    /// Whether no ballot is here, nor on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0 && !self.is_trying()
    }

    const fn is_trying(&self) -> bool {
        self.trying.is_some() || self.tried.is_some()
    }

    /// Whether a poll is stuck.
    pub(super) fn has(&self, poll: PollId) -> bool {
        !self.polls.is_empty() && self.polls.contains_key(&poll)
    }

    /// Takes a ballot of a poll that is stuck, which is counted as waiting.
    pub(super) fn hold(&mut self, job: Job) {
        self.shares.hold();
        self.stuck(job.ballot.poll).jobs.push_back(job);
        self.waiting += 1;
    }

    /// Takes ballots that were sent and have to wait; their polls are stuck from now on, or still. They come before those
    /// that are here.
    pub(super) fn set_aside(&mut self, part: Part) {
        for job in part.jobs.into_iter().rev() {
            self.shares.put_back(job.slot);
            let stuck = self.stuck(job.ballot.poll);
            stuck.sent_before |= part.sent_before;
            stuck.jobs.push_front(job);
            self.waiting += 1;
        }
    }

    fn stuck(&mut self, poll: PollId) -> &mut Stuck {
        let now = self.parts.clock.now();
        let stuck = self.polls.entry(poll).or_insert_with(|| {
            info!(%poll, "the votes of a poll have to wait: something that they need is held");
            Stuck {
                jobs: VecDeque::new(),
                since: now,
                seen: now,
                sent_before: false,
            }
        });
        stuck.seen = now;
        stuck
    }

    /// A poll is not stuck any more. Its ballots that are here go back to the queue; they are still counted as held.
    pub(super) fn free(&mut self, poll: PollId) -> VecDeque<Job> {
        let jobs = self.polls.remove(&poll).map(|stuck| stuck.jobs);
        let jobs = jobs.unwrap_or_default();
        self.waiting -= jobs.len();
        jobs
    }

    /// The ballots that cannot wait any longer.
    pub(super) fn overdue(&mut self) -> Vec<Job> {
        let (now, retry_for) = (self.parts.clock.now(), self.parts.settings.retry_for);
        let mut overdue = Vec::new();
        for stuck in self.polls.values_mut() {
            while stuck.until(retry_for).is_some_and(|until| until <= now) {
                overdue.extend(stuck.jobs.pop_front());
            }
        }
        self.waiting -= overdue.len();
        for job in &overdue {
            self.shares.release(job.slot);
        }
        overdue
    }

    /// What became of the ballots that were tried, once that is known.
    pub(super) fn tried(&mut self) -> Option<Vec<(Part, Fate)>> {
        if self.tried.is_none() {
            let ended = self.trying.as_mut()?.now_or_never()?;
            self.take_tried(ended.ok());
        }
        let tried = self.tried.take()?;
        self.recorder = Some(tried.recorder);
        self.next_try = self.parts.clock.now().after(PAUSE);
        Some(tried.fates)
    }

    fn take_tried(&mut self, ended: Option<Tried>) {
        self.trying = None;
        self.tried = ended;
    }

    /// Tries again, where it is time to; and forgets polls of which nothing came for a while.
    pub(super) fn try_again(&mut self) {
        let now = self.parts.clock.now();
        if !self.is_trying() && self.waiting > 0 && self.next_try <= now {
            let patience = self.patience(now);
            let part = self.gather();
            let recorder = self.recorder.take();
            let recorder = recorder.unwrap_or_else(|| Recorder::patient(self.parts.clone()));
            let span = debug_span!("votes.aside", ballots = part.jobs.len());
            let trying = attempt(recorder, part, patience).instrument(span);
            self.trying = Some(self.parts.tasks.start(trying));
        }
        if !self.is_trying() {
            self.polls
                .retain(|_, stuck| !stuck.jobs.is_empty() || now < stuck.seen.after(REMEMBERED));
            if self.polls.is_empty() {
                self.recorder = None;
            }
        }
    }

    /// How long the answer to what is tried now is waited for: as long as the first ballot may wait for its own, and somewhat
    /// longer, because in most tries nothing comes of it but that it still has to wait.
    fn patience(&self, now: Timestamp) -> Duration {
        let answer_within = self.parts.settings.answer_within;
        let first = self.polls.values().filter_map(|stuck| stuck.jobs.front());
        let first = first.map(|job| job.ballot.received_at).min();
        let left = first.map_or(Duration::ZERO, |at| at.after(answer_within).since(now));
        left.saturating_add(answer_within / SHORT_WHILE)
    }

    /// As many ballots as go into a batch, of all polls, and one of each voter.
    fn gather(&mut self) -> Part {
        let most = self.parts.settings.batch_ballots;
        let polls = self.polls.values().filter(|stuck| !stuck.jobs.is_empty());
        let each = (most / polls.count().max(1)).max(1);
        let mut part = Part::default();
        for stuck in self.polls.values_mut() {
            let (mut voters, mut later) = (HashSet::new(), VecDeque::new());
            let most = each.min(most - part.jobs.len());
            for job in stuck.jobs.drain(..) {
                if voters.len() < most && voters.insert(job.ballot.voter) {
                    self.shares.release(job.slot);
                    part.jobs.push(job);
                } else {
                    later.push_back(job);
                }
            }
            if !voters.is_empty() {
                part.sent_before |= stuck.sent_before;
            }
            stuck.jobs = later;
        }
        self.waiting -= part.jobs.len();
        part
    }

    /// Returns when there is something to be done here.
    pub(super) async fn wakes(&mut self) {
        let due = self.due();
        let clock = Arc::clone(&self.parts.clock);
        let time = async {
            match due {
                Some(due) => clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let Some(trying) = &mut self.trying else {
            return time.await;
        };
        tokio::select! {
            ended = trying => self.take_tried(ended.ok()),
            () = time => {}
        }
    }

    fn due(&self) -> Option<Timestamp> {
        if self.tried.is_some() {
            return Some(Timestamp::EPOCH);
        }
        let retry_for = self.parts.settings.retry_for;
        let until = self
            .polls
            .values()
            .filter_map(|stuck| stuck.until(retry_for));
        let next_try = (self.trying.is_none() && self.waiting > 0).then_some(self.next_try);
        let forgotten = self
            .polls
            .values()
            .map(|stuck| stuck.seen.after(REMEMBERED));
        let forgotten = self.trying.is_none().then(|| forgotten.min()).flatten();
        until.chain(next_try).chain(forgotten).min()
    }
}

/// A ballot that has waited for long already is tried for this part of the time that a new one has.
pub(super) const SHORT_WHILE: u32 = 8;

impl Stuck {
    /// Until when the first ballot may wait.
    fn until(&self, retry_for: Duration) -> Option<Timestamp> {
        let first = self.jobs.front()?.ballot.received_at.after(retry_for);
        Some(first.max(self.since.after(retry_for / SHORT_WHILE)))
    }
}

/// Sends a batch, in as many parts as it takes, and each of them once.
async fn attempt(mut recorder: Recorder, whole: Part, patience: Duration) -> Tried {
    let (mut split, mut fates) = (Split::of(whole), Vec::new());
    let mut is_free = recorder.is_free(patience).await;
    while let Some(mut part) = split.next() {
        if !is_free {
            fates.push((part, Fate::Waits));
            continue;
        }
        match recorder.send(&mut part, patience).await {
            Ok(recorded) => fates.push((part, Fate::Recorded(recorded))),
            Err(RecordError::Blocked { polls, .. }) => {
                let waits = split.blocked(part, &polls);
                fates.extend(waits.map(|part| (part, Fate::Waits)));
            }
            Err(RecordError::Poisoned(cause)) => {
                let alone = split.poisoned(part);
                fates.extend(alone.map(|part| (part, Fate::Poisoned(cause))));
            }
            Err(RecordError::Lost(_)) => {
                is_free = false;
                fates.push((part, Fate::Waits));
            }
        }
    }
    Tried { recorder, fates }
}
