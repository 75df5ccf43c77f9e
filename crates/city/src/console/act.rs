//! What an operator may do from the console: every handler asks who it is first, and names the person in the audit log.

use super::session::account;
use crate::city::{City, CityError};
use crate::http::{Refuse, blocking};
use crate::redact::RedactError;
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

/// Runs `work` for whoever is signed in.
pub async fn signed_in<T: Serialize + Send + 'static>(
    city: Arc<City>,
    headers: HeaderMap,
    work: impl FnOnce(&City, &str) -> Result<T, Refuse> + Send + 'static,
) -> Response {
    blocking(city, move |city| {
        let who = city.db.read::<_, Refuse>(|c| account(c, &headers, city.world.now()))?;
        Ok(Json(work(city, &who)?).into_response())
    })
    .await
}

/// A name in an address that cannot be read.
pub fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Refuse> {
    text.parse().map_err(|_| Refuse::bad("malformed"))
}

impl From<CityError> for Refuse {
    fn from(error: CityError) -> Refuse {
        match error {
            CityError::NoStream(_) => Refuse::new(StatusCode::NOT_FOUND, "not_found"),
            CityError::NotInUse(_) | CityError::NotRevoked(_) | CityError::NotInQuarantine(_) => {
                Refuse::new(StatusCode::CONFLICT, "changed_meanwhile")
            }
            other => Refuse::inner(&other),
        }
    }
}

impl From<RedactError> for Refuse {
    fn from(error: RedactError) -> Refuse {
        match error {
            RedactError::Reason => Refuse::bad("reason"),
            RedactError::NotRedactable => Refuse::bad("not_redactable"),
            RedactError::Nothing => Refuse::new(StatusCode::CONFLICT, "nothing_to_redact"),
            RedactError::Unknown(_) => Refuse::new(StatusCode::NOT_FOUND, "not_found"),
            RedactError::Decided => Refuse::new(StatusCode::CONFLICT, "changed_meanwhile"),
            RedactError::SamePerson => Refuse::new(StatusCode::FORBIDDEN, "same_person"),
            RedactError::City(error) => error.into(),
            RedactError::Db(error) => error.into(),
            RedactError::Pen(error) => error.into(),
        }
    }
}
