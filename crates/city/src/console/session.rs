//! Sign-in by an operator's name and password; the browser holds a random token, the database its hash.

use crate::accounts::{AccountError, OPERATOR};
use crate::audit;
use crate::city::City;
use crate::http::{Refuse, blocking};
use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

const COOKIE: &str = "jishi_console";
const LASTS_MS: i64 = 12 * 60 * 60 * 1000;

#[derive(Deserialize)]
pub struct Login {
    /// Left out: the first operator.
    #[serde(default)]
    name: String,
    password: String,
}

/// Where a request comes from, to count tries by. Behind a proxy it is what the proxy says.
pub struct Source(String);

impl FromRequestParts<Arc<City>> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, city: &Arc<City>) -> Result<Source, Infallible> {
        let last = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let forwarded = last.and_then(|value| value.to_str().ok()?.rsplit(',').next());
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_string());
        let named = forwarded.filter(|_| city.behind_proxy).map(|source| source.trim().to_owned());
        Ok(Source(named.or(peer).unwrap_or_default()))
    }
}

/// `POST /console/api/login`
pub async fn login(
    State(city): State<Arc<City>>,
    Source(source): Source,
    Json(typed): Json<Login>,
) -> Response {
    blocking(city, move |city| {
        let token = crate::db::hex(&sign_in(city, &typed, &source)?);
        Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(city, &token, LASTS_MS / 1000))]))
    })
    .await
}

/// `POST /console/api/logout`
pub async fn logout(State(city): State<Arc<City>>, headers: HeaderMap) -> Response {
    blocking(city, move |city| {
        city.db.write::<_, Refuse>(|t| {
            if let Some(token) = token(&headers) {
                t.execute("DELETE FROM session WHERE token = ?1", [token_hash(&token)])?;
            }
            Ok(())
        })?;
        Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(city, "", 0))]))
    })
    .await
}

fn cookie(city: &City, token: &str, seconds: i64) -> String {
    let secure = if city.behind_proxy { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/console; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn sign_in(city: &City, typed: &Login, source: &str) -> Result<[u8; 32], Refuse> {
    let name = if typed.name.trim().is_empty() { OPERATOR } else { typed.name.trim() };
    city.identify(name, &typed.password, source)?;
    let (now, token) = (city.world.now(), city.world.random::<32>());
    city.db.write::<_, Refuse>(|t| {
        t.execute("DELETE FROM session WHERE ends_at <= ?1", [now])?;
        let row = (token_hash(&crate::db::hex(&token)), name, now + LASTS_MS);
        t.execute("INSERT INTO session (token, account, ends_at) VALUES (?1, ?2, ?3)", row)?;
        Ok(audit::note(t, now, name, "sign-in", source)?)
    })?;
    Ok(token)
}

impl From<AccountError> for Refuse {
    fn from(error: AccountError) -> Refuse {
        match error {
            AccountError::TooManyTries => Refuse::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries"),
            AccountError::Wrong => Refuse::new(StatusCode::UNAUTHORIZED, "wrong_password"),
            AccountError::Db(error) => error.into(),
            other @ (AccountError::BadName(_) | AccountError::Exists(_) | AccountError::Unknown(_)) => {
                Refuse::inner(&other)
            }
        }
    }
}

/// The account that this request's cookie stands for.
pub fn account(connection: &Connection, headers: &HeaderMap, now: i64) -> Result<String, Refuse> {
    let nobody = || Refuse::new(StatusCode::UNAUTHORIZED, "sign_in");
    let token = token(headers).ok_or_else(nobody)?;
    let statement = "SELECT account FROM session WHERE token = ?1 AND ends_at > ?2";
    let found = connection.query_row(statement, (token_hash(&token), now), |row| row.get(0)).optional()?;
    found.ok_or_else(nobody)
}

fn token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('=').map(str::to_owned))
        .filter(|token| !token.is_empty())
}

fn token_hash(token: &str) -> Vec<u8> {
    blake3::hash(token.as_bytes()).as_bytes().to_vec()
}
