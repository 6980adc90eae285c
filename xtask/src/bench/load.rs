//! Many visitors at once for a while, each beginning anew as soon as it is done, and what that cost the server.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::process::Server;

/// What came of a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Units of work done a second.
    pub per_second: f64,
    /// The processor time of the server, or of all of them, for one unit, in microseconds.
    pub cpu_micros: f64,
}

impl Load {
    /// What one core of the server does in a second when nothing else keeps it.
    pub fn per_core_second(&self) -> f64 {
        1e6 / self.cpu_micros
    }
}

/// Lets all `visitors` work for `length`, and gives them back.
///
/// # Errors
/// The first failure of any of them: a benchmark of failing requests says nothing.
pub async fn during<V: 'static>(
    servers: &[&Server],
    visitors: Vec<V>,
    length: Duration,
    work: impl AsyncFn(&mut V) -> anyhow::Result<()> + 'static,
) -> anyhow::Result<(Vec<V>, Load)> {
    let work = Rc::new(work);
    let mut tasks = JoinSet::new();
    let cpu = || servers.iter().map(|server| server.running.cpu_seconds()).sum::<anyhow::Result<f64>>();
    let cpu_before = cpu()?;
    let begun = Instant::now();
    for mut visitor in visitors {
        let work = Rc::clone(&work);
        tasks.spawn_local(async move {
            let mut done = 0_u64;
            while begun.elapsed() < length {
                work(&mut visitor).await?;
                done += 1;
            }
            anyhow::Ok((visitor, done))
        });
    }
    let (mut visitors, mut done) = (Vec::new(), 0);
    while let Some(ended) = tasks.join_next().await {
        let (visitor, units) = ended??;
        visitors.push(visitor);
        done += units;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu_seconds = cpu()? - cpu_before;
    let load = Load { per_second: done as f64 / seconds, cpu_micros: cpu_seconds * 1e6 / done.max(1) as f64 };
    Ok((visitors, load))
}

/// Lets `visitors` make `count` things together.
///
/// # Errors
/// The first failure.
pub async fn make<V: 'static, T: 'static>(
    visitors: Vec<V>,
    count: usize,
    make_one: impl AsyncFn(&mut V, usize) -> anyhow::Result<T> + 'static,
) -> anyhow::Result<(Vec<V>, Vec<T>)> {
    let make_one = Rc::new(make_one);
    let next = Rc::new(Cell::new(0));
    let mut tasks = JoinSet::new();
    for mut visitor in visitors {
        let (make_one, next) = (Rc::clone(&make_one), Rc::clone(&next));
        tasks.spawn_local(async move {
            let mut made = Vec::new();
            while next.get() < count {
                let number = next.replace(next.get() + 1);
                made.push(make_one(&mut visitor, number).await?);
            }
            anyhow::Ok((visitor, made))
        });
    }
    let (mut visitors, mut things) = (Vec::new(), Vec::new());
    while let Some(ended) = tasks.join_next().await {
        let (visitor, made) = ended??;
        visitors.push(visitor);
        things.extend(made);
    }
    Ok((visitors, things))
}

/// The middle one, by `order`.
pub fn median<T: Copy>(values: &[T], order: impl Fn(&T) -> f64) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| order(a).total_cmp(&order(b)));
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_an_outlier() {
        assert_eq!(median(&[9.0, 1.0, 2.0], |one| *one), 2.0);
    }

    #[tokio::test]
    async fn together_they_make_exactly_as_many_as_asked() {
        let (visitors, made) = tokio::task::LocalSet::new()
            .run_until(make(vec![(), (), ()], 10, async |(), number| {
                tokio::task::yield_now().await;
                Ok(number)
            }))
            .await
            .unwrap();
        assert_eq!(visitors.len(), 3);
        let mut made = made;
        made.sort_unstable();
        assert_eq!(made, (0..10).collect::<Vec<_>>());
    }
}
