//! Service names.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::printable::show_ascii;

/// The name of a service: a DNS-1123 label, so that it can also name a workload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName(Arc<str>);

/// The reason that a text is no [`ServiceName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a service name: {reason}", show_ascii(.text))]
pub struct NameError {
    text: String,
    reason: &'static str,
}

impl ServiceName {
    /// Parses a name.
    ///
    /// # Errors
    /// The text is no DNS-1123 label: 1 to 63 of a-z, 0-9 and `-`, without `-` at the ends (RFC 1123 §2.1, as
    /// Kubernetes reads it).
    pub fn new(text: &str) -> Result<Self, NameError> {
        match label_fault(text) {
            None => Ok(Self(text.into())),
            Some(reason) => Err(NameError { text: text.to_owned(), reason }),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the reason that `text` is no DNS-1123 label.
pub(crate) fn label_fault(text: &str) -> Option<&'static str> {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if text.is_empty() {
        Some("it is empty")
    } else if text.len() > 63 {
        Some("it is longer than 63 characters")
    } else if !text.chars().all(|letter| is_letter(letter) || letter == '-') {
        Some("it may have a-z, 0-9 and `-` only")
    } else if text.starts_with('-') || text.ends_with('-') {
        Some("it must start and end with a letter or a digit")
    } else {
        None
    }
}

impl TryFrom<String> for ServiceName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl std::str::FromStr for ServiceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl From<ServiceName> for String {
    fn from(name: ServiceName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl std::fmt::Display for ServiceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_labels() {
        for name in ["checkout", "a", "0", "payments-2", &"a".repeat(63)] {
            assert_eq!(ServiceName::new(name).map(|name| name.to_string()), Ok(name.to_owned()));
        }
        for (text, message) in [
            ("", "`` is not a service name: it is empty"),
            ("Checkout", "`Checkout` is not a service name: it may have a-z, 0-9 and `-` only"),
            ("../x", "`../x` is not a service name: it may have a-z, 0-9 and `-` only"),
            ("checkout ", "`checkout ` is not a service name: it may have a-z, 0-9 and `-` only"),
            (
                "\u{441}heckout\u{200b}",
                "`\\u{441}heckout\\u{200b}` is not a service name: it may have a-z, 0-9 and `-` only",
            ),
            ("-a", "`-a` is not a service name: it must start and end with a letter or a digit"),
        ] {
            assert_eq!(ServiceName::new(text).unwrap_err().to_string(), message);
        }
        assert!(ServiceName::new(&"a".repeat(300)).unwrap_err().to_string().ends_with("longer than 63 characters"));
        assert!(serde_json::from_str::<ServiceName>(r#""A""#).is_err());
    }
}
