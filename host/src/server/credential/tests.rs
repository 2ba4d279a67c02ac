//! Payments in every form that clients send, and in forms that nobody should.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding};
use serde_json::{Map, Value, json};

use super::text::Unreadable;
use super::*;
use crate::provider::rail::CREDENTIAL_BYTES_MAX;
use crate::server::testing_rails::{mpp_payment, vector, x402_payment};

/// What is found in `_meta` and headers together.
fn found(meta: Value, headers: &[(&'static str, String)]) -> Result<Option<Credential>, Unusable> {
    let meta: Map<String, Value> = meta.as_object().unwrap().clone();
    let mut sent = HeaderMap::new();
    for (name, value) in headers {
        sent.append(*name, value.parse().unwrap());
    }
    one(found::in_meta(&meta).chain(found::in_headers(&sent)))
}

fn encoded(encoding: &Encoding, value: &Value) -> String {
    encoding.encode(value.to_string().as_bytes())
}

fn x402(json: Value) -> Credential {
    Credential {
        protocol: Protocol::X402,
        json,
    }
}

#[test]
fn every_form_that_clients_send_is_read() {
    let v1 = vector!("24-v1-valid")["paymentPayload"].clone();
    for payment in [x402_payment(), v1] {
        let expected = Ok(Some(x402(payment.clone())));
        for key in ["x402/payment", "x402.payment"] {
            let mut forms = vec![payment.clone(), json!(payment.to_string())];
            for encoding in [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD] {
                forms.push(json!(encoded(&encoding, &payment)));
            }
            for form in forms {
                assert_eq!(found(json!({key: form}), &[]), expected, "{key}: {form}");
            }
        }
        for header in ["payment-signature", "x-payment"] {
            let sent = (header, encoded(&BASE64, &payment));
            assert_eq!(found(json!({}), &[sent]), expected, "{header}");
        }
    }
    assert_eq!(found(json!({"progressToken": 1}), &[]), Ok(None));
}

#[test]
fn mpp_is_one_form_for_rails_whichever_way_it_came() {
    let payment = mpp_payment();
    let mut in_http = payment.clone();
    let request = encoded(&BASE64URL_NOPAD, &payment["challenge"]["request"]);
    in_http["challenge"]["request"] = json!(request);
    let expected = Ok(Some(Credential {
        protocol: Protocol::Mpp,
        json: payment.clone(),
    }));
    let meta = json!({"org.paymentauth/credential": payment});
    let header = |scheme: &str| {
        let value = format!("{scheme} {}", encoded(&BASE64URL_NOPAD, &in_http));
        ("authorization", value)
    };
    assert_eq!(found(meta.clone(), &[]), expected);
    assert_eq!(found(json!({}), &[header("Payment")]), expected);
    assert_eq!(found(json!({}), &[header("payment")]), expected);
    assert_eq!(found(meta, &[header("Payment")]), expected);
    assert_eq!(found(json!({}), &[header("Bearer")]), Ok(None));
}

#[test]
fn the_same_payment_in_two_places_is_one_and_two_payments_are_an_error() {
    let (payment, other) = (x402_payment(), json!({"x402Version": 2}));
    let header = |payment: &Value| ("payment-signature", encoded(&BASE64, payment));
    let meta = json!({"x402/payment": payment});
    assert_eq!(
        found(meta.clone(), &[header(&payment)]),
        Ok(Some(x402(payment.clone())))
    );
    let both = [header(&payment), header(&payment)];
    assert_eq!(found(meta.clone(), &both), Ok(Some(x402(payment.clone()))));
    let mpp = json!({"x402/payment": payment, "org.paymentauth/credential": mpp_payment()});
    for (meta, headers) in [
        (meta.clone(), vec![header(&other)]),
        (json!({}), vec![header(&payment), header(&other)]),
        (
            json!({"x402/payment": payment, "x402.payment": other}),
            vec![],
        ),
        (mpp, vec![]),
    ] {
        let unusable = found(meta, &headers).unwrap_err();
        assert!(unusable.to_string().contains("two different payments"));
    }
}

#[test]
fn what_cannot_be_read_is_told_by_place_and_reason_and_never_repeated() {
    let deep = (0..40).fold(json!("secret"), |inner, _| json!({"a": inner}));
    let long = json!({"a": "secret".repeat(CREDENTIAL_BYTES_MAX / 6 + 1)});
    let text = |text: &str| json!(BASE64.encode(text.as_bytes()));
    let cases = [
        (json!(3), Unreadable::NoObject),
        (json!(null), Unreadable::NoObject),
        (json!(["secret"]), Unreadable::NoObject),
        (json!("secret!"), Unreadable::NotBase64),
        (json!("{\"secret\":"), Unreadable::NotJson),
        (text("{\"secret\":"), Unreadable::NotJson),
        (text("[\"secret\"]"), Unreadable::NoObject),
        (json!(""), Unreadable::NotJson),
        (
            json!("{\"a\":\"secret\",\"a\":1}"),
            Unreadable::DuplicateKey,
        ),
        (text("{\"a\":{\"b\":1,\"b\":2}}"), Unreadable::DuplicateKey),
        (deep.clone(), Unreadable::TooDeep),
        (json!(deep.to_string()), Unreadable::TooDeep),
        (text(&deep.to_string()), Unreadable::TooDeep),
        (long.clone(), Unreadable::TooLong),
        (json!(long.to_string()), Unreadable::TooLong),
        (text(&long.to_string()), Unreadable::TooLong),
    ];
    for (sent, why) in cases {
        let unusable = found(json!({"x402/payment": sent}), &[]).unwrap_err();
        assert_eq!(unusable.protocol, Protocol::X402);
        assert_eq!(
            unusable.to_string(),
            format!("the payment in _meta[\"x402/payment\"] {why}")
        );
    }
    let unusable = found(json!({"org.paymentauth/credential": "secret"}), &[]).unwrap_err();
    assert_eq!(unusable.protocol, Protocol::Mpp);
    let unusable = found(json!({}), &[("authorization", "Payment %".to_owned())]).unwrap_err();
    assert_eq!(unusable.protocol, Protocol::Mpp);
    let unusable = found(json!({}), &[("x-payment", "é".to_owned())]).unwrap_err();
    assert_eq!(
        unusable.to_string(),
        "the payment in the header x-payment is not base64"
    );
}

/// Payments with bytes changed, cut and doubled, by a seeded generator: read or refused, never anything else.
#[test]
fn damaged_payments_are_read_or_refused_within_bounds() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let whole = x402_payment().to_string().into_bytes();
    for round in 0..3_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = u8::try_from(random(256)).unwrap(),
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, b"{}[]\",:0"[random(8)]),
                _ => bytes.extend_from_slice(&whole[at.min(whole.len() - 1)..]),
            }
        }
        let text = match random(3) {
            0 => String::from_utf8_lossy(&bytes).into_owned(),
            1 => BASE64.encode(&bytes),
            _ => {
                let mut text = BASE64URL_NOPAD.encode(&bytes);
                text.truncate(random(text.len()) + 1);
                text
            }
        };
        match found(json!({"x402/payment": text}), &[]) {
            Ok(Some(credential)) => {
                assert!(credential.json.is_object(), "round {round}");
                assert!(credential.json.to_string().len() <= CREDENTIAL_BYTES_MAX);
            }
            Ok(None) => panic!("round {round}: a payment was overlooked"),
            Err(unusable) => assert!(unusable.to_string().len() < 200, "round {round}"),
        }
    }
}
