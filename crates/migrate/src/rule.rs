//! What is looked for: each rule's id, words and fix.

use crate::finding::Level;

/// A kind of use of the extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The token endpoint's URL or address.
    Endpoint,
    /// Its port, on its own.
    Port,
    /// `MSI_ENDPOINT` that is given the endpoint.
    EndpointSetting,
    /// `MSI_ENDPOINT` that is read.
    EndpointRead,
    /// The discovery document.
    Discovery,
    /// The discovery document, or its folder, mounted into a container.
    DiscoveryMount,
    /// The extension in a template.
    Resource,
    /// A command that installs the extension.
    Command,
    /// Any other naming of the extension or its files.
    Name,
    /// A client library from before it used the metadata service.
    Client,
    /// A call that asks the extension whatever the library's version.
    Call,
    /// An option that tells a client the extension's port.
    PortOption,
}

/// A rule's words.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// It never changes and is never given to another rule.
    pub id: &'static str,
    /// A short name.
    pub name: &'static str,
    /// How sure a finding is where nothing near it says otherwise.
    pub level: Level,
    /// One line: what was found.
    pub summary: &'static str,
    /// Why it matters.
    pub explanation: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Whether `apply` rewrites some of its findings.
    pub rewritten: bool,
}

impl Rule {
    /// All, by their ids.
    pub const ALL: [Self; 12] = [
        Self::Endpoint,
        Self::Port,
        Self::EndpointSetting,
        Self::EndpointRead,
        Self::Discovery,
        Self::DiscoveryMount,
        Self::Resource,
        Self::Command,
        Self::Name,
        Self::Client,
        Self::Call,
        Self::PortOption,
    ];

