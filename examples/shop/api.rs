//! What changes between versions: the APIs that each version serves, and those that it calls. The ranges in the pins
//! (`pins`) say the same, and nothing else knows them.

/// The versions of its API that a service serves.
pub(crate) fn serves(service: &str, version: &str) -> &'static [u32] {
    match service {
        "payments" if is_at_least(version, 2, 1) => &[1, 2],
        "ledger" if is_at_least(version, 6, 0) => &[2],
        _ => &[1],
    }
}

/// The versions of a provider's API that a service can use, the best one first.
pub(crate) fn calls(service: &str, version: &str, provider: &str) -> &'static [u32] {
    match (service, provider) {
        ("checkout", "payments") if is_at_least(version, 1, 8) => &[2],
        ("payments", "ledger") if is_at_least(version, 2, 1) => &[2, 1],
        _ => &[1],
    }
}

/// What a right answer says.
pub(crate) fn answer(service: &str, api: u32) -> String {
    format!("{service} did it, by version {api} of its API\n")
}

fn is_at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (major, minor)
}
