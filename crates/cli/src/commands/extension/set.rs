//! `symbolon extension set`.

use anyhow::Context;
use http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::args::arm::JsonSource;
use crate::args::extension::ExtensionSetArgs;
use crate::arm::operation::Change;
use crate::arm::{Arm, document};
use crate::env_vars;
use crate::printer::Printer;

/// Who publishes the managed-identity extension.
const PUBLISHER: &str = "Microsoft.ManagedIdentity";
const VERSION: &str = "1.0";

pub(super) async fn set(args: &ExtensionSetArgs, printer: &Printer) -> anyhow::Result<()> {
    let said = said(args)?;
    let arm = Arm::open(&args.long.arm).await?;
    let target = super::one(&arm, &args.host, &args.name)?;
    let doing = format!("setting {}", target.title);
    // One that is there keeps what isn't spoken of, its protected settings too.
    let (method, body) = match arm.find(&target).await? {
        Some(_) => (Method::PATCH, json!({"properties": said})),
        None => (Method::PUT, new(&arm, args, said).await?),
    };
    let change = Change { method, target: &target, body: body.to_string().into(), doing: &doing };
    let changed = arm.change(change, !args.long.no_wait, printer).await?;
    let Some(found) = changed.body else { return Ok(()) };
    if args.long.arm.json { printer.json_pretty(&found) } else { super::show::print(&found, printer) }
}

/// The properties that the user speaks of.
fn said(args: &ExtensionSetArgs) -> anyhow::Result<Map<String, Value>> {
    let mut said = Map::new();
    let mut put = |name: &str, value: Option<Value>| said.extend(value.map(|value| (name.to_owned(), value)));
    put("publisher", args.publisher.clone().map(Value::from));
    put("type", args.handler.clone().map(Value::from));
    put("typeHandlerVersion", args.version.clone().map(Value::from));
    let settings = args.settings.as_ref().map(read).transpose()?;
    put("settings", settings.or_else(|| args.port.map(|port| json!({"port": port}))));
    put("protectedSettings", args.protected_settings.as_ref().map(read).transpose()?);
    put("forceUpdateTag", args.force_update.then(|| Uuid::new_v4().to_string().into()));
    Ok(said)
}

/// One that isn't there yet.
async fn new(arm: &Arm, args: &ExtensionSetArgs, said: Map<String, Value>) -> anyhow::Result<Value> {
    let mut properties = Map::from_iter([
        ("publisher".to_owned(), json!(PUBLISHER)),
        ("type".to_owned(), json!(args.name)),
        ("typeHandlerVersion".to_owned(), json!(VERSION)),
        ("autoUpgradeMinorVersion".to_owned(), json!(true)),
    ]);
    properties.extend(said);
    if args.host.vmss.is_some() {
        return Ok(json!({"properties": properties}));
    }
    // It lies where its VM is.
    let vm = arm.get(&super::host(arm, &args.host)?).await?;
    Ok(json!({"location": document::word(&vm, "/location"), "properties": properties}))
}

/// An object that lies elsewhere. What is in it is never said: it may be secret.
fn read(source: &JsonSource) -> anyhow::Result<Value> {
    let (text, place) = match source {
        JsonSource::Variable(name) => {
            let text = env_vars::read(name);
            (text.with_context(|| format!("the environment variable {name} isn't set"))?, name.clone())
        }
        JsonSource::File(path) => {
            let text = std::fs::read_to_string(path);
            let place = path.display().to_string();
            (text.with_context(|| format!("{place} can't be read; write FILE or env:NAME"))?, place)
        }
    };
    let object: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|why| anyhow::anyhow!("{place} isn't a JSON object: line {}, column {}", why.line(), why.column()))?;
    Ok(object.into())
}
