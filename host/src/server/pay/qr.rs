//! A QR code as an inline SVG: one path of black modules on white, in any colour scheme.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};

/// Free modules around the code, as readers need them.
const QUIET: usize = 4;

/// `url` as an SVG for HTML, `None` when it is too long for a code.
pub(super) fn svg(url: &str) -> Option<String> {
    let code = QRBuilder::new(url).ecl(ECL::M).build().ok()?;
    let mut path = String::new();
    for y in 0..code.size {
        for x in (0..code.size).filter(|x| code[y][*x].value()) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    let side = code.size + 2 * QUIET;
    Some(format!(
        r##"<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label="QR code of this page's address" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{path}"/></svg>"##
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_code_and_an_endless_one_does_not() {
        let svg = svg("http://127.0.0.1:7402/pay/lnk_aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
        // The three finders: their upper edges are seven dark modules in the corner.
        for x in 4..11 {
            assert!(svg.contains(&format!("M{x} 4h1v1h-1z")), "{x}");
        }
        assert!(super::svg(&"x".repeat(4000)).is_none());
    }
}
