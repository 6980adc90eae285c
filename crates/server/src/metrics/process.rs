//! This process, from `/proc/self` (proc(5)), read when somebody asks. Elsewhere than on Linux nothing is told.

use std::sync::LazyLock;

use mashang_login::Clock;
use mashang_login::ambient::SystemClock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// `USER_HZ`: 100 on every architecture that Linux runs servers on.
const TICKS: f64 = 100.0;

/// In seconds. By our own clock: `/proc/stat`, by which others tell, may be hidden from a service.
static BEGAN: LazyLock<f64> = LazyLock::new(|| SystemClock.now().as_duration().as_secs_f64());

/// Remembers this moment as the process's beginning, unless it is known.
pub(super) fn begin() {
    LazyLock::force(&BEGAN);
}

/// Reads when it is encoded.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut tell = |name: &str, help: &str, metric: &dyn EncodeMetric| {
            let written = encoder.encode_descriptor(name, help, None, metric.metric_type())?;
            metric.encode(written)
        };
        tell("process_start_time_seconds", "When it began, in Unix time", &ConstGauge::new(*BEGAN))?;
        if let Some(bytes) = status_bytes("VmRSS:") {
            tell("process_resident_memory_bytes", "Memory in use", &ConstGauge::new(bytes))?;
        }
        if let Some(seconds) = cpu_seconds() {
            tell("process_cpu_seconds", "Processor time used", &ConstCounter::new(seconds))?;
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            let open = i64::try_from(open.count()).unwrap_or(i64::MAX);
            tell("process_open_fds", "Open files and connections", &ConstGauge::new(open))?;
        }
        if let Some(most) = most_files() {
            tell("process_max_fds", "Most files and connections allowed", &ConstGauge::new(most))?;
        }
        Ok(())
    }
}

fn status_bytes(name: &str) -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<i64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// `utime` and `stime`: fields 14 and 15, counted after the name, which may hold spaces and brackets.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

fn most_files() -> Option<i64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
