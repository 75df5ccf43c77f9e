//! 涉密不上网，上网不涉密: texts that carry a secrecy marking are not taken in.

/// The marking that a text carries, as found.
pub fn marking(text: &str) -> Option<String> {
    if !text.contains('密') && !text.contains("内部") {
        return None;
    }
    let letters: Vec<char> = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    (0..letters.len()).find_map(|at| grade(&letters, at).or_else(|| internal(&letters[at..])))
}

/// The marking that the name of a file carries: also a grade that stands by itself, `【机密】名单.pdf`.
pub fn name_marking(name: &str) -> Option<String> {
    let letters: Vec<char> = name.chars().collect();
    let alone = |at: usize| {
        let by_itself = at.checked_sub(1).is_none_or(|before| !is_han(letters[before]))
            && letters.get(at + 2).is_none_or(|after| !is_han(*after));
        let graded = GRADES.iter().any(|grade| letters[at..].starts_with(grade));
        (graded && by_itself).then(|| letters[at..at + 2].iter().collect())
    };
    marking(name).or_else(|| (0..letters.len()).find_map(alone))
}

const GRADES: [[char; 2]; 3] = [['绝', '密'], ['机', '密'], ['秘', '密']];
const STARS: [char; 4] = ['★', '☆', '*', '＊'];
/// What may stand between a grade and the term of its secrecy.
const BETWEEN: [char; 4] = [':', '：', '(', '（'];

/// A grade with ★, or with a term where the grade stands by itself: 保守国家秘密 is no marking.
fn grade(letters: &[char], at: usize) -> Option<String> {
    let rest = &letters[at..];
    if !GRADES.iter().any(|grade| rest.starts_with(grade)) {
        return None;
    }
    let before = at.checked_sub(1).map(|at| letters[at]);
    let after = &rest[2..];
    let starred = after.first().is_some_and(|letter| STARS.contains(letter))
        || before.is_some_and(|letter| matches!(letter, '★' | '☆'));
    let alone = before.is_none_or(|letter| !is_han(letter));
    let term = term(after);
    (starred || (alone && term > 0)).then(|| rest[..2 + term.max(1).min(after.len())].iter().collect())
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}')
}

/// The length of `10年`, `六个月`, `长期`, with what joins it to the grade; 0 when there is none.
fn term(after: &[char]) -> usize {
    let joined = after.iter().take_while(|letter| BETWEEN.contains(letter) || STARS.contains(letter)).count();
    let rest = &after[joined..];
    if rest.starts_with(&['长', '期']) {
        return joined + 2;
    }
    let number = |letter: &&char| {
        letter.is_ascii_digit()
            || ('０'..='９').contains(*letter)
            || "一二三四五六七八九十".contains(**letter)
    };
    let digits = rest.iter().take_while(number).count();
    let unit: &[char] = &rest[digits..];
    let months = unit.starts_with(&['个', '月']);
    let years = unit.starts_with(&['年']) && digits <= 2;
    if digits > 0 && (years || months) { joined + digits + 1 } else { 0 }
}

/// 内部资料，不得外传 and its relatives.
fn internal(letters: &[char]) -> Option<String> {
    let heads: [&[char]; 3] =
        [&['内', '部', '资', '料'], &['内', '部', '文', '件'], &['内', '部', '材', '料']];
    let head = heads.iter().find(|head| letters.starts_with(head))?;
    let rest = &letters[head.len()..];
    let joined = rest.iter().take_while(|letter| "，,、；;！!。·-—".contains(**letter)).count();
    let tail: String = rest[joined..].iter().take(4).collect();
    let closed = ["不得外传", "严禁外传", "请勿外传", "禁止外传", "注意保密"].contains(&tail.as_str());
    closed.then(|| letters[..head.len() + joined + 4].iter().collect())
}

#[cfg(test)]
mod tests {
    use super::{marking, name_marking};

    #[test]
    fn a_grade_by_itself_in_the_name_of_a_file_is_a_marking() {
        for (name, expected) in [
            ("【机密】名单.pdf", true),
            ("秘密-2026年通报.jpg", true),
            ("会议材料(绝密).pdf", true),
            ("机密.jpg", true),
            ("机密★10年.pdf", true),
            ("内部资料 不得外传.pdf", true),
            ("保守国家秘密法学习.jpg", false),
            ("学习保密法.jpg", false),
            ("秘密投票现场.jpg", false),
            ("IMG_2031.jpg", false),
            ("", false),
        ] {
            assert_eq!(name_marking(name).is_some(), expected, "{name}");
        }
    }

    #[test]
    fn markings_are_found_and_ordinary_words_are_not() {
        let cases = [
            ("机密★10年", true),
            ("秘密★", true),
            ("★秘密", true),
            ("绝 密 ★ 长期", true),
            ("机密*1年", true),
            ("秘密　6个月", true),
            ("附件：\n秘密 10年\n某某通知", true),
            ("（机密：三十年）", true),
            ("内部资料 不得外传", true),
            ("内部资料，不得外传", true),
            ("内部文件、请勿外传", true),
            ("学习保守国家秘密法", false),
            ("保守国家秘密10年无泄密", false),
            ("商业秘密3年内不得泄露", false),
            ("传达学习上级文件精神", false),
            ("强调保密纪律，机密文件柜由专人管理", false),
            ("亲密★伙伴", false),
            ("内部资料整理完毕", false),
            ("2026年秘密投票", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(marking(text).is_some(), expected, "{text}: {:?}", marking(text));
        }
    }
}
