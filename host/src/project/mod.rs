//! A plugin author's project: making one from a template, and turning it into a component and its sidecar.
//!
//! Nothing here runs a plugin. [`manifest`] says what a project is, [`template`] writes one, [`build`] makes the
//! component with the language's own tools; what those do not do, [`bindings`] and [`component`] do, so that an
//! author needs coinop and a compiler and nothing else.

mod bindings;
mod build;
mod component;
mod manifest;
mod name;
mod template;
mod tool;
mod wit;

pub(crate) use build::{Built, build};
pub(crate) use manifest::{MANIFEST, Manifest};
pub(crate) use name::ProjectName;
pub(crate) use template::{LANGUAGES, Language, create};
