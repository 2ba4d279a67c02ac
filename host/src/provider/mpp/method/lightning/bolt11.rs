//! Reading a BOLT11 invoice: what a node made is what was asked for (<https://github.com/lightning/bolts>, BOLT 11).
//!
//! The signature is not looked at: the invoice comes from the operator's own node, and its payer's wallet checks it.

use coinop_core::Millis;
use data_encoding::HEXLOWER;

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Longest invoice that is read, characters: with many route hints, real ones stay far below.
const INVOICE_CHARS_MAX: usize = 4096;
/// Groups of five bits of the signature, at the end.
const SIGNATURE_GROUPS: usize = 104;
const CHECKSUM_GROUPS: usize = 6;
const TIMESTAMP_GROUPS: usize = 7;
/// Where an invoice does not say how long it can be paid.
const EXPIRY_S: u64 = 3600;

/// What an invoice says, as far as the host cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bolt11 {
    /// `bc`, `tb`, `tbs` or `bcrt`.
    pub(super) currency: String,
    /// Thousandths of a satoshi.
    pub(super) msat: Option<u64>,
    /// In hex.
    pub(super) payment_hash: String,
    /// Until when it can be paid.
    pub(super) expires_at: Millis,
}

impl Bolt11 {
    /// Reads an invoice, `None` where it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (prefix, groups) = bech32(text)?;
        let (currency, msat) = amount(prefix.strip_prefix("ln")?)?;
        let end = groups.len().checked_sub(SIGNATURE_GROUPS)?;
        let (timestamp, mut fields) = groups[..end].split_at_checked(TIMESTAMP_GROUPS)?;
        let (mut payment_hash, mut expiry_s) = (None, EXPIRY_S);
        while let [tag, high, low, rest @ ..] = fields {
            let length = usize::from(*high) * 32 + usize::from(*low);
            let (value, rest) = rest.split_at_checked(length)?;
            match CHARSET[usize::from(*tag)] {
                b'p' if length == 52 && payment_hash.is_none() => payment_hash = Some(bytes(value)),
                b'x' => expiry_s = number(value)?,
                _ => {}
            }
            fields = rest;
        }
        let seconds = number(timestamp)?.checked_add(expiry_s)?;
        Some(Self {
            currency,
            msat,
            payment_hash: HEXLOWER.encode(payment_hash?.get(..32)?),
            expires_at: i64::try_from(seconds).ok()?.checked_mul(1000)?,
        })
    }
}

