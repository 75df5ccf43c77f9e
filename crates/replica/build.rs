//! Lists `schemas/kinds/*.json` for `include_str!`, so that adding a kind is adding one file.

use std::path::Path;
use std::{env, fs};

fn main() {
    let folder =
        Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../schemas/kinds");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("schemas/kinds is part of the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let file = file.canonicalize().expect("listed just now");
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file.file_stem().expect("ends in .json").to_string_lossy().into_owned();
        list.push_str(&format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string()));
    }
    list.push_str("]\n");
    let out = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("kinds.rs");
    fs::write(out, list).expect("OUT_DIR is writable");
}
