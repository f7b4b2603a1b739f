import com.azure.json.JsonProviders;
import com.azure.json.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** Collects what the last line of output says. */
final class Checks {
    private record Check(String name, boolean ok, String detail) {
    }

    /** A check fails with an exception. */
    interface Body {
        void run() throws Exception;
    }

    private final List<Check> all = new ArrayList<>();

    void run(String name, Body body) {
        try {
            body.run();
            all.add(new Check(name, true, ""));
        } catch (Exception why) {
            why.printStackTrace();
            all.add(new Check(name, false, why.toString()));
        }
    }

    /** Prints the result and ends: the client's threads would go on. */
    void done() {
        StringWriter text = new StringWriter();
        try (JsonWriter json = JsonProviders.createWriter(text)) {
            json.writeStartObject().writeArrayField("checks", all, (writer, check) -> writer.writeStartObject()
                .writeStringField("name", check.name())
                .writeBooleanField("ok", check.ok())
                .writeStringField("detail", check.detail())
                .writeEndObject()).writeEndObject();
        } catch (IOException why) {
            throw new UncheckedIOException(why);
        }
        System.out.println(text);
        System.exit(0);
    }
}
