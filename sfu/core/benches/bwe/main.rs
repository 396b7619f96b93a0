//! Runs every case of bandwidth estimation in virtual time. Prints the table; with
//! a folder as argument, writes it there with a drawing of each case.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/bwe/sim/mod.rs"]
mod sim;

use std::path::PathBuf;

const SEED: u64 = 20_260_101;

fn main() {
    // `cargo bench` adds flags of its own.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let folder = arguments.first().map(PathBuf::from);
    let only = arguments.get(1);
    let mut table = sim::report::table_head();
    let mut words = String::new();
    print!("{table}");
    for case in sim::cases::all() {
        if only.is_some_and(|only| only != case.name) {
            continue;
        }
        let run = sim::run(&case, SEED);
        let row = sim::report::table_row(&case, &run);
        print!("{row}");
        table.push_str(&row);
        words.push_str(&format!(
            "* **{}** {}: {}.\n",
            case.name, case.title, case.expected
        ));
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            let path = folder.join(format!("{}.svg", case.name));
            std::fs::write(path, sim::report::svg(&case, &run)).unwrap();
        }
    }
    if let (Some(folder), None) = (folder, only) {
        let head = include_str!("head.md");
        let text = format!("{head}\n{table}\n## What is expected\n\n{words}");
        std::fs::write(folder.join("README.md"), text).unwrap();
    }
}
