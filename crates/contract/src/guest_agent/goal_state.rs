//! The goal state of a VM, and the WireServer's documents made of it.

use super::xml::Escaped as E;
use super::{WIRE_VERSION, protected};

/// What a VM's agent is to bring about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalState {
    /// Counts the changes of anything in it; an agent acts on another number than before.
    pub incarnation: u64,
    /// Another one at every incarnation, without its quotes.
    pub etag: String,
    /// When it changed last, in units of 100 ns since the year 1. Of two forms an agent takes the later one.
    pub ticks: u64,
    /// Names the change, a GUID.
    pub activity_id: String,
    /// Names the VM on its host, a GUID.
    pub container_id: String,
    /// Names what it belongs to, a GUID.
    pub deployment_id: String,
    /// The VM's name.
    pub vm_name: String,
    /// The VM's id, a GUID.
    pub vm_id: String,
    /// Its subscription.
    pub subscription_id: String,
    /// Its resource group.
    pub resource_group: String,
    /// Its region.
    pub location: String,
    /// Its size.
    pub vm_size: String,
    /// Its extensions.
    pub extensions: Vec<WantedExtension>,
    /// Where its status is put.
    pub status_blob_url: String,
    /// How it reaches the WireServer, without a slash at the end.
    pub base_url: String,
    /// Whether there is a certificate to fetch.
    pub has_certificates: bool,
}

/// An extension in a goal state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedExtension {
    /// `Publisher.Type`.
    pub name: String,
    /// The full version.
    pub version: String,
    /// Where its package is told.
    pub manifest_url: String,
    /// What is to become of it.
    pub state: WantedState,
    /// Whether newer minor versions are welcome.
    pub auto_upgrade: bool,
    /// Another number makes the handler run again with these settings.
    pub sequence: u64,
    /// The public settings, JSON text of an object.
    pub settings: Option<String>,
    /// The protected settings.
    pub protected: Option<Protected>,
}

/// What is to become of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedState {
    /// Installed and at work.
    Enabled,
    /// Installed and idle.
    Disabled,
    /// Gone.
    Uninstall,
}

impl WantedState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Disabled, Self::Uninstall];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Uninstall => "uninstall",
        }
    }
}

/// Settings that only one VM can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// A CMS envelope, base64 of DER.
    pub cms_base64: String,
    /// The certificate it is for: SHA-1 in upper-case hexadecimal.
    pub thumbprint: String,
}

