use std::path::Path;

use super::*;

const NANJIANG: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../deploy/nanjiang/liandong.toml"
);

fn folder_with(sites: &str, accounts: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sites.csv"), sites).unwrap();
    std::fs::write(folder.path().join("accounts.csv"), accounts).unwrap();
    folder
}

fn mistakes(text: &str, folder: &Path) -> Vec<String> {
    let error = Config::parse(text, folder, &Overrides::default()).unwrap_err();
    error
        .0
        .iter()
        .map(|m| format!("{}: {}", m.at, m.what))
        .collect()
}

#[test]
fn demo_county_has_its_fifty_sites_and_their_accounts() {
    let config = Config::load(Path::new(NANJIANG), &Overrides::default()).unwrap();
    assert_eq!(config.sites.len(), 50);
    assert_eq!(config.sites[0].tier, Tier::County);
    assert!(config.demo);
    for name in [
        "commander",
        "dispatcher",
        "admin",
        "511922101",
        "511922001001",
        "field6",
    ] {
        assert!(
            config.accounts.contains_key(&AccountId::from(name)),
            "{name}"
        );
    }
    assert_eq!(config.network.https_port, 8443);
    assert!(config.sites.iter().all(|site| site.auto_answer));
}

#[test]
fn command_line_wins_over_the_file() {
    let overrides = Overrides {
        https_port: Some(9443),
        workers: Some(1),
        ..Overrides::default()
    };
    let config = Config::load(Path::new(NANJIANG), &overrides).unwrap();
    assert_eq!(config.network.https_port, 9443);
    assert_eq!(config.network.workers, 1);
    assert_eq!(config.network.media_port, 8443);
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let folder = folder_with(
        "code,tier,name,parent,longitude,latitude\n\
         1,county,A,,106,32\n\
         2,township,B,9,106,32\n\
         3,community,C,1,106,32\n\
         4,township,D,1,506,32\n\
         5,village,E,1,106,32\n",
        "account,name,role,site,password_hash\n\
         a b,X,field,1,\n\
         x,X,township,1,\n\
         y,Y,field,77,secret\n",
    );
    let found = mistakes(
        "[county]\nname = \"\"\nsites = \"sites.csv\"\nnever_auto_answer = [\"88\"]\n\
         [accounts]\nfile = \"accounts.csv\"\ndemo_password = true\n\
         [network]\nworkers = 65\nadvertise = [\"0.0.0.0\"]\n\
         advertise_media = [\"203.0.113.7:0\"]\n\
         [tls]\ncertificate = \"none.pem\"\nkey = \"none.key\"\n\
         [calls]\nring_seconds = 0\n\
         [metrics]\ntoken = \"short\"\n\
         [[media.ice_servers]]\n\
         [[media.ice_servers]]\nurls = [\"http:a\", \"stun:\", \"turn:a:0\", \"turn:a:b\", \"turn:a?transport=x\"]\n\
         secret = \"short\"\nvalid_hours = 0\n\
         [[media.ice_servers]]\nurls = [\"turn:a\"]\nusername = \"u\"\n\
         [[media.ice_servers]]\nurls = [\"turn:a\"]\nusername = \"u\"\ncredential = \"c\"\nsecret = \"0123456789abcdef\"\n\
         [[media.ice_servers]]\nurls = [\"turn:a\"]\n",
        folder.path(),
    );
    for part in [
        "county.name: is empty",
        "sites.csv:5: 506, 32 is not on Earth",
        "sites.csv:6: ",
        "site 2: 9 cannot be its parent",
        "site 3: 1 cannot be its parent",
        "never_auto_answer: there is no site 88",
        "accounts.csv:2: \"a b\" cannot be a login name",
        "accounts.csv:3: the role does not fit",
        "accounts.csv:4: there is no site 77",
        "accounts.csv:4: password_hash",
        "network.workers: is 65",
        "network.advertise: 0.0.0.0",
        "network.advertise_media: 203.0.113.7:0",
        "tls.certificate: no such file",
        "tls.key: no such file",
        "calls.ring_seconds: is 0",
        "metrics.token: is shorter",
        "media.ice_servers[1]: has no urls",
        "media.ice_servers[2]: \"http:a\" is no address",
        "media.ice_servers[2]: \"stun:\" is no address",
        "media.ice_servers[2]: \"turn:a:0\" is no address",
        "media.ice_servers[2]: \"turn:a:b\" is no address",
        "media.ice_servers[2]: \"turn:a?transport=x\" is no address",
        "media.ice_servers[2].secret: is shorter",
        "media.ice_servers[2].valid_hours: is 0",
        "media.ice_servers[3]: username and credential go together",
        "media.ice_servers[4]: has a secret and a username",
        "media.ice_servers[5]: a TURN server lets nobody in",
    ] {
        assert!(
            found.iter().any(|m| m.contains(part)),
            "{part} not in {found:#?}"
        );
    }
}

