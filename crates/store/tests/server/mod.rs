//! A fresh database on a server that is running already.

#![allow(dead_code, unused_macros, reason = "each engine uses its part")]

pub mod engines;
pub mod faults;
#[path = "../older/mod.rs"]
pub mod older;
pub mod proxy;

use std::any::Any;
use std::sync::Arc;

use mashang_login::ambient::SystemEntropy;
use mashang_login::secret::random_text;
use mashang_store::conformance::Nodes;
use mashang_store::sql::{SqlOptions, SqlRecords};

/// Few connections: many tests run at once.
pub fn options() -> SqlOptions {
    SqlOptions { readers: 3, writers: 6, ..SqlOptions::default() }
}

/// The server that the tests are told to use.
#[expect(clippy::disallowed_methods, reason = "tests are told where their servers are")]
pub fn url_from(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set; run `cargo xtask engines -- cargo test -p mashang-store --features engines`")
    })
}

/// An engine's way to make a database and to drop it.
pub trait Server: Send + Sync + 'static {
    const VARIABLE: &'static str;
    /// Runs `sql` on the server's own database.
    async fn administer(url: &str, sql: String);
    /// Ends every connection to the database `name`.
    async fn kill_connections(url: &str, name: &str);
    /// A database as the version before left it: the number of its newest migration, and of the newest there is.
    async fn make_older(url: &str) -> (i64, i64);
    /// Keeps everybody out of the table `schema_compatibility` until what it gives is dropped.
    async fn hold(url: &str) -> Box<dyn Any + Send>;
    /// How many wait for a table of the database.
    async fn waiting(url: &str) -> i64;
    fn create(name: &str) -> String;
    fn drop(name: &str) -> String;
}

/// A database of one test, dropped with it.
pub struct Database<S: Server> {
    pub admin: String,
    pub name: String,
    pub url: String,
    server: std::marker::PhantomData<S>,
}

impl<S: Server> Database<S> {
    pub async fn create() -> Self {
        let admin = url_from(S::VARIABLE);
        let name = format!("mashang_{}", random_text(&SystemEntropy, 12));
        S::administer(&admin, S::create(&name)).await;
        // Its settings stay, such as `ssl-mode`.
        let mut url = url::Url::parse(&admin).expect("an address");
        url.set_path(&name);
        let url = url.to_string();
        Self { admin, name, url, server: std::marker::PhantomData }
    }

    pub async fn open(&self) -> SqlRecords {
        SqlRecords::connect(&self.url, options()).await.unwrap()
    }

    /// The server's host and port.
    pub fn host(&self) -> String {
        let url = url::Url::parse(&self.url).unwrap();
        format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
    }

    /// The address of the database by way of a proxy.
    pub fn url_by(&self, proxy: std::net::SocketAddr) -> String {
        self.url.replacen(&self.host(), &proxy.to_string(), 1)
    }

    /// Two nodes of one database, as a suite wants them.
    pub async fn nodes<T: ?Sized>(share: fn(SqlRecords) -> Arc<T>) -> Nodes<T>
    where
        Self: Any,
    {
        let database = Self::create().await;
        let (a, b) = tokio::join!(database.open(), database.open());
        Nodes::new(share(a), share(b), database)
    }
}

impl<S: Server> Drop for Database<S> {
    fn drop(&mut self) {
        let (admin, sql) = (self.admin.clone(), S::drop(&self.name));
        // Not on this test's runtime: it may be about to end.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(S::administer(&admin, sql));
        });
        drop(dropping.join());
    }
}

/// Every suite on a server.
#[macro_export]
macro_rules! suites_on {
    ($server:ty) => {
        mod records {
            use super::*;
            async fn nodes() -> Nodes<dyn Records> {
                Database::<$server>::nodes(|node| Arc::new(node) as Arc<dyn Records>).await
            }
            mashang_store::record_suite!(nodes);
        }

        mod people {
            use super::*;
            async fn nodes() -> Nodes<dyn People> {
                Database::<$server>::nodes(|node| Arc::new(node) as Arc<dyn People>).await
            }
            mashang_store::credential_suite!(nodes);
            mashang_store::consent_suite!(nodes);
            mashang_store::erasure_suite!(nodes);
            mashang_store::trail_suite!(nodes);
        }

        mod platform_tokens {
            use super::*;
            async fn nodes() -> Nodes<dyn PlatformTokens> {
                Database::<$server>::nodes(|node| Arc::new(node) as Arc<dyn PlatformTokens>).await
            }
            mashang_store::platform_token_suite!(nodes);
        }
    };
}

/// Every case of [`faults`] on a server.
#[macro_export]
macro_rules! faults_on {
    ($server:ty, [$($case:ident),* $(,)?]) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            server::faults::$case::<$server>().await;
        }
    )* };
}
