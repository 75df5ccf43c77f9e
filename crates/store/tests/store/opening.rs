//! Passwords, codes, locks, and files that are damaged, newer or out of reach.

use serde_json::{Value, json};
use store::{RecoveryCode, Store, StoreError};

use crate::world::{PASSWORD, World, bytes};

#[test]
fn a_wrong_password_is_not_damage() {
    let mut world = World::new();
    world.close();
    assert!(matches!(world.open("另一个密码"), Err(StoreError::WrongPassword)));
    world.open(PASSWORD).unwrap();
}

#[test]
fn a_new_password_replaces_the_old_one_and_the_code_stays() {
    let mut world = World::new();
    let refused = world.store().change_password("不是它的密码", "新的密码一二三");
    assert!(matches!(refused, Err(StoreError::WrongPassword)));
    assert!(matches!(world.store().change_password(PASSWORD, "短"), Err(StoreError::WeakPassword { .. })));
    world.store().change_password(PASSWORD, "新的密码一二三").unwrap();
    world.close();
    assert!(matches!(world.open(PASSWORD), Err(StoreError::WrongPassword)), "the old password is gone");
    world.open("新的密码一二三").unwrap();
    Store::open_with_recovery(&world.folder(), &world.code, world.still.clone()).unwrap();
}

#[test]
fn the_recovery_code_opens_and_a_foreign_one_does_not() {
    let mut world = World::new();
    world.close();
    let foreign = World::seeded(2);
    let refused = Store::open_with_recovery(&world.folder(), &foreign.code, world.still.clone());
    assert!(matches!(refused, Err(StoreError::WrongRecoveryCode)));
    let typed = RecoveryCode::parse(&world.code.to_text().to_lowercase()).unwrap();
    let store = Store::open_with_recovery(&world.folder(), &typed, world.still.clone()).unwrap();
    store.reset_password("忘记后的新密码").unwrap();
    drop(store);
    world.open("忘记后的新密码").unwrap();
}

#[test]
fn the_recovery_code_is_confirmed_by_retyping_it() {
    let mut world = World::new();
    assert!(!world.store().is_recovery_confirmed());
    let mut wrong = world.code.to_text();
    wrong.replace_range(0..1, if wrong.starts_with('7') { "8" } else { "7" });
    assert!(matches!(world.store().confirm_recovery(&wrong), Err(StoreError::BadRecoveryCode(_))));
    assert!(!world.store().is_recovery_confirmed());
    world.store().confirm_recovery(&world.code.to_text()).unwrap();
    assert!(world.reopen().is_recovery_confirmed());
}

#[test]
fn a_new_recovery_code_ends_the_old_one() {
    let mut world = World::new();
    let new = world.store().new_recovery_code().unwrap();
    world.close();
    let old = Store::open_with_recovery(&world.folder(), &world.code, world.still.clone());
    assert!(matches!(old, Err(StoreError::WrongRecoveryCode)));
    Store::open_with_recovery(&world.folder(), &new, world.still.clone()).unwrap();
}

#[test]
fn the_derivation_is_costly_in_every_build() {
    const { assert!(store::ARGON2_MEMORY_KIB >= 64 * 1024 && store::ARGON2_PASSES >= 3) };
    let world = World::new();
    let stored: Value = serde_json::from_slice(&bytes(&world.file("keys.json"))).unwrap();
    let kdf = &stored["keys"]["kdf"];
    assert_eq!(kdf["name"], "argon2id");
    assert!(kdf["memory_kib"].as_u64().unwrap() >= 64 * 1024, "what is stored is what is used: {kdf}");
    assert!(kdf["passes"].as_u64().unwrap() >= 3, "{kdf}");
}

#[test]
fn one_damaged_or_missing_key_file_is_healed_by_the_other() {
    let mut world = World::new();
    let good = bytes(&world.file("keys.json"));
    for name in ["keys.json", "keys.copy.json"] {
        world.close();
        std::fs::write(world.file(name), b"{\"keys\": 1").unwrap();
        world.reopen();
        assert_eq!(bytes(&world.file(name)), good, "{name} is whole again");
        world.close();
        std::fs::remove_file(world.file(name)).unwrap();
        world.reopen();
        assert_eq!(bytes(&world.file(name)), good, "{name} is back");
    }
}

#[test]
fn two_damaged_key_files_are_damage_and_not_a_wrong_password() {
    let mut world = World::new();
    world.close();
    for name in ["keys.json", "keys.copy.json"] {
        let text = String::from_utf8(bytes(&world.file(name))).unwrap();
        std::fs::write(world.file(name), text.replace("\"passes\": 3", "\"passes\": 1")).unwrap();
    }
    match world.open(PASSWORD) {
        Err(StoreError::Damaged { file, .. }) => assert!(file.starts_with(world.folder()), "{file:?}"),
        other => panic!("a weakened derivation is refused: {other:?}"),
    }
}

#[test]
fn a_second_opening_is_refused_while_the_first_stands() {
    let mut world = World::new();
    assert!(
        matches!(world.open(PASSWORD), Err(StoreError::AlreadyOpen { folder }) if folder == world.folder())
    );
    world.close();
    world.open(PASSWORD).unwrap();
}

#[test]
fn a_folder_is_made_once() {
    let mut world = World::new();
    world.close();
    let again = Store::create(&world.folder(), PASSWORD, world.still.clone());
    assert!(matches!(again, Err(StoreError::Exists { .. })));
    let nothing = Store::open(&world.dir.path().join("nothing"), PASSWORD, world.still.clone());
    assert!(matches!(nothing, Err(StoreError::NotABranch { .. })));
    assert!(!Store::is_branch(world.dir.path()) && Store::is_branch(&world.folder()));
}

