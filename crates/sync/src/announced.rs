//! The address that the city announces in its stream: taken over once the same city answers there, or at once where none is
//! known.

use crate::address::Address;
use crate::enrol::{Enrolment, hello};
use crate::error::SyncError;
use crate::http::Http;
use crate::stop::Stop;
use replica::{STREAM_KIND, STREAM_RECORD};
use serde_json::Value;
use store::Store;

/// Where the city says, in a change that it signed, that it can be reached.
pub const ADDRESS_PATH: &str = "~city/address";

/// Moves to the announced address if that is another one, can be used, and the pinned root answers there. Gives it then.
/// Whoever does not answer, or is somebody else, changes nothing: the next exchange tries again.
pub fn follow(store: &Store, enrolment: &mut Enrolment, stop: &Stop) -> Result<Option<String>, SyncError> {
    let Some(announced) = announced(store, enrolment)? else { return Ok(None) };
    let Ok(address) = Address::parse(&announced) else { return Ok(None) };
    if address.to_string() == enrolment.address {
        return Ok(None);
    }
    let answered = Http::new(address.clone(), stop).and_then(|http| hello(&http));
    match answered {
        Ok(root) if root == enrolment.root => {
            enrolment.address = address.to_string();
            enrolment.save(store)?;
            Ok(Some(enrolment.address.clone()))
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Takes the announced address over where none is known yet, without a look at who answers there: the city signed it, and
/// every exchange is held against the pinned root. Gives it then.
pub fn adopt(store: &Store, enrolment: &mut Enrolment) -> Result<Option<String>, SyncError> {
    if !enrolment.address.is_empty() {
        return Ok(None);
    }
    let Some(announced) = announced(store, enrolment)? else { return Ok(None) };
    let Ok(address) = Address::parse(&announced) else { return Ok(None) };
    enrolment.address = address.to_string();
    enrolment.save(store)?;
    Ok(Some(enrolment.address.clone()))
}

/// The one value that stands at the path, if the city's own key wrote it: a branch cannot lead itself elsewhere.
fn announced(store: &Store, enrolment: &Enrolment) -> Result<Option<String>, SyncError> {
    let Some(state) = store.record_in(&enrolment.stream, STREAM_KIND, STREAM_RECORD)? else {
        return Ok(None);
    };
    let city = store.city_keys(&enrolment.stream)?;
    for id in state.heads(ADDRESS_PATH) {
        let by = store.change(&id)?.map(|change| change.header.device);
        if by.is_none_or(|device| !city.contains(&device)) {
            return Ok(None);
        }
    }
    let value = state.value(ADDRESS_PATH).and_then(|value| value.get("address")).and_then(Value::as_str);
    Ok(value.map(str::to_owned))
}
