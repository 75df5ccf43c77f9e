//! One attachment on its way up, piece by piece. Where the city had no room the last time it is asked first.

use super::{Outcome, PIECE, Phase, STREAM_FULL};
use crate::error::SyncError;
use store::NamedBlob;
use wire::blobs::{BlobHeld, BlobMethod, BlobRequest};

/// Set once a stream had no room, until there is some: then a question goes ahead of the first piece.
const FULL: &str = "blobs.full";

impl Phase<'_> {
    /// Sends one attachment from where the city has it. Gives whether all of it is there, as far as it answered.
    pub(super) fn send(&mut self, named: &NamedBlob, have: u64) -> Result<bool, SyncError> {
        if have == 0 && !self.finds_room(named)? {
            return Ok(false);
        }
        // Damaged here: it counts as missing from now on, and is fetched if anybody has it.
        let Some(bytes) = self.store.blob(&named.hash)? else { return Ok(false) };
        let (len, mut have, mut begun) = (bytes.len() as u64, have, have > 0);
        while have < len {
            let until = len.min(have + self.piece as u64);
            let piece = bytes[have as usize..until as usize].to_vec();
            self.report.bytes_up += piece.len() as u64;
            let (before, length) = (have, (!begun).then_some(len));
            let method = if begun { BlobMethod::Patch } else { BlobMethod::Post };
            let request =
                BlobRequest { length, offset: Some(have), body: piece, ..self.about(named, method) };
            match self.request(request)? {
                Outcome::Reply(reply) => (have, begun) = (reply.offset.unwrap_or(have).min(len), true),
                Outcome::Refused(code) if matches!(code.as_str(), "not_begun" | "wrong_hash") => {
                    // It was thrown away over there, and goes once more from its beginning.
                    (have, begun) = (0, false);
                    self.cut()?;
                }
                Outcome::Refused(code) => {
                    self.turned_away(named, code)?;
                    return Ok(false);
                }
                Outcome::Cut => match self.ask(&[*named])?.get(&(named.stream, named.hash)) {
                    Some(BlobHeld::Whole) => have = len,
                    Some(BlobHeld::Partial(there)) => (have, begun) = ((*there).min(len), true),
                    Some(BlobHeld::Missing | BlobHeld::NotNamed) | None => (have, begun) = (0, false),
                },
            }
            let ended = self.moved(have.saturating_sub(before));
            match have > before {
                true => self.piece = (self.piece * 2).min(PIECE),
                false => self.cut()?,
            }
            if ended.is_break() || (self.is_over() && have < len) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the city takes one that it has nothing of, as far as it says so without being sent any of it.
    fn finds_room(&mut self, named: &NamedBlob) -> Result<bool, SyncError> {
        if self.full.get(&named.stream).is_some_and(|least| named.len >= *least) {
            self.turned_away(named, STREAM_FULL.to_owned())?;
            return Ok(false);
        }
        if self.store.meta(FULL)?.is_none() {
            return Ok(true);
        }
        let request = BlobRequest { length: Some(named.len), ..self.about(named, BlobMethod::Post) };
        match self.request(request)? {
            Outcome::Reply(_) => self.store.drop_meta(FULL)?,
            Outcome::Cut => {}
            Outcome::Refused(code) => {
                self.turned_away(named, code)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn turned_away(&mut self, named: &NamedBlob, code: String) -> Result<(), SyncError> {
        if code == STREAM_FULL {
            let least = self.full.entry(named.stream).or_insert(named.len);
            *least = named.len.min(*least);
            self.store.set_meta(FULL, "1")?;
        }
        self.report.refused.push((named.hash, code));
        Ok(())
    }
}
