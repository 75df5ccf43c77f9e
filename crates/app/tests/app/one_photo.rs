//! 取回这张照片: on a line that is paid by the byte, the one that somebody looks at.

use crate::attachments::states;
use crate::courier::{meanwhile, whereabouts, with_scans};
use crate::reporting::{City, laptop};
use crate::world::Laptop;
use app::Code;
use serde_json::{Value, json};

/// A second computer of the branch, on a line that is paid by the byte, with the first one's record but not its scans.
fn metered_reader(city: &City) -> Laptop {
    let second = laptop("另一台");
    second.call("set_metered", json!({ "on": true }));
    city.enrol(&second);
    second.call("confirm_matching", json!({ "same": {} }));
    second.call("exchange", json!({}));
    second
}

#[test]
fn a_photo_that_is_looked_at_comes_alone() {
    let city = City::new();
    let first = laptop("某某");
    let id = with_scans(&first, 3);
    city.enrol(&first);
    first.call("exchange", json!({}));
    let second = metered_reader(&city);
    let absent = states(&second, &id);
    assert_eq!(whereabouts(&second, &id), ["on_its_way"; 3]);
    assert!(absent.iter().all(|file| file["fetchable"] == true));

    second.call("fetch_photo", json!({ "hash": absent[1]["hash"] }));
    assert_eq!(whereabouts(&second, &id), ["on_its_way", "reported", "on_its_way"]);
    let page = second.call("sync_page", json!({}));
    assert_eq!((&page["files"]["to_fetch"], &page["metered"]), (&json!(2), &json!(true)));
    assert_eq!(page["last_error"], Value::Null);
    second.call("fetch_photo", json!({ "hash": absent[1]["hash"] }));
    second.refused_as("fetch_photo", json!({ "hash": "合影" }), Code::BadRequest);
}

#[test]
fn a_photo_on_its_way_can_be_stopped_and_goes_on_where_it_was() {
    let city = City::new();
    let first = laptop("某某");
    let id = with_scans(&first, 1);
    city.enrol(&first);
    first.call("exchange", json!({}));
    let second = metered_reader(&city);
    let photo = json!({ "hash": states(&second, &id)[0]["hash"] });
    let some_is_here = |progress: &Value| progress["files"]["bytes"].as_u64() > Some(0);
    meanwhile(&second, some_is_here, |app| {
        app.call("stop_exchange", json!({})).expect("it stops");
    });
    second.refused_as("fetch_photo", photo.clone(), Code::Stopped);
    let state = &states(&second, &id)[0];
    assert!(state["have"].as_u64() > Some(0) && state["whereabouts"] == "on_its_way", "{state}");
    second.call("fetch_photo", photo);
    assert_eq!(whereabouts(&second, &id), ["reported"]);
}

#[test]
fn a_photo_that_the_city_does_not_have_is_said_to_be_so() {
    let city = City::new();
    let first = laptop("某某");
    first.call("set_metered", json!({ "on": true }));
    let id = with_scans(&first, 1);
    city.enrol(&first);
    first.call("exchange", json!({}));
    let second = metered_reader(&city);
    second.refused_as("fetch_photo", json!({ "hash": states(&second, &id)[0]["hash"] }), Code::NotAtCity);
    assert_eq!(second.call("sync_page", json!({}))["last_error"], Value::Null, "the exchange went well");
}
