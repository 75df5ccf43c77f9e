//! Every entry of `stories::entries` over its corpus, and over what chance makes of the corpus: a bounded run without
//! the fuzzer, which needs a nightly compiler (`tests/fuzz`).

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use stories::entries::ENTRIES;

fn corpus(entry: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(entry);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |path: PathBuf| (path.clone(), fs::read(path).expect("a file of the corpus is read"));
    let mut found: Vec<_> =
        files.map(|file| read(file.expect("the folder of the corpus is listed").path())).collect();
    found.sort();
    assert!(!found.is_empty(), "the corpus of {entry} is empty");
    found
}

#[test]
fn the_corpus_breaks_nothing() {
    for (name, entry) in ENTRIES {
        for (path, bytes) in corpus(name) {
            println!("{}", path.display());
            entry(&bytes);
        }
    }
}

/// One thing that happens to bytes on their way.
#[derive(Debug, Clone)]
enum Harm {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Double(Index, Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, bits)| Harm::Flip(at, bits)),
        1 => any::<Index>().prop_map(Harm::Cut),
        2 => (any::<Index>(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Harm::Insert(at, bytes)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Harm::Double(from, to)),
    ]
}

fn harmed(mut bytes: Vec<u8>, harms: &[Harm]) -> Vec<u8> {
    for harm in harms {
        let at = |index: &Index| index.index(bytes.len() + 1);
        match harm {
            Harm::Flip(index, bits) => {
                let at = at(index);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Harm::Cut(index) => bytes.truncate(at(index)),
            Harm::Insert(index, more) => {
                let at = at(index);
                bytes.splice(at..at, more.iter().copied());
            }
            Harm::Double(from, to) => {
                let (from, to) = (at(from).min(at(to)), at(from).max(at(to)));
                let part = bytes[from..to.min(from + 4096)].to_vec();
                bytes.splice(to..to, part);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn harmed_bytes_break_nothing(chosen in any::<Index>(), harms in vec(harm(), 1..6)) {
        for (name, entry) in ENTRIES {
            let corpus = corpus(name);
            let (_, bytes) = &corpus[chosen.index(corpus.len())];
            entry(&harmed(bytes.clone(), &harms));
        }
    }
}
