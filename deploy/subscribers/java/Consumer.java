import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.*;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Prints a JSON line for each new event of leadstream's topics. JSON and Avro are told apart by each value's first bytes.
 *
 *   mvn -q dependency:copy-dependencies -DoutputDirectory=LIBRARIES
 *   java -cp "LIBRARIES/*" Consumer.java --brokers 127.0.0.1:9092 --topic leads.qualified [--registry URL] [--until-end]
 */
public class Consumer {
    static final ObjectMapper JSON = new ObjectMapper();
    static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
    /** Event ids; keep them with your results, if no event may be seen twice after a restart either. */
    static final int REMEMBERED = 100_000;
    /** The latest exported schema by its name; any schema by its fingerprint, and by its id in the registry. */
    static final Map<String, Schema> readers = new HashMap<>();
    static final Map<Long, Schema> byFingerprint = new HashMap<>();
    static final Map<Integer, Schema> byId = new HashMap<>();
    static final Map<String, String> options = new HashMap<>(Map.of("--group", "example", "--max", "0", "--schemas", "../schemas"));

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        for (int at = 0; at < arguments.length; at++) {
            if (arguments[at].equals("--until-end")) options.put(arguments[at], "");
            else if (arguments[at].equals("--property")) settings.put(arguments[++at].split("=", 2)[0], arguments[at].split("=", 2)[1]);
            else options.put(arguments[at], arguments[++at]);
        }
        try (var files = Files.walk(Path.of(options.get("--schemas")))) {
            Comparator<Path> byVersion = Comparator.comparing(path -> Integer.valueOf(path.getFileName().toString().replaceAll("\\D", "")));
            for (Path path : files.filter(path -> path.toString().endsWith(".avsc")).sorted(byVersion).toList()) {
                Schema schema = new Schema.Parser().parse(path.toFile());
                readers.put(schema.getFullName(), schema);
                byFingerprint.put(SchemaNormalization.parsingFingerprint64(schema), schema);
            }
        }
        settings.putAll(Map.of("bootstrap.servers", options.get("--brokers"), "group.id", options.get("--group"),
                "auto.offset.reset", "earliest", "isolation.level", "read_committed", "enable.auto.commit", "false"));
        Set<String> seen = Collections.newSetFromMap(new LinkedHashMap<>() {
            @Override protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) { return size() > REMEMBERED; }
        });
        long left = Long.parseLong(options.get("--max")) - 1;
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            List<String> topics = List.of(options.get("--topic").split(","));
            if (!consumer.listTopics().keySet().containsAll(topics)) throw new IOException("not all of these topics exist: " + topics);
            consumer.subscribe(topics);
            while (true) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    JsonNode event = decode(record.value());
                    if (!seen.add(event.get("event_id").textValue())) continue;
                    System.out.println(JSON.writeValueAsString(event));
                    if (left-- == 0) return;
                }
                consumer.commitSync(); // after the work: what fails before is read again
                var ends = consumer.endOffsets(consumer.assignment()).entrySet();
                boolean atEnd = !ends.isEmpty() && ends.stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
                if (options.containsKey("--until-end") && atEnd) return;
            }
        }
    }

    static JsonNode decode(byte[] value) throws Exception {
        ByteBuffer bytes = ByteBuffer.wrap(value);
        Schema writer;
        if (value[0] == 0) { // Confluent frame: 0, the registry's id in four bytes
            int id = bytes.position(1).getInt();
            if (!byId.containsKey(id)) byId.put(id, registered(id));
            writer = byId.get(id);
        } else if (value[0] == (byte) 0xC3 && value[1] == 1) { // single-object encoding: C3 01, the fingerprint in eight bytes
            writer = byFingerprint.get(bytes.order(ByteOrder.LITTLE_ENDIAN).position(2).getLong());
        } else return JSON.readTree(value);
        // Resolved to the exported schema: what a later version adds changes nothing here.
        var reader = new GenericDatumReader<GenericRecord>(writer, readers.get(writer.getFullName()));
        var decoder = DecoderFactory.get().binaryDecoder(value, bytes.position(), bytes.remaining(), null);
        return JSON.valueToTree(jsonForm(reader.getExpected(), reader.read(null, decoder)));
    }

    static Schema registered(int id) throws IOException, InterruptedException {
        if (!options.containsKey("--registry")) throw new IOException("schema " + id + " is in a registry: name it by --registry URL");
        var request = HttpRequest.newBuilder(URI.create(options.get("--registry") + "/schemas/ids/" + id)).build();
        var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new IOException("schema " + id + ": " + answer.body());
        return new Schema.Parser().parse(JSON.readTree(answer.body()).get("schema").textValue());
    }

    /** As leadstream writes JSON: nothing that is null or empty, times as text. */
    static Object jsonForm(Schema schema, Object value) {
        if (value == null || value.toString().isEmpty()) return null;
        if (schema.isUnion()) return jsonForm(schema.getTypes().get(1), value);
        if (schema.getLogicalType() != null) return TIME.format(Instant.EPOCH.plus((Long) value, ChronoUnit.MICROS));
        if (value instanceof List<?> list)
            return list.isEmpty() ? null : list.stream().map(item -> jsonForm(schema.getElementType(), item)).toList();
        Map<String, Object> members = new LinkedHashMap<>();
        if (value instanceof GenericRecord record)
            schema.getFields().forEach(field -> members.put(field.name(), jsonForm(field.schema(), record.get(field.pos()))));
        else if (value instanceof Map<?, ?> map) map.forEach((key, text) -> members.put(key.toString(), text.toString()));
        else return value instanceof Number || value instanceof Boolean ? value : value.toString();
        members.values().removeIf(Objects::isNull);
        return members.isEmpty() ? null : members;
    }
}
