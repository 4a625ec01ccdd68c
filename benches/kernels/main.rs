//! What a vote costs where no store and no socket takes part: `cargo bench --bench kernels`.
//!
//! The planning of batches is measured through the engine itself, on a store that takes every batch at once (`taker.rs`):
//! intake, lanes, twins, and an answer for each caller.

mod taker;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use polling_core::polls::Voters;
use polling_core::votes::{BallotRecord, BatchBody, Selection, VoteBody, VoterKey, takes};
use polling_core::wire::UnknownFields;
use polling_core::{Actor, Ballot, BallotId, Engine, NewPoll, PollView, Timestamp, Voter};
use tokio::runtime::Runtime;

use taker::Taker;

const BALLOTS: u16 = 1000;

/// An engine on a store that takes everything, and a poll with so many options.
fn engine(runtime: &Runtime, options: usize) -> (Engine, PollView) {
    runtime.block_on(async {
        let store = Taker::open().await.expect("SQLite works in memory");
        let engine = Engine::builder(store).build().await;
        let engine = engine.expect("the default settings are good");
        let options = (0..options).map(|option| format!("Option {option}"));
        let new = NewPoll::single("What?", options)
            .voters(Voters::Anyone)
            .published();
        let poll = engine.polls().create(&Actor::System, new).await;
        (engine, poll.expect("the poll is good"))
    })
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build();
    runtime.expect("a runtime starts")
}

fn planning(criterion: &mut Criterion) {
    let runtime = runtime();
    let (engine, poll) = engine(&runtime, 4);
    let ballots = || {
        let ballot = |voter| {
            Ok(Ballot::of(
                poll.id,
                Voter::anyone(format!("{voter:016}")),
                [0],
            ))
        };
        (0..BALLOTS).map(ballot).collect::<Vec<_>>()
    };
    let mut group = criterion.benchmark_group("batch planning");
    group.throughput(Throughput::Elements(BALLOTS.into()));
    group.bench_function("a call of 1000 ballots through the lanes", |bencher| {
        let cast = |ballots| {
            let cast = engine.votes();
            let cast = cast.cast_all(&Actor::System, poll.id, ballots);
            runtime.block_on(cast).expect("they are taken")
        };
        bencher.iter_batched(ballots, cast, BatchSize::LargeInput);
    });
    group.finish();
    runtime.block_on(engine.shutdown());
}

fn tally(criterion: &mut Criterion) {
    let runtime = runtime();
    let (_engine, poll) = engine(&runtime, 4);
    let record = |voter: u16| {
        let mut key = [0; 16];
        key[..2].copy_from_slice(&voter.to_be_bytes());
        BallotRecord {
            poll: poll.id,
            voter: VoterKey::from_bytes(key),
            id: BallotId::from_bytes(key),
            id_is_clients: false,
            selection: Selection::from_store(&[u8::try_from(voter % 4).unwrap_or(0)]),
            received_at: Timestamp::from_millis(1_700_000_000_000),
        }
    };
    let ballots: Vec<BallotRecord> = (0..BALLOTS).map(record).collect();
    let open = taker::open_tally(poll.id, 4);
    let mut group = criterion.benchmark_group("tally");
    group.throughput(Throughput::Elements(BALLOTS.into()));
    group.bench_function("the gate judges and counts 1000 ballots", |bencher| {
        bencher.iter(|| {
            let mut tally = open.clone();
            for ballot in black_box(&ballots) {
                if takes(&tally, ballot).is_ok() {
                    tally.add(&ballot.selection);
                }
            }
            tally
        });
    });
    group.finish();
}

fn frames(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("frame rendering");
    for options in [4, 255] {
        let (engine, poll) = engine(&runtime, options);
        // Each snapshot renders once, for all of its viewers.
        let snapshot = || {
            let read = engine.results();
            let read = read.read(&Actor::System, poll.id, None);
            runtime.block_on(read).expect("the poll is there")
        };
        group.bench_function(format!("results of {options} options"), |bencher| {
            let render = |snapshot: std::sync::Arc<polling_core::results::Snapshot>| {
                snapshot.message().len()
            };
            bencher.iter_batched(snapshot, render, BatchSize::SmallInput);
        });
        runtime.block_on(engine.shutdown());
    }
    group.finish();
}

fn parsing(criterion: &mut Criterion) {
    let runtime = runtime();
    let (_engine, poll) = engine(&runtime, 4);
    let vote = |voter: u16| {
        let option = poll.options[0].id;
        format!(r#"{{"option_id":"{option}","voter":"{voter:016}"}}"#)
    };
    let one = vote(1);
    let votes: Vec<String> = (0..BALLOTS).map(vote).collect();
    let many = format!(r#"{{"ballots":[{}]}}"#, votes.join(","));
    let mut group = criterion.benchmark_group("parsing");
    group.bench_function("a vote", |bencher| {
        bencher.iter(|| {
            let body = VoteBody::parse(black_box(&one), UnknownFields::Refuse);
            let body = body.expect("the vote is good");
            body.into_ballot(poll.id)
        });
    });
    group.throughput(Throughput::Elements(BALLOTS.into()));
    group.bench_function("a batch of 1000 votes", |bencher| {
        bencher.iter(|| {
            let body = BatchBody::parse(black_box(&many), UnknownFields::Refuse);
            let body = body.expect("the batch is good");
            body.into_ballots(poll.id, BALLOTS.into())
        });
    });
    group.finish();
}

criterion_group! {
    name = kernels;
    config = Criterion::default().measurement_time(Duration::from_secs(3));
    targets = planning, tally, frames, parsing
}
criterion_main!(kernels);
