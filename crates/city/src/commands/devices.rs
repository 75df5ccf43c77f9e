//! The computers of a branch, and what a revoked one sent.

use super::{WHO, time};
use city::{City, DeviceState};
use clap::Args;
use replica::ChangeId;

#[derive(Args)]
pub struct Devices {
    /// 党组织的编号或全称
    #[arg(long)]
    organisation: String,
}

#[derive(Args)]
pub struct OneDevice {
    /// 党组织的编号或全称
    #[arg(long)]
    organisation: String,
    /// 电脑编号，或它的开头几位（见 city devices）
    #[arg(long)]
    device: String,
}

#[derive(Args)]
pub struct Release {
    /// 党组织的编号或全称
    #[arg(long)]
    organisation: String,
    /// 变更编号（见 city quarantine），可以写几个
    #[arg(required = true)]
    changes: Vec<ChangeId>,
}

impl Devices {
    pub fn list(self, city: &City) -> anyhow::Result<()> {
        let (organisation, stream) = city.stream_of(&self.organisation)?;
        println!("{}（{}）", organisation.name, organisation.id);
        for device in city.devices(&stream)? {
            let state = match device.state {
                DeviceState::InUse => "使用中",
                DeviceState::Revoked => "已停用",
                DeviceState::NotLetIn => "未许可",
            };
            let when = |at: Option<i64>| at.map_or_else(|| "—".to_owned(), time);
            println!(
                "{}  {}  {state}  接入 {}  最近联系 {}  待审查 {}",
                &device.id.to_string()[..16],
                device.name,
                when(device.since),
                when(device.seen),
                device.quarantined
            );
        }
        Ok(())
    }

    pub fn quarantine(self, city: &City) -> anyhow::Result<()> {
        let (_, stream) = city.stream_of(&self.organisation)?;
        let held = city.quarantine(&stream)?;
        for it in &held {
            let header = &it.change.header;
            let mut records: Vec<String> =
                header.writes.iter().map(|write| format!("{} {}", write.kind, write.record)).collect();
            records.dedup();
            println!(
                "{}  电脑 {}  写于 {}  收到 {}  {}",
                it.change.id,
                &header.device.to_string()[..16],
                time(header.at),
                time(it.received_at),
                records.join("、")
            );
        }
        println!("共 {} 项待审查。内容请在管理页面上看。", held.len());
        Ok(())
    }
}

impl OneDevice {
    pub fn revoke(self, city: &City) -> anyhow::Result<()> {
        let (organisation, stream) = city.stream_of(&self.organisation)?;
        let device = city.device_of(&stream, &self.device)?;
        city.revoke_by(WHO, &stream, &device)?;
        println!("已停用{}的电脑 {}。它已经上报的内容不受影响。", organisation.name, self.device);
        Ok(())
    }

    pub fn reinstate(self, city: &City) -> anyhow::Result<()> {
        let (organisation, stream) = city.stream_of(&self.organisation)?;
        let device = city.device_of(&stream, &self.device)?;
        city.reinstate(WHO, &stream, &device)?;
        println!("已恢复使用{}的电脑 {}。", organisation.name, self.device);
        Ok(())
    }
}

impl Release {
    pub fn run(self, city: &City) -> anyhow::Result<()> {
        let (_, stream) = city.stream_of(&self.organisation)?;
        city.release(WHO, &stream, &self.changes)?;
        println!("已采纳 {} 项。", self.changes.len());
        Ok(())
    }
}
