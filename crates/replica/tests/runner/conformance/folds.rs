//! Order, gaps, life and closing.

use replica::Change;
use serde_json::{Value, json};

use super::{Case, state};
use crate::world::Device;

/// The founder of a stream with a meeting in it, and a second computer that it let in.
pub struct Pair {
    pub a: Device,
    pub b: Device,
    pub born: Change,
    pub let_in: Change,
}

pub fn pair() -> Pair {
    let mut a = Device::new(1, None);
    let born = a.m1(&[("~born", json!(true), &[]), ("place", json!("一会议室"), &[])]);
    let mut b = Device::new(2, Some(born.stream));
    let let_in = a.rule(&format!("~device/{}", b.id), json!({"name": "二号机"}), &[]);
    b.lamport = a.lamport;
    Pair { a, b, born, let_in }
}

pub fn cases() -> Vec<Value> {
    vec![
        first_change(),
        any_order(),
        gap(),
        waits_for_birth(),
        deleted_and_restored(),
        delete_against_edit(),
        items(),
        item_of_one_value(),
        closed(),
        late_is_adopted_or_given_up(),
        late_but_the_same(),
        item_after_closing(),
        closed_item(),
        two_closings(),
        deleted_while_closed(),
    ]
}

fn first_change() -> Value {
    let born = pair().born;
    Case::new("first-change", "A change that founds a stream: its id is the stream's.", &[&born]).all()
}

fn any_order() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let second = a.m1(&[("place", json!("二会议室"), &[born.id])]);
    let third = b.m1(&[("place", json!("三会议室"), &[second.id]), ("topic", json!("议题"), &[])]);
    Case::new("any-order", "Order and repetition do not matter.", &[&born, &let_in, &second, &third])
        .whole()
        .given(&["0 1 2 3", "3 2 1 0", "2 0 3 1", "1 3 0 2", "0 0 3 3 1 2 0 1 2 3"])
        .finish()
}

fn gap() -> Value {
    let Pair { mut a, born, let_in, .. } = pair();
    let last = a.m1(&[("place", json!("二会议室"), &[born.id])]);
    let about = "A change waits, and shows nowhere, until the one before it in its chain is held.";
    Case::new("gap", about, &[&born, &let_in, &last]).given(&["0 2", "2 0"]).given(&["2"]).all()
}

fn waits_for_birth() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let other = a.commit(&[("m2", "meeting", "place", json!("三会议室"), &[])]);
    let early = b.commit(&[("m2", "meeting", "topic", json!("议题"), &[])]);
    let birth = b.commit(&[("m2", "meeting", "~born", json!(true), &[])]);
    let about = "A record without ~born waits; its writes are there once it comes.";
    Case::new("waits-for-birth", about, &[&born, &let_in, &other, &early, &birth]).given(&["0 1 2 3"]).all()
}

fn deleted_and_restored() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let edit = b.m1(&[("place", json!("乙"), &[born.id])]);
    let seen = state(None, &[&born, &let_in, &edit]).all_heads();
    let gone = a.m1(&[("~gone", json!({"reason": "记错了"}), &seen)]);
    let seen = state(None, &[&born, &let_in, &edit, &gone]).all_heads();
    let back = b.m1(&[("~born", json!(true), &seen)]);
    let about = "~gone over everything that its author saw deletes; ~born over that restores.";
    Case::new("deleted-and-restored", about, &[&born, &let_in, &edit, &gone, &back])
        .given(&["0 1 2 3", "3 2 1 0"])
        .all()
}

fn delete_against_edit() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let gone = a.m1(&[("~gone", json!({"reason": "重复"}), &[born.id])]);
    let edit = b.m1(&[("place", json!("乙"), &[born.id])]);
    let seen = state(None, &[&born, &let_in, &gone, &edit]).all_heads();
    let again = a.m1(&[("~gone", json!({"reason": "重复"}), &seen)]);
    let kept = b.m1(&[("~born", json!(true), &seen)]);
    let about = "A deletion that did not see an edit is contested until one side is over everything; two such sides are \
                 contested again.";
    Case::new("delete-against-edit", about, &[&born, &let_in, &gone, &edit, &again, &kept])
        .each()
        .given(&["0 1 2 3", "3 1 0 2"])
        .given(&["0 1 2 3 4"])
        .given(&["0 1 2 3 5"])
        .all()
}

fn items() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let item = a.m1(&[
        ("agenda/x/~born", json!(true), &[]),
        ("agenda/x/topic", json!("议题"), &[]),
        ("agenda/x/speeches/s/text", json!("发言"), &[]),
        ("agenda/y/topic", json!("没有 ~born 的议题"), &[]),
        ("agenda/z/~final", json!(true), &[]),
    ]);
    let seen = state(None, &[&born, &let_in, &item]).item_heads("agenda/x");
    let gone = b.m1(&[("agenda/x/~gone", json!(true), &seen)]);
    let edit = a.m1(&[("agenda/x/topic", json!("改"), &[item.id])]);
    let about = "Items in a record: with and without ~born; deleted, which hides their paths; and deleted against an edit, \
                 which hides nothing.";
    Case::new("items", about, &[&born, &let_in, &item, &gone, &edit])
        .each()
        .given(&["0 1 2"])
        .given(&["0 1 2 3", "3 2 1 0"])
        .all()
}

