//! `cargo xtask guard`: the walls between the crates, checked against `cargo metadata`. Each wall has its reason, and the
//! reason is what a broken wall prints. Only normal dependencies count: tests may use what they like.

use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

/// One crate and what it may not depend on. A name that ends in `*` stands for all that begin so.
struct Wall {
    package: &'static str,
    forbidden: &'static [&'static str],
    reason: &'static str,
}

const WALLS: &[Wall] = &[
    Wall {
        package: "mashang-login",
        forbidden: &[
            "tokio",
            "axum",
            "axum-*",
            "hyper",
            "hyper-*",
            "sqlx",
            "sea-orm",
            "redis",
            "reqwest",
            "mashang-*",
        ],
        reason: "what a login is must be decided without any input or output, so that every rule can be tested as a function",
    },
    Wall {
        package: "mashang-oidc",
        forbidden: &[
            "axum",
            "axum-*",
            "reqwest",
            "sqlx",
            "sea-orm",
            "redis",
            "mashang-store",
            "mashang-wechat",
            "mashang-server",
        ],
        reason: "OpenID Connect is functions over the records of `login`: no web, no SQL, no calls to anybody",
    },
    Wall {
        package: "mashang-wechat",
        forbidden: &["mashang-*"],
        reason: "a client of WeChat that knows nothing of ours could be published, and stays true to WeChat's documents",
    },
    Wall {
        package: "mashang-sandbox",
        forbidden: &["mashang-*"],
        reason: "a sandbox that borrowed our wire types would share our misreadings, and every test would still pass",
    },
    Wall {
        package: "mashang-store",
        forbidden: &["axum", "axum-*", "reqwest", "mashang-oidc", "mashang-wechat", "mashang-server"],
        reason: "stores keep promises about records; what is stored and who asks is not theirs to know",
    },
    Wall {
        package: "mashang-server",
        forbidden: &["sqlx", "sea-orm", "redis"],
        reason: "SQL outside the store escapes the suite that proves every engine alike",
    },
];

/// Checks this workspace.
///
/// # Errors
/// Every broken wall with its reason; or that `cargo metadata` failed.
pub fn run() -> anyhow::Result<()> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let broken = check(&serde_json::from_slice(&output.stdout)?)?;
    if !broken.is_empty() {
        bail!("{}", broken.join("\n"));
    }
    println!("guard: {} walls stand", WALLS.len());
    Ok(())
}

/// One sentence for each forbidden dependency.
///
/// # Errors
/// When a guarded crate is not in the metadata: a wall around nothing would guard nothing.
fn check(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("metadata has no packages")?;
    let mut broken = Vec::new();
    for wall in WALLS {
        let package = packages
            .iter()
            .find(|package| package["name"] == wall.package)
            .with_context(|| format!("there is no crate {} to guard", wall.package))?;
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        for name in normal.filter_map(|dependency| dependency["name"].as_str()) {
            if wall.forbidden.iter().any(|pattern| fits(pattern, name)) {
                broken.push(format!("{} may not depend on {name}: {}", wall.package, wall.reason));
            }
        }
    }
    Ok(broken)
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace of all guarded crates, in which `package` has one dependency.
    fn workspace(package: &str, dependency: Value) -> Value {
        let packages: Vec<_> = WALLS
            .iter()
            .map(|wall| {
                let own = if wall.package == package { vec![dependency.clone()] } else { vec![] };
                json!({ "name": wall.package, "dependencies": own })
            })
            .collect();
        json!({ "packages": packages })
    }

    #[test]
    fn every_forbidden_import_is_named_with_its_reason() {
        for wall in WALLS {
            for pattern in wall.forbidden {
                let name = pattern.replace('*', "anything");
                let broken = check(&workspace(wall.package, json!({ "name": name, "kind": null }))).unwrap();
                assert_eq!(broken.len(), 1, "{} → {name}", wall.package);
                assert!(broken[0].contains(&name) && broken[0].contains(wall.reason));
            }
        }
    }

    #[test]
    fn tests_and_build_scripts_may_use_what_they_like() {
        for kind in ["dev", "build"] {
            let metadata = workspace("mashang-login", json!({ "name": "tokio", "kind": kind }));
            assert!(check(&metadata).unwrap().is_empty());
        }
    }

    #[test]
    fn an_optional_dependency_counts_too() {
        let metadata =
            workspace("mashang-server", json!({ "name": "redis", "kind": null, "optional": true }));
        assert_eq!(check(&metadata).unwrap().len(), 1);
    }

    #[test]
    fn other_dependencies_pass_and_a_missing_crate_does_not() {
        let metadata = workspace("mashang-login", json!({ "name": "serde", "kind": null }));
        assert!(check(&metadata).unwrap().is_empty());
        assert!(check(&json!({ "packages": [] })).is_err());
    }

    #[test]
    fn the_walls_of_this_workspace_stand() {
        run().unwrap();
    }
}