#[test]
fn ice_servers_are_read_and_their_secrets_never_shown() {
    let folder = folder_with(
        "code,tier,name,parent,longitude,latitude\n1,county,A,,106,32\n",
        "",
    );
    let text = "[county]\nname = \"A\"\nsites = \"sites.csv\"\n\
         [accounts]\nper_site = true\ndemo_password = true\n\
         [[media.ice_servers]]\nurls = [\"stun:[2001:db8::1]:3478\"]\n\
         [[media.ice_servers]]\nurls = [\"turn:turn.a:3478?transport=udp\", \"turns:turn.a\"]\n\
         secret = \"very secret and long\"\n\
         [[media.ice_servers]]\nurls = [\"turn:b\"]\nusername = \"u\"\ncredential = \"also secret\"\n";
    let config = Config::parse(text, folder.path(), &Overrides::default()).unwrap();
    let access: Vec<&IceAccess> = config.ice_servers.iter().map(|one| &one.access).collect();
    assert_eq!(*access[0], IceAccess::Open);
    assert_eq!(
        *access[1],
        IceAccess::Secret {
            secret: "very secret and long".to_owned(),
            valid: Duration::from_secs(12 * 3_600),
        }
    );
    assert!(matches!(access[2], IceAccess::Password { .. }));
    assert_eq!(config.ice_servers[1].urls.len(), 2);
    let shown = format!("{config:?}");
    assert!(
        shown.contains("turn:b") && !shown.contains("secret"),
        "{shown}"
    );
}

#[test]
fn misspelt_field_is_named_with_its_line() {
    let found = mistakes(
        "[county]\nname = \"A\"\nsites = \"sites.csv\"\n[network]\nhttp_port = 1\n",
        Path::new("."),
    );
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("line 5") && found[0].contains("http_port"),
        "{found:?}"
    );
}

#[test]
fn county_without_passwords_is_refused() {
    let folder = folder_with(
        "code,tier,name,parent,longitude,latitude\n1,county,A,,106,32\n",
        "",
    );
    let found = mistakes(
        "[county]\nname = \"A\"\nsites = \"sites.csv\"\n[accounts]\nper_site = true\n",
        folder.path(),
    );
    assert_eq!(found, ["accounts: no account has a password"]);
}

