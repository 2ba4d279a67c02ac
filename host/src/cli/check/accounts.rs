//! Accounts whose provider is a component: which file it is, and what it may reach.

use serde_json::{Value, json};

use crate::gate::Accounts;
use crate::provider::{Code, Provider};

/// Such accounts by name.
fn components(accounts: &Accounts) -> impl Iterator<Item = (&str, &dyn Provider, &Code)> {
    accounts.iter().filter_map(|(name, provider)| {
        let code = provider.code()?;
        Some((name.as_str(), provider.as_ref(), code))
    })
}

/// For a terminal; nothing where there are none.
pub(super) fn text(accounts: &Accounts) -> String {
    let told = components(accounts).map(|(name, provider, code)| {
        let test = match provider.capabilities().test {
            true => ", pretended money",
            false => "",
        };
        let file = code.file.display();
        let mut lines = vec![
            format!("✓ account {name}: {}{test}, by {file}", provider.kind()),
            format!("    sha256 = \"{}\"", code.digest),
        ];
        lines.extend(
            code.reaches
                .iter()
                .map(|it| format!("    granted: to {it}")),
        );
        lines.join("\n") + "\n"
    });
    told.collect()
}

/// For programs.
pub(super) fn json(accounts: &Accounts) -> Value {
    let told = components(accounts).map(|(name, provider, code)| {
        json!({
            "name": name,
            "provider": provider.kind(),
            "test": provider.capabilities().test,
            "component": code.file.display().to_string(),
            "sha256": code.digest.to_string(),
            "granted": code.reaches,
        })
    });
    told.collect()
}
