import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.core.management.AzureEnvironment;
import com.azure.core.management.exception.ManagementException;
import com.azure.core.management.profile.AzureProfile;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.identity.DeviceCodeCredentialBuilder;
import com.azure.identity.ManagedIdentityCredentialBuilder;
import com.azure.resourcemanager.authorization.AuthorizationManager;
import com.azure.resourcemanager.authorization.models.PrincipalType;
import com.azure.resourcemanager.authorization.models.RoleAssignmentCreateParameters;
import com.azure.resourcemanager.compute.ComputeManager;
import com.azure.resourcemanager.compute.fluent.models.VirtualMachineExtensionInner;
import com.azure.resourcemanager.compute.fluent.models.VirtualMachineInner;
import com.azure.resourcemanager.compute.fluent.models.VirtualMachineScaleSetExtensionInner;
import com.azure.resourcemanager.compute.fluent.models.VirtualMachineScaleSetInner;
import com.azure.resourcemanager.compute.fluent.models.VirtualMachineUpdateInner;
import com.azure.resourcemanager.compute.models.CachingTypes;
import com.azure.resourcemanager.compute.models.HardwareProfile;
import com.azure.resourcemanager.compute.models.ImageReference;
import com.azure.resourcemanager.compute.models.OperatingSystemTypes;
import com.azure.resourcemanager.compute.models.PowerState;
import com.azure.resourcemanager.compute.models.ResourceIdentityType;
import com.azure.resourcemanager.compute.models.Sku;
import com.azure.resourcemanager.compute.models.StorageProfile;
import com.azure.resourcemanager.compute.models.VirtualMachine;
import com.azure.resourcemanager.compute.models.VirtualMachineExtensionUpdate;
import com.azure.resourcemanager.compute.models.VirtualMachineIdentity;
import com.azure.resourcemanager.compute.models.VirtualMachineIdentityUserAssignedIdentities;
import com.azure.resourcemanager.compute.models.VirtualMachineScaleSetIdentity;
import com.azure.resourcemanager.compute.models.VirtualMachineSizeTypes;
import com.azure.resourcemanager.msi.MsiManager;
import com.azure.resourcemanager.msi.fluent.models.FederatedIdentityCredentialInner;
import com.azure.resourcemanager.msi.models.Identity;
import com.azure.resourcemanager.resources.ResourceManager;
import com.azure.resourcemanager.resources.fluent.models.DeploymentInner;
import com.azure.resourcemanager.resources.models.DeploymentMode;
import com.azure.resourcemanager.resources.models.DeploymentProperties;
import com.azure.resourcemanager.resources.models.DeploymentWhatIf;
import com.azure.resourcemanager.resources.models.DeploymentWhatIfProperties;
import com.azure.resourcemanager.resources.models.ResourceGroupExportTemplateOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** The management SDKs for Java against the control plane. The argument is the folder of the templates. */
public final class Arm {
    private static final String GROUP = "rg-java";
    private static final String LINUX = "ManagedIdentityExtensionForLinux";
    private static final int PORT = 50342;
    private static final String READER =
        "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7";
    private static final String ASSIGNMENT = "9a9a9a9a-9a9a-4a9a-8a9a-9a9a9a9a9af";

    private final World world = World.read();
    private final Machines machines = new Machines(world);
    private final String subscription = (String) world.ready().get("subscriptionId");
    private final String scope = "/subscriptions/" + subscription + "/resourceGroups/" + GROUP;
    private final String vm = scope + "/providers/Microsoft.Compute/virtualMachines/vm9";
    private final Map<String, String> admin;
    private final AzureProfile profile;
    private final ComputeManager compute;
    private final MsiManager msi;
    private final ResourceManager resources;
    private final AuthorizationManager authorization;
    private final List<Identity> identities = new ArrayList<>();

