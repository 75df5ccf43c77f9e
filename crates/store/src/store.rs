//! The open branch: making, opening, passwords, and the two connections that everything else goes through.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use replica::{BlobHash, Kinds, planted};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::blobs::BlobFile;
use crate::db::{self, Ground, Place};
use crate::error::{Fault, StoreError};
use crate::fold::{Batch, VerdictCache};
use crate::folder::Folder;
use crate::keys::{self, FileKey, KeyFile, LEAST_PASSWORD, RecoveryCode};
use crate::sources::{Sources, random};

/// Called after a commit with what it touched.
pub type Listener = Arc<dyn Fn(&crate::Touched) + Send + Sync>;

/// One open branch folder. Shared between threads; a write waits for the one before it, a read waits for neither.
pub struct Store {
    folder: Folder,
    place: Place,
    key: FileKey,
    keys: Mutex<KeyFile>,
    pub(crate) writing: Mutex<Connection>,
    reading: Mutex<Connection>,
    listeners: Mutex<Vec<Listener>>,
    kinds: Kinds,
    verdicts: Mutex<VerdictCache>,
    blobs: BlobFile,
    /// Attachments that were added since the branch was opened.
    fresh_blobs: Mutex<HashSet<BlobHash>>,
    pub(crate) sources: Arc<dyn Sources>,
}

impl Store {
    /// Makes a branch in an empty folder. The code is shown once; the user retypes it into `confirm_recovery`.
    pub fn create(
        folder: &Path,
        password: &str,
        sources: Arc<dyn Sources>,
    ) -> Result<(Self, RecoveryCode), StoreError> {
        Self::create_on(Ground::default(), folder, password, sources)
    }

    #[doc(hidden)]
    pub fn create_on(
        ground: Ground,
        folder: &Path,
        password: &str,
        sources: Arc<dyn Sources>,
    ) -> Result<(Self, RecoveryCode), StoreError> {
        check_password(password)?;
        let folder = Folder::make(folder)?;
        let place = Place { file: folder.database(), ground };
        if folder.path().join("keys.json").exists() || place.file.exists() {
            return Err(StoreError::Exists { folder: folder.path().to_owned() });
        }
        let key = FileKey::new(&*sources);
        let code = RecoveryCode::from_random(&random(&*sources));
        let keys = KeyFile::new(&key, password, &code, &*sources);
        make_files(&folder, &place, &key, &keys)?;
        Ok((Self::open_with_key(folder, place, key, keys, sources)?, code))
    }

    /// Opens a branch with the user's password.
    pub fn open(folder: &Path, password: &str, sources: Arc<dyn Sources>) -> Result<Self, StoreError> {
        let folder = Folder::lock(folder)?;
        let keys = keys::read(folder.path())?;
        let key = keys.open_with_password(password).ok_or(StoreError::WrongPassword)?;
        Self::open_folder(Ground::default(), folder, key, keys, sources)
    }

    /// Opens a branch with its recovery code; the caller then asks for a new password.
    pub fn open_with_recovery(
        folder: &Path,
        code: &RecoveryCode,
        sources: Arc<dyn Sources>,
    ) -> Result<Self, StoreError> {
        Self::open_on(Ground::default(), folder, code, sources)
    }

    #[doc(hidden)]
    pub fn open_on(
        ground: Ground,
        folder: &Path,
        code: &RecoveryCode,
        sources: Arc<dyn Sources>,
    ) -> Result<Self, StoreError> {
        let folder = Folder::lock(folder)?;
        let keys = keys::read(folder.path())?;
        let key = keys.open_with_code(code).ok_or(StoreError::WrongRecoveryCode)?;
        Self::open_folder(ground, folder, key, keys, sources)
    }

    /// Whether a folder holds a branch. Reads nothing secret and takes no lock.
    pub fn is_branch(folder: &Path) -> bool {
        ["keys.json", "keys.copy.json"].iter().any(|name| folder.join(name).is_file())
    }

    /// Whether a program has the branch open now. Takes nothing.
    pub fn in_use(folder: &Path) -> bool {
        Self::is_branch(folder) && matches!(Folder::lock(folder), Err(StoreError::AlreadyOpen { .. }))
    }

