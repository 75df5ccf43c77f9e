//! The server itself.

use anyhow::Context;
use city::{City, Folder, Listen, World};
use clap::Args;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Args)]
pub struct Serve {
    #[arg(long, default_value = "127.0.0.1:8470")]
    listen: SocketAddr,
    /// 前面有提供 HTTPS 的反向代理
    #[arg(long)]
    behind_proxy: bool,
}

impl Serve {
    pub fn run(self, folder: &Folder) -> anyhow::Result<()> {
        let listen = Listen { address: self.listen, behind_proxy: self.behind_proxy };
        listen.allowed()?;
        let city = Arc::new(City::open(folder, World::real(), listen.behind_proxy)?);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(listen.address)
                .await
                .with_context(|| format!("不能监听 {}", listen.address))?;
            println!("listening on http://{}", listener.local_addr()?);
            tokio::spawn(remind(city.clone()));
            axum::serve(listener, city::router(city).into_make_service_with_connect_info::<SocketAddr>())
                .with_graceful_shutdown(stopped())
                .await
                .context("服务中断")
        })
    }
}

/// Says in the log what should be done about the keys: at the start, and once a day.
async fn remind(city: Arc<City>) {
    let mut days = tokio::time::interval(DAY);
    loop {
        days.tick().await;
        let city = city.clone();
        let advice = tokio::task::spawn_blocking(move || city.key_advice()).await;
        for advice in advice.ok().and_then(Result::ok).into_iter().flatten() {
            tracing::warn!("{advice}");
        }
    }
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
