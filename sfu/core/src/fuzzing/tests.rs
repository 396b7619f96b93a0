//! Every kept seed through its target: what a fuzzer found once stays mended.

use std::fs;
use std::path::Path;

use super::{TARGETS, seeds};

/// Set it to write the seeds that are missing.
const WRITE: &str = "LIANDONG_WRITE_SEEDS";

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

#[test]
fn made_seeds_are_kept() {
    for (target, name, bytes) in seeds::all() {
        let file = folder().join(target).join(name);
        if std::env::var_os(WRITE).is_some() && !file.exists() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, bytes).unwrap();
        }
        assert!(file.exists(), "{}: set {WRITE}=1", file.display());
    }
}

#[test]
fn kept_seeds_run_through() {
    let seeds = folder();
    for (name, target) in TARGETS {
        let mut files: Vec<_> = fs::read_dir(seeds.join(name))
            .unwrap_or_else(|error| panic!("seeds of {name}: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no seeds");
        for file in files {
            eprintln!("{}", file.display()); // shown if the target panics
            target(&fs::read(file).unwrap());
        }
    }
    let folders = fs::read_dir(&seeds).unwrap().count();
    assert_eq!(folders, TARGETS.len(), "a folder of no target");
}

#[test]
fn empty_input_is_input() {
    for (_, target) in TARGETS {
        target(&[]);
    }
}
