//! What can be switched for a client on the command line.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use mashang_login::client::brand::BrandColor;
use mashang_login::client::logo::Logo;
use mashang_login::client::{AccessTokenFormat, Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::grant::{Scope, ScopeSet};
use mashang_login::ids::ChannelId;
use mashang_server::config::Config;

use super::doors::open_to;

/// The word that takes a setting back.
const NONE: &str = "none";
/// The word for every channel, and for every scope.
const ALL: &str = "all";

/// Switches of a client; what is not given stays as it is.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Switches")]
pub struct Switches {
    /// Only these channels lead to it, by their names in the configuration; `all` for every one
    #[arg(long, value_name = "CHANNEL,…", value_delimiter = ',')]
    pub channels: Option<Vec<String>>,
    /// Only these scopes are granted to it, of those it asks for; `all` for every one
    #[arg(long, value_name = "SCOPE,…", value_delimiter = ',')]
    pub scopes: Option<Vec<String>>,
    /// Only people in one of these groups may sign in to it, as [[claims.rule]] gives groups; `none` opens it to everybody
    #[arg(long, value_name = "GROUP,…", value_delimiter = ',')]
    pub require_groups: Option<Vec<String>>,
    /// Its picture on our pages: a PNG, JPEG or WebP file of at most 64 KiB; `none` takes it back
    #[arg(long, value_name = "FILE")]
    pub logo: Option<String>,
    /// Its colour on our pages, such as #1677ff; `none` takes it back
    #[arg(long, value_name = "#RRGGBB")]
    pub brand_color: Option<String>,
    /// Ask people before it is told who they are
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub consent: Option<OnOff>,
    /// Access tokens as JWTs (RFC 9068), for a back end that checks them by itself
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub access_token: Option<TokenFormat>,
    /// Tell roles as Keycloak does: realm_access.roles
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub realm_roles: Option<OnOff>,
    /// Put what userinfo tells, roles and groups too, into the ID token
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub claims_in_id_token: Option<OnOff>,
    /// WEAKER: leave `iss` out of authorization answers, for a library that refuses it
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub omit_iss: Option<OnOff>,
}

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    /// On.
    On,
    /// Off.
    Off,
}

impl OnOff {
    /// Sets `switch`, if this was given.
    pub(super) fn set(given: Option<Self>, switch: &mut bool) {
        if let Some(to) = given {
            *switch = to == Self::On;
        }
    }
}

/// What an access token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// A random value that only this server can read
    Opaque,
    /// A signed JWT
    Jwt,
}

impl Switches {
    /// These over what was set before.
    ///
    /// # Errors
    /// In sentences: a channel that is not configured, a picture or a colour that is none.
    pub fn over(&self, former: ClientSettings, config: &Config) -> anyhow::Result<ClientSettings> {
        let mut settings = former;
        if let Some(names) = &self.channels {
            settings.channels = channels(names, config)?;
        }
        if let Some(names) = &self.scopes {
            settings.scopes = scopes(names)?;
        }
        if let Some(groups) = &self.require_groups {
            settings.require_groups = required(groups, config)?;
        }
        if let Some(path) = &self.logo {
            settings.logo = if path == NONE { None } else { Some(logo(Path::new(path))?) };
        }
        if let Some(color) = &self.brand_color {
            let read = || color.parse::<BrandColor>().with_context(|| format!("--brand-color {color}"));
            settings.brand_color = if color == NONE { None } else { Some(read()?) };
        }
        OnOff::set(self.consent, &mut settings.consent);
        OnOff::set(self.realm_roles, &mut settings.realm_roles);
        OnOff::set(self.claims_in_id_token, &mut settings.claims_in_id_token);
        OnOff::set(self.omit_iss, &mut settings.omit_iss);
        if let Some(format) = self.access_token {
            settings.access_token = match format {
                TokenFormat::Opaque => AccessTokenFormat::Opaque,
                TokenFormat::Jwt => AccessTokenFormat::Jwt,
            };
        }
        Ok(settings)
    }
}

