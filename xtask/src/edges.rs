//! Compares the real dependencies between the parts with the directions that ARCHITECTURE.md allows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process::{cargo, read};

/// What each part may depend on. Reading downwards is the direction of the arrows; `replica` and `domain` know
/// nothing of each other, and nothing below `app` knows a shell.
const ALLOWED: &[(&str, &[&str])] = &[
    ("replica", &[]),
    ("domain", &[]),
    ("photo", &[]),
    ("wire", &["replica"]),
    ("store", &["replica", "wire"]),
    ("reports", &["domain"]),
    ("sync", &["replica", "wire", "store"]),
    ("app", &["replica", "wire", "store", "sync", "domain", "reports", "photo"]),
    ("city", &["replica", "wire", "domain", "reports"]),
    ("jishi", &["app"]),
    ("shell-web", &["app"]),
    ("disk", &[]),
    ("testkit", &["disk", "replica", "wire", "store", "sync", "domain", "reports", "app", "city"]),
    ("stories", &["replica", "wire"]),
    ("xtask", &[]),
];

/// Fails when a part depends on one that it must not know. Test dependencies may point anywhere.
pub fn check() -> Result<()> {
    let text = read(cargo().args(["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let wrong = forbidden(&edges(&metadata)?);
    ensure!(
        wrong.is_empty(),
        "dependency edges that the architecture does not have:\n  {}",
        wrong.join("\n  ")
    );
    println!("dependency edges: as designed");
    Ok(())
}

type Edges = BTreeMap<String, BTreeSet<String>>;

fn edges(metadata: &Value) -> Result<Edges> {
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    Ok(packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().into_iter().flatten();
            let inner = dependencies
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                .map(name)
                .filter(|dependency| ours.contains(dependency));
            (name(package), inner.collect())
        })
        .collect())
}

fn forbidden(edges: &Edges) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut wrong = Vec::new();
    for (part, dependencies) in edges {
        let Some(may) = allowed.get(part.as_str()) else {
            wrong.push(format!("{part} is not in the list"));
            continue;
        };
        let unknown = dependencies.iter().filter(|dependency| !may.contains(&dependency.as_str()));
        wrong.extend(unknown.map(|dependency| format!("{part} -> {dependency}")));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{edges, forbidden};

    fn of(package: &str, dependencies: serde_json::Value) -> Vec<String> {
        let domain = json!({"name": "domain", "dependencies": []});
        let metadata = json!({"packages": [domain, {"name": package, "dependencies": dependencies}]});
        forbidden(&edges(&metadata).expect("the metadata is well formed"))
    }

    #[test]
    fn an_edge_that_is_not_in_the_list_is_named() {
        assert_eq!(of("replica", json!([{"name": "domain", "kind": null}])), ["replica -> domain"]);
    }

    #[test]
    fn test_dependencies_and_foreign_crates_are_free() {
        assert!(
            of("replica", json!([{"name": "domain", "kind": "dev"}, {"name": "serde", "kind": null}]))
                .is_empty()
        );
    }

    #[test]
    fn a_new_part_must_be_put_into_the_list() {
        assert_eq!(of("extra", json!([])), ["extra is not in the list"]);
    }
}