    @SuppressWarnings("unchecked")
    private Arm() throws Exception {
        Authority.trust(Path.of((String) world.ready().get("caFile")));
        String arm = (String) world.ready().get("arm");
        Map<String, String> endpoints = new HashMap<>();
        for (var endpoint : List.of(AzureEnvironment.Endpoint.MANAGEMENT, AzureEnvironment.Endpoint.RESOURCE_MANAGER,
            AzureEnvironment.Endpoint.ACTIVE_DIRECTORY)) {
            endpoints.put(endpoint.identifier(), arm + "/");
        }
        endpoints.put("activeDirectoryResourceId", arm + "/");
        endpoints.put(AzureEnvironment.Endpoint.MICROSOFT_GRAPH.identifier(), arm + "/msgraph/");
        profile = new AzureProfile(world.tenantId(), subscription, new AzureEnvironment(endpoints));
        admin = (Map<String, String>) world.ready().get("admin");
        TokenCredential credential = new ClientSecretCredentialBuilder().tenantId(world.tenantId())
            .clientId(admin.get("clientId")).clientSecret(admin.get("clientSecret")).authorityHost(arm)
            .disableInstanceDiscovery().build();
        compute = ComputeManager.authenticate(credential, profile);
        msi = MsiManager.authenticate(credential, profile);
        resources = ResourceManager.authenticate(credential, profile).withSubscription(subscription);
        authorization = AuthorizationManager.authenticate(credential, profile);
    }

    public static void main(String[] arguments) throws Exception {
        Arm arm = new Arm();
        Checks checks = new Checks();
        checks.run("subscriptions().list", () -> require(
            arm.resources.subscriptions().list().stream().map(one -> one.subscriptionId()).toList()
                .equals(List.of(arm.subscription)), "subscriptions"));
        checks.run("resourceGroups().define, contain", arm::makeGroup);
        checks.run("identities().define, listByResourceGroup; a federated credential", arm::makeIdentities);
        checks.run("virtual machine: a system-assigned identity, served by the machine at once", arm::makeVm);
        checks.run("virtualMachine.update(): identities added are served, those taken away refused, at once",
            arm::moveIdentities);
        // Java can't change its own environment: the seed's VM stands at the well-known address.
        checks.run("one added to the VM of the seed and taken away by null, asked by ManagedIdentityCredential",
            arm::moveIdentitiesOfSeed);
        checks.run("virtual machine extension: its port opens", arm::makeExtension);
        checks.run("virtual machine extension: instance view, update, list", arm::readExtension);
        checks.run("virtual machine: instance view, list, restart", arm::readVm);
        checks.run("virtualMachines().getByResourceGroup, listByResourceGroup, powerOff, start", arm::readConveniently);
        checks.run("virtualMachines().define with a network of its own, list, deleteById", arm::defineVm);
        checks.run("virtual machine extension: deleted, its port closes", () -> {
            arm.compute.serviceClient().getVirtualMachineExtensions().delete(GROUP, "vm9", LINUX);
            arm.machines.assertPort(arm.vm, PORT, false);
        });
        checks.run("scale set and its extension: create, list, delete", arm::scaleSet);
        checks.run("deployments: validate, create, what-if", () -> arm.deploy(Path.of(arguments[0])));
        checks.run("resourceGroup.exportTemplate: an error in it, for the extension", () -> {
            var said = arm.resources.resourceGroups().getByName(GROUP)
                .exportTemplate(ResourceGroupExportTemplateOptions.INCLUDE_PARAMETER_DEFAULT_VALUE);
            require(said.template() != null && !said.error().getDetails().isEmpty(), "the template's error");
        });
        checks.run("role assignment: create, list", () ->
            arm.assignReader(ASSIGNMENT + "1", arm.identities.get(0).principalId()));
        checks.run("virtualMachines().get of one that isn't there: ManagementException", () -> assertRefusal(
            () -> arm.compute.serviceClient().getVirtualMachines().getByResourceGroup(GROUP, "nope"), 404, "ResourceNotFound"));
        checks.run("a managed identity without a role: AuthorizationFailed; with Reader: it reads", arm::readAsIdentity);
        checks.run("DeviceCodeCredential: a person lets the program in, it reads, and renews for another resource",
            arm::readAsPerson);
        checks.run("virtual machine: deleted, its metadata service goes", () -> {
            String address = arm.machines.metadataService(arm.vm);
            arm.compute.virtualMachines().deleteByResourceGroup(GROUP, "vm9");
            arm.machines.assertGone(address);
        });
        checks.run("resourceGroups().deleteByName", () -> {
            arm.resources.resourceGroups().deleteByName(GROUP);
            require(!arm.resources.resourceGroups().contain(GROUP), "it is still there");
        });
        checks.done();
    }

    private void makeGroup() {
        var made = resources.resourceGroups().define(GROUP).withRegion("westus").create();
        require(made.id().equals(scope), made.id());
        require(resources.resourceGroups().contain(GROUP) && !resources.resourceGroups().contain("nope"), "contain");
    }

