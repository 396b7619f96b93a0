//! Who may sign in, and with what: hashes by configuration; for a demo, one
//! password for everybody else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use liandong_protocol::AccountId;
use rand::RngExt as _;

use super::StartError;
use crate::auth::password::{self, HashError};
use crate::config::Config;
use crate::disk::write_whole;

/// In the data folder; readable by the owner only.
pub const DEMO_FILE: &str = "demo-logins.txt";
/// Sets the demo password.
pub const DEMO_VARIABLE: &str = "LIANDONG_DEMO_PASSWORD";

/// The demo's password, and where it came from.
#[derive(Clone)]
pub struct Demo {
    pub password: String,
    /// Where it is written down.
    pub file: PathBuf,
}

impl std::fmt::Debug for Demo {
    /// Never shows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

/// What is needed to make the hashes.
#[derive(Debug)]
pub struct Logins {
    demo: Option<Demo>,
    /// The password is another than at the last start.
    changed: bool,
}

/// Takes the demo password from the environment, or from the file of the
/// first start, or makes one up.
///
/// # Errors
/// The data folder cannot be written.
pub fn prepare(config: &Config, data: &Path) -> Result<Logins, StartError> {
    let given = std::env::var(DEMO_VARIABLE).ok().filter(|p| !p.is_empty());
    prepare_with(config, data, given)
}

fn prepare_with(config: &Config, data: &Path, given: Option<String>) -> Result<Logins, StartError> {
    if !config.demo {
        return Ok(Logins {
            demo: None,
            changed: false,
        });
    }
    let file = data.join(DEMO_FILE);
    let before = std::fs::read_to_string(&file)
        .ok()
        .and_then(|text| password_in(&text));
    let password = given
        .or_else(|| before.clone())
        .unwrap_or_else(pronounceable);
    let changed = before.as_ref() != Some(&password);
    if changed {
        write(config, &file, &password).map_err(|source| StartError::Data {
            path: file.clone(),
            source,
        })?;
    }
    Ok(Logins {
        demo: Some(Demo { password, file }),
        changed,
    })
}

impl Logins {
    /// The demo's password, if this is one.
    #[must_use]
    pub fn demo(&self) -> Option<&Demo> {
        self.demo.as_ref()
    }

    /// All hashes by account. Those that are there already stay as they are:
    /// hashing is slow, and another hash would end the account's sessions.
    ///
    /// # Errors
    /// The system has no randomness or no memory.
    pub fn hashes(
        &self,
        config: &Config,
        before: &BTreeMap<AccountId, String>,
    ) -> Result<BTreeMap<AccountId, String>, HashError> {
        let mut hashes = BTreeMap::new();
        let mut missing = Vec::new();
        for account in config.accounts.values() {
            let kept = before.get(&account.id).filter(|_| !self.changed);
            match (&account.password_hash, kept) {
                (Some(hash), _) => {
                    hashes.insert(account.id.clone(), hash.clone());
                }
                (None, Some(hash)) if self.demo.is_some() => {
                    hashes.insert(account.id.clone(), hash.clone());
                }
                (None, _) => missing.push(account.id.clone()),
            }
        }
        if let Some(demo) = &self.demo {
            hashes.extend(password::hash_for_each(missing, &demo.password)?);
        }
        Ok(hashes)
    }
}

const PREFIX: &str = "password: ";

fn password_in(text: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix(PREFIX))
        .map(str::to_owned)
        .filter(|password| !password.is_empty())
}

fn write(config: &Config, file: &Path, password: &str) -> std::io::Result<()> {
    let mut text = format!("{PREFIX}{password}\n\n");
    for account in config.accounts.values() {
        if account.password_hash.is_none() {
            text.push_str(&format!("{}\t{}\n", account.id, account.name));
        }
    }
    write_whole(file, text.as_bytes(), 0o600)
}

/// Six syllables and two digits, some 44 bits: easy to type on a room
/// terminal, and the lock-out does the rest.
fn pronounceable() -> String {
    const CONSONANTS: &[u8] = b"bdfghjkmnprstvwz";
    const VOWELS: &[u8] = b"aeiou";
    let mut rng = rand::rng();
    let mut word = String::new();
    for syllable in 0..6 {
        if syllable == 3 {
            word.push('-');
        }
        for letters in [CONSONANTS, VOWELS] {
            word.push(char::from(letters[rng.random_range(0..letters.len())]));
        }
    }
    word.push_str(&format!("-{:02}", rng.random_range(0..100)));
    word
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::Overrides;

    fn county(demo: bool) -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let hash = password::hash("own").unwrap();
        for (name, text) in [
            (
                "sites.csv",
                "code,tier,name,parent,longitude,latitude\n1,county,A,,106,32\n".to_owned(),
            ),
            (
                "accounts.csv",
                format!(
                    "account,name,role,site,password_hash\n\
                     a,A,commander,1,\"{hash}\"\nb,B,dispatcher,1,\n"
                ),
            ),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let text = format!(
            "[county]\nname = \"A\"\nsites = \"sites.csv\"\n\
             [accounts]\nfile = \"accounts.csv\"\ndemo_password = {demo}\n"
        );
        let config = Config::parse(&text, folder.path(), &Overrides::default()).unwrap();
        (folder, config)
    }

    #[test]
    fn demo_password_is_made_once_and_kept_private() {
        let (folder, config) = county(true);
        let first = prepare_with(&config, folder.path(), None).unwrap();
        let again = prepare_with(&config, folder.path(), None).unwrap();
        assert!(first.changed && !again.changed);
        let password = &first.demo().unwrap().password;
        assert_eq!(&again.demo().unwrap().password, password);
        assert!(password.len() >= 12);
        let mode = std::fs::metadata(folder.path().join(DEMO_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn hashes_change_only_with_the_password() {
        let (folder, config) = county(true);
        let hashes = |given: Option<&str>, before: &BTreeMap<_, _>| {
            prepare_with(&config, folder.path(), given.map(str::to_owned))
                .unwrap()
                .hashes(&config, before)
                .unwrap()
        };
        let first = hashes(Some("one-password"), &BTreeMap::new());
        assert_eq!(hashes(Some("one-password"), &first), first);
        assert_eq!(hashes(None, &first), first);
        let second = hashes(Some("another-password"), &first);
        let (own, demo) = (AccountId::from("a"), AccountId::from("b"));
        assert_eq!(second[&own], first[&own], "by configuration");
        assert_ne!(second[&demo], first[&demo]);
    }

    #[test]
    fn in_earnest_an_account_without_a_hash_cannot_sign_in() {
        let (folder, config) = county(false);
        let logins = prepare_with(&config, folder.path(), Some("x".into())).unwrap();
        let hashes = logins.hashes(&config, &BTreeMap::new()).unwrap();
        assert_eq!(hashes.keys().collect::<Vec<_>>(), [&AccountId::from("a")]);
        assert!(!folder.path().join(DEMO_FILE).exists());
    }
}
