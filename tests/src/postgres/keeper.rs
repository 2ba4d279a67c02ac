//! The process that keeps a server: a shell at the end of a pipe, since a pipe ends with the process that holds it,
//! also by SIGKILL, on every Unix. A parent-death signal would follow the thread that started the server, and only on
//! Linux.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Owns a server and its folder: both go when it is dropped, or when this process ends.
pub(super) struct Keeper {
    child: Child,
    /// `None` once it is told to end.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Keeper {
    /// Starts it over a folder that belongs to `user`, where that is not the present one.
    pub(super) fn start(programs: &Path, folder: &Path, user: Option<User>) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", include_str!("keeper.sh")]);
        command.env("PROGRAMS", programs).env("FOLDER", folder);
        // Nothing of the developer's own server may be meant.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for the tests; the keeper hears of their end.
        command.current_dir("/").process_group(0);
        if let Some(user) = user {
            command.uid(user.uid).gid(user.gid);
        }
        let mut child = command.spawn().expect("there is a shell");
        Self {
            orders: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().expect("stdout is piped")),
            child,
        }
    }

    /// Gives an order and waits until it is carried out. Whether it was.
    pub(super) fn order(&mut self, order: &str) -> bool {
        let orders = self.orders.as_mut().expect("it was not told to end");
        let told = orders.write_all(format!("{order}\n").as_bytes());
        let mut answer = String::new();
        told.and_then(|()| self.answers.read_line(&mut answer))
            .expect("the keeper of PostgreSQL lives");
        answer == "done\n"
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.orders.take());
        // Until the folder is gone.
        let _ = self.child.wait();
    }
}

/// A user to run as.
#[derive(Clone, Copy)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl User {
    /// PostgreSQL refuses to run as root: whom to run as instead, where that is who runs the tests.
    pub(super) fn instead_of_root() -> Option<Self> {
        if id(&["-u"]) != Some(0) {
            return None;
        }
        let named = |name| {
            let (uid, gid) = (id(&["-u", name])?, id(&["-g", name])?);
            Some(Self { uid, gid })
        };
        let user = named("postgres").or_else(|| named("nobody"));
        Some(user.expect("there is a user `postgres` or `nobody` for PostgreSQL to run as"))
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
