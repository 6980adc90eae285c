//! Redis in its three faces: one server, a cluster of three, and a master with a replica that two sentinels watch.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use super::Start;
use super::process::{Running, bound, free_port, prepare};

/// Each face, and the variable that names it.
pub const FACES: [(&str, Start); 3] = [
    ("MASHANG_TEST_REDIS", single),
    ("MASHANG_TEST_REDIS_CLUSTER", cluster),
    ("MASHANG_TEST_REDIS_SENTINEL", sentinel),
];

/// What sentinels call the master.
const MASTER: &str = "mashang";

fn single(folder: &Path) -> anyhow::Result<(Vec<Running>, String)> {
    let port = free_port()?;
    Ok((vec![server(folder, port, &[])?], format!("redis://127.0.0.1:{port}")))
}

fn cluster(folder: &Path) -> anyhow::Result<(Vec<Running>, String)> {
    let ports = [free_port()?, free_port()?, free_port()?];
    let mut running = Vec::new();
    for port in ports {
        let bus = free_port()?.to_string();
        running.push(server(folder, port, &["--cluster-enabled", "yes", "--cluster-port", &bus])?);
    }
    let nodes = ports.map(|port| format!("127.0.0.1:{port}"));
    let mut create = Command::new("redis-cli");
    prepare(create.args(["--cluster", "create"]).args(&nodes).args([
        "--cluster-replicas",
        "0",
        "--cluster-yes",
    ]))?;
    for (port, process) in ports.into_iter().zip(std::mem::take(&mut running)) {
        // Each learns from the others that all slots are served.
        let whole = format!("redis-cli -p {port} cluster info | grep -q cluster_state:ok");
        running.push(process.ready(Command::new("sh").args(["-c", &whole]))?);
    }
    Ok((running, format!("redis+cluster://{}", nodes.join(","))))
}

fn sentinel(folder: &Path) -> anyhow::Result<(Vec<Running>, String)> {
    let (master, replica) = (free_port()?, free_port()?);
    let mut running = vec![server(folder, master, &[])?];
    let of = master.to_string();
    let replica =
        server(folder, replica, &["--replicaof", "127.0.0.1", &of, "--repl-diskless-sync-delay", "0"])?;
    let linked = format!("redis-cli -p {master} info replication | grep -q state=online");
    running.push(replica.ready(Command::new("sh").args(["-c", &linked]))?);
    let ports = [free_port()?, free_port()?];
    for port in ports {
        // Sentinels write into their own configuration.
        let file = folder.join(format!("sentinel-{port}.conf"));
        fs::write(
            &file,
            format!(
                "bind 127.0.0.1\nport {port}\ndir {}\nsentinel monitor {MASTER} 127.0.0.1 {master} 2\n\
                 sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 3000\n",
                folder.display()
            ),
        )?;
        let process = Running::start(
            bound("redis-sentinel").arg(&file),
            folder.join(format!("sentinel-{port}.log")),
            Signal::TERM,
        )?;
        running.push(process);
    }
    for port in ports {
        let process = running.remove(2);
        let known = format!(
            "redis-cli -p {port} sentinel master {MASTER} | grep -A1 -x num-slaves | grep -qx 1 && \
             redis-cli -p {port} sentinel master {MASTER} | grep -A1 -x num-other-sentinels | grep -qx 1"
        );
        running.push(process.ready(Command::new("sh").args(["-c", &known]))?);
    }
    let nodes = ports.map(|port| format!("127.0.0.1:{port}"));
    Ok((running, format!("redis+sentinel://{}/{MASTER}", nodes.join(","))))
}

/// One server that keeps nothing on disk.
fn server(folder: &Path, port: u16, more: &[&str]) -> anyhow::Result<Running> {
    let folder = folder.join(format!("redis-{port}"));
    fs::create_dir(&folder)?;
    let mut command = bound("redis-server");
    command
        .args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--port",
            &port.to_string(),
            "--dir",
        ])
        .arg(&folder)
        .args(more);
    let running = Running::start(&mut command, folder.join("log"), Signal::TERM)?;
    let ping = format!("redis-cli -p {port} ping | grep -q PONG");
    running.ready(Command::new("sh").args(["-c", &ping]))
}
