//! What all voters share: the servers, the poll, and what happens to them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use polling_core::polls::{PollPatch, Status};
use polling_core::results::Tally;
use polling_core::votes::VoterKey;
use polling_core::{
    Actor, Clock, Code, Engine, FakeClock, OptionId, PollId, Repository, SeededIds, Settings,
    Timestamp,
};

use super::asked::Answer;
use super::plan::{Event, Plan, Round, VOTERS};
use crate::engine::lab::tea;
use crate::faulty::FaultyStore;

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

pub(super) struct World {
    pub(super) poll: PollId,
    options: Vec<OptionId>,
    pub(super) allow_change: bool,
    /// The store as it is.
    pub(super) store: Arc<dyn Repository>,
    /// The store as the servers see it.
    faulty: Arc<FaultyStore>,
    keys: [VoterKey; VOTERS],
    settings: Settings,
    clock: FakeClock,
    servers: Mutex<Vec<Engine>>,
    ends_at: Mutex<Timestamp>,
    /// What may happen in this round.
    may: Mutex<May>,
    is_closing: AtomicBool,
    is_closed: AtomicBool,
    /// What the poll came to when it was closed.
    closed: Mutex<Option<Tally>>,
}

#[derive(Clone, Copy, Default)]
struct May {
    fail: bool,
    restart: bool,
    poisoned: Option<usize>,
}

/// Time moves on with each look at it, so that no two ballots are received at the same time, and a receipt's time tells whose
/// it is. Who waits for a second or less waits for nothing but the others: so no lane pauses in vain.
struct Hasty(FakeClock);

const TICK: Duration = Duration::from_millis(1);

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        self.0.advance(TICK);
        self.0.now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.0.sleep_until(at).await;
    }

    async fn pause(&self, length: Duration) {
        if length <= SECOND {
            self.0.advance(length);
            tokio::task::yield_now().await;
        } else {
            self.0.pause(length).await;
        }
    }
}

impl World {
    pub(super) async fn new(
        plan: &Plan,
        store: Arc<dyn Repository>,
        keys: [VoterKey; VOTERS],
    ) -> Self {
        let clock = FakeClock::default();
        let ends_at = clock.now().after(HOUR);
        let mut settings = Settings::default();
        settings.push_interval = Duration::ZERO;
        // Nobody else waits for so short a time.
        settings.refresh_interval = HOUR;
        settings.lanes = Some(plan.lanes);
        settings.batch_ballots = plan.batch;
        settings.retry_for = plan.retry_for;
        settings.answer_within = Duration::from_secs(1 << 30);
        let faulty = FaultyStore::new(Arc::clone(&store));
        let mut servers = Vec::new();
        for _ in 0..plan.servers {
            servers.push(start(&faulty, &clock, &settings).await);
        }
        let mut new = tea().closes_at(ends_at).published();
        if plan.allow_change {
            new = new.allow_change();
        }
        let poll = servers[0].polls().create(&Actor::System, new).await;
        let poll = poll.unwrap();
        Self {
            poll: poll.id,
            options: poll.options.iter().map(|option| option.id).collect(),
            allow_change: plan.allow_change,
            store,
            faulty,
            keys,
            settings,
            clock,
            servers: Mutex::new(servers),
            ends_at: Mutex::new(ends_at),
            may: Mutex::default(),
            is_closing: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            closed: Mutex::default(),
        }
    }

    /// The server with this number, as it is now.
    pub(super) fn server(&self, number: usize) -> Engine {
        let servers = self.servers.lock().unwrap();
        servers[number % servers.len()].clone()
    }

    pub(super) fn position_of(&self, option: OptionId) -> u8 {
        let at = self.options.iter().position(|other| *other == option);
        u8::try_from(at.expect("an option of the poll")).unwrap()
    }

    /// From now on the store fails as it is to in this round.
    pub(super) fn begin(&self, round: &Round) {
        self.calm();
        self.faulty.will(round.faults.iter().copied());
        if let Some(poisoned) = round.poisoned {
            self.faulty.poison(self.keys[poisoned]);
        }
        *self.may.lock().unwrap() = May {
            fail: !round.faults.is_empty(),
            restart: matches!(round.event, Event::Restart(_)),
            poisoned: round.poisoned,
        };
    }

    fn calm(&self) {
        self.faulty.calm();
        *self.may.lock().unwrap() = May::default();
    }

    pub(super) fn is_poisoned(&self, voter: usize) -> bool {
        self.may.lock().unwrap().poisoned == Some(voter)
    }

