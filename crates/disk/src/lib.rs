//! A disk for tests that can lose power and fill up: a virtual file system for SQLite. It passes everything on to the one
//! of the machine and keeps beside it what has reached the disk for certain and what has only been written. At a chosen
//! operation it stops; what is on the disk then is everything synced and a random part of the rest.
//!
//! No program depends on it. Start at [`Disk`].
#![expect(unsafe_code, reason = "SQLite takes a virtual file system as C functions")]
#![expect(clippy::unwrap_used, reason = "only tests depend on this")]

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::ffi::{
    SQLITE_FULL, SQLITE_IOERR, SQLITE_IOERR_SHMSIZE, SQLITE_OK, sqlite3_file, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

/// The unit that a disk writes whole or not at all.
const SECTOR: usize = 512;

#[derive(Default)]
struct FileOnDisk {
    synced: Vec<u8>,
    pending: Vec<Pending>,
    /// Length as the program sees it.
    length: usize,
}

enum Pending {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Default)]
struct State {
    files: HashMap<PathBuf, FileOnDisk>,
    operations: u64,
    stop_at: Option<u64>,
    room: Option<usize>,
}

impl State {
    fn used(&self) -> usize {
        self.files.values().map(|file| file.length).sum()
    }

    fn has_room_for(&self, more: usize) -> bool {
        self.room.is_none_or(|room| self.used() + more <= room)
    }
}

/// One machine's disk, and the virtual file system that writes to it. Lives until the test process ends, because
/// SQLite keeps the pointer.
pub struct Disk {
    state: Mutex<State>,
    real: *mut sqlite3_vfs,
    pub name: &'static str,
}

// The pointer is to the machine's file system, which SQLite itself shares between threads.
unsafe impl Sync for Disk {}
unsafe impl Send for Disk {}

impl Disk {
    pub fn new(name: &str) -> &'static Self {
        let name: &'static CStr = Box::leak(CString::new(name).unwrap().into_boxed_c_str());
        // Safety: a registered file system stays for ever, and SQLite answers with one of those.
        let real = unsafe { sqlite3_vfs_find(std::ptr::null()) };
        let disk: &'static Self =
            Box::leak(Box::new(Self { state: Mutex::default(), real, name: name.to_str().unwrap() }));
        // Safety: `real` is valid as said above; what is leaked lives as long as SQLite uses it.
        unsafe {
            let mut vfs = *real;
            vfs.szOsFile += c_int::try_from(size_of::<OpenFile>()).unwrap();
            vfs.zName = name.as_ptr();
            vfs.pNext = null_mut();
            vfs.pAppData = std::ptr::from_ref(disk).cast_mut().cast();
            vfs.xOpen = Some(open);
            vfs.xDelete = Some(delete);
            assert_eq!(sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0), SQLITE_OK);
        }
        disk
    }

    /// Forgets everything: a new disk under the same name. Nothing may be open on it.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    /// Power fails at this operation, counted from now.
    pub fn stop_after(&self, operations: u64) {
        let mut state = self.state();
        state.stop_at = Some(state.operations + operations);
    }

    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Bytes that the files may have together; `None` for a large disk.
    pub fn set_room(&self, room: Option<usize>) {
        self.state().room = room;
    }

    pub fn used(&self) -> usize {
        self.state().used()
    }

    /// Whether a program has opened this file on the disk.
    pub fn knows(&self, path: &Path) -> bool {
        self.state().files.contains_key(path)
    }

    /// Writes what is on the disk after the failure into `folder`: everything synced, and of the rest the sectors
    /// that `chance` picks.
    pub fn surface(&self, folder: &Path, mut chance: impl FnMut() -> bool) {
        for (path, file) in &self.state().files {
            let mut bytes = file.synced.clone();
            for pending in &file.pending {
                match pending {
                    Pending::Truncate(length) if chance() => bytes.resize(*length, 0),
                    Pending::Truncate(_) => {}
                    Pending::Write { at, bytes: written } => {
                        let sectors = written.chunks(SECTOR).enumerate();
                        sectors
                            .filter(|_| chance())
                            .for_each(|(sector, part)| put(&mut bytes, at + sector * SECTOR, part));
                    }
                }
            }
            std::fs::write(folder.join(path.file_name().unwrap()), bytes).unwrap();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation; the error that SQLite gets if the power is gone or the disk full.
    fn pass(&self, path: &Path, grow_to: usize) -> Result<MutexGuard<'_, State>, c_int> {
        let mut state = self.state();
        if state.stop_at.is_some_and(|stop| state.operations >= stop) {
            return Err(SQLITE_IOERR);
        }
        state.operations += 1;
        let file = state.files.entry(path.to_owned()).or_default();
        let more = grow_to.saturating_sub(file.length);
        if more > 0 && !state.has_room_for(more) {
            return Err(SQLITE_FULL);
        }
        Ok(state)
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    if bytes.len() < at + part.len() {
        bytes.resize(at + part.len(), 0);
    }
    bytes[at..at + part.len()].copy_from_slice(part);
}

/// What SQLite holds for an open file. The machine's own follows it in memory.
#[repr(C)]
struct OpenFile {
    base: sqlite3_file,
    disk: &'static Disk,
    path: *mut PathBuf,
}

unsafe fn ours<'a>(file: *mut sqlite3_file) -> &'a OpenFile {
    unsafe { &*file.cast::<OpenFile>() }
}

unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    unsafe { file.cast::<OpenFile>().add(1).cast() }
}

