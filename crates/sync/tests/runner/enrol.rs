use crate::line::Fault;
use crate::town::{Laptop, Town};
use std::io::{Read, Write};
use std::net::TcpListener;
use sync::{Address, Enrolment, Stop};

#[test]
fn refusals_have_their_codes_and_change_nothing() {
    let town = Town::new();
    let a = Laptop::new(&town, "a");
    let used = town.code("O004");
    Laptop::new(&town, "other").enrol_with(&town, &used).unwrap();
    let table = [
        ("", "code_length"),
        ("0000-0000-0000-000书", "code_character"),
        ("0000-0000-0000-0001", "code_check"),
        ("0000-0000-0000-0000", "code_unknown"),
        (used.as_str(), "code_used"),
    ];
    for (typed, code) in table {
        assert_eq!(a.enrol_with(&town, typed).unwrap_err().code(), code, "{typed}");
        assert_eq!(Enrolment::of(&a.store).unwrap(), None, "{typed}");
    }
    assert_eq!(a.exchange_error(), "not_enrolled");
}

#[test]
fn enrolment_survives_a_cut_with_the_same_code() {
    for cut in [Fault::BeforeSend, Fault::MidRequest(500), Fault::BeforeAck, Fault::MidResponse(700)] {
        let town = Town::new();
        let a = Laptop::new(&town, "a");
        let code = town.code("O003");
        town.line.plan(&[Fault::None, cut]);
        let error = a.enrol_with(&town, &code).unwrap_err();
        assert_eq!(error.code(), "cut_off", "{cut:?}");
        a.enrol_with(&town, &code).unwrap();
        a.exchange().unwrap();
        a.agrees_with(&town);
        town.holds(2);
    }
}

#[test]
fn nobody_there_and_somebody_else_there_are_two_things() {
    let town = Town::new();
    let a = Laptop::new(&town, "a");
    let enrol = |to: &str| {
        let address = Address::parse(to).unwrap();
        sync::enrol(&a.store, &address, &town.code("O003"), "电脑", &*a.sources, &Stop::default())
            .unwrap_err()
    };
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(enrol(&free.to_string()).code(), "offline");
    for (answer, code) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 18\r\n\r\n<html>酒店上网",
            "web_page",
        ),
        ("HTTP/1.1 302 Found\r\nlocation: http://portal.example\r\ncontent-length: 0\r\n\r\n", "web_page"),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\n\r\nbad", "offline"),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            "not_our_server",
        ),
    ] {
        assert_eq!(enrol(&portal(answer)).code(), code, "{answer}");
    }
}

/// Answers everything with the same text.
fn portal(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(answer.as_bytes());
        }
    });
    address.to_string()
}

#[test]
fn the_address_may_change_and_the_city_may_not() {
    let (town, other) = (Town::new(), Town::new());
    let a = Laptop::enrolled(&town, "a");
    assert_eq!(
        sync::move_city(&a.store, &other.address(), &Stop::default()).unwrap_err().code(),
        "other_city"
    );
    let elsewhere = crate::line::Line::to(town.line.address);
    sync::move_city(&a.store, &Address::parse(&elsewhere.address.to_string()).unwrap(), &Stop::default())
        .unwrap();
    a.exchange().unwrap();
    assert!(!elsewhere.passed().is_empty(), "the new address is used");
    assert_eq!(a.enrol(&other, "O003").unwrap_err().code(), "other_city");
}

impl Laptop {
    fn exchange_error(&self) -> String {
        match sync::Engine::open(&self.store, self.sources.clone(), &Stop::default()) {
            Ok(_) => panic!("enrolled"),
            Err(error) => error.code().to_owned(),
        }
    }
}
