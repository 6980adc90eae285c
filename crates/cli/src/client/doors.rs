//! Who may sign in to a client, in words: what an administrator should know who believes that a login page keeps strangers out.

use mashang_login::client::Client;
use mashang_login::identity::ChannelKind;
use mashang_login::ids::ChannelId;
use mashang_server::config::Config;

/// Who may sign in, as `client show` says it: by which channels, who has those, and in which groups.
#[must_use]
pub fn open_to(client: &Client, config: &Config) -> String {
    let named: Vec<&str> = client.settings.channels.iter().map(ChannelId::as_str).collect();
    let ways = if named.is_empty() { "every channel".to_owned() } else { named.join(", ") };
    let groups = &client.settings.require_groups;
    if !groups.is_empty() {
        return format!("people in a group of {}, by {ways}", groups.join(", "));
    }
    match strangers(client, config) {
        Some(strangers) => format!("{ways}, that is {strangers}"),
        None => ways,
    }
}

/// How to close a client that is open to strangers; `None` where it is not.
#[must_use]
pub fn warning(client: &Client, config: &Config) -> Option<String> {
    let strangers = strangers(client, config).filter(|_| client.settings.require_groups.is_empty())?;
    Some(format!(
        "Open to {strangers}, unless the website itself looks who comes. Close it by channels or by groups:\n  \
         mashang client set {id} --channels CHANNEL,…\n  mashang client set {id} --require-groups GROUP,…",
        id = client.id
    ))
}

/// Whom the client's channels let in who need not be known to anybody: personal WeChat is all of WeChat.
fn strangers(client: &Client, config: &Config) -> Option<String> {
    let mut who: Vec<&str> = Vec::new();
    for (_, section) in config.channel.iter().filter(|(id, _)| client.settings.admits(id)) {
        let of = match section.kind() {
            ChannelKind::WechatOpen | ChannelKind::WechatOfficial | ChannelKind::WechatMini => {
                "anybody with WeChat"
            }
            ChannelKind::Email => "anybody with an e-mail address",
            ChannelKind::Sms => "anybody with a telephone",
            // Members of the corp, people of the operator's own app, and people whom we know.
            ChannelKind::Wecom | ChannelKind::App | ChannelKind::Passkey | ChannelKind::Password => continue,
        };
        if !who.contains(&of) {
            who.push(of);
        }
    }
    (!who.is_empty()).then(|| who.join(", "))
}

#[cfg(test)]
mod tests {
    use mashang_login::Timestamp;
    use mashang_login::client::{ClientAuthentication, ClientSettings, PkcePolicy};
    use mashang_login::key::SigningAlgorithm;
    use mashang_server::config::from_text;

    use super::*;

    const CONFIG: &str = r#"
[channel.wechat]
kind = "wechat-open"
appid = "wx0123456789abcdef"
secret = "of the website's app"
[channel.work]
kind = "wecom"
corpid = "ww0123456789abcdef"
agentid = 1
secret = "of the corp's app"
"#;

    fn harbor(settings: ClientSettings) -> Client {
        Client {
            id: "harbor".parse().unwrap(),
            name: "Harbor".into(),
            authentication: ClientAuthentication::Public,
            redirect_uris: vec![],
            post_logout_redirect_uris: vec![],
            pkce: PkcePolicy::Required,
            id_token_alg: SigningAlgorithm::Rs256,
            refresh_tokens: false,
            settings,
            created_at: Timestamp::UNIX_EPOCH,
            disabled_at: None,
        }
    }

    #[test]
    fn a_client_that_is_open_to_all_of_wechat_says_so_and_how_to_close_it() {
        let config = from_text(CONFIG).unwrap();
        let open = harbor(ClientSettings::default());
        assert_eq!(open_to(&open, &config), "every channel, that is anybody with WeChat");
        let warning = warning(&open, &config).unwrap();
        assert!(warning.contains("mashang client set harbor --channels"), "{warning}");
        assert!(warning.contains("--require-groups"), "{warning}");
    }

    #[test]
    fn a_client_that_is_closed_by_channels_or_by_groups_is_no_warning_worth() {
        let config = from_text(CONFIG).unwrap();
        let work = ClientSettings { channels: vec!["work".parse().unwrap()], ..ClientSettings::default() };
        let staff = ClientSettings {
            require_groups: vec!["staff".into(), "ops".into()],
            ..ClientSettings::default()
        };
        for (settings, told) in [(work, "work"), (staff, "people in a group of staff, ops, by every channel")]
        {
            let client = harbor(settings);
            assert_eq!(open_to(&client, &config), told);
            assert_eq!(warning(&client, &config), None, "{told}");
        }
    }
}
