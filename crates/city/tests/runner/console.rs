use crate::world::{Laptop, TestCity};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use city::City;
use serde_json::json;
use std::sync::Arc;

pub async fn sign_in(town: &TestCity) -> String {
    let (status, headers, _) = town.post("/console/api/login", &json!({ "password": town.password })).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let cookie = headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn nothing_is_shown_without_the_operators_password() {
    let town = TestCity::new();
    for path in
        ["/console/api/branches", "/console/api/branches/00/records", "/console/api/branches/00/records/a/b"]
    {
        let (status, said) = town.get(path, None).await;
        let code = said["code"].as_str();
        assert!(status == StatusCode::UNAUTHORIZED || code == Some("malformed"), "{path}: {status}");
    }
    let (status, _, said) = town.post("/console/api/login", &json!({ "password": "guess" })).await;
    assert_eq!((status, said["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("wrong_password")));
    for _ in 0..4 {
        town.post("/console/api/login", &json!({ "password": "guess" })).await;
    }
    let (status, _, said) = town.post("/console/api/login", &json!({ "password": town.password })).await;
    assert_eq!((status, said["code"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("too_many_tries")));
}

#[tokio::test]
async fn nobody_locks_another_out() {
    let town = TestCity::new();
    let password = town.city.add_operator("李建国").unwrap();
    let behind = City::open(&town.folder(), crate::world::world(&town.clock), true).unwrap();
    let town = TestCity { city: Arc::new(behind), ..town };
    let login = |from: &'static str, name: &'static str, password: String| {
        let town = &town;
        let request = Request::post("/console/api/login")
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-forwarded-for", format!("10.9.9.9, {from}"));
        let body = json!({ "name": name, "password": password }).to_string();
        async move { town.call(request.body(Body::from(body)).unwrap()).await.0 }
    };
    for _ in 0..5 {
        assert_eq!(login("1.1.1.1", "operator", "guess".into()).await, StatusCode::UNAUTHORIZED);
    }
    let right = town.password.clone();
    assert_eq!(login("1.1.1.1", "operator", right.clone()).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(login("1.1.1.1", "李建国", password.clone()).await, StatusCode::NO_CONTENT, "another name");
    assert_eq!(login("2.2.2.2", "operator", right.clone()).await, StatusCode::NO_CONTENT, "from elsewhere");
    assert_eq!(login("2.2.2.2", "李建国", right).await, StatusCode::UNAUTHORIZED, "each has a password");
    for name in 0..20 {
        let name: &'static str = format!("n{name}").leak();
        login("3.3.3.3", name, "guess".into()).await;
    }
    assert_eq!(login("3.3.3.3", "李建国", password).await, StatusCode::TOO_MANY_REQUESTS, "many names");
}

#[tokio::test]
async fn the_console_is_found_with_and_without_a_slash() {
    let town = TestCity::new();
    let request = Request::get("/console/").body(Body::empty()).unwrap();
    let (status, headers, _) = town.call(request).await;
    assert_eq!(status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(headers[header::LOCATION], "/console");
}

#[tokio::test]
async fn the_operator_sees_every_organisation_and_signs_out() {
    let town = TestCity::new();
    Laptop::new(1).enrol(&town, &town.code()).await.unwrap();
    let cookie = sign_in(&town).await;
    let (status, said) = town.get("/console/api/branches", Some(&cookie)).await;
    assert_eq!(status, StatusCode::OK);
    let branches = said["branches"].as_array().unwrap();
    assert_eq!(branches.len(), 4);
    let streams: Vec<bool> = branches.iter().map(|branch| branch["stream"].is_string()).collect();
    assert_eq!(streams, [false, false, true, false], "in the register's order; only one has reported");

    let request = Request::post("/console/api/logout").header(header::COOKIE, &cookie);
    let (status, _, _) = town.call(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = town.get("/console/api/branches", Some(&cookie)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "the cookie is worth nothing any more");
}

#[tokio::test]
async fn a_proxy_that_took_plain_http_is_turned_away() {
    let town = TestCity::new();
    let behind = City::open(&town.folder(), crate::world::world(&town.clock), true).unwrap();
    let town = TestCity { city: Arc::new(behind), ..town };
    for (scheme, expected) in [("https", StatusCode::OK), ("http", StatusCode::FORBIDDEN)] {
        let request =
            Request::get("/v1/city").header("x-forwarded-proto", scheme).body(Body::empty()).unwrap();
        assert_eq!(town.call(request).await.0, expected, "{scheme}");
    }
}
