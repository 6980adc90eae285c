//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mashang_login::key::SigningAlgorithm;

use crate::client::settings::{OnOff, Switches};

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
    /// Look at what a login needs, from the database to the platforms, and say what is wrong
    Doctor(ConfigFile),
    /// Ask the running server whether it is ready: for the health check of a container
    Health(Health),
    /// Run the sandbox alone: a pretend WeChat in which anyone can be anyone
    Sandbox(Sandbox),
    /// Look at configuration
    #[command(subcommand)]
    Config(Config),
    /// Register websites and apps, switch them off and on
    #[command(subcommand)]
    Client(Client),
    /// People: list, show, merge, unlink, switch off and on, erase
    #[command(subcommand)]
    User(User),
    /// Signing keys: list them, change them before their time
    #[command(subcommand)]
    Keys(Keys),
    /// The audit trail: what happened, and whether somebody changed it
    #[command(subcommand)]
    Audit(Audit),
    /// Bring the database's tables up to date without serving, and tell what that was
    Migrate(Migrate),
    /// Write all lasting records of the database into a file, to import them into another engine
    Export(Export),
    /// Read an export into an empty database: all of it, or nothing
    Import(Import),
    /// Write the extension for ZenTao (禅道), ready to install: WeCom scan on its login page
    ZentaoPlugin(ZentaoPlugin),
}

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub struct ConfigFile {
    /// Configuration file; without it, the defaults and the environment
    #[arg(long, short, value_name = "FILE", env = "MASHANG_CONFIG")]
    pub config: Option<PathBuf>,
}

