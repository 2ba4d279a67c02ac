//! What to believe once a facilitator was told to take a payment. Its success is believed; nothing else it says proves
//! that nothing moved, and a second payment must never be asked for on its word. Only the chain ends a payment unpaid.

use super::chain::Evidence;
use super::facilitator::Taken;

/// How a payment stands after it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money is ours, by this transaction.
    Paid(String),
    /// It did not move and never will: the payer keeps it, and nothing is delivered.
    NeverPaid,
    /// This transaction may bring it.
    Pending(String),
    /// Nobody can tell yet; ask again.
    Unknown(String),
}

/// Decides by the facilitator's answer and, where it was asked, the chain's. The chain beats the facilitator.
pub fn decide(taken: Taken, evidence: Option<Evidence>) -> Outcome {
    match (taken, evidence) {
        (_, Some(Evidence::Moved(transaction))) => Outcome::Paid(transaction),
        (_, Some(Evidence::Never)) => Outcome::NeverPaid,
        (_, Some(Evidence::Moving(transaction))) => Outcome::Pending(transaction),
        (Taken::Success { transaction, .. }, None) => Outcome::Paid(transaction),
        // Success was said, and the chain does not show it yet, or any more.
        (Taken::Success { transaction, .. }, Some(_)) => Outcome::Pending(transaction),
        (
            Taken::Unproven {
                transaction,
                reason,
            },
            found,
        ) => match (transaction, found) {
            (Some(transaction), None | Some(Evidence::Open | Evidence::Unknown(_))) => {
                Outcome::Pending(transaction)
            }
            (_, Some(Evidence::Unknown(silence))) => {
                Outcome::Unknown(format!("{reason}; {silence}"))
            }
            (_, Some(Evidence::Used)) => Outcome::Unknown(format!(
                "{reason}; its nonce is used, and the blocks searched do not say for what"
            )),
            _ => Outcome::Unknown(reason),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success() -> Taken {
        Taken::Success {
            transaction: "0xa".to_owned(),
            payer: None,
        }
    }

    fn unproven(transaction: Option<&str>) -> Taken {
        Taken::Unproven {
            reason: "said".to_owned(),
            transaction: transaction.map(str::to_owned),
        }
    }

    fn moved() -> Evidence {
        Evidence::Moved("0xb".to_owned())
    }

    fn moving() -> Evidence {
        Evidence::Moving("0xb".to_owned())
    }

    #[test]
    fn every_answer_and_every_evidence_has_its_outcome() {
        let unknown = || Some(Evidence::Unknown("silent".to_owned()));
        let (paid, pending) = (
            |t: &str| Outcome::Paid(t.into()),
            |t: &str| Outcome::Pending(t.into()),
        );
        let because = |reason: &str| Outcome::Unknown(reason.into());
        let used = "said; its nonce is used, and the blocks searched do not say for what";
        let cases = [
            (success(), None, paid("0xa")),
            (success(), Some(moved()), paid("0xb")),
            (success(), Some(moving()), pending("0xb")),
            (success(), Some(Evidence::Open), pending("0xa")),
            (success(), Some(Evidence::Used), pending("0xa")),
            (success(), Some(Evidence::Never), Outcome::NeverPaid),
            (success(), unknown(), pending("0xa")),
            (unproven(None), None, because("said")),
            (unproven(None), Some(moved()), paid("0xb")),
            (unproven(None), Some(moving()), pending("0xb")),
            (unproven(None), Some(Evidence::Open), because("said")),
            (unproven(None), Some(Evidence::Used), because(used)),
            (unproven(None), Some(Evidence::Never), Outcome::NeverPaid),
            (unproven(None), unknown(), because("said; silent")),
            (unproven(Some("0xa")), None, pending("0xa")),
            (unproven(Some("0xa")), Some(moved()), paid("0xb")),
            (unproven(Some("0xa")), Some(moving()), pending("0xb")),
            (unproven(Some("0xa")), Some(Evidence::Open), pending("0xa")),
            (unproven(Some("0xa")), Some(Evidence::Used), because(used)),
            (
                unproven(Some("0xa")),
                Some(Evidence::Never),
                Outcome::NeverPaid,
            ),
            (unproven(Some("0xa")), unknown(), pending("0xa")),
        ];
        for (taken, evidence, outcome) in cases {
            let said = format!("{taken:?} {evidence:?}");
            assert_eq!(decide(taken, evidence), outcome, "{said}");
        }
    }
}
