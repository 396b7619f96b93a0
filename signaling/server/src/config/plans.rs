//! Plans that the configuration brings: a JSON list of what `Request::Plan` saves.

use std::path::{Path, PathBuf};

use liandong_protocol::plan::PlanContent;

use super::check::Mistakes;

/// Whether they name what is there is found out by the rules at the start.
pub(super) fn load(
    file: Option<&PathBuf>,
    folder: &Path,
    mistakes: &mut Mistakes,
) -> Vec<PlanContent> {
    let Some(file) = file else {
        return Vec::new();
    };
    let mend = "name a JSON file like deploy/nanjiang/nanjiang-plans.json, relative to the configuration file";
    let text = match std::fs::read_to_string(folder.join(file)) {
        Ok(text) => text,
        Err(error) => {
            let what = format_args!("{}: {error}", file.display());
            mistakes.add("county.plans", what, mend);
            return Vec::new();
        }
    };
    serde_json::from_str(&text).unwrap_or_else(|error| {
        mistakes.add(file.display(), error, mend);
        Vec::new()
    })
}