    private void makeIdentities() {
        List<String> names = List.of("uai0", "uai1", "uai2");
        for (String name : names) {
            identities.add(msi.identities().define(name).withRegion("westus").withExistingResourceGroup(GROUP).create());
        }
        assertNames(msi.identities().listByResourceGroup(GROUP).stream().map(Identity::name), names);
        var word = new FederatedIdentityCredentialInner().withIssuer("https://issuer.example").withSubject("s")
            .withAudiences(List.of("a"));
        var made = msi.serviceClient().getFederatedIdentityCredentials().createOrUpdate(GROUP, "uai0", "fic", word);
        require(made.audiences().equals(List.of("a")), "the credential");
    }

    private void makeVm() throws Exception {
        var identity = new VirtualMachineIdentity().withType(ResourceIdentityType.SYSTEM_ASSIGNED);
        var size = new HardwareProfile().withVmSize(VirtualMachineSizeTypes.STANDARD_B1S);
        // The convenience layer can't read a VM without a disk, which a VM has that is made from an image.
        var image = new ImageReference().withPublisher("Canonical").withOffer("ubuntu-24_04-lts").withSku("server")
            .withVersion("latest");
        var wanted = new VirtualMachineInner().withLocation("westus").withIdentity(identity).withHardwareProfile(size)
            .withStorageProfile(new StorageProfile().withImageReference(image));
        var made = compute.serviceClient().getVirtualMachines().createOrUpdate(GROUP, "vm9", wanted);
        machines.assertGets(vm, null, made.identity().principalId());
    }

    private void asksRaw(Identity identity, boolean given) throws Exception {
        if (given) {
            machines.assertGets(vm, identity.clientId(), identity.principalId());
        } else {
            machines.assertRefused(vm, identity.clientId());
        }
    }

    private void asksCredential(Identity identity, boolean given) throws Exception {
        var credential = new ManagedIdentityCredentialBuilder().clientId(identity.clientId()).build();
        if (given) {
            world.assertGiven(credential,
                new World.Identity("UserAssigned", identity.name(), identity.id(), identity.clientId(), identity.principalId()));
        } else {
            world.assertRefused(credential, "The requested identity has not been assigned to this resource");
        }
    }

    /** Assigns two identities and takes one away, by the convenience layer. */
    private void moveIdentities() throws Exception {
        Identity first = identities.get(0);
        Identity second = identities.get(1);
        VirtualMachine moved = compute.virtualMachines().getById(vm);
        asksRaw(first, false);
        moved = moved.update().withExistingUserAssignedManagedServiceIdentity(first)
            .withExistingUserAssignedManagedServiceIdentity(second).apply();
        require(moved.managedServiceIdentityType() == ResourceIdentityType.SYSTEM_ASSIGNED_USER_ASSIGNED, "the type");
        require(moved.userAssignedManagedServiceIdentityIds().size() == 2, "two of them");
        asksRaw(first, true);
        asksRaw(second, true);
        moved = moved.update().withoutUserAssignedManagedServiceIdentity(first.id()).apply();
        require(moved.userAssignedManagedServiceIdentityIds().equals(Set.of(second.id())), "one of them");
        asksRaw(first, false);
        asksRaw(second, true);
    }

    /** Assigns an identity to the seed's VM, which stands at the well-known address, and takes it away by null. */
    private void moveIdentitiesOfSeed() throws Exception {
        Identity one = identities.get(0);
        asksCredential(one, false);
        patchSeed(one, new VirtualMachineIdentityUserAssignedIdentities());
        asksCredential(one, true);
        patchSeed(one, null);
        asksCredential(one, false);
    }

    private void patchSeed(Identity identity, VirtualMachineIdentityUserAssignedIdentities entry) {
        Map<String, VirtualMachineIdentityUserAssignedIdentities> entries = new HashMap<>();
        entries.put(identity.id(), entry);
        var wanted = new VirtualMachineIdentity().withType(ResourceIdentityType.SYSTEM_ASSIGNED_USER_ASSIGNED)
            .withUserAssignedIdentities(entries);
        var said = compute.serviceClient().getVirtualMachines()
            .update("dev", "dev", new VirtualMachineUpdateInner().withIdentity(wanted)).identity().userAssignedIdentities();
        require(said.size() == (entry == null ? 1 : 2), said.keySet().toString());
    }

    private void makeExtension() throws Exception {
        var wanted = new VirtualMachineExtensionInner().withPublisher("Microsoft.ManagedIdentity")
            .withTypePropertiesType(LINUX).withTypeHandlerVersion("1.0").withAutoUpgradeMinorVersion(true)
            .withSettings(Map.of("port", PORT)).withProtectedSettings(Map.of()).withLocation("westus");
        var made = compute.serviceClient().getVirtualMachineExtensions().createOrUpdate(GROUP, "vm9", LINUX, wanted);
        require(made.provisioningState().equals("Succeeded") && made.protectedSettings() == null, made.provisioningState());
        machines.assertPort(vm, PORT, true);
    }

