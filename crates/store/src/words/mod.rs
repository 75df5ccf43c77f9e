//! The words of the search box and the keys that lists are sorted by. Pure: text in, text out.

mod pinyin;
mod surnames;
mod tokens;

pub use pinyin::{letter, search_keys, sort_key};
pub(crate) use tokens::{add_tokens, body_tokens, query};
