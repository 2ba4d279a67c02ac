//! What is worth knowing of a tool that is listed, and stops nothing: rules that have no effect on it, caps that leave
//! it out.

use coinop_core::money::Money;
use coinop_core::price::Price;

use super::Listing;
use super::accepts::Accepts;
use crate::grants::{Grants, Need, Needs};
use crate::ledger::Caps;
use crate::ledger::transition::cap_in;
use crate::plugin::{Contract, Effects, LeftOut, META_WARM, ToolDecl};
use crate::sandbox::Warm;
use crate::unruly::tame;

/// Characters of an exported function's name that are repeated.
const FUNCTION_CHARS_MAX: usize = 200;

/// Something worth knowing of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The plugin's name.
    pub plugin: String,
    /// What, with the file or the tool it is about.
    pub message: String,
}

/// Exported functions that cannot be tools.
pub(super) fn of_left_out(contract: &Contract) -> Vec<String> {
    let Contract::Derived { left_out } = contract else {
        return Vec::new();
    };
    let told = |LeftOut { function, why }: &LeftOut| {
        format!(
            "the function {} is no tool: {why}",
            tame(function, FUNCTION_CHARS_MAX)
        )
    };
    left_out.iter().map(told).collect()
}

/// Retries that were asked for and are not made, because a second run may do something twice.
pub(super) fn of_retries(listing: &Listing, said: u32) -> Option<String> {
    let why = match listing.tool.effects {
        Effects::Effectful => "declares itself effectful",
        Effects::Pure => "declares itself pure, and its plugin may do more than read",
        Effects::Unspecified | Effects::Idempotent => {
            "does not declare its effects, and its plugin reaches out"
        }
    };
    (said > listing.retries).then(|| {
        format!(
            "tool {:?} {why}, so retries = {said} does not apply: a failed run is made good at once",
            listing.tool.name
        )
    })
}

/// Why instances of a plugin do not stay although the operator says so, or not after all of its tools.
pub(super) fn of_warm(warm: Option<Warm>, tools: &[ToolDecl], grants: &Grants) -> Option<String> {
    let warm = warm?;
    let silent = tools.iter().filter(|tool| !tool.declares_warm());
    let silent: Vec<_> = silent.map(|tool| format!("{:?}", tool.name)).collect();
    if !grants.dirs.is_empty() {
        return Some(
            "warm has no effect, since it is granted directories, which each run opens anew"
                .to_owned(),
        );
    }
    if warm.undeclared || silent.is_empty() {
        return None;
    }
    let which = match silent.len() == tools.len() {
        true => "warm has no effect, since the plugin".to_owned(),
        false => format!(
            "each call of {} has a fresh instance, since it",
            silent.join(", ")
        ),
    };
    Some(format!(
        "{which} says nothing of whether its instance may serve another call (meta {META_WARM:?}); \
         warm.undeclared = true insists"
    ))
}

/// That a plugin needs what it is not granted.
pub(crate) fn of_needs(file: &str, name: &str, needs: &Needs, grants: &Grants) -> Option<String> {
    let missing: Vec<_> = needs.missing(grants).map(Need::phrase).collect();
    (!missing.is_empty()).then(|| {
        format!(
            "{file}: needs what it is not granted: to {}. `coinop grant {name}` asks you about each",
            missing.join(", to ")
        )
    })
}

/// Caps of every known caller that say nothing of the tool's currency, or less than its price.
pub(super) fn of_caps(listing: &Listing, caps: &Caps) -> Vec<String> {
    let Price::PerCall(price) = listing.price else {
        return Vec::new();
    };
    let of = |(key, caps): (&str, &[Money])| of_cap(&listing.tool.name, price, key, caps);
    [
        ("per_call", &caps.per_call_max[..]),
        ("per_day", &caps.per_day_max[..]),
    ]
    .into_iter()
    .filter_map(of)
    .collect()
}

/// Accounts that were to be paid by callers themselves, and cannot be.
pub(super) fn of_accepts(tool: &str, accepts: &Accepts) -> Vec<String> {
    let told = |(account, why): &(String, String)| {
        format!("tool {tool:?} does not accept the account {account:?}: {why}")
    };
    accepts.left_out.iter().map(told).collect()
}

fn of_cap(tool: &str, price: Money, key: &str, caps: &[Money]) -> Option<String> {
    let currency = price.currency;
    match cap_in(caps, currency) {
        None if caps.is_empty() => None,
        None => Some(format!(
            "tool {tool:?} costs {price}, and callers.{key} says nothing of {currency}: nothing caps what is spent in it"
        )),
        Some(cap) if price.amount > cap.amount => Some(format!(
            "tool {tool:?} costs {price}, more than callers.{key} = \"{cap}\": a caller with a name needs a higher \
             cap of its own to call it"
        )),
        Some(_) => None,
    }
}