fn channels(names: &[String], config: &Config) -> anyhow::Result<Vec<ChannelId>> {
    if names == [ALL] {
        return Ok(Vec::new());
    }
    let mut channels = Vec::new();
    for name in names {
        let id = name.parse::<ChannelId>().ok().filter(|id| config.channel.contains_key(id));
        let Some(id) = id else {
            let known: Vec<&str> = config.channel.keys().map(ChannelId::as_str).collect();
            bail!("--channels: there is no [channel.{name}]; configured are: {}", known.join(", "));
        };
        if !channels.contains(&id) {
            channels.push(id);
        }
    }
    Ok(channels)
}

/// A comma or a blank between two, as in a request.
fn scopes(names: &[String]) -> anyhow::Result<ScopeSet> {
    let names: Vec<&str> = names.iter().flat_map(|names| names.split_whitespace()).collect();
    if names == [ALL] {
        return Ok(ScopeSet::default());
    }
    let mut scopes = vec![Scope::Openid];
    for name in &names {
        let Some(scope) = Scope::ALL.into_iter().find(|scope| scope.as_str() == *name) else {
            let known = Scope::ALL.map(Scope::as_str).join(", ");
            bail!("--scopes: there is no scope {name}; there are: {known}; and `{ALL}` for every one");
        };
        scopes.push(scope);
    }
    if names.is_empty() {
        bail!("--scopes: name at least openid, or `{ALL}` for every scope");
    }
    Ok(scopes.into_iter().collect())
}

/// The scopes that a client may be granted, in words.
#[must_use]
pub(super) fn told(scopes: &ScopeSet) -> String {
    if scopes.is_empty() { ALL.to_owned() } else { scopes.to_string() }
}

/// Groups that a rule gives: one that nobody can be in is a slip of the pen, and would close the client.
fn required(groups: &[String], config: &Config) -> anyhow::Result<Vec<String>> {
    if groups == [NONE] {
        return Ok(Vec::new());
    }
    let mut known: Vec<&String> = config.claims.rule.iter().flat_map(|rule| &rule.groups).collect();
    known.sort_unstable();
    known.dedup();
    let mut required = Vec::new();
    for group in groups {
        if !known.contains(&group) {
            let known: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
            let known = if known.is_empty() { "none" } else { &known.join(", ") };
            bail!(
                "--require-groups: no [[claims.rule]] gives the group `{group}`, so nobody would get in by it; groups that are given: {known}"
            );
        }
        if !required.contains(group) {
            required.push(group.clone());
        }
    }
    Ok(required)
}

fn logo(path: &Path) -> anyhow::Result<Logo> {
    let bytes = std::fs::read(path).with_context(|| format!("--logo {}", path.display()))?;
    Logo::read(bytes).with_context(|| format!("--logo {}", path.display()))
}

