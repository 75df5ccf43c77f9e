//! What the columns of a pasted roster hold.

use super::table::Line;
use super::value::half_width;

/// A column's meaning. Its name is that of the field of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    Name,
    Category,
    Sex,
    Ethnic,
    Born,
    Education,
    IdNumber,
    Phone,
    Address,
    Unit,
    Job,
    Joined,
    Confirmed,
    Membership,
    MemberFrom,
    Posts,
    Group,
    Note,
}

/// Name, label and the headers that are known for it.
const FIELDS: [(Field, &str, &str, &[&str]); 18] = [
    (Field::Name, "name", "姓名", &["姓名", "名字", "党员姓名", "人员姓名"]),
    (Field::Category, "category", "人员类别", &["人员类别", "党员类别", "政治面貌", "类别", "党员身份"]),
    (Field::Sex, "sex", "性别", &["性别"]),
    (Field::Ethnic, "ethnic", "民族", &["民族"]),
    (Field::Born, "born", "出生日期", &["出生日期", "出生年月", "出生年月日", "出生时间", "生日"]),
    (Field::Education, "education", "学历", &["学历", "文化程度", "最高学历", "全日制学历", "教育程度"]),
    (
        Field::IdNumber,
        "id_number",
        "身份证号",
        &["公民身份号码", "身份证号", "身份证号码", "身份证", "公民身份证号", "公民身份证号码", "证件号码"],
    ),
    (
        Field::Phone,
        "phone",
        "联系电话",
        &["联系电话", "手机", "手机号", "手机号码", "电话", "联系方式", "电话号码", "移动电话"],
    ),
    (
        Field::Address,
        "address",
        "家庭住址",
        &["家庭住址", "住址", "现住址", "居住地", "现居住地", "家庭地址"],
    ),
    (Field::Unit, "unit", "工作单位", &["工作单位", "单位", "所在单位", "单位名称"]),
    (Field::Job, "job", "工作岗位", &["工作岗位", "岗位", "职务", "工作职务", "行政职务", "单位及职务"]),
    (
        Field::Joined,
        "joined",
        "入党日期",
        &[
            "入党日期",
            "入党时间",
            "加入党组织日期",
            "加入党组织时间",
            "加入中共组织的时间",
            "入党年月",
            "入党",
        ],
    ),
    (
        Field::Confirmed,
        "confirmed",
        "转正日期",
        &["转正日期", "转正时间", "转为正式党员日期", "转为正式党员时间", "转为正式党员的时间", "转正年月"],
    ),
    (Field::Membership, "membership", "党籍状态", &["党籍状态", "党籍"]),
    (
        Field::MemberFrom,
        "member_from",
        "组织关系转入日期",
        &["组织关系转入日期", "组织关系转入时间", "转入日期", "转入时间", "进入当前党支部日期"],
    ),
    (Field::Posts, "posts", "党内职务", &["党内职务", "党务职务", "支部职务", "党组织职务"]),
    (Field::Group, "group", "党小组", &["党小组", "所在党小组", "所属党小组", "小组"]),
    (Field::Note, "note", "备注", &["备注", "说明"]),
];

/// Headers that are understood and left out.
const LEFT_OUT: [&str; 8] = ["序号", "编号", "年龄", "党龄", "籍贯", "所在党支部", "党支部", "签名"];
/// A title and a date may stand above the header.
const HEADER_WITHIN: usize = 6;

impl Field {
    pub const ALL: [Field; 18] = {
        let mut all = [Field::Name; 18];
        let mut at = 0;
        while at < all.len() {
            all[at] = FIELDS[at].0;
            at += 1;
        }
        all
    };

    /// The name in requests and answers.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    pub fn label(self) -> &'static str {
        self.entry().2
    }

    pub fn parse(name: &str) -> Option<Field> {
        FIELDS.iter().find(|entry| entry.1 == name).map(|entry| entry.0)
    }

    fn entry(self) -> &'static (Field, &'static str, &'static str, &'static [&'static str]) {
        FIELDS.iter().find(|entry| entry.0 == self).expect("every field has its entry")
    }

    fn of_header(cell: &str) -> Option<Field> {
        let words = plain(cell);
        FIELDS.iter().find(|entry| entry.3.contains(&words.as_str())).map(|entry| entry.0)
    }
}

