import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strimzi.api.kafka.model.common.UnknownPropertyPreserving;
import io.strimzi.api.kafka.model.topic.KafkaTopic;
import io.strimzi.api.kafka.model.user.KafkaUser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.Map;

/**
 * Reads topics and users, one JSON object a line, with the classes that Strimzi's operators read them with. Those keep what they do
 * not know and drop values they do not have; so a known object holds nothing unknown, and is written again as it was read.
 */
class Strimzi {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in)).lines().toList();
        for (String line : lines) {
            JsonNode wanted = JSON.readTree(line);
            Class<?> kind = wanted.path("kind").asText().equals("KafkaUser") ? KafkaUser.class : KafkaTopic.class;
            Object read = JSON.treeToValue(wanted, kind);
            unknown(read, "");
            lost(wanted, JSON.valueToTree(read), "");
        }
        System.out.println(lines.size());
    }

    static void unknown(Object value, String path) throws Exception {
        if (value instanceof Collection<?> items) {
            for (Object item : items) unknown(item, path + "[]");
        }
        if (value == null || !value.getClass().getName().startsWith("io.strimzi")) return;
        if (value instanceof UnknownPropertyPreserving known && known.getAdditionalProperties() != null) {
            Map<String, Object> more = known.getAdditionalProperties();
            if (!more.isEmpty()) throw new IllegalArgumentException("unknown" + path + " " + more.keySet());
        }
        for (Method method : value.getClass().getMethods()) {
            boolean plain = method.getParameterCount() == 0 && method.getName().startsWith("get");
            boolean own = method.getDeclaringClass().getName().startsWith("io.strimzi");
            if (plain && own && !method.getName().equals("getAdditionalProperties")) {
                unknown(method.invoke(value), path + "." + method.getName().substring(3));
            }
        }
    }

    static void lost(JsonNode wanted, JsonNode written, String path) {
        if (wanted.isObject()) {
            wanted.fields().forEachRemaining(entry -> lost(entry.getValue(), written.path(entry.getKey()), path + "." + entry.getKey()));
        } else if (wanted.isArray()) {
            for (int place = 0; place < wanted.size(); place++) lost(wanted.get(place), written.path(place), path + "[" + place + "]");
        } else if (!wanted.asText().equals(written.asText())) {
            throw new IllegalArgumentException("dropped" + path + ": " + wanted);
        }
    }
}
