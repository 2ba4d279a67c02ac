//! `coinop push` and `coinop pull` against a registry on this machine: honest ones, ones that want a log-in, and liars.

use std::path::PathBuf;

use coinop_core::digest::Digest;
use coinop_tests::home::Home;
use coinop_tests::paths;
use coinop_tests::registry::{Door, Lie, Registry, sha256};
use coinop_tests::wait::within;
use data_encoding::BASE64;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use serde_json::{Value, json};

struct Done {
    code: Option<i32>,
    said: String,
}

/// Runs `coinop` in `home`, on its configuration and its folder.
async fn run(home: &Home, arguments: &[&str]) -> Done {
    let mut command = home.coinop(arguments);
    command.env_remove("DOCKER_CONFIG").kill_on_drop(true);
    command.stdin(std::process::Stdio::null());
    let config = home.path("coinop.toml");
    if arguments[0] != "push" {
        command.arg("--config").arg(config);
        command.arg("--plugins").arg(home.path("plugins"));
        command.arg("--state").arg(home.ledger());
        command.arg("--cache").arg(paths::shared_cache());
    }
    let output = within("coinop's end", command.output()).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    Done {
        code: output.status.code(),
        said: String::from_utf8_lossy(&said).into_owned(),
    }
}

async fn works(home: &Home, arguments: &[&str]) -> String {
    let done = run(home, arguments).await;
    assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.said);
    done.said
}

/// Runs what must fail, saying `word`, and leave nothing in the folder of plugins.
async fn refused(home: &Home, arguments: &[&str], word: &str) {
    let done = run(home, arguments).await;
    assert_eq!(done.code, Some(1), "{arguments:?}: {}", done.said);
    assert!(done.said.contains(word), "no {word:?} in: {}", done.said);
    assert!(!done.said.contains("panicked"), "{}", done.said);
    let left = std::fs::read_dir(home.path("plugins")).unwrap().count();
    assert_eq!(left, 0, "{}", done.said);
    assert!(!home.path("coinop.lock").exists(), "{}", done.said);
}

fn echo() -> Vec<u8> {
    std::fs::read(paths::guest("echo")).unwrap()
}

fn echo_path() -> String {
    paths::guest("echo").to_str().unwrap().to_owned()
}

/// A component's manifest and its blobs, put into `registry` by hand; gives the manifest.
fn put(registry: &Registry, layer_type: &str, component: &[u8]) -> Vec<u8> {
    let blob = |kind: &str, bytes: &[u8]| {
        let digest = registry.put_blob(bytes);
        json!({ "mediaType": kind, "digest": digest, "size": bytes.len() })
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("application/vnd.wasm.config.v0+json", b"{}"),
        "layers": [blob(layer_type, component)],
    });
    serde_json::to_vec(&manifest).unwrap()
}

/// A registry that has the component `echo:1`.
async fn with_echo(door: Door, lie: Lie) -> (Registry, String) {
    let registry = Registry::start(door, lie).await;
    let manifest = put(&registry, "application/wasm", &echo());
    registry.put_manifest("1", &manifest);
    let reference = registry.reference("acme/echo:1");
    (registry, reference)
}

#[tokio::test]
async fn what_is_pushed_is_pulled() {
    let registry = Registry::start(Door::Open, Lie::None).await;
    let reference = registry.reference("acme/echo:1");
    let home = Home::new();
    let push = ["push", &echo_path(), &reference, "--author", "me"];
    let said = works(&home, &push).await;
    let digest = sha256(&registry.manifest("1").unwrap());
    assert_eq!(said, format!("{reference}@{digest}\n"));
    works(&home, &["pull", &reference]).await;
    assert_eq!(std::fs::read(home.plugin_path("echo")).unwrap(), echo());
    let pinned = format!("{reference}@{digest}");
    works(&home, &["pull", &pinned, "--plugin", "again"]).await;
    assert_eq!(std::fs::read(home.plugin_path("again")).unwrap(), echo());

    let check = run(&home, &["check"]).await.said;
    for line in [
        format!("digest: {}", sha256(&echo())),
        format!("source: {reference}, manifest {digest}, pulled 2"),
        format!("source: {pinned}, manifest {digest}"),
        "lock: there is none".to_owned(),
        "signature: not signed".to_owned(),
    ] {
        assert!(check.contains(&line), "no {line:?} in:\n{check}");
    }
    let names: Vec<_> = std::fs::read_dir(home.path("plugins")).unwrap().collect();
    assert_eq!(names.len(), 2, "nothing but the plugins is left: {names:?}");
}

