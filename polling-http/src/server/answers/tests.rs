//! Bodies that count, the budgets, and the sweep, on a clock that the tests move.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::rt::Executor;
use tokio::time::{advance, timeout};
use tokio_util::sync::CancellationToken;

use super::body::CountedBody;
use super::budget::{AnswerBudget, ConnectionBudget, ServerBudget};
use super::service::StreamExecutor;
use super::stream::{Piece, Stream};
use super::{PIECE_BYTES, ServerGauges};
use crate::server::ServerSettings;

const LARGE: usize = 5 * PIECE_BYTES;
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

struct World {
    server: Arc<ServerBudget>,
    gauges: ServerGauges,
}

impl World {
    /// A connection may hold two large answers, and the server three.
    fn new() -> Self {
        let settings = ServerSettings {
            write_timeout: WRITE_TIMEOUT,
            connection_answer_bytes: 2 * LARGE,
            answer_bytes: 3 * LARGE,
            ..ServerSettings::default()
        };
        Self {
            server: ServerBudget::new(&settings),
            gauges: settings.gauges,
        }
    }

    fn connection(&self) -> Arc<ConnectionBudget> {
        self.server.connection(CancellationToken::new())
    }

    fn sweeps(&self) {
        tokio::spawn(Arc::clone(&self.server).sweep());
    }
}

fn text(bytes: usize) -> Bytes {
    (0..=u8::MAX).cycle().take(bytes).collect::<Vec<_>>().into()
}

fn counted(connection: &Arc<ConnectionBudget>, bytes: Bytes) -> CountedBody<Full<Bytes>> {
    let stream = Stream::begin(connection);
    CountedBody::counted(Full::new(bytes), stream, None)
}

/// The next piece, which must be there.
fn next<B>(body: &mut CountedBody<B>) -> Piece<B::Data>
where
    B: Body<Error = Infallible> + Unpin,
{
    let frame = body.frame().now_or_never();
    let frame = frame.expect("it is there").expect("it is not the end");
    let Ok(frame) = frame;
    frame.into_data().ok().expect("it is data")
}

/// A task as the HTTP library has it for a stream whose client takes nothing: it holds the body and one piece.
fn stalled(connection: &Arc<ConnectionBudget>, bytes: usize) {
    let mut body = counted(connection, text(bytes));
    let executor = StreamExecutor::new(Arc::clone(connection));
    executor.execute(async move {
        let _piece = next(&mut body);
        std::future::pending::<()>().await;
    });
}

async fn passes(time: Duration) {
    let steps = time.as_millis().div_ceil(250);
    for _ in 0..steps {
        advance(Duration::from_millis(250)).await;
        // The sweep, and then what it ended.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn an_answer_counts_until_it_is_taken_and_each_piece_is_freed_by_itself() {
    let world = World::new();
    let connection = world.connection();
    let sent = text(LARGE);
    let mut body = counted(&connection, sent.clone());
    assert_eq!(world.gauges.answer_bytes(), LARGE);
    assert_eq!(body.size_hint().exact(), Some(LARGE as u64));
    let mut read = Vec::new();
    for left in (0..5).rev() {
        let mut piece = next(&mut body);
        let held = world.gauges.answer_bytes();
        assert_eq!(held, (left + 1) * PIECE_BYTES, "it is not taken yet");
        assert_eq!(piece.remaining(), PIECE_BYTES);
        read.extend_from_slice(&piece.copy_to_bytes(PIECE_BYTES));
        drop(piece);
        assert_eq!(world.gauges.answer_bytes(), left * PIECE_BYTES);
    }
    assert!(body.is_end_stream());
    assert_eq!(read, sent);
    assert_eq!(connection.waiting(), 0);
    assert_eq!(world.gauges.most_answer_bytes(), LARGE);
}

#[tokio::test]
async fn what_nobody_takes_any_more_is_free() {
    let world = World::new();
    let connection = world.connection();
    let mut body = counted(&connection, text(LARGE));
    let piece = next(&mut body);
    drop(body);
    assert_eq!(world.gauges.answer_bytes(), PIECE_BYTES);
    drop(piece);
    assert_eq!(world.gauges.answer_bytes(), 0);
    let begun = connection.streams().begun.take();
    drop(begun);
    assert!(connection.streams().all.is_empty());
}

#[tokio::test]
async fn a_piece_of_a_large_frame_keeps_no_other_piece_in_memory() {
    let world = World::new();
    let connection = world.connection();
    let mut body = counted(&connection, text(LARGE));
    let mut piece = next(&mut body);
    assert!(piece.copy_to_bytes(PIECE_BYTES).is_unique());
    // What others have as well is not copied for each of them.
    let shared = text(LARGE);
    let mut body = counted(&connection, shared.clone());
    let mut piece = next(&mut body);
    let part = piece.copy_to_bytes(PIECE_BYTES);
    assert_eq!(part.as_ptr(), shared.as_ptr());
}

fn event_stream(
    connection: &Arc<ConnectionBudget>,
) -> CountedBody<impl Body<Data = Bytes, Error = Infallible> + Unpin + use<>> {
    let events = futures_util::stream::repeat_with(|| {
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b'.'; 1000])))
    });
    let stream = Stream::begin(connection);
    CountedBody::counted(StreamBody::new(events), stream, None)
}

