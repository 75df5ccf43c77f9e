//! What released versions left: their folders must open with this program and keep every record, their messages must
//! still be read. One folder a version, written once by `keep-release` and never again.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use city::{City, Folder};
use replica::{StreamId, from_hex};
use store::Store;
use sync::Engine;
use testkit::simulate::{Line, copy};
use testkit::{PASSWORD, Release, Secretary, World, program, stored};

/// A day after the last that the kept laptops saw.
const LATER: i64 = testkit::EVENING + 2 * 86_400_000;

/// The version before the present one is kept; a list that shrinks has lost a promise.
#[test]
fn every_released_version_is_kept() -> Result<()> {
    let kept: Vec<String> = Release::all()?.into_keys().collect();
    assert_eq!(kept, ["0.1.0"]);
    Ok(())
}

#[test]
fn a_laptop_of_a_released_version_opens_with_everything() -> Result<()> {
    each(|release, place| {
        let expected = release.expected()?;
        copy(&release.laptop(), place)?;
        let world = World::at(LATER, 1);
        let secretary = Secretary::at(program(place, &world)?);
        secretary.opens()?;
        assert_eq!(secretary.holdings()?, expected.holdings, "no record may be missing from the lists");
        let (draft, typed) = &expected.draft;
        assert_eq!(&secretary.draft(draft)?.summary, typed, "what was being typed is still there");
        let folder = place.join(secretary.folder()?);
        secretary.closes()?;
        let (stream, digest) = stored(&folder, &world)?;
        assert_eq!((stream.to_string(), digest), (expected.stream, expected.laptop));
        let store = Store::open(&folder, PASSWORD, world)?;
        store.check()?;
        assert_eq!(store.outbox()?.records, u64::from(expected.waiting), "what waits still waits");
        Ok(())
    })
}

#[test]
fn a_city_of_a_released_version_opens_and_serves_its_laptops() -> Result<()> {
    each(|release, place| {
        let expected = release.expected()?;
        let stream = stream(&expected.stream)?;
        let world = World::at(LATER, 1);
        copy(&release.city(), &place.join("city"))?;
        let city = Arc::new(City::open(&Folder::new(place.join("city")), world.of_city(), false)?);
        assert_eq!(city.digest(&stream)?, expected.city);
        let report = city.check()?;
        assert!(report.findings.is_empty(), "{report}");

        copy(&release.laptop(), &place.join("laptop"))?;
        let secretary = Secretary::at(program(&place.join("laptop"), &world)?);
        let store = Store::open(&place.join("laptop").join(secretary.folder()?), PASSWORD, world.clone())?;
        Engine::over(&store, Box::new(Line::clean(&city)), world.clone())?.exchange(&store)?;
        assert_eq!(store.outbox()?.records, 0, "what waited since the old version is reported");
        assert_eq!(store.digest(&stream)?, city.digest(&stream)?);
        Ok(())
    })
}

#[test]
fn messages_of_a_released_version_are_read() -> Result<()> {
    each(|release, _| {
        let expected = release.expected()?;
        assert_eq!(testkit::capture(release)?, expected.captured);
        Ok(())
    })
}

fn each(tell: impl Fn(&Release, &Path) -> Result<()>) -> Result<()> {
    for (version, release) in Release::all()? {
        let place = tempfile::tempdir()?;
        tell(&release, place.path()).with_context(|| format!("version {version}"))?;
    }
    Ok(())
}

fn stream(hex: &str) -> Result<StreamId> {
    Ok(StreamId(from_hex(hex)?))
}
