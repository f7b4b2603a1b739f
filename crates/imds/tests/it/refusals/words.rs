//! The words of refusals on each route.

use contract::gate::Route;

use super::invalid;

/// What is said without an api-version, and with one that isn't known.
pub(super) type VersionWords = (String, fn(&str) -> String);

/// The bodies of what every route refuses, in the words of each.
pub(super) struct Words {
    pub(super) header: String,
    pub(super) host: String,
    pub(super) forwarded: String,
    pub(super) origin: String,
    pub(super) body: String,
    pub(super) not_text: String,
    pub(super) twice: String,
    pub(super) long: String,
    /// Without an api-version, and with one that isn't known; none where none is asked for.
    pub(super) version: Option<VersionWords>,
    /// The versions that aren't known.
    pub(super) unknown: &'static [&'static str],
    pub(super) methods: &'static str,
}

pub(super) fn bare(text: &str) -> String {
    format!("{{\"error\":\"{text}\"}}")
}

fn no_version(newest: &str) -> String {
    let text = "Bad request. api-version is invalid or was not specified in the request. For more information refer to \
                aka.ms/azureimds";
    format!("{{\"error\":\"{text}\",\"newest-versions\":[{newest}]}}")
}

impl Words {
    pub(super) fn of(route: Route) -> Self {
        let documents = || no_version(r#""2025-04-07","2024-07-17","2024-03-15""#);
        let events = || no_version(r#""2020-07-01","2019-08-01","2019-04-01""#);
        let on_document = Self {
            header: r#"{ "error": "Bad request: . Required metadata header not specified" }"#.to_owned(),
            host: bare("Bad request. The Host header is not allowed"),
            forwarded: bare("Bad request. Requests with the X-Forwarded-For header are not allowed"),
            origin: bare("Cross-origin requests are not allowed"),
            body: bare("Bad request. A request body is not allowed"),
            not_text: bare("Bad request. The query is not valid UTF-8"),
            twice: bare(r#"Bad request. Query parameter \"A\" is specified more than once"#),
            long: bare(r#"Bad request. Query parameter \"a\" is longer than 2048 bytes"#),
            version: Some((documents(), |_| no_version(r#""2025-04-07","2024-07-17","2024-03-15""#))),
            unknown: &["2018-02-02", "latest", "", "x", "2018-02-01 "],
            methods: "GET",
        };
        match route {
            Route::ImdsInstance => on_document,
            Route::ImdsVersions => Self { version: None, ..on_document },
            Route::ImdsAttested => Self { unknown: &["2018-04-02", "2018-02-02", ""], ..on_document },
            Route::ImdsScheduledEvents => Self {
                version: Some((events(), |_| no_version(r#""2020-07-01","2019-08-01","2019-04-01""#))),
                unknown: &["2025-04-07", "latest", ""],
                methods: "GET, POST",
                ..on_document
            },
            Route::ImdsLoadBalancer => Self {
                body: bare("Request body is larger than MaxBodyLength: 0"),
                not_text: bare("Unexpected request. Check the query parameters and retry."),
                twice: bare("Unexpected request. Check the query parameters and retry."),
                long: bare("Parameter value length is larger than MaxParameterValueLength: 2048"),
                version: Some((
                    bare(r#"Missing required parameter \"api-version\". Fix the request and retry."#),
                    |version| {
                        bare(&format!(
                            r#"Parameter value \"{version}\" isn't allowed for parameter \"api-version\". Fix the request and retry."#
                        ))
                    },
                )),
                unknown: &["2020-09-01", "2018-02-01", ""],
                ..on_document
            },
            Route::ImdsToken | Route::ImdsIdentityInfo | Route::ExtensionToken => Self {
                header: invalid("Required metadata header not specified"),
                host: invalid("The Host header is not allowed"),
                forwarded: invalid("Requests with the X-Forwarded-For header are not allowed"),
                origin: r#"{"error":"forbidden","error_description":"Cross-origin requests are not allowed"}"#
                    .to_owned(),
                body: invalid("A request body is not allowed"),
                not_text: invalid("The query is not valid UTF-8"),
                twice: invalid("Query variable 'A' is specified more than once"),
                long: invalid("Query variable 'a' is longer than 2048 bytes"),
                version: Some((invalid("Required query variable 'api-version' is missing"), |version| {
                    invalid(&format!("The api-version '{version}' is not supported"))
                })),
                unknown: &["2017-12-01", "2018-02-02", "", "x"],
                methods: "GET",
            },
        }
    }
}
