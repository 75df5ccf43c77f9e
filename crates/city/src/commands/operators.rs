//! Operators, and redaction by two of them.

use super::{secret, time};
use anyhow::bail;
use city::{City, Subject};
use clap::{Args, Subcommand};
use replica::ChangeId;

const PASSWORD: &str = "JISHI_CITY_PASSWORD";

#[derive(Args)]
pub struct Operator {
    /// 名称；不写则列出现有的管理员
    name: Option<String>,
    /// 已有的管理员：换一个新口令
    #[arg(long)]
    reset: bool,
}

impl Operator {
    pub fn run(self, city: &City) -> anyhow::Result<()> {
        let Some(name) = self.name else {
            city.operators()?.iter().for_each(|name| println!("{name}"));
            return Ok(());
        };
        let password = if self.reset { city.reset_operator(&name)? } else { city.add_operator(&name)? };
        println!("管理员 {name} 的口令（只显示这一次）：{password}");
        Ok(())
    }
}

#[derive(Args)]
pub struct Redact {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    /// 申请撤下一份记录、其中一个字段，或一个变更
    Ask(Ask),
    /// 另一位管理员确认：立即撤下，不能恢复
    Confirm(Decide),
    /// 不同意，或收回自己的申请
    Decline(Decide),
    /// 全部申请
    List,
}

#[derive(Args)]
struct Ask {
    /// 管理员名称（口令从环境变量 JISHI_CITY_PASSWORD 或下一行读取）
    #[arg(long)]
    operator: String,
    /// 党组织的编号或全称
    #[arg(long)]
    organisation: String,
    /// 类别，如 person
    #[arg(long, requires = "record", required_unless_present = "change")]
    kind: Option<String>,
    /// 记录编号
    #[arg(long, requires = "kind")]
    record: Option<String>,
    /// 字段，如 id_number；不写则是整份记录
    #[arg(long, requires = "record")]
    field: Option<String>,
    /// 变更编号
    #[arg(long, conflicts_with_all = ["kind", "record", "field"])]
    change: Option<ChangeId>,
    /// 理由（不要写涉及的内容本身）
    #[arg(long)]
    reason: String,
}

#[derive(Args)]
struct Decide {
    /// 管理员名称（口令从环境变量 JISHI_CITY_PASSWORD 或下一行读取）
    #[arg(long)]
    operator: String,
    /// 申请编号
    id: i64,
}

impl Redact {
    pub fn run(self, city: &City) -> anyhow::Result<()> {
        match self.step {
            Step::Ask(ask) => ask.run(city),
            Step::Confirm(Decide { operator, id }) => {
                sign_in(city, &operator)?;
                let changes = city.confirm_redaction(&operator, id)?;
                println!(
                    "已撤下 {changes} 个变更的内容；各支部的电脑下次上报时也会删去。以前的备份里仍有，请另行处理。"
                );
                Ok(())
            }
            Step::Decline(Decide { operator, id }) => {
                sign_in(city, &operator)?;
                city.decline_redaction(&operator, id)?;
                println!("申请 {id} 已取消。");
                Ok(())
            }
            Step::List => list(city),
        }
    }
}

impl Ask {
    fn run(self, city: &City) -> anyhow::Result<()> {
        let (_, stream) = city.stream_of(&self.organisation)?;
        let subject = match (self.change, self.kind, self.record, self.field) {
            (Some(change), ..) => Subject::Change(change),
            (None, Some(kind), Some(record), Some(path)) => Subject::Field { kind, record, path },
            (None, Some(kind), Some(record), None) => Subject::Record { kind, record },
            (None, ..) => bail!("请写 --kind 和 --record，或 --change"),
        };
        sign_in(city, &self.operator)?;
        let id = city.ask_redaction(&self.operator, &stream, &subject, &self.reason)?;
        let (changes, records) = city.reach(&stream, &subject)?;
        println!("申请编号 {id}：涉及 {changes} 个变更、{} 份记录。请另一位管理员确认。", records.len());
        Ok(())
    }
}

fn sign_in(city: &City, name: &str) -> anyhow::Result<()> {
    Ok(city.identify(name, &secret(PASSWORD, &format!("{name} 的口令"))?, "command line")?)
}

fn list(city: &City) -> anyhow::Result<()> {
    for it in city.redactions()? {
        let state = match &it.decided {
            None => "待确认".to_owned(),
            Some(decision) => {
                let done = if decision.done { "已撤下" } else { "已取消" };
                format!("{} {done}（{}）", decision.by, time(decision.at))
            }
        };
        let subject = match &it.subject {
            Subject::Change(id) => format!("变更 {id}"),
            Subject::Record { kind, record } => format!("{kind} {record}"),
            Subject::Field { kind, record, path } => format!("{kind} {record} {path}"),
        };
        println!(
            "{}  {subject}  {}申请（{}）：{}  {state}",
            it.id,
            it.asked_by,
            time(it.asked_at),
            it.reason
        );
    }
    Ok(())
}
