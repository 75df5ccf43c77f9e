//! What does not count: rulings by the city, redactions by authors, devices that nobody let in.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Value, json};

use crate::change::Change;
use crate::header::WriteHead;
use crate::id::{ChangeId, DeviceId, RootKey, from_hex, to_hex};

/// Kind and id of the record of each stream that holds rulings, keys and devices.
pub const STREAM_KIND: &str = "stream";
pub const STREAM_RECORD: &str = "~stream";
const RULING: &str = "~ruling/";
const KEY: &str = "~key/";
const DEVICE: &str = "~device/";
const CERTIFICATE_PURPOSE: &[u8] = b"jishi key v1\n";

/// The path of a ruling.
pub fn ruling_path(id: &str) -> String {
    format!("{RULING}{id}")
}

/// Everything that verdicts are a function of.
pub struct StreamFacts<'a> {
    /// The device of the stream's first change, which may write before anyone lets it in.
    pub founder: DeviceId,
    /// All held changes that touch the record `~stream`, in any order.
    pub changes: &'a [&'a Change],
    /// The pinned root. None: this replica has never met a city, and nobody's rulings count.
    pub root: Option<&'a RootKey>,
    /// What a held change follows in its chain; asked only for revoked devices.
    pub prev: &'a dyn Fn(&ChangeId) -> Option<ChangeId>,
}

/// What the fold must ignore in a stream. The default ignores nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts {
    pub voided: BTreeMap<ChangeId, Voided>,
    /// For each revoked device the changes of it that still count: the ancestors of its ends.
    pub revoked: BTreeMap<DeviceId, BTreeSet<ChangeId>>,
    /// Quarantined changes that review let through.
    pub released: BTreeSet<ChangeId>,
    /// Devices that may write. None: everyone.
    pub devices: Option<BTreeSet<DeviceId>>,
    /// Operating keys of the city that the root certified.
    pub city: BTreeSet<DeviceId>,
    dropped: BTreeMap<ChangeId, BTreeSet<Dropper>>,
    /// For each successor the devices that introduced it.
    introducers: BTreeMap<DeviceId, BTreeSet<DeviceId>>,
}

/// A voided change and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voided {
    pub code: String,
    pub words: String,
    /// Where in the change the fault lies, if the ruling says.
    pub at: Option<FaultPlace>,
    /// The id in the ruling's path.
    pub ruling: String,
    pub by: ChangeId,
}

/// The write that a ruling takes offence at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultPlace {
    pub kind: String,
    pub record: String,
    pub path: String,
}

/// Whether a change counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    Counts,
    /// Refused by a ruling: 被退回.
    Voided(&'a Voided),
    /// Written by a revoked device after the point where it was lost: kept aside for review.
    Quarantined,
    /// Nobody let its device into the stream (yet).
    NotEnrolled,
    /// Hostile bytes, or a newer program's.
    Unreadable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Dropper {
    City,
    Author(DeviceId),
}

/// The value of a ruling, as the city writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    Void {
        change: ChangeId,
        code: String,
        words: String,
        at: Option<FaultPlace>,
    },
    /// The device counts up to these ends (number and id) only.
    Revoke {
        device: DeviceId,
        ends: Vec<(u64, ChangeId)>,
    },
    Drop {
        change: ChangeId,
    },
    Release {
        changes: Vec<ChangeId>,
    },
    Lift,
}

impl Ruling {
    pub fn to_value(&self) -> Value {
        match self {
            Self::Void { change, code, words, at } => {
                let mut value = json!({ "void": change.to_string(), "code": code, "words": words });
                if let Some(FaultPlace { kind, record, path }) = at {
                    value["kind"] = json!(kind);
                    value["record"] = json!(record);
                    value["path"] = json!(path);
                }
                value
            }
            Self::Revoke { device, ends } => {
                let ends: Vec<Value> = ends.iter().map(|(n, id)| json!([n, id.to_string()])).collect();
                json!({ "revoke": device.to_string(), "ends": ends })
            }
            Self::Drop { change } => json!({ "drop": change.to_string() }),
            Self::Release { changes } => {
                json!({ "release": changes.iter().map(ChangeId::to_string).collect::<Vec<_>>() })
            }
            Self::Lift => json!({ "lift": true }),
        }
    }

