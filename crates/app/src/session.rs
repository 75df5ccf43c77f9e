//! Setting a branch up, opening and closing it, its password and recovery code.

use crate::app::App;
use crate::branch::{Branch, setting};
use crate::contract::*;
use crate::error::{CallError, Code};
use crate::organisation::founded;
use crate::values::required;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use store::{Author, RecoveryCode, Store};

/// Shown before a branch is opened: its name is no secret, everything else is.
const LABEL: &str = "branch.json";
/// Longer folder names run into limits of file systems once a path is built on them.
const LONGEST_FOLDER: usize = 40;

impl App {
    pub(crate) fn session(&self, _: Nothing) -> Result<Session, CallError> {
        let open = match self.branch() {
            Ok(branch) => Some(self.open_info(&branch)?),
            Err(_) => None,
        };
        Ok(Session {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_folder: self.root.display().to_string(),
            branches: self.branches(open.as_ref().map(|open| open.folder.as_str()))?,
            open,
            today: self.world.today().to_string(),
        })
    }

    pub(crate) fn create_branch(&self, request: CreateBranch) -> Result<BranchCreated, CallError> {
        let fields = founded(&request, &self.world)?;
        if request.author.trim().is_empty() {
            return Err(CallError::refused(vec![required("author")]));
        }
        let name = if request.short.trim().is_empty() { &request.name } else { &request.short };
        let folder = folder_name(name);
        let path = self.root.join(&folder);
        if path.exists() {
            return Err(CallError::new(Code::AlreadyExists).with("folder", folder));
        }
        let (store, code) = Store::create(&path, &request.password, self.world.sources())?;
        let author = Author::new(self.world.item_id());
        let author_name = request.author.trim();
        store.found(&author, author_name)?;
        store.write(&author, "create_branch", |write| {
            write.set_meta(setting::AUTHOR, &author.0)?;
            write.set_meta(setting::AUTHOR_NAME, author_name)?;
            write.create("organisation", &self.world.id(), &fields)
        })?;
        save_label(&self.root, &folder, request.name.trim())?;
        self.put_open(Some(Branch::new(folder.clone(), store)?));
        Ok(BranchCreated { folder, recovery_code: code.to_text() })
    }

    pub(crate) fn confirm_recovery(&self, request: ConfirmRecovery) -> Result<Nothing, CallError> {
        self.branch()?.store.confirm_recovery(&request.code)?;
        self.tell(&["session"]);
        Ok(Nothing {})
    }

    pub(crate) fn open_branch(&self, request: OpenBranch) -> Result<Nothing, CallError> {
        let path = self.folder(&request.folder)?;
        self.close_others(&request.folder);
        let store = Store::open(&path, &request.password, self.world.sources())?;
        self.put_open(Some(Branch::new(request.folder, store)?));
        Ok(Nothing {})
    }

    /// Opens with the recovery code; the old code has been read aloud or typed, so a new one takes its place.
    pub(crate) fn open_with_recovery(&self, request: OpenWithRecovery) -> Result<BranchCreated, CallError> {
        let path = self.folder(&request.folder)?;
        let code = RecoveryCode::parse(&request.code).map_err(|_| CallError::new(Code::WrongRecoveryCode))?;
        if request.new_password.chars().count() < store::LEAST_PASSWORD {
            return Err(CallError::new(Code::WeakPassword).with("least", store::LEAST_PASSWORD));
        }
        self.close_others(&request.folder);
        let store = Store::open_with_recovery(&path, &code, self.world.sources())?;
        store.reset_password(&request.new_password)?;
        let code = store.new_recovery_code()?;
        self.put_open(Some(Branch::new(request.folder.clone(), store)?));
        Ok(BranchCreated { folder: request.folder, recovery_code: code.to_text() })
    }

    pub(crate) fn change_password(&self, request: ChangePassword) -> Result<Nothing, CallError> {
        self.branch()?.store.change_password(&request.old, &request.new)?;
        Ok(Nothing {})
    }

    pub(crate) fn close_branch(&self, _: Nothing) -> Result<Nothing, CallError> {
        self.put_open(None);
        Ok(Nothing {})
    }

