// The common decision (../README.md) as a Kafka Streams application: one source, one processor, three sinks. Reads the settings
// from the environment, as all contenders do; runs until SIGTERM. `Decide lines` decides lines of standard input instead and
// prints what would be written, for the comparison byte by byte.

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** Runs the topology, or decides lines. */
public final class Decide {
    private Decide() {}

    private static final Map<String, String> ENV = System.getenv();

    private static final class Decider implements Processor<byte[], byte[], byte[], byte[]> {
        private final Events events = new Events(ENV.get("BENCH_RULESET_HASH"));
        private ProcessorContext<byte[], byte[]> context;

        @Override
        public void init(ProcessorContext<byte[], byte[]> given) {
            context = given;
        }

        @Override
        public void process(Record<byte[], byte[]> lead) {
            RecordMetadata at = context.recordMetadata().orElseThrow();
            long millis = lead.timestamp();
            try {
                events.decide(lead.value(), at.topic(), at.partition(), at.offset(), millis,
                    (topic, key, value) -> context.forward(new Record<>(key, value, millis), topic));
            } catch (IOException broken) {
                throw new UncheckedIOException(broken);
            }
        }
    }

    /** Runs until SIGTERM. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 1 && arguments[0].equals("lines")) {
            lines();
            return;
        }
        Topology topology = new Topology();
        topology.addSource("leads", ENV.get("BENCH_RAW")).addProcessor("decide", Decider::new, "leads");
        for (String topic : new String[] {"qualified", "unqualified", "routing"}) {
            topology.addSink(topic, ENV.get("BENCH_" + topic.toUpperCase(java.util.Locale.ROOT)), "decide");
        }
        KafkaStreams streams = new KafkaStreams(topology, settings());
        CountDownLatch ended = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return null;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(10));
            ended.countDown();
        }));
        streams.start();
        ended.await();
    }

    private static Properties settings() {
        Properties it = new Properties();
        it.put(StreamsConfig.APPLICATION_ID_CONFIG, ENV.get("BENCH_GROUP"));
        it.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, ENV.get("BENCH_BROKERS"));
        it.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, ENV.get("BENCH_GUARANTEE"));
        it.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, ENV.get("BENCH_COMMIT_MS"));
        it.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, ENV.get("BENCH_LANES"));
        it.put(StreamsConfig.STATE_DIR_CONFIG, ENV.get("BENCH_FOLDER"));
        it.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        it.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        it.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        it.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), "5000");
        it.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        it.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), "5");
        it.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), ENV.getOrDefault("BENCH_BATCH", "262144"));
        it.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), "67108864");
        return it;
    }

    /** Each line is the lead at that offset of partition 0. */
    private static void lines() throws IOException {
        Events events = new Events(ENV.get("BENCH_RULESET_HASH"));
        long millis = Long.parseLong(ENV.get("BENCH_MILLIS"));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (OutputStream out = new BufferedOutputStream(System.out)) {
            long offset = 0;
            for (String line = in.readLine(); line != null; line = in.readLine(), offset++) {
                events.decide(line.getBytes(StandardCharsets.UTF_8), "leads.ndjson", 0, offset, millis, (topic, key, value) -> {
                    try {
                        out.write((topic + ' ' + new String(key, StandardCharsets.ISO_8859_1) + ' ').getBytes(StandardCharsets.UTF_8));
                        out.write(value);
                        out.write('\n');
                    } catch (IOException broken) {
                        throw new UncheckedIOException(broken);
                    }
                });
            }
        }
    }
}
