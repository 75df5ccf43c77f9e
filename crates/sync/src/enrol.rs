//! Enrolment from the laptop's side: one code, two requests, and what is remembered of the city.

use crate::address::Address;
use crate::error::SyncError;
use crate::http::{Carrier, Http};
use crate::stop::Stop;
use replica::{DeviceId, RootKey, StreamId, is_certificate};
use serde::{Deserialize, Serialize};
use store::{Sources, Store};
use wire::enrol::{ChangeText, EnrolAsk, EnrolCode, EnrolYes, Hello, Keys, Sealed, Way};

const JSON: &str = "application/json";
const META: &str = "city";

/// The city that this branch is enrolled with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Empty if the branch was enrolled by file and no address is known.
    pub address: String,
    pub root: RootKey,
    /// The operating key that the city signed with last.
    pub operating: DeviceId,
    /// The city's id of this organisation, and its name there.
    pub organisation: String,
    pub organisation_name: String,
    /// The stream that is exchanged.
    pub stream: StreamId,
    /// The stream whose records still have to be issued again into `stream`.
    pub reissue_from: Option<StreamId>,
}

impl Enrolment {
    /// What is remembered, if the branch is enrolled.
    pub fn of(store: &Store) -> Result<Option<Enrolment>, SyncError> {
        Ok(store.meta(META)?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    pub(crate) fn save(&self, store: &Store) -> Result<(), SyncError> {
        let text = serde_json::to_string(self).expect("an enrolment has text keys only");
        Ok(store.set_meta(META, &text)?)
    }
}

/// Changes the remembered address, after a look at who answers there.
pub fn move_city(store: &Store, address: &Address, stop: &Stop) -> Result<Enrolment, SyncError> {
    let mut enrolment = Enrolment::of(store)?.ok_or(SyncError::NotEnrolled)?;
    let root = hello(&Http::new(address.clone(), stop)?)?;
    if root != enrolment.root {
        return Err(SyncError::OtherCity);
    }
    enrolment.address = address.to_string();
    enrolment.save(store)?;
    Ok(enrolment)
}

/// Enrols this branch. A refusal leaves the store as it was; a cut may be followed by the same call with the same code.
/// If `reissue_from` is set afterwards, the city has a stream already: exchange, match, and `reissue`.
pub fn enrol(
    store: &Store,
    address: &Address,
    typed: &str,
    computer: &str,
    sources: &dyn Sources,
    stop: &Stop,
) -> Result<Enrolment, SyncError> {
    let code = EnrolCode::parse(typed)?;
    enrol_over(store, &Http::new(address.clone(), stop)?, address, &code, computer, sources)
}

/// The same over another carrier than HTTP; the address is only remembered.
pub fn enrol_over(
    store: &Store,
    carrier: &dyn Carrier,
    address: &Address,
    code: &EnrolCode,
    computer: &str,
    sources: &dyn Sources,
) -> Result<Enrolment, SyncError> {
    let own = store.own_stream()?.ok_or(store::StoreError::NoStream)?;
    let founding = store.founding(&own)?.ok_or(store::StoreError::NoStream)?;
    let root = hello(carrier)?;
    if Enrolment::of(store)?.is_some_and(|known| known.root != root) {
        return Err(SyncError::OtherCity);
    }
    let ask = EnrolAsk {
        device: store.device()?,
        root: root.to_string(),
        stream: own,
        founding: ChangeText::from(&founding),
        name: computer.to_owned(),
        nonce: nonce(sources),
    };
    let yes = ask_city(carrier, code, &ask, &root)?;
    accept(store, &address.to_string(), root, own, yes)
}

pub(crate) fn nonce(sources: &dyn Sources) -> String {
    let mut bytes = [0; 16];
    sources.fill(&mut bytes);
    replica::to_hex(&bytes)
}

/// Whose city answers. What it says of its operating key proves nothing; the certificate in the stream does.
pub(crate) fn hello(carrier: &dyn Carrier) -> Result<RootKey, SyncError> {
    let reply = carrier.get("/v1/city", JSON)?;
    let hello: Hello = serde_json::from_slice(&reply.body)
        .map_err(|_| if reply.whole { SyncError::NotOurServer } else { SyncError::CutOff })?;
    let root = hello.root.parse().map_err(|_| SyncError::NotOurServer)?;
    match hello.what == Hello::WHAT {
        true => Ok(root),
        false => Err(SyncError::NotOurServer),
    }
}

fn ask_city(
    carrier: &dyn Carrier,
    code: &EnrolCode,
    ask: &EnrolAsk,
    root: &RootKey,
) -> Result<EnrolYes, SyncError> {
    let (key, keys) = (code.key(), Keys { device: &ask.device, root: &root.0 });
    let sealed = Sealed::new(&key, code.place(), Way::ToCity, keys, ask);
    let body = serde_json::to_vec(&sealed).expect("a sealed message is three texts");
    let reply = carrier.post("/v1/enrol", JSON, body)?;
    let answer: Sealed = serde_json::from_slice(&reply.body)
        .map_err(|_| if reply.whole { SyncError::NotOurServer } else { SyncError::CutOff })?;
    let yes: Option<EnrolYes> = answer.fits(&key, Way::ToLaptop, keys).then(|| answer.read()).flatten();
    // The nonce is of an earlier ask if that one's answer was cut: the seal says that it is for this device.
    yes.ok_or(SyncError::BadSignature)
}

/// Pins the root, takes the city's change, and remembers the city last: before that nothing was promised.
pub(crate) fn accept(
    store: &Store,
    address: &str,
    root: RootKey,
    own: StreamId,
    yes: EnrolYes,
) -> Result<Enrolment, SyncError> {
    let raw = yes.change.raw().ok_or(SyncError::BadSignature)?;
    let change = raw.clone().verify().map_err(|_| SyncError::BadSignature)?;
    if change.header.device != yes.operating || change.stream != yes.stream {
        return Err(SyncError::BadSignature);
    }
    let key = format!("~key/{}", yes.operating);
    let values = change.values.as_deref().unwrap_or_default();
    let mut keys = change.header.writes.iter().zip(values).filter(|(write, _)| write.path == key);
    if !keys.all(|(_, value)| is_certificate(&root, &yes.operating, value)) {
        return Err(SyncError::BadSignature);
    }
    store.set_root(&yes.stream, &root)?;
    store.apply(&[raw])?;
    let enrolment = Enrolment {
        address: address.to_owned(),
        root,
        operating: yes.operating,
        organisation: yes.organisation,
        organisation_name: yes.organisation_name,
        stream: yes.stream,
        reissue_from: (yes.stream != own).then_some(own),
    };
    enrolment.save(store)?;
    Ok(enrolment)
}
