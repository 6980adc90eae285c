//! PostgreSQL and MariaDB for tests: empty, without passwords, on loopback only.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use rustix::process::Signal;

use super::Start;
use super::process::{Owner, Running, free_port, prepare};

/// Each engine, and the variable that names it.
pub const FACES: [(&str, Start); 2] =
    [("MASHANG_TEST_POSTGRES", postgres), ("MASHANG_TEST_MARIADB", mariadb)];

/// The newest PostgreSQL that Debian's packages installed, else what is on the path.
fn postgres_program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

/// A PostgreSQL whose superuser is `postgres`.
fn postgres(folder: &Path) -> anyhow::Result<(Vec<Running>, String)> {
    let owner = Owner::named("postgres")?;
    let data = owner.folder(folder.join("postgres"))?;
    let port = free_port()?.to_string();
    prepare(
        owner
            .command(postgres_program("initdb"))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data),
    )?;
    let mut server = owner.command(postgres_program("postgres"));
    server.arg("-D").arg(&data).args(["-p", &port]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=400",
        "shared_buffers=64MB",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
    ] {
        server.args(["-c", setting]);
    }
    // SIGQUIT: at once; nothing of it is kept.
    let running = Running::start(&mut server, folder.join("postgres.log"), Signal::QUIT)?;
    let running =
        running.ready(Command::new(postgres_program("pg_isready")).args(["-h", "127.0.0.1", "-p", &port]))?;
    Ok((vec![running], format!("postgres://postgres@127.0.0.1:{port}/postgres")))
}

/// A MariaDB whose `root` has no password.
fn mariadb(folder: &Path) -> anyhow::Result<(Vec<Running>, String)> {
    let owner = Owner::named("mysql")?;
    let data = owner.folder(folder.join("mariadb"))?;
    let port = free_port()?.to_string();
    prepare(
        owner
            .command("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", data.display())),
    )?;
    let mut server = owner.command("/usr/sbin/mariadbd");
    server
        .args(["--no-defaults", "--bind-address=127.0.0.1", "--max-connections=400", "--skip-log-bin"])
        .args([
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
            &format!("--port={port}"),
            &format!("--datadir={}", data.display()),
            &format!("--socket={}", data.join("socket").display()),
            &format!("--pid-file={}", data.join("pid").display()),
        ]);
    let running = Running::start(&mut server, folder.join("mariadb.log"), Signal::KILL)?;
    let mut ping = Command::new("mariadb-admin");
    ping.args([
        "--no-defaults",
        "--protocol=tcp",
        "--host=127.0.0.1",
        "--user=root",
        "--port",
        &port,
        "ping",
    ]);
    let running = running.ready(&mut ping).context("mariadb-admin ping")?;
    Ok((vec![running], format!("mysql://root@127.0.0.1:{port}/mysql")))
}
