use super::*;

fn grant(text: &str) -> HttpGrant {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn admits(text: &str, request: &str) -> Option<Admits> {
    let (method, url) = request.split_once(' ').unwrap();
    let (scheme, authority) = url.split_once("://").unwrap();
    let origin = Origin::of(Scheme::named(scheme).unwrap(), authority).unwrap();
    grant(text).admits(method, &origin)
}

#[test]
fn a_grant_is_written_back_as_it_is_read() {
    for (text, canonical) in [
        ("https://api.example.com", "https://api.example.com"),
        ("HTTPS://API.Example.com.:443/", "https://api.example.com"),
        (
            "get, HEAD  https://api.example.com:8443",
            "GET,HEAD https://api.example.com:8443",
        ),
        ("https://*.example.com:*", "https://*.example.com:*"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]", "http://[::1]"),
        (
            "POST http://db:3000 internal",
            "POST http://db:3000 internal",
        ),
        ("http://localhost:8080", "http://localhost:8080"),
        (
            "PROPFIND https://dav.example.com",
            "PROPFIND https://dav.example.com",
        ),
    ] {
        assert_eq!(grant(text).to_string(), canonical, "{text}");
        assert_eq!(grant(canonical), grant(text));
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_to_write() {
    for (text, part) in [
        ("", "is no origin; write it like"),
        ("api.example.com", "is no origin; write it like"),
        ("GET", "is no origin; write it like"),
        ("ftp://example.com", "neither http nor https"),
        ("https://", "names no host"),
        ("https://example.com/v1", "write \"https://example.com\""),
        ("https://example.com?q=1", "write \"https://example.com\""),
        ("https://example.com\\@evil.example", "no user name"),
        ("https://user:pass@example.com", "no user name or password"),
        ("https://*", "comes first: \"*.example.com\""),
        ("https://*.com", "two labels or more"),
        ("https://*.127.0.0.1", "two labels or more"),
        ("https://api.*.com", "comes first"),
        ("https://a*.example.com", "comes first"),
        ("https://*.*.example.com", "is no host name"),
        ("https://example.com:0", "is no port"),
        ("https://example.com:65536", "is no port"),
        ("https://example.com:8o", "is no port"),
        ("https://bücher.example", "write \"xn--bcher-kva.example\""),
        ("http://2130706433", "write \"127.0.0.1\""),
        ("http://0x7f.0.0.1", "write \"127.0.0.1\""),
        ("http://[::ffff:10.0.0.1]", "write \"10.0.0.1\""),
        ("http://0.0.0.0:8080", "no single host"),
        ("http://[::]", "no single host"),
        ("http://224.0.0.1", "no single host"),
        ("http://255.255.255.255", "no single host"),
        ("http://db:3000", "write \"internal\" behind it"),
        ("http://10.0.0.1 internal", "needs no \"internal\""),
        ("CONNECT https://example.com", "no grant allows it"),
        ("GE(T https://example.com", "is no HTTP method"),
    ] {
        let error = text.parse::<HttpGrant>().unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_grant_allows_what_it_says_and_nothing_beside() {
    let yes = [
        ("https://api.example.com", "GET https://api.example.com"),
        (
            "https://api.example.com",
            "DELETE https://API.example.com.:443",
        ),
        (
            "GET,HEAD https://api.example.com",
            "HEAD https://api.example.com",
        ),
        ("https://*.example.com", "GET https://api.example.com"),
        ("https://example.com:*", "GET https://example.com:8443"),
        ("http://127.0.0.1:8080", "GET http://127.0.0.1:8080"),
        ("http://[::1]", "GET http://[0:0:0:0:0:0:0:1]"),
    ];
    for (text, request) in yes {
        assert!(admits(text, request).is_some(), "{text} / {request}");
    }
    let no = [
        ("https://api.example.com", "GET http://api.example.com"),
        ("https://api.example.com", "GET http://api.example.com:443"),
        (
            "https://api.example.com",
            "GET https://api.example.com:8443",
        ),
        ("https://api.example.com", "GET https://example.com"),
        (
            "https://api.example.com",
            "GET https://api.example.com.evil.example",
        ),
        ("https://api.example.com", "GET https://xapi.example.com"),
        (
            "GET https://api.example.com",
            "POST https://api.example.com",
        ),
        ("GET https://api.example.com", "get https://api.example.com"),
        ("https://*.example.com", "GET https://example.com"),
        ("https://*.example.com", "GET https://a.b.example.com"),
        ("https://*.example.com", "GET https://evilexample.com"),
        (
            "https://*.example.com",
            "GET https://example.com.evil.example",
        ),
        ("http://127.0.0.1:8080", "GET http://127.0.0.1"),
        ("http://127.0.0.1:8080", "GET http://localhost:8080"),
        ("http://localhost:8080", "GET http://127.0.0.1:8080"),
        ("http://[::1]", "GET http://127.0.0.1"),
    ];
    for (text, request) in no {
        assert_eq!(admits(text, request), None, "{text} / {request}");
    }
}

#[test]
fn only_a_mark_lets_a_name_stand_for_an_internal_address() {
    let cases = [
        ("http://wiki.example", Admits::Public),
        ("http://wiki.example internal", Admits::Internal),
        ("http://*.corp.example internal", Admits::Internal),
        ("http://localhost", Admits::Loopback),
        ("http://localhost internal", Admits::Internal),
    ];
    for (text, expected) in cases {
        let host = text.split(' ').next().unwrap().replace('*', "wiki");
        assert_eq!(admits(text, &format!("GET {host}")), Some(expected));
    }
    let addresses = [
        ("93.184.216.34", [false, true, true]),
        ("127.0.0.1", [true, false, true]),
        ("::1", [true, false, true]),
        ("10.0.0.1", [false, false, true]),
        ("::ffff:10.0.0.1", [false, false, true]),
        ("169.254.169.254", [false, false, false]),
        ("fd00:ec2::254", [false, false, false]),
        ("0.0.0.0", [false, false, false]),
    ];
    for (address, expected) in addresses {
        let address: IpAddr = address.parse().unwrap();
        let all = [Admits::Loopback, Admits::Public, Admits::Internal];
        assert_eq!(all.map(|a| a.address(address)), expected, "{address}");
    }
}

#[test]
fn the_grant_that_was_lacking_allows_exactly_that() {
    for (method, authority, internal, line) in [
        (
            "GET",
            "api.example.com",
            false,
            "GET https://api.example.com",
        ),
        (
            "POST",
            "127.0.0.1:8080",
            false,
            "POST https://127.0.0.1:8080",
        ),
        ("GET", "db:8080", false, "GET https://db:8080 internal"),
        ("GET", "localhost", false, "GET https://localhost"),
        (
            "GET",
            "wiki.example",
            true,
            "GET https://wiki.example internal",
        ),
    ] {
        let origin = Origin::of(Scheme::Https, authority).unwrap();
        let lacking = HttpGrant::exactly(method, &origin, internal);
        assert_eq!(lacking.to_string(), line);
        assert_eq!(grant(line), lacking);
        assert!(lacking.admits(method, &origin).is_some());
    }
}

#[test]
fn reading_is_get_and_head_by_name() {
    for (text, reads) in [
        ("GET https://example.com", true),
        ("GET,HEAD https://example.com", true),
        ("GET,POST https://example.com", false),
        ("https://example.com", false),
    ] {
        assert_eq!(grant(text).only_reads(), reads, "{text}");
    }
}

#[test]
fn a_phrase_says_methods_before_where_to() {
    for (text, phrase) in [
        ("https://a.example", "send requests to https://a.example"),
        (
            "GET https://a.example:8443",
            "send GET requests to https://a.example:8443",
        ),
        (
            "GET,HEAD https://*.a.example",
            "send GET or HEAD requests to https://*.a.example",
        ),
    ] {
        let grant: HttpGrant = text.parse().unwrap();
        assert_eq!(grant.phrase(), phrase);
    }
}
