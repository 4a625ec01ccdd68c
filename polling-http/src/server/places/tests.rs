use tokio::time::advance;

use super::*;

const VISITOR: &str = "192.0.2.1";

fn places(connections: usize, change: impl FnOnce(&mut ServerSettings)) -> Arc<Places> {
    let mut settings = ServerSettings {
        connections,
        connections_per_address: None,
        ..ServerSettings::default()
    };
    change(&mut settings);
    Places::new(&settings)
}

async fn take(places: &Arc<Places>, address: &str) -> Result<Place, NoPlace> {
    let place = places.take(address.parse().unwrap()).await;
    advance(Duration::from_millis(1)).await;
    place
}

/// Gives its place up when it is asked to.
fn give_way_when_asked(place: Place) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        Arc::clone(place.activity()).wanted().await;
        drop(place);
    })
}

#[tokio::test(start_paused = true)]
async fn the_longest_idle_connection_gives_way_first() {
    let places = places(3, |_| {});
    let first = take(&places, VISITOR).await.unwrap();
    let second = give_way_when_asked(take(&places, VISITOR).await.unwrap());
    let third = give_way_when_asked(take(&places, VISITOR).await.unwrap());
    // It came first, and was used last.
    drop(first.activity().begin());
    advance(Duration::from_millis(1)).await;
    let fourth = take(&places, VISITOR).await.unwrap();
    second.await.unwrap();
    assert!(!third.is_finished());
    let _in_use = fourth.activity().begin();
    let _fifth = take(&places, VISITOR).await.unwrap();
    third.await.unwrap();
    assert!(first.activity().is_idle());
    assert_eq!(places.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn connections_in_use_do_not_give_way() {
    let places = places(2, |_| {});
    let one = take(&places, VISITOR).await.unwrap();
    let other = take(&places, VISITOR).await.unwrap();
    let _request = one.activity().begin();
    // As a WebSocket is.
    other.activity().begin().for_good();
    assert_eq!(take(&places, VISITOR).await.err(), Some(NoPlace::All));
    drop(one);
    assert!(take(&places, VISITOR).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_in_use_again_keeps_its_place_and_the_next_one_is_asked() {
    let places = places(2, |_| {});
    let quick = take(&places, VISITOR).await.unwrap();
    let idle = give_way_when_asked(take(&places, VISITOR).await.unwrap());
    let activity = Arc::clone(quick.activity());
    let quick = tokio::spawn(async move {
        Arc::clone(quick.activity()).wanted().await;
        let request = quick.activity().begin();
        quick.is_kept();
        (quick, request)
    });
    let _newcomer = take(&places, VISITOR).await.unwrap();
    idle.await.unwrap();
    let _kept = quick.await.unwrap();
    assert!(!activity.is_idle());
    assert_eq!(places.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_leave_holds_nobody_up_for_long() {
    let places = places(2, |_| {});
    let _deaf = take(&places, VISITOR).await.unwrap();
    let idle = give_way_when_asked(take(&places, VISITOR).await.unwrap());
    let before = Instant::now();
    let _newcomer = take(&places, VISITOR).await.unwrap();
    idle.await.unwrap();
    assert!(before.elapsed() < 2 * GIVES_WAY_IN);
}

#[tokio::test(start_paused = true)]
async fn an_address_has_its_bound_and_its_ipv6_network_is_one() {
    let places = places(100, |settings| settings.connections_per_address = Some(1));
    let first = take(&places, VISITOR).await.unwrap();
    for same in [VISITOR, "::ffff:192.0.2.1"] {
        assert_eq!(take(&places, same).await.err(), Some(NoPlace::OfAddress));
    }
    let _other = take(&places, "192.0.2.2").await.unwrap();
    drop(first);
    assert!(take(&places, VISITOR).await.is_ok());
    let _network = take(&places, "2001:db8::1").await.unwrap();
    assert_eq!(
        take(&places, "2001:db8::ffff").await.err(),
        Some(NoPlace::OfAddress)
    );
    let _elsewhere = take(&places, "2001:db8:0:1::1").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn proxies_are_not_counted_nor_is_this_computer_unless_it_shall_be() {
    let bounded = |limit_loopback| {
        places(100, |settings| {
            settings.connections_per_address = Some(1);
            settings.trusted_proxies = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
            settings.limit_loopback = limit_loopback;
        })
    };
    let places = bounded(false);
    for exempt in ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.2", "::1"] {
        let _one = take(&places, exempt).await.unwrap();
        assert!(take(&places, exempt).await.is_ok(), "{exempt}");
    }
    let places = bounded(true);
    let _one = take(&places, "127.0.0.2").await.unwrap();
    assert_eq!(
        take(&places, "127.0.0.2").await.err(),
        Some(NoPlace::OfAddress)
    );
}
