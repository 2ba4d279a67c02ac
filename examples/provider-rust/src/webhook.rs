//! Acme's webhooks: `Acme-Signature: t=UNIX,v1=HEX[,v1=HEX]`, each `v1` an HMAC-SHA256 of `t.body`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

use crate::bindings::coinop::provider::provider_types::{Webhook, WebhookNotice, WebhookRefusal};

/// How far the clocks of Acme and the host may be apart, seconds.
const TOLERANCE_S: i64 = 300;

#[derive(Deserialize)]
struct Event {
    id: String,
    payment: String,
}

/// What a webhook is about, if Acme sent it, lately.
pub(crate) fn verify(webhook: &Webhook, secret: &[u8]) -> Result<WebhookNotice, WebhookRefusal> {
    let header = webhook
        .headers
        .iter()
        .find(|(name, _)| name == "acme-signature");
    let (_, header) = header.ok_or(WebhookRefusal::Forged)?;
    let now_s = (webhook.received_at / 1000.0) as i64;
    if !holds(header, &webhook.body, secret, now_s) {
        return Err(WebhookRefusal::Forged);
    }
    let event: Event =
        serde_json::from_slice(&webhook.body).map_err(|_| WebhookRefusal::NotUnderstood)?;
    Ok(WebhookNotice {
        event_id: event.id,
        payment_reference: event.payment,
    })
}

fn holds(header: &str, body: &[u8], secret: &[u8], now_s: i64) -> bool {
    let parts = || {
        header
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
    };
    let at = parts().find(|(name, _)| *name == "t").map(|(_, at)| at);
    let Some((at, at_s)) = at.and_then(|at| Some((at, at.parse::<i64>().ok()?))) else {
        return false;
    };
    if now_s.abs_diff(at_s) > TOLERANCE_S.unsigned_abs() {
        return false;
    }
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return false;
    };
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    let given = parts().filter(|(name, _)| *name == "v1");
    let given = given.filter_map(|(_, hex)| {
        data_encoding::HEXLOWER_PERMISSIVE
            .decode(hex.as_bytes())
            .ok()
    });
    // In constant time, each.
    given
        .into_iter()
        .any(|signature| mac.clone().verify_slice(&signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    /// Made with `printf %s '1800000000.{"id":"evt_1","payment":"p_1"}' | openssl dgst -sha256 -hmac whsec`.
    const SIGNATURE: &str = "b290c410940662e300b113a5d18536eb02b4e31b65445e2a1e60a62cdab22938";

    fn webhook(header: &str, body: &str, now_s: i64) -> Webhook {
        Webhook {
            headers: vec![("acme-signature".into(), header.into())],
            body: body.as_bytes().to_vec(),
            received_at: now_s as f64 * 1000.0,
        }
    }

    const BODY: &str = r#"{"id":"evt_1","payment":"p_1"}"#;

    #[test]
    fn a_signature_holds_for_its_body_and_its_time() {
        let signed = format!("t={NOW_S},v1={SIGNATURE}");
        let rotated = format!("t={NOW_S},v1=00ff,v1={SIGNATURE}");
        for header in [&signed, &rotated] {
            let notice = verify(&webhook(header, BODY, NOW_S + 300), b"whsec").unwrap();
            assert_eq!(
                (notice.event_id.as_str(), notice.payment_reference.as_str()),
                ("evt_1", "p_1")
            );
        }
        let forged = [
            (webhook(&signed, BODY, NOW_S + 301), &b"whsec"[..]),
            (webhook(&signed, BODY, NOW_S - 301), b"whsec"),
            (
                webhook(&signed, r#"{"id":"evt_1","payment":"p_2"}"#, NOW_S),
                b"whsec",
            ),
            (webhook(&signed, BODY, NOW_S), b"other"),
            (
                webhook(&format!("t={},v1={SIGNATURE}", NOW_S + 1), BODY, NOW_S),
                b"whsec",
            ),
            (webhook("", BODY, NOW_S), b"whsec"),
            (webhook(&format!("t={NOW_S}"), BODY, NOW_S), b"whsec"),
        ];
        for (webhook, secret) in forged {
            let refused = verify(&webhook, secret);
            assert!(
                matches!(refused, Err(WebhookRefusal::Forged)),
                "{:?}",
                webhook.headers
            );
        }
    }
}
