//! The recovery code: 130 random bits as 26 characters and a check character, in groups that a person can copy
//! from paper.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Digits and letters without I, L, O and U, which are mistaken for others when written by hand.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SYMBOLS: usize = 26;

/// Why typed text is not a recovery code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error("it has {found} of {} characters", SYMBOLS + 1)]
    Length { found: usize },
    #[error("character {at} does not occur in a code")]
    Character { at: usize },
    #[error("the check character does not fit")]
    Check,
}

/// A recovery code. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode {
    symbols: [u8; SYMBOLS],
}

impl RecoveryCode {
    /// Makes a code of the low five bits of each byte: 130 bits.
    pub fn from_random(bytes: &[u8; SYMBOLS]) -> Self {
        Self { symbols: bytes.map(|byte| byte & 31) }
    }

    /// Reads what a person typed: case, spaces and dashes do not matter, and I, L and O are read as 1, 1 and 0.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let typed = typed_symbols(text)?;
        if typed.len() != SYMBOLS + 1 {
            return Err(CodeError::Length { found: typed.len() });
        }
        let mut symbols = [0; SYMBOLS];
        symbols.copy_from_slice(&typed[..SYMBOLS]);
        if check_symbol(&symbols) != typed[SYMBOLS] {
            return Err(CodeError::Check);
        }
        Ok(Self { symbols })
    }

    /// The code as it is shown and printed: `XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XX`.
    pub fn to_text(&self) -> String {
        let all = self.symbols.iter().copied().chain([check_symbol(&self.symbols)]);
        let letters: Vec<char> = all.map(|symbol| char::from(ALPHABET[usize::from(symbol)])).collect();
        letters.chunks(5).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.symbols
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

fn typed_symbols(text: &str) -> Result<Vec<u8>, CodeError> {
    let mut symbols = Vec::with_capacity(SYMBOLS + 1);
    for letter in text.chars().filter(|letter| !letter.is_whitespace() && !matches!(letter, '-' | '－' | '—'))
    {
        let letter = match letter.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            other => other,
        };
        let at = symbols.len() + 1;
        let found = ALPHABET.iter().position(|known| char::from(*known) == letter);
        symbols.push(found.and_then(|index| u8::try_from(index).ok()).ok_or(CodeError::Character { at })?);
    }
    Ok(symbols)
}

/// A weighted sum: odd weights are units modulo 32, so that any one wrong character is noticed, and neighbours
/// have different weights, so that most swaps are.
fn check_symbol(symbols: &[u8; SYMBOLS]) -> u8 {
    let sum: usize = symbols.iter().enumerate().map(|(at, symbol)| usize::from(*symbol) * (2 * at + 1)).sum();
    u8::try_from(sum % 32).expect("a remainder of 32 fits a byte")
}

#[cfg(test)]
mod tests {
    use super::{ALPHABET, CodeError, RecoveryCode, SYMBOLS};

    fn code() -> RecoveryCode {
        RecoveryCode::from_random(&std::array::from_fn(|at| u8::try_from(at * 37 % 251).unwrap()))
    }

    #[test]
    fn what_is_shown_can_be_typed_back() {
        let text = code().to_text();
        assert_eq!(text.len(), SYMBOLS + 1 + 5, "27 characters in six groups: {text}");
        for typed in [text.clone(), text.to_lowercase(), text.replace('-', " "), text.replace('0', "o")] {
            assert!(RecoveryCode::parse(&typed) == Ok(code()), "{typed}");
        }
    }

    #[test]
    fn any_one_wrong_character_is_noticed() {
        let text = code().to_text();
        for (at, right) in text.char_indices().filter(|(_, letter)| *letter != '-') {
            for wrong in ALPHABET.iter().map(|letter| char::from(*letter)).filter(|wrong| *wrong != right) {
                let mut typed = text.clone();
                typed.replace_range(at..=at, &wrong.to_string());
                assert_eq!(RecoveryCode::parse(&typed).unwrap_err(), CodeError::Check);
            }
        }
    }

    #[test]
    fn a_cut_or_foreign_text_says_what_is_wrong() {
        assert_eq!(RecoveryCode::parse("ABCDE").unwrap_err(), CodeError::Length { found: 5 });
        assert_eq!(RecoveryCode::parse("AB支").unwrap_err(), CodeError::Character { at: 3 });
        assert_eq!(format!("{:?}", code()), "***", "a code never reaches a log");
    }
}
