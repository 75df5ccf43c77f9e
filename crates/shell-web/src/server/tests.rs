use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Shell, Usb, routes};
use crate::door::Door;
use crate::events::Events;
use app::UsbFile;

const HOST: &str = "127.0.0.1:4711";
const ORIGIN: &str = "http://127.0.0.1:4711";
const HASH: &str = "aa11";
const COOKIE: &str = "jishi_a1=secret";

fn shell() -> Arc<Shell> {
    let call = |name: &str, arguments: Value| match name {
        "echo" => Ok(arguments),
        "panic" => panic!("on purpose"),
        _ => Err(json!({"code": "unknown_call", "params": {"name": name}})),
    };
    let photo = |hash: &str| (hash == HASH).then(|| ("image/jpeg", b"<script>".to_vec()));
    let file = |everything| match everything {
        false => Ok(UsbFile { name: "上报 一.jishi".to_owned(), bytes: vec![7, 8] }),
        true => Err(json!({"code": "not_enrolled"})),
    };
    let import = |bytes: &[u8]| match bytes {
        [7, 8] => Ok(json!({"new": 2})),
        _ => Err(json!({"code": "usb_not_ours"})),
    };
    let usb = Usb { export: Box::new(file), import: Box::new(import) };
    Arc::new(Shell {
        door: Door::new(4711, "a1", "secret"),
        events: Events::new(),
        call: Box::new(call),
        photo: Box::new(photo),
        usb,
    })
}

async fn send(shell: &Arc<Shell>, request: Request<Body>) -> Response<Body> {
    routes(shell.clone()).oneshot(request).await.expect("the routes answer everything")
}

async fn text(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("the body is whole");
    String::from_utf8(bytes.to_vec()).expect("the body is text")
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).header(header::HOST, HOST).header(header::COOKIE, COOKIE).body(Body::empty()).unwrap()
}