    fn open_info(&self, branch: &Branch) -> Result<OpenBranchInfo, CallError> {
        let (_, fields) = branch.organisation()?;
        let text = |path: &str| fields.get(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let org = domain::Organisation::from_fields("", &fields);
        let today = self.world.today();
        let groups = org.groups_on(today);
        Ok(OpenBranchInfo {
            folder: branch.folder.clone(),
            name: Some(text("name"))
                .filter(|name| !name.is_empty())
                .or_else(|| label(branch.store.folder()))
                .unwrap_or_default(),
            short: text("short"),
            author: branch.author_name.clone(),
            has_committee: org.committee_on(today).is_some(),
            groups: groups
                .map(|group| Choice { code: group.id.clone(), label: group.name.clone() })
                .collect(),
            recovery_unconfirmed: !branch.store.is_recovery_confirmed(),
        })
    }

    /// The branches of the data folder, by folder name.
    fn branches(&self, open: Option<&str>) -> Result<Vec<BranchOnDisk>, CallError> {
        let entries = fs::read_dir(&self.root).map_err(|error| cannot_use(&self.root, &error))?;
        let mut branches: Vec<BranchOnDisk> = entries
            .filter_map(Result::ok)
            .filter(|entry| Store::is_branch(&entry.path()))
            .filter_map(|entry| {
                let folder = entry.file_name().into_string().ok()?;
                // An exchange that ends after its branch was locked is not another program.
                let in_use = open != Some(&folder) && !self.line.is_held() && is_locked(&entry.path());
                Some(BranchOnDisk {
                    name: label(&entry.path()).unwrap_or_else(|| folder.clone()),
                    in_use,
                    folder,
                })
            })
            .collect();
        branches.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(branches)
    }

    /// A folder named by the page: one of those in the data folder, never a path.
    fn folder(&self, name: &str) -> Result<PathBuf, CallError> {
        let plain = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0']);
        let path = self.root.join(name);
        if plain && Store::is_branch(&path) {
            Ok(path)
        } else {
            Err(CallError::new(Code::NotFound).with("folder", name))
        }
    }

    /// Opening again what is open asks for the password again; its lock must be free for that, also of an exchange that
    /// was running when it was locked.
    fn close_others(&self, folder: &str) {
        if self.branch().is_ok_and(|branch| branch.folder == folder) {
            self.put_open(None);
        }
        self.line.stop();
        self.line.wait();
    }
}

/// Makes the data folder.
pub fn prepare(root: &Path) -> Result<(), CallError> {
    fs::create_dir_all(root).map_err(|error| cannot_use(root, &error))
}

/// Keeps the branch's name beside its files, for the list of branches.
pub fn save_label(root: &Path, folder: &str, name: &str) -> Result<(), CallError> {
    let path = root.join(folder).join(LABEL);
    fs::write(&path, json!({ "name": name }).to_string()).map_err(|error| cannot_use(&path, &error))
}

fn label(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(LABEL)).ok()?;
    let label: Value = serde_json::from_str(&text).ok()?;
    label.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// Whether another program holds the lock of a branch. Reads only; who opens decides again.
fn is_locked(folder: &Path) -> bool {
    let lock = fs::File::options().write(true).open(folder.join("lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)))
}

fn cannot_use(path: &Path, error: &std::io::Error) -> CallError {
    use std::io::ErrorKind;
    let code = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::ReadOnly,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::DiskFull,
        _ => return CallError::internal(&format!("{}: {error}", path.display())),
    };
    CallError::new(code).with("folder", path.display().to_string())
}

/// The name of a branch's folder: what file systems of all kinds take of its name.
fn folder_name(name: &str) -> String {
    let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    let name: String = name.chars().filter(|letter| allowed(*letter)).take(LONGEST_FOLDER).collect();
    if name.is_empty() { "branch".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::folder_name;

    #[test]
    fn folder_names_fit_every_file_system() {
        for (name, expected) in [
            ("速达物流", "速达物流"),
            ("../../etc", "etc"),
            ("a/b\\c:d*e?", "abcde"),
            ("  ", "branch"),
            ("CON.", "CON"),
        ] {
            assert_eq!(folder_name(name), expected);
        }
        assert_eq!(folder_name(&"长".repeat(200)).chars().count(), 40);
    }
}
