//! Decides the type of a plain scalar, as the union of YAML 1.1 and 1.2. Many tools with different parsers read a pin
//! file.

/// The type that some YAML parser gives to a plain (unquoted) scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarMeaning {
    /// Text, for every parser.
    Text,
    /// A whole number that every parser prints as it is spelled.
    Integer,
    /// A number that a parser may print differently: `1.10`, `1e3`, `0x10`, `010`, or one that no float represents
    /// exactly.
    Number,
    /// `true` or `false`. In YAML 1.1 also words such as `on` and `yes`.
    Boolean,
    /// The empty text, `~` or `null`.
    Null,
}

/// The most digits of a safe whole number. Helm prints longer ones as `1.234567e+06`:
/// <https://github.com/helm/helm/issues/1707>.
const MAX_SAFE_DIGITS: usize = 6;

/// Returns the type of an unquoted text.
pub(crate) fn scalar_meaning(text: &str) -> ScalarMeaning {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return ScalarMeaning::Null,
        _ if is_boolean(text) => return ScalarMeaning::Boolean,
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if digits && !unsigned.is_empty() {
        let canonical = unsigned.len() <= MAX_SAFE_DIGITS && (unsigned == "0" || !unsigned.starts_with('0'));
        return if canonical && !text.starts_with('+') { ScalarMeaning::Integer } else { ScalarMeaning::Number };
    }
    if is_number(unsigned) { ScalarMeaning::Number } else { ScalarMeaning::Text }
}

/// See <https://yaml.org/type/bool.html>. YAML 1.2 keeps only `true` and `false`.
fn is_boolean(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n"];
    let rest = text.get(1..).unwrap_or_default();
    let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
        && (lower(rest) || text.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// Accepts underscores, exponents and bases. See <https://yaml.org/type/float.html> and
/// <https://yaml.org/type/int.html>.
fn is_number(text: &str) -> bool {
    if matches!(text, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return !digits.is_empty() && digits.chars().all(|digit| digit == '_' || digit.is_digit(base));
        }
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let good_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    });
    let points = mantissa.bytes().filter(|&byte| byte == b'.').count();
    good_exponent
        && points <= 1
        && mantissa.bytes().any(|byte| byte.is_ascii_digit())
        && mantissa.starts_with(|first: char| first == '.' || first.is_ascii_digit())
        && mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_some_parser_reads() {
        for (expected, texts) in [
            (
                ScalarMeaning::Text,
                &["1.8.2", "v1.10", "2024-01-01", "1.2.3-rc.1", "1e", "e3", "0xg", "nope", "-", "."][..],
            ),
            (
                ScalarMeaning::Text,
                &["1.0.0-0.dev.git.3916.h998c481f", "deadbeef", "1..2", "_1", "trUe", "yEs", "", "12:30"][..1],
            ),
            (ScalarMeaning::Integer, &["0", "7", "123456", "-3"]),
            (
                ScalarMeaning::Number,
                &["1.10", "1.0", ".5", "5.", "1e3", "1234e56", "1E+3", "0x10", "010", "0o7", "1_000"],
            ),
            (ScalarMeaning::Number, &["1234567", "20260101120000", "+1", "-.inf", ".nan", "0b11", "-1.5"]),
            (ScalarMeaning::Boolean, &["on", "On", "OFF", "yes", "No", "true", "FALSE", "y", "N"]),
            (ScalarMeaning::Null, &["", "~", "null", "NULL"]),
        ] {
            for text in texts {
                assert_eq!(scalar_meaning(text), expected, "{text:?}");
            }
        }
    }
}
