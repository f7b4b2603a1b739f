//! What can be typed: argument types only, no behaviour.

pub(crate) mod arm;
pub(crate) mod deployment;
pub(crate) mod event;
pub(crate) mod extension;
pub(crate) mod host;
pub(crate) mod identity;
pub(crate) mod migrate;
pub(crate) mod playbook;
pub(crate) mod vm;
pub(crate) mod vmss;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use control::attestation::{DEFAULT_NAME, Naming, check_name};

use self::deployment::DeploymentCommand;
use self::event::EventCommand;
use self::extension::ExtensionCommand;
use self::host::HostArgs;
use self::identity::IdentityCommand;
use self::migrate::MigrateCommand;
use self::playbook::PlaybookCommand;
use self::vm::VmCommand;
use self::vmss::VmssCommand;
use crate::env_vars;
use crate::up::issuer_certificate;
use crate::up::wire_server::WireAddress;

/// The extension that the commands speak of when nothing is said.
pub(crate) const MANAGED_IDENTITY: &str = "ManagedIdentityExtensionForLinux";

/// Managed identities for any machine: a workload asks a local endpoint for an access token and gets one;
/// no secret lives in the workload.
#[derive(Debug, Parser)]
#[command(name = "symbolon", disable_version_flag = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: metadata service, VM extension, authority
    Up(UpArgs),
    /// Run the metadata service of a host's VMs, with tokens from an authority across the network
    Host(HostArgs),
    /// Run a command with the variable set by which Azure SDKs find their endpoint
    ///
    /// The libraries for Go and Rust ignore the metadata service's variable and dial 169.254.169.254 whatever is set:
    /// on a cloud machine that is a real metadata service. Run those in a network namespace; docs/guides/clients.md
    /// says how, and how each client finds its endpoint.
    Run(RunArgs),
    /// Print the variables that lead Azure SDKs to their endpoint (which ones: see `run --help`)
    Env(EnvArgs),
    /// Ask for a token as a client would
    Token(TokenArgs),
    /// VMs of a running `symbolon up`
    #[command(subcommand)]
    Vm(VmCommand),
    /// Scale sets of a running `symbolon up`
    #[command(subcommand)]
    Vmss(VmssCommand),
    /// User-assigned identities of a running `symbolon up`
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Extensions of VMs and scale sets of a running `symbolon up`
    #[command(subcommand)]
    Extension(ExtensionCommand),
    /// Scheduled events of VMs of a running `symbolon up`
    #[command(subcommand)]
    Event(EventCommand),
    /// Templates: deploy, check, compare, export
    #[command(subcommand)]
    Deployment(DeploymentCommand),
    /// Leave the VM extension: find what uses it, change it
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Faults on purpose: what a client under test meets at the endpoints of a running `symbolon up`
    #[command(subcommand)]
    Playbook(PlaybookCommand),
    /// Check this machine and a running `symbolon up`; say what to do
    Doctor(DoctorArgs),
    /// Print the version
    Version(VersionArgs),
}

/// What the certificate says that attested documents are signed with.
#[derive(Debug, Args)]
pub(crate) struct AttestedArgs {
    /// The name in the certificate that attested documents are signed with
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME, value_parser = check_name)]
    pub(crate) attested_name: String,
    /// Where that certificate says its issuer's is to be had (tls/ca.pem in the data directory, as DER)
    #[arg(long, value_name = "URL", value_parser = issuer_certificate::url)]
    pub(crate) attested_issuer_url: Option<String>,
    /// Serve it at this address, at the path of --attested-issuer-url
    #[arg(long, value_name = "ADDR", requires = "attested_issuer_url", value_parser = address_with_port(80))]
    pub(crate) attested_issuer_listen: Option<SocketAddr>,
}

