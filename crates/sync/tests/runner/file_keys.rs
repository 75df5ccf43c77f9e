//! Files of a city that was set back and signs with another key.

use sync::file::Scope;

use crate::town::{Laptop, START, Town, promise};

const TEN_YEARS: i64 = 3_653 * 86_400_000;

#[test]
fn a_city_whose_clock_was_set_back_tells_its_new_key() {
    let mut town = Town::new();
    let laptop = Laptop::enrolled_by_file(&town, "one");
    laptop.write("a", promise(1));
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    let copy = town.copy("same");
    town.set_back_at(copy, START - TEN_YEARS);
    town.city.rotate(&town.root()).unwrap();
    laptop.write("b", promise(2));
    town.refuses(&laptop.exports(), "not_for_us");
    let told = town.city.export_files("O003").unwrap();
    assert!(!laptop.reads(&told[0].bytes).unwrap().stale, "another key is news");
    laptop.reads(&town.takes(&laptop.exports()).answer.bytes).unwrap();
    assert_eq!(laptop.waits(), 0);
    laptop.agrees_with(&town);
}

#[test]
fn a_city_that_forgot_a_computer_still_opens_its_file() {
    let mut town = Town::new();
    let one = Laptop::enrolled_by_file(&town, "one");
    let copy = town.copy("before");
    let two = Laptop::enrolled_by_file(&town, "two");
    sync::reissue(&two.store, &Default::default(), START, "zhd").unwrap();
    two.write("b", promise(2));
    two.reads(&town.takes(&two.exports()).answer.bytes).unwrap();
    one.reads(&town.takes(&one.exports()).answer.bytes).unwrap();
    let signed = town.city.operating().unwrap().device();
    town.set_back(copy);
    one.reads(&town.takes(&one.makes(Scope::Everything).0).answer.bytes).unwrap();
    assert_ne!(town.city.operating().unwrap().device(), signed, "it was shown that it was set back");
    two.reads(&town.takes(&two.makes(Scope::Everything).0).answer.bytes).unwrap();
    two.agrees_with(&town);
}
