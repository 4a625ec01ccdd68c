//! Listing polls.

use std::sync::Arc;

use polling_core::polls::{PageRequest, ShowResults};
use polling_core::{Actor, Code, PollId, Repository, UserId};

use super::lab::{ANYONE, Lab, refused, tea};

async fn page(
    lab: &Lab,
    actor: &Actor,
    limit: usize,
    cursor: Option<PollId>,
) -> (Vec<PollId>, Option<PollId>) {
    let request = PageRequest::new(Some(limit), cursor);
    let page = lab.engine.polls().list(actor, request).await.unwrap();
    (
        page.items.iter().map(|poll| poll.id).collect(),
        page.next_cursor,
    )
}

/// Newest first, none twice and none left out, also while new ones come.
pub async fn pages_follow_each_other_without_a_gap(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let mut all = Vec::new();
    for _ in 0..7 {
        lab.advance(1);
        all.insert(0, lab.create(tea().listed().published()).await.id);
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    for expected in [3, 3, 1] {
        let (items, next) = page(&lab, &ANYONE, 3, cursor).await;
        assert_eq!(items.len(), expected);
        seen.extend(items);
        cursor = next;
        lab.advance(1);
        lab.create(tea().listed().published()).await;
    }
    assert_eq!((seen, cursor), (all, None));
    // A page that ends with the last poll has none after it.
    let (items, next) = page(&lab, &ANYONE, 10, None).await;
    assert_eq!((items.len(), next), (10, None));
}

/// It is bounded in bytes, and a poll that passes the bound by itself comes alone; nothing is left out.
pub async fn a_page_of_large_polls_ends_early_with_its_cursor(store: Arc<dyn Repository>) {
    let lab = Lab::with(store, |settings| settings.page_bytes = 25_000).await;
    let mut all = Vec::new();
    for length in [3, 3, 9_000, 9_000, 9_000, 3] {
        lab.advance(1);
        // Three bytes a character.
        let mut new = tea().listed().published();
        new.description = Some("♥".repeat(length));
        all.insert(0, lab.create(new).await.id);
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    for expected in [1, 1, 1, 1, 2] {
        let (items, next) = page(&lab, &ANYONE, 100, cursor).await;
        assert_eq!(items.len(), expected);
        seen.extend(items);
        cursor = next;
    }
    assert_eq!((seen, cursor), (all, None));
}

/// The listed ones, and their own with their drafts; the application sees all.
pub async fn everybody_lists_what_is_listed_and_their_own(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let ada = Actor::user(UserId::from_bytes([1; 16]));
    let create = async |actor: &Actor, new| {
        lab.advance(1);
        lab.engine.polls().create(actor, new).await.unwrap()
    };
    let listed = create(&ANYONE, tea().listed().published()).await.id;
    let draft = create(&ANYONE, tea().listed()).await;
    let hers = create(&ada, tea()).await.id;
    let hidden = create(&Actor::System, tea().published()).await.id;
    let token = lab
        .engine
        .authenticate(draft.manage_token.as_deref().unwrap())
        .await
        .unwrap();
    let list = async |actor: &Actor| page(&lab, actor, 9, None).await.0;
    assert_eq!(list(&ANYONE).await, [listed]);
    assert_eq!(list(&ada).await, [hers, listed]);
    assert_eq!(list(&token).await, [draft.id, listed]);
    assert_eq!(
        list(&ada.clone().and(token)).await,
        [hers, draft.id, listed]
    );
    assert_eq!(list(&Actor::System).await, [hidden, hers, draft.id, listed]);
}

/// Results that may not be read are not listed either.
pub async fn a_listing_shows_no_hidden_results(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    lab.create(tea().listed().published()).await;
    lab.advance(1);
    lab.create(
        tea()
            .listed()
            .published()
            .show_results(ShowResults::AfterVote),
    )
    .await;
    let shown = async |actor: &Actor| {
        let page = lab
            .engine
            .polls()
            .list(actor, PageRequest::default())
            .await
            .unwrap();
        page.items
            .iter()
            .map(|poll| poll.results.is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&ANYONE).await, [false, true]);
    assert_eq!(shown(&Actor::System).await, [true, true]);
}

/// A page has a bound.
pub async fn a_page_has_from_one_to_a_hundred_polls(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    for limit in [0, 101, usize::MAX] {
        let request = PageRequest::new(Some(limit), None);
        let page = lab.engine.polls().list(&ANYONE, request).await;
        assert_eq!(refused(page), Code::Invalid);
    }
    assert_eq!(page(&lab, &ANYONE, 100, None).await, (vec![], None));
}
