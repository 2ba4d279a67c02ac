//! Asynchronous functions as components for other hosts export them, beside one that is not.

wit_bindgen::generate!({
    path: ["../../../wit/async/deps/clocks.wit", "wit"],
    world: "local:other-host-async/other-host-async",
    generate_all,
});

use exports::local::other_host_async::sums;
use wasi::clocks::monotonic_clock;
use wit_bindgen::StreamReader;

struct Component;
export!(Component);

impl Guest for Component {
    async fn wait_twice(ms: u32) -> String {
        wit_bindgen::spawn_local(wait(ms));
        wait(ms).await;
        format!("waited for {ms} ms")
    }

    async fn wait_for_ever() {
        wait(u32::MAX).await;
    }

    fn now() -> String {
        "synchronously".to_owned()
    }
}

impl sums::Guest for Component {
    async fn add(a: u32, b: u32) -> Result<u32, String> {
        wait(1).await;
        a.checked_add(b).ok_or_else(|| "too large".to_owned())
    }

    async fn add_all(numbers: StreamReader<u32>) -> u32 {
        numbers.collect().await.into_iter().sum()
    }
}

async fn wait(ms: u32) {
    monotonic_clock::wait_for(u64::from(ms) * 1_000_000).await;
}
