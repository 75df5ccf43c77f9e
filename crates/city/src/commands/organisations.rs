//! The register of organisations, enrolment codes, and proofs of the whole database.

use super::WHO;
use anyhow::{Context, bail};
use city::{City, Folder, NewOrganisation, Setup, World};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Init {
    /// 党组织名册（CSV，列：id,name,kind,parent,founded,lines）
    #[arg(long)]
    organisations: PathBuf,
}

impl Init {
    pub fn run(self, folder: &Folder) -> anyhow::Result<()> {
        let Setup { password, organisations } = city::init(folder, &self.organisations, &World::real())?;
        println!("已登记 {organisations} 个党组织。");
        println!("管理密码（只显示这一次）：{password}");
        println!("根密钥：{}。请移到不联网的介质上保存，服务器上不要留。", folder.root_key().display());
        println!("数据库密钥：{}。请与数据库分开备份；没有它数据库打不开。", folder.key().display());
        Ok(())
    }
}

#[derive(Args)]
pub struct Enrol {
    /// 编号或全称
    #[arg(long)]
    organisation: String,
    /// 名册里没有时新登记：类型（如 党支部）
    #[arg(long, requires_all = ["parent", "founded"])]
    kind: Option<String>,
    /// 新登记时的上级编号
    #[arg(long)]
    parent: Option<String>,
    /// 新登记时的成立日期，如 2012-06-21
    #[arg(long)]
    founded: Option<String>,
}

impl Enrol {
    pub fn run(self, city: &City) -> anyhow::Result<()> {
        let new = self.kind.zip(self.parent).zip(self.founded);
        let new = new.map(|((kind, parent), founded)| NewOrganisation { kind, parent, founded });
        let (organisation, code) = city.enrolment_code(&self.organisation, new)?;
        println!("{}（{}）的接入码，七天内有效，只能用一次：\n{code}", organisation.name, organisation.id);
        Ok(())
    }
}

#[derive(Args)]
pub struct Address {
    /// 以 https:// 开头的完整地址；不写则显示现在公布的地址
    url: Option<String>,
}

impl Address {
    pub fn run(self, city: &City) -> anyhow::Result<()> {
        if let Some(url) = self.url {
            let told = city.announce(WHO, &url)?;
            println!("已写入 {told} 个党组织的记录流，各电脑下次上报时知道。");
        }
        match city.announced()? {
            Some(address) => println!("公布的地址：{address}"),
            None => println!("还没有公布过地址。"),
        }
        Ok(())
    }
}

#[derive(Args)]
pub struct Seal {
    /// 党组织编号
    #[arg(long)]
    organisation: String,
    /// 记录的类别，如 meeting
    #[arg(long)]
    kind: String,
    /// 记录编号
    #[arg(long)]
    record: String,
    /// 解除归档
    #[arg(long)]
    off: bool,
}

impl Seal {
    pub fn run(self, city: &City) -> anyhow::Result<()> {
        let streams = city.digests()?;
        let found = streams.iter().find(|(id, _, _)| *id == self.organisation);
        let (_, stream, _) = found.with_context(|| format!("{} 还没有上报过", self.organisation))?;
        match self.off {
            true => city.unseal(stream, &self.kind, &self.record)?,
            false => city.seal(stream, &self.kind, &self.record)?,
        };
        println!("{}：{} {}", if self.off { "已解除归档" } else { "已归档" }, self.kind, self.record);
        Ok(())
    }
}

pub fn digest(city: &City) -> anyhow::Result<()> {
    for (organisation, stream, digest) in city.digests()? {
        println!("{organisation} {stream} {digest}");
    }
    Ok(())
}

pub fn check(city: &City) -> anyhow::Result<()> {
    let report = city.check()?;
    println!("{report}");
    for advice in city.key_advice()? {
        println!("提示：{advice}");
    }
    match report.findings.is_empty() {
        true => Ok(()),
        false => bail!("发现 {} 处问题", report.findings.len()),
    }
}
