//! Files with passwords.

use std::collections::BTreeMap;

use crate::scenario::Choice;

/// Understands three kinds of text, `#` starting a comment:
/// * `password: …` (or `=`): one for all;
/// * lines of `account password`;
/// * a single word: one for all.
pub(super) fn parse(text: &str) -> Option<Choice> {
    let lines = || {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
    };
    let shared = lines().find_map(|line| {
        let (key, value) = line.split_once([':', '='])?;
        let about_passwords = key.to_ascii_lowercase().contains("password");
        (about_passwords && !value.trim().is_empty()).then(|| value.trim().to_owned())
    });
    if let Some(password) = shared {
        return Some(Choice::Same(password));
    }
    let mut each = BTreeMap::new();
    let mut single = None;
    for line in lines() {
        let mut words = line.split([' ', '\t', ',']).filter(|w| !w.is_empty());
        match (words.next(), words.next()) {
            (Some(account), Some(password)) => {
                each.insert(account.to_owned(), password.to_owned());
            }
            (Some(word), None) => single = single.or(Some(word.to_owned())),
            (None, _) => {}
        }
    }
    if each.is_empty() {
        single.map(Choice::Same)
    } else {
        Some(Choice::Each(each))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_for_all() {
        let same = Some(Choice::Same("s3cret-word".into()));
        assert_eq!(parse("# demo\npassword: s3cret-word\n"), same);
        assert_eq!(parse("Demo password = s3cret-word"), same);
        assert_eq!(parse("\n s3cret-word \n"), same);
        assert_eq!(parse("# nothing\n\n"), None);
    }

    #[test]
    fn one_each() {
        let Some(Choice::Each(each)) = parse("commander abc\n511922101\tdef\n") else {
            panic!("not understood");
        };
        assert_eq!(each["commander"], "abc");
        assert_eq!(each["511922101"], "def");
    }
}
