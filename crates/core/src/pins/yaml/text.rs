//! Decodes a file into text. UTF-8, a byte order mark and CRLF are allowed, and everything else is refused with its
//! place.

use super::YamlFault;

/// The start of every Git LFS pointer: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The decoded text of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pins) struct YamlText<'t> {
    /// The text without the byte order mark.
    pub(in crate::pins) text: &'t str,
    /// The offset of the text in the file, in bytes.
    pub(in crate::pins) base: usize,
}

/// Decodes UTF-8.
pub(in crate::pins) fn decode_utf8(bytes: &[u8]) -> Result<YamlText<'_>, YamlFault> {
    let whole =
        |message: &str, hint: &str| Err(YamlFault { message: message.to_owned(), hint: hint.to_owned(), span: None });
    if bytes.starts_with(LFS_POINTER) {
        return whole("a Git LFS pointer, not the file itself", "keep pin files out of LFS (.gitattributes)");
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return whole("UTF-16 text", "save it as UTF-8");
    }
    let text = std::str::from_utf8(bytes).map_err(|error| YamlFault {
        message: format!("not UTF-8: byte {} is 0x{:02x}", error.valid_up_to(), bytes[error.valid_up_to()]),
        hint: "save it as UTF-8".to_owned(),
        span: Some(error.valid_up_to()..error.valid_up_to() + 1),
    })?;
    if let Some(offset) = text.find('\0') {
        return Err(YamlFault {
            message: format!("byte {offset} is NUL"),
            hint: "save it as UTF-8 text".to_owned(),
            span: Some(offset..offset + 1),
        });
    }
    Ok(match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => YamlText { text, base: BYTE_ORDER_MARK.len() },
        None => YamlText { text, base: 0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_left_out_and_counted() {
        assert_eq!(decode_utf8(b"\xef\xbb\xbfa: 1"), Ok(YamlText { text: "a: 1", base: 3 }));
        assert_eq!(decode_utf8(b"a: 1\r\n"), Ok(YamlText { text: "a: 1\r\n", base: 0 }));
    }

    #[test]
    fn other_encodings_are_refused_with_the_byte() {
        for (bytes, message, span) in [
            (&b"a: \xff"[..], "not UTF-8: byte 3 is 0xff", Some(3..4)),
            (b"a: \xe2\x82", "not UTF-8: byte 3 is 0xe2", Some(3..4)),
            (b"a\0", "byte 1 is NUL", Some(1..2)),
            (b"\xff\xfea\0", "UTF-16 text", None),
            (b"\xfe\xff\0a", "UTF-16 text", None),
            (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer, not the file itself", None),
        ] {
            let fault = decode_utf8(bytes).unwrap_err();
            assert_eq!((fault.message.as_str(), fault.span), (message, span));
        }
    }
}
