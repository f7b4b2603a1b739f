use super::resource::word;
use super::*;
use crate::apply::source::edited;

fn removed(text: &str) -> String {
    let removal = remove(text);
    assert_eq!(removal.why, None, "{text}");
    edited(text, removal.edits)
}

const MSI: &str = r#"{"name": "vm/msi", "properties": {"publisher": "Microsoft.ManagedIdentity"}}"#;

#[test]
fn a_resource_goes_with_one_comma_wherever_it_stands() {
    for (before, after) in [
        (format!(r#"{{"resources": [{MSI}, {{}}]}}"#), r#"{"resources": [{}]}"#),
        (format!(r#"{{"resources": [{{}}, {MSI}]}}"#), r#"{"resources": [{}]}"#),
        (format!(r#"{{"resources": [{{}}, {MSI}, {MSI}]}}"#), r#"{"resources": [{}]}"#),
        (format!(r#"{{"resources": [{MSI}]}}"#), r#"{"resources": []}"#),
        (format!("\u{feff}{{\"resources\": [{MSI}]}}"), "\u{feff}{\"resources\": []}"),
        (format!(r#"{{"resources": [{{}}, {MSI},]}}"#), r#"{"resources": [{},]}"#),
        (format!(r#"{{"resources": {{"msi": {MSI}, "a": {{}}}}}}"#), r#"{"resources": {"a": {}}}"#),
    ] {
        assert_eq!(removed(&before), after);
    }
}

#[test]
fn what_depends_on_it_is_told_from_what_has_a_like_name() {
    let text = format!(
        r#"{{"resources": [{MSI}, {{"dependsOn": ["[resourceId('Microsoft.Compute/virtualMachines/extensions', 'vm', 'msi')]", "msi-identity"]}}]}}"#
    );
    assert_eq!(removed(&text), r#"{"resources": [{"dependsOn": ["msi-identity"]}]}"#);
    let only = format!(r#"{{"resources": [{MSI}, {{"a": 1, "dependsOn": ["vm/msi"]}}]}}"#);
    assert_eq!(removed(&only), r#"{"resources": [{"a": 1}]}"#);
}

#[test]
fn a_template_that_refers_to_it_elsewhere_or_does_not_parse_is_left_alone() {
    let text = format!(
        r#"{{"resources": [{MSI}], "outputs": {{"a": "[reference(resourceId('Microsoft.Compute/virtualMachines/extensions', 'vm', 'msi'))]"}}}}"#
    );
    for text in [&text, "{", &format!(r#"{{"extension": {MSI}}}"#)] {
        let removal = remove(text);
        assert!(removal.why.is_some() && removal.edits.is_empty(), "{text}");
    }
}

#[test]
fn the_word_of_a_name_is_its_last_part() {
    for (name, wanted) in [
        ("vm/msi", "msi"),
        ("[concat(variables('vmName'),'/ManagedIdentityExtensionForLinux')]", "ManagedIdentityExtensionForLinux"),
        ("[concat(variables('vmName'), '/', variables('msiName'))]", "variables('msiName')"),
        ("[concat(parameters('vm'), '/msi')]", "msi"),
        ("[concat('vm', copyIndex())]", "concat('vm', copyIndex())"),
    ] {
        assert_eq!(word(name), wanted);
    }
}

/// A template with the extension as `vm/msi` and another resource.
fn beside(other: &str) -> String {
    format!(r#"{{"resources": [{MSI}, {other}]}}"#)
}

#[test]
fn what_another_extension_depends_on_stays() {
    let id = "[resourceId('Microsoft.Compute/virtualMachines/extensions', 'vm', ";
    for kept in [
        format!("{id}'install-msi-agent')]"),
        "[concat('Microsoft.Compute/virtualMachines/vm/extensions/', 'msi2')]".to_owned(),
        "Microsoft.Compute/virtualMachines/vm/extensions/msi-agent".to_owned(),
        "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'msi')]".to_owned(),
    ] {
        let other = format!(r#"{{"dependsOn": ["{kept}"]}}"#);
        assert_eq!(removed(&beside(&other)), format!(r#"{{"resources": [{other}]}}"#));
    }
    for gone in [format!("{id}'MSI')]"), "Microsoft.Compute/virtualMachines/vm/extensions/msi".to_owned()] {
        assert_eq!(removed(&beside(&format!(r#"{{"dependsOn": ["{gone}"]}}"#))), r#"{"resources": [{}]}"#);
    }
    // What may be it and what may be another's stays for a person.
    for unsure in [format!("{id}variables('msi'))]"), id.replace("'vm', ", "'msi', 'setup')]")] {
        let removal = remove(&beside(&format!(r#"{{"dependsOn": ["{unsure}"]}}"#)));
        assert!(removal.why.is_some() && removal.edits.is_empty(), "{unsure}");
    }
}

#[test]
fn a_reference_by_a_name_or_a_symbolic_name_is_found() {
    let symbolic =
        |other: &str| format!(r#"{{"resources": {{"ext": {MSI}, "a": {{}}}}, "outputs": {{"o": "{other}"}}}}"#);
    for text in [
        symbolic("[reference('ext').provisioningState]"),
        symbolic("[references('Ext')]"),
        symbolic("[reference('ext[0]')]"),
        symbolic("[format('{0}', 'ext')]"),
        symbolic("[reference(resourceId('Microsoft.Compute/virtualMachines/extensions', 'vm', 'msi'))]"),
        beside(r#"{"tags": {"state": "[reference('msi').provisioningState]"}}"#),
        beside(r#"{"tags": {"state": "[reference('vm/msi').provisioningState]"}}"#),
    ] {
        let removal = remove(&text);
        assert!(removal.why.is_some() && removal.edits.is_empty(), "{text}");
    }
    assert_eq!(
        removed(&symbolic("[reference('next')]")),
        r#"{"resources": {"a": {}}, "outputs": {"o": "[reference('next')]"}}"#
    );
    let ordered = format!(r#"{{"resources": {{"ext": {MSI}, "a": {{"dependsOn": ["ext", "msi"]}}, "msi": {{}}}}}}"#);
    assert_eq!(removed(&ordered), r#"{"resources": {"a": {"dependsOn": ["msi"]}, "msi": {}}}"#);
}
