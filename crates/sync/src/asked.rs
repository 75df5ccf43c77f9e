//! What a request says, as data that can be compared: what was made, or even sent, ahead of its time counts only if it is
//! what would be made now.

use crate::error::SyncError;
use crate::outgoing::{Outgoing, Told, Written};
use crate::plan::{self, Sides};
use replica::{Change, ChangeId, DeviceId};
use std::collections::BTreeSet;
use store::{Store, Verified};
use wire::{Answer, Request, StreamAsk, StreamState, after_success};

/// Everything that a request is made from, beside the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub sides: Vec<Sides>,
    /// The city is asked for what is not here.
    pub wants: bool,
    pub budget: u32,
    /// Nothing goes out: a person is asked first.
    pub silent: bool,
    pub refused: BTreeSet<DeviceId>,
    pub wanted: Vec<ChangeId>,
    pub told: Told,
}

impl Asked {
    pub fn asks(&self) -> Vec<StreamAsk> {
        let ask = |sides: &Sides| StreamAsk { stream: sides.stream, have: sides.have(self.wants) };
        self.sides.iter().map(ask).collect()
    }

    fn request(&self) -> Request {
        Request { streams: self.asks(), budget: self.budget, presented: Vec::new(), changes: Vec::new() }
    }

    pub fn outgoing<'a>(&self, store: &'a Store) -> Result<Outgoing<'a>, SyncError> {
        let sides: &[Sides] = if self.silent { &[] } else { &self.sides };
        Outgoing::new(store, sides, &self.refused, self.wanted.clone(), self.budget)
    }

    /// The request with what the city lacks.
    pub fn write(&self, store: &Store) -> Result<Written, SyncError> {
        self.outgoing(store)?.write(self.request(), self.told.clone())
    }

    /// The request when there is nothing that the city lacks.
    pub fn write_nothing(&self) -> Written {
        let body = self.request().begin().finish(false);
        Written { body, sent: 0, more: false, told: self.told.clone() }
    }

    /// The next request if the city takes in all that this one carries, and has nothing new itself.
    /// `more`: it does not carry all; `told`: how far it goes.
    pub fn after_sending(&self, more: bool, told: &Told) -> Option<Asked> {
        if !more || self.silent || !self.wanted.is_empty() || !self.told.is_empty() {
            return None;
        }
        let mut sides = self.sides.clone();
        for ((stream, device), end) in told {
            let sides = sides.iter_mut().find(|sides| sides.stream == *stream)?;
            let ends = sides.theirs.0.entry(*device).or_default();
            if sides.mine.ends(device).count() != 1 || ends.len() > 1 {
                return None;
            }
            *ends = BTreeSet::from([*end]);
        }
        Some(Asked { sides, wants: false, budget: after_success(self.budget), ..self.clone() })
    }

    /// The next request if all the changes that this one's answer brought are taken in.
    pub fn after_answer(&self, answer: &Answer, changes: &Verified) -> Option<Asked> {
        let quiet = answer.refused.is_empty() && answer.wanted.is_empty() && answer.retry_after.is_none();
        if !answer.more || !quiet || !self.wanted.is_empty() || !self.told.is_empty() {
            return None;
        }
        let mut sides = self.sides.clone();
        for (sides, streamed) in sides.iter_mut().zip(&answer.streams) {
            if let StreamState::Differs { traces, .. } = &streamed.state {
                sides.traces.clone_from(traces);
            }
            sides.theirs = plan::answered(&streamed.state, &sides.mine)?;
        }
        changes.all()?.iter().try_for_each(|change| advance(&mut sides, change))?;
        Some(Asked { sides, wants: true, budget: after_success(self.budget), ..self.clone() })
    }
}

