//! One event on two records, made by two computers that did not know of each other: one stays, the other is removed, with
//! or without what only it says.

use super::card::{Signed, names};
use super::open::joined;
use super::seen;
use crate::app::App;
use crate::branch::{Branch, Fields, fields};
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::meetings::{KIND, reason};
use crate::reading::Reading;
use crate::showing::{Names, in_words, place};
use crate::standing::state_of;
use crate::values::kind;
use domain::meeting::Activity;
use domain::{Meeting, Pack};
use replica::{Closing, RecordState as State};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Two live records of one event, the earlier one first, and the activity that would count twice.
pub struct Pair {
    pub keep: State,
    pub other: State,
    pub duty: Activity,
}

/// Every such pair, the latest first.
pub fn pairs(branch: &Branch) -> Result<Vec<Pair>, CallError> {
    let mut found = Vec::new();
    for (one, other) in branch.store.overlapping(KIND)? {
        found.extend(pair(branch, &one, &other)?);
    }
    Ok(found)
}

fn pair(branch: &Branch, keep: &str, other: &str) -> Result<Option<Pair>, CallError> {
    let (keep, other) = (branch.live(KIND, keep)?, branch.live(KIND, other)?);
    let [one, two] = [&keep, &other].map(|state| Meeting::from_fields(&state.id, &fields(state)));
    let duty = one.date().and_then(|date| domain::same_event(&one, &two, Pack::on(date)));
    Ok(duty.map(|duty| Pair { keep, other, duty }))
}

impl App {
    pub(crate) fn same_event_card(&self, request: SameEventRef) -> Result<SameEventCard, CallError> {
        let branch = self.branch()?;
        let pair = asked(&branch, &request.keep, &request.other)?;
        let names = names(&branch)?;
        let differences = differences(&fields(&pair.keep), &fields(&pair.other));
        let values: Fields = fields(&pair.other).into_iter().chain(fields(&pair.keep)).collect();
        let matters = differences.iter().map(|one| matter(one, &values, &names)).collect();
        Ok(SameEventCard {
            keep: record(&branch, &pair.keep)?,
            other: record(&branch, &pair.other)?,
            seen: seen(&[&pair.keep, &pair.other]),
            duty: crate::findings::code(&pair.duty),
            correction: is_closed(&pair),
            matters,
        })
    }

    /// One stays and takes over what was decided, the other is removed, in one write.
    pub(crate) fn settle_same_event(&self, request: SettleSameEvent) -> Result<RecordRef, CallError> {
        let branch = self.branch()?;
        let pair = asked(&branch, &request.keep, &request.other)?;
        if seen(&[&pair.keep, &pair.other]) != request.seen {
            return Err(CallError::new(Code::Changed));
        }
        let reason = if is_closed(&pair) { reason(&request.reason)? } else { String::new() };
        let decisions: BTreeMap<&str, &[u32]> =
            request.decisions.iter().map(|one| (one.key.as_str(), one.takes.as_slice())).collect();
        let taken = match request.merge {
            true => taken(&fields(&pair.keep), &fields(&pair.other), &decisions)
                .ok_or_else(|| CallError::new(Code::BadRequest))?,
            false => Fields::new(),
        };
        let gone = match pair.other.closing {
            Closing::Open => json!({ "reason": "same_event", "record": request.keep }),
            Closing::Final { .. } | Closing::FinalConflict { .. } => json!({ "reason": reason }),
        };
        branch.write_over_all(&[&pair.keep, &pair.other], "settle_same_event", |write| {
            match (&pair.keep.closing, taken.is_empty()) {
                (_, true) => {}
                (Closing::Open, false) => write.put(KIND, &request.keep, &taken)?,
                (Closing::Final { .. } | Closing::FinalConflict { .. }, false) => {
                    write.correct(KIND, &request.keep, &taken, json!({ "reason": reason }))?;
                }
            }
            write.remove(KIND, &request.other, gone)?;
            write.drop_draft(KIND, &request.other)
        })?;
        Ok(RecordRef { id: request.keep })
    }
}