#[test]
fn the_file_is_unreadable_without_the_key() {
    let world = World::new();
    world.store().set_draft("meeting", "m1", &json!({"title": "关于发展党员的会议"})).unwrap();
    for name in ["branch.db", "branch.db-wal"] {
        let stored = bytes(&world.file(name));
        assert!(!stored.starts_with(b"SQLite format 3"), "{name} has no plain header");
        let needle = "发展党员".as_bytes();
        assert!(!stored.windows(needle.len()).any(|part| part == needle), "{name} holds no plain text");
    }
}

#[test]
fn a_changed_byte_in_any_page_is_found() {
    let mut world = World::new();
    for at in 0..200 {
        world.store().set_draft("meeting", &format!("m{at}"), &json!({"text": "会".repeat(400)})).unwrap();
    }
    world.close();
    let whole = bytes(&world.file("branch.db"));
    let pages = whole.len() / 4096;
    for page in [0, 1, 2, pages / 2, pages - 2] {
        let mut damaged = whole.clone();
        damaged[page * 4096 + 1000] ^= 1;
        std::fs::write(world.file("branch.db"), &damaged).unwrap();
        let found = world.open(PASSWORD).and_then(|store| store.check());
        match found {
            Err(StoreError::Damaged { file, .. }) => assert_eq!(file, world.file("branch.db")),
            other => panic!("page {page} of {pages}: {other:?}"),
        }
    }
    std::fs::write(world.file("branch.db"), &whole).unwrap();
    world.open(PASSWORD).unwrap().check().unwrap();
}

#[test]
fn a_missing_or_cut_file_is_damage() {
    let mut world = World::new();
    world.close();
    let whole = bytes(&world.file("branch.db"));
    std::fs::write(world.file("branch.db"), &whole[..whole.len() / 2]).unwrap();
    let found = world.open(PASSWORD).and_then(|store| store.check());
    assert!(matches!(found, Err(StoreError::Damaged { .. })), "{found:?}");
    std::fs::remove_file(world.file("branch.db")).unwrap();
    assert!(matches!(world.open(PASSWORD), Err(StoreError::Damaged { .. })));
}

#[test]
fn drafts_survive_and_never_show_in_debug() {
    let mut world = World::new();
    let at = world.store().set_draft("meeting", "m1", &json!({"title": "三月主题党日"})).unwrap();
    world.still.pass(1000);
    world.store().set_draft("person", "p1", &json!({"name": "张三"})).unwrap();
    let drafts = world.reopen().drafts().unwrap();
    assert_eq!(drafts.iter().map(|draft| draft.id.as_str()).collect::<Vec<_>>(), ["p1", "m1"]);
    assert_eq!(drafts[1].content, json!({"title": "三月主题党日"}));
    assert_eq!(drafts[1].saved_at, at);
    assert!(!format!("{drafts:?}").contains("张三"));
    world.store().drop_draft("person", "p1").unwrap();
    assert_eq!(world.store().draft("person", "p1").unwrap(), None);
}

#[test]
fn settings_and_fields_of_this_computer_survive() {
    let mut world = World::new();
    world.store().set_meta("city.address", "http://127.0.0.1:1").unwrap();
    world.store().set_device_field("meeting", "m1", "ballots", &json!({"yes": 5})).unwrap();
    world.store().set_device_field("meeting", "m1", "talk", &json!("谈话")).unwrap();
    world.store().set_device_field("meeting", "m1", "talk", &Value::Null).unwrap();
    let store = world.reopen();
    assert_eq!(store.meta("city.address").unwrap().as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(
        store.device_fields("meeting", "m1").unwrap(),
        [("ballots".to_owned(), json!({"yes": 5}))].into()
    );
}

#[test]
#[cfg(unix)]
fn a_folder_without_write_permission_says_so() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let rights = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    if let Ok(folder) = std::env::var("JISHI_TEST_READ_ONLY") {
        let folder = std::path::PathBuf::from(folder);
        let found = Store::open(&folder, PASSWORD, crate::world::Still::new(1));
        assert!(matches!(found, Err(StoreError::ReadOnly { folder: named }) if named == folder));
        return;
    }
    let mut world = World::new();
    world.close();
    rights(world.dir.path(), 0o755);
    for entry in std::fs::read_dir(world.folder()).unwrap() {
        rights(&entry.unwrap().path(), 0o444);
    }
    rights(&world.folder(), 0o555);
    // Root may write anywhere: the test runs itself again as somebody who may not.
    let ended = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "opening::a_folder_without_write_permission_says_so"])
        .env("JISHI_TEST_READ_ONLY", world.folder())
        .uid(65534)
        .status();
    match ended {
        Ok(status) => assert!(status.success()),
        Err(_) => {
            let found = world.open(PASSWORD);
            assert!(matches!(found, Err(StoreError::ReadOnly { .. })), "already nobody special: {found:?}");
        }
    }
    rights(&world.folder(), 0o755);
}

#[test]
fn a_newer_key_file_is_refused_and_left_alone() {
    let mut world = World::new();
    world.close();
    for name in ["keys.json", "keys.copy.json"] {
        let text = String::from_utf8(bytes(&world.file(name))).unwrap();
        std::fs::write(world.file(name), text.replacen("\"v\": 1", "\"v\": 2", 1)).unwrap();
    }
    let before = bytes(&world.file("keys.json"));
    assert!(matches!(world.open(PASSWORD), Err(StoreError::TooNew { found: 2, known: 1, .. })));
    assert_eq!(bytes(&world.file("keys.json")), before);
}