unsafe fn methods<'a>(file: *mut sqlite3_file) -> &'a sqlite3_io_methods {
    unsafe { &*(*file).pMethods }
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    unsafe {
        let disk: &'static Disk = &*(*vfs).pAppData.cast::<Disk>();
        if name.is_null() {
            // A temporary file, which nobody misses.
            return (*disk.real).xOpen.unwrap()(disk.real, name, file, flags, out);
        }
        let path = PathBuf::from(CStr::from_ptr(name).to_str().unwrap());
        (*file).pMethods = std::ptr::null();
        let code = (*disk.real).xOpen.unwrap()(disk.real, name, real(file), flags, out);
        if code == SQLITE_OK {
            let there = std::fs::read(&path).unwrap_or_default();
            disk.state().files.entry(path.clone()).or_insert_with(|| FileOnDisk {
                length: there.len(),
                synced: there,
                pending: Vec::new(),
            });
            let base = sqlite3_file { pMethods: &METHODS };
            file.cast::<OpenFile>().write(OpenFile { base, disk, path: Box::into_raw(Box::new(path)) });
        }
        code
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    unsafe {
        let disk: &'static Disk = &*(*vfs).pAppData.cast::<Disk>();
        let path = PathBuf::from(CStr::from_ptr(name).to_str().unwrap());
        match disk.pass(&path, 0) {
            Ok(mut state) => {
                state.files.remove(&path);
                (*disk.real).xDelete.unwrap()(disk.real, name, sync)
            }
            Err(code) => code,
        }
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    unsafe {
        drop(Box::from_raw(ours(file).path));
        methods(real(file)).xClose.unwrap()(real(file))
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, length: c_int, at: i64) -> c_int {
    unsafe {
        let (opened, bytes) = (ours(file), std::slice::from_raw_parts(from.cast::<u8>(), length as usize));
        let at_byte = usize::try_from(at).unwrap();
        match opened.disk.pass(&*opened.path, at_byte + bytes.len()) {
            Ok(mut state) => {
                let on_disk = state.files.get_mut(&*opened.path).unwrap();
                on_disk.length = on_disk.length.max(at_byte + bytes.len());
                on_disk.pending.push(Pending::Write { at: at_byte, bytes: bytes.to_vec() });
                methods(real(file)).xWrite.unwrap()(real(file), from, length, at)
            }
            Err(code) => code,
        }
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: i64) -> c_int {
    unsafe {
        let opened = ours(file);
        match opened.disk.pass(&*opened.path, 0) {
            Ok(mut state) => {
                let on_disk = state.files.get_mut(&*opened.path).unwrap();
                on_disk.length = usize::try_from(length).unwrap();
                on_disk.pending.push(Pending::Truncate(usize::try_from(length).unwrap()));
                methods(real(file)).xTruncate.unwrap()(real(file), length)
            }
            Err(code) => code,
        }
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    unsafe {
        let opened = ours(file);
        match opened.disk.pass(&*opened.path, 0) {
            Ok(mut state) => {
                let on_disk = state.files.get_mut(&*opened.path).unwrap();
                for pending in std::mem::take(&mut on_disk.pending) {
                    match pending {
                        Pending::Truncate(length) => on_disk.synced.resize(length, 0),
                        Pending::Write { at, bytes } => put(&mut on_disk.synced, at, &bytes),
                    }
                }
                SQLITE_OK
            }
            Err(code) => code,
        }
    }
}

macro_rules! passed_on {
    ($($name:ident = $method:ident($($arg:ident: $type:ty),*) $(-> $out:ty)?;)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $arg: $type)*) $(-> $out)? {
            unsafe { methods(real(file)).$method.unwrap()(real(file) $(, $arg)*) }
        }
    )*};
}

passed_on! {
    read = xRead(to: *mut c_void, length: c_int, at: i64) -> c_int;
    file_size = xFileSize(size: *mut i64) -> c_int;
    lock = xLock(level: c_int) -> c_int;
    unlock = xUnlock(level: c_int) -> c_int;
    check_reserved_lock = xCheckReservedLock(out: *mut c_int) -> c_int;
    file_control = xFileControl(what: c_int, arg: *mut c_void) -> c_int;
    sector_size = xSectorSize() -> c_int;
    shm_lock = xShmLock(offset: c_int, count: c_int, flags: c_int) -> c_int;
    shm_barrier = xShmBarrier();
    shm_unmap = xShmUnmap(remove: c_int) -> c_int;
}

/// The memory that connections share is a file beside the database, which wants room when a page of it is new. It is gone
/// with the last connection and no part of `used`.
unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    unsafe {
        let map = methods(real(file)).xShmMap.unwrap();
        let there = map(real(file), page, size, 0, out);
        if there != SQLITE_OK || extend == 0 || !(*out).is_null() {
            return there;
        }
        if !ours(file).disk.state().has_room_for(usize::try_from(size).unwrap()) {
            return SQLITE_IOERR_SHMSIZE;
        }
        map(real(file), page, size, extend, out)
    }
}

/// Promises nothing that a cheap disk would not keep.
unsafe extern "C" fn device_characteristics(_file: *mut sqlite3_file) -> c_int {
    0
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
