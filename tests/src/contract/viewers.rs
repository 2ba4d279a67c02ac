//! Whose list an open call changes, and for how long.

use coinop::ledger::{CallKey, NewCall, OpenTool, Record};
use coinop_core::call::{CallState, Event};
use coinop_core::payment::PaymentEvent;
use coinop_core::principal::Principal;
use futures::future::join_all;

use super::{Desk, caller, usd};

fn seen_by(viewer: &str, mut new: NewCall) -> NewCall {
    new.call.viewer = Some(viewer.to_owned());
    new
}

async fn tools(desk: &Desk<'_>, viewer: &str) -> Vec<String> {
    let open = desk.there.open_tools(viewer.to_owned(), desk.now()).await;
    open.unwrap().into_iter().map(|open| open.tool).collect()
}

async fn opened(desk: &Desk<'_>, viewer: &str) -> Record {
    let new = seen_by(viewer, desk.draft(&caller("ann")));
    desk.open(new).await.unwrap().record
}

/// A viewer has the tools of its own open calls, each once.
pub async fn a_viewer_has_the_tools_of_its_open_calls(desk: &Desk<'_>) {
    assert!(tools(desk, "one").await.is_empty());
    let first = opened(desk, "one").await;
    let mut other = seen_by("one", desk.draft(&caller("ann")));
    other.call.quote.tool = "almanac".into();
    desk.open(other).await.unwrap();
    let last = opened(desk, "one").await;
    desk.opened(&caller("ann")).await;
    assert_eq!(tools(desk, "one").await, ["almanac", "forecast"]);
    assert!(tools(desk, "two").await.is_empty());
    let open = desk
        .here
        .open_tools("one".into(), desk.now())
        .await
        .unwrap();
    let until = first.call.quote.expires_at.max(last.call.quote.expires_at);
    let forecast = OpenTool {
        tool: "forecast".into(),
        until,
    };
    assert_eq!(open[1], forecast);
}

/// It has them until they are delivered, declined, or their offers end.
pub async fn an_open_call_is_a_viewers_until_it_ends(desk: &Desk<'_>) {
    let delivered = opened(desk, "paying").await;
    let paid = desk.paid(&delivered).await;
    assert_eq!(
        tools(desk, "paying").await,
        ["forecast"],
        "paid, not delivered"
    );
    desk.delivered(&paid, "sun").await;
    assert!(tools(desk, "paying").await.is_empty());

    let declined = opened(desk, "declining").await;
    desk.advanced(&declined, vec![PaymentEvent::Declined.into()])
        .await;
    assert!(tools(desk, "declining").await.is_empty());

    let owed = desk.paid(&opened(desk, "owed").await).await;
    desk.credited(&owed).await;
    assert!(tools(desk, "owed").await.is_empty());

    let overdue = opened(desk, "waiting").await;
    assert_eq!(tools(desk, "waiting").await, ["forecast"]);
    desk.pass(600_001).await;
    assert!(
        tools(desk, "waiting").await.is_empty(),
        "its offer has ended"
    );
    assert_eq!(desk.stored(&overdue).await.call.state, CallState::Awaiting);
}

/// Of anonymous callers those of one viewer share an open call, and nobody else.
pub async fn strangers_share_within_one_viewer(desk: &Desk<'_>) {
    let draft = |viewer: &str, arguments: &str| {
        let new = desk.draft_of(&Principal::anonymous(), arguments, usd("1"));
        seen_by(viewer, new)
    };
    let drafts = (0..10).map(|_| desk.open(draft("one", "{}")));
    let opened = join_all(drafts).await.into_iter().map(Result::unwrap);
    let opened: Vec<_> = opened.collect();
    assert_eq!(opened.iter().filter(|opened| !opened.existing).count(), 1);
    let first = &opened[0].record;
    assert!(opened.iter().all(|one| one.record.call.id == first.call.id));
    for other in [draft("two", "{}"), draft("one", "{\"x\":1}")] {
        assert!(!desk.open(other).await.unwrap().existing);
    }
    let declined = vec![PaymentEvent::Declined.into()];
    desk.advanced(first, declined).await;
    assert!(!desk.open(draft("one", "{}")).await.unwrap().existing);
}

/// A known caller that comes for its open call from elsewhere takes it there.
pub async fn an_open_call_moves_to_who_came_for_it(desk: &Desk<'_>) {
    let record = opened(desk, "one").await;
    let viewer = "two".to_owned();
    let moved = desk.advanced(&record, vec![Event::Shown { viewer }]).await;
    assert_eq!(moved.call.viewer.as_deref(), Some("two"));
    assert!(tools(desk, "one").await.is_empty());
    assert_eq!(tools(desk, "two").await, ["forecast"]);
    let found = desk.there.find(CallKey::Call(record.call.id.clone())).await;
    assert_eq!(found.unwrap().unwrap().call, moved.call);
    let ended = desk
        .advanced(&moved, vec![PaymentEvent::Declined.into()])
        .await;
    let viewer = "one".to_owned();
    let late = desk.change(&ended, vec![Event::Shown { viewer }]);
    assert!(
        desk.here.advance(late).await.is_err(),
        "an ended call is in no list"
    );
}