    /// None: a ruling of a newer program, or none at all.
    pub fn from_value(value: &Value) -> Option<Self> {
        let change = |key: &str| value.get(key)?.as_str()?.parse::<ChangeId>().ok();
        let words = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
        if let Some(change) = change("void") {
            return Some(Self::Void {
                change,
                code: words("code"),
                words: words("words"),
                at: FaultPlace::of(value),
            });
        }
        if let Some(change) = change("drop") {
            return Some(Self::Drop { change });
        }
        if let Some(device) = value.get("revoke") {
            let device = device.as_str()?.parse().ok()?;
            let ends = value.get("ends")?.as_array()?;
            return Some(Self::Revoke { device, ends: ends.iter().map(read_end).collect::<Option<_>>()? });
        }
        if let Some(changes) = value.get("release") {
            let ids = changes.as_array()?.iter().map(|id| id.as_str()?.parse().ok());
            return Some(Self::Release { changes: ids.collect::<Option<_>>()? });
        }
        (value.get("lift") == Some(&Value::Bool(true))).then_some(Self::Lift)
    }
}

impl FaultPlace {
    fn of(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
        Some(Self { kind: text("kind")?, record: text("record")?, path: text("path")? })
    }
}

fn read_end(end: &Value) -> Option<(u64, ChangeId)> {
    Some((end.get(0)?.as_u64()?, end.get(1)?.as_str()?.parse().ok()?))
}

impl Verdicts {
    /// Of a stream whose first change is not held: nobody is known to be in it.
    pub fn nobody() -> Self {
        Self { devices: Some(BTreeSet::new()), ..Self::default() }
    }

    pub fn standing(&self, change: &Change) -> Standing<'_> {
        if change.unreadable.is_some() {
            return Standing::Unreadable;
        }
        let device = &change.header.device;
        if self.city.contains(device) {
            return Standing::Counts;
        }
        if let Some(voided) = self.voided.get(&change.id) {
            return Standing::Voided(voided);
        }
        if self.revoked.get(device).is_some_and(|kept| !kept.contains(&change.id))
            && !self.released.contains(&change.id)
        {
            return Standing::Quarantined;
        }
        match &self.devices {
            Some(devices) if !devices.contains(device) && !self.released.contains(&change.id) => {
                Standing::NotEnrolled
            }
            Some(_) | None => Standing::Counts,
        }
    }

    /// Says whether the payload was redacted, by the city or by its own author. Then it is erased, and not
    /// kept when someone sends it again. A change that rules or lets in cannot be redacted, or what it decided
    /// would hang on whether its payload is still held.
    pub fn drops(&self, change: &Change) -> bool {
        let droppers = self.dropped.get(&change.id).filter(|_| !decides(change));
        droppers.into_iter().flatten().any(|dropper| match dropper {
            Dropper::City => true,
            Dropper::Author(device) => self.succeeds(*device, change.header.device),
        })
    }

    /// Says whether a device of the stream introduced this one as its successor, in a change that counts or not.
    pub fn was_introduced(&self, device: &DeviceId) -> bool {
        self.introducers.contains_key(device)
    }

    /// Devices that others introduced as their successors, in changes that count or not.
    pub fn introduced(&self) -> impl Iterator<Item = DeviceId> + '_ {
        self.introducers.keys().copied()
    }

    /// Says whether a device is another, or was introduced by it, at once or over others: the same author.
    pub fn succeeds(&self, device: DeviceId, old: DeviceId) -> bool {
        let mut seen = BTreeSet::new();
        let mut todo = vec![device];
        while let Some(device) = todo.pop() {
            if seen.insert(device) {
                todo.extend(self.introducers.get(&device).into_iter().flatten());
            }
        }
        seen.contains(&old)
    }

    /// Changes whose payload someone asked to drop; ask `drops` about each that is held.
    pub fn drop_candidates(&self) -> impl Iterator<Item = ChangeId> + '_ {
        self.dropped.keys().copied()
    }
}

