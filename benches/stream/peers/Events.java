// The common decision (../README.md) in Java: a lead's bytes in, events' bytes out. Jackson reads into objects and writes by its
// generator, which measured cheaper than writing objects. Knows no Kafka.

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Decides leads; one for each thread. */
final class Events {
    /** What is written to a topic. */
    record Event(String topic, byte[] key, byte[] value) {}

    /** Takes what is written. */
    interface Sink {
        void write(String topic, byte[] key, byte[] value);
    }

    static final class User {
        public String firstName = "", lastName = "", email = "", phone = "", country = "", company = "", title = "";
    }

    static final class Lead {
        public User userDetails = new User();
        public String leadSource = "", actionCode = "", offerTitle = "", description = "";
    }

    private record Source(String storefront, String channel) {}

    private record Storefront(String campaign, String audience, List<String> destinations) {}

    private record Action(String name, String stage, Points points) {}

    private record Points(String rule, String part, int points) {}

    private static final String UNKNOWN = "UNKNOWN";
    private static final Source NO_SOURCE = new Source(UNKNOWN, UNKNOWN);
    private static final Action NO_ACTION = new Action(UNKNOWN, UNKNOWN, null);
    private static final Map<String, Source> SOURCES = Map.of(
        "azuremarketplace", new Source("AZURE_MARKETPLACE", "WEB"),
        "azureportal", new Source("AZURE_MARKETPLACE", "AZURE_PORTAL"),
        "spza", new Source("APP_SOURCE", "WEB"),
        "appsource", new Source("APP_SOURCE", "WEB"));
    private static final Map<String, Storefront> STOREFRONTS = Map.of(
        "AZURE_MARKETPLACE",
        new Storefront("DEMAND_GENERATION", "ALL_CUSTOMERS", List.of("AZURE_MARKETPLACE", "MICROSOFT_FIELD_SELLER_CRM")),
        "APP_SOURCE", new Storefront("NURTURE", "BUSINESS_CUSTOMERS", List.of("PUBLISHER_CRM", "MICROSOFT_FIELD_SELLER_CRM")),
        UNKNOWN, new Storefront("UNCLASSIFIED", UNKNOWN, List.of("REVIEW_QUEUE")));
    private static final Map<String, Action> ACTIONS = Map.of(
        "ins", new Action("INSTALL", "ACTIVE", new Points("install", "intent", 30)),
        "plt", new Action("CONTACT_ME", "INITIAL_INTEREST", new Points("contact_me", "intent", 25)),
        "dnc", new Action("DO_NOT_CONTACT", "INFORMATIONAL", null),
        "create", new Action("CREATE", "ACTIVE", new Points("create", "intent", 40)),
        "starttestdrive", new Action("START_TEST_DRIVE", "TRIAL", new Points("test_drive", "intent", 30)));
    private static final Points WITH_NOTE = new Points("contact_me_note", "intent", 10);
    private static final Map<String, String> REGIONS = Map.of(
        "US", "AMER", "BR", "AMER", "CA", "AMER", "DE", "EMEA", "GB", "EMEA", "FR", "EMEA", "JP", "APAC", "IN", "APAC", "AU", "APAC");
    private static final Map<String, String> SENIORITIES = Map.of(
        "cto", "C_LEVEL", "ceo", "C_LEVEL", "vp", "VP", "director", "DIRECTOR", "manager", "MANAGER",
        "engineer", "STAFF", "consultant", "STAFF", "analyst", "STAFF");
    private static final Map<String, Points> FIT = Map.of(
        "C_LEVEL", new Points("c_level", "fit", 15), "VP", new Points("vp", "fit", 15),
        "DIRECTOR", new Points("director", "fit", 10), "MANAGER", new Points("manager", "fit", 5));
    private static final Map<String, Points> MAIL = Map.of(
        "BUSINESS", new Points("business_mail", "fit", 10), "FREE_MAIL", new Points("free_mail", "fit", -20),
        "DISPOSABLE", new Points("disposable_mail", "fit", -20));
    private static final Set<String> FREE_MAIL =
        Set.of("outlook.com", "hotmail.com", "gmail.com", "yahoo.com", "icloud.com", "gmx.de", "web.de", "proton.me");
    private static final Set<String> DISPOSABLE = Set.of("mailinator.com", "guerrillamail.com", "10minutemail.com");
    private static final long DAY = 86_400_000;
    private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.").withZone(ZoneOffset.UTC);

