use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split(' '))
}

#[test]
fn the_definition_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn sites_of_the_demo() {
    let parsed = parse(
        "x sites --count 12 --server https://127.0.0.1:8443 --ca data/ca.pem \
         --password-file data/demo-logins.txt --quiet",
    );
    let Command::Sites(sites) = parsed.unwrap().command else {
        panic!("another command");
    };
    assert_eq!(sites.count, 12);
    assert_eq!(sites.conduct.slots, 4);
    assert!(sites.conduct.quiet);
    let silent = parse("x sites --sites 511922101,511922103 --answer never --insecure").unwrap();
    let Command::Sites(sites) = silent.command else {
        panic!("another command");
    };
    assert_eq!(sites.sites.len(), 2);
    assert_eq!(sites.conduct.answer, Answer::Never);
}

#[test]
fn call_of_a_county() {
    let parsed = parse("x call --sites 49 --seconds 20 --report out.json --insecure").unwrap();
    let Command::Call(call) = parsed.command else {
        panic!("another command");
    };
    assert_eq!((call.sites, call.seconds, call.caller_slots), (49, 20, 49));
}

#[test]
fn mistakes_are_refused() {
    for line in [
        "x",
        "x sites --count many",
        "x sites --count 2 --sites 5",
        "x sites --ca a.pem --insecure",
        "x call --slots 50",
        "x call --answer maybe",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}