/// What to ask the running server.
#[derive(Debug, Clone, Args)]
pub struct Health {
    /// Ask only whether the process answers (/healthz), not whether its stores do (/readyz)
    #[arg(long)]
    pub live: bool,
    /// The configuration that the server runs with.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Whether to change the tables, or only to look.
#[derive(Debug, Clone, Args)]
pub struct Migrate {
    /// Change nothing: tell what would be applied; the exit status is 0 if that is nothing
    #[arg(long)]
    pub check: bool,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Where an export goes.
#[derive(Debug, Clone, Args)]
pub struct Export {
    /// File to make, readable by its owner only; `-` for standard output
    pub to: PathBuf,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Where an export is.
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// File that `mashang export` wrote; `-` for standard input
    pub from: PathBuf,
    /// Where the configuration of the empty database is.
    #[command(flatten)]
    pub file: ConfigFile,
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
    /// Where browsers and phones reach it, without a path; if absent, http:// and the listening address, or for 0.0.0.0
    /// this machine's address on its network
    #[arg(long, value_name = "URL")]
    pub public_url: Option<url::Url>,
    /// Also answer over TLS under Tencent's own host names, at this address and port
    #[arg(long, value_name = "ADDRESS", requires = "ca_dir")]
    pub tls_listen: Option<SocketAddr>,
    /// Folder of the certificate authority for --tls-listen, made once and yours to trust
    #[arg(long, value_name = "FOLDER", requires = "tls_listen")]
    pub ca_dir: Option<PathBuf>,
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
    /// Change a website or app; what is not named stays as it is
    Set(SetClient),
    /// Show how one is registered
    Show(OneClient),
    /// List all
    List(ConfigFile),
    /// Switch a website or app off: nobody signs in to it, and its tokens stop working
    Disable(OneClient),
    /// Switch it on again
    Enable(OneClient),
}

/// A client that is registered.
#[derive(Debug, Clone, Args)]
pub struct OneClient {
    /// The OAuth client_id, as `mashang client list` shows it
    pub id: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Commands about people.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Create a person who signs in by name and password
    Add(AddUser),
    /// Set a person's password; whatever was signed in by the former one is signed out
    Password(SetPassword),
    /// List people, the latest first
    List(ListUsers),
    /// Show a person: how they sign in, where they are signed in, and whom they were merged with
    Show(OneUser),
    /// Make two people one: everything that leads to the first leads to the second. Shows what it would do unless --yes is given
    Merge(MergeUsers),
    /// Undo a merge: what is still with the second person goes back
    Unmerge(Unmerge),
    /// Take a way to sign in from a person, never the last one
    Unlink(UnlinkUser),
    /// Sign a person out everywhere: their sessions and what websites can refresh end
    SignOut(OneUser),
    /// Switch a person off: they are signed out everywhere, and cannot sign in
    Disable(OneUser),
    /// Switch a person on again
    Enable(OneUser),
    /// Delete a person for good, with everything that is kept of them. Shows what it would do unless --yes is given
    Erase(EraseUser),
}

/// Whom to erase.
#[derive(Debug, Clone, Args)]
pub struct EraseUser {
    /// The `sub` that websites know the person by; user_id in the audit trail
    #[arg(allow_hyphen_values = true)]
    pub id: String,
    /// Do it: it cannot be undone
    #[arg(long)]
    pub yes: bool,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// A person to create.
#[derive(Debug, Clone, Args)]
pub struct AddUser {
    /// What they type beside the password: 2 to 64 letters, digits or . _ - @
    #[arg(long, value_name = "NAME")]
    pub username: String,
    /// What websites call them
    #[arg(long)]
    pub name: Option<String>,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordSource,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// A password to set.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true))]
pub struct SetPassword {
    /// The person, by the name they type beside their password
    #[arg(long, value_name = "NAME", group = "whose")]
    pub username: Option<String>,
    /// The person, by id; with --new-username also one who has no password yet
    #[arg(long, value_name = "SUB", group = "whose", allow_hyphen_values = true)]
    pub id: Option<String>,
    /// From now on they type this name
    #[arg(long, value_name = "NAME")]
    pub new_username: Option<String>,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordSource,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Where a password comes from; asked for on the terminal when nothing is said.
#[derive(Debug, Clone, Args)]
pub struct PasswordSource {
    /// A file with the password in its first line; - reads it from standard input
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    pub password_file: Option<PathBuf>,
    /// Make one up, and print it once
    #[arg(long)]
    pub generate: bool,
}

/// A person who has signed in before.
#[derive(Debug, Clone, Args)]
pub struct OneUser {
    /// The `sub` that websites know the person by; user_id in the audit trail
    // One in 64 begins with a hyphen.
    #[arg(allow_hyphen_values = true)]
    pub id: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Which people to list.
#[derive(Debug, Clone, Args)]
pub struct ListUsers {
    /// Only those whose name contains this, whose id begins with it, or whose user name, e-mail address, phone number or
    /// WeCom userid it is
    #[arg(long, default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub search: String,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Two people to make one.
#[derive(Debug, Clone, Args)]
pub struct MergeUsers {
    /// The person who ends; their `sub` is not used any more
    #[arg(allow_hyphen_values = true)]
    pub from: String,
    /// The person who stays
    #[arg(allow_hyphen_values = true)]
    pub into: String,
    /// Do it
    #[arg(long)]
    pub yes: bool,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Commands about signing keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// List them, and what each is doing
    List(ConfigFile),
    /// Make successors that sign seventy minutes from now; without this they come by themselves every 90 days
    Rotate(RotateKeys),
}

/// Which keys to change, and why.
#[derive(Debug, Clone, Args)]
pub struct RotateKeys {
    /// Others may hold the old ones: successors sign at once, the old ones are published no more, so that what they sign is good nowhere
    #[arg(long)]
    pub leaked: bool,
    /// Only those of this algorithm
    #[arg(long, value_enum)]
    pub algorithm: Option<Algorithm>,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// Commands about the audit trail.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Show what happened, the newest last
    List(ListAudit),
    /// Compare every record with the checkpoints that the server took; fails if one was changed, removed or slipped in
    Verify(VerifyAudit),
}

/// What to show of the trail.
#[derive(Debug, Clone, Args)]
pub struct ListAudit {
    /// Show at most this many
    #[arg(long, default_value_t = 30)]
    pub limit: u32,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// What to compare with.
#[derive(Debug, Clone, Args)]
pub struct VerifyAudit {
    /// A checkpoint from the server's log, or its beginning: shows whether the trail still reaches it
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub checkpoint: Option<String>,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// A merge to undo.
#[derive(Debug, Clone, Args)]
pub struct Unmerge {
    /// What `mashang user merge` printed, and `mashang user show` shows
    #[arg(allow_hyphen_values = true)]
    pub merge: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// A way to sign in to take away.
#[derive(Debug, Clone, Args)]
pub struct UnlinkUser {
    /// The person
    #[arg(allow_hyphen_values = true)]
    pub user: String,
    /// The way to sign in, as `mashang user show` shows it: kind:app:beginning
    pub identity: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// A client to register.
#[derive(Debug, Clone, Args)]
pub struct AddClient {
    /// The OAuth client_id: letters, digits and - _ . only
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
    /// What can be switched.
    #[command(flatten)]
    pub switches: Switches,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// A client to change.
#[derive(Debug, Clone, Args)]
pub struct SetClient {
    /// The OAuth client_id, as `mashang client list` shows it
    pub id: String,
    /// The name people see on the login and confirm pages
    #[arg(long)]
    pub name: Option<String>,
    /// One more exact redirect address; repeat for several
    #[arg(long = "add-redirect-uri", value_name = "URL")]
    pub add_redirect_uris: Vec<String>,
    /// Take a redirect address back; repeat for several
    #[arg(long = "remove-redirect-uri", value_name = "URL")]
    pub remove_redirect_uris: Vec<String>,
    /// One more exact address to return to after logout
    #[arg(long = "add-post-logout-redirect-uri", value_name = "URL")]
    pub add_post_logout_redirect_uris: Vec<String>,
    /// Take such an address back
    #[arg(long = "remove-post-logout-redirect-uri", value_name = "URL")]
    pub remove_post_logout_redirect_uris: Vec<String>,
    /// Make a new secret; the old one ends at once
    #[arg(long)]
    pub rotate_secret: bool,
    /// Allow refresh tokens (scope offline_access)
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub refresh_tokens: Option<OnOff>,
    /// WEAKER: for a client with a secret that cannot do PKCE
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub pkce_optional: Option<OnOff>,
    /// What can be switched.
    #[command(flatten)]
    pub switches: Switches,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// The extension for ZenTao.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("secret").required(true))]
pub struct ZentaoPlugin {
    /// The OAuth client_id of this ZenTao
    #[arg(long, default_value = "zentao", value_name = "ID")]
    pub client: String,
    /// ZenTao's own address, as people type it
    #[arg(long, value_name = "URL")]
    pub url: url::Url,
    /// Register the client, or give the registered one these redirect addresses and a new secret; its old secret ends
    #[arg(long, group = "secret")]
    pub register: bool,
    /// The client is registered already: a file with its secret
    #[arg(long, value_name = "FILE", group = "secret")]
    pub secret_file: Option<PathBuf>,
    /// With --register: the name people see on the login page
    #[arg(long, conflicts_with = "secret_file")]
    pub name: Option<String>,
    /// The only channel that leads to ZenTao from now on, and the tab to open; without it, the tab is WeCom's if there is one
    /// of it, and the client's channels stay
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// Where to write it
    #[arg(long, value_name = "FILE", default_value = "mashang.zip")]
    pub out: PathBuf,
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

impl From<Algorithm> for SigningAlgorithm {
    fn from(named: Algorithm) -> Self {
        match named {
            Algorithm::Rs256 => Self::Rs256,
            Algorithm::Es256 => Self::Es256,
            Algorithm::EdDsa => Self::EdDsa,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parsed(line: &[&str]) -> Arguments {
        Arguments::try_parse_from(["mashang"].iter().chain(line)).unwrap()
    }

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

    #[test]
    fn clients_are_switched_off_and_on_by_their_id() {
        let Some(Command::Client(Client::Disable(off))) =
            parsed(&["client", "disable", "shop", "--config", "m.toml"]).command
        else {
            panic!("not read as client disable")
        };
        assert_eq!((off.id.as_str(), off.file.config), ("shop", Some("m.toml".into())));
        let Some(Command::Client(Client::Enable(on))) = parsed(&["client", "enable", "shop"]).command else {
            panic!("not read as client enable")
        };
        assert_eq!(on.id, "shop");
    }

    #[test]
    fn people_are_switched_by_a_sub_that_may_begin_with_a_hyphen() {
        for line in [
            ["user", "disable", "--config", "m.toml", "-QYoSbPTTZO0a5d7wz-Yqw"].as_slice(),
            &["user", "disable", "-QYoSbPTTZO0a5d7wz-Yqw", "--config", "m.toml"],
            &["user", "disable", "--config", "m.toml", "--", "-QYoSbPTTZO0a5d7wz-Yqw"],
        ] {
            let Some(Command::User(User::Disable(off))) = parsed(line).command else {
                panic!("not read as user disable: {line:?}")
            };
            assert_eq!((off.id.as_str(), off.file.config), ("-QYoSbPTTZO0a5d7wz-Yqw", Some("m.toml".into())));
        }
        assert!(matches!(
            parsed(&["user", "enable", "A"]).command,
            Some(Command::User(User::Enable(on))) if on.id == "A"
        ));
    }

    #[test]
    fn keys_are_changed_of_an_algorithm_that_there_is() {
        let line = ["keys", "rotate", "--algorithm", "EdDSA"];
        let Some(Command::Keys(Keys::Rotate(asked))) = parsed(&line).command else {
            panic!("not read as keys rotate")
        };
        assert_eq!(asked.algorithm.map(SigningAlgorithm::from), Some(SigningAlgorithm::EdDsa));
        let line = ["mashang", "keys", "rotate", "--algorithm", "HS256"];
        let refused = Arguments::try_parse_from(line).unwrap_err().to_string();
        assert!(refused.contains("RS256, ES256, EdDSA"), "{refused}");
    }

    #[test]
    fn the_sandbox_speaks_tls_only_with_an_authority() {
        for line in [["sandbox", "--tls-listen", "127.0.0.1:443"], ["sandbox", "--ca-dir", "ca"]] {
            assert!(Arguments::try_parse_from(["mashang"].iter().chain(&line)).is_err(), "{line:?}");
        }
        let line = ["sandbox", "--tls-listen", "127.0.0.1:443", "--ca-dir", "ca"];
        let Some(Command::Sandbox(asked)) = parsed(&line).command else { panic!("not read as sandbox") };
        assert_eq!((asked.tls_listen.map(|at| at.port()), asked.ca_dir), (Some(443), Some("ca".into())));
    }

    #[test]
    fn the_zentao_extension_needs_a_secret_from_somewhere() {
        let line = |more: &[&str]| {
            Arguments::try_parse_from(
                ["mashang", "zentao-plugin", "--url", "https://zt.example"].iter().chain(more),
            )
        };
        assert!(line(&[]).is_err());
        assert!(line(&["--register", "--secret-file", "f"]).is_err());
        assert!(line(&["--secret-file", "f", "--name", "n"]).is_err());
        let Some(Command::ZentaoPlugin(asked)) = line(&["--register"]).unwrap().command else {
            panic!("not read as zentao-plugin")
        };
        assert_eq!((asked.client.as_str(), asked.out), ("zentao", "mashang.zip".into()));
        assert!(line(&["--secret-file", "f"]).is_ok());
    }

    #[test]
    fn a_password_is_set_for_one_person_from_one_source() {
        let refused =
            |line: &[&str]| Arguments::try_parse_from(["mashang", "user"].iter().chain(line)).is_err();
        assert!(refused(&["password", "--generate"]), "whose?");
        assert!(refused(&["password", "--username", "ada", "--id", "A"]));
        assert!(refused(&["add", "--username", "ada", "--generate", "--password-file", "f"]));
        assert!(refused(&["add", "--name", "Ada"]));
        let Some(Command::User(User::Password(asked))) =
            parsed(&["user", "password", "--id", "-x", "--new-username", "ada"]).command
        else {
            panic!("not read as user password")
        };
        assert_eq!((asked.id.as_deref(), asked.new_username.as_deref()), (Some("-x"), Some("ada")));
    }

    #[test]
    fn a_person_is_erased_only_if_somebody_says_yes() {
        for (line, wanted) in
            [(vec!["user", "erase", "-x"], false), (vec!["user", "erase", "-x", "--yes"], true)]
        {
            let Some(Command::User(User::Erase(asked))) = parsed(&line).command else {
                panic!("not read as user erase: {line:?}")
            };
            assert_eq!((asked.id.as_str(), asked.yes), ("-x", wanted));
        }
    }

    #[test]
    fn a_switch_needs_an_id() {
        for line in [["client", "disable"], ["client", "enable"], ["user", "disable"], ["user", "enable"]] {
            assert!(Arguments::try_parse_from(["mashang"].iter().chain(&line)).is_err(), "{line:?}");
        }
    }
}