#[tokio::test]
async fn what_is_pushed_is_the_format_of_all_hosts() {
    let registry = Registry::start(Door::Open, Lie::None).await;
    let reference = registry.reference("acme/echo:1");
    works(&Home::new(), &["push", &echo_path(), &reference]).await;
    let manifest: Value = serde_json::from_slice(&registry.manifest("1").unwrap()).unwrap();
    assert_eq!(manifest["schemaVersion"], 2);
    assert_eq!(
        manifest["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert_eq!(
        manifest["config"]["mediaType"],
        "application/vnd.wasm.config.v0+json"
    );
    let layer = json!([{ "mediaType": "application/wasm", "digest": sha256(&echo()), "size": echo().len() }]);
    assert_eq!(manifest["layers"], layer);
    let config = registry
        .blob(manifest["config"]["digest"].as_str().unwrap())
        .unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(
        (&config["architecture"], &config["os"]),
        (&json!("wasm"), &json!("wasip2"))
    );
    assert_eq!(config["layerDigests"], json!([sha256(&echo())]));
    assert!(
        config["created"].as_str().unwrap().ends_with('Z'),
        "{config}"
    );
    let exports = config["component"]["exports"].to_string();
    assert!(exports.contains("coinop:plugin/tools@0.1.0"), "{config}");
}

/// The client that other hosts are built with, which knows nothing of ours.
#[tokio::test]
async fn another_client_reads_ours_and_writes_for_us() {
    use oci_client::client::{Client, ClientConfig, ClientProtocol, Config, ImageLayer};
    use oci_client::secrets::RegistryAuth;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = Registry::start(Door::Token, Lie::None).await;
    let home = Home::new();
    let client = Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    let theirs = |name: &str| format!("{}/{name}", registry.host()).parse().unwrap();

    works(
        &home,
        &["push", &echo_path(), &registry.reference("acme/ours:1")],
    )
    .await;
    let image = client
        .pull(
            &theirs("acme/ours:1"),
            &RegistryAuth::Anonymous,
            vec!["application/wasm"],
        )
        .await
        .unwrap();
    assert_eq!(image.layers.len(), 1);
    assert_eq!(image.layers[0].data, echo());

    let layer = ImageLayer::new(echo(), "application/wasm".to_owned(), None);
    let config = Config::new(
        "{}".to_owned().into_bytes(),
        "application/vnd.wasm.config.v0+json".to_owned(),
        None,
    );
    client
        .push(
            &theirs("acme/theirs:1"),
            &[layer],
            config,
            &RegistryAuth::Anonymous,
            None,
        )
        .await
        .unwrap();
    works(&home, &["pull", &registry.reference("acme/theirs:1")]).await;
    assert_eq!(std::fs::read(home.plugin_path("theirs")).unwrap(), echo());
}

#[tokio::test]
async fn the_former_kind_of_layer_is_taken_too() {
    let registry = Registry::start(Door::Open, Lie::None).await;
    let manifest = put(
        &registry,
        "application/vnd.wasm.content.layer.v1+wasm",
        &echo(),
    );
    registry.put_manifest("latest", &manifest);
    let home = Home::new();
    works(&home, &["pull", &registry.reference("echo")]).await;
    assert_eq!(std::fs::read(home.plugin_path("echo")).unwrap(), echo());
}

fn password(home: &Home, password: &str) -> PathBuf {
    let file = home.path("password");
    std::fs::write(&file, format!("{password}\n")).unwrap();
    file
}

#[tokio::test]
async fn a_registry_that_wants_a_password_gets_it() {
    for door in [Door::Basic, Door::TokenForPassword] {
        let (_registry, reference) = with_echo(door, Lie::None).await;
        let home = Home::new();
        let file = password(&home, "secret");
        let file = file.to_str().unwrap();
        let named = ["--username", "me", "--password-file", file];
        works(&home, &[&["pull", &reference][..], &named].concat()).await;
        works(
            &home,
            &[&["push", &echo_path(), &reference][..], &named].concat(),
        )
        .await;

        let wrong = Home::new();
        let file = password(&wrong, "guess");
        let named = [
            "--username",
            "me",
            "--password-file",
            file.to_str().unwrap(),
        ];
        refused(
            &wrong,
            &[&["pull", &reference][..], &named].concat(),
            "log in with",
        )
        .await;
        refused(&wrong, &["pull", &reference], "log in with").await;
    }
}

#[tokio::test]
async fn dockers_log_in_serves_here_too() {
    let (registry, reference) = with_echo(Door::Basic, Lie::None).await;
    let home = Home::new();
    let folder = home.path(".docker");
    std::fs::create_dir(&folder).unwrap();
    let config = json!({ "auths": { registry.host(): { "auth": "bWU6c2VjcmV0" } } });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    works(&home, &["pull", &reference]).await;
}

#[tokio::test]
async fn a_token_is_fetched_where_one_is_given_out() {
    let (_registry, reference) = with_echo(Door::Token, Lie::None).await;
    let home = Home::new();
    works(&home, &["pull", &reference]).await;
    works(&home, &["push", &echo_path(), &reference]).await;
}

#[tokio::test]
async fn a_liar_gets_nothing_into_the_folder() {
    for (lie, word) in [
        (
            Lie::OtherBlob,
            "something else than was asked for: the component",
        ),
        (
            Lie::ShortBlob,
            "something else than was asked for: the component",
        ),
        (Lie::EndlessBlob, "too much"),
        (Lie::EndlessManifest, "too much"),
        (
            Lie::Elsewhere("http://10.255.255.1/blobs".to_owned()),
            "which is not asked",
        ),
        (
            Lie::Elsewhere("file:///etc".to_owned()),
            "which is not asked",
        ),
    ] {
        let (_registry, reference) = with_echo(Door::Open, lie).await;
        refused(&Home::new(), &["pull", &reference], word).await;
    }
}

#[tokio::test]
async fn a_digest_gets_that_manifest_or_none() {
    let (registry, reference) = with_echo(Door::Open, Lie::OtherManifest).await;
    let pinned = format!("{reference}@{}", sha256(&registry.manifest("1").unwrap()));
    refused(
        &Home::new(),
        &["pull", &pinned],
        "something else than was asked for: the manifest",
    )
    .await;
    let other = format!("{reference}@{}", sha256(b"other"));
    refused(
        &Home::new(),
        &["pull", &other],
        "the registry has no sha256:",
    )
    .await;
}

#[tokio::test]
async fn blobs_may_be_elsewhere_but_no_password_goes_there() {
    let (store, _) = with_echo(Door::Open, Lie::None).await;
    let base = format!("http://{}/v2/store/blobs", store.host());
    let (_registry, reference) = with_echo(Door::Basic, Lie::Elsewhere(base)).await;
    let home = Home::new();
    let file = password(&home, "secret");
    let file = file.to_str().unwrap();
    works(
        &home,
        &[
            "pull",
            &reference,
            "--username",
            "me",
            "--password-file",
            file,
        ],
    )
    .await;
    assert_eq!(std::fs::read(home.plugin_path("echo")).unwrap(), echo());
    let asked = store.asked();
    let blob = format!("GET /v2/store/blobs/{} ", sha256(&echo()));
    assert_eq!(asked, [blob]);
}

#[tokio::test]
async fn a_tag_that_moves_meanwhile_is_not_mixed_in() {
    let (registry, reference) = with_echo(Door::Open, Lie::None).await;
    let second = std::fs::read(paths::guest("echo-v2")).unwrap();
    let first = registry.manifest("1").unwrap();
    registry.move_tag("1", &put(&registry, "application/wasm", &second));
    let home = Home::new();
    let said = works(&home, &["pull", &reference]).await;
    assert!(
        said.contains(&format!("manifest {}", sha256(&first))),
        "{said}"
    );
    assert_eq!(std::fs::read(home.plugin_path("echo")).unwrap(), echo());
    works(&home, &["pull", &reference]).await;
    assert_eq!(std::fs::read(home.plugin_path("echo")).unwrap(), second);
}

#[tokio::test]
async fn other_artifacts_are_refused_by_what_they_are() {
    let registry = Registry::start(Door::Open, Lie::None).await;
    let image = put(
        &registry,
        "application/vnd.oci.image.layer.v1.tar+gzip",
        b"tar",
    );
    registry.put_manifest("image", &image);
    let module = put(&registry, "application/wasm", b"\0asm\x01\0\0\0");
    registry.put_manifest("module", &module);
    let index = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [] });
    registry.put_manifest("index", index.to_string().as_bytes());
    for (tag, word) in [
        ("image", "image.layer.v1.tar+gzip"),
        ("module", "core WebAssembly module"),
        ("index", "several platforms"),
        ("none", "the registry has no none"),
    ] {
        let reference = registry.reference(&format!("x:{tag}"));
        refused(&Home::new(), &["pull", &reference], word).await;
    }
}

