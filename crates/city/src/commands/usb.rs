//! USB files on the command line.

use anyhow::{Context, bail};
use city::{AnswerFile, City, FileDone, FileReport};
use clap::Subcommand;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// 仅限非涉密计算机和非涉密 U 盘。
#[derive(Subcommand)]
pub enum Usb {
    /// 导入 U 盘上的上报文件或接入申请，并做出要带回去的文件。仅限非涉密计算机和非涉密 U 盘
    Import {
        /// 支部导出的文件（.jishi）
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// 带回去的文件放在这个文件夹
        #[arg(long)]
        out: PathBuf,
    },
    /// 不等上报，为一个党组织的每台电脑做一份文件。仅限非涉密计算机和非涉密 U 盘
    Export {
        /// 编号或全称
        #[arg(long)]
        organisation: String,
        #[arg(long)]
        out: PathBuf,
    },
}

impl Usb {
    pub fn run(self, city: &City) -> anyhow::Result<()> {
        match self {
            Usb::Import { files, out } => import(city, &files, &out),
            Usb::Export { organisation, out } => {
                let made = city.export_files(&organisation)?;
                if made.is_empty() {
                    bail!("“{organisation}”还没有接入的电脑");
                }
                made.iter().try_for_each(|file| put(file, &out))
            }
        }
    }
}

/// A file that cannot be used does not keep the others out.
fn import(city: &City, files: &[PathBuf], out: &Path) -> anyhow::Result<()> {
    let mut refused = 0;
    for path in files {
        let bytes = std::fs::read(path).with_context(|| format!("读不到 {}", path.display()))?;
        match city.import_file(&bytes) {
            Ok(FileDone { report, answer, .. }) => {
                println!("{}：{}", path.display(), words(&report));
                put(&answer, out)?;
            }
            Err(refusal) => {
                refused += 1;
                println!("{}：没有导入。{}", path.display(), reason(&refusal.code));
            }
        }
    }
    match refused {
        0 => Ok(()),
        _ => bail!("{refused} 个文件没有导入"),
    }
}

fn words(report: &FileReport) -> String {
    let mut text = match report.enrolled {
        true => format!("{} 的电脑已接入", report.organisation_name),
        false => format!("{}，新收到 {} 条，已有 {} 条", report.organisation_name, report.new, report.known),
    };
    if report.waiting > 0 {
        text += &format!("；{} 条缺前面的内容，文件已保留，请支部导入回执后再导出一次", report.waiting);
    }
    if report.linked > 0 {
        text += &format!("；先前保留的 {} 个文件已接上", report.linked);
    }
    if let Some((section, of)) = report.damaged {
        text +=
            &format!("；文件从第 {section} 段（共 {of} 段）起损坏，之前的已收下，请支部导入回执后再导出一次");
    }
    if report.attachments > 0 {
        text += &format!("；收到 {} 个照片和附件", report.attachments);
    }
    if report.attachments_refused > 0 {
        text += &format!("；{} 个照片或附件没有收下，支部下次导出时会再带来", report.attachments_refused);
    }
    if report.attachments_back + report.attachments_left > 0 {
        text += &format!("；带回 {} 个照片和附件", report.attachments_back);
    }
    if report.attachments_left > 0 {
        text += &format!("，还有 {} 个放不下，下次带回", report.attachments_left);
    }
    if !report.refused.is_empty() {
        text += &format!("；{} 项不予接收", report.refused.len());
    }
    text
}

fn reason(code: &str) -> &str {
    match code {
        "not_our_file" => "不是本系统的文件。请确认拿对了文件（扩展名 .jishi）",
        "newer_file" => "由更新版本的程序生成。请先升级市级平台",
        "damaged_file" => "文件损坏或没有复制完整。请支部重新导出，安全弹出 U 盘后再拿来",
        "other_city" => "是给另一个市级平台的",
        "wrong_way" => "这是回执文件，应交给支部导入",
        "not_for_us" => "不是用本平台的密钥封装的。请用 city export 给支部一份文件，支部导入后重新导出",
        "bad_signature" => "签名不对，文件被改动过。请支部重新导出",
        "too_large" => "文件太大",
        "not_enrolled" => "做这个文件的电脑没有接入本平台。如果平台恢复过旧备份，请支部“从头导出”后再拿来",
        "revoked" => "这台电脑已被停用",
        "code_unknown" => "接入码不对，或不是本平台发的",
        "code_used" => "接入码已被另一台电脑用过，请重新生成",
        "code_expired" => "接入码已过期，请重新生成",
        "code_too_many_tries" => "一小时内试了五次以上，请一小时后再试",
        other => other,
    }
}

/// Whole or not at all, and on the medium before it is announced.
fn put(file: &AnswerFile, out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("不能建立文件夹 {}", out.display()))?;
    let (path, part) = (out.join(&file.name), out.join(format!("{}.part", file.name)));
    let written = || -> std::io::Result<()> {
        let mut to = File::create(&part)?;
        to.write_all(&file.bytes)?;
        to.sync_all()?;
        std::fs::rename(&part, &path)
    };
    if let Err(error) = written() {
        // What is left of it says nothing to anybody.
        let _gone = std::fs::remove_file(&part);
        return Err(error).with_context(|| format!("写不了 {}：U 盘满了、只读或已拔出", path.display()));
    }
    println!("带回去的文件：{}", path.display());
    Ok(())
}
