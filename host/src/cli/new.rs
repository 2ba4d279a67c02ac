//! `coinop new`: a project to start a plugin from.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::terminal;
use crate::project::{LANGUAGES, Language, ProjectName, create};

/// Write a project to start a plugin from.
#[derive(Args)]
pub(super) struct New {
    /// The plugin's name: a-z, 0-9 and hyphens
    name: ProjectName,
    /// The language it is written in
    #[arg(long, value_name = "LANG", value_parser = PossibleValuesParser::new(LANGUAGES.iter().map(|l| l.name)))]
    lang: String,
    /// The project's folder [default: a new one of the plugin's name]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let language = Language::find(&self.lang)
            .ok_or_else(|| anyhow::anyhow!("there is no template for {:?}", self.lang))?;
        let folder = self.dir.unwrap_or_else(|| self.name.as_str().into());
        create(&self.name, language, &folder)?;
        let (name, tool) = (&self.name, self.name.identifier());
        let folder = folder.display();
        terminal::print(&format!(
            "{name} is in {folder}, with a README. Next:\n\
             \x20   coinop build {folder}\n\
             \x20   coinop call {tool} '{{\"name\":\"Ada\"}}' --plugin {folder} --watch\n"
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
