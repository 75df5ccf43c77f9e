//! What people do that is neither daily work nor an accident: redacting, archiving, looking where they may not,
//! installing another version of the program.

use anyhow::Result;
use city::{RedactError, Subject};
use replica::{Change, Ruling, STREAM_KIND, STREAM_RECORD, ruling_path};
use store::Author;

use super::stage::{Stage, Who};
use super::writing::record;
use crate::random::Random;

impl Stage {
    /// An author takes back what they wrote: it is erased wherever the word of it arrives, and never comes back.
    pub fn redact(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let at = self.any(dice);
        let laptop = &self.laptops[at];
        let device = laptop.store().device()?;
        let Some(own) = laptop.store().own_stream()? else { return Ok(Vec::new()) };
        let mut mine: Vec<_> = laptop.mirror.replica(&own).map(|it| it.changes(&own)).unwrap_or_default();
        mine.retain(|change| change.header.device == device && can_go(change));
        if mine.is_empty() {
            return Ok(Vec::new());
        }
        let change = mine[dice.below(mine.len())].id;
        let path = ruling_path(&format!("drop-{}", &change.to_string()[..24]));
        let ruling = Ruling::Drop { change }.to_value();
        let touched = laptop
            .store()
            .write(&Author::new("secretary"), "redacts", |w| w.put_stream(&path, ruling.clone()))?;
        let words = format!("{} redacts what it wrote in {change}", laptop.name);
        self.note(words);
        self.promises.forget(&change);
        self.promises.told(touched.changes);
        Ok(vec![Who::Laptop(at)])
    }

    /// The city archives a record, or opens an archived one: what a branch writes to it in between is refused.
    pub fn seal(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let (kind, id) = record(dice);
        let replica = self.site.mirror.replica(&self.stream);
        let about = replica.and_then(|it| it.record(&self.stream, STREAM_KIND, STREAM_RECORD));
        let path = format!("~seal/{kind}/{id}");
        let sealed = about.and_then(|state| state.value(&path)).is_some_and(|value| !value.is_null());
        let city = self.site.city();
        let (ruling, verb) = match sealed {
            true => (city.unseal(&self.stream, kind, id)?, "opens"),
            false => (city.seal(&self.stream, kind, id)?, "archives"),
        };
        self.note(format!("the city {verb} {kind} {id}"));
        self.promises.told([ruling]);
        Ok(vec![Who::City])
    }

    /// Two operators of the city redact a change, a field or a whole record, whoever wrote it.
    pub fn erase(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let Some(replica) = self.site.mirror.replica(&self.stream) else { return Ok(Vec::new()) };
        let citys = replica.verdicts(&self.stream).city;
        let mut there = replica.changes(&self.stream);
        there.retain(|change| !citys.contains(&change.header.device) && can_go(change));
        if there.is_empty() {
            return Ok(Vec::new());
        }
        let change = there[dice.below(there.len())];
        let (subject, words) = subject(change, dice);
        self.note(format!("two operators of the city redact {words}"));
        let city = self.site.city();
        let done = city
            .ask_redaction("operator-1", &self.stream, &subject, "误录")
            .and_then(|asked| city.confirm_redaction("operator-2", asked));
        match done {
            Ok(_) => {}
            Err(RedactError::NotRedactable) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
        let written = self.site.look(&mut self.known)?;
        self.promises.told(written);
        let verdicts = self.site.mirror.verdicts(&self.stream);
        let replica = self.site.mirror.replica(&self.stream).expect("it was there before");
        let dropped = replica.changes(&self.stream).into_iter().filter(|change| verdicts.drops(change));
        dropped.for_each(|change| self.promises.forget(&change.id));
        Ok(vec![Who::City])
    }

    /// A laptop asks the city for the records of an organisation that is not its own.
    pub fn curious(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let at = self.any(dice);
        let laptop = &self.laptops[at];
        let others = [self.stream, self.outside];
        let Some(other) = others.into_iter().find(|stream| *stream != laptop.branch) else {
            return Ok(Vec::new());
        };
        if !self.laptops.iter().any(|laptop| laptop.branch == other) {
            return Ok(Vec::new());
        }
        laptop.store().set_root(&other, &self.site.city().root)?;
        let words = format!("{} asks for what another organisation wrote", laptop.name);
        self.note(words);
        self.exchange_at(at, &super::exchanging::Course::clean())?;
        Ok(vec![Who::Laptop(at)])
    }

    /// Somebody installs last year's or next year's program.
    pub fn other_version(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let which = dice.below(3);
        let (kinds, words) = self.versions.get(which);
        let kinds = kinds.clone();
        if dice.chance(25) {
            self.note(format!("the city is given {words} program"));
            self.site.install(kinds)?;
            return Ok(vec![Who::City]);
        }
        let at = self.any(dice);
        self.note(format!("{} is given {words} program", self.laptops[at].name));
        self.laptops[at].install(kinds)?;
        Ok(vec![Who::Laptop(at)])
    }
}

/// The change, or a record or a field that it writes to, for the city and in words.
fn subject(change: &Change, dice: &mut Random) -> (Subject, String) {
    let writes = &change.header.writes;
    let which = dice.below(4);
    if writes.is_empty() || which > 1 {
        return (Subject::Change(change.id), change.id.to_string());
    }
    let write = writes[dice.below(writes.len())].clone();
    let words = format!("{} {}", write.kind, write.record);
    match which {
        0 => (Subject::Record { kind: write.kind, record: write.record }, words),
        _ => {
            let words = format!("{} of {words}", write.path);
            (Subject::Field { kind: write.kind, record: write.record, path: write.path }, words)
        }
    }
}

/// Whether what a change says may be redacted, and is still there.
fn can_go(change: &Change) -> bool {
    change.raw.payload.is_some() && change.header.writes.iter().all(|write| write.kind != STREAM_KIND)
}
