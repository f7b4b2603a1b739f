//! What an export is asked for.

use crate::members::Members;

/// The `options` of the request, and what is not exported of each resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportOptions<'a> {
    /// `IncludeComments`: each resource says which one it was made from.
    pub include_comments: bool,
    /// `IncludeParameterDefaultValue`: parameters have what was found as default.
    pub include_parameter_default_value: bool,
    /// `SkipResourceNameParameterization`: names are literal.
    pub skip_resource_name_parameterization: bool,
    /// `SkipAllParameterization`: there is no parameter at all.
    pub skip_all_parameterization: bool,
    /// What the server makes, and no template may give.
    pub read_only: Members<'a>,
}

impl<'a> ExportOptions<'a> {
    /// Reads the names of options as a request lists them, separated by commas; unknown ones are ignored.
    pub fn parse(options: &str, read_only: Members<'a>) -> Self {
        let given = |name: &str| options.split(',').any(|option| option.trim().eq_ignore_ascii_case(name));
        Self {
            include_comments: given("IncludeComments"),
            include_parameter_default_value: given("IncludeParameterDefaultValue"),
            skip_resource_name_parameterization: given("SkipResourceNameParameterization"),
            skip_all_parameterization: given("SkipAllParameterization"),
            read_only,
        }
    }
}
