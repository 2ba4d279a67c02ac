//! `coinop call`: run one tool here and now. Nobody is charged, and what the guest prints is shown.

mod watch;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use coinop_core::arguments::Arguments;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::outcome::{Content, Outcome};
use serde_json::{Map, Value};

use super::build::dist;
use super::{Locations, terminal};
use crate::app;
use crate::catalog::arguments;
use crate::config::{Config, Overrides, PluginRules};
use crate::keyvalue::Bucket;
use crate::plugin::ToolDecl;
use crate::project::build;
use crate::reload::plugin_files;
use crate::sandbox::{Component, Metering, ProgressSink, Run, Sandbox};
use crate::trust::Admission;
use crate::unruly::tame_lines;
use crate::wire::result::run_result;

/// Run one tool here and now, without charging anybody.
#[derive(Args)]
pub(super) struct Call {
    /// The tool, by the plugin's own name for it
    tool: String,
    /// Its arguments, a JSON object
    #[arg(default_value = "{}")]
    arguments: String,
    /// The plugin's file, or its project, which is built first; without it, the folder of plugins is searched
    #[arg(long, value_name = "FILE|DIR")]
    plugin: Option<PathBuf>,
    /// Build and call again after every change of the project or the file, until ctrl-c; without --plugin, the project
    /// is the current folder
    #[arg(long)]
    watch: bool,
    /// Print the whole answer as JSON, in the form of MCP's result
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    locations: Locations,
}

/// A plugin's file, its component, and the tool that is called.
type Found = (PathBuf, Arc<Component>, ToolDecl);

