import com.azure.core.credential.AccessToken;
import com.azure.core.credential.TokenRequestContext;
import com.azure.identity.ManagedIdentityCredentialBuilder;

/** One token by azure-identity for Java; says what came of it. */
public final class Token {
    private Token() {
    }

    public static void main(String[] arguments) {
        try {
            AccessToken token = new ManagedIdentityCredentialBuilder().build()
                .getTokenSync(new TokenRequestContext().addScopes("https://management.azure.com/.default"));
            System.out.println("{\"error\": null, \"token\": \"" + token.getToken() + "\", \"expiresOn\": "
                + token.getExpiresAt().toEpochSecond() + "}");
        } catch (RuntimeException why) {
            System.err.println(why);
            System.out.println("{\"error\": \"" + why.getClass().getSimpleName() + "\"}");
        }
        System.exit(0);
    }
}
