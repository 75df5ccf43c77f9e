//! Sign-in by the operator's password; the browser holds a random token, the database its hash.

use crate::attempts;
use crate::audit;
use crate::city::City;
use crate::http::{Refuse, blocking};
use crate::password;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;
use std::sync::Arc;

const COOKIE: &str = "jishi_console";
const LASTS_MS: i64 = 12 * 60 * 60 * 1000;
pub const OPERATOR: &str = "operator";

#[derive(Debug, Deserialize)]
pub struct Login {
    password: String,
}

/// `POST /console/api/login`
pub async fn login(State(city): State<Arc<City>>, Json(typed): Json<Login>) -> Response {
    blocking(city, move |city| {
        let token = crate::db::hex(&sign_in(city, &typed.password)?);
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

/// Counts the attempt before it looks at the password, so that parallel tries do not slip through.
fn sign_in(city: &City, typed: &str) -> Result<[u8; 32], Refuse> {
    let now = city.world.now();
    let stored: Option<String> = city.db.write::<_, Refuse>(|t| {
        if !attempts::take(t, "console", now)? {
            return Ok(None);
        }
        let found = t.query_row("SELECT password FROM account WHERE name = ?1", [OPERATOR], |row| row.get(0));
        Ok(Some(found.optional()?.unwrap_or_default()))
    })?;
    let stored = stored.ok_or(Refuse::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries"))?;
    if !password::fits(&stored, typed) {
        city.db.write::<_, Refuse>(|t| Ok(audit::note(t, now, OPERATOR, "sign-in failed", "")?))?;
        return Err(Refuse::new(StatusCode::UNAUTHORIZED, "wrong_password"));
    }
    let token = city.world.random::<32>();
    city.db.write::<_, Refuse>(|t| {
        attempts::forget(t, "console")?;
        t.execute("DELETE FROM session WHERE ends_at <= ?1", [now])?;
        let row = (token_hash(&crate::db::hex(&token)), OPERATOR, now + LASTS_MS);
        t.execute("INSERT INTO session (token, account, ends_at) VALUES (?1, ?2, ?3)", row)?;
        Ok(audit::note(t, now, OPERATOR, "sign-in", "")?)
    })?;
    Ok(token)
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