    /// Its words.
    #[must_use]
    pub const fn info(self) -> &'static Info {
        match self {
            Self::Endpoint => &Info {
                id: "SYM001",
                name: "endpoint",
                level: Level::Error,
                summary: "the extension's token endpoint",
                explanation: "The extension answers at `http://localhost:PORT/oauth2/token`, by default on port 50342. Once the \
                              extension is gone nothing listens there and the caller gets a refused connection.",
                fix: "Ask the metadata service: GET `/metadata/identity/oauth2/token` at its well-known address, with \
                      `api-version=2018-02-01` and the resource in the query and the header `Metadata: true`. A form that was \
                      posted becomes a query.",
                rewritten: true,
            },
            Self::Port => &Info {
                id: "SYM002",
                name: "port",
                level: Level::Warning,
                summary: "the extension's port",
                explanation: "A port that only the extension uses, in a setting, a default or a firewall rule. Whatever takes \
                              it builds the address of the endpoint elsewhere.",
                fix: "Take the setting away with the code that reads it; the metadata service has no port to choose.",
                rewritten: false,
            },
            Self::EndpointSetting => &Info {
                id: "SYM003",
                name: "endpoint-setting",
                level: Level::Error,
                summary: "a setting leads clients to the extension",
                explanation: "With `MSI_ENDPOINT` set and `MSI_SECRET` not, Azure's libraries post their requests to that URL \
                              instead of asking the metadata service. `ARM_MSI_ENDPOINT` and `msi_endpoint` do the same to \
                              Terraform, and `AZUREPS_HOST_ENVIRONMENT` that begins with `cloud-shell` does it to MSAL for \
                              Python.",
                fix: "Take the setting away: without it the libraries ask the metadata service.",
                rewritten: true,
            },
            Self::EndpointRead => &Info {
                id: "SYM004",
                name: "endpoint-read",
                level: Level::Warning,
                summary: "MSI_ENDPOINT is read",
                explanation: "The code sends its requests to whatever `MSI_ENDPOINT` names. App Service sets it too, together \
                              with `MSI_SECRET`: where a file names both, this is only a note.",
                fix: "Use a current library (azure-identity, MSAL), or ask the metadata service where only `MSI_ENDPOINT` is \
                      set.",
                rewritten: false,
            },
            Self::Discovery => &Info {
                id: "SYM005",
                name: "discovery-document",
                level: Level::Error,
                summary: "the extension's discovery document",
                explanation: "`ManagedIdentity-Settings` holds the endpoint's URL: `/var/lib/waagent/ManagedIdentity-Settings` on \
                              Linux, `%SystemDrive%\\WindowsAzure\\Config\\ManagedIdentity-Settings` on Windows. It goes with the \
                              extension, and its readers fail with \"no such file or directory\".",
                fix: "Read no file: the metadata service's address is always the same.",
                rewritten: false,
            },
            Self::DiscoveryMount => &Info {
                id: "SYM006",
                name: "discovery-mount",
                level: Level::Error,
                summary: "the discovery document is mounted into a container",
                explanation: "Kubernetes components of 2017 and 2018 got `/var/lib/waagent` from their host to read the discovery \
                              document. The folder also holds the VM's keys.",
                fix: "Take the volume and its mount away, and use a version of the program that asks the metadata service.",
                rewritten: false,
            },
            Self::Resource => &Info {
                id: "SYM007",
                name: "extension-resource",
                level: Level::Error,
                summary: "a template installs the extension",
                explanation: "The template, playbook or configuration puts the extension on machines, also where it was removed \
                              by hand.",
                fix: "Remove the resource, what depends on it, and its parameters.",
                rewritten: true,
            },
            Self::Command => &Info {
                id: "SYM008",
                name: "extension-command",
                level: Level::Error,
                summary: "a command installs the extension",
                explanation: "`az vm extension set`, `Set-AzVMExtension`, `Add-AzVmssExtension` and their like put the extension \
                              on a machine. A command that removes it is only a note.",
                fix: "Remove the command. An identity needs none: `az vm identity assign` is enough.",
                rewritten: false,
            },
            Self::Name => &Info {
                id: "SYM009",
                name: "extension-name",
                level: Level::Warning,
                summary: "the extension's name",
                explanation: "The extension, its handler or its folders are named: in a policy, a check, a monitor or a variable of \
                              a template.",
                fix: "See whether it still means anything without the extension.",
                rewritten: false,
            },
            Self::Client => &Info {
                id: "SYM010",
                name: "old-client",
                level: Level::Error,
                summary: "a client library that asks the extension",
                explanation: "This version is from before the library asked the metadata service. The table below says where each \
                              library changed.",
                fix: "Take the version of the table or a later one; better, the library that followed (azure-identity, MSAL).",
                rewritten: false,
            },
            Self::Call => &Info {
                id: "SYM011",
                name: "client-call",
                level: Level::Warning,
                summary: "a call that asks the extension",
                explanation: "msrestazure's `get_msi_token` goes to `http://localhost:PORT/oauth2/token` in every version unless \
                              `MSI_ENDPOINT` names another place.",
                fix: "Use azure-identity's `ManagedIdentityCredential`, or msrestazure's `MSIAuthentication`.",
                rewritten: false,
            },
            Self::PortOption => &Info {
                id: "SYM012",
                name: "port-option",
                level: Level::Error,
                summary: "an option that names the extension's port",
                explanation: "`-ManagedServicePort` of `Connect-AzureRmAccount`, `--msi-port` and `--identity-port` of `az login` tell \
                              the client where the extension listens. Later versions don't know them and refuse the command.",
                fix: "Leave the option out.",
                rewritten: false,
            },
        }
    }

    /// Its id, such as `SYM001`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.info().id
    }

    /// The rule with an id, in any case.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id().eq_ignore_ascii_case(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_order_and_lead_back_to_their_rules() {
        for (number, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!(rule.id(), format!("SYM{:03}", number + 1));
            assert_eq!(Rule::of_id(&rule.id().to_lowercase()), Some(rule));
        }
        assert_eq!(Rule::of_id("SYM999"), None);
    }
}