/// Moves this computer's end as the change will when it is taken in.
fn advance(sides: &mut [Sides], change: &Change) -> Option<()> {
    let sides = sides.iter_mut().find(|sides| sides.stream == change.stream)?;
    sides.mine.advance(change.header.device, change.header.n, change.id, change.header.prev);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::Asked;
    use crate::outgoing::Told;
    use crate::plan::Sides;
    use replica::{ChangeId, DeviceId, Frontier, RawChange, StreamId};
    use std::collections::{BTreeMap, BTreeSet};
    use store::Verified;
    use wire::{Answer, RefusedPart, StreamAnswer, StreamState};

    const STREAM: StreamId = StreamId([9; 32]);
    const DEVICE: DeviceId = DeviceId([1; 32]);

    fn end(n: u64) -> (u64, ChangeId) {
        (n, ChangeId([n as u8; 32]))
    }

    fn frontier(ends: &[(u64, ChangeId)]) -> Frontier {
        Frontier(BTreeMap::from([(DEVICE, ends.iter().copied().collect())]))
    }

    fn asked(mine: &[(u64, ChangeId)], theirs: &[(u64, ChangeId)]) -> Asked {
        let sides =
            Sides { stream: STREAM, mine: frontier(mine), theirs: frontier(theirs), traces: BTreeMap::new() };
        Asked {
            sides: vec![sides],
            wants: true,
            budget: 1 << 18,
            silent: false,
            refused: BTreeSet::new(),
            wanted: Vec::new(),
            told: Told::new(),
        }
    }

    fn told(n: u64) -> Told {
        Told::from([((STREAM, DEVICE), end(n))])
    }

    #[test]
    fn what_goes_on_is_foreseen_from_where_it_was_told() {
        let next = asked(&[end(9)], &[end(3)]).after_sending(true, &told(5)).unwrap();
        assert_eq!(next.sides[0].theirs, frontier(&[end(5)]));
        assert_eq!(
            (next.sides[0].mine.clone(), next.wants, next.budget),
            (frontier(&[end(9)]), false, 1 << 19)
        );
    }

    #[test]
    fn nothing_is_foreseen_where_it_is_not_simple() {
        let plain = asked(&[end(9)], &[end(3)]);
        let table = [
            ("the last one", plain.clone(), false),
            ("a copy of this computer", asked(&[end(8), end(9)], &[end(3)]), true),
            ("a copy that the city knows", asked(&[end(9)], &[end(2), end(3)]), true),
            ("a question to a person", Asked { silent: true, ..plain.clone() }, true),
            (
                "values that the city asked for",
                Asked { wanted: vec![ChangeId([4; 32])], ..plain.clone() },
                true,
            ),
            ("a city that was set back", Asked { told: told(1), ..plain }, true),
        ];
        for (name, asked, more) in table {
            assert_eq!(asked.after_sending(more, &told(5)), None, "{name}");
        }
    }

    fn answer(more: bool, state: StreamState) -> Answer {
        Answer {
            streams: vec![StreamAnswer { stream: STREAM, state }],
            refused: Vec::new(),
            retry_after: None,
            receipt: None,
            wanted: Vec::new(),
            more,
            changes: Vec::new(),
        }
    }

    #[test]
    fn the_rest_of_what_the_city_has_is_asked_for_ahead_only_if_all_went_well() {
        let asked = asked(&[end(3)], &[end(3)]);
        let differs = || StreamState::Differs { frontier: frontier(&[end(9)]), traces: BTreeMap::new() };
        let none = Verified::default();
        let next = asked.after_answer(&answer(true, differs()), &none).unwrap();
        assert_eq!(next.sides[0].theirs, frontier(&[end(9)]));
        assert_eq!((next.wants, next.budget), (true, 1 << 19));
        let turned_away = RefusedPart::Device { device: DEVICE, code: "not_permitted".to_owned() };
        let table = [
            ("there is no rest", answer(false, differs())),
            ("the stream is not served", answer(true, StreamState::Refused)),
            ("something was turned away", Answer { refused: vec![turned_away], ..answer(true, differs()) }),
            ("values are asked for", Answer { wanted: vec![ChangeId([4; 32])], ..answer(true, differs()) }),
            ("the city is busy", Answer { retry_after: Some(60), ..answer(true, differs()) }),
        ];
        for (name, answer) in table {
            assert_eq!(asked.after_answer(&answer, &none), None, "{name}");
        }
        let forged = RawChange { header: b"{}".to_vec(), signature: [0; 64], payload: None };
        let forged = Verified::of(vec![forged]);
        assert_eq!(asked.after_answer(&answer(true, differs()), &forged), None, "a change is nobody's");
    }
}