/// The pair that a page names; a record with conflicts of its own comes first.
fn asked(branch: &Branch, keep: &str, other: &str) -> Result<Pair, CallError> {
    let pair = pair(branch, keep, other)?.ok_or_else(|| CallError::not_found(KIND, other))?;
    let disputed = |state: &State| state.is_disputed(Some(kind(KIND)));
    if let Some(state) = [&pair.keep, &pair.other].into_iter().find(|state| disputed(state)) {
        return Err(CallError::new(Code::InConflict).with("kind", KIND).with("id", state.id.as_str()));
    }
    Ok(pair)
}

fn is_closed(pair: &Pair) -> bool {
    [&pair.keep, &pair.other].iter().any(|state| !matches!(state.closing, Closing::Open))
}

fn record(branch: &Branch, state: &State) -> Result<SameEventRecord, CallError> {
    let values = fields(state);
    let read = Reading(&values);
    let signed = state.born.as_ref().map(|born| Signed::of(branch, born)).transpose()?.unwrap_or_default();
    Ok(SameEventRecord {
        id: state.id.clone(),
        title: read.text("title"),
        types: read.list("types"),
        start: read.part("time", "start"),
        end: read.part("time", "end"),
        state: state_of(state),
        number: read.text("number"),
        here: signed.here,
        who: signed.who,
        computer: signed.computer,
        at: signed.at,
    })
}

/// Something that the two records say differently.
#[derive(Debug, Clone, PartialEq)]
enum Difference {
    Field {
        path: String,
        keep: Value,
        other: Value,
    },
    /// An item that only the other has, with its fields.
    Item {
        scope: String,
        fields: Fields,
    },
}

impl Difference {
    fn key(&self) -> String {
        match self {
            Self::Field { path, .. } => path.clone(),
            Self::Item { scope, .. } => format!("{scope}/~"),
        }
    }

    /// Both texts can stand one after the other.
    fn both(&self) -> Option<Value> {
        match self {
            Self::Field { path, keep: Value::String(keep), other: Value::String(other) }
                if kind(KIND).merges_text(path) =>
            {
                Some(joined([keep.as_str(), other.as_str()].into_iter()))
            }
            Self::Field { .. } | Self::Item { .. } => None,
        }
    }

    /// What is empty is filled in, texts stand one after the other, items join; else the record that stays is right.
    fn proposed(&self) -> u32 {
        match self {
            Self::Item { .. } | Self::Field { keep: Value::Null, .. } => 1,
            Self::Field { .. } if self.both().is_some() => 2,
            Self::Field { .. } => 0,
        }
    }
}

/// Where the other record says something that this one does not.
fn differences(keep: &Fields, other: &Fields) -> Vec<Difference> {
    let other = with_items_of(keep, other);
    let mut items: BTreeMap<String, Fields> = BTreeMap::new();
    let mut found = Vec::new();
    for (path, value) in &other {
        let known = keep.get(path);
        let field = kind(KIND).field_for(path);
        if known == Some(value) || field.is_none_or(|field| field.derived) {
            continue;
        }
        match new_scope(keep, path) {
            Some(scope) => drop(items.entry(scope).or_default().insert(path.clone(), value.clone())),
            // The order of items that both have is that of the record that stays.
            None if path.ends_with("/order") => {}
            None => {
                let keep = known.cloned().unwrap_or(Value::Null);
                found.push(Difference::Field { path: path.clone(), keep, other: value.clone() });
            }
        }
    }
    found.extend(items.into_iter().map(|(scope, fields)| Difference::Item { scope, fields }));
    found
}

/// The outermost item around a path of which the record has nothing.
fn new_scope(keep: &Fields, path: &str) -> Option<String> {
    let within = |scope: &str, path: &str| path.strip_prefix(scope).is_some_and(|rest| rest.starts_with('/'));
    let mut around = kind(KIND).items_of(path).filter(|(item, scope)| item.born && within(scope, path));
    around.find(|(_, scope)| !keep.keys().any(|path| within(scope, path))).map(|(_, scope)| scope.to_owned())
}

