use super::{Branch, Known, Preview, preview};
use chrono::NaiveDate;

fn read(text: &str) -> Preview {
    let groups = [("g1".to_owned(), "第一党小组".to_owned()), ("g2".to_owned(), "第二党小组".to_owned())];
    let known = [Known { name: "周海东".into(), id_number: String::new() }];
    let today = NaiveDate::from_ymd_opt(2026, 11, 1).expect("a date");
    preview(text, None, &Branch { today, groups: &groups, known: &known })
}

#[test]
fn a_clean_sheet_is_read_whole() {
    let sheet = "中国共产党员花名册\t\t\t\t\t\t\t\n\
        姓名\t性别\t公民身份号码\t加入党组织日期\t转为正式党员日期\t党内职务\t党小组\t联系电话\n\
        郑强红\t男\t379999196305240890\t2006.9.22\t2007年9月22日\t书记\t第一小组\t139 0098 3959\n\
        毛新宏\t男\t\t202311\t45602\t\t\t\n";
    let read = read(sheet);
    assert_eq!(read.rows.len(), 2, "the title above the header is no row");
    let first = &read.rows[0];
    assert!(first.is_good(), "{:?}", first.problems);
    assert_eq!(first.line, 3);
    let values: Vec<&str> = first.values.values().map(String::as_str).collect();
    assert_eq!(
        values,
        ["郑强红", "m", "379999196305240890", "13900983959", "2006-09-22", "2007-09-22", "g1"]
    );
    assert_eq!(first.posts, ["secretary"]);
    let second: Vec<(&str, &str)> =
        read.rows[1].repairs.iter().map(|repair| (repair.from.as_str(), repair.to.as_str())).collect();
    assert_eq!(second, [("202311", "2023-11-01"), ("45602", "2024-11-06")], "what was reshaped is listed");
}

/// Cells under 姓名 性别 出生日期 身份证号 人员类别 入党时间 转正日期 党内职务 党小组.
#[test]
fn what_is_wrong_or_uncertain_is_named_by_cell() {
    let cases = [
        ("张三\t男\t\t\t正式党员\t2020.1.5\t2021.1.5\t\t", &[][..]),
        ("\t男\t\t\t正式党员\t2020.1.5\t2021.1.5\t\t", &[(Some(0), "name_missing")]),
        ("张三\t无\t\t\t正式党员\t2020.1.5\t2021.1.5\t\t", &[]),
        ("张三\tM\t\t\t正式党员\t2020.1.5\t2021.1.5\t\t", &[(Some(1), "sex_unknown")]),
        ("张三\t女\t\t379999196305240890\t正式党员\t2020.1.5\t2021.1.5\t\t", &[(Some(3), "id_sex")]),
        (
            "张三\t男\t1963年6月\t379999196305240890\t正式党员\t2020.1.5\t2021.1.5\t\t",
            &[(Some(3), "id_born")],
        ),
        ("张三\t男\t1963年5月\t379999196305240890\t正式党员\t2020.1.5\t2021.1.5\t\t", &[]),
        ("张三\t男\t\t3.79999E+17\t正式党员\t2020.1.5\t2021.1.5\t\t", &[(Some(3), "id_scientific")]),
        ("张三\t男\t\t379999196305240000\t正式党员\t2020.1.5\t2021.1.5\t\t", &[(Some(3), "id_digits_lost")]),
        ("张三\t\t\t\t正式党员\t20.1.5\t2021.1.5\t\t", &[(Some(5), "date_ambiguous")]),
        ("张三\t\t\t\t正式党员\t2020.1.5\t2019.1.5\t\t", &[(Some(6), "confirmed_before_joined")]),
        ("张三\t\t2021.3.1\t\t正式党员\t2020.1.5\t2021.1.5\t\t", &[(Some(5), "joined_before_born")]),
        ("张三\t\t\t\t正式党员\t2020.1.5\t2027.1.5\t\t", &[(Some(6), "date_in_future")]),
        ("张三\t\t\t\t正式党员\t2020.1.5\t\t\t", &[(Some(6), "confirmed_missing")]),
        ("张三\t\t\t\t预备党员\t2020.1.5\t2021.1.5\t\t", &[(Some(6), "standing_contradicts")]),
        ("张三\t\t\t\t预备党员\t2026.1.5\t\t\t", &[]),
        ("张三\t\t\t\t党员\t2026.1.5\t\t\t", &[]),
        ("张三\t\t\t\t\t\t\t\t", &[(Some(6), "standing_unknown")]),
        ("张三\t\t\t\t群众\t\t\t\t", &[]),
        ("张三\t\t\t\t队长\t2020.1.5\t2021.1.5\t\t", &[(Some(4), "category_unknown")]),
        (
            "张三\t\t\t\t正式党员\t2020.1.5\t2021.1.5\t班长\t第三小组",
            &[(Some(7), "post_unknown"), (Some(8), "group_unknown")],
        ),
        ("张三\t\t\t\t正式党员\t2020.1.5\t2021.1.5\t\t\t多", &[(None, "too_many_cells")]),
        ("张三", &[(Some(6), "standing_unknown")]),
    ];
    for (row, expected) in cases {
        let sheet = format!(
            "姓名\t性别\t出生日期\t身份证号\t人员类别\t入党时间\t转正日期\t党内职务\t党小组\n{row}\n"
        );
        let read = read(&sheet);
        assert_eq!(read.rows.len(), 1, "{row}");
        let found: Vec<(Option<u32>, &str)> =
            read.rows[0].problems.iter().map(|problem| (problem.column, problem.code)).collect();
        assert_eq!(found, expected, "{row}");
    }
}