    /// The raw key of the file, for measurements that write the same rows beside the store.
    #[doc(hidden)]
    pub fn database_key(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    fn open_folder(
        ground: Ground,
        folder: Folder,
        key: FileKey,
        keys: KeyFile,
        sources: Arc<dyn Sources>,
    ) -> Result<Self, StoreError> {
        let place = Place { file: folder.database(), ground };
        finish_making(&folder, &place)?;
        Self::open_with_key(folder, place, key, keys, sources)
    }

    pub(crate) fn open_with_key(
        folder: Folder,
        place: Place,
        key: FileKey,
        keys: KeyFile,
        sources: Arc<dyn Sources>,
    ) -> Result<Self, StoreError> {
        let (writing, reading) = place.open(&key)?;
        keys::heal(folder.path(), &keys)?;
        let blobs = BlobFile::at(Place { file: folder.blobs(), ground: place.ground });
        let store = Self {
            folder,
            place,
            key,
            keys: Mutex::new(keys),
            writing: Mutex::new(writing),
            reading: Mutex::new(reading),
            listeners: Mutex::default(),
            kinds: Kinds::builtin(),
            verdicts: Mutex::default(),
            blobs,
            fresh_blobs: Mutex::default(),
            sources,
        };
        store.ensure_identity()?;
        Ok(store)
    }

    /// The folder, for messages.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The encrypted file, for messages and backups.
    pub fn file(&self) -> &Path {
        &self.place.file
    }

    /// Wraps the key with a new password. The old one must be right, also when the recovery code opened the branch
    /// (then use `reset_password`).
    pub fn change_password(&self, old: &str, new: &str) -> Result<(), StoreError> {
        locked(&self.keys).open_with_password(old).ok_or(StoreError::WrongPassword)?;
        self.reset_password(new)
    }

    /// Wraps the key with a new password, for a branch that was opened with the recovery code.
    pub fn reset_password(&self, new: &str) -> Result<(), StoreError> {
        check_password(new)?;
        self.save_keys(|keys| keys.with_password(&self.key, new, &*self.sources))
    }

    /// Whether `password` opens this branch, to unlock a page that locked itself.
    pub fn is_password(&self, password: &str) -> bool {
        locked(&self.keys).open_with_password(password).is_some()
    }

    /// Notes that the user holds the recovery code, if what they retyped is right.
    pub fn confirm_recovery(&self, typed: &str) -> Result<(), StoreError> {
        let code = RecoveryCode::parse(typed)?;
        locked(&self.keys).open_with_code(&code).ok_or(StoreError::WrongRecoveryCode)?;
        self.save_keys(KeyFile::with_confirmed)
    }

    pub fn is_recovery_confirmed(&self) -> bool {
        locked(&self.keys).confirmed
    }

    /// Replaces the recovery code; the old one stops working.
    pub fn new_recovery_code(&self) -> Result<RecoveryCode, StoreError> {
        let code = RecoveryCode::from_random(&random(&*self.sources));
        self.save_keys(|keys| keys.with_code(&self.key, &code, &*self.sources))?;
        Ok(code)
    }

    fn save_keys(&self, change: impl FnOnce(&KeyFile) -> KeyFile) -> Result<(), StoreError> {
        let mut keys = locked(&self.keys);
        let next = change(&keys);
        keys::save(self.folder.path(), &next)?;
        *keys = next;
        Ok(())
    }

    /// Reads every page and checks it. Slow on a large file, and writes wait for it: run it in a quiet moment.
    pub fn check(&self) -> Result<(), StoreError> {
        db::check(&locked(&self.writing), &self.place.file)
    }

    /// Waits for what runs on the files and lets nothing begin any more, in any thread: whoever comes later waits for
    /// ever. For the end of a program. The cipher's library frees its memory while a process ends, and a thread that
    /// used it then would crash, or write what nobody can read.
    pub fn stop(&self) {
        std::mem::forget(locked(&self.writing));
        std::mem::forget(locked(&self.reading));
        self.blobs.stop();
    }

    /// Adds a listener that is told after each commit.
    pub fn on_changed(&self, listener: Listener) {
        locked(&self.listeners).push(listener);
    }

    /// Runs one transaction that takes the write lock at its start, so that what it reads stays true until it commits.
    pub(crate) fn transact<T>(
        &self,
        body: impl FnOnce(&Transaction) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut db = locked(&self.writing);
        let run = || {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let made = body(&transaction)?;
            let committed = transaction.commit();
            if !planted!(FullDiskIgnored) {
                committed?;
            }
            Ok(made)
        };
        run().map_err(|fault: Fault| fault.at(&self.place.file))
    }

    /// Runs one transaction that ends in the fold. What the body returns are the drafts that it touched.
    pub(crate) fn commit(
        &self,
        body: impl for<'a> FnOnce(&'a Connection, &mut Batch<'a>) -> Result<Vec<(String, String)>, Fault>,
    ) -> Result<crate::Touched, StoreError> {
        let mut verdicts = locked(&self.verdicts);
        let before = verdicts.clone();
        let (touched, after) = self.transact(|db| {
            let mut batch = Batch::new(db, &self.kinds, before);
            let drafts = body(db, &mut batch)?;
            let (touched, after) = batch.finish()?;
            let touched = crate::Touched { drafts, ..touched };
            if planted!(AckBeforeCommit) {
                self.tell(&touched);
            }
            Ok((touched, after))
        })?;
        *verdicts = after;
        Ok(touched)
    }

    pub(crate) fn key(&self) -> &FileKey {
        &self.key
    }

    pub(crate) fn blob_file(&self) -> &BlobFile {
        &self.blobs
    }

    pub(crate) fn fresh_blobs(&self) -> MutexGuard<'_, HashSet<BlobHash>> {
        locked(&self.fresh_blobs)
    }

