//! The city is killed while it works on a request, and started again: it holds whole changes or none of them.

use std::thread;

use anyhow::{Context, Result};
use testkit::{BRANCH, CityProcess, Laptop, Proxy, World, process::PATIENCE};

#[test]
fn a_city_that_is_killed_loses_nothing_that_it_acknowledged() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut city = CityProcess::init(&folder.path().join("city"))?;
    city.serve()?;
    let address = city.listens();
    let line = Proxy::before(address)?;
    // The city's clock is the real one; a laptop with another gets through on its second try.
    let a = Laptop::with_branch(World::new(2))?;
    a.secretary.enrols(&line.address(), &city.code_for(BRANCH)?)?;
    a.secretary.reports()?;
    for round in 0..4 {
        for number in 0..10 {
            a.secretary.promises(&format!("第 {round} 轮第 {number} 条"))?;
        }
        let request = line.watch();
        thread::scope(|scope| -> Result<()> {
            let exchange = scope.spawn(|| a.secretary.exchanges());
            request.recv_timeout(PATIENCE).context("no request came")?;
            city.kill()?;
            // Whether it was quick enough does not matter.
            let _ = exchange.join().ok().context("the exchange panicked")?;
            Ok(())
        })?;
        city.serve_again(address)?;
        a.secretary.reports()?;
    }
    let (stream, digest) = a.stored()?;
    assert_eq!(
        digest,
        city.digest(&stream.to_string())?,
        "laptop and city must hold the same after every crash"
    );
    city.check()?;
    assert_eq!(a.secretary.holdings()?.promises, 40);
    Ok(())
}
