//! What may stand between a laptop and its city, each by a server that answers one way whatever it is asked.

use super::{Carrier, Http};
use crate::address::Address;
use crate::error::SyncError;
use crate::stop::Stop;
use reqwest::{Client, ClientBuilder};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use wire::enrol::EXCHANGE_TYPE;

/// Answers every connection by these bytes, after the beginning of what it is sent.
fn answers(with: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = [0; 1024];
            if client.read(&mut head).is_ok_and(|read| read > 0) {
                let _ = client.write_all(with.as_bytes());
            }
        }
    });
    address
}

/// Answers one connection by these bytes and keeps it open. Says when it was asked.
fn hangs_after(with: &'static str) -> (SocketAddr, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, is_asked) = channel();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.read_exact(&mut [0; 64]).unwrap();
        client.write_all(with.as_bytes()).unwrap();
        asked.send(()).unwrap();
        // Until the other side lets go of it.
        let _ = std::io::copy(&mut client, &mut std::io::sink());
    });
    (address, is_asked)
}

fn directly(to: &str) -> SyncError {
    ask(line(None, to, &Stop::default()))
}

/// Over a proxy that stands at an address.
fn over(proxy: SocketAddr, to: &str) -> SyncError {
    ask(line(Some(proxy), to, &Stop::default()))
}

/// As [`Http::new`] makes it, but blind to the proxies of the computer that runs the tests.
fn line(proxy: Option<SocketAddr>, to: &str, stop: &Stop) -> Http {
    let through = |proxy| reqwest::Proxy::all(format!("http://{proxy}")).unwrap();
    let add = |builder: ClientBuilder, proxy| builder.proxy(through(proxy));
    let builder = proxy.into_iter().fold(Client::builder().no_proxy(), add);
    Http::over(builder, Address::parse(to).unwrap(), stop).unwrap()
}

fn ask(http: Http) -> SyncError {
    http.post("/v1/exchange", EXCHANGE_TYPE, b"changes".to_vec()).expect_err("no city is there").into()
}

#[test]
fn whoever_answers_instead_of_the_city_is_called_by_what_helps_against_it() {
    const PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 12\r\n\r\n<html>\u{767b}\u{5f55}";
    for (answer, code) in [
        (PAGE, "web_page"),
        ("HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/login\r\ncontent-length: 0\r\n\r\n", "web_page"),
        ("HTTP/1.1 511 Network Authentication Required\r\ncontent-length: 5\r\n\r\nlogin", "web_page"),
        ("HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>", "web_page"),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            "not_our_server",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "not_our_server"),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
            "proxy_asks",
        ),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>", "offline"),
        ("HTTP/1.1 503 Service Unavailable\r\nretry-after: 90\r\ncontent-length: 0\r\n\r\n", "busy"),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 600\r\n\r\n<html>", "cut_off"),
        ("HTTP/1.1 2", "cut_off"),
    ] {
        let error = directly(&format!("http://{}", answers(answer)));
        assert_eq!(error.code(), code, "{answer}: {error}");
    }
}

#[test]
fn a_port_that_speaks_no_tls_is_not_trusted() {
    let plain = answers("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    let error = directly(&format!("https://{plain}"));
    assert_eq!(error.code(), "untrusted", "{error}");
}

#[test]
fn nobody_at_the_port_is_no_way() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(directly(&format!("http://{gone}")).code(), "offline");
    assert_eq!(directly(&format!("https://{gone}")).code(), "offline");
}

#[test]
fn a_proxy_on_the_way_says_what_it_wants() {
    let asks = answers("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    let shut = answers("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    for (proxy, code) in [(asks, "proxy_asks"), (shut, "offline")] {
        let error = over(proxy, "https://dj.example.gov.cn");
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn what_does_not_come_to_its_end_is_let_go_of_once_somebody_wants_to_stop() {
    const BEGUN: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-jishi\r\ncontent-length: 600\r\n\r\nan answer";
    for (scheme, after) in [("http", ""), ("http", "HTTP/1.1 20"), ("http", BEGUN), ("https", "")] {
        let (address, is_asked) = hangs_after(after);
        let stop = Stop::default();
        let http = line(None, &format!("{scheme}://{address}"), &stop);
        let asking = std::thread::spawn(move || ask(http));
        is_asked.recv().unwrap();
        stop.tell();
        assert_eq!(asking.join().unwrap().code(), "stopped", "{scheme}, after {after:?}");
    }
}

#[test]
fn a_proxy_that_opens_no_way_is_not_waited_for_either() {
    let (proxy, is_asked) = hangs_after("");
    let stop = Stop::default();
    let http = line(Some(proxy), "https://dj.example.gov.cn", &stop);
    let asking = std::thread::spawn(move || ask(http));
    is_asked.recv().unwrap();
    stop.tell();
    assert_eq!(asking.join().unwrap().code(), "stopped");
}

#[test]
fn whoever_wants_to_stop_before_it_begins_asks_nobody() {
    let stop = Stop::default();
    stop.tell();
    let (address, is_asked) = hangs_after("");
    assert_eq!(ask(line(None, &format!("http://{address}"), &stop)).code(), "stopped");
    assert!(is_asked.try_recv().is_err());
}
