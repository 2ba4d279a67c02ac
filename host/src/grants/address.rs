//! What kind of place an IP address names. Pure, after IANA's registries of special-purpose addresses and RFC 6890.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A host of the public Internet.
    Public,
    /// This machine.
    Loopback,
    /// A host of somebody's own network: private, shared, unique local, site-local, or a laboratory's.
    Internal,
    /// The network's own machinery, which trusts whoever reaches it: link-local addresses and those that hand out a cloud
    /// machine's credentials.
    Link,
    /// No single host: unspecified, multicast, broadcast, reserved, documentation, or a form nobody should use.
    Nowhere,
}

impl Place {
    /// Where `address` is. An IPv4 address in an IPv6 one counts as the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }
}

/// Services of clouds outside the link-local ranges: Azure's and Alibaba's.
const METADATA_V4: [Ipv4Addr; 2] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
];
/// The same in IPv6: Amazon's and Google's.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

fn of_v4(v4: Ipv4Addr) -> Place {
    if METADATA_V4.contains(&v4) {
        return Place::Link;
    }
    match v4.octets() {
        [127, ..] => Place::Loopback,
        [169, 254, ..] => Place::Link,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Place::Internal,
        [100, 64..=127, ..] | [198, 18..=19, ..] => Place::Internal,
        [0 | 224..=255, ..] => Place::Nowhere,
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Place::Nowhere,
        [192, 88, 99, _] => Place::Nowhere,
        _ => Place::Public,
    }
}

fn of_v6(v6: Ipv6Addr) -> Place {
    if METADATA_V6.contains(&v6) {
        return Place::Link;
    }
    if let Some(inner) = embedded(v6) {
        return of_v4(inner);
    }
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Loopback,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Place::Internal,
        [0xfe80..=0xfebf, ..] => Place::Link,
        // Protocol assignments, Teredo among them; then documentation.
        [0x2001, 0..=0x01ff | 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Place::Nowhere,
        [0x2000..=0x3fff, ..] => Place::Public,
        _ => Place::Nowhere,
    }
}

/// The IPv4 address that an IPv6 one leads to: mapped, translated, NAT64's well-known prefix, 6to4.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_range_is_known() {
        let cases = [
            (
                Place::Public,
                "1.1.1.1 93.184.216.34 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 192.0.1.1 198.17.0.1 198.20.0.1 \
                 2606:4700::1111 2001:200::1 2a00::1 ::ffff:1.1.1.1 64:ff9b::1.1.1.1 2002:101:101::1",
            ),
            (
                Place::Loopback,
                "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::",
            ),
            (
                Place::Internal,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255 198.18.0.1 198.19.255.255 \
                 fc00::1 fdff::1 fec0::1 ::ffff:10.0.0.1 64:ff9b::10.0.0.1 2002:a00:1::1 2002:c0a8:101::",
            ),
            (
                Place::Link,
                "169.254.169.254 169.254.0.1 168.63.129.16 100.100.100.200 fe80::1 febf::1 fd00:ec2::254 fd20:ce::254 \
                 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::",
            ),
            (
                Place::Nowhere,
                "0.0.0.0 0.1.2.3 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 192.0.0.1 192.0.0.192 192.0.2.1 \
                 198.51.100.1 203.0.113.1 192.88.99.1 :: ::7f00:1 ::10.0.0.1 ff02::1 100::1 2001::1 2001:db8::1 \
                 2001:2::1 2001:10::1 3fff::1 5f00::1 64:ff9b:1::a00:1 4000::1 ::ffff:0.0.0.0",
            ),
        ];
        for (place, addresses) in cases {
            for address in addresses.split_whitespace() {
                let parsed: IpAddr = address.parse().unwrap();
                assert_eq!(Place::of(parsed), place, "{address}");
            }
        }
    }
}