#[test]
fn persons_who_are_here_or_come_twice_are_not_taken_in_again() {
    let sheet = "姓名\t身份证号\t入党时间\t转正日期\n\
        周海东\t\t2001.1.1\t2002.1.1\n\
        王芳\t379999200104050731\t2020.1.1\t2021.1.1\n\
        王芳\t379999197509010696\t2020.1.1\t2021.1.1\n\
        王芳\t\t2020.1.1\t2021.1.1\n\
        李刚\t379999200104050731\t2020.1.1\t2021.1.1\n\
        姓名\t身份证号\t入党时间\t转正日期\n";
    let read = read(sheet);
    let codes: Vec<(bool, Vec<&str>)> = read
        .rows
        .iter()
        .map(|row| (row.known, row.problems.iter().map(|problem| problem.code).collect()))
        .collect();
    let expected = [
        (true, vec![]),
        (false, vec![]),
        (false, vec![]),
        (false, vec!["name_repeated"]),
        (false, vec!["id_repeated"]),
    ];
    assert_eq!(codes, expected, "a header repeated by printing is no person");
}

#[test]
fn without_a_header_only_certain_columns_are_taken() {
    let read = read(
        "王芳\t女\t379999200104050731\t13900983959\t2020.1.1\n李刚\t男\t379999197509010696\t\t2021.1.1\n",
    );
    let names: Vec<&str> =
        read.columns.iter().map(|column| column.map_or("", |field| field.name())).collect();
    assert_eq!(names, ["name", "sex", "id_number", "phone", ""], "a date could be any of four");
    assert_eq!(read.rows.len(), 2);
}

#[test]
fn a_mapping_by_hand_replaces_the_guess() {
    let branch =
        Branch { today: NaiveDate::from_ymd_opt(2026, 11, 1).expect("a date"), groups: &[], known: &[] };
    let columns = ["name", "joined", "confirmed", "nonsense"].map(str::to_owned);
    let read = preview("王芳\t2020.1.1\t2021.1.1\tx", Some(&columns), &branch);
    assert!(read.rows[0].is_good(), "{:?}", read.rows[0].problems);
}

#[test]
fn broken_pastes_are_read_without_harm() {
    for text in
        ["", "\n\n\t\t\n", "\"", "\"\t\"\n\"", "姓名", "姓名\t姓名\n\t\n", "\u{0}\t\u{0}", &"\t".repeat(5000)]
    {
        let read = read(text);
        assert!(read.rows.iter().all(|row| !row.is_good()), "{text:?}");
    }
}
