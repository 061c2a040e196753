//! What somebody can type to get out of a refusal or a problem.

use pintle_core::pins::ServiceName;
use pintle_core::problem::Problem;
use pintle_core::remedy::Remedy;

/// Returns the hint for a remedy.
pub(in crate::cli) fn remedy(remedy: &Remedy) -> String {
    let fixed = match remedy {
        Remedy::ShowPins { service } => return format!("pintle history {service} shows its pins"),
        Remedy::ShowPinDates { service } => {
            return format!("pintle history {service} shows when it was pinned at what");
        }
        Remedy::PinVersion { service } => return format!("pin it: pintle pin {service} VERSION"),
        Remedy::AskForOne { service } => return format!("ask for {service} alone: what has to go with it comes along"),
        Remedy::AllowLockstep { services } => {
            let names = services.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(", ");
            return format!("choose a target between (--to), or allow an unsafe moment: `lockstep: [[{names}]]`");
        }
        Remedy::Release { service } => return format!("release it: pintle release {service}"),
        Remedy::WidenRangeOrPin { service } => {
            return format!("widen the range if it is wrong, or pin what fits: pintle pin {service} VERSION");
        }
        Remedy::StateNeed { consumer, version, provider, from } => {
            return format!("if they fit, say so: pintle pin {consumer} {version} --needs '{provider}=>={from}'");
        }
        Remedy::HoldAgain { service } => {
            return format!("hold it again, which mutes the marker: pintle hold {service} VERSION --reason TEXT");
        }
        Remedy::ShowProblems => "`pintle check` shows all that is wrong",
        Remedy::EditByHand => "edit the file by hand; `pintle check` and `pintle diff` show what that does",
        Remedy::ShowPinCommits => "pintle history shows the commits that moved pins",
        Remedy::AwaitOneVersion => "pintle status shows what runs; type it again when that is one version",
        Remedy::NameTarget => "name one: --to TIME or --to REVISION",
        Remedy::NameMoreServices => "name more of the services that shall go back, and how far (--to)",
        Remedy::LowerFloor => {
            "its data has moved on; if it can go back, lower `rollbackFloor` in a commit of its own first"
        }
        Remedy::MoveElsewhere => "take it back where it is deployed, then pin what runs",
        Remedy::ChooseTargetOrRelease => "choose another target (--to), or release it: pintle release",
        Remedy::ChooseTargetOrWriteRange => {
            "choose another target (--to), or write the range that the consumer needs if they fit"
        }
        Remedy::ChooseTargetOrWidenRange => "choose another target (--to), or widen the range if it is wrong",
        Remedy::ChooseNearerTarget => "choose a nearer target (--to), or widen the range if it is wrong",
        Remedy::WidenRange => "widen the range if it is wrong",
    };
    fixed.to_owned()
}

/// Returns a problem with the hint for its remedy.
pub(in crate::cli) fn advised(problem: Problem) -> Problem {
    let hint = problem.hint.or_else(|| problem.remedy.as_ref().map(remedy));
    Problem { hint, ..problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remedy_has_a_sentence_with_the_command_to_type() {
        let [payments, web] = ["payments", "web"].map(|name| ServiceName::new(name).unwrap());
        let version = |text: &str| pintle_core::version::Version::new(text).unwrap();
        let service = || payments.clone();
        let need = Remedy::StateNeed {
            consumer: web.clone(),
            version: version("3"),
            provider: service(),
            from: version("2.0"),
        };
        for (value, sentence) in [
            (Remedy::ShowProblems, "`pintle check` shows all that is wrong"),
            (Remedy::EditByHand, "edit the file by hand; `pintle check` and `pintle diff` show what that does"),
            (Remedy::ShowPins { service: service() }, "pintle history payments shows its pins"),
            (Remedy::ShowPinDates { service: service() }, "pintle history payments shows when it was pinned at what"),
            (Remedy::ShowPinCommits, "pintle history shows the commits that moved pins"),
            (Remedy::PinVersion { service: service() }, "pin it: pintle pin payments VERSION"),
            (Remedy::AskForOne { service: service() }, "ask for payments alone: what has to go with it comes along"),
            (
                Remedy::AllowLockstep { services: vec![service(), web] },
                "choose a target between (--to), or allow an unsafe moment: `lockstep: [[payments, web]]`",
            ),
            (Remedy::Release { service: service() }, "release it: pintle release payments"),
            (Remedy::ChooseTargetOrRelease, "choose another target (--to), or release it: pintle release"),
            (
                Remedy::WidenRangeOrPin { service: service() },
                "widen the range if it is wrong, or pin what fits: pintle pin payments VERSION",
            ),
            (need, "if they fit, say so: pintle pin web 3 --needs 'payments=>=2.0'"),
            (
                Remedy::HoldAgain { service: service() },
                "hold it again, which mutes the marker: pintle hold payments VERSION --reason TEXT",
            ),
        ] {
            assert_eq!(remedy(&value), sentence);
        }
    }
}
