//! The number that names a template's content.

use serde_json::Value;
use uuid::Uuid;

/// The namespace of template hashes: nobody else's.
const NAMESPACE: Uuid = Uuid::from_u128(0x9a5f_0d2e_46c1_5b0e_8f67_3b1d_c2a4_7e10);

/// The `templateHash` of a template: a decimal number of up to 20 digits, the same for the same content whatever the
/// order of its members, in every version of this program. Azure's own algorithm is not public; nothing compares the
/// two.
pub fn template_hash(template: &Value) -> String {
    let mut text = String::new();
    canonical(template, &mut text);
    Uuid::new_v5(&NAMESPACE, text.as_bytes()).as_u64_pair().0.to_string()
}

/// JSON with its members in order.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
        Value::Array(elements) => {
            text.push('[');
            for element in elements {
                canonical(element, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, member) in members {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                canonical(member, text);
                text.push(',');
            }
            text.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hash_is_of_the_content() {
        let one = template_hash(&json!({"a": 1, "b": [true, null]}));
        assert_eq!(one, template_hash(&json!({"b": [true, null], "a": 1})));
        assert_ne!(one, template_hash(&json!({"a": 1, "b": [null, true]})));
        assert!(one.parse::<u64>().is_ok());
    }

    #[test]
    fn a_hash_stays_what_it_was() {
        assert_eq!(template_hash(&json!({})), "14563909567792567089");
    }
}
