//! `city`: the server of a city's Party organisations, and what its IT person does on the command line.

mod commands;

use city::Folder;
use clap::Parser;
use commands::Command;
use std::path::PathBuf;

/// Changes are many small values that one thread makes and another drops (docs/decisions/0018).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "city", version, about = "支部纪实 · 市级平台")]
struct Cli {
    /// 数据文件夹；不写时用环境变量 JISHI_CITY_DATA，再没有就是 city-data
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
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
    commands::run(&folder, cli.command)
}
