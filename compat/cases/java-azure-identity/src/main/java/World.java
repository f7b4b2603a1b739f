import com.azure.core.credential.AccessToken;
import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.json.JsonProviders;
import com.azure.json.JsonReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What symbolon said when it was ready, and questions about the tokens it gives. */
record World(String metrics, String tenantId, List<Identity> identities, Map<String, Object> ready) {
    static final String STRANGER_CLIENT_ID = "0a1b2c3d-1111-4222-8333-444455556665";
    private static final Pattern COUNTED =
        Pattern.compile("(?m)^symbolon_(?:imds|extension)_requests_total(?:\\{.*\\})? ([0-9.e+]+)$");
    private static int audiences;

    /** One identity of the VM. */
    record Identity(String kind, String name, String id, String clientId, String principalId) {
    }

    /** Asks something that makes requests. */
    interface Question<T> {
        T ask() throws Exception;
    }

    @SuppressWarnings("unchecked")
    static World read() {
        try {
            Map<String, Object> ready = parse(Files.readString(Path.of(System.getenv("COMPAT_WORLD"))));
            Map<String, Object> vm = ((List<Map<String, Object>>) ready.get("vms")).stream()
                .filter(machine -> machine.get("name").equals("dev")).findFirst().orElseThrow();
            List<Identity> identities = ((List<Map<String, String>>) vm.get("identities")).stream()
                .map(one -> new Identity(one.get("kind"), one.get("name"), one.get("id"), one.get("clientId"),
                    one.get("principalId")))
                .toList();
            return new World((String) ready.get("metrics"), (String) ready.get("tenantId"), identities, ready);
        } catch (IOException why) {
            throw new UncheckedIOException(why);
        }
    }

    Identity systemAssigned() {
        return identities.stream().filter(one -> one.kind().equals("SystemAssigned")).findFirst().orElseThrow();
    }

    Identity userAssigned(String name) {
        return identities.stream().filter(one -> one.kind().equals("UserAssigned") && one.name().equals(name))
            .findFirst().orElseThrow();
    }

    /** A token for a fresh audience, in one request; its life in seconds. */
    long assertGiven(TokenCredential credential, Identity expected) throws Exception {
        return oneRequest(() -> assertGivenAtLast(credential, expected));
    }

    /** The same, by however many requests. */
    long assertGivenAtLast(TokenCredential credential, Identity expected) throws IOException {
        String audience = freshAudience();
        AccessToken token = credential.getTokenSync(new TokenRequestContext().addScopes(audience + "/.default"));
        Map<String, Object> said = claims(token.getToken());
        Map<String, String> wanted = Map.of("aud", audience, "iss", "https://sts.windows.net/" + tenantId + "/", "appid",
            expected.clientId(), "oid", expected.principalId(), "tid", tenantId);
        wanted.forEach((name, value) -> {
            if (!value.equals(said.get(name))) {
                throw new IllegalStateException(name + " is " + said.get(name) + ", not " + value);
            }
        });
        long expires = ((Number) said.get("exp")).longValue();
        if (Math.abs(token.getExpiresAt().toEpochSecond() - expires) > 1) {
            throw new IllegalStateException("expires " + token.getExpiresAt() + ", the token says " + expires);
        }
        return expires - ((Number) said.get("nbf")).longValue();
    }

    /** The client's own exception, after one request. */
    void assertRefused(TokenCredential credential, String words) throws Exception {
        TokenRequestContext context = new TokenRequestContext().addScopes(freshAudience() + "/.default");
        oneRequest(() -> {
            try {
                credential.getTokenSync(context);
            } catch (ClientAuthenticationException why) {
                if (why.getCause() != null && why.getCause().getMessage().contains(words)) {
                    return null;
                }
                throw why;
            }
            throw new IllegalStateException("a token for an identity that isn't assigned");
        });
    }

    private <T> T oneRequest(Question<T> question) throws Exception {
        long before = counted();
        T answer = question.ask();
        long made = counted() - before;
        if (before >= 0 && made != 1) {
            throw new IllegalStateException(made + " requests instead of one");
        }
        return answer;
    }

    /** How many requests symbolon has answered on its token endpoints, or -1 when it doesn't say. */
    private long counted() throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(metrics + "/metrics")).build();
        String text = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
        Matcher matcher = COUNTED.matcher(text);
        double sum = 0;
        boolean found = false;
        while (matcher.find()) {
            found = true;
            sum += Double.parseDouble(matcher.group(1));
        }
        return found ? (long) sum : -1;
    }

    static Map<String, Object> claims(String token) throws IOException {
        return parse(new String(Base64.getUrlDecoder().decode(token.split("\\.")[1]), StandardCharsets.UTF_8));
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> parse(String text) throws IOException {
        try (JsonReader reader = JsonProviders.createReader(text)) {
            return (Map<String, Object>) reader.readUntyped();
        }
    }

    /** One that nobody asked for yet: msal4j has one cache per process. */
    static synchronized String freshAudience() {
        audiences += 1;
        return "https://audience-" + audiences + ".example";
    }
}
