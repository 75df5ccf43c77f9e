//! Words of Chinese text: pairs of neighbouring characters, so that any substring of one character or more is found.
//!
//! A run of characters `上党课` is indexed as `上党 党课 课`: the last one stands alone, so that a single character is
//! always the beginning of a word, and no pair crosses the end of a run.

/// The words of a text for the index, in order, separated by spaces.
pub(crate) fn body_tokens(text: &str) -> String {
    let mut words = String::with_capacity(text.len() * 3);
    add_tokens(text, &mut words);
    words
}

/// Adds the words of a text to others. A long text has thousands: none is made apart.
pub(crate) fn add_tokens(text: &str, words: &mut String) {
    let mut before = Before::Nothing;
    for letter in text.chars() {
        let now = match letter {
            _ if letter.is_ascii_alphanumeric() => Before::Word,
            _ if letter.is_alphanumeric() => Before::Han(letter),
            _ => Before::Nothing,
        };
        match (before, now) {
            (Before::Han(first), Before::Han(second)) => begin(words, &[first, second]),
            (Before::Han(last), Before::Word) => {
                begin(words, &[last]);
                begin(words, &[letter.to_ascii_lowercase()]);
            }
            (Before::Han(last), Before::Nothing) => begin(words, &[last]),
            (Before::Word, Before::Word) => words.push(letter.to_ascii_lowercase()),
            (Before::Nothing, Before::Word) => begin(words, &[letter.to_ascii_lowercase()]),
            (Before::Nothing | Before::Word, Before::Han(_) | Before::Nothing) => {}
        }
        before = now;
    }
    if let Before::Han(last) = before {
        begin(words, &[last]);
    }
}

/// What stands before a letter.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// A letter or digit of ASCII.
    Word,
    /// Anything else that is written.
    Han(char),
}

fn begin(words: &mut String, letters: &[char]) {
    if !words.is_empty() {
        words.push(' ');
    }
    words.extend(letters);
}

/// The FTS5 expression that finds what a person typed; `None` if there is nothing to look for.
pub(crate) fn query(typed: &str) -> Option<String> {
    let plain: String = typed.chars().filter(|letter| !matches!(letter, '\'' | '’' | '·')).collect();
    let parts: Vec<String> = runs(&plain)
        .into_iter()
        .map(|run| match run {
            Run::Word(word) => format!("\"{word}\" *"),
            Run::Han(letters) if letters.len() == 1 => format!("\"{}\" *", letters[0]),
            Run::Han(letters) => {
                let pairs: Vec<String> = letters.windows(2).map(|pair| pair.iter().collect()).collect();
                format!("\"{}\"", pairs.join(" "))
            }
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

enum Run {
    /// Letters and digits of ASCII, in lower case.
    Word(String),
    /// Anything else that is written: Chinese characters, also rare ones.
    Han(Vec<char>),
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut fresh = true;
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            let letter = letter.to_ascii_lowercase();
            match runs.last_mut() {
                Some(Run::Word(word)) if !fresh => word.push(letter),
                _ => runs.push(Run::Word(letter.to_string())),
            }
            fresh = false;
        } else if letter.is_alphanumeric() {
            match runs.last_mut() {
                Some(Run::Han(letters)) if !fresh => letters.push(letter),
                _ => runs.push(Run::Han(vec![letter])),
            }
            fresh = false;
        } else {
            fresh = true;
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::{body_tokens, query};

    #[test]
    fn text_becomes_pairs() {
        let cases = [
            ("上党课", "上党 党课 课"),
            ("党", "党"),
            ("学习，讨论", "学习 习 讨论 论"),
            ("2026年3月 ABC", "2026 年 3 月 abc"),
            ("", ""),
            ("𠮷野家", "𠮷野 野家 家"),
        ];
        for (text, words) in cases {
            assert_eq!(body_tokens(text), words, "{text}");
        }
    }

    #[test]
    fn what_is_typed_becomes_an_expression() {
        let cases = [
            ("党", Some("\"党\" *")),
            ("党课", Some("\"党课\"")),
            ("上党课", Some("\"上党 党课\"")),
            ("zhang'san", Some("\"zhangsan\" *")),
            ("LvB 党课", Some("\"lvb\" * AND \"党课\"")),
            ("\"; DROP *", Some("\"drop\" *")),
            ("，。 ", None),
        ];
        for (typed, expression) in cases {
            assert_eq!(query(typed).as_deref(), expression, "{typed}");
        }
    }
}
