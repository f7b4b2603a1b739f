//! `symbolon deployment export`.

use http::Method;
use serde_json::{Value, json};

use crate::args::arm::ArmArgs;
use crate::arm::Arm;
use crate::arm::document::word;
use crate::arm::operation::Change;
use crate::printer::Printer;

pub(super) async fn export(args: &ArmArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(args).await?;
    let target = arm.group()?.below(&["exportTemplate"]);
    let body = json!({"resources": ["*"], "outputFormat": "Json"}).to_string().into();
    let doing = format!("exporting {}", target.title);
    let change = Change { method: Method::POST, target: &target, body, doing: &doing };
    let found = arm.ask(change, printer).await?;
    if args.json {
        return printer.json_pretty(&found);
    }
    printer.json_pretty(found.get("template").unwrap_or(&Value::Null))?;
    // The rest is exported: so it is a remark and no failure.
    if let Some(error) = found.get("error") {
        printer.note(format!("{}: {}", word(error, "/code"), word(error, "/message")))?;
        let details = error.get("details").and_then(Value::as_array);
        for detail in details.into_iter().flatten() {
            printer.note(format!("  {}: {}", word(detail, "/code"), word(detail, "/message")))?;
        }
    }
    Ok(())
}