/// The other record's fields, its items under the ids that the same items have here: the same topic, name, task.
fn with_items_of(keep: &Fields, other: &Fields) -> Fields {
    let here = marks(keep);
    let same: BTreeMap<String, String> =
        marks(other).into_iter().filter_map(|(mark, id)| Some((id, here.get(&mark)?.clone()))).collect();
    let renamed = |path: &str| -> String {
        let steps = path.split('/').map(|step| same.get(step).map_or(step, String::as_str));
        steps.collect::<Vec<_>>().join("/")
    };
    other.iter().map(|(path, value)| (renamed(path), value.clone())).collect()
}

/// Item ids by their list and what people call them by.
fn marks(fields: &Fields) -> BTreeMap<(&'static str, String), String> {
    let read = Reading(fields);
    let mut found = BTreeMap::new();
    for (list, name) in [("agenda", "topic"), ("guests", "name"), ("actions", "task"), ("makeups", "person")]
    {
        for id in read.items(list) {
            let text = read.text(&format!("{list}/{id}/{name}"));
            if !text.is_empty() {
                found.entry((list, text)).or_insert_with(|| id.to_owned());
            }
        }
    }
    for item in read.items("agenda") {
        for id in read.items(&format!("agenda/{item}/speeches")) {
            let of = |name: &str| read.text(&format!("agenda/{item}/speeches/{id}/{name}"));
            let topic = read.text(&format!("agenda/{item}/topic"));
            let mark = format!("{topic}\n{}\n{}", of("speaker"), of("text"));
            found.entry(("speeches", mark)).or_insert_with(|| id.to_owned());
        }
    }
    found
}

/// What the record that stays takes over. None: a decision that does not fit.
fn taken(keep: &Fields, other: &Fields, decisions: &BTreeMap<&str, &[u32]>) -> Option<Fields> {
    let differences = differences(keep, other);
    let known: BTreeSet<String> = differences.iter().map(Difference::key).collect();
    if !decisions.keys().all(|key| known.contains(*key)) {
        return None;
    }
    let mut taken = Fields::new();
    for difference in &differences {
        let take = match decisions.get(difference.key().as_str()) {
            Some([take]) => *take,
            Some(_) => return None,
            None => difference.proposed(),
        };
        match (take, difference) {
            (0, _) => {}
            (1, Difference::Field { path, other, .. }) => drop(taken.insert(path.clone(), other.clone())),
            (1, Difference::Item { scope, fields }) => taken.extend(appended(keep, scope, fields)),
            (2, Difference::Field { path, .. }) => drop(taken.insert(path.clone(), difference.both()?)),
            _ => return None,
        }
    }
    Some(taken)
}

/// An item that joins comes after those that are there.
fn appended(keep: &Fields, scope: &str, fields: &Fields) -> Fields {
    let (list, order) = (scope.rsplit_once('/').map_or("", |(list, _)| list), format!("{scope}/order"));
    let read = Reading(keep);
    let last =
        read.items(list).filter_map(|id| read.number(&format!("{list}/{id}/order"))).max().unwrap_or(0);
    let mut fields = fields.clone();
    if let Some(place) = fields.get_mut(&order) {
        *place = json!(u64::from(last) + place.as_u64().unwrap_or(1));
    }
    fields
}