#[tokio::test]
async fn only_components_are_pushed() {
    let registry = Registry::start(Door::Open, Lie::None).await;
    let home = Home::new();
    std::fs::write(home.path("text.wasm"), "text").unwrap();
    let done = run(&home, &["push", "text.wasm", &registry.reference("x:1")]).await;
    assert_eq!(done.code, Some(1), "{}", done.said);
    assert!(
        done.said.contains("not a WebAssembly component"),
        "{}",
        done.said
    );
    assert!(
        registry.asked().is_empty(),
        "nothing of it left the machine"
    );
}

/// Signs as cosign does with a key.
struct Cosign(SigningKey);

impl Cosign {
    fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).unwrap())
    }

    fn config(&self) -> String {
        let pem = self
            .0
            .verifying_key()
            .to_public_key_pem(LineEnding::LF)
            .unwrap();
        format!("[trust]\ncosign = [\"\"\"\n{pem}\"\"\"]\n")
    }

    /// Puts a signature of `manifest` beside it; what it says is about `about`.
    fn sign(&self, registry: &Registry, manifest: &[u8], about: &[u8]) {
        let payload = json!({ "critical": {
            "identity": { "docker-reference": registry.host() },
            "image": { "docker-manifest-digest": sha256(about) },
            "type": "cosign container image signature",
        }, "optional": null });
        let payload = payload.to_string();
        let signature: Signature = self.0.sign(payload.as_bytes());
        let digest = registry.put_blob(payload.as_bytes());
        let manifest_of_signature = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(b"{}"), "size": 2 },
            "layers": [{
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "digest": digest, "size": payload.len(),
                "annotations": { "dev.cosignproject.cosign/signature": BASE64.encode(signature.to_der().as_bytes()) },
            }],
        });
        let tag = format!("sha256-{}.sig", Digest::of(manifest));
        registry.put_manifest(&tag, manifest_of_signature.to_string().as_bytes());
    }
}