    /// The same as a program that knows these kinds.
    #[doc(hidden)]
    pub fn knowing(self, kinds: Kinds) -> Self {
        Self { kinds, ..self }
    }

    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    pub(crate) fn look<T>(
        &self,
        body: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        body(&locked(&self.reading)).map_err(|fault| fault.at(&self.place.file))
    }

    pub(crate) fn tell(&self, touched: &crate::Touched) {
        if touched.is_nothing() {
            return;
        }
        let listeners = locked(&self.listeners).clone();
        listeners.iter().for_each(|listener| listener(touched));
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.folder.path()).finish_non_exhaustive()
    }
}

/// A panic of another thread left no half-done state: its transaction was rolled back.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_password(password: &str) -> Result<(), StoreError> {
    if password.chars().count() < LEAST_PASSWORD {
        return Err(StoreError::WeakPassword { least: LEAST_PASSWORD });
    }
    Ok(())
}

fn unfinished(place: &Place) -> PathBuf {
    place.file.with_extension("new.db")
}

/// The file, then the keys, then the file's name: wherever this is cut, either no branch is there yet or
/// `finish_making` completes it.
fn make_files(folder: &Folder, place: &Place, key: &FileKey, keys: &KeyFile) -> Result<(), StoreError> {
    let new = unfinished(place);
    if new.exists() {
        std::fs::remove_file(&new).map_err(|error| StoreError::io(&new, error))?;
    }
    Place { file: new, ground: place.ground }.create(key)?;
    keys::save(folder.path(), keys)?;
    finish_making(folder, place)
}

fn finish_making(folder: &Folder, place: &Place) -> Result<(), StoreError> {
    let new = unfinished(place);
    if !place.file.exists() && new.exists() {
        std::fs::rename(&new, &place.file).map_err(|error| StoreError::io(&place.file, error))?;
        keys::sync_folder(folder.path())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Store, make_files, unfinished};
    use crate::db::{Ground, Place};
    use crate::folder::Folder;
    use crate::keys::{FileKey, KeyFile, RecoveryCode};
    use crate::sources::SystemSources;
    use crate::{Sources, StoreError};
    use std::sync::Arc;

    const PASSWORD: &str = "柳树下的老井";

    fn sources() -> Arc<dyn Sources> {
        Arc::new(SystemSources(|| 0))
    }

    #[test]
    fn a_making_that_was_cut_before_the_keys_begins_again() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { file: dir.path().join("branch.db"), ground: Ground::default() };
        std::fs::write(unfinished(&place), b"half a file").unwrap();
        assert!(!Store::is_branch(dir.path()));
        Store::create(dir.path(), PASSWORD, sources()).unwrap();
    }

    #[test]
    fn a_making_that_was_cut_after_the_keys_is_finished_by_opening() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { file: dir.path().join("branch.db"), ground: Ground::default() };
        let key = FileKey::new(&*sources());
        let code = RecoveryCode::from_random(&[7; 26]);
        make_files(
            &Folder::lock(dir.path()).unwrap(),
            &place,
            &key,
            &KeyFile::new(&key, PASSWORD, &code, &*sources()),
        )
        .unwrap();
        std::fs::rename(&place.file, unfinished(&place)).unwrap();
        let again = Store::create(dir.path(), PASSWORD, sources());
        assert!(matches!(again, Err(StoreError::Exists { .. })), "there is a branch already");
        let store = Store::open(dir.path(), PASSWORD, sources()).unwrap();
        store.check().unwrap();
        store.device().expect("it has an identity of its own");
    }

    #[test]
    fn a_branch_in_use_is_told_without_taking_it() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::create(dir.path(), PASSWORD, sources()).unwrap();
        assert!(Store::in_use(dir.path()));
        drop(store);
        assert!(!Store::in_use(dir.path()));
    }
}
