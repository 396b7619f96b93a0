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
fn soak_with_a_proxy() {
    let parsed = parse(
        "x soak --minutes 0.5 --server-pid 7 --insecure --simulcast \
         --media-proxy 127.0.0.1:7000 --media-server 127.0.0.1:8443",
    );
    let Command::Soak(soak) = parsed.unwrap().command else {
        panic!("another command");
    };
    assert_eq!((soak.minutes, soak.server_pid), (0.5, 7));
    let own = own_process(&soak.connection, &soak.conduct).unwrap();
    let again = parse(&format!("x {} --sites 511922101", own.arguments.join(" ")));
    let Command::Sites(sites) = again.unwrap().command else {
        panic!("another command");
    };
    assert!(sites.connection.insecure && sites.conduct.simulcast && sites.conduct.quiet);
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
        "x soak",
        "x soak --server-pid 7 --media-proxy 127.0.0.1:7000",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}
