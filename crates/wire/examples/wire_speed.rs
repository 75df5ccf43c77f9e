//! Processor time that 10,000 new records take on their way, on Linux: `cargo run --release -p wire --example wire_speed`.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on should stop")]

#[path = "../tests/runner/world.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod world;

use replica::{Change, ChangeId, RawChange, is_signed, signature_input};
use serde_json::{Value, json};
use wire::Request;

use world::{Device, Random, record};

fn main() {
    let mut random = Random(42);
    let persons: Vec<String> = (0..40).map(|_| random.uuid(1_700_000_000_000)).collect();
    let mut device = Device::new(1, None);
    let mut changes: Vec<RawChange> = Vec::new();
    for number in 0..10_000 {
        let (id, fields) = record(number, device.at, &persons, &mut random);
        let mut writes: Vec<(&str, Value, &[ChangeId])> = vec![("~born", json!(true), &[])];
        writes.extend(fields.iter().map(|(path, value)| (path.as_str(), value.clone(), &[][..])));
        changes.push(device.commit("promise", &id, &writes).raw);
    }

    let start = seconds();
    for raw in &changes {
        assert!(is_signed(&device.id, &signature_input(&raw.header), &raw.signature));
    }
    println!("floor, signatures alone: {:.3} s", seconds() - start);

    let start = seconds();
    let body = Request { streams: Vec::new(), budget: 1, presented: Vec::new(), changes }.encode();
    println!("encode: {:.3} s, {} B", seconds() - start, body.len());

    let start = seconds();
    let (request, _) = Request::decode(&body).unwrap();
    println!("decode: {:.3} s", seconds() - start);

    let start = seconds();
    let verified: Vec<Change> = request.changes.into_iter().map(|raw| raw.verify().unwrap()).collect();
    println!("verify and read: {:.3} s, {} changes", seconds() - start, verified.len());
}

/// Seconds of processor time of this thread, so that other work on the machine does not count.
fn seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap() / 1e9
}
