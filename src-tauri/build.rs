//! Declares the commands, so that they need a permission like every other, and makes sure that there are pages to
//! embed: without any, the window's configuration would not even compile.

use std::path::Path;
use std::{fs, io};

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>支部纪实</title>
<h1>页面没有构建</h1>
<p>请在源码目录运行 <code>cargo xtask run</code>，它会先构建页面。</p>
</html>
";

fn main() -> io::Result<()> {
    let pages = Path::new("../ui/dist");
    if !pages.join("index.html").exists() {
        fs::create_dir_all(pages)?;
        fs::write(pages.join("index.html"), NOT_BUILT)?;
    }
    let commands = tauri_build::AppManifest::new().commands(&["call", "usb_export", "usb_import"]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands)).map_err(io::Error::other)
}