/// Says whether a change has a say in verdicts.
fn decides(change: &Change) -> bool {
    let reserved = |path: &str| [RULING, KEY, DEVICE].iter().any(|prefix| path.starts_with(prefix));
    change.header.writes.iter().any(|write| in_stream_record(write) && reserved(&write.path))
}

fn in_stream_record(write: &WriteHead) -> bool {
    write.record == STREAM_RECORD && write.kind == STREAM_KIND
}

/// Folds the rulings, keys and devices of a stream.
pub fn verdicts(facts: &StreamFacts) -> Verdicts {
    let writes = stream_writes(facts.changes);
    let city = certified(&writes, facts.root);
    let introducers = introducers(facts.changes, &city);
    let mut verdicts = Verdicts { city, introducers, ..Verdicts::default() };
    for (path, at_path) in &writes {
        if let Some(id) = path.strip_prefix(RULING) {
            drops(at_path, &mut verdicts);
            for (change, ruling) in standing_rulings(at_path, &verdicts.city) {
                rule(id, change, ruling, facts, &mut verdicts);
            }
        }
    }
    let_in(&writes, facts.founder, &mut verdicts);
    verdicts
}

struct StreamWrite<'a> {
    change: &'a Change,
    value: &'a Value,
    over: Vec<ChangeId>,
}

type StreamWrites<'a> = BTreeMap<&'a str, Vec<StreamWrite<'a>>>;

fn stream_writes<'a>(changes: &[&'a Change]) -> StreamWrites<'a> {
    let mut writes = StreamWrites::new();
    let mut seen = BTreeSet::new();
    for change in changes {
        let Some(values) = &change.values else { continue };
        if !seen.insert(change.id) {
            continue;
        }
        for (head, value) in change.header.writes.iter().zip(values) {
            if in_stream_record(head) {
                let over = change.header.over(head).collect();
                writes.entry(&head.path).or_default().push(StreamWrite { change, value, over });
            }
        }
    }
    writes
}

/// Keys that carry the root's signature, whoever wrote them down.
fn certified(writes: &StreamWrites, root: Option<&RootKey>) -> BTreeSet<DeviceId> {
    let Some(root) = root else { return BTreeSet::new() };
    let keys =
        writes.iter().filter_map(|(path, at)| Some((path.strip_prefix(KEY)?.parse::<DeviceId>().ok()?, at)));
    keys.filter(|(key, at)| at.iter().any(|write| is_certificate(root, key, write.value)))
        .map(|(key, _)| key)
        .collect()
}

/// Operating keys that the root certified in these changes to a stream's record. They speak for the city even where the
/// stream's first change is not held yet.
pub fn certified_keys(changes: &[&Change], root: &RootKey) -> BTreeSet<DeviceId> {
    certified(&stream_writes(changes), Some(root))
}

fn certificate_input(key: &DeviceId, from: &str, until: &str) -> Vec<u8> {
    [CERTIFICATE_PURPOSE, format!("{key}\n{from}\n{until}").as_bytes()].concat()
}

/// The value of `~key/<operating key>`: the root's word that this key speaks for the city. The dates tell the
/// city when to make a new key; no fold depends on them, for they would be compared with the signer's own clock.
pub fn certify(root: &SigningKey, key: &DeviceId, from: &str, until: &str) -> Value {
    let signature = root.sign(&certificate_input(key, from, until)).to_bytes();
    json!({ "from": from, "until": until, "root_sig": to_hex(&signature) })
}

/// Says whether the root signed this `~key/<operating key>` value.
pub fn is_certificate(root: &RootKey, key: &DeviceId, value: &Value) -> bool {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let (Some(from), Some(until), Some(signature)) = (text("from"), text("until"), text("root_sig")) else {
        return false;
    };
    let (Ok(root), Ok(signature)) = (VerifyingKey::from_bytes(&root.0), from_hex::<64>(signature)) else {
        return false;
    };
    root.verify_strict(&certificate_input(key, from, until), &Signature::from_bytes(&signature)).is_ok()
}

