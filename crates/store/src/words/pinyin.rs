//! Pinyin of names: keys for sorting by reading, and the words that a name is found by.

use std::collections::BTreeSet;

use pinyin::{ToPinyin, ToPinyinMulti};

use crate::words::surnames;

/// Longer texts are titles, not names: nobody types their pinyin.
const LONGEST_NAME: usize = 20;
/// Up to this length every reading of every character counts; the names of people are that short.
const EVERY_READING: usize = 6;
/// No name has more combinations of readings that anyone would type.
const MOST_SPELLINGS: usize = 48;

/// The key that sorts names by pinyin, the surname read as a surname; equal readings sort by character.
pub fn sort_key(name: &str) -> String {
    let name = name.trim();
    let (mut key, skip) = match surnames::reading(name) {
        Some((reading, length)) => (reading.iter().map(|part| format!("{part} ")).collect(), length),
        None => (String::new(), 0),
    };
    for letter in name.chars().skip(skip) {
        match letter.to_pinyin() {
            Some(reading) => {
                key.extend(reading.plain().chars().map(|letter| if letter == 'ü' { 'v' } else { letter }));
                key.push(' ');
            }
            None => key.extend(letter.to_lowercase()),
        }
    }
    key.push('\u{1}');
    key.push_str(name);
    key
}

/// The letter that a name stands under in an index: A to Z, or `#`.
pub fn letter(name: &str) -> char {
    match sort_key(name).chars().next() {
        Some(first) if first.is_ascii_alphabetic() => first.to_ascii_uppercase(),
        _ => '#',
    }
}

/// The words that find a name, separated by spaces, for a page that matches by itself.
pub fn search_keys(name: &str) -> String {
    name_tokens(name).into_iter().collect::<Vec<_>>().join(" ")
}

/// The words that find a name: full spellings and initials, from the first character and from each later one.
fn name_tokens(name: &str) -> BTreeSet<String> {
    let letters: Vec<char> = name.chars().filter(|letter| letter.to_pinyin().is_some()).collect();
    let mut tokens = BTreeSet::new();
    if letters.is_empty() || letters.len() > LONGEST_NAME {
        return tokens;
    }
    let readings = readings(name, &letters);
    let starts = if letters.len() <= EVERY_READING { letters.len() } else { 1 };
    for start in 0..starts {
        for spelling in spellings(&readings[start..]) {
            let initials: String = spelling.iter().filter_map(|syllable| syllable.chars().next()).collect();
            if let Some((first, rest)) = spelling.split_first() {
                let ends: String = rest.iter().filter_map(|syllable| syllable.chars().next()).collect();
                tokens.insert(format!("{first}{ends}"));
            }
            tokens.insert(initials);
            tokens.insert(spelling.concat());
        }
    }
    tokens
}

fn readings(name: &str, letters: &[char]) -> Vec<Vec<String>> {
    let every = letters.len() <= EVERY_READING;
    let surname = surnames::reading(name).map_or(&[][..], |(reading, _)| reading);
    let of = |(at, letter): (usize, &char)| {
        let mut found: Vec<String> = surname.get(at).map(|known| (*known).to_owned()).into_iter().collect();
        for reading in letter.to_pinyin_multi().into_iter().flatten() {
            let plain = reading.plain();
            let spelled = if plain.contains('ü') {
                vec![plain.replace('ü', "v"), plain.replace('ü', "u")]
            } else {
                vec![plain.to_owned()]
            };
            found.extend(spelled);
        }
        let mut seen = BTreeSet::new();
        found.retain(|reading| seen.insert(reading.clone()));
        if !every {
            found.truncate(1);
        }
        found
    };
    letters.iter().enumerate().map(of).collect()
}

/// Every way to read the characters one after another, the usual readings first, bounded.
fn spellings(readings: &[Vec<String>]) -> Vec<Vec<&str>> {
    readings.iter().fold(vec![Vec::new()], |begun, choices| {
        let longer = begun.iter().flat_map(|start| {
            choices
                .iter()
                .map(move |choice| start.iter().copied().chain([choice.as_str()]).collect::<Vec<_>>())
        });
        longer.take(MOST_SPELLINGS).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::{letter, name_tokens, sort_key};

    #[test]
    fn surnames_are_read_as_surnames() {
        let cases = [
            ("单田芳", "shan ", 'S'),
            ("区小明", "ou ", 'O'),
            ("覃海", "qin ", 'Q'),
            ("仇英", "qiu ", 'Q'),
            ("缪芳", "miao ", 'M'),
            ("尉迟敬德", "yu chi ", 'Y'),
            ("欧阳修", "ou yang ", 'O'),
            ("吕布", "lv ", 'L'),
            ("王强", "wang ", 'W'),
            ("Alice", "alice", 'A'),
            ("123", "123", '#'),
            ("", "\u{1}", '#'),
        ];
        for (name, begins, index) in cases {
            assert!(sort_key(name).starts_with(begins), "{name}: {}", sort_key(name));
            assert_eq!(letter(name), index, "{name}");
        }
    }

    #[test]
    fn names_sort_by_reading_and_not_by_letters() {
        let mut names = ["王强", "单田芳", "安宁", "尉迟敬德", "曾国", "宗泽"];
        names.sort_by_key(|name| sort_key(name));
        assert_eq!(names, ["安宁", "单田芳", "王强", "尉迟敬德", "曾国", "宗泽"]);
    }

    #[test]
    fn a_name_is_found_by_every_reading() {
        let cases = [
            (
                "单田芳",
                ["stf", "dtf", "ctf", "shantianfang", "dantianfang", "chantianfang", "tf", "shantf"]
                    .as_slice(),
            ),
            ("吕布", &["lb", "lvbu", "lubu", "bu", "b"]),
            ("尉迟敬德", &["ycjd", "yuchijingde", "wcjd"]),
            ("郑强红", &["zqh", "zhengqianghong", "qh"]),
        ];
        for (name, wanted) in cases {
            let tokens = name_tokens(name);
            for token in wanted {
                assert!(tokens.contains(*token), "{name} is found by {token}: {tokens:?}");
            }
        }
    }

    #[test]
    fn long_texts_have_no_pinyin_words() {
        assert!(name_tokens(&"学".repeat(21)).is_empty());
        assert!(name_tokens("三月份主题党日活动暨集中学习").len() <= 3, "one reading each");
    }
}
