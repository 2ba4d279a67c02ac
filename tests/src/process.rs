//! What the kernel says of a process: memory and CPU time, from `/proc`.

use std::time::Duration;

/// Resident memory, bytes.
pub fn resident_bytes(pid: u32) -> u64 {
    let status = read(pid, "status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .expect("a live process has VmRSS");
    kib.trim().parse::<u64>().expect("VmRSS is a number") * 1024
}

/// CPU time used so far, user and system, all threads. A tick of `/proc` is 10 ms.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = read(pid, "stat");
    // The name, field 2, may hold spaces; it ends with the last parenthesis.
    let after = stat.rsplit_once(')').expect("stat has a name").1;
    let ticks: u64 = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * 10)
}

fn read(pid: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the process lives, on Linux")
}
