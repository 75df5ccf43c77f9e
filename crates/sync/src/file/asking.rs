//! Enrolment by file: the code that a person typed, an ask for the city, and what the yes is checked against.

use crate::enrol::{Enrolment, nonce};
use crate::error::SyncError;
use replica::RootKey;
use serde::{Deserialize, Serialize};
use std::io::Write;
use store::{Sources, Store, StoreError};
use wire::enrol::{ChangeText, CodeKey, EnrolAsk, EnrolCode, Keys, Sealed, Way};
use wire::file::{Head, Label, Purpose, SectionKind, of_code, seal_all};

const META: &str = "file_enrolment";

/// An ask that waits for its yes. The key lies in the encrypted store, as the code would on paper.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The part of the code that is no secret, for the person.
    pub place: String,
    pub at: i64,
    key: [u8; 32],
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("place", &self.place).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Pending {
    pub fn of(store: &Store) -> Result<Option<Pending>, SyncError> {
        Ok(store.meta(META)?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    pub(super) fn key(&self) -> CodeKey {
        CodeKey(self.key)
    }

    pub(super) fn clear(store: &Store) -> Result<(), SyncError> {
        Ok(store.drop_meta(META)?)
    }
}

/// Takes the code that a person typed. Slow on purpose (argon2id); nothing leaves this computer.
pub fn begin(store: &Store, typed: &str, sources: &dyn Sources) -> Result<Pending, SyncError> {
    let code = EnrolCode::parse(typed)?;
    let pending = Pending { place: code.place().to_owned(), at: sources.now(), key: code.key().0 };
    let text = serde_json::to_string(&pending).expect("plain data");
    store.set_meta(META, &text)?;
    Ok(pending)
}

/// Writes the ask to be let in, under the code that was typed. It may be written again.
pub fn ask(
    store: &Store,
    computer: &str,
    sources: &dyn Sources,
    out: &mut dyn Write,
) -> Result<(), SyncError> {
    let pending = Pending::of(store)?.ok_or(SyncError::NotEnrolled)?;
    if Enrolment::of(store)?.is_some() {
        return Err(SyncError::OtherCity);
    }
    write_ask(store, &pending, computer, sources, out)
}

/// The person gives up waiting, or mistyped a code that happened to be another.
pub fn forget_ask(store: &Store) -> Result<(), SyncError> {
    Pending::clear(store)
}

fn write_ask(
    store: &Store,
    pending: &Pending,
    computer: &str,
    sources: &dyn Sources,
    out: &mut dyn Write,
) -> Result<(), SyncError> {
    let own = store.own_stream()?.ok_or(StoreError::NoStream)?;
    let founding = store.founding(&own)?.ok_or(StoreError::NoStream)?;
    let device = store.device()?;
    // The city's key is not known yet: it is named by the yes, under the same code.
    let nobody = RootKey([0; 32]);
    let ask = EnrolAsk {
        device,
        root: String::new(),
        stream: own,
        founding: ChangeText::from(&founding),
        name: computer.to_owned(),
        nonce: nonce(sources),
    };
    let keys = Keys { device: &device, root: &nobody.0 };
    let sealed = Sealed::new(&pending.key(), &pending.place, Way::ToCity, keys, &ask);
    let (recipient, _) = of_code(&pending.key());
    let label = Label { purpose: Purpose::EnrolAsk, city: nobody, recipient };
    let mut nonce = [0; 16];
    sources.fill(&mut nonce);
    let head = Head {
        sender: device,
        nonce,
        at: sources.now(),
        answers: None,
        since: 0,
        certificate: String::new(),
        streams: Vec::new(),
        sections: Vec::new(),
    };
    let body = serde_json::to_vec(&sealed).expect("a sealed message is three texts");
    let sections = [(SectionKind::Enrolment, body)];
    seal_all::<_, SyncError>(&label, head, &sections, |input| Ok(store.sign(input)?), out)?;
    Ok(())
}
