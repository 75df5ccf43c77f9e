//! Chooses the pages that are embedded: the built ones, or one page that says they were not built.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>支部纪实</title>
<h1>页面没有构建</h1>
<p>这个程序编译时 ui/dist 不存在。请在源码目录运行 <code>cargo xtask run</code>，它会先构建页面。</p>
</html>
";

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells the folder"));
    let built = here.join("../../ui/dist");
    println!("cargo:rerun-if-changed={}", built.display());
    let pages = if built.join("index.html").exists() { built } else { stand_in()? };
    println!("cargo:rustc-env=JISHI_PAGES={}", pages.display());
    Ok(())
}

fn stand_in() -> io::Result<PathBuf> {
    let out = env::var_os("OUT_DIR").expect("cargo tells the output folder");
    let pages = Path::new(&out).join("pages");
    fs::create_dir_all(&pages)?;
    fs::write(pages.join("index.html"), NOT_BUILT)?;
    Ok(pages)
}
