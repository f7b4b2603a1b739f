import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.identity.ClientCertificateCredentialBuilder;
import com.azure.identity.ClientSecretCredentialBuilder;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Map;

/**
 * azure-identity for Java signs the seed's application in at the authority. Instance discovery is off, for it would ask
 * login.microsoftonline.com itself; the CA is ours.
 */
public final class Authority {
    private static final String CLIENT_ID = "0a1b2c3d-1111-4222-8333-444455556671";

    private Authority() {
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        Checks checks = new Checks();
        World world = World.read();
        Map<String, Object> ready = world.ready();
        Map<String, String> credentials = (Map<String, String>) ready.get("credentials");
        trust(Path.of((String) ready.get("caFile")));
        String host = (String) ready.get("authority");

        checks.run("ClientSecretCredential", () -> assertGiven(world, "1",
            secret(world, host, CLIENT_ID, credentials.get("secret"))));
        checks.run("ClientCertificateCredential", () -> assertGiven(world, "2",
            certificate(world, host, credentials.get("pem"), false)));
        checks.run("ClientCertificateCredential, sendCertificateChain", () -> assertGiven(world, "2",
            certificate(world, host, credentials.get("pem"), true)));
        checks.run("unknown application: AADSTS700016", () -> {
            try {
                assertGiven(world, "1", secret(world, host, World.STRANGER_CLIENT_ID, credentials.get("secret")));
            } catch (RuntimeException why) {
                // Not the client's own exception: on this path it wraps whatever msal4j threw.
                if (why.getMessage().contains("AADSTS700016")) {
                    return;
                }
                throw why;
            }
            throw new IllegalStateException("a token for an application that doesn't exist");
        });
        checks.done();
    }

    private static TokenCredential secret(World world, String host, String clientId, String secret) {
        return new ClientSecretCredentialBuilder().tenantId(world.tenantId()).clientId(clientId).clientSecret(secret)
            .authorityHost(host).disableInstanceDiscovery().build();
    }

    private static TokenCredential certificate(World world, String host, String pem, boolean chain) {
        return new ClientCertificateCredentialBuilder().tenantId(world.tenantId()).clientId(CLIENT_ID).pemCertificate(pem)
            .sendCertificateChain(chain).authorityHost(host).disableInstanceDiscovery().build();
    }

    private static void assertGiven(World world, String appidacr, TokenCredential credential) throws Exception {
        String audience = World.freshAudience();
        var token = credential.getTokenSync(new TokenRequestContext().addScopes(audience + "/.default"));
        Map<String, Object> said = World.claims(token.getToken());
        Map<String, String> wanted =
            Map.of("aud", audience, "appid", CLIENT_ID, "appidacr", appidacr, "tid", world.tenantId());
        wanted.forEach((name, value) -> {
            if (!value.equals(said.get(name))) {
                throw new IllegalStateException(name + " is " + said.get(name) + ", not " + value);
            }
        });
    }

    /** Makes our own CA the one that every client of this process believes. */
    static void trust(Path ca) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream pem = Files.newInputStream(ca)) {
            Certificate certificate = CertificateFactory.getInstance("X.509").generateCertificate(pem);
            store.setCertificateEntry("symbolon", certificate);
        }
        Path file = ca.resolveSibling("compat-trust.p12");
        char[] word = "changeit".toCharArray();
        try (var out = Files.newOutputStream(file)) {
            store.store(out, word);
        }
        System.setProperty("javax.net.ssl.trustStore", file.toString());
        System.setProperty("javax.net.ssl.trustStorePassword", new String(word));
    }
}
