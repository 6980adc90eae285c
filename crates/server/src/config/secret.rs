//! A secret's place in the configuration: the value itself, or the file that holds it.

use std::path::Path;

use mashang_wechat::AppSecret;

use super::{ConfigError, Hidden};

/// Secrets from manuals and tutorials, refused on sight (SEC-76).
const SAMPLES: [&str; 4] = ["secret", "changeme", "your_app_secret", "appsecret"];

/// A secret that is given as a value or as a file.
#[derive(Debug, Clone, Copy)]
pub struct SecretPlace<'a> {
    value: Option<&'a Hidden>,
    file: Option<&'a Path>,
}

/// Where a secret is.
#[must_use]
pub fn secret_of<'a>(value: &'a Option<Hidden>, file: Option<&'a Path>) -> SecretPlace<'a> {
    SecretPlace { value: value.as_ref(), file }
}

impl SecretPlace<'_> {
    pub(super) fn check(self, place: &str, key: &str, of: &str, wrong: &mut Vec<String>) {
        match (self.value, self.file) {
            (Some(_), Some(_)) => wrong.push(format!("{place}: give {key} or {key}_file, not both")),
            (None, None) => wrong.push(format!("{place}: needs {key}_file (or {key}) of {of}")),
            (Some(value), None) if is_sample(value.expose()) => {
                wrong.push(format!("{place}.{key}: this is a sample, not yours"));
            }
            _ => {}
        }
    }

    /// The value, or the trimmed text of the file, if there is one that can be read.
    pub(super) fn peek(self) -> Option<String> {
        match (self.value, self.file) {
            (Some(value), _) => Some(value.expose().to_owned()),
            (None, Some(file)) => Some(std::fs::read_to_string(file).ok()?.trim().to_owned()),
            (None, None) => None,
        }
    }

    /// The value, or the trimmed text of the file.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file when it cannot be read or holds nothing usable.
    pub fn read(self, place: &str, key: &str) -> Result<String, ConfigError> {
        if let Some(value) = self.value {
            return Ok(value.expose().to_owned());
        }
        let path = self.file.unwrap_or(Path::new(""));
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let text = text.trim();
        if is_sample(text) {
            return Err(ConfigError::Wrong(vec![format!(
                "{place}.{key}_file: {} holds no {key}",
                path.display()
            )]));
        }
        Ok(text.to_owned())
    }

    /// As an AppSecret.
    ///
    /// # Errors
    /// As [`SecretPlace::read`].
    pub fn read_app_secret(self, place: &str) -> Result<AppSecret, ConfigError> {
        self.read(place, "secret").map(AppSecret::new)
    }
}

fn is_sample(secret: &str) -> bool {
    secret.is_empty() || SAMPLES.contains(&secret.to_ascii_lowercase().as_str())
}
