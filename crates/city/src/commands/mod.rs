//! The subcommands, one topic a module. They read what was typed, ask the library, and print what it says.

mod backup;
mod devices;
mod keys;
mod operators;
mod organisations;
mod serve;
mod usb;

use city::{City, Folder, World};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// 建立新的市级平台：党组织名册、根密钥、管理密码
    Init(organisations::Init),
    /// 启动服务
    Serve(serve::Serve),
    /// 为一个党组织生成接入码（七天有效，只显示一次）
    Enrol(organisations::Enrol),
    /// 换一把新的签名密钥（每年一次）：需要根密钥
    Rotate(keys::Rotate),
    /// 告诉各支部的电脑：平台的地址是（以后接入的也会知道）
    Address(organisations::Address),
    /// 新增一位管理员，或给他换口令（口令只显示一次）
    Operator(operators::Operator),
    /// 撤下不该保存的内容：一位管理员申请，另一位确认
    Redact(operators::Redact),
    /// 备份：服务运行时也可以做；不带密钥，除非给出口令
    Backup(backup::Backup),
    /// 从备份恢复到一个新的数据文件夹
    Restore(backup::Restore),
    /// 一个党组织的电脑：名称、编号、接入时间、最近联系、状态
    Devices(devices::Devices),
    /// 停用一台电脑（丢失、被盗、交回）：它以后写的内容不再算数，先放在一边待审查
    Revoke(devices::OneDevice),
    /// 恢复使用一台被停用的电脑：它写过的内容全部算数
    Reinstate(devices::OneDevice),
    /// 被停用的电脑后来发来的内容，待审查
    Quarantine(devices::Devices),
    /// 审查后采纳被停用的电脑发来的内容
    Release(devices::Release),
    /// 归档一条记录：以后支部对它的改动一律退回
    Seal(organisations::Seal),
    #[command(flatten)]
    Usb(usb::Usb),
    /// 每条流的记录摘要：党组织编号、流、摘要
    Digest,
    /// 核对数据库：每条链、每个签名、每张回执、每份记录
    Check,
}

pub fn run(folder: &Folder, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Init(init) => init.run(folder),
        Command::Serve(serve) => serve.run(folder),
        Command::Enrol(enrol) => enrol.run(&open(folder)?),
        Command::Rotate(rotate) => rotate.run(&open(folder)?),
        Command::Address(address) => address.run(&open(folder)?),
        Command::Operator(operator) => operator.run(&open(folder)?),
        Command::Redact(redact) => redact.run(&open(folder)?),
        Command::Backup(backup) => backup.run(folder, &open(folder)?),
        Command::Restore(restore) => restore.run(folder),
        Command::Devices(devices) => devices.list(&open(folder)?),
        Command::Revoke(device) => device.revoke(&open(folder)?),
        Command::Reinstate(device) => device.reinstate(&open(folder)?),
        Command::Quarantine(devices) => devices.quarantine(&open(folder)?),
        Command::Release(release) => release.run(&open(folder)?),
        Command::Seal(seal) => seal.run(&open(folder)?),
        Command::Usb(usb) => usb.run(&open(folder)?),
        Command::Digest => organisations::digest(&open(folder)?),
        Command::Check => organisations::check(&open(folder)?),
    }
}

fn open(folder: &Folder) -> anyhow::Result<City> {
    Ok(City::open(folder, World::real(), false)?)
}

/// Who acts on the command line, for the audit log.
const WHO: &str = "command line";

/// A secret from the environment, else from the next line of the input: never from the command line, which others see.
fn secret(variable: &str, ask: &str) -> anyhow::Result<String> {
    if let Ok(set) = std::env::var(variable) {
        return Ok(set);
    }
    eprint!("{ask}：");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// An instant as people in the city read it.
fn time(at: i64) -> String {
    let zone = chrono::FixedOffset::east_opt(8 * 60 * 60).expect("eight hours are an offset");
    let instant = chrono::DateTime::from_timestamp_millis(at);
    instant.map_or_else(String::new, |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
}
