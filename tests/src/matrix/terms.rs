//! What is promised: how a user is asked to pay, by the mode and by what the client shows. Pure.

use super::{Client, Transport};
use crate::era::Era;
use crate::script::Language;

/// What a client shows its user, and declares where the protocol has a declaration for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Answers only.
    Nothing,
    /// Forms.
    Forms,
    /// Links and forms.
    Links,
    /// Messages of progress.
    Progress,
    /// Tools that come and go.
    Lists,
}

impl Shows {
    /// As the drivers are told.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Forms => "forms",
            Self::Links => "links,forms",
            Self::Progress => "progress",
            Self::Lists => "lists",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Nothing => "answers",
            Self::Forms => "forms",
            Self::Links => "links, forms",
            Self::Progress => "progress",
            Self::Lists => "list changes",
        }
    }
}

/// How a user was asked to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In the text of the answer.
    Text,
    /// By a form.
    Form,
    /// By a link that the client opens.
    Link,
    /// In a message of progress.
    Progress,
    /// In the text, and the list of tools shows the next step.
    List,
    /// By the error that has the client open a link and call again.
    Error,
}

impl Way {
    /// As drivers and the table say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Form => "form",
            Self::Link => "link",
            Self::Progress => "progress",
            Self::List => "list",
            Self::Error => "error",
        }
    }
}

/// A mode at clients that show this much: a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The mode's name.
    pub mode: &'static str,
    /// A key of `[conversation]` that is set to true.
    pub setting: Option<&'static str>,
    /// What the client shows.
    pub shows: Shows,
}

/// The rows, in the table's order.
pub const ROWS: [Row; 14] = [
    row("two_step", Shows::Nothing),
    row("resubmit", Shows::Nothing),
    row("elicitation", Shows::Links),
    row("elicitation", Shows::Nothing),
    row("url_elicitation", Shows::Links),
    row("url_elicitation", Shows::Forms),
    set("url_elicitation", "url_error", Shows::Links),
    row("progress", Shows::Progress),
    row("progress", Shows::Nothing),
    row("dynamic_tools", Shows::Lists),
    row("auto", Shows::Links),
    row("auto", Shows::Forms),
    row("auto", Shows::Nothing),
    set("auto", "progress", Shows::Progress),
];

const fn row(mode: &'static str, shows: Shows) -> Row {
    Row {
        mode,
        setting: None,
        shows,
    }
}

const fn set(mode: &'static str, setting: &'static str, shows: Shows) -> Row {
    Row {
        mode,
        setting: Some(setting),
        shows,
    }
}

impl Row {
    /// The row's heading: the mode as it is configured, and what the client shows.
    pub fn title(self) -> String {
        let setting = self
            .setting
            .map_or_else(String::new, |key| format!(", `{key} = true`"));
        format!("`{}`{setting} | {}", self.mode, self.shows.title())
    }

    /// How the mode asks where the client shows what it needs; AUTO has no way of its own.
    pub fn own_way(self) -> Option<Way> {
        match (self.mode, self.setting) {
            ("two_step" | "resubmit", _) => Some(Way::Text),
            ("elicitation", _) => Some(Way::Form),
            ("url_elicitation", Some("url_error")) => Some(Way::Error),
            ("url_elicitation", _) => Some(Way::Link),
            ("progress", _) => Some(Way::Progress),
            ("dynamic_tools", _) => Some(Way::List),
            _ => None,
        }
    }

    /// How the user of this client is asked over this transport.
    pub fn way(self, client: Client, transport: Transport) -> Way {
        let era = client.era;
        match (self.mode, self.shows) {
            ("elicitation", Shows::Links | Shows::Forms) => Way::Form,
            // Over HTTP the clients of these tests are nobody in particular: who calls again could not be recognised.
            ("url_elicitation", Shows::Links)
                if self.setting.is_some()
                    && (era, transport) == (Era::Legacy, Transport::Stdio) =>
            {
                Way::Error
            }
            ("url_elicitation" | "auto", Shows::Links) => Way::Link,
            ("url_elicitation" | "auto", Shows::Forms) => Way::Form,
            ("progress", Shows::Progress) => Way::Progress,
            ("auto", Shows::Progress) if self.setting.is_some() => Way::Progress,
            ("dynamic_tools", Shows::Lists) if has_own_list(client, transport) => Way::List,
            _ => Way::Text,
        }
    }

    /// Why there is no such client.
    pub fn unavailable(self, client: Client) -> Option<&'static str> {
        match (client.language, self.shows) {
            (Language::Python, Shows::Forms) => {
                Some("whoever shows forms with this client declares links too")
            }
            (Language::Python, Shows::Nothing)
                if client.side == "fastmcp" && self.mode == "progress" =>
            {
                Some("this client asks for progress in every call")
            }
            _ => None,
        }
    }
}

/// Whether the client has a list of its own and hears of its changes. Without sessions lists differ by authorisation
/// alone, and changes are told on a stream that not every client opens.
fn has_own_list(client: Client, transport: Transport) -> bool {
    match client.era {
        Era::Legacy => true,
        Era::Modern => transport == Transport::Stdio && client.side != "fastmcp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::CLIENTS;

    #[test]
    fn every_mode_has_a_row_in_which_it_keeps_its_own_way() {
        for row in ROWS {
            let kept = ROWS
                .iter()
                .filter(|other| other.mode == row.mode)
                .any(|other| {
                    other.own_way().is_none()
                        || other.own_way() == Some(other.way(CLIENTS[0], Transport::Stdio))
                });
            assert!(kept, "{}", row.mode);
        }
    }

    #[test]
    fn every_mode_of_the_core_but_those_of_credentials_has_a_row() {
        for mode in coinop_core::mode::MODES.iter().map(|mode| mode.name()) {
            let has_row = mode == "x402" || ROWS.iter().any(|row| row.mode == mode);
            assert!(has_row, "{mode} has no row");
        }
    }
}
