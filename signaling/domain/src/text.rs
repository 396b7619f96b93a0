//! Text that people type and others read.

use crate::refusal::Refusal;

/// Nothing that a screen would not show as it is: no control characters, and
/// none that turn the direction of writing (a name could pose as another).
#[must_use]
pub(crate) fn is_plain(text: &str) -> bool {
    !text.chars().any(|one| {
        one.is_control()
            || matches!(one, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// The text without blanks around it, if it is plain and not too long.
pub(crate) fn clean(text: &str, max_chars: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if !is_plain(text) {
        return Err(Refusal::Malformed("text with control characters"));
    }
    if text.chars().count() > max_chars {
        return Err(Refusal::Malformed("text too long"));
    }
    Ok(text.to_owned())
}

/// Like [`clean`], but of several lines.
pub(crate) fn clean_lines(text: &str, max_chars: usize) -> Result<String, Refusal> {
    let text = text.trim().replace("\r\n", "\n");
    if !text.split('\n').all(is_plain) {
        return Err(Refusal::Malformed("text with control characters"));
    }
    if text.chars().count() > max_chars {
        return Err(Refusal::Malformed("text too long"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_are_cut_and_characters_counted_not_bytes() {
        assert_eq!(clean("  防汛会商 \n", 4), Ok("防汛会商".to_owned()));
        assert_eq!(
            clean("防汛会商会", 4),
            Err(Refusal::Malformed("text too long"))
        );
    }

    #[test]
    fn lines_are_kept_where_they_may_be() {
        assert_eq!(clean_lines(" a\r\nb\n", 3), Ok("a\nb".to_owned()));
        for text in ["a\rb", "a\n\u{0}b", "a\tb"] {
            assert!(clean_lines(text, 80).is_err(), "{text:?}");
        }
    }

    #[test]
    fn control_characters_inside_are_refused() {
        for text in ["a\nb", "a\u{0}b", "a\u{7f}b", "a\u{202e}b", "a\u{2066}b"] {
            assert!(clean(text, 80).is_err(), "{text:?}");
        }
    }
}
