// Finds transactions that hang: open in a partition, while their coordinator knows of none such, or has ended it. Nobody but
// an operator ends those. Prints one line each. Run by the storm, with Kafka's own client.
//
//     java -cp JARS Transactions.java HOST:PORT[,...]

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
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
        properties.put("bootstrap.servers", arguments[0]);
        try (Admin admin = Admin.create(properties)) {
            // A transaction that is open before its coordinator is asked, and after, and that the coordinator does not work on:
            // nothing that goes on by itself can look like this.
            Map<Open, ProducerState> before = open(admin);
            Map<Long, TransactionDescription> known = known(admin);
            Map<Open, ProducerState> after = open(admin);
            for (Map.Entry<Open, ProducerState> entry : before.entrySet()) {
                Open open = entry.getKey();
                TransactionDescription its = known.get(open.producer());
                if (!after.containsKey(open) || goesOn(its, open)) {
                    continue;
                }
                System.out.println(open.partition() + " producer " + open.producer() + "/" + open.epoch() + " from " + open.start()
                    + ", coordinator: " + (its == null ? "nothing" : its.state() + " of epoch " + its.producerEpoch()));
            }
        }
    }

    /** An open transaction, as a partition knows it. */
    private record Open(TopicPartition partition, long producer, int epoch, long start) {
    }

    private static Map<Open, ProducerState> open(Admin admin) throws Exception {
        List<TopicPartition> partitions = new ArrayList<>();
        var topics = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
        for (var topic : admin.describeTopics(topics).allTopicNames().get().values()) {
            topic.partitions().forEach(partition -> partitions.add(new TopicPartition(topic.name(), partition.partition())));
        }
        Map<Open, ProducerState> open = new HashMap<>();
        for (var found : admin.describeProducers(partitions).all().get().entrySet()) {
            for (ProducerState producer : found.getValue().activeProducers()) {
                producer.currentTransactionStartOffset().ifPresent(start -> open.put(
                    new Open(found.getKey(), producer.producerId(), producer.producerEpoch(), start), producer));
            }
        }
        return open;
    }

    private static Map<Long, TransactionDescription> known(Admin admin) throws Exception {
        List<String> names = new ArrayList<>();
        for (TransactionListing listing : admin.listTransactions().all().get()) {
            names.add(listing.transactionalId());
        }
        Map<Long, TransactionDescription> known = new HashMap<>();
        for (TransactionDescription description : admin.describeTransactions(names).all().get().values()) {
            known.put(description.producerId(), description);
        }
        return known;
    }

    /** Whether the coordinator still works on it: then it ends by itself. An epoch is raised by one to fence its producer. */
    private static boolean goesOn(TransactionDescription its, Open open) {
        boolean isAtWork = its != null && (its.state() == TransactionState.ONGOING || its.state() == TransactionState.PREPARE_COMMIT
            || its.state() == TransactionState.PREPARE_ABORT || its.state() == TransactionState.PREPARE_EPOCH_FENCE);
        return isAtWork && its.topicPartitions().contains(open.partition()) && its.producerEpoch() - open.epoch() <= 1;
    }
}
