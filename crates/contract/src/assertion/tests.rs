use proptest::prelude::*;

use super::*;

fn jwt(header: &str, claims: &str) -> String {
    format!("{}.{}.{}", jose::encode(header), jose::encode(claims), jose::encode("signature"))
}

const HEADER: &str = r#"{"alg":"PS256","typ":"JWT"}"#;
const CLAIMS: &str = r#"{"aud":"a","iss":"c","sub":"c","exp":1800000600}"#;

fn refusal(header: &str, claims: &str) -> MalformedAssertion {
    UnverifiedAssertion::parse(&jwt(header, claims)).unwrap_err()
}

#[test]
fn assertions_of_real_clients_are_read() {
    let python = jwt(
        r#"{"alg":"RS256","typ":"JWT","x5t":"AAECAwQFBgcICQoLDA0ODxAREhM=","x5c":["MIID\nabc=\n"]}"#,
        r#"{"aud":"https://a/t/oauth2/v2.0/token","iss":"c","sub":"c","exp":1795460454.6932766,"iat":1795459854.6932766,"jti":"j"}"#,
    );
    let read = UnverifiedAssertion::parse(&python).unwrap();
    assert_eq!((read.expires_on, read.not_before), (1_795_460_454, None));
    assert_eq!(read.thumbprint_sha1, Some(std::array::from_fn(|at| u8::try_from(at).unwrap())));
    let dotnet = jwt(
        r#"{"alg":"PS256","typ":"JWT","x5t#S256":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","x5c":"MIID"}"#,
        r#"{"aud":"a","iss":"c","sub":"c","exp":"1800000600","nbf":"1800000000","jti":"j"}"#,
    );
    let read = UnverifiedAssertion::parse(&dotnet).unwrap();
    assert_eq!((read.expires_on, read.not_before), (1_800_000_600, Some(1_800_000_000)));
    assert!(read.thumbprint_sha256.is_some());
    assert_eq!(read.thumbprint_text, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    // MSAL for Go and msal4j: the standard alphabet.
    let go = jwt(
        r#"{"alg":"RS256","typ":"JWT","x5t":"+/v7+/v7+/v7+/v7+/v7+/v7+/s=","x5t#S256":"+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s="}"#,
        CLAIMS,
    );
    let read = UnverifiedAssertion::parse(&go).unwrap();
    assert_eq!((read.thumbprint_sha1, read.thumbprint_sha256), (Some([0xfb; 20]), Some([0xfb; 32])));
    let kubernetes = jwt(r#"{"alg":"RS256","kid":"k"}"#, r#"{"aud":["a","b"],"iss":"i","sub":"s","exp":1}"#);
    assert_eq!(UnverifiedAssertion::parse(&kubernetes).unwrap().audiences, ["a", "b"]);
}

#[test]
fn debug_texts_hold_nothing_that_could_be_sent_again() {
    let text = jwt(r#"{"alg":"RS256"}"#, CLAIMS);
    let texts = [
        format!("{:?}", UnverifiedAssertion::parse(&text).unwrap()),
        format!("{:?}", UnverifiedJws::parse(&text).unwrap()),
    ];
    let signature: Vec<_> = b"signature".iter().map(u8::to_string).collect();
    for shown in texts {
        assert!(!shown.contains("eyJ") && !shown.contains(&signature.join(", ")), "{shown}");
    }
}

#[test]
fn what_would_choose_the_key_or_the_algorithm_is_refused() {
    for algorithm in ["none", "None", "HS256", "RS384", "ES256", "rs256", ""] {
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        assert_eq!(refusal(&header, CLAIMS), MalformedAssertion::Algorithm, "{algorithm}");
    }
    assert_eq!(refusal(r#"{"typ":"JWT"}"#, CLAIMS), MalformedAssertion::Algorithm);
    for member in ["jwk", "jku", "x5u", "crit", "b64", "zip"] {
        let header = format!(r#"{{"alg":"RS256","{member}":"x"}}"#);
        assert_eq!(refusal(&header, CLAIMS), MalformedAssertion::Forbidden(member));
    }
    let twice = r#"{"alg":"RS256","alg":"RS256"}"#;
    assert_eq!(refusal(twice, CLAIMS), MalformedAssertion::NotAnObject("header"));
}

#[test]
fn claims_of_the_wrong_type_are_never_absent() {
    for (member, value) in [
        ("exp", "null"),
        ("exp", "{}"),
        ("exp", "\"soon\""),
        ("exp", "\"\""),
        ("exp", "\"-1\""),
        ("exp", "\"18446744073709551616\""),
        ("exp", "-1.5"),
        ("exp", "1e300"),
        ("nbf", "{}"),
        ("nbf", "[]"),
        ("nbf", "true"),
        ("iat", "\"x\""),
        ("iss", "1"),
        ("sub", "null"),
        ("aud", "{}"),
        ("aud", "[1]"),
    ] {
        let mut claims: Map<String, Value> = serde_json::from_str(CLAIMS).unwrap();
        claims.insert(member.to_owned(), serde_json::from_str(value).unwrap());
        let claims = serde_json::to_string(&claims).unwrap();
        assert_eq!(refusal(HEADER, &claims), MalformedAssertion::Member(member), "{member}: {value}");
    }
    for missing in ["exp", "iss", "sub", "aud"] {
        let mut claims: Map<String, Value> = serde_json::from_str(CLAIMS).unwrap();
        claims.remove(missing);
        let claims = serde_json::to_string(&claims).unwrap();
        assert_eq!(refusal(HEADER, &claims), MalformedAssertion::Member(missing));
    }
}

#[test]
fn what_is_no_jwt_is_refused() {
    let long = format!("{}.", "a".repeat(MAX_LENGTH));
    assert_eq!(UnverifiedAssertion::parse(&long), Err(MalformedAssertion::TooLong));
    for wrong in ["", "a", "a.b", "a.b.c", "e30=.e30.e30", "e30.e30.e30.e30", "..", "bnVsbA.bnVsbA.bnVsbA"] {
        assert!(UnverifiedAssertion::parse(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String, header: String, claims: String) {
        let _ = UnverifiedAssertion::parse(&text);
        let _ = UnverifiedAssertion::parse(&jwt(&header, &claims));
    }

    #[test]
    fn any_finite_time_is_read_as_its_whole_seconds(seconds in 0.0..4e9f64) {
        let claims = format!(r#"{{"aud":"a","iss":"c","sub":"c","exp":{seconds:?}}}"#);
        let text = jwt(HEADER, &claims);
        let read = UnverifiedAssertion::parse(&text).unwrap().expires_on;
        prop_assert!((seconds - 1.0..=seconds).contains(&(read as f64)));
    }
}
