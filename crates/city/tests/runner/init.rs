use crate::world::{REGISTER, START, TestCity, register, world};
use city::{City, CityError, Folder, InitError, Listen, NewOrganisation};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

#[test]
fn a_bad_register_leaves_nothing_and_a_second_init_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path().join("city"));
    let world = world(&Arc::new(AtomicI64::new(START)));
    let bad = register(&place, &REGISTER.replace("O003", "O001"));
    let words = city::init(&folder, &bad, &world).unwrap_err().to_string();
    assert!(words.contains("organisations.csv") && words.contains("第 4 行，id 列"), "{words}");
    assert!(!folder.root.exists(), "nothing was made");

    city::init(&folder, &register(&place, REGISTER), &world).unwrap();
    let key = std::fs::read(folder.key()).unwrap();
    let again = city::init(&folder, &register(&place, REGISTER), &world);
    assert!(matches!(again, Err(InitError::Exists(_))), "{again:?}");
    assert_eq!(std::fs::read(folder.key()).unwrap(), key, "the key of the city that is there stays");
    City::open(&folder, world, false).unwrap();
}

#[test]
fn a_register_in_another_encoding_says_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("gbk.csv");
    std::fs::write(&file, b"id,name,kind,parent,founded,lines\nA,\xd6\xa7\xb2\xbf,x,,2012-06-21,\n").unwrap();
    let world = world(&Arc::new(AtomicI64::new(START)));
    let words = city::init(&Folder::new(place.path().join("city")), &file, &world).unwrap_err().to_string();
    assert!(words.contains("CSV UTF-8"), "{words}");
}

#[test]
fn codes_are_for_organisations_of_the_register_or_newly_registered_ones() {
    let town = TestCity::new();
    let name = "中国共产党泰安速达物流有限公司支部委员会";
    let new = || NewOrganisation {
        kind: "党支部".to_owned(),
        parent: "O002".to_owned(),
        founded: "2015-01-01".to_owned(),
    };
    let code = |wanted: &str, new: Option<NewOrganisation>| {
        town.city.enrolment_code(wanted, new).map(|(organisation, _)| organisation.name)
    };
    assert!(matches!(code(name, None), Err(CityError::UnknownOrganisation(_))));
    let bad = NewOrganisation { founded: "2015-13-01".to_owned(), ..new() };
    assert!(matches!(code(name, Some(bad)), Err(CityError::BadOrganisation(_))));
    assert!(matches!(code(name, None), Err(CityError::UnknownOrganisation(_))), "a refused one is not there");
    assert_eq!(code(name, Some(new())).unwrap(), name);
    assert_eq!(code(name, None).unwrap(), name, "found by its name from then on");
    assert!(matches!(code(name, Some(new())), Err(CityError::KnownOrganisation(_))));
    assert!(matches!(code("O003", Some(new())), Err(CityError::KnownOrganisation(_))));
}

#[test]
fn plain_http_is_for_loopback_and_proxies() {
    let table = [
        ("127.0.0.1:80", false, true),
        ("[::1]:80", false, true),
        ("0.0.0.0:80", false, false),
        ("10.0.0.7:80", false, false),
        ("0.0.0.0:80", true, true),
    ];
    for (address, behind_proxy, allowed) in table {
        let listen = Listen { address: address.parse().unwrap(), behind_proxy };
        assert_eq!(listen.allowed().is_ok(), allowed, "{address} {behind_proxy}");
    }
}

#[test]
fn a_new_city_checks_clean() {
    let town = TestCity::new();
    let report = town.city.check().unwrap();
    assert_eq!(report.findings, [], "{report}");
}
