//! Ends answers whose clients take nothing: after the write timeout, and earlier where the server's budget is used up.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::budget::{ConnectionBudget, ServerBudget};
use super::stream::Stream;

/// How exact the write timeout is: a part of it, and at most this.
const LONGEST_TICK: Duration = Duration::from_millis(250);
const SHORTEST_TICK: Duration = Duration::from_millis(5);
const TICKS_OF_TIMEOUT: u32 = 16;

/// How long a client may take nothing while others need the room.
const PATIENCE_WITHOUT_ROOM: Duration = Duration::from_secs(1);

/// For how long nothing large is made for a connection of such a client. Else the requests that it has waiting would be first
/// to find the room that was made.
const REFUSED_FOR: Duration = Duration::from_secs(10);

impl ServerBudget {
    fn tick_length(&self) -> Duration {
        (self.write_timeout / TICKS_OF_TIMEOUT).clamp(SHORTEST_TICK, LONGEST_TICK)
    }

    /// Ticks that are at least as long.
    fn ticks(&self, length: Duration) -> u32 {
        let ticks = length.as_millis().div_ceil(self.tick_length().as_millis());
        // The first may be nearly over when it begins to count.
        u32::try_from(ticks).unwrap_or(u32::MAX / 2) + 1
    }

    /// Looks after all answers, for as long as it is polled. One timer for the whole server: none is set for a request.
    pub(crate) async fn sweep(self: Arc<Self>) {
        let mut ticks = interval(self.tick_length());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sweep_once();
        }
    }

    fn sweep_once(&self) {
        let now = self.tick.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        let longest = self.ticks(self.write_timeout);
        for connection in self.connections() {
            connection.end_stalled(now, longest);
        }
        let over = self.gauges.answer_bytes().saturating_sub(self.most);
        if over > 0 {
            self.make_room(over);
        }
    }

    /// Ends answers that nobody takes, of the connections that hold most, until so many bytes will be free. At most once a
    /// tick.
    pub(super) fn make_room(&self, bytes: usize) {
        let now = self.tick.load(Ordering::Acquire);
        if self.made_room.swap(now, Ordering::AcqRel) == now {
            return;
        }
        let patience = self.ticks(PATIENCE_WITHOUT_ROOM.min(self.write_timeout));
        let mut connections = self.connections();
        connections.sort_by_cached_key(|connection| std::cmp::Reverse(connection.waiting()));
        let mut freed = 0;
        for connection in connections {
            if freed >= bytes {
                break;
            }
            let holds = connection.waiting();
            if connection.end_stalled(now, patience) {
                let until = now + self.ticks(REFUSED_FOR);
                connection.refused_until.store(until, Ordering::Release);
                freed += holds;
            }
        }
    }
}

impl ConnectionBudget {
    /// Ends the answers of which nothing was taken for so many ticks; whether there were some.
    fn end_stalled(&self, now: u32, ticks: u32) -> bool {
        if self.waiting() == 0 {
            return false;
        }
        // Not under the lock, which the end of a stream takes.
        let streams: Vec<Arc<Stream>> = {
            let streams = self.streams();
            let alive = streams.all.iter().filter_map(|(_, held)| held.upgrade());
            alive.collect()
        };
        let mut any = false;
        for stream in streams {
            if stream.is_stalled(now, ticks) {
                stream.end(now);
                any = true;
            }
        }
        any
    }
}
