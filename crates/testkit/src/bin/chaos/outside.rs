//! What happens to laptops from outside: the weather of their lines, and a city that is killed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use testkit::{CityProcess, Cut, Link, Proxy, Random, Weather};

use crate::figures::What;
use crate::stage::Stage;

/// 2 KB/s, as at the edge of a network.
const SLOW: Link = Link { bytes_per_second: 2048, latency: Duration::from_millis(150) };
/// Ports that no connection is given by itself: the city must find its own free when it comes back.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// Changes the weather of a line until the story is over; then it is fair.
pub fn weather(stage: &Stage, line: &Proxy, name: &str, mut random: Random) {
    while !stage.is_over() {
        let weather = drawn(&mut random);
        stage.note(name, &format!("{weather:?}"));
        line.set_weather(weather);
        if random.chance(35) {
            line.cut(cut(&mut random));
        }
        stage.rest(Duration::from_millis(random.between(1500, 5000) as u64));
    }
    line.set_weather(Weather::default());
}

fn drawn(random: &mut Random) -> Weather {
    let link = match random.below(100) {
        0..40 => None,
        40..75 => Some(Link {
            bytes_per_second: 20_000 << random.below(4),
            latency: Duration::from_millis(random.between(10, 400) as u64),
        }),
        _ => Some(SLOW),
    };
    let break_every = random.chance(30).then(|| 500 << random.below(8));
    let refuses = if random.chance(35) { 30 } else { 0 };
    Weather { link, break_every, refuses }
}

fn cut(random: &mut Random) -> Cut {
    match random.below(4) {
        0 => Cut::BeforeSend,
        1 => Cut::MidRequest { after: random.between(1, 3000) },
        2 => Cut::BeforeAnswer,
        _ => Cut::MidAnswer { after: random.between(1, 600) },
    }
}

/// Kills the city in the middle of requests and starts it again where laptops know it. In the end it runs.
pub fn kill_city(stage: &Stage, city: &mut CityProcess, line: &Proxy, mut random: Random) -> Result<()> {
    let address = city.listens();
    while !stage.is_over() {
        stage.rest(Duration::from_millis(random.between(2000, 7000) as u64));
        let request = line.watch();
        // Nobody may have anything to say; then it is killed while it rests.
        let _ = request.recv_timeout(Duration::from_secs(3));
        thread::sleep(Duration::from_micros(random.below(40_000) as u64));
        city.kill()?;
        stage.figures.count(What::CityKilled);
        stage.note("city", "killed");
        stage.rest(Duration::from_millis(random.below(1500) as u64));
        city.serve_again(address)?;
        stage.note("city", "serves again");
    }
    Ok(())
}

/// An address of its own on this computer.
pub fn address(random: &mut Random) -> Result<SocketAddr> {
    let from = PORTS.start + u16::try_from(random.below(PORTS.len()))?;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let port = (from..PORTS.end).chain(PORTS).find(is_free).context("no port is free for the city")?;
    Ok((Ipv4Addr::LOCALHOST, port).into())
}
