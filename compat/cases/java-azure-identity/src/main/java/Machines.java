import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The machines of a running symbolon, from within: their metadata service and their extension's port. */
record Machines(World world) {
    private static final int WAIT_SECONDS = 5;

    /** A machine as symbolon tells of it now. */
    @SuppressWarnings("unchecked")
    Map<String, Object> machine(String id) throws Exception {
        Path file = Path.of((String) world.ready().get("caFile")).getParent().getParent().resolve("instance.json");
        long deadline = System.nanoTime() + WAIT_SECONDS * 1_000_000_000L;
        while (true) {
            var found = ((List<Map<String, Object>>) World.parse(Files.readString(file)).get("vms")).stream()
                .filter(vm -> ((String) vm.get("id")).equalsIgnoreCase(id)).findFirst();
            if (found.isPresent()) {
                return found.get();
            }
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("no machine " + id);
            }
            Thread.sleep(50);
        }
    }

    String metadataService(String id) throws Exception {
        return (String) machine(id).get("imds");
    }

    /** Its metadata service gives a token of this identity; without a client id, of its system-assigned one. */
    void assertGets(String id, String clientId, String principalId) throws Exception {
        HttpResponse<String> reply = ask(id, clientId);
        if (reply.statusCode() != 200) {
            throw new IllegalStateException(reply.statusCode() + " " + reply.body());
        }
        Object oid = World.claims((String) World.parse(reply.body()).get("access_token")).get("oid");
        if (!principalId.equals(oid)) {
            throw new IllegalStateException("a token of " + oid + ", not of " + principalId);
        }
    }

    /** It gives none. */
    void assertRefused(String id, String clientId) throws Exception {
        HttpResponse<String> reply = ask(id, clientId);
        if (reply.statusCode() != 400 || !World.parse(reply.body()).containsKey("error")) {
            throw new IllegalStateException(reply.statusCode() + " instead of a refusal");
        }
    }

    private HttpResponse<String> ask(String id, String clientId) throws Exception {
        String resource = URLEncoder.encode("https://management.azure.com", StandardCharsets.UTF_8);
        String query = "?api-version=2018-02-01&resource=" + resource + (clientId == null ? "" : "&client_id=" + clientId);
        URI uri = URI.create(metadataService(id) + "/metadata/identity/oauth2/token" + query);
        HttpRequest request = HttpRequest.newBuilder(uri).header("Metadata", "true").build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }

    /** The port of the machine's own "localhost" is open, or closed. */
    void assertPort(String id, int port, boolean open) throws Exception {
        Map<String, Object> told = machine(id);
        Object place = told.get("extension") == null ? told.get("imds") : told.get("extension");
        if (listens(URI.create((String) place).getHost(), port) != open) {
            throw new IllegalStateException("port " + port + ": open is not " + open);
        }
    }

    /** Nobody listens at this address any more. */
    void assertGone(String address) {
        URI uri = URI.create(address);
        if (listens(uri.getHost(), uri.getPort() < 0 ? 80 : uri.getPort())) {
            throw new IllegalStateException(address + " still listens");
        }
    }

    private static boolean listens(String host, int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), 2000);
            return true;
        } catch (IOException refused) {
            return false;
        }
    }
}