    private final ObjectReader reader =
        new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false).readerFor(Lead.class);
    private final JsonFactory factory = new JsonFactory();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(4096);
    private final MessageDigest sha256;
    private final String ruleset;
    private long second = Long.MIN_VALUE;
    private String secondText;

    Events(String rulesetHash) {
        ruleset = rulesetHash;
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** What is decided of one lead, between reading and writing. */
    private static final class Decision {
        Lead lead;
        String token, code, publisher, offer, offerRaw, note, email, domain, mail, seniority, phone, country, person, leadId, stamp, grade;
        Source source;
        Storefront storefront;
        Action action;
        boolean isTest, isSilent;
        int intent, fit;
        final List<Points> parts = new ArrayList<>(4);
        final List<String> reasons = new ArrayList<>(1), flags = new ArrayList<>(2);
    }

    /** Decides a lead and writes its events. */
    void decide(byte[] value, String topic, int partition, long offset, long millis, Sink sink) throws IOException {
        Decision decision = decided(reader.readValue(value), millis);
        byte[] key = decision.person.getBytes(StandardCharsets.ISO_8859_1);
        String place = topic + '/' + partition + '/' + offset + "/0";
        boolean qualified = decision.reasons.isEmpty();
        String kind = qualified ? "qualified" : "unqualified";
        sink.write(kind, key, event(decision, place + '/' + kind, null, topic, partition, offset, millis));
        if (qualified) {
            for (String destination : decision.storefront.destinations) {
                String id = place + "/routed/" + destination;
                sink.write("routing", key, event(decision, id, destination, topic, partition, offset, millis));
            }
        }
    }

    private Decision decided(Lead lead, long millis) {
        Decision it = new Decision();
        it.lead = lead;
        User user = lead.userDetails;
        int bar = lead.leadSource.indexOf('|');
        String head = bar < 0 ? lead.leadSource : lead.leadSource.substring(0, bar);
        it.offerRaw = bar < 0 ? "" : lead.leadSource.substring(bar + 1).trim();
        int dash = head.indexOf('-');
        it.token = (dash < 0 ? head : head.substring(0, dash)).trim().toLowerCase(Locale.ROOT);
        String code = dash < 0 ? "" : head.substring(dash + 1).trim();
        it.code = (code.isEmpty() ? lead.actionCode : code).toLowerCase(Locale.ROOT);
        int dot = it.offerRaw.indexOf('.');
        it.publisher = dot < 0 ? "" : it.offerRaw.substring(0, dot);
        it.offer = dot < 0 ? it.offerRaw : it.offerRaw.substring(dot + 1);
        it.note = lead.description.trim();
        it.email = user.email.trim().toLowerCase(Locale.ROOT);
        it.domain = it.email.substring(it.email.indexOf('@') + 1);
        it.mail = it.domain.isEmpty() ? UNKNOWN : FREE_MAIL.contains(it.domain) ? "FREE_MAIL"
            : DISPOSABLE.contains(it.domain) ? "DISPOSABLE" : "BUSINESS";
        it.seniority = SENIORITIES.getOrDefault(user.title.toLowerCase(Locale.ROOT), UNKNOWN);
        it.country = user.country.toUpperCase(Locale.ROOT);
        it.phone = isNumber(user.phone) ? user.phone : "";

        it.source = SOURCES.getOrDefault(it.token, NO_SOURCE);
        it.storefront = STOREFRONTS.get(it.source.storefront);
        it.action = ACTIONS.getOrDefault(it.code, NO_ACTION);
        it.isTest = user.firstName.startsWith("MSFT_TEST") || it.email.startsWith("msft_test") || it.note.startsWith("MSFT_TEST");
        it.isSilent = it.action.name.equals("DO_NOT_CONTACT");

        it.person = digest("email\u001f" + it.email + '\u001f', -1);
        String touch = it.person + '\u001f' + it.token + '\u001f' + it.code + '\u001f' + it.offerRaw.toLowerCase(Locale.ROOT);
        it.leadId = digest(touch, millis / DAY);

        add(it, it.action.points);
        if (it.action.name.equals("CONTACT_ME") && !it.note.isEmpty()) {
            add(it, WITH_NOTE);
        }
        add(it, MAIL.get(it.mail));
        add(it, FIT.get(it.seniority));
        int total = it.intent + it.fit;
        it.grade = total >= 60 ? "A" : total >= 40 ? "B" : total >= 20 ? "C" : "D";

        if (it.isTest) {
            it.reasons.add("test_lead");
        }
        if (it.isSilent) {
            it.reasons.add("do_not_contact");
        }
        if (it.email.isEmpty() && it.phone.isEmpty()) {
            it.reasons.add("no_contact");
        }
        if (it.reasons.isEmpty() && total < 0) {
            it.reasons.add("low_score");
        }
        if (it.action == NO_ACTION && !it.code.isEmpty()) {
            it.flags.add("unknown_action");
        }
        if (it.isSilent) {
            it.flags.add("consent_unknown");
            it.flags.add("redacted");
        }
        it.stamp = rfc3339(millis);
        return it;
    }

    private static void add(Decision it, Points points) {
        if (points == null) {
            return;
        }
        it.parts.add(points);
        if (points.part.equals("fit")) {
            it.fit += points.points;
        } else {
            it.intent += points.points;
        }
    }

    private static boolean isNumber(String phone) {
        if (phone.length() < 2 || phone.charAt(0) != '+') {
            return false;
        }
        for (int at = 1; at < phone.length(); at++) {
            if (phone.charAt(at) < '0' || phone.charAt(at) > '9') {
                return false;
            }
        }
        return true;
    }

    /** One event: the verdict, or what is routed to a destination. */
    private byte[] event(Decision it, String id, String destination, String topic, int partition, long offset, long millis)
        throws IOException {
        boolean whole = destination == null;
        bytes.reset();
        try (JsonGenerator to = factory.createGenerator(bytes)) {
            to.writeStartObject();
            text(to, "event_id", id);
            text(to, "lead_id", it.leadId);
            text(to, "person_key", it.person);
            text(to, "origin", "STOREFRONT");
            text(to, "storefront", it.source.storefront);
            text(to, "channel", it.source.channel);
            text(to, "campaign", it.storefront.campaign);
            text(to, "audience", it.storefront.audience);
            text(to, "listing", UNKNOWN);
            text(to, "action", it.action.name);
            text(to, "stage", it.action.stage);
            text(to, "confidence", it.source == NO_SOURCE ? "NONE" : "HIGH");
            text(to, "source_raw", it.lead.leadSource);
            text(to, "action_raw", it.lead.actionCode);
            text(to, "publisher_id", it.publisher);
            text(to, "offer_id", it.offer);
            text(to, "offer_title", it.lead.offerTitle);
            text(to, "offer_raw", it.offerRaw);
            contact(to, it);
            if (whole) {
                to.writeObjectFieldStart("consent");
                text(to, "contact", it.isSilent ? UNKNOWN : "GRANTED");
                text(to, "share", "GRANTED");
                text(to, "marketing", UNKNOWN);
                to.writeEndObject();
                to.writeBooleanField("is_test", it.isTest);
                to.writeBooleanField("is_spam", false);
            }
            text(to, "note", it.isSilent ? "" : it.note);
            list(to, "flags", it.flags);
            score(to, it, whole);
            text(to, "verdict", it.reasons.isEmpty() ? "QUALIFIED" : "UNQUALIFIED");
            if (whole) {
                list(to, "reasons", it.reasons);
            }
            text(to, "event_time", it.stamp);
            text(to, "received_at", it.stamp);
            to.writeObjectFieldStart("source");
            text(to, "topic", topic);
            to.writeNumberField("partition", partition);
            to.writeNumberField("offset", offset);
            to.writeNumberField("index", 0);
            text(to, "format", "https_json");
            to.writeEndObject();
            to.writeObjectFieldStart("ruleset");
            text(to, "name", "default");
            text(to, "version", "1");
            text(to, "hash", ruleset);
            to.writeEndObject();
            if (!whole) {
                text(to, "destination", destination);
                text(to, "route", "follow_up." + it.source.storefront + '.' + destination);
                text(to, "first_touch_due", rfc3339(millis + DAY));
                text(to, "hot_until", rfc3339(millis + 3 * DAY));
                to.writeBooleanField("late_delivery", false);
            }
            to.writeEndObject();
        }
        return bytes.toByteArray();
    }

    private static void contact(JsonGenerator to, Decision it) throws IOException {
        User user = it.lead.userDetails;
        to.writeObjectFieldStart("contact");
        if (!it.isSilent) {
            text(to, "first_name", user.firstName);
            text(to, "last_name", user.lastName);
            text(to, "email", it.email);
        }
        text(to, "email_domain", it.domain);
        text(to, "email_kind", it.mail);
        if (!it.isSilent) {
            text(to, "phone_raw", user.phone);
            text(to, "phone_e164", it.phone);
        }
        text(to, "country", it.country);
        text(to, "country_raw", user.country);
        text(to, "region", REGIONS.getOrDefault(it.country, UNKNOWN));
        text(to, "company", user.company);
        text(to, "title", user.title);
        text(to, "seniority", it.seniority);
        to.writeEndObject();
    }

    private static void score(JsonGenerator to, Decision it, boolean whole) throws IOException {
        to.writeObjectFieldStart("score");
        to.writeNumberField("total", it.intent + it.fit);
        to.writeNumberField("fit", it.fit);
        to.writeNumberField("intent", it.intent);
        if (whole && !it.parts.isEmpty()) {
            to.writeArrayFieldStart("parts");
            for (Points points : it.parts) {
                to.writeStartObject();
                text(to, "rule", points.rule);
                text(to, "part", points.part);
                to.writeNumberField("points", points.points);
                to.writeEndObject();
            }
            to.writeEndArray();
        }
        text(to, "grade", it.grade);
        to.writeEndObject();
    }

    private static void text(JsonGenerator to, String name, String value) throws IOException {
        if (!value.isEmpty()) {
            to.writeStringField(name, value);
        }
    }

    private static void list(JsonGenerator to, String name, List<String> words) throws IOException {
        if (words.isEmpty()) {
            return;
        }
        to.writeArrayFieldStart(name);
        for (String word : words) {
            to.writeString(word);
        }
        to.writeEndArray();
    }

    /** The first 16 bytes of the SHA-256 of a text, and of a day where there is one. */
    private String digest(String text, long day) {
        sha256.update(text.getBytes(StandardCharsets.UTF_8));
        if (day >= 0) {
            sha256.update(ByteBuffer.allocate(8).putLong(day).array());
        }
        return HexFormat.of().formatHex(sha256.digest(), 0, 16);
    }

    /** The texts of seconds are dear; leads of one second come together. */
    private String rfc3339(long millis) {
        long of = millis / 1000;
        if (of != second) {
            second = of;
            secondText = SECONDS.format(Instant.ofEpochSecond(of));
        }
        long rest = millis % 1000;
        return secondText + (rest < 10 ? "00" : rest < 100 ? "0" : "") + rest + "000Z";
    }
}