    pub(super) fn may_fail(&self) -> bool {
        self.may.lock().unwrap().fail
    }

    /// Whether whoever asks from now on is late.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Whether whoever was answered just now may have been late.
    pub(super) fn may_be_closed(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// Nobody is told of a failure where nothing fails.
    pub(super) fn allows(&self, answer: &Answer, is_poisoned: bool) -> Result<(), String> {
        let may = *self.may.lock().unwrap();
        let is_allowed = match answer {
            Answer::Unknown => may.fail,
            Answer::Nothing(Code::Internal) => is_poisoned,
            Answer::Nothing(_) => may.restart,
            _ => true,
        };
        let wrong = || format!("{answer:?} without a reason");
        is_allowed.then_some(()).ok_or_else(wrong)
    }

    pub(super) async fn happens(&self, event: Event) -> Result<(), String> {
        let is_new = |closing: &AtomicBool| !closing.swap(true, Ordering::SeqCst);
        match event {
            Event::Nothing => {}
            Event::Restart(number) => {
                let engine = self.server(number);
                engine.shutdown().await;
                let another = start(&self.faulty, &self.clock, &self.settings).await;
                let mut servers = self.servers.lock().unwrap();
                let place = number % servers.len();
                servers[place] = another;
            }
            Event::Close if is_new(&self.is_closing) => {
                let engine = self.server(0);
                let closed = engine.polls().close(&Actor::System, self.poll).await;
                closed.map_err(|error| format!("the poll cannot be closed: {error}"))?;
                self.is_closed.store(true, Ordering::SeqCst);
                let closed = self.tally().await;
                *self.closed.lock().unwrap() = Some(closed);
            }
            Event::End if is_new(&self.is_closing) => {
                let ends_at = *self.ends_at.lock().unwrap();
                self.clock.set(ends_at);
                self.is_closed.store(true, Ordering::SeqCst);
                let closed = loop {
                    let tally = self.tally().await;
                    if tally.status == Status::Closed {
                        break tally;
                    }
                    self.clock.advance(SECOND);
                };
                *self.closed.lock().unwrap() = Some(closed);
            }
            Event::Extend if !self.may_be_closed() => {
                let later = self.ends_at.lock().unwrap().after(HOUR);
                let mut patch = PollPatch::default();
                patch.closes_at = Some(Some(later));
                let engine = self.server(0);
                let edited = engine.polls().edit(&Actor::System, self.poll, patch).await;
                edited.map_err(|error| format!("the end cannot be moved: {error}"))?;
                *self.ends_at.lock().unwrap() = later;
            }
            Event::Close | Event::End | Event::Extend => {}
        }
        Ok(())
    }

    /// Ends all servers, which answer what they accepted, and starts one to read with.
    pub(super) async fn ends(&self) {
        self.calm();
        let servers = std::mem::take(&mut *self.servers.lock().unwrap());
        for server in servers {
            server.shutdown().await;
        }
        let reader = start(&self.faulty, &self.clock, &self.settings).await;
        self.servers.lock().unwrap().push(reader);
    }

    async fn tally(&self) -> Tally {
        let tally = self.store.results().tally(self.poll).await;
        tally.unwrap().expect("the poll is there")
    }

    /// The counters, after they were found to be those of a recount; and, once the poll is closed, those of its end.
    pub(super) async fn proven(&self) -> Result<Tally, String> {
        let recount = self.store.results().recount(self.poll).await;
        let recount = recount.unwrap().expect("the poll is there");
        if !recount.agrees() {
            return Err(format!("the counters are wrong: {recount:?}"));
        }
        if self.store.results().orphans().await.unwrap() > 0 {
            return Err("ballots of no poll".into());
        }
        let tally = recount.tally;
        match &*self.closed.lock().unwrap() {
            Some(closed) if *closed != tally => {
                Err(format!("after it was closed as {closed:?} it is {tally:?}"))
            }
            _ => Ok(tally),
        }
    }
}

async fn start(store: &Arc<FaultyStore>, clock: &FakeClock, settings: &Settings) -> Engine {
    // No two make the same ids.
    static SEEDS: AtomicU64 = AtomicU64::new(1 << 40);
    let engine = Engine::builder(Arc::clone(store))
        .clock(Hasty(clock.clone()))
        .ids(SeededIds::new(SEEDS.fetch_add(1 << 40, Ordering::Relaxed)))
        .settings(settings.clone())
        .build();
    engine.await.unwrap()
}
