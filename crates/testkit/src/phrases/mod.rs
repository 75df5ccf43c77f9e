//! Chinese text as secretaries write it: made of many short parts, so that it is neither the same twice nor noise.

mod words;

use crate::random::Random;

use words::{COUNTED, GIVEN, MANNERS, NOUNS, PLACES, QUALITIES, STREETS, SURNAMES, TIMES, TOPICS, VERBS};

/// One sentence of two to five clauses.
pub fn sentence(random: &mut Random) -> String {
    let mut text = match random.below(4) {
        0 => format!("{}说：", person(random)),
        1 => random.pick(TIMES).to_owned(),
        _ => String::new(),
    };
    let clauses = random.between(2, 5);
    for place in 1..=clauses {
        text.push_str(&clause(random));
        text.push_str(if place == clauses { "。" } else { random.pick(&["，", "，", "，", "；"]) });
    }
    text
}

fn clause(random: &mut Random) -> String {
    let (noun, verb) = (random.pick(NOUNS), random.pick(VERBS));
    match random.below(7) {
        0 => format!("{}{}{verb}了{noun}", person(random), random.pick(MANNERS)),
        1 => format!("{noun}{}，要{}{verb}", random.pick(QUALITIES), random.pick(MANNERS)),
        2 => {
            format!("{}{verb}{noun}{}{}", random.pick(MANNERS), random.between(2, 480), random.pick(COUNTED))
        }
        3 => format!("{}的{noun}由{}{verb}", random.pick(QUALITIES), person(random)),
        4 => format!("先{verb}{noun}再{}{}", random.pick(VERBS), random.pick(NOUNS)),
        5 => format!("{noun}和{}都{}", random.pick(NOUNS), random.pick(QUALITIES)),
        _ => format!("{}{}{verb}{noun}", random.pick(TIMES), random.pick(MANNERS)),
    }
}

/// Sentences until the text has at least `characters` characters, in paragraphs of a few.
pub fn text(random: &mut Random, characters: usize) -> String {
    let mut text = String::new();
    let mut length = 0;
    let mut left = random.between(3, 7);
    while length < characters {
        let next = sentence(random);
        length += next.chars().count();
        text.push_str(&next);
        left -= 1;
        if left == 0 && length < characters {
            text.push('\n');
            left = random.between(3, 7);
        }
    }
    text
}

pub fn topic(random: &mut Random) -> String {
    match random.below(3) {
        0 => random.pick(TOPICS).to_owned(),
        1 => format!("{}、{}", random.pick(TOPICS), clause(random)),
        _ => format!("{}：{}", random.pick(TOPICS), clause(random)),
    }
}

/// What somebody promises or is asked to do.
pub fn task(random: &mut Random) -> String {
    let month = random.between(1, 12);
    format!("{}，{month}月底以前{}，{}，{}", clause(random), clause(random), clause(random), clause(random))
}

pub fn person(random: &mut Random) -> String {
    format!("{}{}{}", random.pick(SURNAMES), random.pick(GIVEN), random.pick(GIVEN))
}

pub fn place(random: &mut Random) -> &'static str {
    random.pick(PLACES)
}

pub fn address(random: &mut Random) -> String {
    format!("泰安市{}{}号", random.pick(STREETS), random.between(1, 899))
}
