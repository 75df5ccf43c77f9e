//! The end: what three computers stored, side by side.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use testkit::{World, stored};

use crate::Steps;
use crate::city::DemoCity;

/// Reads the digests from the stored records after every program has ended, and fails if they differ.
pub fn compare(a: PathBuf, b: PathBuf, city: DemoCity, steps: &Steps) -> Result<()> {
    let city = city.stop()?;
    let report = city.check()?;
    let report = report.lines().last().unwrap_or_default().to_owned();
    steps.tell(format!("市级平台：city check，{report}"));
    let (stream, of_a) = stored(&a, &World::new(0))?;
    let (stream_of_b, of_b) = stored(&b, &World::new(0))?;
    ensure!(stream == stream_of_b, "the laptops write into different streams: {stream} and {stream_of_b}");
    let of_city = city.digest(&stream.to_string())?;
    for (who, digest) in [("电脑甲", &of_a), ("电脑乙", &of_b), ("市级平台", &of_city)] {
        steps.tell(format!("状态摘要 {digest}  {who}"));
    }
    ensure!(of_a == of_b && of_b == of_city, "the digests differ");
    steps.tell("三处完全一致");
    Ok(())
}