/// Who introduced whom, whether or not that let anyone in: a redaction must hold for ever, so it may not hang on
/// rulings that come and go. Whoever holds a device's key may redact what that device wrote in any case.
fn introducers(changes: &[&Change], city: &BTreeSet<DeviceId>) -> BTreeMap<DeviceId, BTreeSet<DeviceId>> {
    let mut introducers: BTreeMap<DeviceId, BTreeSet<DeviceId>> = BTreeMap::new();
    for change in changes.iter().filter(|change| !city.contains(&change.header.device)) {
        let stream = change.header.writes.iter().filter(|write| in_stream_record(write));
        for device in stream.filter_map(|write| write.path.strip_prefix(DEVICE)?.parse().ok()) {
            introducers.entry(device).or_default().insert(change.header.device);
        }
    }
    introducers
}

/// A redaction holds for ever: what was erased cannot be had back by lifting.
fn drops(at_path: &[StreamWrite], verdicts: &mut Verdicts) {
    for write in at_path {
        if let Some(Ruling::Drop { change }) = Ruling::from_value(write.value) {
            let device = write.change.header.device;
            let dropper =
                if verdicts.city.contains(&device) { Dropper::City } else { Dropper::Author(device) };
            verdicts.dropped.entry(change).or_default().insert(dropper);
        }
    }
}

/// The heads among the city's writes of one ruling. Others have no say, and their writes hide nothing.
fn standing_rulings<'a>(at_path: &'a [StreamWrite], city: &BTreeSet<DeviceId>) -> Vec<(&'a Change, Ruling)> {
    let trusted = |write: &&StreamWrite| city.contains(&write.change.header.device);
    let over: BTreeSet<ChangeId> =
        at_path.iter().filter(trusted).flat_map(|write| write.over.iter().copied()).collect();
    let heads = at_path.iter().filter(trusted).filter(|write| !over.contains(&write.change.id));
    let mut rulings: Vec<_> =
        heads.filter_map(|write| Some((write.change, Ruling::from_value(write.value)?))).collect();
    rulings.sort_by_key(|(change, _)| change.id);
    rulings
}

/// Heads that disagree each hold, so a lift beside a void does not lift it.
fn rule(id: &str, by: &Change, ruling: Ruling, facts: &StreamFacts, verdicts: &mut Verdicts) {
    match ruling {
        Ruling::Void { change, code, words, at } => {
            let voided = Voided { code, words, at, ruling: id.into(), by: by.id };
            verdicts.voided.entry(change).or_insert(voided);
        }
        Ruling::Revoke { device, ends } => {
            let kept = ancestors(&ends, facts.prev);
            verdicts
                .revoked
                .entry(device)
                .and_modify(|known| known.retain(|id| kept.contains(id)))
                .or_insert(kept);
        }
        Ruling::Release { changes } => verdicts.released.extend(changes),
        // Redactions were read from every write of the ruling, lifted or not.
        Ruling::Drop { .. } | Ruling::Lift => {}
    }
}

fn ancestors(ends: &[(u64, ChangeId)], prev: &dyn Fn(&ChangeId) -> Option<ChangeId>) -> BTreeSet<ChangeId> {
    let mut kept = BTreeSet::new();
    for (_, end) in ends {
        let mut next = Some(*end);
        while let Some(id) = next.filter(|id| kept.insert(*id)) {
            next = prev(&id);
        }
    }
    kept
}

/// The founder, devices that the city let in, and successors that a device in the stream introduced with its old key
/// by a change that itself counts.
fn let_in(writes: &StreamWrites, founder: DeviceId, verdicts: &mut Verdicts) {
    let mut introduced: BTreeMap<DeviceId, BTreeSet<DeviceId>> = BTreeMap::new();
    let mut todo = vec![founder];
    for (path, at_path) in writes {
        let Some(device) = path.strip_prefix(DEVICE).and_then(|key| key.parse::<DeviceId>().ok()) else {
            continue;
        };
        for write in at_path {
            let by = write.change.header.device;
            if verdicts.city.contains(&by) {
                todo.push(device);
            } else if verdicts.standing(write.change) == Standing::Counts {
                introduced.entry(by).or_default().insert(device);
            }
        }
    }
    let mut devices = verdicts.city.clone();
    while let Some(device) = todo.pop() {
        if devices.insert(device) {
            todo.extend(introduced.get(&device).into_iter().flatten());
        }
    }
    verdicts.devices = Some(devices);
}
