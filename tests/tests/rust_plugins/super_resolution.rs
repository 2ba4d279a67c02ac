//! `super_resolution`: a picture for money, and the money back where there is none.

use coinop_tests::answer::Answer;
use coinop_tests::era::Era;
use data_encoding::BASE64;
use serde_json::json;

use super::{balanced, bought, made_good, png, shop};

const TOOL: &str = "super_resolution";
const PRICE: &str = "0.49 USD";
/// In billionths of a dollar.
const TAKING: i64 = 490_000_000;

fn gradient(width: u32, height: u32) -> String {
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|n| [(n % width) as u8, (n / width) as u8, 128])
        .collect();
    BASE64.encode(&png::written(width, height, &pixels))
}

/// The picture in an answer.
fn picture(answer: &Answer) -> Vec<u8> {
    let blocks = answer.result()["content"].as_array();
    let mut blocks = blocks.into_iter().flatten();
    let block = blocks.find(|block| block["type"] == "image");
    let block = block.unwrap_or_else(|| panic!("no picture in {}", answer.text()));
    assert_eq!(block["mimeType"], "image/png");
    BASE64
        .decode(block["data"].as_str().unwrap().as_bytes())
        .unwrap()
}

#[tokio::test]
async fn a_picture_is_enlarged_for_money() {
    let home = shop("super-resolution", "");
    let client = home.stdio(Era::Legacy).await;
    let arguments = json!({ "image": gradient(6, 5), "scale": 4 });
    let answer = bought(&client, TOOL, PRICE, arguments).await;
    let png = picture(&answer);
    assert_eq!(png::size(&png), (24, 20));
    let structured = &answer.result()["structuredContent"];
    assert_eq!(
        structured,
        &json!({ "width": 24, "height": 20, "scale": 4, "bytes": png.len() })
    );
    assert!(
        answer.text().contains("6 x 5 became 24 x 20"),
        "{}",
        answer.text()
    );
    balanced(&home, TAKING);
}

/// With the limits as they are unless somebody sets others: processor time, memory, the size of answers.
#[tokio::test]
async fn a_large_picture_fits_the_usual_limits() {
    let home = shop("super-resolution", "");
    let client = home.stdio(Era::Modern).await;
    let arguments = json!({ "image": gradient(512, 512) });
    let answer = bought(&client, TOOL, PRICE, arguments).await;
    assert_eq!(png::size(&picture(&answer)), (1024, 1024));
    balanced(&home, TAKING);
}

#[tokio::test]
async fn what_cannot_be_enlarged_costs_nothing() {
    let home = shop("super-resolution", "");
    let client = home.stdio(Era::Legacy).await;
    for (image, words) in [
        (
            BASE64.encode(b"GIF89a, not a PNG at all"),
            "no PNG that can be read",
        ),
        (gradient(8, 8)[..120].to_owned(), "no PNG that can be read"),
        (gradient(600, 500), "4194304 are the most"),
    ] {
        let arguments = json!({ "image": image, "scale": 4 });
        made_good(&bought(&client, TOOL, PRICE, arguments).await, words);
    }
    for arguments in [
        json!({ "image": "A".repeat(2_800_001) }),
        json!({ "image": "AAAA", "scale": 3 }),
        json!({ "scale": 2 }),
    ] {
        let refused = client.call(TOOL, arguments).await;
        assert!(
            refused.is_refused(),
            "nobody is asked to pay: {}",
            refused.text()
        );
    }
    balanced(&home, 0);
}
