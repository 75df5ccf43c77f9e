//! The city's signing key.

use super::time;
use city::{City, read_root};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Rotate {
    /// 根密钥文件（city init 生成的 root.key，平时不在服务器上）
    #[arg(long)]
    root: PathBuf,
}

impl Rotate {
    pub fn run(self, city: &City) -> anyhow::Result<()> {
        let rotated = city.rotate(&read_root(&self.root)?)?;
        println!(
            "已启用新的签名密钥，有效期 {} 至 {}，已写入 {} 个党组织的记录流。",
            time(rotated.starts),
            time(rotated.ends),
            rotated.streams
        );
        println!("以前的回执照常有效；各支部的电脑下次上报时自动认得新密钥。请把根密钥移回不联网的介质。");
        Ok(())
    }
}
