//! `coinop grant`: what a plugin needs, what it is granted, and the operator's word on both, written into `coinop.toml`.
//!
//! A running host reads the file again by itself.

mod ask;
mod flags;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use similar::TextDiff;

use super::{Locations, terminal};
use crate::config::edit::{self, ConfigFile, Edit, EnvSource};
use crate::config::{Config, Overrides, PluginRules, SecretSource, did_you_mean};
use crate::grants::{Grants, Need, Needs};
use crate::reload::plugin_files;
use flags::Flags;

/// Show what a plugin needs and is granted, and grant it or take it away.
#[derive(Args)]
pub(super) struct Grant {
    /// The plugin, by its file's name without .wasm
    plugin: String,
    #[command(flatten)]
    flags: Flags,
    /// Take these grants away instead; with --all every one
    #[arg(long)]
    revoke: bool,
    #[command(flatten)]
    locations: Locations,
}

impl Grant {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        let config = self.locations.load(Overrides::default())?;
        let asked = self.flags.edits()?;
        let plugin = Plugin::find(&config, &self.plugin)?;
        let file = ConfigFile::read(&config.file)?;
        let (text, left_out) = match self.revoke {
            true => (self.revoked(&config, &file, &asked)?, Vec::new()),
            false => {
                let (edits, left_out) = self.wanted(asked, &plugin)?;
                let text = edit::grant(&config.file, &file.text, &self.plugin, &edits);
                let text = if edits.is_empty() {
                    Ok(file.text.clone())
                } else {
                    text
                };
                (text?, left_out)
            }
        };
        if text == file.text {
            terminal::print(&plugin.shown())?;
        } else {
            file.replace(&text)?;
            let name = config.file.display().to_string();
            terminal::print(&told(&name, &file.text, &text))?;
        }
        for need in &left_out {
            eprintln!(
                "coinop: to {need} it needs a directory: --dir PATH:AS, with :rw to write there"
            );
        }
        Ok(match left_out.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    /// What is to be granted, and the needs that `--all` alone cannot grant.
    fn wanted(
        &self,
        mut asked: Vec<Edit>,
        plugin: &Plugin,
    ) -> anyhow::Result<(Vec<Edit>, Vec<String>)> {
        let mut left_out = Vec::new();
        if self.flags.all {
            for need in plugin.needs.missing(&plugin.grants) {
                match of_need(need) {
                    // A flag that says more counts.
                    _ if is_among(need, &asked) => {}
                    Some(edit) => asked.push(edit),
                    None => left_out.push(need.phrase()),
                }
            }
        } else if asked.is_empty() && std::io::stdin().is_terminal() {
            eprint!("{}", plugin.shown());
            let (mut input, mut output) = (std::io::stdin().lock(), std::io::stderr());
            for need in plugin.needs.missing(&plugin.grants) {
                asked.extend(ask::about(need, &mut input, &mut output)?);
            }
        }
        Ok((asked, left_out))
    }

    fn revoked(
        &self,
        config: &Config,
        file: &ConfigFile,
        asked: &[Edit],
    ) -> anyhow::Result<String> {
        anyhow::ensure!(
            self.flags.all || !asked.is_empty(),
            "--revoke takes away what other flags name: --all, --http, --env, --dir, --socket, --keyvalue or --caller"
        );
        let edits = (!self.flags.all).then_some(asked);
        Ok(edit::revoke(&config.file, &file.text, &self.plugin, edits)?)
    }
}

/// A plugin that may be granted something.
struct Plugin {
    name: String,
    needs: Needs,
    grants: Arc<Grants>,
}

impl Plugin {
    fn find(config: &Config, name: &str) -> anyhow::Result<Self> {
        let folder = config.plugins_dir.display();
        let files = plugin_files(&config.plugins_dir)
            .map_err(|error| anyhow::anyhow!("{folder}: {error}"))?;
        let stem = |file: &Path| {
            file.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
        };
        let Some(file) = files
            .iter()
            .find(|file| stem(file).as_deref() == Some(name))
        else {
            let known: Vec<_> = files.iter().filter_map(|file| stem(file)).collect();
            let near = did_you_mean(name, known.iter().map(String::as_str));
            anyhow::bail!("there is no {name}.wasm in {folder}{near}");
        };
        let sidecar = PluginRules::read_sidecar(&file.with_extension("toml"))?;
        let rules = config.plugins.get(name).cloned().unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            needs: sidecar.unwrap_or_default().needs,
            grants: rules.grants,
        })
    }

    /// Its needs beside its grants.
    fn shown(&self) -> String {
        let mut lines = Vec::new();
        match self.needs.all.is_empty() {
            true => lines.push(format!(
                "{} does not say that it needs anything.",
                self.name
            )),
            false => lines.push(format!("{} says that it needs to", self.name)),
        }
        for need in &self.needs.all {
            let (mark, word) = match need.is_granted(&self.grants) {
                true => ("✓", "granted"),
                false => ("✗", "not granted"),
            };
            lines.push(format!("  {mark} {} ({word})", need.phrase()));
        }
        lines.extend(
            self.needs
                .reason
                .iter()
                .map(|why| format!("  because: {why}")),
        );
        match self.grants.phrases() {
            none if none.is_empty() => lines.push("It is granted nothing.".to_owned()),
            granted => {
                lines.push("It is granted to".to_owned());
                lines.extend(granted.iter().map(|phrase| format!("  {phrase}")));
            }
        }
        lines.join("\n") + "\n"
    }
}

/// What grants a need, where it needs no choice.
fn of_need(need: &Need) -> Option<Edit> {
    Some(match need {
        Need::Http(origin) => Edit::Http(origin.clone()),
        Need::Env(name) => {
            let source = SecretSource::Env(name.clone());
            Edit::Env(name.clone(), EnvSource::Secret(source))
        }
        Need::Dir(_) => return None,
        Need::Socket(socket) => Edit::Socket(socket.clone()),
        Need::KeyValue(kib) => Edit::KeyValue(*kib),
        Need::Caller => Edit::Caller,
    })
}

fn is_among(need: &Need, edits: &[Edit]) -> bool {
    edits.iter().any(|edit| match (need, edit) {
        (Need::Env(name), Edit::Env(granted, _)) => name == granted,
        (Need::Dir(need), Edit::Dir { guest_path, .. }) => *guest_path == need.guest_path,
        (Need::KeyValue(_), Edit::KeyValue(_)) => true,
        _ => false,
    })
}

fn told(file: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let diff = diff.unified_diff().header(file, file).to_string();
    format!("{diff}Written. A running host takes it up by itself.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_stand_beside_what_is_granted() {
        let plugin = Plugin {
            name: "weather".to_owned(),
            needs: Needs {
                reason: Some("forecasts".to_owned()),
                all: vec![
                    Need::Http("https://api.example.com".parse().unwrap()),
                    Need::KeyValue(64),
                ],
            },
            grants: Arc::new(Grants {
                keyvalue_bytes_max: Some(64 << 10),
                ..Grants::default()
            }),
        };
        assert_eq!(
            plugin.shown(),
            "weather says that it needs to\n\
             \x20 ✗ send requests to https://api.example.com (not granted)\n\
             \x20 ✓ keep 64 KiB of data from call to call (granted)\n\
             \x20 because: forecasts\n\
             It is granted to\n\
             \x20 keep 64 KiB of data from call to call\n"
        );
    }
}