/// The row that names the columns: the first with 姓名, or with three headers that are known.
pub(super) fn find_header(lines: &[Line]) -> Option<usize> {
    lines.iter().take(HEADER_WITHIN).position(|line| {
        let known: Vec<Field> = line.cells.iter().filter_map(|cell| Field::of_header(cell)).collect();
        known.contains(&Field::Name) || known.len() >= 3
    })
}

/// A header that comes twice counts the first time.
pub(super) fn from_header(cells: &[String]) -> Vec<Option<Field>> {
    let mut seen = Vec::new();
    let mut of = |cell: &String| {
        let field = if LEFT_OUT.contains(&plain(cell).as_str()) { None } else { Field::of_header(cell) };
        let field = field.filter(|field| !seen.contains(field));
        seen.extend(field);
        field
    };
    cells.iter().map(&mut of).collect()
}

type Is = fn(&str) -> bool;

/// Without a header only columns that can be nothing else are taken: numbers, 男/女, and names in the first column.
pub(super) fn from_content(lines: &[Line]) -> Vec<Option<Field>> {
    let width = lines.iter().map(|line| line.cells.len()).max().unwrap_or(0);
    let all = |at: usize, is: Is| {
        let mut cells =
            lines.iter().filter_map(|line| line.cells.get(at)).filter(|cell| !cell.is_empty()).peekable();
        cells.peek().is_some() && cells.all(|cell| is(&half_width(cell)))
    };
    let mut columns: Vec<Option<Field>> = vec![None; width];
    let kinds: [(Field, Is); 4] = [
        (Field::Name, is_name),
        (Field::IdNumber, |cell| cell.len() == 18 && cell[..17].bytes().all(|byte| byte.is_ascii_digit())),
        (Field::Phone, |cell| {
            cell.len() == 11 && cell.starts_with('1') && cell.bytes().all(|b| b.is_ascii_digit())
        }),
        (Field::Sex, |cell| matches!(cell, "男" | "女")),
    ];
    for (field, is) in kinds {
        if let Some(at) = (0..width).find(|at| columns[*at].is_none() && all(*at, is)) {
            columns[at] = Some(field);
        }
    }
    columns
}

fn is_name(cell: &str) -> bool {
    let han = |letter: char| matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' | '·');
    (2..=4).contains(&cell.chars().count()) && cell.chars().all(han) && !matches!(cell, "汉族" | "回族")
}

/// A header without spaces, line breaks, asterisks and what stands in brackets.
fn plain(cell: &str) -> String {
    let cell = half_width(cell);
    let cell = cell.split('(').next().unwrap_or_default();
    cell.chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '*' | ':' | '/' | '\u{a0}'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Field, from_header};

    #[test]
    fn headers_are_known_by_their_synonyms() {
        let cases = [
            ("姓名", Some(Field::Name)),
            (" 姓　名 ", Some(Field::Name)),
            ("*名字", Some(Field::Name)),
            ("公民身份号码", Some(Field::IdNumber)),
            ("身份证号（18位）", Some(Field::IdNumber)),
            ("加入党组织\n日期", Some(Field::Joined)),
            ("转为正式党员日期", Some(Field::Confirmed)),
            ("出生年月(年月日)", Some(Field::Born)),
            ("党小组", Some(Field::Group)),
            ("序号", None),
            ("喜好", None),
        ];
        for (header, expected) in cases {
            assert_eq!(from_header(&[header.to_owned()]), [expected], "{header}");
        }
        let twice = from_header(&["姓名".to_owned(), "名字".to_owned()]);
        assert_eq!(
            twice,
            [Some(Field::Name), None],
            "the second column of one meaning is for a person to map"
        );
    }

    #[test]
    fn every_field_has_one_entry() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.name()), Some(field));
        }
    }
}
