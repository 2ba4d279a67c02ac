//! Pages that are one word to the payer: a drawing, a heading, a sentence.

use super::document::Document;

/// A cross, to be drawn by [`sign`].
pub(super) const CROSS: &str = "M8 8l8 8M16 8l-8 8";

/// A drawing in a circle, a heading and a sentence. All are our own words.
pub(super) fn sign(class: &str, drawing: &str, heading: &str, text: &str) -> String {
    format!(
        "<div class=\"sign {class}\">\n<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"11\"/><path d=\"{drawing}\"/></svg>\n\
         <h1>{heading}</h1>\n<p>{text}</p>\n</div>"
    )
}

/// Why there is no payment to show.
#[derive(Clone, Copy)]
pub(super) enum Notice {
    NotFound,
    Unavailable,
    CrossSite,
    BadForm,
}

/// A page without a payment.
pub(super) fn html(notice: Notice) -> String {
    let (heading, text) = match notice {
        Notice::NotFound => (
            "No such payment",
            "There is no payment behind this link. Check that it was copied in full, or ask your assistant for it again.",
        ),
        Notice::Unavailable => (
            "Not available now",
            "The payment could not be looked up. Nothing is lost: open the payment link again in a few seconds.",
        ),
        Notice::CrossSite => (
            "Not from here",
            "A payment is decided on its own page only. Open the payment link and decide there. Nothing was changed.",
        ),
        Notice::BadForm => (
            "Not understood",
            "That was not sent by this page’s buttons. Open the payment link and decide there. Nothing was changed.",
        ),
    };
    Document {
        title: format!("{heading} · coinop"),
        refresh_s: None,
        test: false,
        body: sign("calm", CROSS, heading, text),
    }
    .html()
}
