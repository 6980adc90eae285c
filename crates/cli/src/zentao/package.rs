//! The zip that ZenTao installs: the files of `examples/zentao/mashang`, with an installation's settings written in.
//!
//! Pure: settings in, bytes out. ZenTao copies the files only when its administrator activates the extension, and has no
//! page for settings, so the zip comes filled in.

use std::io::{Cursor, Write};

use anyhow::Context;
use rust_embed::RustEmbed;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[derive(RustEmbed)]
#[folder = "../../examples/zentao/mashang"]
struct Template;

/// What ZenTao calls the extension, and the folder that everything in the zip is below.
pub const CODE: &str = "mashang";

/// What is written into the files.
#[derive(Clone)]
pub struct Settings {
    /// Mashang's public address, without a slash at the end.
    pub issuer: String,
    /// What this ZenTao is called there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// ZenTao's own address, without a slash at the end.
    pub url: String,
    /// The tab to open; empty for none in particular.
    pub channel: String,
}

impl Settings {
    fn of(&self, placeholder: &str) -> Option<&str> {
        Some(match placeholder {
            "issuer" => &self.issuer,
            "client_id" => &self.client_id,
            "client_secret" => &self.client_secret,
            "url" => &self.url,
            "channel" => &self.channel,
            "version" => env!("CARGO_PKG_VERSION"),
            _ => return None,
        })
    }
}