/// A client in lines, without its secret.
#[must_use]
pub fn described(client: &Client, config: &Config) -> String {
    let settings = &client.settings;
    let word = |on: bool| if on { "yes" } else { "no" };
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{:<22}{value}", format!("{name}:"));
    };
    line("client_id", client.id.as_str());
    line("name", &client.name);
    line("switched off", word(!client.is_enabled()));
    let secret = match client.authentication {
        ClientAuthentication::Public => "none (public client)",
        ClientAuthentication::Secret(_) => "set; shown only when it was made",
    };
    line("client_secret", secret);
    for uri in &client.redirect_uris {
        line("redirect_uri", uri);
    }
    for uri in &client.post_logout_redirect_uris {
        line("post-logout address", uri);
    }
    line("PKCE", if client.pkce == PkcePolicy::Required { "required" } else { "optional (WEAKER)" });
    line("ID tokens", client.id_token_alg.as_str());
    line("refresh tokens", word(client.refresh_tokens));
    let channels: Vec<&str> = settings.channels.iter().map(ChannelId::as_str).collect();
    line("channels", if channels.is_empty() { ALL.to_owned() } else { channels.join(", ") }.as_str());
    line("scopes", &told(&settings.scopes));
    line("open to", &open_to(client, config));
    let logo = settings.logo.as_ref().map_or_else(
        || NONE.to_owned(),
        |logo| format!("{}, {} bytes", logo.media_type(), logo.bytes().len()),
    );
    line("logo", &logo);
    line("brand colour", &settings.brand_color.map_or_else(|| NONE.to_owned(), |color| color.to_string()));
    line("consent", word(settings.consent));
    let format = match settings.access_token {
        AccessTokenFormat::Opaque => "opaque",
        AccessTokenFormat::Jwt => "JWT (RFC 9068)",
    };
    line("access tokens", format);
    line("realm_access.roles", word(settings.realm_roles));
    line("claims in ID token", word(settings.claims_in_id_token));
    line("iss left out", if settings.omit_iss { "yes (WEAKER)" } else { "no" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        mashang_server::config::from_text(
            "[channel.work]\nkind = \"wecom\"\ncorpid = \"ww0123456789abcdef\"\nagentid = 1\nsecret = \"of the corp's app\"\n[[claims.rule]]\ngroups = [\"staff\"]",
        )
        .unwrap()
    }

    #[test]
    fn what_is_not_given_stays_and_words_take_back() {
        let set = Switches {
            channels: Some(vec!["work".into(), "work".into()]),
            scopes: Some(vec!["profile phone".into(), "phone".into()]),
            require_groups: Some(vec!["staff".into(), "staff".into()]),
            brand_color: Some("#1677ff".into()),
            consent: Some(OnOff::On),
            access_token: Some(TokenFormat::Jwt),
            ..Switches::default()
        };
        let settings = set.over(ClientSettings::default(), &config()).unwrap();
        assert_eq!((settings.channels.len(), settings.require_groups.len()), (1, 1));
        assert_eq!(settings.scopes.to_string(), "openid profile phone", "nothing is granted without openid");
        assert!(settings.consent && settings.access_token == AccessTokenFormat::Jwt && !settings.omit_iss);
        assert_eq!(Switches::default().over(settings.clone(), &config()).unwrap(), settings);
        let back = Switches {
            channels: Some(vec![ALL.into()]),
            scopes: Some(vec![ALL.into()]),
            require_groups: Some(vec![NONE.into()]),
            brand_color: Some(NONE.into()),
            logo: Some(NONE.into()),
            consent: Some(OnOff::Off),
            access_token: Some(TokenFormat::Opaque),
            ..Switches::default()
        };
        assert_eq!(back.over(settings, &config()).unwrap(), ClientSettings::default());
    }

    #[test]
    fn scopes_are_read_with_commas_and_with_blanks() {
        for line in [&["openid,email"][..], &["openid email"], &["email"], &["openid, email"]] {
            let read =
                scopes(&line.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(told(&read.unwrap()), "openid email", "{line:?}");
        }
        assert_eq!(told(&ScopeSet::default()), "all");
    }

    #[test]
    fn what_cannot_be_set_is_said() {
        let refused = |switches: Switches| {
            format!("{:#}", switches.over(ClientSettings::default(), &config()).unwrap_err())
        };
        let told = refused(Switches { channels: Some(vec!["nowhere".into()]), ..Switches::default() });
        assert!(told.contains("no [channel.nowhere]") && told.contains("work"), "{told}");
        for (names, of) in
            [("openid address", "wechat_unionid"), ("", "at least openid"), ("all,openid", "scope all")]
        {
            let names = names.split(',').map(str::to_owned).collect();
            let told = refused(Switches { scopes: Some(names), ..Switches::default() });
            assert!(told.contains("--scopes") && told.contains(of), "{told}");
        }
        let told = refused(Switches { require_groups: Some(vec!["stafff".into()]), ..Switches::default() });
        assert!(told.contains("`stafff`") && told.ends_with("given: staff"), "{told}");
        let told = refused(Switches { brand_color: Some("red".into()), ..Switches::default() });
        assert!(told.contains("#1677ff"), "{told}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "<svg onload=alert(1)>").unwrap();
        let told = refused(Switches { logo: Some(file.path().display().to_string()), ..Switches::default() });
        assert!(told.contains("no SVG"), "{told}");
        let told = refused(Switches { logo: Some("/nowhere.png".into()), ..Switches::default() });
        assert!(told.contains("/nowhere.png"), "{told}");
    }
}
