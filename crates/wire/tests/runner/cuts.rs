//! A body that is cut gives every change that arrived whole.

use wire::{Request, Whole};

use crate::world::{Device, Random, text};

#[test]
fn a_cut_body_keeps_what_came_before() {
    let mut device = Device::new(1, None);
    let mut random = Random(7);
    let changes: Vec<_> = (0..400)
        .map(|number| {
            let value = serde_json::json!(text(&mut random, 600));
            device.commit("promise", &format!("r{number}"), &[("text", value, &[])]).raw
        })
        .collect();
    let whole =
        Request { streams: Vec::new(), budget: 1, presented: Vec::new(), changes: changes.clone() }.encode();
    let mut kept = Vec::new();
    for tenth in 0..10 {
        let cut = &whole[..whole.len() * tenth / 10];
        let Ok((request, state)) = Request::decode(cut) else {
            assert_eq!(tenth, 0, "only a body without its front is not a request");
            continue;
        };
        assert_eq!(state, Whole::Cut);
        assert_eq!(request.changes, changes[..request.changes.len()], "in order, none half");
        kept.push(request.changes.len());
    }
    assert!(kept.is_sorted() && kept[kept.len() - 1] > 250, "a cut loses little: {kept:?}");
    let (request, state) = Request::decode(&whole).unwrap();
    assert_eq!((request.changes.len(), state), (400, Whole::Yes));
}

#[test]
fn a_budget_is_kept_and_one_change_always_goes() {
    let mut device = Device::new(1, None);
    let mut random = Random(7);
    let long = serde_json::json!(text(&mut random, 60_000));
    let long = device.commit("promise", "r", &[("text", long, &[])]).raw;
    let request = Request { streams: Vec::new(), budget: 0, presented: Vec::new(), changes: Vec::new() };
    let mut body = request.begin();
    assert!(body.has_room(100));
    body.add(&long);
    assert!(!body.has_room(100));
    for budget in [16_384u32, 65_536] {
        let mut body = request.begin();
        while body.has_room(budget) {
            let value = serde_json::json!(text(&mut random, 500));
            body.add(&device.commit("promise", "r", &[("text", value, &[])]).raw);
        }
        let len = body.finish(true).len();
        assert!((budget as usize * 4 / 10..budget as usize * 12 / 10).contains(&len), "{len} of {budget}");
    }
}