/// The zip.
///
/// # Errors
/// None that an operator could cause; what the zip library says.
pub fn write(settings: &Settings) -> anyhow::Result<Vec<u8>> {
    let mut names: Vec<_> = Template::iter().collect();
    names.sort();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    // ZenTao takes the first entry for the folder to strip.
    zip.add_directory(CODE, plain.unix_permissions(0o755))?;
    for name in names {
        let file = Template::get(&name).with_context(|| format!("{name} is embedded"))?;
        let text = std::str::from_utf8(&file.data).with_context(|| format!("{name} is text"))?;
        zip.start_file(format!("{CODE}/{name}"), plain.unix_permissions(0o644))?;
        zip.write_all(fill(text, settings, quoting(&name)).as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// How a value is written between the single quotes that surround each placeholder.
fn quoting(name: &str) -> fn(&str) -> String {
    match name.rsplit('.').next() {
        Some("php") => in_php,
        Some("yaml") => in_yaml,
        _ => str::to_owned,
    }
}

/// In a single-quoted PHP string only these two characters mean something; `?>` does not end it.
fn in_php(value: &str) -> String {
    value.replace('\\', r"\\").replace('\'', r"\'")
}

fn in_yaml(value: &str) -> String {
    value.replace('\'', "''")
}

/// Replaces `@name@` once, left to right: a value that looks like a placeholder stays what it is.
fn fill(text: &str, settings: &Settings, quoting: fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        filled.push_str(before);
        let found = after
            .split_once('@')
            .and_then(|(name, onward)| settings.of(name).map(|value| (quoting(value), onward)));
        if let Some((value, onward)) = found {
            filled.push_str(&value);
            rest = onward;
        } else {
            filled.push('@');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use zip::ZipArchive;

    use super::*;

    fn settings() -> Settings {
        Settings {
            issuer: "https://login.example.com".into(),
            client_id: "zentao".into(),
            client_secret: "msk_secret".into(),
            url: "https://zt.example/zentao".into(),
            channel: "wecom".into(),
        }
    }

    fn opened(settings: &Settings) -> ZipArchive<Cursor<Vec<u8>>> {
        ZipArchive::new(Cursor::new(write(settings).unwrap())).unwrap()
    }

    fn file(settings: &Settings, name: &str) -> String {
        let mut text = String::new();
        opened(settings).by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn names(zip: &ZipArchive<Cursor<Vec<u8>>>) -> Vec<String> {
        zip.file_names().map(|name| name.unwrap().into_owned()).collect()
    }

    const CONFIG: &str = "mashang/config/ext/mashang.php";

    #[test]
    fn everything_is_in_one_folder_that_comes_first() {
        let mut zip = opened(&settings());
        assert_eq!(zip.by_index(0).unwrap().name().unwrap(), "mashang/");
        let names = names(&zip);
        assert!(names.iter().all(|name| name.starts_with("mashang/")), "{names:?}");
        for needed in [
            CONFIG,
            "mashang/config/ext/mashangfilter.php",
            "mashang/db/uninstall.sql",
            "mashang/doc/en.yaml",
            "mashang/doc/zh-cn.yaml",
            "mashang/extension/custom/sso/ext/control/scanbind.php",
            "mashang/extension/custom/sso/ext/control/scancallback.php",
            "mashang/extension/custom/sso/ext/control/scanlogin.php",
            "mashang/extension/custom/sso/ext/mashang/oidc.php",
            "mashang/extension/custom/user/ext/ui/login.mashang.html.hook.php",
            "mashang/extension/custom/user/ext/view/login.mashang.html.hook.php",
        ] {
            assert!(names.iter().any(|name| name == needed), "{needed} is missing");
        }
    }

    #[test]
    fn no_file_of_zentao_itself_is_touched() {
        let own = ["config/ext/", "extension/custom/", "doc/", "db/"];
        for name in names(&opened(&settings())).iter().filter(|name| !name.ends_with('/')) {
            let inside = name.strip_prefix("mashang/").unwrap();
            assert!(own.iter().any(|folder| inside.starts_with(folder)), "{name}");
        }
    }

    #[test]
    fn every_placeholder_is_filled() {
        let config = file(&settings(), CONFIG);
        for line in [
            "->issuer       = 'https://login.example.com';",
            "->clientID     = 'zentao';",
            "->clientSecret = 'msk_secret';",
            "->url          = 'https://zt.example/zentao';",
            "->channel      = 'wecom';",
        ] {
            assert!(config.contains(line), "{line} in {config}");
        }
        assert!(file(&settings(), "mashang/doc/zh-cn.yaml").contains(env!("CARGO_PKG_VERSION")));
        let mut zip = opened(&settings());
        for at in 0..zip.len() {
            let mut text = String::new();
            let mut entry = zip.by_index(at).unwrap();
            entry.read_to_string(&mut text).unwrap();
            for placeholder in ["issuer", "client_id", "client_secret", "url", "channel", "version"] {
                assert!(!text.contains(&format!("@{placeholder}@")), "{placeholder} in {:?}", entry.name());
            }
        }
    }

    #[test]
    fn a_value_stays_inside_its_php_literal() {
        for (value, literal) in [
            ("it's", r"'it\'s'"),
            (r"back\slash\", r"'back\\slash\\'"),
            (r"\' . system('id') . '", r"'\\\' . system(\'id\') . \''"),
            ("?><?php system('id');", r"'?><?php system(\'id\');'"),
            ("$config->x {$y}", "'$config->x {$y}'"),
        ] {
            let config = file(&Settings { client_secret: value.into(), ..settings() }, CONFIG);
            let line = format!("$config->mashang->clientSecret = {literal};");
            assert!(config.lines().any(|found| found == line), "{line} in {config}");
        }
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_is_not_filled_again() {
        let config = file(&Settings { client_id: "@client_secret@".into(), ..settings() }, CONFIG);
        assert!(config.contains("->clientID     = '@client_secret@';"), "{config}");
    }

    #[test]
    fn a_value_stays_inside_its_yaml_literal() {
        let issuer = "https://login.example.com/it's".to_owned();
        let info = file(&Settings { issuer, ..settings() }, "mashang/doc/en.yaml");
        assert!(info.lines().any(|line| line == "site: 'https://login.example.com/it''s'"), "{info}");
    }

    #[test]
    fn the_same_settings_give_the_same_bytes() {
        assert_eq!(write(&settings()).unwrap(), write(&settings()).unwrap());
    }
}
