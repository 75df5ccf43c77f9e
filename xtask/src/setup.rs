//! Makes a Debian machine that has only Rust and Node ready, and costs nothing when it already is.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, program, read, root, run, succeeds, target};

/// What the desktop app is built against.
const BUILD_PACKAGES: &[&str] = &[
    "build-essential",
    "curl",
    "file",
    "libgtk-3-dev",
    "librsvg2-dev",
    "libssl-dev",
    "libwebkit2gtk-4.1-dev",
    "libxdo-dev",
    "patchelf",
    "perl",
    "pkg-config",
];

/// What the browser and window stories drive.
const TEST_PACKAGES: &[&str] = &[
    "chromium",
    "dbus",
    "dbus-x11",
    "faketime",
    "fonts-noto-cjk",
    "openbox",
    "webkit2gtk-driver",
    "xauth",
    "xvfb",
];

const TAURI_DRIVER: &str = "2.1.0";

/// Folders with a package-lock.json of their own.
const PAGES: &[&str] = &["ui"];
const STORIES: &[&str] = &["ui", "tests/ui", "tests/window"];

/// What `xtask setup` installs: everything.
pub fn everything() -> Result<()> {
    for_tests()?;
    rust_components()
}

/// What building the two shells and the city needs.
pub fn for_build() -> Result<()> {
    system(BUILD_PACKAGES)?;
    packages(PAGES)
}

/// What every test needs.
pub fn for_tests() -> Result<()> {
    system(&[BUILD_PACKAGES, TEST_PACKAGES].concat())?;
    packages(STORIES)?;
    tauri_driver()
}

/// rustfmt and clippy, which a minimal toolchain lacks.
pub fn rust_components() -> Result<()> {
    if succeeds(cargo().args(["fmt", "--version"])) && succeeds(cargo().args(["clippy", "--version"])) {
        return Ok(());
    }
    run(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]))
}

/// Where [`tauri_driver`] puts its program.
pub fn tauri_driver_path() -> PathBuf {
    target().join("tools").join("bin").join("tauri-driver")
}

fn tauri_driver() -> Result<()> {
    if tauri_driver_path().exists() {
        return Ok(());
    }
    let folder = target().join("tools");
    let wanted = format!("tauri-driver@{TAURI_DRIVER}");
    run(cargo().args(["install", &wanted, "--locked", "--root"]).arg(&folder))
}

fn system(wanted: &[&str]) -> Result<()> {
    let missing = missing(wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    let Some(prefix) = privilege() else {
        bail!(
            "system packages are missing and neither root nor sudo is at hand; have them installed with\n  \
             apt-get install -y --no-install-recommends {}",
            missing.join(" ")
        );
    };
    run(apt(prefix).arg("update"))?;
    run(apt(prefix).args(["install", "-y", "--no-install-recommends"]).args(&missing))
}

fn missing<'a>(wanted: &[&'a str]) -> Result<Vec<&'a str>> {
    let mut query = Command::new("dpkg-query");
    let installed = match query.args(["-W", "-f=${Package} ${db:Status-Status}\n"]).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(_) => {
            println!("This is not Debian; what corresponds to these must be there: {}", wanted.join(" "));
            return Ok(Vec::new());
        }
    };
    let installed: BTreeSet<&str> =
        installed.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    Ok(wanted.iter().copied().filter(|package| !installed.contains(package)).collect())
}

#[derive(Clone, Copy)]
enum Privilege {
    Root,
    Sudo,
}

fn privilege() -> Option<Privilege> {
    let root = read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if root {
        Some(Privilege::Root)
    } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
        Some(Privilege::Sudo)
    } else {
        None
    }
}

fn apt(privilege: Privilege) -> Command {
    let mut command = match privilege {
        Privilege::Root => Command::new("env"),
        Privilege::Sudo => {
            let mut command = Command::new("sudo");
            command.args(["-n", "env"]);
            command
        }
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command
}

/// Installs what the lock file of each folder says, unless that was done already. `npm ci` would refuse a lock file that
/// lacks optional packages of other systems, and a mirror that carries only some of them leaves just that.
fn packages(folders: &[&str]) -> Result<()> {
    for folder in folders {
        let lock = root().join(folder).join("package-lock.json");
        let text = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let modules = root().join(folder).join("node_modules");
        let stamp = modules.join(".installed");
        let wanted = digest(&text);
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            continue;
        }
        run(&mut program(
            "npm",
            folder,
            &["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"],
        ))?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    }
    Ok(())
}

/// Names a content for a stamp; a collision or a new toolchain costs or saves one installation, nothing else.
pub fn digest(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
