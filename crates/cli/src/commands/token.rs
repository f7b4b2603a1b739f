//! `symbolon token`: asks for a token as a client would, and says the server's own words when it is refused.

use anyhow::Context;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::RootCertStore;
use serde_json::Value;

use super::ExitStatus;
use crate::args::{Source, TokenArgs};
use crate::printer::Printer;
use crate::up::instance::{self, Instance};
use crate::{data_dir, decode, http_client, retry};

pub(crate) async fn token(args: &TokenArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let instance = instance::find(&data_dir::locate(args.target.data.data_dir.as_deref())?)?;
    let url = url(args, &instance)?;
    let send = async || http_client::get(&url, &[("Metadata", "true")], RootCertStore::empty()).await;
    let answer = retry::patiently(&Method::GET, send, retry::wait).await?;
    let body: Value = serde_json::from_slice(&answer.body)
        .with_context(|| format!("{url} answered {} with something that isn't JSON", answer.status))?;
    if !answer.status.is_success() {
        let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
        printer.note(format!("{}: {}: {}", answer.status.as_u16(), word("error"), word("error_description")))?;
        if retry::is_busy(answer.status) {
            printer.note(retry::given_up())?;
        }
        return Ok(ExitStatus::Failed);
    }
    let token = body.get("access_token").and_then(Value::as_str).context("the answer has no access_token")?;
    if args.decode {
        return show(args, printer, &instance, token).await;
    }
    if args.json {
        printer.json_pretty(&body)?;
    } else {
        printer.line(token)?;
    }
    Ok(ExitStatus::Ok)
}

/// The request as the public documents have it.
fn url(args: &TokenArgs, instance: &Instance) -> anyhow::Result<String> {
    let vm = instance.vm(args.target.vm.as_deref())?;
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut url = match args.target.source {
        Source::Imds => format!("{}/metadata/identity/oauth2/token?api-version=2018-02-01&", vm.reachable()?),
        Source::Extension => format!("{}?", vm.extension()?),
    };
    url.push_str("resource=");
    url.push_str(&encode(&args.resource));
    let selectors = [("client_id", &args.client_id), ("object_id", &args.object_id), ("msi_res_id", &args.resource_id)];
    for (name, value) in selectors {
        if let Some(value) = value {
            url.push_str(&format!("&{name}={}", encode(value)));
        }
    }
    Ok(url)
}

/// Claims as a table, and whether the authority's published keys verify the signature.
async fn show(args: &TokenArgs, printer: &Printer, instance: &Instance, token: &str) -> anyhow::Result<ExitStatus> {
    let decoded = decode::decode(token)?;
    let verdict = decode::verify(token, &decoded, instance).await;
    if args.json {
        let verified = verdict.as_ref().map(|_| true).unwrap_or(false);
        let claims: serde_json::Map<_, _> = decoded.claims.into_iter().collect();
        printer.json_pretty(&serde_json::json!({
            "header": decoded.header, "claims": claims, "signatureVerified": verified,
        }))?;
    } else {
        let mut rows = Vec::new();
        for (name, value) in &decoded.claims {
            rows.push(vec![name.clone(), decode::shown(name, value)]);
        }
        printer.table(&["claim", "value"], &rows)?;
    }
    match verdict {
        Ok(kid) => {
            if !args.json {
                printer.line("")?;
                printer.line(format!("signature: verified with key {kid} of {}", instance.authority))?;
            }
            Ok(ExitStatus::Ok)
        }
        Err(why) => {
            printer.note(format!("signature: NOT verified: {why:#}"))?;
            Ok(ExitStatus::Failed)
        }
    }
}