fn post(name: &str, body: &str) -> Request<Body> {
    Request::post(format!("/call/{name}"))
        .header(header::HOST, HOST)
        .header(header::ORIGIN, ORIGIN)
        .header(header::COOKIE, COOKIE)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn without(mut request: Request<Body>, name: header::HeaderName) -> Request<Body> {
    request.headers_mut().remove(name);
    request
}

fn with(mut request: Request<Body>, name: header::HeaderName, value: &'static str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

#[tokio::test]
async fn the_token_gives_the_cookie_and_the_page_follows() {
    let shell = shell();
    let address = shell.door.issue("t".into(), Instant::now());
    let path = address.strip_prefix(ORIGIN).expect("the address is ours").to_owned();
    let entered = send(&shell, without(get(&path), header::COOKIE)).await;
    assert_eq!(entered.status(), StatusCode::OK);
    let cookie = entered.headers()[header::SET_COOKIE].to_str().unwrap();
    assert_eq!(cookie, "jishi_a1=secret; Path=/; HttpOnly; SameSite=Strict");
    assert!(text(entered).await.contains("url=/"), "the browser goes on to the page");
    assert_eq!(send(&shell, without(get(&path), header::COOKIE)).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn calls_answer_with_their_value_or_their_error() {
    let cases = [
        ("echo", r#"{"a":1}"#, StatusCode::OK, json!({"a": 1})),
        (
            "gone",
            "{}",
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({"code": "unknown_call", "params": {"name": "gone"}}),
        ),
        ("echo", "{", StatusCode::BAD_REQUEST, json!({"code": "bad_request"})),
        ("panic", "{}", StatusCode::INTERNAL_SERVER_ERROR, json!({"code": "internal"})),
    ];
    for (name, body, status, expected) in cases {
        let response = send(&shell(), post(name, body)).await;
        assert_eq!(response.status(), status, "{name} {body}");
        let answer: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(answer, expected, "{name} {body}");
    }
}

#[tokio::test]
async fn strangers_are_turned_away_everywhere() {
    let cases = [
        ("page without cookie", without(get("/"), header::COOKIE)),
        ("events without cookie", without(get("/events"), header::COOKIE)),
        ("photo without cookie", without(get("/photo/aa11"), header::COOKIE)),
        ("photo for another page", with(get("/photo/aa11"), header::ORIGIN, "http://evil.example")),
        ("photo under a rebound name", with(get("/photo/aa11"), header::HOST, "evil.example:4711")),
        ("call without cookie", without(post("echo", "{}"), header::COOKIE)),
        ("call without origin", without(post("echo", "{}"), header::ORIGIN)),
        ("call of another page", with(post("echo", "{}"), header::ORIGIN, "http://evil.example")),
        ("rebound name", with(get("/"), header::HOST, "evil.example:4711")),
        ("rebound name on the call", with(post("echo", "{}"), header::HOST, "evil.example:4711")),
        ("preflight", {
            let mut request = with(post("echo", ""), header::ORIGIN, "http://evil.example");
            *request.method_mut() = Method::OPTIONS;
            request
        }),
    ];
    for (who, request) in cases {
        let response = send(&shell(), request).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{who}");
        assert!(!response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{who}");
    }
}

#[tokio::test]
async fn a_form_of_another_kind_is_no_call() {
    let form = with(post("echo", "{}"), header::CONTENT_TYPE, "text/plain");
    assert_eq!(send(&shell(), form).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn every_answer_carries_the_policy_and_stays_out_of_caches() {
    let paths = ["/", "/index.html", "/meetings/1", "/missing.js", "/enter?token=x"];
    for path in paths {
        let response = send(&shell(), get(path)).await;
        let headers = response.headers();
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], crate::pages::POLICY, "{path}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_place_inside_the_page_is_the_page_and_a_missing_file_is_missing() {
    let root = text(send(&shell(), get("/")).await).await;
    assert_eq!(text(send(&shell(), get("/meetings/1")).await).await, root);
    assert_eq!(send(&shell(), get("/missing.js")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_photo_is_a_picture_whatever_its_bytes_say_and_stays_out_of_caches() {
    let response = send(&shell(), get("/photo/aa11")).await;
    assert_eq!(response.status(), StatusCode::OK);
    let expected = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in expected {
        assert_eq!(response.headers()[&name], value, "{name}");
    }
    for path in ["/photo/bb22", "/photo/..%2fbranch.db", "/photo/"] {
        let response = send(&shell(), get(path)).await;
        let page = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind != "image/jpeg");
        assert!(response.status() == StatusCode::NOT_FOUND || page, "{path}");
    }
}

fn usb(path: &str, body: &'static [u8]) -> Request<Body> {
    Request::post(path)
        .header(header::HOST, HOST)
        .header(header::ORIGIN, ORIGIN)
        .header(header::COOKIE, COOKIE)
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn files_go_to_and_from_the_browser_behind_the_same_door() {
    let shell = shell();
    let made = send(&shell, usb("/usb/export", b"")).await;
    assert_eq!(made.status(), StatusCode::OK);
    let name = made.headers()[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert_eq!(name, "attachment; filename*=UTF-8''%E4%B8%8A%E6%8A%A5%20%E4%B8%80.jishi");
    assert_eq!(made.headers()[header::CACHE_CONTROL], "no-store");
    let refused = send(&shell, usb("/usb/export?everything=true", b"")).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(text(refused).await, r#"{"code":"not_enrolled"}"#);
    assert_eq!(text(send(&shell, usb("/usb/import", &[7, 8])).await).await, r#"{"new":2}"#);
    let refused = send(&shell, usb("/usb/import", b"a photo")).await;
    assert_eq!(text(refused).await, r#"{"code":"usb_not_ours"}"#);
    let stranger = send(&shell, without(usb("/usb/export", b""), header::COOKIE)).await;
    assert_eq!(stranger.status(), StatusCode::FORBIDDEN);
    let elsewhere = send(&shell, with(usb("/usb/export", b""), header::ORIGIN, "http://evil.example")).await;
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
}
