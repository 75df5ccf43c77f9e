//! A program that ends while its threads use the records.

use std::process::Command;
use std::sync::mpsc;

use store::Store;

use crate::world::{PASSWORD, Still, World};

/// The folder of the branch, for the process that ends.
const FOLDER: &str = "JISHI_TEST_ENDING";

#[test]
fn a_process_that_ends_while_it_saves_ends_well_and_keeps_what_was_saved() {
    let mut world = World::new();
    world.close();
    for turn in 0..4 {
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "ending::ends_while_it_saves"])
            .env(FOLDER, world.folder())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{}: {told}{}", ended.status, String::from_utf8_lossy(&ended.stderr));
        let saved = told.lines().find_map(|line| line.strip_prefix("saved ")).unwrap();
        let saved: u64 = saved.parse().unwrap();
        let store = world.open(PASSWORD).unwrap();
        store.check().unwrap();
        let found = store.meta("count").unwrap().unwrap();
        assert!(found.parse::<u64>().unwrap() >= saved, "turn {turn}: {found} of {saved}");
        world.close();
    }
}

/// Not a test by itself: the process of the one above.
#[test]
#[ignore = "run by another test"]
fn ends_while_it_saves() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let store = Store::open(folder.as_ref(), PASSWORD, Still::new(1)).unwrap();
    let store: &'static Store = Box::leak(Box::new(store));
    let (saved, told) = mpsc::channel();
    std::thread::spawn(move || {
        for count in 1_u64.. {
            store.set_meta("count", &count.to_string()).unwrap();
            saved.send(count).unwrap();
            store.check().unwrap();
        }
    });
    let last = told.iter().nth(5).unwrap();
    store.stop();
    println!("saved {last}");
    std::process::exit(0);
}