fn item_of_one_value() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let post = a.m1(&[("posts/x", json!({"post": "secretary"}), &[])]);
    let gone = b.m1(&[("posts/x/~gone", json!(true), &[post.id])]);
    let edit = a.m1(&[("posts/x", json!({"post": "deputy"}), &[post.id])]);
    let about = "The path of an item lies in the item: what is one value goes with its ~gone.";
    Case::new("item-of-one-value", about, &[&born, &let_in, &post, &gone, &edit]).given(&["0 1 2 3"]).all()
}

fn closed() -> Value {
    let mut a = Device::new(1, None);
    let born = a.m1(&[
        ("~born", json!(true), &[]),
        ("place", json!("一会议室"), &[]),
        ("agenda/x/~born", json!(true), &[]),
        ("agenda/x/topic", json!("议题"), &[]),
    ]);
    let mut b = a.copy();
    let gone = a.m1(&[("agenda/x/~gone", json!(true), &[born.id])]);
    let closed = a.m1(&[("number", json!("1-A"), &[]), ("~final", json!(true), &[born.id, gone.id])]);
    let late = b.m1(&[("place", json!("二会议室"), &[born.id])]);
    let about = "A closed record, an item that is gone, and a late write that the closing does not cover.";
    Case::new("closed", about, &[&born, &gone, &closed, &late]).all()
}

fn late_is_adopted_or_given_up() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let closed = a.m1(&[("number", json!("1-A"), &[]), ("~final", json!(true), &[born.id])]);
    let late = b.m1(&[("place", json!("迟到的"), &[born.id]), ("topic", json!("新的"), &[])]);
    let seen = state(None, &[&born, &let_in, &closed, &late]);
    let corrected = a.m1(&[
        ("place", json!("迟到的"), &seen.heads("place")),
        ("topic", Value::Null, &seen.heads("topic")),
        ("~final", json!({"reason": "更正"}), &seen.all_heads()),
    ]);
    let about =
        "What comes after a closing is late in whatever order it arrives, until a correction is over it.";
    Case::new("late-adopted-or-given-up", about, &[&born, &let_in, &closed, &late, &corrected])
        .each()
        .given(&["0 1 2 3", "3 0 1 2", "3 2 1 0"])
        .all()
}

fn late_but_the_same() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let closed = a.m1(&[("~final", json!(true), &[born.id])]);
    let late = b.m1(&[("place", json!("一会议室"), &[born.id])]);
    let about = "A late write of the value that stands is another head of it, and not late.";
    Case::new("late-but-the-same", about, &[&born, &let_in, &closed, &late]).all()
}

fn item_after_closing() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let closed = a.m1(&[("~final", json!(true), &[born.id])]);
    let late = b.m1(&[("agenda/y/~born", json!(true), &[]), ("agenda/y/topic", json!("补"), &[])]);
    let about = "An item that is added to a closed record is late, its ~born as well.";
    Case::new("item-after-closing", about, &[&born, &let_in, &closed, &late]).all()
}

fn closed_item() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let item = a.m1(&[("agenda/x/~born", json!(true), &[]), ("agenda/x/topic", json!("议题"), &[])]);
    let closed = a.m1(&[("agenda/x/~final", json!(true), &[item.id])]);
    let late = b.m1(&[("agenda/x/topic", json!("改"), &[item.id]), ("place", json!("乙"), &[born.id])]);
    let gone = b.m1(&[("agenda/x/~gone", json!(true), &[item.id, closed.id, late.id])]);
    let about =
        "A closed item: what lies in it is late, what lies beside it is not, and its life is not closed off.";
    Case::new("closed-item", about, &[&born, &let_in, &item, &closed, &late, &gone])
        .given(&["0 1 2 3 4"])
        .all()
}

fn two_closings() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let left = a.m1(&[("place", json!("甲"), &[born.id]), ("~final", json!(true), &[born.id])]);
    let right = b.m1(&[("~final", json!(true), &[born.id])]);
    let seen = state(None, &[&born, &let_in, &left, &right]).all_heads();
    let settled = b.m1(&[("~final", json!(true), &seen)]);
    let about = "Two closings at once cover what any of them covers, until one is over both.";
    Case::new("two-closings", about, &[&born, &let_in, &left, &right, &settled]).given(&["0 1 2 3"]).all()
}

fn deleted_while_closed() -> Value {
    let Pair { mut a, mut b, born, let_in } = pair();
    let closed = a.m1(&[("~final", json!(true), &[born.id])]);
    let blind = b.m1(&[("~gone", json!({"reason": "删"}), &[born.id])]);
    let seen = state(None, &[&born, &let_in, &closed]).all_heads();
    let annulled = a.m1(&[("~gone", json!({"reason": "作废"}), &seen)]);
    let about = "A deletion that did not see the closing is contested; one that did deletes, and the closing still shows.";
    Case::new("deleted-while-closed", about, &[&born, &let_in, &closed, &blind, &annulled])
        .given(&["0 1 2 3"])
        .given(&["0 1 2 4"])
        .finish()
}
