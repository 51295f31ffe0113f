// Finds transactions that hang: open in a partition, while their coordinator knows of none such, or has ended it. Nobody but
// an operator ends those. `find` prints one line each, `abort` ends them as well. Run by the storm, with Kafka's own client.
//
//     java -cp JARS Transactions.java find|abort HOST:PORT[,...]

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.common.TopicPartition;

final class Transactions {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", arguments[1]);
        try (Admin admin = Admin.create(properties)) {
            Map<Long, TransactionDescription> known = new HashMap<>();
            List<String> names = new ArrayList<>();
            for (TransactionListing listing : admin.listTransactions().all().get()) {
                names.add(listing.transactionalId());
            }
            for (TransactionDescription description : admin.describeTransactions(names).all().get().values()) {
                known.put(description.producerId(), description);
            }
            List<TopicPartition> partitions = new ArrayList<>();
            var topics = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
            for (var topic : admin.describeTopics(topics).allTopicNames().get().values()) {
                topic.partitions().forEach(partition -> partitions.add(new TopicPartition(topic.name(), partition.partition())));
            }
            for (var found : admin.describeProducers(partitions).all().get().entrySet()) {
                for (ProducerState producer : found.getValue().activeProducers()) {
                    TransactionDescription its = known.get(producer.producerId());
                    if (producer.currentTransactionStartOffset().isPresent() && !goesOn(its, producer, found.getKey())) {
                        System.out.println(found.getKey() + " producer " + producer.producerId() + "/" + producer.producerEpoch()
                            + " from " + producer.currentTransactionStartOffset().getAsLong() + ", coordinator: "
                            + (its == null ? "nothing" : its.state() + " of epoch " + its.producerEpoch()));
                        if (arguments[0].equals("abort")) {
                            admin.abortTransaction(new AbortTransactionSpec(found.getKey(), producer.producerId(),
                                (short) producer.producerEpoch(), producer.coordinatorEpoch().orElse(-1))).all().get();
                        }
                    }
                }
            }
        }
    }

    /** Whether the coordinator still works on it: then it ends by itself. */
    private static boolean goesOn(TransactionDescription its, ProducerState producer, TopicPartition partition) {
        boolean isAtWork = its != null && (its.state() == TransactionState.ONGOING || its.state() == TransactionState.PREPARE_COMMIT
            || its.state() == TransactionState.PREPARE_ABORT || its.state() == TransactionState.PREPARE_EPOCH_FENCE);
        return isAtWork && its.topicPartitions().contains(partition);
    }
}