impl Call {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        if self.watch {
            return watch::run(self).await;
        }
        let config = self.locations.load(Overrides::default())?;
        let sandbox = app::open_sandbox(&config)?;
        let found = self.find(&config, &sandbox).await?;
        self.once(&config, &sandbox, found).await
    }

    /// Calls the tool and shows the answer.
    async fn once(
        &self,
        config: &Config,
        sandbox: &Sandbox,
        found: Found,
    ) -> anyhow::Result<ExitCode> {
        let (path, component, tool) = found;
        let arguments = self.checked_arguments(&tool)?;
        let rules = Rules::of(config, &path)?;
        let component = rules.counting(sandbox, &path, component).await?;
        let bucket = rules.bucket(config)?;
        let report = component
            .run(Run {
                tool: &tool.name,
                arguments: arguments.as_json(),
                execution_id: CallId::from_random(crate::random::bytes()).as_str(),
                caller: None,
                limits: &rules.limits,
                grants: &rules.grants,
                bucket: bucket.as_ref(),
                settings: &rules.settings,
                progress: Some(Arc::new(Shown)),
                share: None,
            })
            .await;
        if !report.log.text.is_empty() {
            eprintln!("{}", tame_lines(report.log.text.trim_end()));
        }
        if report.log.dropped > 0 {
            eprintln!(
                "coinop: {} more bytes of output were dropped",
                report.log.dropped
            );
        }
        if let Some(used) = report.fuel_used {
            eprintln!("coinop: {used} instructions");
        }
        for denial in &report.denials {
            eprintln!("coinop: not allowed to {}", denial.wanted);
            if let Some(line) = &denial.line {
                eprintln!(
                    "coinop: to allow it, add to coinop.toml: [plugins.{}.grants] {line}",
                    rules.name
                );
            }
        }
        let outcome = report
            .result
            .with_context(|| format!("{} failed", tool.name))?;
        terminal::print(&self.shown(&outcome)?)?;
        Ok(if outcome.is_error {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }

    /// Where the command line says, or in the folder of plugins.
    async fn find(&self, config: &Config, sandbox: &Sandbox) -> anyhow::Result<Found> {
        let paths = match &self.plugin {
            Some(path) if path.is_dir() => vec![build(path, &dist(path)).await?.component],
            Some(path) => vec![path.clone()],
            None => plugin_files(&config.plugins_dir).map_err(|error| {
                let folder = config.plugins_dir.display();
                anyhow::anyhow!("{folder}: {error}, or name a file with --plugin")
            })?,
        };
        self.find_in(paths, config, sandbox).await
    }

    /// The first plugin that has the tool.
    async fn find_in(
        &self,
        paths: Vec<PathBuf>,
        config: &Config,
        sandbox: &Sandbox,
    ) -> anyhow::Result<Found> {
        let named = self.watch || self.plugin.is_some();
        let mut known = Vec::new();
        let admission = Admission::read(&config.trust);
        for path in paths {
            let shown = path.display().to_string();
            let bytes = std::fs::read(&path).with_context(|| shown.clone())?;
            let plugin = path.file_stem().unwrap_or_default().to_string_lossy();
            admission
                .admit(&plugin, &path, &bytes)
                .with_context(|| shown.clone())?;
            let component = match sandbox.load(&shown, bytes.into()).await {
                Ok(component) => component,
                Err(error) if named => return Err(error.into()),
                Err(error) => {
                    eprintln!("coinop: {error}");
                    continue;
                }
            };
            let tools = &component.manifest().tools;
            if let Some(tool) = tools.iter().find(|t| t.name == self.tool).cloned() {
                return Ok((path, component, tool));
            }
            known.extend(tools.iter().map(|t| t.name.clone()));
        }
        anyhow::bail!(
            "there is no tool {:?}; there are: {}",
            self.tool,
            known.join(", ")
        )
    }

    fn checked_arguments(&self, tool: &ToolDecl) -> anyhow::Result<Arguments> {
        let value: Map<String, Value> = serde_json::from_str(&self.arguments)
            .context("the arguments are not a JSON object, such as '{\"city\": \"Oslo\"}'")?;
        let invalid = || format!("invalid arguments for {}", tool.name);
        coinop_core::arguments::check_json_text(self.arguments.as_bytes()).with_context(invalid)?;
        arguments::check_schema(&tool.input_schema, &value)
            .map_err(anyhow::Error::msg)
            .with_context(invalid)?;
        Ok(Arguments::from_map(&value)?)
    }

    fn shown(&self, outcome: &Outcome) -> anyhow::Result<String> {
        if self.json {
            let result = run_result(outcome);
            return Ok(format!("{}\n", serde_json::to_string_pretty(&result)?));
        }
        let mut text: String = outcome
            .content
            .iter()
            .map(|block| format!("{}\n", tame_lines(&told(block))))
            .collect();
        if let Some(structured) = &outcome.structured {
            let value: Value = serde_json::from_str(structured)?;
            let shown = serde_json::to_string_pretty(&value)?;
            text.push_str(&format!("{}\n", tame_lines(&shown)));
        }
        Ok(text)
    }
}

fn told(block: &Content) -> String {
    match block {
        Content::Text { text } => text.clone(),
        Content::Image { data, mime_type } => {
            format!("[image, {mime_type}, {} bytes in base64]", data.len())
        }
        Content::Audio { data, mime_type } => {
            format!("[audio, {mime_type}, {} bytes in base64]", data.len())
        }
        Content::EmbeddedText { uri, text, .. } => format!("[{uri}]\n{text}"),
        Content::EmbeddedBlob { uri, blob, .. } => {
            format!("[{uri}, {} bytes in base64]", blob.len())
        }
        Content::ResourceLink { uri, name, .. } => format!("[{name}: {uri}]"),
        Content::Raw { json } => json.clone(),
    }
}

/// Limits and settings as the configuration and the sidecar have them.
struct Rules {
    name: String,
    limits: crate::limits::Limits,
    settings: std::collections::BTreeMap<String, String>,
    grants: Arc<crate::grants::Grants>,
}

impl Rules {
    /// What the plugin keeps from call to call, where that is granted.
    fn bucket(&self, config: &Config) -> anyhow::Result<Option<Bucket>> {
        let Some(max) = self.grants.keyvalue_bytes_max else {
            return Ok(None);
        };
        let store = app::keyvalue(config)?;
        Ok(Some(Bucket::new(store, &self.name, max)))
    }

    fn of(config: &Config, path: &std::path::Path) -> anyhow::Result<Self> {
        let sidecar = PluginRules::read_sidecar(&path.with_extension("toml"))?.unwrap_or_default();
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        let operator = config.plugins.get(name).cloned().unwrap_or_default();
        anyhow::ensure!(
            operator.grant_problems.is_empty(),
            "{}",
            operator.grant_problems.join("; ")
        );
        let admission = Admission::read(&config.trust);
        let admitted = admission.admit_sidecar(name, sidecar.sidecar);
        admitted
            .map_err(anyhow::Error::msg)
            .with_context(|| path.with_extension("toml").display().to_string())?;
        let granted = admission.allowed(config.grants()).grants.remove(name);
        let mut settings = sidecar.settings.clone();
        settings.extend(operator.settings.clone());
        Ok(Self {
            name: name.to_owned(),
            limits: sidecar
                .limits
                .lowering(operator.limits.applied_to(config.limits)),
            settings,
            grants: granted.unwrap_or_default(),
        })
    }
}

impl Rules {
    /// The component with code that counts its instructions, where their number is limited.
    async fn counting(
        &self,
        sandbox: &Sandbox,
        path: &std::path::Path,
        component: Arc<Component>,
    ) -> anyhow::Result<Arc<Component>> {
        if self.limits.fuel_max.is_none() {
            return Ok(component);
        }
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| shown.clone())?;
        anyhow::ensure!(
            Digest::of(&bytes) == component.manifest().digest,
            "{shown}: the file changed meanwhile"
        );
        let counting = sandbox.load_metered(&shown, bytes.into(), Metering::Fuel);
        Ok(counting.await?)
    }
}

/// Shows progress on stderr.
struct Shown;

impl ProgressSink for Shown {
    fn report(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let of = total.map_or_else(String::new, |total| format!("/{total}"));
        let _ = writeln!(
            std::io::stderr(),
            "[{progress}{of}] {}",
            tame_lines(message.unwrap_or_default())
        );
    }
}
