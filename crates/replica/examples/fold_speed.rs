//! Processor time that 100,000 changes take to read and to fold, on Linux: `cargo run --release -p replica --example fold_speed`.

use ed25519_dalek::SigningKey;
use replica::{Change, ChangeBuilder, End, RawChange, Replica, device_of};
use serde_json::json;

const CHANGES: u64 = 100_000;
/// Every tenth change edits the record before it.
const EDIT_EVERY: u64 = 10;

fn main() {
    let raws = history();
    let bytes: usize =
        raws.iter().map(|raw| raw.header.len() + raw.payload.as_ref().map_or(0, Vec::len)).sum();
    println!("changes: {CHANGES}, bytes each: {}", bytes / raws.len());

    let start = seconds();
    let changes: Vec<Change> = raws.into_iter().map(|raw| raw.read().expect("just made")).collect();
    println!("read: {:.3} s", seconds() - start);

    let start = seconds();
    let mut replica = Replica::new(None);
    replica.insert(changes);
    println!("fold: {:.3} s", seconds() - start);

    let start = seconds();
    let bytes = replica.state_bytes();
    println!("state bytes: {:.3} s, {} MB", seconds() - start, bytes.len() / 1_000_000);
}

/// Seconds of processor time of this thread, so that other work on the machine does not count.
fn seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").expect("Linux");
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("nanoseconds first") / 1e9
}

/// One device's history: records of a dozen fields, each tenth change an edit.
fn history() -> Vec<RawChange> {
    let key = SigningKey::from_bytes(&[1; 32]);
    let mut raws: Vec<RawChange> = Vec::new();
    let (mut stream, mut end, mut last) = (None, None, None);
    for n in 1..=CHANGES {
        let at = 1_790_000_000_000 + n as i64 * 60_000;
        let mut builder = ChangeBuilder::new(stream, end, device_of(&key), n, at, "张书记", "save_meeting");
        match last.filter(|_| n % EDIT_EVERY == 0) {
            Some((record, id)) => {
                builder.add(&format!("m{record}"), "meeting", "summary", &json!("改过的小结。"), &[id])
            }
            None => {
                let record = format!("m{n}");
                builder.add(&record, "meeting", "~born", &json!(true), &[]);
                for field in 0..10 {
                    let value = json!(format!("第{n}次会议的第{field}项内容，学习传达上级精神。"));
                    builder.add(&record, "meeting", &format!("agenda/item{field}/topic"), &value, &[]);
                }
                builder.add(&record, "meeting", "summary", &json!("小结。"), &[]);
            }
        }
        let change = builder.sign(&key).expect("small enough");
        if n % EDIT_EVERY != 0 {
            last = Some((n, change.id));
        }
        stream = Some(change.stream);
        end = Some(End { n, id: change.id });
        raws.push(change.raw);
    }
    raws
}
