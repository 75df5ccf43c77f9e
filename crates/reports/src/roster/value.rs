//! Cells of closed lists and plain text.

/// Full-width letters, digits and signs as half-width ones; the ideographic space as a space.
pub(super) fn half_width(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\u{ff01}'..='\u{ff5e}' => {
                char::from_u32(letter as u32 - 0xfee0).expect("the full-width block mirrors ASCII")
            }
            '\u{3000}' | '\u{a0}' => ' ',
            other => other,
        })
        .collect()
}

/// What people write into a cell that they leave empty.
pub(super) fn is_blank(text: &str) -> bool {
    text.is_empty() || matches!(text, "-" | "--" | "—" | "——" | "/" | "\\" | "无")
}

pub(super) fn compact(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

pub(super) fn sex(text: &str) -> Option<&'static str> {
    match compact(text).as_str() {
        "男" | "男性" => Some("m"),
        "女" | "女性" => Some("f"),
        _ => None,
    }
}

pub(super) fn membership(text: &str) -> Option<&'static str> {
    match compact(text).as_str() {
        "正常" => Some("normal"),
        "保留" => Some("kept"),
        "恢复" => Some("restored"),
        "停止" => Some("stopped"),
        "开除" => Some("expelled"),
        _ => None,
    }
}

/// What a roster says that a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Full,
    Probationary,
    /// 党员, without saying which.
    Member,
    Other(&'static str),
}

impl Category {
    pub fn code(self) -> &'static str {
        match self {
            Category::Full | Category::Probationary | Category::Member => "member",
            Category::Other(code) => code,
        }
    }
}

pub(super) fn category(text: &str) -> Option<Category> {
    let found = match compact(text).as_str() {
        "正式党员" | "正式" => Category::Full,
        "预备党员" | "中共预备党员" | "预备" => Category::Probationary,
        "党员" | "中共党员" | "中国共产党党员" => Category::Member,
        "发展对象" => Category::Other("candidate"),
        "入党积极分子" | "积极分子" => Category::Other("activist"),
        "入党申请人" | "申请人" => Category::Other("applicant"),
        "群众" => Category::Other("mass"),
        "出资人" => Category::Other("owner"),
        "党建指导员" => Category::Other("guide"),
        _ => return None,
    };
    Some(found)
}

/// The posts that a cell lists, by their codes; `Err` names what is not understood.
pub(super) fn posts(text: &str) -> Result<Vec<&'static str>, String> {
    let mut posts = Vec::new();
    for word in
        text.split(['、', ',', '，', ';', '；', '/', ' ', '\n']).map(compact).filter(|word| !word.is_empty())
    {
        let plain = word.trim_start_matches("党支部").trim_start_matches("支部").trim_start_matches("支委会");
        let post = match plain {
            "书记" => "secretary",
            "副书记" => "deputy",
            "组织委员" => "organisation",
            "宣传委员" => "publicity",
            "纪检委员" | "纪律检查委员" => "discipline",
            "委员" => "member",
            "党小组长" | "党小组组长" | "小组长" | "组长" => "group_leader",
            "党员" | "普通党员" => continue,
            _ => return Err(word),
        };
        if !posts.contains(&post) {
            posts.push(post);
        }
    }
    Ok(posts)
}

/// The group of that name: as written, or by its number alone when that fits one group only.
pub(super) fn group<'a>(text: &str, groups: &'a [(String, String)]) -> Option<&'a str> {
    let name = compact(text);
    if let Some((id, _)) = groups.iter().find(|(_, known)| compact(known) == name) {
        return Some(id);
    }
    let core = group_core(&name);
    let mut alike = groups.iter().filter(|(_, known)| group_core(&compact(known)) == core);
    match (alike.next(), alike.next()) {
        (Some((id, _)), None) if !core.is_empty() => Some(id),
        _ => None,
    }
}

fn group_core(name: &str) -> String {
    let name = name.replace("党小组", "").replace("小组", "").replace(['第', '组'], "");
    let digits = "一二三四五六七八九";
    name.chars()
        .map(|letter| match letter.to_digit(10) {
            Some(digit @ 1..=9) if name.len() == 1 => {
                digits.chars().nth(digit as usize - 1).unwrap_or(letter)
            }
            _ => letter,
        })
        .collect()
}

/// A mobile number, or one of a fixed line with its area code.
pub(super) fn phone(text: &str) -> Result<String, &'static str> {
    let text = text.strip_prefix("+86").unwrap_or(text);
    if scientific(text) {
        return Err("phone_scientific");
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if text.chars().any(|letter| !matches!(letter, '0'..='9' | '-' | ' ' | '(' | ')')) {
        return Err("phone_invalid");
    }
    match digits.len() {
        11 if digits.starts_with('1') => Ok(digits),
        7 | 8 if !text.contains([' ', '(']) => Ok(compact(text)),
        10..=12 if digits.starts_with('0') => Ok(compact(text)),
        _ => Err("phone_invalid"),
    }
}

/// Whether a spreadsheet shows the number as a power of ten and so has lost its digits.
pub(super) fn scientific(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let Some((mantissa, exponent)) = text.split_once('E') else { return false };
    let number = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))
    };
    number(mantissa) && number(exponent)
}

#[cfg(test)]
mod tests {
    use super::{group, phone, posts};

    #[test]
    fn posts_are_read_or_named() {
        let cases: [(&str, Result<&[&str], &str>); 8] = [
            ("书记", Ok(&["secretary"])),
            ("党支部书记", Ok(&["secretary"])),
            ("组织委员、宣传委员", Ok(&["organisation", "publicity"])),
            ("党小组长", Ok(&["group_leader"])),
            ("普通党员", Ok(&[])),
            ("", Ok(&[])),
            ("组织、宣传委员", Err("组织")),
            ("书记兼工会主席", Err("书记兼工会主席")),
        ];
        for (text, expected) in cases {
            let found = posts(text);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn groups_are_found_by_name_or_number() {
        let groups = [("g1".to_owned(), "第一党小组".to_owned()), ("g2".to_owned(), "第二党小组".to_owned())];
        let cases = [
            ("第一党小组", Some("g1")),
            ("第一小组", Some("g1")),
            ("二组", Some("g2")),
            ("2", Some("g2")),
            ("三组", None),
            ("党小组", None),
        ];
        for (text, expected) in cases {
            assert_eq!(group(text, &groups), expected, "{text}");
        }
    }

    #[test]
    fn phones_are_whole_or_refused() {
        let cases = [
            ("13900983959", Ok("13900983959")),
            ("139 0098 3959", Ok("13900983959")),
            ("139-0098-3959", Ok("13900983959")),
            ("+8613900983959", Ok("13900983959")),
            ("0538-6991234", Ok("0538-6991234")),
            ("6991234", Ok("6991234")),
            ("1.3901E+10", Err("phone_scientific")),
            ("1390098395", Err("phone_invalid")),
            ("13900983959/13900983960", Err("phone_invalid")),
        ];
        for (text, expected) in cases {
            assert_eq!(phone(text), expected.map(str::to_owned), "{text}");
        }
    }
}