    private void readExtension() {
        var extensions = compute.serviceClient().getVirtualMachineExtensions();
        var shown = extensions.getWithResponse(GROUP, "vm9", LINUX, "instanceView", com.azure.core.util.Context.NONE).getValue();
        require(shown.instanceView().statuses().get(0).code().equals("ProvisioningState/succeeded"), "its state");
        extensions.update(GROUP, "vm9", LINUX, new VirtualMachineExtensionUpdate().withForceUpdateTag("1"));
        var all = extensions.list(GROUP, "vm9").value();
        require(all.size() == 1 && all.get(0).forceUpdateTag().equals("1"), "the list");
    }

    /** A machine as most programs make one: with a network and an interface beside it. */
    private void defineVm() throws Exception {
        var image = new ImageReference().withPublisher("Canonical").withOffer("ubuntu-24_04-lts").withSku("server")
            .withVersion("latest");
        VirtualMachine made = compute.virtualMachines().define("vm8").withRegion("westus").withExistingResourceGroup(GROUP)
            .withNewPrimaryNetwork("10.0.0.0/28").withPrimaryPrivateIPAddressDynamic().withoutPrimaryPublicIPAddress()
            .withSpecificLinuxImageVersion(image).withRootUsername("u").withSsh("ssh-rsa AAAA u@h")
            .withSystemAssignedManagedServiceIdentity().withSize(VirtualMachineSizeTypes.STANDARD_B1S).create();
        machines.assertGets(made.id(), null, made.systemAssignedManagedServiceIdentityPrincipalId());
        require(made.getPrimaryNetworkInterface().primaryIPConfiguration() != null, "its interface");
        // Every machine that there is, also those of the seed, of which nothing is said but their identities.
        var all = compute.virtualMachines().list().stream().map(VirtualMachine::name).toList();
        require(all.containsAll(List.of("dev", "vm8", "vm9")), all.toString());
        compute.virtualMachines().deleteById(made.id());
    }

    private void readVm() {
        var vms = compute.serviceClient().getVirtualMachines();
        require(vms.instanceView(GROUP, "vm9").statuses().stream().anyMatch(one -> one.code().equals("PowerState/running")),
            "it doesn't run");
        assertNames(vms.listByResourceGroup(GROUP).stream().map(VirtualMachineInner::name), List.of("vm9"));
        vms.restart(GROUP, "vm9");
    }

    /** Reads and powers by the convenience layer. */
    private void readConveniently() {
        VirtualMachine one = compute.virtualMachines().getByResourceGroup(GROUP, "vm9");
        require(one.id().equals(vm) && one.powerState() == PowerState.RUNNING, one.id() + " " + one.powerState());
        require(one.osType() == OperatingSystemTypes.LINUX && one.osDiskCachingType() == CachingTypes.READ_WRITE, "its disk");
        require(one.isManagedDiskEnabled() && one.dataDisks().isEmpty(), "its disks");
        require(one.storageProfile().imageReference().exactVersion().equals("1.0.0"), "its image");
        assertNames(compute.virtualMachines().listByResourceGroup(GROUP).stream().map(VirtualMachine::name), List.of("vm9"));
        one.powerOff();
        require(one.refresh().powerState() == PowerState.STOPPED, "it runs");
        one.start();
        require(one.refresh().powerState() == PowerState.RUNNING, "it doesn't run");
    }

    private void scaleSet() {
        var identity = new VirtualMachineScaleSetIdentity().withType(ResourceIdentityType.SYSTEM_ASSIGNED);
        var wanted = new VirtualMachineScaleSetInner().withIdentity(identity)
            .withSku(new Sku().withName("Standard_B1s").withCapacity(2L));
        wanted.withLocation("westus");
        var sets = compute.serviceClient().getVirtualMachineScaleSets();
        require(sets.createOrUpdate(GROUP, "ss9", wanted).identity().principalId() != null, "no identity");
        var extensions = compute.serviceClient().getVirtualMachineScaleSetExtensions();
        extensions.createOrUpdate(GROUP, "ss9", LINUX, new VirtualMachineScaleSetExtensionInner()
            .withPublisher("Microsoft.ManagedIdentity").withTypePropertiesType(LINUX).withTypeHandlerVersion("1.0")
            .withSettings(Map.of("port", PORT)));
        assertNames(extensions.list(GROUP, "ss9").stream().map(VirtualMachineScaleSetExtensionInner::name), List.of(LINUX));
        extensions.delete(GROUP, "ss9", LINUX);
        assertNames(extensions.list(GROUP, "ss9").stream().map(VirtualMachineScaleSetExtensionInner::name), List.of());
    }