#[tokio::test]
async fn a_signature_by_a_key_of_the_operator_is_enough() {
    let (registry, reference) = with_echo(Door::Open, Lie::None).await;
    let (cosign, manifest) = (Cosign::new(7), registry.manifest("1").unwrap());
    cosign.sign(&registry, &manifest, &manifest);
    let config = format!("{}require_signature = true\n", cosign.config());
    let home = Home::new().config(&config);
    let said = works(&home, &["pull", &reference]).await;
    assert!(said.contains("signed by the cosign key"), "{said}");
    let check = run(&home, &["check"]).await.said;
    assert!(check.contains("signature: valid, cosign "), "{check}");
    // The signature was of what was pulled, not of whatever has its name.
    home.put_plugin("echo-v2", "echo");
    let check = run(&home, &["check"]).await;
    assert_eq!(check.code, Some(1), "{}", check.said);
    assert!(check.said.contains("is not signed"), "{}", check.said);
}

#[tokio::test]
async fn what_is_not_signed_for_this_artifact_by_that_key_is_not_fetched() {
    let (ours, theirs) = (Cosign::new(7), Cosign::new(8));
    for (signer, about, word) in [
        (None, &b""[..], "nobody has signed it"),
        (Some(&theirs), b"", "none of the keys"),
        (Some(&ours), b"another manifest", "about another artifact"),
    ] {
        let (registry, reference) = with_echo(Door::Open, Lie::None).await;
        let manifest = registry.manifest("1").unwrap();
        if let Some(signer) = signer {
            let about = if about.is_empty() {
                &manifest[..]
            } else {
                about
            };
            signer.sign(&registry, &manifest, about);
        }
        let home = Home::new().config(&ours.config());
        refused(&home, &["pull", &reference], word).await;
        let component = sha256(&echo());
        let fetched = registry
            .asked()
            .iter()
            .any(|asked| asked.contains(&component));
        assert!(!fetched, "the component was fetched before it was verified");
    }
}