/// The human-readable part and the groups of five bits, their checksum checked and taken off.
fn bech32(text: &str) -> Option<(String, Vec<u8>)> {
    if text.len() > INVOICE_CHARS_MAX || !text.is_ascii() {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let (prefix, data) = text.rsplit_once('1')?;
    let group = |c: u8| CHARSET.iter().position(|known| *known == c);
    let groups: Option<Vec<u8>> = data
        .bytes()
        .map(|c| group(c).map(|group| group as u8))
        .collect();
    let mut groups = groups?;
    let high = prefix.bytes().map(|b| b >> 5);
    let low = prefix.bytes().map(|b| b & 31);
    let all = high.chain([0]).chain(low).chain(groups.iter().copied());
    if polymod(all) != 1 {
        return None;
    }
    groups.truncate(groups.len().checked_sub(CHECKSUM_GROUPS)?);
    Some((prefix.to_owned(), groups))
}

/// BIP 173's checksum.
fn polymod(groups: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    groups.fold(1, |checksum: u32, group| {
        let top = checksum >> 25;
        let next = (checksum & 0x01ff_ffff) << 5 ^ u32::from(group);
        let taps = GENERATOR.iter().enumerate();
        taps.fold(next, |next, (bit, tap)| match top >> bit & 1 {
            1 => next ^ tap,
            _ => next,
        })
    })
}

/// Currency and amount of what follows `ln`, such as `bc2500u`.
fn amount(text: &str) -> Option<(String, Option<u64>)> {
    let Some(at) = text.find(|c: char| c.is_ascii_digit()) else {
        return Some((text.to_owned(), None));
    };
    let (currency, amount) = text.split_at(at);
    let (digits, factor, divisor) = match amount.as_bytes().last()? {
        b'm' => (&amount[..amount.len() - 1], 100_000_000, 1),
        b'u' => (&amount[..amount.len() - 1], 100_000, 1),
        b'n' => (&amount[..amount.len() - 1], 100, 1),
        b'p' => (&amount[..amount.len() - 1], 1, 10),
        _ => (amount, 100_000_000_000, 1),
    };
    let msat = digits.parse::<u64>().ok()?.checked_mul(factor)?;
    let whole = msat % divisor == 0;
    whole.then(|| (currency.to_owned(), Some(msat / divisor)))
}

/// The number that groups of five bits spell.
fn number(groups: &[u8]) -> Option<u64> {
    let shift = |number: u64, group: &u8| {
        let shifted = number.checked_mul(32)?;
        shifted.checked_add(u64::from(*group))
    };
    groups.iter().try_fold(0, shift)
}

/// The bytes in groups of five bits; what is left over is padding.
fn bytes(groups: &[u8]) -> Vec<u8> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for group in groups {
        held = (held << 5 | u32::from(*group)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

/// An invoice as a node would make it, unsigned.
#[cfg(test)]
pub(in crate::provider::mpp) fn encoded(
    amount: &str,
    payment_hash: &[u8; 32],
    made_at_s: u64,
    expiry_s: u64,
) -> String {
    let spelled = |number: u64, groups: u32| {
        (0..groups)
            .rev()
            .map(move |n| (number >> (5 * n) & 31) as u8)
    };
    let tag = |c: u8| CHARSET.iter().position(|known| *known == c).unwrap() as u8;
    let mut groups: Vec<u8> = spelled(made_at_s, 7).collect();
    groups.extend([tag(b'p'), 1, 20]);
    let bits = |at: usize| {
        payment_hash
            .get(at / 8)
            .map_or(0, |byte| byte >> (7 - at % 8) & 1)
    };
    groups.extend((0..52).map(|n| (0..5).fold(0, |group, bit| group << 1 | bits(5 * n + bit))));
    groups.extend([tag(b'x'), 0, 6]);
    groups.extend(spelled(expiry_s, 6));
    groups.extend([0; SIGNATURE_GROUPS]);
    let prefix = format!("ln{amount}");
    let high = prefix.bytes().map(|b| b >> 5);
    let low = prefix.bytes().map(|b| b & 31);
    let all = high
        .chain([0])
        .chain(low)
        .chain(groups.iter().copied())
        .chain([0; 6]);
    let checksum = u64::from(polymod(all) ^ 1);
    groups.extend(spelled(checksum, 6));
    let data = groups
        .iter()
        .map(|group| char::from(CHARSET[usize::from(*group)]));
    format!("{prefix}1{}", data.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tests_make_is_what_is_read() {
        let read = Bolt11::read(&encoded("bcrt20u", &[0xa5; 32], 1_795_170_725, 900)).unwrap();
        assert_eq!(read.payment_hash, "a5".repeat(32));
        assert_eq!(
            (read.currency.as_str(), read.msat),
            ("bcrt", Some(2_000_000))
        );
        assert_eq!(read.expires_at, (1_795_170_725 + 900) * 1000);
    }

    // The specification's own examples (BOLT 11, "Examples"); all have the same payment hash.
    const HASH: &str = "0001020304050607080900010203040506070809000102030405060708090102";
    const COFFEE: &str = "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh";
    const DONATION: &str = "lnbc1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq9qrsgq357wnc5r2ueh7ck6q93dj32dlqnls087fxdwk8qakdyafkq3yap9us6v52vjjsrvywa6rt52cm9r9zqt8r2t7mlcwspyetp5h2tztugp9lfyql";

    #[test]
    fn the_specifications_examples_are_read() {
        let coffee = Bolt11::read(COFFEE).unwrap();
        assert_eq!(coffee.payment_hash, HASH);
        assert_eq!(
            (coffee.currency.as_str(), coffee.msat),
            ("bc", Some(250_000_000))
        );
        assert_eq!(coffee.expires_at, (1_496_314_658 + 60) * 1000);
        let donation = Bolt11::read(DONATION).unwrap();
        assert_eq!(
            (donation.payment_hash.as_str(), donation.msat),
            (HASH, None)
        );
        assert_eq!(donation.expires_at, (1_496_314_658 + 3600) * 1000);
    }

    #[test]
    fn what_is_no_invoice_is_not_read() {
        let flipped = COFFEE.replacen("dq5", "dq4", 1);
        for text in ["", "ln", "lnbc1", "lnbc2500u1q", &flipped, &COFFEE[..90]] {
            assert_eq!(Bolt11::read(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_thousandths_of_a_satoshi() {
        let cases = [
            ("bc1m", Some(100_000_000)),
            ("bcrt20u", Some(2_000_000)),
            ("tb10n", Some(1_000)),
            ("bc2500000001p", None),
            ("bc2500000010p", Some(250_000_001)),
            ("bc2", Some(200_000_000_000)),
        ];
        for (text, msat) in cases {
            assert_eq!(amount(text).and_then(|(_, msat)| msat), msat, "{text}");
        }
    }
}
