//! `city`: the server of a city's Party organisations, and what its IT person does on the command line.

use anyhow::{Context, bail};
use city::{City, Folder, Listen, Setup, World};
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "city", version, about = "支部纪实 · 市级平台")]
struct Cli {
    /// 数据文件夹；不写时用环境变量 JISHI_CITY_DATA，再没有就是 city-data
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 建立新的市级平台：党组织名册、根密钥、管理密码
    Init {
        /// 党组织名册（CSV，列：id,name,kind,parent,founded,lines）
        #[arg(long)]
        organisations: PathBuf,
    },
    /// 启动服务
    Serve {
        #[arg(long, default_value = "127.0.0.1:8470")]
        listen: SocketAddr,
        /// 前面有提供 HTTPS 的反向代理
        #[arg(long)]
        behind_proxy: bool,
    },
    /// 为一个党组织生成接入码（七天有效，只显示一次）
    Enrol {
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
    },
    /// 每条流的记录摘要：党组织编号、流、摘要
    Digest,
    /// 核对数据库：每条链、每个签名、每张回执、每份记录
    Check,
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    let from_environment = || std::env::var_os("JISHI_CITY_DATA").map(PathBuf::from);
    let folder = Folder::new(cli.data.or_else(from_environment).unwrap_or_else(|| "city-data".into()));
    match cli.command {
        Command::Init { organisations } => init(&folder, &organisations),
        Command::Serve { listen, behind_proxy } => serve(&folder, Listen { address: listen, behind_proxy }),
        Command::Enrol { organisation, kind, parent, founded } => {
            let city = City::open(&folder, World::real(), false)?;
            let new = kind.zip(parent).zip(founded).map(|((kind, parent), founded)| city::NewOrganisation {
                kind,
                parent,
                founded,
            });
            let (organisation, code) = city.enrolment_code(&organisation, new)?;
            println!(
                "{}（{}）的接入码，七天内有效，只能用一次：\n{code}",
                organisation.name, organisation.id
            );
            Ok(())
        }
        Command::Digest => {
            for (organisation, stream, digest) in City::open(&folder, World::real(), false)?.digests()? {
                println!("{organisation} {stream} {digest}");
            }
            Ok(())
        }
        Command::Check => check(&folder),
    }
}

fn init(folder: &Folder, organisations: &std::path::Path) -> anyhow::Result<()> {
    let Setup { password, organisations } = city::init(folder, organisations, &World::real())?;
    println!("已登记 {organisations} 个党组织。");
    println!("管理密码（只显示这一次）：{password}");
    println!("根密钥：{}。请移到不联网的介质上保存，服务器上不要留。", folder.root_key().display());
    println!("数据库密钥：{}。请与数据库分开备份；没有它数据库打不开。", folder.key().display());
    Ok(())
}

fn serve(folder: &Folder, listen: Listen) -> anyhow::Result<()> {
    listen.allowed()?;
    let city = City::open(folder, World::real(), listen.behind_proxy)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen.address)
            .await
            .with_context(|| format!("不能监听 {}", listen.address))?;
        println!("listening on http://{}", listener.local_addr()?);
        axum::serve(listener, city::router(std::sync::Arc::new(city)))
            .with_graceful_shutdown(stopped())
            .await
            .context("服务中断")
    })
}

/// Ends with Ctrl-C, and with the signal that service managers send.
async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .expect("the runtime handles signals");
        tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}

fn check(folder: &Folder) -> anyhow::Result<()> {
    let city = City::open(folder, World::real(), false)?;
    let report = city.check()?;
    println!("{report}");
    match report.findings.is_empty() {
        true => Ok(()),
        false => bail!("发现 {} 处问题", report.findings.len()),
    }
}