impl AttestedArgs {
    pub(crate) fn naming(&self) -> Naming {
        Naming { name: self.attested_name.clone(), issuer_url: self.attested_issuer_url.clone() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Keep nothing: a temporary data directory that goes when the process ends
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) ephemeral: bool,
    /// What exists: tenants, identities, virtual machines (YAML). Without it: one sample VM
    #[arg(long, value_name = "FILE.yaml")]
    pub(crate) seed: Option<PathBuf>,
    /// Faults on purpose from the start on, for the first VM and those in its subscription (YAML)
    #[arg(long, value_name = "FILE.yaml")]
    pub(crate) playbook: Option<PathBuf>,
    /// Where the first VM's metadata service listens; a port of 0 takes a free one
    #[arg(long, value_name = "ADDR", value_parser = address_with_port(80))]
    pub(crate) imds: Option<SocketAddr>,
    /// Where the authority listens (HTTPS)
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:16926", value_parser = address_with_port(16926))]
    pub(crate) https: SocketAddr,
    /// Where /metrics, /healthz and /readyz are
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:16927", value_parser = address_with_port(16927))]
    pub(crate) metrics: SocketAddr,
    /// The port of the first VM's extension endpoint, instead of the one in its settings; 0 takes a free one
    #[arg(long, value_name = "N", conflicts_with = "no_extension")]
    pub(crate) extension_port: Option<u16>,
    /// Also write each extension's discovery file where everyone can read it: DIR/VM/ManagedIdentity-Settings
    #[arg(long, value_name = "DIR", conflicts_with = "no_extension")]
    pub(crate) discovery_dir: Option<PathBuf>,
    /// Be the host that a VM's guest agent finds, for the first VM or `vm=NAME`; may be repeated. A bare address has the
    /// ports that agents look for, 80 and 32526. `dev=DEVICE` answers only what comes from that network device: give it
    /// wherever there is more than one VM. The well-known address of Azure's host belongs in a network
    /// namespace of your own
    #[arg(long, value_name = "[vm=NAME,][dev=DEVICE,]ADDR", conflicts_with = "no_extension")]
    pub(crate) wireserver: Vec<WireAddress>,
    /// Where the packages of extensions lie that guest agents install [default: packages in the data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) packages: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) attested: AttestedArgs,
    /// Open no extension endpoint
    #[arg(long)]
    pub(crate) no_extension: bool,
    /// Who the tokens say they are from; `{tenant}` stands for the tenant's id
    #[arg(long, value_name = "TEMPLATE", default_value = "https://sts.windows.net/{tenant}/", value_parser = issuer)]
    pub(crate) issuer: String,
    /// Limit each VM's requests as Azure does: 20 a second and 5 at once
    #[arg(long)]
    pub(crate) throttle: bool,
    /// When ready, print one line of JSON and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    // Not the parser's `env`: a value from there would count as typed, and contradict --ephemeral.
    #[arg(long, value_name = "DIR", help = format!("Where keys and state lie [env: {}]", env_vars::DATA_DIR))]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// The Instance Metadata Service
    Imds,
    /// The token endpoint of the VM extension
    Extension,
}

#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Which VM of the running `symbolon up`, by name or resource id; without it the first
    #[arg(long, value_name = "NAME")]
    pub(crate) vm: Option<String>,
    /// Which endpoint
    #[arg(long, value_enum, default_value = "imds")]
    pub(crate) source: Source,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// The command and its arguments, after `--`
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) command: Vec<std::ffi::OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EnvFormat {
    /// export NAME='value'
    Sh,
    /// $env:NAME = 'value'
    Powershell,
    /// NAME="value"
    Dotenv,
    /// One JSON object
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// How to write them
    #[arg(long, value_enum, default_value = "sh")]
    pub(crate) format: EnvFormat,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// The resource to ask for, such as `https://management.azure.com/`
    #[arg(long, value_name = "R")]
    pub(crate) resource: String,
    /// The identity with this client id
    #[arg(long, value_name = "X", group = "selector")]
    pub(crate) client_id: Option<String>,
    /// The identity with this principal (object) id
    #[arg(long, value_name = "X", group = "selector")]
    pub(crate) object_id: Option<String>,
    /// The user-assigned identity with this resource id
    #[arg(long, value_name = "X", group = "selector")]
    pub(crate) resource_id: Option<String>,
    /// Show the token's claims as a table and verify its signature
    #[arg(long)]
    pub(crate) decode: bool,
    /// Print JSON: the answer as it came, or with --decode header, claims and the verdict
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Check a host instead: its configuration, and whether this machine's network keeps its VMs apart. Advice is printed and
    /// nothing is changed
    #[arg(long, value_name = "FILE.toml", conflicts_with = "data_dir")]
    pub(crate) host_config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// An issuer template names the tenant, so that no two tenants share an issuer.
fn issuer(text: &str) -> Result<String, String> {
    let sound = text.starts_with("https://") && text.matches("{tenant}").count() == 1;
    let sound = sound && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if sound { Ok(text.to_owned()) } else { Err("write an https URL with {tenant} in it, once".to_owned()) }
}

/// An address whose port may be left out.
fn address_with_port(port: u16) -> impl Fn(&str) -> Result<SocketAddr, String> + Clone {
    move |text| {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address);
        }
        if let Ok(ip) = text.parse::<std::net::IpAddr>() {
            return Ok(SocketAddr::new(ip, port));
        }
        match text.strip_prefix("localhost:").map(str::parse::<u16>) {
            Some(Ok(port)) => Ok(SocketAddr::from(([127, 0, 0, 1], port))),
            _ => Err(format!("'{text}' is not an address; write it as 127.0.0.1:{port}")),
        }
    }
}
