//! The places that connections take: how many there are in all and for one address, and who gives theirs up to a newcomer.
//!
//! A connection without a request holds its place only as long as nobody else wants it: of those the one that has been idle for
//! longest gives way. So sockets that say nothing keep nobody out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use polling_core::TrustedProxies;
use polling_core::limits::AddressKey;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::ServerSettings;

/// To find who is idle each connection is looked at; so much time passes in between for each of them, so that a flood of
/// newcomers to a house without an idle connection costs little.
const LOOK_PACE: Duration = Duration::from_micros(2);

/// The idle ones that are remembered from one look, the longest idle first.
const FOUND_AT_ONCE: usize = 1_024;

/// How long a newcomer waits for one idle connection to give way, at most, and how many are asked.
const GIVES_WAY_IN: Duration = Duration::from_millis(100);
const ASKED: usize = 4;

/// All places.
#[derive(Debug)]
pub(super) struct Places {
    connections: usize,
    per_address: Option<usize>,
    trusted_proxies: TrustedProxies,
    limit_loopback: bool,
    began: Instant,
    taken: Mutex<Taken>,
    /// A place was given back, or somebody who was asked to give way does not.
    moved: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    by_id: HashMap<u64, Arc<Activity>>,
    by_address: HashMap<AddressKey, usize>,
    next_id: u64,
    /// Who was found idle, the longest idle last, and since when.
    idle: Vec<(u64, u64)>,
    looked_at: Option<Instant>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// All are taken, and by connections that are in use.
    All,
    /// As many connections come from the address as may.
    OfAddress,
}

impl NoPlace {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all places are taken, and none is idle",
            Self::OfAddress => "its address has as many connections as it may",
        }
    }
}

impl Places {
    pub(super) fn new(settings: &ServerSettings) -> Arc<Self> {
        Arc::new(Self {
            connections: settings.connections,
            per_address: settings.connections_per_address,
            trusted_proxies: settings.trusted_proxies.clone(),
            limit_loopback: settings.limit_loopback,
            began: Instant::now(),
            taken: Mutex::default(),
            moved: Notify::new(),
        })
    }

    /// A place for a connection from `peer`, if need be that of one that is idle.
    pub(super) async fn take(self: &Arc<Self>, peer: IpAddr) -> Result<Place, NoPlace> {
        let address = self.counted(peer);
        for _ in 0..ASKED {
            match self.take_free(address) {
                Err(NoPlace::All) => {}
                taken => return taken,
            }
            if !self.make_room().await {
                return Err(NoPlace::All);
            }
        }
        self.take_free(address)
    }

    /// Asks the longest idle connection to give way, and waits until it has, but not for long. Whether there was one.
    pub(super) async fn make_room(&self) -> bool {
        let moved = self.moved.notified();
        let Some(idle) = self.longest_idle() else {
            return false;
        };
        idle.asked.store(true, Ordering::Relaxed);
        idle.give_way.notify_one();
        // One that cannot leave at once is passed over.
        let _ = timeout(GIVES_WAY_IN, moved).await;
        true
    }

    fn take_free(self: &Arc<Self>, address: Option<AddressKey>) -> Result<Place, NoPlace> {
        let mut taken = self.lock();
        let of_address = address.and_then(|address| taken.by_address.get(&address));
        let of_address = of_address.copied().unwrap_or(0);
        if address.is_some() && self.per_address.is_some_and(|most| of_address >= most) {
            return Err(NoPlace::OfAddress);
        }
        if taken.by_id.len() >= self.connections {
            return Err(NoPlace::All);
        }
        if let Some(address) = address {
            taken.by_address.insert(address, of_address + 1);
        }
        let id = taken.next_id;
        taken.next_id += 1;
        let activity = Arc::new(Activity::new(self.began));
        taken.by_id.insert(id, Arc::clone(&activity));
        Ok(Place {
            places: Arc::clone(self),
            id,
            address,
            activity,
        })
    }

    /// As what connections of `peer` are counted; `None` where they are not.
    fn counted(&self, peer: IpAddr) -> Option<AddressKey> {
        self.per_address?;
        let address = AddressKey::of(peer);
        let is_exempt = self.trusted_proxies.trusts(peer)
            || (!self.limit_loopback && address.address().is_loopback());
        (!is_exempt).then_some(address)
    }

