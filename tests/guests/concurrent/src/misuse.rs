//! The hostile tools, each as [`Hostile`] says.

use std::hint::black_box;

use futures::future::join;

use crate::hostile::Hostile;
use crate::wasi::cli::{exit, stdout};
use crate::wasi::clocks::monotonic_clock;
use crate::wasi::filesystem::preopens;
use crate::wasi::http::types::{ErrorCode, Trailers};
use crate::{wit_future, wit_stream};

/// A time that no run has.
const FOR_EVER_NS: u64 = u64::MAX / 2;
const A_MILLISECOND_NS: u64 = 1_000_000;

pub(crate) async fn act(hostile: Hostile) -> String {
    match hostile {
        Hostile::Trap => {
            wait_a_little().await;
            panic!("it was told to");
        }
        Hostile::Exit => {
            wait_a_little().await;
            exit::exit(Ok(()));
        }
        Hostile::Spin => {
            join(sleep(FOR_EVER_NS), spin()).await;
        }
        Hostile::SleepForEver => sleep(FOR_EVER_NS).await,
        Hostile::Deadlock => wait_for_itself().await,
        Hostile::MemoryBomb => {
            join(sleep(FOR_EVER_NS), fill_memory()).await;
        }
        Hostile::WaitHoard => hoard_waits().await,
        Hostile::StreamHoard => hoard_streams(),
        Hostile::DirectoryHoard => hoard_listings(),
        Hostile::LogBomb => print_for_ever().await,
        Hostile::OutputBomb => return "x".repeat(64 << 20),
    }
    "it was allowed to".to_owned()
}

async fn wait_a_little() {
    sleep(A_MILLISECOND_NS).await;
}

pub(crate) async fn sleep(ns: u64) {
    monotonic_clock::wait_for(ns).await;
}

/// The one who would give it is the one who waits.
async fn wait_for_itself() {
    let (giver, waited) = wit_future::new::<Result<Option<Trailers>, ErrorCode>>(|| Ok(None));
    let _ = waited.await;
    drop(giver);
}

async fn spin() {
    wait_a_little().await;
    let mut n = 0_u64;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

async fn fill_memory() {
    let mut held = Vec::new();
    loop {
        wait_a_little().await;
        held.push(vec![1_u8; 16 << 20]);
    }
}

async fn hoard_waits() {
    loop {
        wit_bindgen::spawn_local(sleep(FOR_EVER_NS));
        wit_bindgen::yield_async().await;
    }
}

fn hoard_streams() {
    let mut held = Vec::new();
    loop {
        held.push(wit_stream::new::<u8>());
    }
}

fn hoard_listings() {
    let directories = preopens::get_directories();
    let mut held = Vec::new();
    loop {
        let listings = directories
            .iter()
            .map(|(directory, _)| directory.read_directory());
        held.extend(listings);
    }
}

async fn print_for_ever() {
    let (mut writer, reader) = wit_stream::new::<u8>();
    let printing = async move {
        let _ = stdout::write_via_stream(reader).await;
    };
    let writing = async move {
        loop {
            writer.write_all(vec![b'x'; 8 << 10]).await;
        }
    };
    join(printing, writing).await;
}
