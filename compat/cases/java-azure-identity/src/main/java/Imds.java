import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.identity.ManagedIdentityCredentialBuilder;

/** azure-identity for Java on IMDS at the well-known address. */
public final class Imds {
    private Imds() {
    }

    public static void main(String[] arguments) {
        Checks checks = new Checks();
        World world = World.read();
        World.Identity system = world.systemAssigned();
        World.Identity app = world.userAssigned("app");

        checks.run("system-assigned", () -> world.assertGiven(new ManagedIdentityCredentialBuilder().build(), system));
        checks.run("client id", () -> world.assertGiven(
            new ManagedIdentityCredentialBuilder().clientId(app.clientId()).build(), app));
        checks.run("object id", () -> world.assertGiven(
            new ManagedIdentityCredentialBuilder().objectId(app.principalId()).build(), app));
        checks.run("resource id", () -> world.assertGiven(
            new ManagedIdentityCredentialBuilder().resourceId(app.id()).build(), app));
        checks.run("DefaultAzureCredential", () -> world.assertGivenAtLast(
            new DefaultAzureCredentialBuilder().build(), system));
        checks.run("unassigned identity: one request, ClientAuthenticationException", () -> world.assertRefused(
            new ManagedIdentityCredentialBuilder().clientId(World.STRANGER_CLIENT_ID).build(),
            "The requested identity has not been assigned to this resource"));
        checks.done();
    }
}
