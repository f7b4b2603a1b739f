//! Bounds of everything that a template can make large. Those of Azure are from Microsoft's "Template best practices"
//! and "Resource limits"; the others keep a small template from becoming a large value. Each error names its limit.

/// Longest request body, in bytes: Azure's limit for a template with its parameters.
pub const BODY_BYTES: usize = 4 * 1_024 * 1_024;
/// Most values in a request body. A template of Azure's full size has far fewer; what has more is all brackets.
pub const VALUES: usize = 500_000;
/// Deepest nesting of objects and arrays, in a body and in an evaluated value.
pub const DEPTH: usize = 100;
/// Longest string, in bytes, in a body and in an evaluated value.
pub const STRING_BYTES: usize = 1_024 * 1_024;
/// Most resources of one template, copies counted one by one (Azure's limit).
pub const RESOURCES: usize = 800;
/// Highest count of a copy (Azure's limit).
pub const COPIES: usize = 800;
/// Most parameters of a template (Azure's limit).
pub const PARAMETERS: usize = 256;
/// Most variables of a template, those of a copy counted once (Azure's limit).
pub const VARIABLES: usize = 256;
/// Most outputs of a template (Azure's limit).
pub const OUTPUTS: usize = 64;
/// Longest expression, in characters (Azure's limit).
pub const EXPRESSION_CHARACTERS: usize = 24_576;
/// Deepest nesting of an expression: calls, indexes, accesses.
pub const EXPRESSION_DEPTH: usize = 100;
/// Deepest nesting of what is evaluated: values, the expressions in them, and functions of the template's own that call one
/// another.
pub const EVALUATION_DEPTH: usize = 300;
/// Deepest nesting of deployments in deployments that planning follows.
pub const NESTED_DEPLOYMENTS: usize = 8;
/// Most steps of one planning or of one evaluation of a body: calls, values, edges of the order.
pub const STEPS: u64 = 2_000_000;
/// Most bytes that one planning or one evaluation of a body may handle, all values added up.
pub const EVALUATED_BYTES: u64 = 64 * 1_024 * 1_024;
/// Most elements that `range` makes (Azure's limit).
pub const RANGE: i64 = 10_000;
