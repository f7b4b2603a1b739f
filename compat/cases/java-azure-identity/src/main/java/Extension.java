import com.azure.identity.ManagedIdentityCredentialBuilder;

/** azure-identity for Java on the VM extension, to which MSI_ENDPOINT leads. */
public final class Extension {
    private Extension() {
    }

    public static void main(String[] arguments) {
        Checks checks = new Checks();
        World world = World.read();
        checks.run("system-assigned", () -> {
            long life = world.assertGiven(new ManagedIdentityCredentialBuilder().build(), world.systemAssigned());
            if (life != 3900) {
                throw new IllegalStateException("an extension's token lives an hour and five minutes, not " + life + " s");
            }
        });
        checks.done();
    }
}
