//! Cross-site requests: a browser says in `Origin` whose page sends a request;
//! only our own pages may order anything with the user's cookie.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

/// True when the request comes from a page of this server, or from no page at
/// all (bots, curl: they hold no victim's cookie). `authority`: from an HTTP/2
/// request line, where there is no `Host`.
#[must_use]
pub fn is_own(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return true;
    };
    if origins.next().is_some() {
        return false;
    }
    let host = authority.or_else(|| headers.get(HOST)?.to_str().ok());
    let origin = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.strip_prefix("https://"));
    match (origin, host) {
        (Some(origin), Some(host)) => {
            without_port(origin).eq_ignore_ascii_case(without_port(host))
                && port(origin) == port(host)
        }
        (None, _) | (_, None) => false,
    }
}

/// `[::1]:8443` → `[::1]`
fn without_port(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        Some(_) | None => authority,
    }
}

fn port(authority: &str) -> Option<u16> {
    match authority[without_port(authority).len()..].strip_prefix(':') {
        Some(port) => port.parse().ok(),
        None => Some(443),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(origin: &str, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        headers.insert(HOST, host.parse().unwrap());
        is_own(&headers, None)
    }

    #[test]
    fn only_pages_of_the_same_host_and_port_pass() {
        assert!(own("https://10.1.1.1:8443", "10.1.1.1:8443"));
        assert!(own("https://[::1]:8443", "[::1]:8443"));
        assert!(own("https://liandong.example", "Liandong.Example:443"));
        for origin in [
            "https://evil.example",
            "https://10.1.1.1",
            "https://10.1.1.1:8444",
            "https://10.1.1.1:8443.evil.example",
            "http://10.1.1.1:8443",
            "null",
        ] {
            assert!(!own(origin, "10.1.1.1:8443"), "{origin}");
        }
    }

    #[test]
    fn request_without_origin_is_not_from_a_page() {
        assert!(is_own(&HeaderMap::new(), None));
    }

    #[test]
    fn http2_authority_stands_for_the_host() {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, "https://a:1".parse().unwrap());
        assert!(is_own(&headers, Some("a:1")));
        assert!(!is_own(&headers, None));
    }
}
