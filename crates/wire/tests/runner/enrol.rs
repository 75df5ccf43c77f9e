//! The vector of enrolment: a code, its key, and the messages both ways.

use replica::{DeviceId, RootKey, StreamId, from_hex, to_hex};
use serde_json::json;
use wire::enrol::{ChangeText, EnrolAsk, EnrolCode, EnrolYes, Hello, Keys, Sealed, Way};

use crate::vectors::{changes, check};
use crate::world::Device;

#[test]
fn vector() {
    let code = EnrolCode::from_random([3, 1, 4, 1, 5, 9, 2, 6, 5, 3]);
    let (device, city, root) = (Device::new(1, None).id, Device::new(50, None).id, RootKey([9; 32]));
    let founding = ChangeText::from(&changes()[0]);
    let stream = StreamId(changes()[0].id().0);
    let hello =
        Hello { what: Hello::WHAT.into(), version: 1, root: root.to_string(), operating: city, time: 5 };
    let ask = EnrolAsk {
        device,
        root: root.to_string(),
        stream,
        founding: founding.clone(),
        name: "一号机".into(),
        nonce: to_hex(&[7; 16]),
    };
    let yes = EnrolYes {
        nonce: to_hex(&[7; 16]),
        organisation: "o1".into(),
        organisation_name: "第一党支部".into(),
        stream,
        adopted: true,
        change: founding,
        operating: city,
        time: 6,
    };
    let (key, keys) = (code.key(), Keys { device: &device, root: &root.0 });
    let kept = check(
        "enrol",
        &json!({
            "about": "A code as it is shown and the key that is derived from it; what the city says of itself; both sealed messages.",
            "code": code.to_string(),
            "place": code.place(),
            "key": to_hex(&key.0),
            "hello": hello,
            "device": device.to_string(),
            "root": root.to_string(),
            "ask": Sealed::new(&key, code.place(), Way::ToCity, keys, &ask),
            "yes": Sealed::new(&key, code.place(), Way::ToLaptop, keys, &yes),
        }),
    );
    let typed = EnrolCode::parse(kept["code"].as_str().unwrap()).unwrap();
    assert_eq!(kept["place"], typed.place());
    assert_eq!(from_hex(kept["key"].as_str().unwrap()), Ok(typed.key().0));
    assert_eq!(serde_json::from_value::<Hello>(kept["hello"].clone()).unwrap(), hello);
    let device: DeviceId = kept["device"].as_str().unwrap().parse().unwrap();
    let root: [u8; 32] = from_hex(kept["root"].as_str().unwrap()).unwrap();
    let keys = Keys { device: &device, root: &root };
    let [asked, said] =
        ["ask", "yes"].map(|name| serde_json::from_value::<Sealed>(kept[name].clone()).unwrap());
    assert!(asked.fits(&typed.key(), Way::ToCity, keys) && said.fits(&typed.key(), Way::ToLaptop, keys));
    assert_eq!((asked.read(), said.read()), (Some(ask), Some(yes)));
}