fn matter(difference: &Difference, values: &Fields, names: &Names) -> Matter {
    let of = |take: u32, says: SideSays, text: String| MatterSide {
        take,
        says,
        text,
        here: false,
        who: String::new(),
        computer: String::new(),
        at: String::new(),
        masked: None,
        reason: String::new(),
    };
    let words = |path: &str, value: &Value| {
        kind(KIND).field_for(path).map(|field| in_words(field, value, names)).unwrap_or_default()
    };
    let (about, label, sides) = match difference {
        Difference::Field { path, keep, other } => {
            let side = |take: u32, value: &Value| match words(path, value) {
                text if text.is_empty() => of(take, SideSays::Cleared, text),
                text => of(take, SideSays::Value, text),
            };
            let label = place(kind(KIND), path, values, names);
            (MatterKind::SameEvent, label, vec![side(0, keep), side(1, other)])
        }
        Difference::Item { scope, fields } => {
            let line = |(path, value): (&String, &Value)| {
                let field = kind(KIND).field_for(path).filter(|field| !field.path.ends_with("/order"))?;
                Some(format!("{}：{}", field.label, words(path, value).replace('\n', "；")))
            };
            let text = fields.iter().filter_map(line).collect::<Vec<_>>().join("\n");
            let named: Fields = fields.clone();
            let label = place(kind(KIND), &format!("{scope}/~gone"), &named, names);
            let sides = vec![of(0, SideSays::Cleared, String::new()), of(1, SideSays::Value, text)];
            (MatterKind::ItemAdded, label, sides)
        }
    };
    let both = difference.both();
    Matter {
        key: difference.key(),
        about,
        label,
        sides,
        both: both.is_some(),
        joined: both.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned(),
        parts: Vec::new(),
        proposed: Some(difference.proposed()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, differences, taken};
    use crate::branch::Fields;
    use serde_json::{Value, json};

    fn fields(values: Value) -> Fields {
        values.as_object().expect("an object").clone().into_iter().collect()
    }

    fn kept() -> Fields {
        fields(json!({
            "title": "主题党日", "place": "二楼", "summary": "小结一。", "number": "A01",
            "agenda/a/topic": "讨论", "agenda/a/order": 1,
        }))
    }

    #[test]
    fn what_only_the_other_says_is_proposed_and_nothing_is_replaced_by_itself() {
        let none = Value::Null;
        let cases: [(Value, Value); 9] = [
            (json!({ "title": "主题党日" }), json!({})),
            (json!({ "number": "B01" }), json!({})),
            (json!({ "place": "三楼" }), json!({})),
            (json!({ "theme": "主题" }), json!({ "theme": "主题" })),
            (json!({ "summary": "小结二。" }), json!({ "summary": "小结一。\n小结二。" })),
            (json!({ "attendance/p/status": "present" }), json!({ "attendance/p/status": "present" })),
            // The same topic under another id is the same item.
            (
                json!({ "agenda/b/topic": "讨论", "agenda/b/order": 4, "agenda/b/resolution": "同意" }),
                json!({ "agenda/a/resolution": "同意" }),
            ),
            (
                json!({ "agenda/b/topic": "学习", "agenda/b/order": 1, "agenda/b/speeches/s/text": "好" }),
                json!({ "agenda/b/topic": "学习", "agenda/b/order": 2, "agenda/b/speeches/s/text": "好" }),
            ),
            (json!({ "from_a_newer_program": 1, "place": none }), json!({})),
        ];
        for (other, expected) in cases {
            let mut other = fields(other);
            other.retain(|_, value| !value.is_null());
            assert_eq!(json!(taken(&kept(), &other, &Default::default())), expected);
        }
    }

    #[test]
    fn a_decision_takes_the_place_of_the_proposal() {
        let other = fields(json!({ "place": "三楼", "theme": "主题", "agenda/b/topic": "学习" }));
        let keys: Vec<String> = differences(&kept(), &other).iter().map(Difference::key).collect();
        assert_eq!(keys, ["place", "theme", "agenda/b/~"]);
        let decide = |decisions: &[(&'static str, &'static [u32])]| {
            taken(&kept(), &other, &decisions.iter().copied().collect()).map(|taken| json!(taken))
        };
        let decided = decide(&[("place", &[1]), ("theme", &[0]), ("agenda/b/~", &[0])]);
        assert_eq!(decided, Some(json!({ "place": "三楼" })));
        for wrong in [("place", &[2][..]), ("place", &[]), ("title", &[1]), ("agenda/b/~", &[2])] {
            assert_eq!(decide(&[wrong]), None, "{wrong:?}");
        }
    }
}
