//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Scan-to-log-in for any website. Without a command: the demo.
#[derive(Debug, Parser)]
#[command(
    name = "mashang",
    version,
    about = "码上登录 · scan-to-log-in for any website",
    args_conflicts_with_subcommands = true
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The demo's options.
    #[command(flatten)]
    pub demo: Demo,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Server, sandbox and a sample website on this machine (the default)
    Demo(Demo),
    /// Run the server
    Serve(ConfigFile),
    /// Run the sandbox alone: a pretend WeChat in which anyone can be anyone
    Sandbox(Sandbox),
    /// Look at configuration
    #[command(subcommand)]
    Config(Config),
    /// Register websites and apps
    #[command(subcommand)]
    Client(Client),
}

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub struct ConfigFile {
    /// Configuration file; without it, the defaults and the environment
    #[arg(long, short, value_name = "FILE", env = "MASHANG_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Options of the demo.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Let phones on the same network take part: listen on all addresses of this machine
    #[arg(long)]
    pub lan: bool,
    /// With --lan: the address phones reach this machine at, if the guess is wrong
    #[arg(long, value_name = "ADDRESS", requires = "lan")]
    pub lan_address: Option<IpAddr>,
    /// First of three ports; a port in use is replaced by a free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Keep the demo's data in this folder; without it, a temporary one
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

/// Options of the sandbox.
#[derive(Debug, Clone, Args)]
pub struct Sandbox {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8930")]
    pub listen: SocketAddr,
    /// Where browsers and phones reach it; without it, http:// and the listening address
    #[arg(long, value_name = "URL")]
    pub public_url: Option<url::Url>,
}

/// Commands about configuration.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Check a file and the environment without starting anything
    Check(ConfigFile),
    /// Print the default configuration, which is the manual
    Show,
}

/// Commands about clients.
#[derive(Debug, Subcommand)]
pub enum Client {
    /// Register a website or app, or replace one of the same id
    Add(AddClient),
    /// List all
    List(ConfigFile),
}

/// A client to register.
#[derive(Debug, Clone, Args)]
pub struct AddClient {
    /// The OAuth client_id: letters, digits, - _ .
    pub id: String,
    /// The name people see on the login and confirm pages
    #[arg(long)]
    pub name: String,
    /// Exact redirect address; repeat for several
    #[arg(long = "redirect-uri", value_name = "URL", required = true)]
    pub redirect_uris: Vec<String>,
    /// Exact address to return to after logout; repeat for several
    #[arg(long = "post-logout-redirect-uri", value_name = "URL")]
    pub post_logout_redirect_uris: Vec<String>,
    /// A single-page or native app: no secret, PKCE instead
    #[arg(long)]
    pub public: bool,
    /// WEAKER: for a client with a secret that cannot do PKCE
    #[arg(long, conflicts_with = "public")]
    pub pkce_optional: bool,
    /// Algorithm of ID tokens
    #[arg(long, value_enum, default_value_t = Algorithm::Rs256)]
    pub id_token_alg: Algorithm,
    /// Allow refresh tokens (scope offline_access)
    #[arg(long)]
    pub refresh_tokens: bool,
    /// Replace a client of the same id; its old secret ends
    #[arg(long)]
    pub replace: bool,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Signing algorithms.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Algorithm {
    /// RS256
    #[value(name = "RS256")]
    Rs256,
    /// ES256
    #[value(name = "ES256")]
    Es256,
    /// EdDSA
    #[value(name = "EdDSA")]
    EdDsa,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_arguments_mean_the_demo() {
        let arguments = Arguments::try_parse_from(["mashang"]).unwrap();
        assert!(arguments.command.is_none());
        assert!(!arguments.demo.lan);
    }
}
