//! What the platforms answer to our calls: any bytes, offered to every reader (SEC-27, promise 9).

#![no_main]

use libfuzzer_sys::fuzz_target;
use mashang_wechat::fuzzing::{Outcome, every_reader};
use mashang_wechat::{Error, FailureKind};
use serde_json::Value;

/// What must show nowhere, by the names that any call uses.
const SECRETS: [&str; 9] = [
    "access_token",
    "refresh_token",
    "user_ticket",
    "session_key",
    "phoneNumber",
    "purePhoneNumber",
    "mobile",
    "email",
    "address",
];

fuzz_target!(|body: &[u8]| {
    let outcomes = every_reader(body);
    let parsed = serde_json::from_slice::<Value>(body).ok();
    for (call, outcome) in &outcomes {
        if let Err(error) = outcome {
            check_error(error);
        }
        check_errcode(call, parsed.as_ref(), outcome);
    }
    // Noninterference: change the secrets in an answer, and nothing that is shown changes.
    let Some(mut answer @ Value::Object(_)) = parsed else { return };
    let before = every_reader(answer.to_string().as_bytes());
    change_secrets(&mut answer);
    let after = every_reader(answer.to_string().as_bytes());
    for ((call, before), (_, after)) in before.iter().zip(&after) {
        match (before, after) {
            (Ok(before), Ok(after)) => assert_eq!(before, after, "{call} shows a secret"),
            (Err(before), Err(after)) => {
                assert_eq!(
                    format!("{before:?} {before}"),
                    format!("{after:?} {after}"),
                    "{call} shows a secret"
                );
            }
            _ => {}
        }
    }
});

/// Errors go to logs and, as a kind, to decisions.
fn check_error(error: &Error) {
    assert!(error.to_string().len() < 2_500, "an answer decides how long our log lines are");
    assert!(!error.to_string().contains(char::is_control), "an answer writes its own log lines");
    assert_ne!(error.kind(), FailureKind::Unreachable);
    let _ = (error.explanation(), error.refused_address(), error.errcode());
}

/// A refusal is never read as an answer, and what is no JSON is neither.
fn check_errcode(call: &str, parsed: Option<&Value>, outcome: &Outcome) {
    let Some(Value::Object(fields)) = parsed else { return };
    let code = fields.get("errcode").and_then(Value::as_i64);
    if code.is_some_and(|code| code != 0) {
        let error = outcome.as_ref().expect_err("a refusal was read as an answer");
        assert!(matches!(error, Error::Malformed { .. }) || error.errcode() == code, "{call}: {error}");
    }
}

/// Puts another character for each letter and digit of every secret, so that its form and length stay.
fn change_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if SECRETS.contains(&name.as_str()) => *text = turned(text),
                    other => change_secrets(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(change_secrets),
        _ => {}
    }
}

fn turned(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'A'..='Y' | 'a'..='y' | '0'..='8' => char::from_u32(u32::from(c) + 1).unwrap_or(c),
            'Z' => 'A',
            'z' => 'a',
            '9' => '0',
            other => other,
        })
        .collect()
}
