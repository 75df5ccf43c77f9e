//! Backup and restore.

use super::{secret, time};
use city::{BackedUp, City, Copied, Folder, Key, Lost, Restoring, World, read_root};
use clap::Args;
use std::path::PathBuf;

/// Attachments that are named one by one.
const NAMED: usize = 20;
const PASSPHRASE: &str = "JISHI_CITY_PASSPHRASE";

#[derive(Args)]
pub struct Backup {
    /// 备份放在哪里：一个还不存在的文件夹
    #[arg(long)]
    to: PathBuf,
    /// 连同数据库密钥一起备份，用口令加密（口令从环境变量 JISHI_CITY_PASSPHRASE 或下一行读取）
    #[arg(long)]
    with_key: bool,
}

impl Backup {
    pub fn run(self, folder: &Folder, city: &City) -> anyhow::Result<()> {
        let words = self.with_key.then(|| secret(PASSPHRASE, "备份口令（至少 12 个字符）")).transpose()?;
        let BackedUp { about, attachments } = city.backup(folder, &self.to, words.as_deref())?;
        println!(
            "已备份到 {}（{}），包括 {} 个附件。",
            self.to.display(),
            time(about.made_at),
            attachments.whole
        );
        match about.key {
            Some(_) => println!("备份里带有加密的数据库密钥；没有口令打不开，请另外保存口令。"),
            None => {
                println!("备份里没有数据库密钥：请另外保存 {}，没有它备份打不开。", folder.key().display())
            }
        }
        tell_lost("平台上缺少或已损坏，没有备份", &attachments);
        Ok(())
    }
}

/// Names the attachments that are not whole.
fn tell_lost(what: &str, attachments: &Copied) {
    if attachments.lost.is_empty() {
        return;
    }
    println!("有 {} 个附件{what}。还存有原件的电脑会在一周内的上报中自动补传：", attachments.lost.len());
    for Lost { hash, organisations } in attachments.lost.iter().take(NAMED) {
        println!("  {}（{}）", &hash.to_string()[..16], organisations.join("、"));
    }
    if attachments.lost.len() > NAMED {
        println!("  ……");
    }
}

#[derive(Args)]
pub struct Restore {
    /// 备份文件夹、数据文件夹的副本，或其中的数据库文件
    #[arg(long)]
    from: PathBuf,
    /// 另外保存的 city.key；不写则用备份里的，需要备份口令
    #[arg(long)]
    key: Option<PathBuf>,
    /// 根密钥文件；不写则启用备份里的备用签名密钥
    #[arg(long)]
    root: Option<PathBuf>,
}

impl Restore {
    pub fn run(self, folder: &Folder) -> anyhow::Result<()> {
        let words = match &self.key {
            Some(_) => None,
            None => Some(secret(PASSPHRASE, "备份口令")?),
        };
        let key = match (&self.key, &words) {
            (Some(file), _) => Key::File(file),
            (None, words) => Key::Passphrase(words.as_deref().unwrap_or_default()),
        };
        let root = self.root.as_deref().map(read_root).transpose()?;
        let restoring = Restoring { from: &self.from, key, root: root.as_ref() };
        let restored = city::restore(folder, restoring, &World::real())?;
        println!(
            "已恢复到 {}：{} 个变更，{} 个附件，最后收到于 {}。",
            folder.root.display(),
            restored.changes,
            restored.attachments.whole,
            time(restored.until)
        );
        println!(
            "已启用新的签名密钥 {}；作废了 {} 个没有用过的接入码。",
            &restored.device.to_string()[..16],
            restored.voided_codes
        );
        println!("备份之后收到的记录，各支部的电脑下次上报时自动补回来，收到时间以回执为准，不重新审核。");
        tell_lost("备份里缺少或已损坏，没有恢复", &restored.attachments);
        println!("下面这些只有平台有，补不回来，请核对：");
        println!("  管理员：备份里有 {}；此后新增的或换过口令的，请重新设置", restored.accounts.join("、"));
        println!("  审计日志：到 {} 为止", restored.audit_until.map_or_else(|| "—".to_owned(), time));
        for office in &restored.offices {
            match office.readers {
                0 => println!("  {}：没有电脑能读它的记录流，此后发的内容补不回来", office.name),
                readers => println!("  {}：此后发的内容，要靠 {readers} 台电脑中读过的补回来", office.name),
            }
        }
        println!("请运行 city check 核对，再启动服务。");
        Ok(())
    }
}