    fn longest_idle(&self) -> Option<Arc<Activity>> {
        let mut taken = self.lock();
        loop {
            while let Some((since, id)) = taken.idle.pop() {
                // It may have been used since it was found, or be gone.
                if let Some(found) = taken.by_id.get(&id)
                    && found.idle_since() == Some(since)
                    && !found.was_asked()
                {
                    return Some(Arc::clone(found));
                }
            }
            if !taken.look(Instant::now()) {
                return None;
            }
        }
    }

    /// Somebody who was asked to give way is in use again.
    pub(super) fn stays(&self) {
        self.moved.notify_waiters();
    }

    fn give_back(&self, id: u64, address: Option<AddressKey>) {
        let mut taken = self.lock();
        taken.by_id.remove(&id);
        if let Some(address) = address
            && let Some(count) = taken.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&address);
            }
        }
        drop(taken);
        self.moved.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Nothing that panics is done under it.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().by_id.len()
    }
}

impl Taken {
    /// Looks for idle connections, where the last look is long enough ago. Whether it found any.
    fn look(&mut self, now: Instant) -> bool {
        let connections = u32::try_from(self.by_id.len()).unwrap_or(u32::MAX);
        let pace = LOOK_PACE * connections;
        if self.looked_at.is_some_and(|last| now - last < pace) {
            return false;
        }
        self.looked_at = Some(now);
        let found = self.by_id.iter().filter(|(_, found)| !found.was_asked());
        let since = found.filter_map(|(id, found)| Some((found.idle_since()?, *id)));
        self.idle = since.collect();
        if self.idle.len() > FOUND_AT_ONCE {
            self.idle.select_nth_unstable(FOUND_AT_ONCE);
            self.idle.truncate(FOUND_AT_ONCE);
        }
        self.idle.sort_unstable_by(|one, other| other.cmp(one));
        !self.idle.is_empty()
    }
}

/// A place, held as long as the connection's socket is open, also after it was upgraded.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    id: u64,
    address: Option<AddressKey>,
    activity: Arc<Activity>,
}

impl Place {
    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// The connection was asked to give way, and is in use again.
    pub(super) fn is_kept(&self) {
        self.activity.asked.store(false, Ordering::Relaxed);
        self.places.stays();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(self.id, self.address);
    }
}

/// What a connection is doing. A request costs it two additions and a look at the clock.
#[derive(Debug)]
pub(super) struct Activity {
    /// Requests that are not answered to their end.
    requests: AtomicU32,
    /// When the last of them was, or the connection came: in microseconds since `began`.
    idle_since: AtomicU64,
    began: Instant,
    asked: AtomicBool,
    give_way: Notify,
}

impl Activity {
    fn new(began: Instant) -> Self {
        let activity = Self {
            requests: AtomicU32::new(0),
            idle_since: AtomicU64::new(0),
            began,
            asked: AtomicBool::new(false),
            give_way: Notify::new(),
        };
        activity.touch();
        activity
    }

    fn touch(&self) {
        let since = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.idle_since.store(since, Ordering::Relaxed);
    }

    /// A request began: the connection is in use until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InUse {
        self.requests.fetch_add(1, Ordering::Relaxed);
        InUse(Arc::clone(self))
    }

    /// Since when there is no request, if there is none.
    fn idle_since(&self) -> Option<u64> {
        let is_idle = self.requests.load(Ordering::Relaxed) == 0;
        is_idle.then(|| self.idle_since.load(Ordering::Relaxed))
    }

    pub(super) fn is_idle(&self) -> bool {
        self.idle_since().is_some()
    }

    fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Returns when the place is wanted by somebody else.
    pub(super) async fn wanted(self: Arc<Self>) {
        self.give_way.notified().await;
    }
}

/// A request that is not answered to its end.
#[derive(Debug)]
pub(super) struct InUse(Arc<Activity>);

impl InUse {
    /// The connection is in use for good: it was upgraded, and no request's end is seen any more.
    pub(super) fn for_good(self) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.touch();
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