#[test]
fn platforms_are_checked_and_know_where_they_may_report() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(NANJIANG).unwrap();
    let nanjiang = Path::new(NANJIANG).parent().unwrap();
    for name in [
        "nanjiang-sites.csv",
        "nanjiang-accounts.csv",
        "nanjiang-groups.csv",
        "nanjiang-plans.json",
    ] {
        std::fs::copy(nanjiang.join(name), folder.path().join(name)).unwrap();
    }
    let key = folder.path().join("grid.key");
    std::fs::write(&key, format!("{}\n", "k".repeat(64))).unwrap();
    let mode = |mode: u32| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o644);
    let wrong = "\n[[platforms]]\nid = \"Grid\"\nname = \" \"\nkey_file = \"grid.key\"\n\
        token_sha256 = \"abc\"\nsite = \"nowhere\"\nrequests_per_minute = 0\n\
        [[platforms]]\nid = \"x\"\nname = \"x\"\n";
    let said = mistakes(&format!("{text}{wrong}"), folder.path()).join("\n");
    for part in [
        "id:",
        "name:",
        "others may read",
        "token_sha256",
        "nowhere",
        "is 0",
    ] {
        assert!(said.contains(part), "{part} not in {said}");
    }
    assert!(
        said.contains("platforms[2]: cannot show who it is"),
        "{said}"
    );

    mode(0o600);
    let right = "\n[[platforms]]\nid = \"grid\"\nname = \"网格\"\nkey_file = \"grid.key\"\n\
        site = \"511922101\"\nrights = [\"report\"]\n";
    let text = format!("{text}{right}");
    let config = Config::parse(&text, folder.path(), &Overrides::default()).unwrap();
    let [grid] = config.platforms.as_slice() else {
        panic!("{:?}", config.platforms);
    };
    assert!(grid.sites.contains(&SiteCode::from("511922101001")));
    assert!(!grid.sites.contains(&config.sites[0].code));
    assert_eq!(grid.rights, [Right::Report].into());
    assert_eq!(
        grid.key,
        Some(Secret(vec![b'k'; 64])),
        "without the end of the line"
    );
    assert!(!format!("{grid:?}").contains("kkk"));
}

#[test]
fn webhooks_go_to_safe_addresses_with_a_secret_that_nobody_else_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(NANJIANG).unwrap();
    let nanjiang = Path::new(NANJIANG).parent().unwrap();
    for name in [
        "nanjiang-sites.csv",
        "nanjiang-accounts.csv",
        "nanjiang-groups.csv",
        "nanjiang-plans.json",
    ] {
        std::fs::copy(nanjiang.join(name), folder.path().join(name)).unwrap();
    }
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    secret("plain", &"k".repeat(40));
    secret(
        "right",
        "whsec_a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n",
    );
    let hook = |id: &str, url: &str, more: &str| {
        format!("\n[[webhooks]]\nid = \"{id}\"\nurl = \"{url}\"\nsecret_file = \"right\"\n{more}")
    };
    let wrong = [
        hook("a", "http://oa.example/hooks", ""),
        hook("b", "ftp://oa.example/", "allow_http = true\n"),
        hook("c", "https://user:word@oa.example/", ""),
        hook(
            "d",
            "https://oa.example/",
            "events = [\"incident.burnt\"]\n",
        ),
        hook("e", "https://oa.example/", "retry_seconds = 0\n"),
        hook("e", "https://oa.example/", "").replace("right", "plain"),
        hook("g", "https://oa.example/", "platform = \"nobody\"\n"),
        hook("h", "https://oa.example/", "ca_file = \"plain\"\n"),
        hook("i", "https://oa.example/", "ca_file = \"none.pem\"\n"),
    ];
    let said = mistakes(&format!("{text}{}", wrong.concat()), folder.path());
    for part in [
        "webhooks[1].url",
        "webhooks[2].url",
        "webhooks[3].url",
        "webhooks[4].events: there is no incident.burnt",
        "webhooks[5].retry_seconds",
        "webhooks[6].secret_file",
        "webhooks[7].platform",
        "webhooks[8].ca_file",
        "webhooks[9].ca_file",
    ] {
        assert!(
            said.iter().any(|one| one.starts_with(part)),
            "{part} not in {said:?}"
        );
    }

    let right = hook(
        "oa",
        "http://10.0.0.5/hooks",
        "allow_http = true\ngive_up_hours = 2\n",
    );
    let config = Config::parse(
        &format!("{text}{right}"),
        folder.path(),
        &Overrides::default(),
    );
    let config = config.unwrap();
    assert_eq!(config.webhooks[0].secret, Secret(vec![b'k'; 32]));
    assert_eq!(config.webhooks[0].give_up, Duration::from_secs(7_200));
}