    @SuppressWarnings("unchecked")
    private void deploy(Path templates) throws Exception {
        Map<String, Object> template = World.parse(Files.readString(templates.resolve("template-vm.json")));
        var deployments = resources.deploymentClient().getDeployments();
        var wanted = new DeploymentInner().withProperties(
            new DeploymentProperties().withMode(DeploymentMode.INCREMENTAL).withTemplate(template));
        deployments.validate(GROUP, "d1", wanted);
        var done = deployments.createOrUpdate(GROUP, "d1", wanted).properties();
        require(done.provisioningState().toString().equals("Succeeded"), done.provisioningState().toString());
        var pid = ((Map<String, Map<String, String>>) done.outputs()).get("pid");
        require(pid.get("value").length() == 36, "the output");
        var asked = new DeploymentWhatIf().withProperties(
            new DeploymentWhatIfProperties().withMode(DeploymentMode.INCREMENTAL).withTemplate(template));
        require(deployments.whatIf(GROUP, "d1", asked).status().equals("Succeeded"), "what-if");
    }

    private void assignReader(String name, String principalId) {
        var roles = authorization.roleServiceClient().getRoleAssignments();
        roles.create(scope, name, new RoleAssignmentCreateParameters().withPrincipalId(principalId)
            .withPrincipalType(PrincipalType.SERVICE_PRINCIPAL)
            .withRoleDefinitionId("/subscriptions/" + subscription + READER));
        require(roles.listForScope(scope).stream().anyMatch(one -> one.name().equals(name)), "it isn't listed");
    }

    /** Reads as the user-assigned identity of the seed's VM. */
    private void readAsIdentity() throws Exception {
        World.Identity app = world.userAssigned("app");
        var own = new ManagedIdentityCredentialBuilder().clientId(app.clientId()).build();
        var vms = ComputeManager.authenticate(own, profile).serviceClient().getVirtualMachines();
        assertRefusal(() -> vms.getByResourceGroup(GROUP, "vm9"), 403, "AuthorizationFailed");
        assignReader(ASSIGNMENT + "2", app.principalId());
        require(vms.getByResourceGroup(GROUP, "vm9").name().equals("vm9"), "it reads");
    }

    /** Reads as the admin, who lets the program in on the authority's page. */
    private void readAsPerson() throws Exception {
        String arm = (String) world.ready().get("arm");
        var person = new DeviceCodeCredentialBuilder().tenantId(world.tenantId()).authorityHost(arm)
            .disableInstanceDiscovery().challengeConsumer(shown -> approve(shown.getUserCode())).build();
        var vms = ComputeManager.authenticate(person, profile).serviceClient().getVirtualMachines();
        require(vms.getByResourceGroup(GROUP, "vm9").name().equals("vm9"), "it reads");
        String vault = "https://vault.azure.net";
        var said = World.claims(person.getTokenSync(new TokenRequestContext().addScopes(vault + "/.default")).getToken());
        require(said.get("aud").equals(vault) && said.get("upn").equals("admin@sample.test"), said.toString());
    }

    private void approve(String userCode) {
        String form = "user_code=" + userCode + "&action=approve&account=admin&secret=" + admin.get("clientSecret");
        HttpRequest request = HttpRequest.newBuilder(URI.create(world.ready().get("authority") + "/devicelogin"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form)).build();
        try {
            int status = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
            require(status == 200, "the page answers " + status);
        } catch (IOException | InterruptedException why) {
            throw new IllegalStateException(why);
        }
    }

    private static void assertRefusal(Checks.Body body, int status, String code) throws Exception {
        try {
            body.run();
        } catch (ManagementException why) {
            require(why.getResponse().getStatusCode() == status && why.getValue().getCode().equals(code), why.getMessage());
            return;
        }
        throw new IllegalStateException("not refused");
    }

    private static void assertNames(Stream<String> names, List<String> wanted) {
        List<String> sorted = names.sorted().toList();
        require(sorted.equals(wanted), sorted + " instead of " + wanted);
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("not as it should be: " + what);
        }
    }
}
