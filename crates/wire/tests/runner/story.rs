//! Two sides that exchange until they hold the same, through real messages.

use std::collections::BTreeMap;

use replica::{ChangeId, DeviceId, RawChange, Replica, StreamId};
use serde_json::json;
use wire::{
    Answer, Chain, Have, Lacks, Place, Request, Span, StreamAnswer, StreamAsk, StreamState, Traces,
    difference, digest_of, trace,
};

use crate::world::Device;

struct Held<'a>(&'a Replica, StreamId);

impl Chain for Held<'_> {
    fn holds(&self, _: &DeviceId, place: Place) -> bool {
        self.0.change(&self.1, &place.1).is_some()
    }
    fn prev(&self, _: &DeviceId, place: Place) -> Option<ChangeId> {
        self.0.change(&self.1, &place.1).and_then(|change| change.header.prev)
    }
}

fn to_send(replica: &Replica, stream: StreamId, lacks: &Lacks) -> Vec<RawChange> {
    let wanted = |device: &DeviceId, place: Place| match lacks.send.get(device) {
        Some(Span::After(n)) => place.0 > *n,
        Some(Span::Only(places)) => places.contains(&place),
        None => false,
    };
    let changes = replica.changes(&stream).into_iter();
    changes
        .filter(|change| wanted(&change.header.device, (change.header.n, change.id)))
        .map(|c| c.raw.clone())
        .collect()
}

fn take(replica: &mut Replica, changes: &[RawChange]) {
    let verified: Vec<_> = changes.iter().map(|raw| raw.clone().verify().unwrap()).collect();
    replica.insert(verified);
}

/// The city's side of one exchange: no memory of the asker.
fn answer(city: &mut Replica, body: &[u8]) -> Vec<u8> {
    let (request, _) = Request::decode(body).unwrap();
    take(city, &request.changes);
    let ask = &request.streams[0];
    let mine = city.frontier(&ask.stream);
    let chain = Held(city, ask.stream);
    let mut changes = Vec::new();
    let state = match &ask.have {
        have if have.is(&mine) => StreamState::Same,
        Have::Digest(_) => StreamState::Differs { frontier: mine, traces: Traces::new() },
        Have::Full(theirs) => {
            let lacks = difference(&mine, theirs, &Traces::new(), &chain);
            changes = to_send(city, ask.stream, &lacks);
            let traces: BTreeMap<_, _> = lacks
                .unknown
                .iter()
                .filter_map(|device| Some((*device, trace(device, mine.last(device)?, &chain))))
                .collect();
            StreamState::Differs { frontier: mine, traces }
        }
    };
    let streams = vec![StreamAnswer { stream: ask.stream, state }];
    let answer = Answer {
        streams,
        refused: Vec::new(),
        retry_after: None,
        receipt: None,
        wanted: Vec::new(),
        more: false,
        changes: Vec::new(),
    };
    let mut body = answer.begin();
    let mut left = changes.iter().peekable();
    while let Some(change) = left.next_if(|_| body.has_room(request.budget)) {
        body.add(change);
    }
    body.finish(left.peek().is_some())
}

/// Exchanges until nothing is left; how many requests that took. `budget` is in changes, to force several.
fn exchange(laptop: &mut Replica, city: &mut Replica, stream: StreamId, at_once: usize) -> usize {
    let mut outbox: Vec<RawChange> = Vec::new();
    let mut full = false;
    for round in 1..50 {
        let mine = laptop.frontier(&stream);
        let have = if full { Have::Full(mine.clone()) } else { Have::Digest(digest_of(&mine)) };
        let rest = outbox.split_off(outbox.len().min(at_once));
        let request = Request {
            streams: vec![StreamAsk { stream, have }],
            budget: wire::SMALLEST_BUDGET,
            presented: Vec::new(),
            changes: std::mem::replace(&mut outbox, rest),
        };
        let body = answer(city, &request.encode());
        let (answer, _) = Answer::decode(&body, &request.streams, [0; 16], DeviceId([0; 32])).unwrap();
        take(laptop, &answer.changes);
        match &answer.streams[0].state {
            StreamState::Same => return round,
            StreamState::Differs { frontier, traces } => {
                full = true;
                let lacks = difference(&laptop.frontier(&stream), frontier, traces, &Held(laptop, stream));
                outbox = to_send(laptop, stream, &lacks);
            }
            StreamState::Refused => panic!("refused"),
        }
    }
    panic!("never the same");
}

fn fill(device: &mut Device, replica: &mut Replica, count: usize, word: &str) {
    for number in 0..count {
        let change = device.commit(
            "promise",
            &format!("{word}{number}"),
            &[("text", json!(format!("{word}{number}。")), &[])],
        );
        replica.insert([change]);
    }
}

#[test]
fn two_laptops_and_a_city_come_to_hold_the_same() {
    let (mut first, mut second, mut city) = (Replica::new(None), Replica::new(None), Replica::new(None));
    let mut a = Device::new(1, None);
    fill(&mut a, &mut first, 300, "first");
    let stream = a.stream.unwrap();
    exchange(&mut first, &mut city, stream, 40);
    assert_eq!(exchange(&mut first, &mut city, stream, 40), 1, "nothing new is one request");
    exchange(&mut second, &mut city, stream, 40);
    assert_eq!(second.state_digest(), first.state_digest());

    let mut b = Device::new(2, Some(stream));
    fill(&mut a, &mut first, 20, "more");
    fill(&mut b, &mut second, 20, "second");
    exchange(&mut first, &mut city, stream, 7);
    exchange(&mut second, &mut city, stream, 7);
    exchange(&mut first, &mut city, stream, 7);
    assert_eq!([first.state_digest(), second.state_digest()], [city.state_digest(), city.state_digest()]);
}

#[test]
fn copied_computers_meet_in_the_city() {
    let (mut first, mut city) = (Replica::new(None), Replica::new(None));
    let mut a = Device::new(1, None);
    fill(&mut a, &mut first, 50, "first");
    let stream = a.stream.unwrap();
    let mut copy = a.clone();
    let mut copied = Replica::new(None);
    take(&mut copied, &first.changes(&stream).iter().map(|change| change.raw.clone()).collect::<Vec<_>>());
    fill(&mut a, &mut first, 30, "here");
    fill(&mut copy, &mut copied, 12, "copied");
    exchange(&mut first, &mut city, stream, 1000);
    exchange(&mut copied, &mut city, stream, 1000);
    exchange(&mut first, &mut city, stream, 1000);
    assert_eq!(city.frontier(&stream).ends(&a.id).count(), 2);
    assert_eq!([first.state_digest(), copied.state_digest()], [city.state_digest(), city.state_digest()]);
}

#[test]
fn a_city_restored_from_an_old_backup_is_healed() {
    let (mut first, mut second, mut city) = (Replica::new(None), Replica::new(None), Replica::new(None));
    let mut a = Device::new(1, None);
    fill(&mut a, &mut first, 30, "first");
    let stream = a.stream.unwrap();
    let mut backup = Replica::new(None);
    exchange(&mut first, &mut backup, stream, 1000);
    fill(&mut a, &mut first, 30, "later");
    exchange(&mut first, &mut city, stream, 1000);
    exchange(&mut second, &mut city, stream, 1000);
    // The first laptop is lost with the city; the second carries the first's changes to the restored one.
    exchange(&mut second, &mut backup, stream, 1000);
    assert_eq!(backup.state_digest(), first.state_digest());
}
