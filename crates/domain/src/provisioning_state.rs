//! How far a resource is from what was asked for.

/// How far a resource is from what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProvisioningState {
    /// On its way, for the first time.
    Creating,
    /// On its way to something else.
    Updating,
    /// As asked for.
    #[default]
    Succeeded,
    /// Not as asked for; nothing more will happen by itself.
    Failed,
    /// On its way out.
    Deleting,
}

impl ProvisioningState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Creating, Self::Updating, Self::Succeeded, Self::Failed, Self::Deleting];

    /// Its name on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
        }
    }

    /// Whether something is still to happen.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Creating | Self::Updating | Self::Deleting => true,
            Self::Succeeded | Self::Failed => false,
        }
    }
}