/// `GET /?comp=versions`.
#[must_use]
pub fn versions() -> String {
    format!(
        "{HEAD}<Versions><Preferred><Version>{WIRE_VERSION}</Version></Preferred><Supported>\
         <Version>2015-04-05</Version><Version>{WIRE_VERSION}</Version></Supported></Versions>"
    )
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

impl GoalState {
    /// How the WireServer names the VM: the deployment and the VM's own name.
    #[must_use]
    pub fn instance_id(&self) -> String {
        format!("{}.{}", self.deployment_id, self.vm_name)
    }

    /// What comes back in `x-ms-host-config-name`.
    #[must_use]
    pub fn config_name(&self) -> String {
        let deployment = &self.deployment_id;
        format!("{deployment}.0.{deployment}.0._{}.1.xml", self.vm_name)
    }

    /// `GET /machine/?comp=goalstate`.
    #[must_use]
    pub fn xml(&self) -> String {
        let (incarnation, container, instance) = (self.incarnation, E(&self.container_id), self.instance_id());
        let machine = format!("{}/machine/{}/{instance}", self.base_url, self.container_id);
        let config = |name: &str, kind: &str| {
            let url = format!("{machine}?comp=config&type={kind}&incarnation={incarnation}");
            format!("<{name}>{}</{name}>", E(&url))
        };
        let mut configuration = config("HostingEnvironmentConfig", "hostingEnvironmentConfig")
            + &config("SharedConfig", "sharedConfig")
            + &config("ExtensionsConfig", "extensionsConfig")
            + &config("FullConfig", "fullConfig");
        if self.has_certificates {
            let url = format!("{machine}?comp=certificates&incarnation={incarnation}");
            configuration += &format!("<Certificates>{}</Certificates>", E(&url));
        }
        format!(
            "{HEAD}<GoalState xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xsi:noNamespaceSchemaLocation=\"goalstate10.xsd\"><Version>{WIRE_VERSION}</Version>\
             <Incarnation>{incarnation}</Incarnation><Machine><ExpectedState>Started</ExpectedState>\
             <StopRolesDeadlineHint>300000</StopRolesDeadlineHint><LBProbePorts><Port>16001</Port></LBProbePorts>\
             <ExpectHealthReport>FALSE</ExpectHealthReport></Machine><Container><ContainerId>{container}</ContainerId>\
             <RoleInstanceList><RoleInstance><InstanceId>{}</InstanceId><State>Started</State><Configuration>\
             {configuration}<ConfigName>{}</ConfigName></Configuration></RoleInstance></RoleInstanceList></Container>\
             </GoalState>",
            E(&instance),
            E(&self.config_name()),
        )
    }

    /// What `HostingEnvironmentConfig` leads to.
    #[must_use]
    pub fn hosting_environment_xml(&self) -> String {
        let (incarnation, vm, deployment) = (self.incarnation, E(&self.vm_name), E(&self.deployment_id));
        let guid = format!("{{{deployment}}}");
        format!(
            "{HEAD}<HostingEnvironmentConfig version=\"1.0.0.0\" goalStateIncarnation=\"{incarnation}\">\
             <StoredCertificates/><Deployment name=\"{deployment}\" guid=\"{guid}\" incarnation=\"0\">\
             <Service name=\"{deployment}\" guid=\"{guid}\"/>\
             <ServiceInstance name=\"{deployment}.0\" guid=\"{guid}\"/></Deployment>\
             <Incarnation number=\"{incarnation}\" instance=\"{vm}\" guid=\"{guid}\"/>\
             <Role guid=\"{guid}\" name=\"{vm}\"/></HostingEnvironmentConfig>"
        )
    }

    /// What `SharedConfig` leads to.
    #[must_use]
    pub fn shared_config_xml(&self) -> String {
        let (incarnation, deployment) = (self.incarnation, E(&self.deployment_id));
        format!(
            "{HEAD}<SharedConfig version=\"1.0.0.0\" goalStateIncarnation=\"{incarnation}\">\
             <Deployment name=\"{deployment}\" guid=\"{{{deployment}}}\" incarnation=\"0\"/></SharedConfig>"
        )
    }

    /// What `ExtensionsConfig` leads to.
    #[must_use]
    pub fn extensions_config_xml(&self) -> String {
        let mut plugins = String::new();
        let mut settings = String::new();
        for extension in &self.extensions {
            let (name, version) = (E(&extension.name), E(&extension.version));
            let (manifest, state, upgrade) =
                (E(&extension.manifest_url), extension.state.as_str(), extension.auto_upgrade);
            plugins += &format!(
                "<Plugin name=\"{name}\" version=\"{version}\" location=\"{manifest}\" failoverlocation=\"{manifest}\" \
                 config=\"\" state=\"{state}\" autoUpgrade=\"{upgrade}\" runAsStartupTask=\"false\" isJson=\"true\" \
                 useExactVersion=\"true\"/>"
            );
            if extension.has_settings() {
                let (text, sequence) = (extension.settings_file(), extension.sequence);
                settings += &format!(
                    "<Plugin name=\"{name}\" version=\"{version}\"><RuntimeSettings seqNo=\"{sequence}\">{}\
                     </RuntimeSettings></Plugin>",
                    E(&text)
                );
            }
        }
        let (incarnation, activity, ticks) = (self.incarnation, E(&self.activity_id), self.ticks);
        format!(
            "{HEAD}<Extensions version=\"1.0.0.0\" goalStateIncarnation=\"{incarnation}\">\
             <GuestAgentExtension xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><GAFamilies><GAFamily>\
             <Name>Prod</Name><Uris><Uri>{}</Uri></Uris></GAFamily></GAFamilies></GuestAgentExtension>\
             <Plugins>{plugins}</Plugins><PluginSettings>{settings}</PluginSettings>\
             <InVMGoalStateMetaData inSvdSeqNo=\"{incarnation}\" createdOnTicks=\"{ticks}\" activityId=\"{activity}\" \
             correlationId=\"{activity}\"/><StatusUploadBlob statusBlobType=\"BlockBlob\">{}</StatusUploadBlob>\
             </Extensions>",
            E(&self.agent_manifest_url()),
            E(&self.status_blob_url),
        )
    }

    /// What `Certificates` leads to: a CMS envelope for the agent's certificate, base64 of DER, around a PFX. The agent
    /// pastes it into a MIME file, so it is broken into lines.
    #[must_use]
    pub fn certificates_xml(&self, cms_base64: &str) -> String {
        let mut data = String::with_capacity(cms_base64.len() + cms_base64.len() / 76 + 1);
        for (number, c) in cms_base64.chars().filter(|c| !c.is_whitespace()).enumerate() {
            if number > 0 && number % 76 == 0 {
                data.push('\n');
            }
            data.push(c);
        }
        let incarnation = self.incarnation;
        format!(
            "{HEAD}<CertificateFile><Version>{WIRE_VERSION}</Version><Incarnation>{incarnation}</Incarnation>\
             <Format>{}</Format><Data>{data}</Data></CertificateFile>",
            protected::CERTIFICATE_FORMAT
        )
    }

    /// Where agents look for newer versions of themselves.
    #[must_use]
    pub fn agent_manifest_url(&self) -> String {
        format!("{}/extensions/ga_manifest.xml", self.base_url)
    }
}

impl WantedExtension {
    /// Whether there are any settings; without any an agent makes an empty file.
    #[must_use]
    pub fn has_settings(&self) -> bool {
        self.settings.is_some() || self.protected.is_some()
    }

    /// The settings as an agent writes them to the handler's `config/<N>.settings`. Public settings that aren't JSON are
    /// taken for none.
    #[must_use]
    pub fn settings_file(&self) -> String {
        let public = self.settings.as_deref().and_then(|text| serde_json::from_str(text).ok());
        super::handler::Settings { public, protected: self.protected.clone() }.text()
    }
}
