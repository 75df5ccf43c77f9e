//! A header without what the receiver can work out: hashes, ids, repeated words.
//!
//! The shorthand of a header is used only if expanding it gives the signed bytes exactly; any other header goes as
//! it is. Both sides keep the same tables while they go through a body.

use std::collections::HashMap;

use replica::{ChangeId, DeviceId, Header, PayloadHash, StreamId, WriteHead};

use crate::bytes::{Malformed, Reader, Writer};

const FOUNDS: u8 = 1;
const FOLLOWS: u8 = 2;
const BATCH: u8 = 4;
const ORIGIN: u8 = 8;
const EXPLICIT_PAYLOAD: u8 = 16;

/// Length and hash of a payload that travels beside the header.
pub(crate) struct PayloadFacts {
    pub hash: PayloadHash,
    pub len: u64,
}

/// What both sides remember of the changes before in the body.
#[derive(Default)]
pub(crate) struct Tables {
    streams: Table<StreamId>,
    devices: Table<DeviceId>,
    words: Table<String>,
    ids: Table<ChangeId>,
    last: HashMap<(StreamId, DeviceId), (u64, ChangeId)>,
    lamport: u64,
    at: i64,
}

struct Table<T> {
    list: Vec<T>,
    index: HashMap<T, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { list: Vec::new(), index: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Table<T> {
    fn add(&mut self, item: T) {
        self.index.insert(item.clone(), self.list.len());
        self.list.push(item);
    }

    /// How far back the item stands, from 1; None, and it is added: it is new.
    fn back(&mut self, item: &T) -> Option<u64> {
        if let Some(index) = self.index.get(item) {
            return Some((self.list.len() - index) as u64);
        }
        self.add(item.clone());
        None
    }

    fn at_back(&self, back: u64) -> Result<T, Malformed> {
        let back = usize::try_from(back).map_err(|_| Malformed)?;
        let index = self.list.len().checked_sub(back).ok_or(Malformed)?;
        self.list.get(index).cloned().ok_or(Malformed)
    }

    /// Where the item stands, from 1; None, and it is added: it is new.
    fn place(&mut self, item: &T) -> Option<u64> {
        if let Some(index) = self.index.get(item) {
            return Some(*index as u64 + 1);
        }
        self.add(item.clone());
        None
    }

    fn at_place(&self, place: u64) -> Result<T, Malformed> {
        let index = usize::try_from(place - 1).map_err(|_| Malformed)?;
        self.list.get(index).cloned().ok_or(Malformed)
    }
}

impl Tables {
    /// To be called after each change, whether it went in shorthand or not.
    pub fn remember(&mut self, id: ChangeId, header: Option<&Header>) {
        self.ids.add(id);
        if let Some(header) = header {
            let stream = header.stream.unwrap_or(StreamId::from(id));
            if header.stream.is_none() {
                self.streams.place(&stream);
            }
            self.last.insert((stream, header.device), (header.n, id));
            self.lamport = header.lamport;
            self.at = header.at;
        }
    }

    fn follows(&self, header: &Header) -> bool {
        let last = header.stream.and_then(|stream| self.last.get(&(stream, header.device)));
        last.is_some_and(|(n, id)| header.n == n + 1 && header.prev == Some(*id))
    }

    pub fn write(&mut self, header: &Header, explicit_payload: bool, out: &mut Writer) {
        let follows = self.follows(header);
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        out.byte(
            flag(header.stream.is_none(), FOUNDS)
                | flag(follows, FOLLOWS)
                | flag(header.batch.is_some(), BATCH)
                | flag(header.origin.is_some(), ORIGIN)
                | flag(explicit_payload, EXPLICIT_PAYLOAD),
        );
        if let Some(stream) = &header.stream {
            write_known(self.streams.place(stream), &stream.0, out);
        }
        write_known(self.devices.place(&header.device), &header.device.0, out);
        if !follows {
            out.number(header.n);
            if let Some(prev) = &header.prev {
                write_known(self.ids.back(prev), &prev.0, out);
            }
        }
        out.signed(header.lamport.wrapping_sub(self.lamport) as i64);
        out.signed(header.at.wrapping_sub(self.at));
        self.word(&header.author, out);
        self.word(&header.action, out);
        for word in [&header.batch, &header.origin].into_iter().flatten() {
            self.word(word, out);
        }
        out.number(header.refs.len() as u64);
        for id in &header.refs {
            write_known(self.ids.back(id), &id.0, out);
        }
        self.write_writes(&header.writes, out);
        if explicit_payload {
            out.fixed(&header.payload_hash.0);
            out.number(header.payload_len);
        }
    }

    fn write_writes(&mut self, writes: &[WriteHead], out: &mut Writer) {
        out.number(writes.len() as u64);
        let mut record: Option<&str> = None;
        for write in writes {
            let same = record == Some(&write.record);
            out.number(write.over.len() as u64 * 2 + u64::from(same));
            if !same {
                self.word(&write.record, out);
            }
            record = Some(&write.record);
            self.word(&write.kind, out);
            self.word(&write.path, out);
            for index in &write.over {
                out.number(u64::from(*index));
            }
        }
    }

    fn word(&mut self, word: &str, out: &mut Writer) {
        match self.words.place(&word.to_string()) {
            Some(place) => out.number(place),
            None => {
                out.byte(0);
                out.sized(word.as_bytes());
            }
        }
    }

    /// Reads a header. `payload` is what travels beside it, needed unless the shorthand is explicit.
    pub fn read(&mut self, from: &mut Reader, payload: Option<PayloadFacts>) -> Result<Header, Malformed> {
        let flags = from.byte()?;
        let stream = if flags & FOUNDS == 0 { Some(self.read_stream(from)?) } else { None };
        let device = self.read_device(from)?;
        let (n, prev) = if flags & FOLLOWS == 0 {
            let n = from.number()?;
            (n, if n == 1 { None } else { Some(self.read_id(from)?) })
        } else {
            let last = stream.and_then(|stream| self.last.get(&(stream, device))).ok_or(Malformed)?;
            (last.0 + 1, Some(last.1))
        };
        let lamport = self.lamport.wrapping_add(from.signed()? as u64);
        let at = self.at.wrapping_add(from.signed()?);
        let author = self.read_word(from)?;
        let action = self.read_word(from)?;
        let batch = if flags & BATCH == 0 { None } else { Some(self.read_word(from)?) };
        let origin = if flags & ORIGIN == 0 { None } else { Some(self.read_word(from)?) };
        let refs = (0..from.count()?).map(|_| self.read_id(from)).collect::<Result<_, _>>()?;
        let writes = self.read_writes(from)?;
        let payload = if flags & EXPLICIT_PAYLOAD == 0 {
            payload.ok_or(Malformed)?
        } else {
            PayloadFacts { hash: PayloadHash(from.fixed()?), len: from.number()? }
        };
        let (payload_hash, payload_len) = (payload.hash, payload.len);
        let v = replica::limits::VERSION;
        Ok(Header {
            v,
            stream,
            device,
            n,
            prev,
            lamport,
            at,
            author,
            action,
            refs,
            writes,
            payload_hash,
            payload_len,
            batch,
            origin,
        })
    }

    fn read_stream(&mut self, from: &mut Reader) -> Result<StreamId, Malformed> {
        match from.number()? {
            0 => {
                let stream = StreamId(from.fixed()?);
                self.streams.place(&stream);
                Ok(stream)
            }
            place => self.streams.at_place(place),
        }
    }

    fn read_device(&mut self, from: &mut Reader) -> Result<DeviceId, Malformed> {
        match from.number()? {
            0 => {
                let device = DeviceId(from.fixed()?);
                self.devices.place(&device);
                Ok(device)
            }
            place => self.devices.at_place(place),
        }
    }

    fn read_id(&mut self, from: &mut Reader) -> Result<ChangeId, Malformed> {
        match from.number()? {
            0 => {
                let id = ChangeId(from.fixed()?);
                self.ids.back(&id);
                Ok(id)
            }
            back => self.ids.at_back(back),
        }
    }

    fn read_word(&mut self, from: &mut Reader) -> Result<String, Malformed> {
        match from.number()? {
            0 => {
                let word = from.text()?.to_string();
                self.words.place(&word);
                Ok(word)
            }
            place => self.words.at_place(place),
        }
    }

    fn read_writes(&mut self, from: &mut Reader) -> Result<Vec<WriteHead>, Malformed> {
        let mut writes: Vec<WriteHead> = Vec::new();
        for _ in 0..from.count()? {
            let number = from.number()?;
            let (over, same) = (number / 2, number % 2 == 1);
            let record =
                if same { writes.last().ok_or(Malformed)?.record.clone() } else { self.read_word(from)? };
            let kind = self.read_word(from)?;
            let path = self.read_word(from)?;
            let over = (0..over)
                .map(|_| u32::try_from(from.number()?).map_err(|_| Malformed))
                .collect::<Result<_, _>>()?;
            writes.push(WriteHead { record, kind, path, over });
        }
        Ok(writes)
    }
}

fn write_known(known: Option<u64>, bytes: &[u8], out: &mut Writer) {
    match known {
        Some(place) => out.number(place),
        None => {
            out.byte(0);
            out.fixed(bytes);
        }
    }
}
