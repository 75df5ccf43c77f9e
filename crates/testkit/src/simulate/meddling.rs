//! What people do that is neither daily work nor an accident: redacting, looking where they may not, installing another
//! version of the program.

use anyhow::Result;
use replica::{Ruling, STREAM_KIND, ruling_path};
use store::Author;

use super::stage::{Stage, Who};
use crate::random::Random;

impl Stage {
    /// An author takes back what they wrote: it is erased wherever the word of it arrives, and never comes back.
    pub fn redact(&mut self, dice: &mut Random) -> Result<Vec<Who>> {
        let at = self.any(dice);
        let laptop = &self.laptops[at];
        let device = laptop.store().device()?;
        let Some(own) = laptop.store().own_stream()? else { return Ok(Vec::new()) };
        let mut mine: Vec<_> = laptop.mirror.replica(&own).map(|it| it.changes(&own)).unwrap_or_default();
        mine.retain(|change| {
            let speaks_of_stream = change.header.writes.iter().any(|write| write.kind == STREAM_KIND);
            change.header.device == device && change.raw.payload.is_some() && !speaks_of_stream
        });
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
