//! A city that was set back to an earlier copy, and a laptop that died in the middle: the next exchange heals both.

use crate::town::{Laptop, Town, promise};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::Author;

#[test]
fn a_city_set_back_to_before_an_enrolment_learns_it_from_that_laptop() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let earlier = town.copy("earlier");
    let b = Laptop::joined(&town, "b");
    b.write("r2", promise(2));
    b.exchange().unwrap();
    town.set_back(earlier);
    b.write("r3", promise(3));
    b.exchange().unwrap();
    b.agrees_with(&town);
    a.exchange().unwrap();
    a.agrees_with(&town);
}

#[test]
fn a_city_set_back_to_before_a_new_identity_learns_it_from_that_laptop() {
    let mut town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write("r1", promise(1));
    a.exchange().unwrap();
    let earlier = town.copy("earlier");
    a.store.renew_identity(&Author::new("zhd"), "a").unwrap();
    a.exchange().unwrap();
    town.set_back(earlier);
    a.exchange().unwrap();
    a.agrees_with(&town);
}

#[test]
fn what_arrived_just_before_the_process_died_counts_as_held_by_the_city() {
    let town = Town::new();
    let a = Laptop::enrolled(&town, "a");
    a.write_many("r", 3);
    a.exchange().unwrap();
    for commit in 1..=5 {
        let b = Laptop::joined(&town, &format!("b{commit}"));
        a.write(&format!("later{commit}"), promise(commit));
        a.exchange().unwrap();
        let commits = Arc::new(AtomicUsize::new(0));
        let counted = commits.clone();
        b.store.on_changed(Arc::new(move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) + 1 == commit {
                resume_unwind(Box::new("the process died"));
            }
        }));
        let _died = catch_unwind(AssertUnwindSafe(|| b.exchange()));
        b.exchange().unwrap();
        b.agrees_with(&town);
    }
}
