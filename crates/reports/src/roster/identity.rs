//! ID numbers by GB 11643: 17 digits and a check character.

use super::value::scientific;
use chrono::NaiveDate;

/// A number whose check character is right, with what it says about its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub number: String,
    pub born: NaiveDate,
    /// `m` or `f`.
    pub sex: &'static str,
}

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";

/// Reads a number from half-width text; `Err` is the code of the reason.
pub(super) fn read(text: &str) -> Result<Identity, &'static str> {
    let text = text.trim_start_matches(['\'', '`', '‘', '’']);
    if scientific(text) {
        return Err("id_scientific");
    }
    let number: String =
        text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_uppercase();
    let bytes = number.as_bytes();
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if bytes.len() == 15 && digits(bytes) {
        return Err("id_old");
    }
    if bytes.len() != 18 {
        return Err("id_length");
    }
    if !digits(&bytes[..17]) || !(bytes[17].is_ascii_digit() || bytes[17] == b'X') {
        return Err("id_characters");
    }
    if check(bytes) != bytes[17] {
        // A spreadsheet keeps fifteen digits of a number and puts noughts for the rest.
        return Err(if number.ends_with("000") { "id_digits_lost" } else { "id_checksum" });
    }
    let born = NaiveDate::parse_from_str(&number[6..14], "%Y%m%d").map_err(|_| "id_birth")?;
    let sex = if (bytes[16] - b'0') % 2 == 1 { "m" } else { "f" };
    Ok(Identity { number, born, sex })
}

fn check(bytes: &[u8]) -> u8 {
    let sum: u32 = bytes.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    CHECKS[(sum % 11) as usize]
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn numbers_are_whole_or_refused_with_a_reason() {
        let cases = [
            ("379999196305240890", Ok(("1963-05-24", "m"))),
            ("'379999196305240890", Ok(("1963-05-24", "m"))),
            ("379999 19630524 0890", Ok(("1963-05-24", "m"))),
            ("11010519491231002x", Ok(("1949-12-31", "f"))),
            ("379999196305240891", Err("id_checksum")),
            ("3.79999E+17", Err("id_scientific")),
            ("3.79999196305241e17", Err("id_scientific")),
            ("379999196305240000", Err("id_digits_lost")),
            ("379999630524089", Err("id_old")),
            ("37999919630524089", Err("id_length")),
            ("3799991963052408X9", Err("id_characters")),
            ("张三", Err("id_length")),
        ];
        for (text, expected) in cases {
            let found = read(text).map(|identity| (identity.born.to_string(), identity.sex));
            assert_eq!(found, expected.map(|(born, sex)| (born.to_owned(), sex)), "{text}");
        }
    }

    #[test]
    fn a_right_check_character_does_not_save_an_impossible_birthday() {
        // 13th month; the check character is that of the first seventeen digits.
        let body = "37999919631324089";
        let found = ('0'..='9').chain(['X']).find_map(|check| match read(&format!("{body}{check}")) {
            Err("id_checksum" | "id_digits_lost") => None,
            other => Some(other),
        });
        assert_eq!(found, Some(Err("id_birth")));
    }
}
