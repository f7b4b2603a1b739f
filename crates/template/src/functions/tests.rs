use serde_json::{Value, json};

use crate::context::{Context, ProviderType, ResourceGroup, Subscription};
use crate::error::Fault;
use crate::evaluate::{Evaluator, Scope, Values};
use crate::known::Known;
use crate::request::Mode;
use crate::secret::Secrets;
use crate::session::Session;
use crate::user_function::UserFunctions;

mod lambdas;
mod strings;
mod values;

const S: &str = "11111111-1111-1111-1111-111111111111";

fn scope() -> Scope {
    let vm = ProviderType {
        namespace: "Microsoft.Compute".to_owned(),
        resource_type: "virtualMachines".to_owned(),
        api_versions: vec!["2024-11-01".to_owned()],
        locations: vec!["westus".to_owned()],
    };
    let mut variables = Values::default();
    variables.set("Big", json!({"list": [1, [2, 3]], "Name": "x"}));
    let mut parameters = Values::default();
    parameters.set("Some", json!({"a": 1}));
    Scope {
        context: Context {
            subscription: Subscription {
                subscription_id: S.to_owned(),
                tenant_id: "t".to_owned(),
                display_name: "d".to_owned(),
            },
            resource_group: ResourceGroup {
                name: "rg".to_owned(),
                location: "westus".to_owned(),
                ..Default::default()
            },
            deployment_name: "d1".to_owned(),
            environment: json!({"name": "symbolon"}),
            providers: vec![vm].into(),
            started_at: 0,
            seed: uuid::Uuid::nil(),
        },
        mode: Mode::Incremental,
        template: json!({"contentVersion": "1.0.0.0"}),
        parameters,
        secrets: Secrets::default(),
        variables,
        functions: UserFunctions::default(),
        known: Known::default(),
    }
}

fn evaluate(expression: &str) -> Result<Value, Fault> {
    let (scope, session) = (scope(), Session::default());
    Evaluator::planning(&scope, &session).text(&format!("[{expression}]"))
}

fn refused(expression: &str) -> String {
    let Err(Fault::Invalid(what, _)) = evaluate(expression) else { panic!("{expression}") };
    what
}

fn all(cases: &[(&str, Value)]) {
    for (expression, expected) in cases {
        assert_eq!(evaluate(expression).as_ref(), Ok(expected), "{expression}");
    }
}

#[test]
fn surroundings() {
    all(&[
        ("parameters('SOME').a", json!(1)),
        ("resourceGroup().location", json!("westus")),
        ("resourceGroup().id", json!(format!("/subscriptions/{S}/resourceGroups/rg"))),
        ("subscription().tenantId", json!("t")),
        ("tenant().tenantId", json!("t")),
        ("deployment().name", json!("d1")),
        ("deployment().properties.template.contentVersion", json!("1.0.0.0")),
        ("environment().name", json!("symbolon")),
        ("providers('microsoft.compute', 'VirtualMachines').apiVersions[0]", json!("2024-11-01")),
        ("providers('Microsoft.Compute').resourceTypes[0].locations", json!(["westus"])),
    ]);
    all(&[("pickZones('Microsoft.Compute', 'virtualMachines', 'westus', 2, 1)", json!([]))]);
    assert!(refused("pickZones('Microsoft.Compute', 'nothing', 'westus')").contains("not known"));
    assert!(refused("copyIndex()").contains("not expected at this location"));
    assert!(refused("providers('Microsoft.Nothing')").contains("not known"));
    for waits in ["reference('/subscriptions/x').y", "references('copy')"] {
        assert_eq!(evaluate(waits), Err(Fault::NeedsRuntime), "{waits}");
    }
}

#[test]
fn ids() {
    let group = format!("/subscriptions/{S}/resourceGroups/rg");
    all(&[
        ("resourceId('ns/a', 'x')", json!(format!("{group}/providers/ns/a/x"))),
        ("resourceId('ns/a/b', 'x', 'y')", json!(format!("{group}/providers/ns/a/x/b/y"))),
        (
            "resourceId('other', 'ns/a', 'x')",
            json!(format!("/subscriptions/{S}/resourceGroups/other/providers/ns/a/x")),
        ),
        ("resourceId('s', 'g', 'ns/a', 'x')", json!("/subscriptions/s/resourceGroups/g/providers/ns/a/x")),
        ("subscriptionResourceId('ns/a', 'x')", json!(format!("/subscriptions/{S}/providers/ns/a/x"))),
        ("subscriptionResourceId('s', 'ns/a', 'x')", json!("/subscriptions/s/providers/ns/a/x")),
        (
            "managementGroupResourceId('m', 'ns/a', 'x')",
            json!("/providers/Microsoft.Management/managementGroups/m/providers/ns/a/x"),
        ),
        ("tenantResourceId('ns/a', 'x')", json!("/providers/ns/a/x")),
        ("extensionResourceId(resourceGroup().id, 'ns/a', 'x')", json!(format!("{group}/providers/ns/a/x"))),
    ]);
    let why = refused("resourceId('ns/a/b', 'x')");
    assert!(why.contains("the type 'ns/a/b' requires '2' resource name argument(s)"), "{why}");
}

#[test]
fn mistakes_are_named() {
    assert_eq!(refused("nofunc()"), "The template function 'nofunc' is not valid.");
    assert_eq!(refused("listKeys()"), "The template function 'listKeys' is not supported here.");
    for function in ["utcNow()", "newGuid()"] {
        assert!(refused(function).contains("is not expected at this location"), "{function}");
    }
    assert_eq!(refused("ns.f(1)"), "The template function 'ns.f' is not valid.");
    assert!(refused("variables('nope')").starts_with("The template variable 'nope' is not found."));
    assert!(refused("concat()").contains("it takes at least 1 argument(s), and gets 0"));
    assert!(refused("if(true())").contains("it takes 3 argument(s)"));
}

#[test]
fn bombs_end_at_a_limit() {
    let big = "padLeft('', 1000000, 'a')";
    assert!(refused(&format!("concat({big}, {big})")).contains("1048576"));
    assert!(refused(&format!("replace({big}, 'a', 'bcd')")).contains("1048576"));
    assert!(refused(&format!("format('{}', {big})", "{0}".repeat(1_000))).contains("1048576"));
    assert!(refused(&format!("join(range(0, 10000), {big})")).contains("1048576"));
    let many = vec![big; 90].join(", ");
    assert!(refused(&format!("createArray({many})")).contains("67108864"));
    assert!(refused(&format!("json('{}')", "[".repeat(20_000))).contains("JSON"));
}

#[test]
fn every_function_has_a_case() {
    let cases = [
        include_str!("tests.rs"),
        include_str!("tests/lambdas.rs"),
        include_str!("tests/strings.rs"),
        include_str!("tests/values.rs"),
    ]
    .concat();
    for function in super::FAMILIES.into_iter().flatten() {
        assert!(cases.contains(&format!("{}(", function.name)), "{} has no case", function.name);
    }
}