#[tokio::test]
async fn the_next_event_is_made_when_the_last_one_was_taken() {
    let world = World::new();
    let connection = world.connection();
    let mut events = event_stream(&connection);
    let first = next(&mut events);
    assert_eq!(world.gauges.answer_bytes(), 1000);
    let second = tokio::spawn(async move {
        let second = events.frame().await.is_some();
        (second, events)
    });
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    drop(first);
    let (second, _events) = second.await.unwrap();
    assert!(second);
}

#[tokio::test]
async fn no_event_is_made_while_the_connection_is_over_its_budget() {
    let world = World::new();
    let connection = world.connection();
    let large = counted(&connection, text(2 * LARGE));
    let mut events = event_stream(&connection);
    let event = tokio::spawn(async move { events.frame().await.is_some() });
    tokio::task::yield_now().await;
    assert!(!event.is_finished());
    drop(large);
    assert!(event.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_large_answer_waits_until_its_connection_took_enough_of_the_others() {
    let world = World::new();
    let connection = world.connection();
    let budget = AnswerBudget::new(Arc::clone(&connection));
    let first = budget.reserve(LARGE).await.unwrap();
    let _second = budget.reserve(LARGE).await.unwrap();
    assert!(budget.try_reserve(1).is_none());
    let waits = tokio::spawn(async move { budget.reserve(LARGE).await.is_some() });
    // Longer than the server's budget is waited for.
    passes(WRITE_TIMEOUT).await;
    assert!(!waits.is_finished());
    // It has become smaller than it might have.
    first.resize(10);
    tokio::task::yield_now().await;
    assert!(!waits.is_finished());
    drop(first);
    assert!(waits.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn nothing_large_is_made_once_the_budget_of_the_server_is_used_up() {
    let world = World::new();
    let budgets: Vec<_> = (0..3)
        .map(|_| AnswerBudget::new(world.connection()))
        .collect();
    let _held = [
        budgets[0].reserve(2 * LARGE).await.unwrap(),
        budgets[1].reserve(LARGE - 10).await.unwrap(),
    ];
    let small = budgets[2].reserve(10).await.unwrap();
    assert!(budgets[2].reserve(10).await.is_none());
    assert_eq!(world.gauges.answers_refused(), 1);
    assert!(!small.try_resize(11), "it would be over the budget");
    assert!(small.try_resize(5));
    assert_eq!(world.gauges.most_answer_bytes(), 3 * LARGE);
}

#[tokio::test]
async fn one_answer_alone_may_be_larger_than_the_budget() {
    let world = World::new();
    let budget = AnswerBudget::new(world.connection());
    let alone = budget.try_reserve(LARGE).unwrap();
    assert!(alone.try_resize(10 * LARGE));
    assert!(budget.try_reserve(1).is_none());
    drop(alone);
    assert_eq!(world.gauges.answer_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_which_nothing_is_taken_is_ended_after_the_write_timeout() {
    let world = World::new();
    world.sweeps();
    let connection = world.connection();
    stalled(&connection, LARGE);
    stalled(&connection, 10);
    passes(WRITE_TIMEOUT - Duration::from_secs(1)).await;
    assert_eq!(world.gauges.answer_bytes(), LARGE + 10);
    passes(Duration::from_secs(2)).await;
    assert_eq!(world.gauges.answer_bytes(), 0);
    assert_eq!(world.gauges.streams_ended(), 2);
    passes(WRITE_TIMEOUT).await;
    assert!(!connection.close.is_cancelled(), "the streams are reset");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_slowly_but_steadily_is_not_ended() {
    let world = World::new();
    world.sweeps();
    let connection = world.connection();
    let mut body = counted(&connection, text(LARGE));
    let executor = StreamExecutor::new(Arc::clone(&connection));
    let (send, mut pieces) = tokio::sync::mpsc::channel(1);
    executor.execute(async move {
        while let Some(Ok(frame)) = body.frame().await {
            if send.send(frame).await.is_err() {
                return;
            }
        }
    });
    let mut read = 0;
    while let Some(frame) = pieces.recv().await {
        read += frame.data_ref().map_or(0, Buf::remaining);
        passes(WRITE_TIMEOUT * 3 / 4).await;
    }
    assert_eq!(read, LARGE);
    assert_eq!(world.gauges.streams_ended(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_where_the_library_has_the_whole_answer_and_nobody_takes_it() {
    let world = World::new();
    world.sweeps();
    let connection = world.connection();
    let mut body = counted(&connection, text(100));
    let executor = StreamExecutor::new(Arc::clone(&connection));
    // The task of the stream is over.
    executor.execute(std::future::ready(()));
    let _piece = next(&mut body);
    passes(WRITE_TIMEOUT + Duration::from_secs(1)).await;
    assert!(connection.close.is_cancelled());
    assert_eq!(world.gauges.connections_closed(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_makes_room_for_others_after_a_second_those_who_hold_most_first() {
    let world = World::new();
    world.sweeps();
    let (most, less) = (world.connection(), world.connection());
    stalled(&most, 2 * LARGE);
    stalled(&less, LARGE);
    tokio::task::yield_now().await;
    let budget = AnswerBudget::new(world.connection());
    let reserved = tokio::spawn(async move { budget.reserve(LARGE).await });
    let reserved = timeout(Duration::from_secs(5), reserved).await;
    assert!(reserved.unwrap().unwrap().is_some());
    assert_eq!(world.gauges.answers_refused(), 0);
    assert_eq!(less.waiting(), LARGE, "there was room enough without it");
    assert_eq!(most.waiting(), 0);
    // What it has waiting does not come before others.
    let budget = AnswerBudget::new(most);
    assert!(budget.reserve(1).await.is_none());
    passes(Duration::from_secs(11)).await;
    assert!(budget.reserve(1).await.is_some());
}

#[tokio::test]
async fn the_sweep_knows_a_connection_for_as_long_as_it_lives() {
    let world = World::new();
    let connection = world.connection();
    assert!(world.server.connections().is_empty());
    let body = counted(&connection, text(10));
    assert_eq!(world.server.connections().len(), 1);
    drop(body);
    let begun = connection.streams().begun.take();
    drop(begun);
    drop(connection);
    assert!(world.server.connections().is_empty());
    assert_eq!(world.server.tick.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn small_answers_over_http1_are_handed_on_as_they_are() {
    let mut body = CountedBody::uncounted(Full::new(text(100)));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(body.size_hint().exact(), Some(100));
    let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut context) else {
        panic!("it is there");
    };
    assert_eq!(frame.into_data().ok().unwrap().chunk(), text(100));
    assert!(body.is_end_stream());
}
