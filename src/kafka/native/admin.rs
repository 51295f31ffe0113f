//! Admin calls that rdkafka does not have: topics, groups and the cluster described, with what the asking principal may do to
//! each. Asks and reads; what an answer means is the caller's to say.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{CStr, CString, c_char},
    ptr,
    time::Duration,
};

use rdkafka::{
    bindings as native,
    client::{Client, ClientContext},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};

/// What an ACL allows, as far as leadstream needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Read.
    Read,
    /// Write.
    Write,
    /// Describe.
    Describe,
    /// `DescribeConfigs`.
    DescribeConfigs,
    /// `IdempotentWrite`, of the cluster.
    IdempotentWrite,
    /// Any other.
    Other,
}

impl Operation {
    /// As Kafka's own tools write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Describe => "Describe",
            Self::DescribeConfigs => "DescribeConfigs",
            Self::IdempotentWrite => "IdempotentWrite",
            Self::Other => "other",
        }
    }
}

/// Where the copies of a partition are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionReplicas {
    /// Its number.
    pub number: i32,
    /// Whether a broker leads it now.
    pub is_led: bool,
    /// Copies there should be.
    pub replicas: usize,
    /// Copies that are up to date.
    pub in_sync: usize,
}

/// A topic as the broker describes it.
#[derive(Debug)]
pub(in crate::kafka) struct TopicDescription {
    pub(in crate::kafka) name: String,
    pub(in crate::kafka) error: Option<RDKafkaErrorCode>,
    pub(in crate::kafka) partitions: Vec<PartitionReplicas>,
    pub(in crate::kafka) operations: Option<Vec<Operation>>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// `client.id`.
    pub client: String,
    /// The address it comes from.
    pub host: String,
}

/// A group as its coordinator describes it.
#[derive(Debug)]
pub(in crate::kafka) struct GroupDescription {
    pub(in crate::kafka) name: String,
    /// Topics of which a member has a partition.
    pub(in crate::kafka) topics: BTreeSet<String>,
    pub(in crate::kafka) error: Option<RDKafkaErrorCode>,
    pub(in crate::kafka) members: Vec<GroupMember>,
    pub(in crate::kafka) operations: Option<Vec<Operation>>,
}

/// The cluster as a broker describes it.
#[derive(Debug)]
pub(in crate::kafka) struct ClusterDescription {
    pub(in crate::kafka) nodes: Vec<i32>,
    pub(in crate::kafka) operations: Option<Vec<Operation>>,
}

/// Describes topics, in the order of `names`.
pub(in crate::kafka) fn describe_topics<C: ClientContext>(
    client: &Client<C>,
    names: &[String],
    wait: Duration,
) -> KafkaResult<Vec<TopicDescription>> {
    let names: Vec<CString> = names.iter().filter_map(|name| CString::new(name.as_str()).ok()).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: the names live until the end of this function; the collection copies them and is destroyed below.
    let collection = unsafe { native::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()) };
    let answer = ask(
        client,
        native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
        wait,
        // SAFETY: all four are valid for the call, which copies what it needs.
        |client, options, queue| unsafe { native::rd_kafka_DescribeTopics(client, collection, options, queue) },
        |event| {
            // SAFETY: the event is one of this kind; what it holds lives as long as it.
            unsafe {
                let mut count = 0;
                let result = native::rd_kafka_event_DescribeTopics_result(event);
                let topics = native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
                slice(topics, count).iter().map(|topic| topic_of(*topic)).collect()
            }
        },
    );
    // SAFETY: made above, used by nobody any more.
    unsafe { native::rd_kafka_TopicCollection_destroy(collection) };
    answer
}

/// # Safety
/// `topic` must be valid.
unsafe fn topic_of(topic: *const native::rd_kafka_TopicDescription_t) -> TopicDescription {
    // SAFETY: by the caller, and what the description holds lives as long as it.
    unsafe {
        let mut count = 0;
        let found = native::rd_kafka_TopicDescription_partitions(topic, &raw mut count);
        let partition = |found: &*const native::rd_kafka_TopicPartitionInfo_t| {
            let (mut replicas, mut in_sync) = (0, 0);
            native::rd_kafka_TopicPartitionInfo_replicas(*found, &raw mut replicas);
            native::rd_kafka_TopicPartitionInfo_isr(*found, &raw mut in_sync);
            let leader = native::rd_kafka_TopicPartitionInfo_leader(*found);
            PartitionReplicas {
                number: native::rd_kafka_TopicPartitionInfo_partition(*found),
                is_led: !leader.is_null() && native::rd_kafka_Node_id(leader) >= 0,
                replicas,
                in_sync,
            }
        };
        let partitions = slice(found, count).iter().map(partition).collect();
        let mut count = 0;
        let allowed = native::rd_kafka_TopicDescription_authorized_operations(topic, &raw mut count);
        TopicDescription {
            name: text(native::rd_kafka_TopicDescription_name(topic)),
            error: error_of(native::rd_kafka_TopicDescription_error(topic)),
            partitions,
            operations: operations(allowed, count),
        }
    }
}

/// Describes groups; one that nobody has ever joined has no members and no error.
pub(in crate::kafka) fn describe_groups<C: ClientContext>(
    client: &Client<C>,
    names: &[String],
    wait: Duration,
) -> KafkaResult<Vec<GroupDescription>> {
    let names: Vec<CString> = names.iter().filter_map(|name| CString::new(name.as_str()).ok()).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    ask(
        client,
        native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
        wait,
        // SAFETY: all are valid for the call, which copies what it needs.
        |client, options, queue| unsafe {
            native::rd_kafka_DescribeConsumerGroups(client, pointers.as_mut_ptr(), pointers.len(), options, queue);
        },
        |event| {
            // SAFETY: the event is one of this kind; what it holds lives as long as it.
            unsafe {
                let mut count = 0;
                let result = native::rd_kafka_event_DescribeConsumerGroups_result(event);
                let groups = native::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
                slice(groups, count).iter().map(|group| group_of(*group)).collect()
            }
        },
    )
}

/// The names of all groups that the principal may see.
pub(in crate::kafka) fn list_groups<C: ClientContext>(client: &Client<C>, wait: Duration) -> KafkaResult<Vec<String>> {
    ask(
        client,
        native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS,
        wait,
        // SAFETY: all are valid for the call, which copies what it needs.
        |client, options, queue| unsafe { native::rd_kafka_ListConsumerGroups(client, options, queue) },
        |event| {
            // SAFETY: the event is one of this kind; what it holds lives as long as it.
            unsafe {
                let mut count = 0;
                let result = native::rd_kafka_event_ListConsumerGroups_result(event);
                let groups = native::rd_kafka_ListConsumerGroups_result_valid(result, &raw mut count);
                slice(groups, count).iter().map(|group| text(native::rd_kafka_ConsumerGroupListing_group_id(*group))).collect()
            }
        },
    )
}

/// The end of each partition, as a reader of all records sees it or as one of committed records does, by topic and number;
/// without those for which the broker has no answer.
pub(in crate::kafka) fn end_offsets<C: ClientContext>(
    client: &Client<C>,
    partitions: &[(String, i32)],
    is_committed: bool,
    wait: Duration,
) -> KafkaResult<BTreeMap<(String, i32), i64>> {
    /// `RD_KAFKA_OFFSET_SPEC_LATEST`.
    const LATEST: i64 = -1;
    let names: Vec<CString> = partitions.iter().filter_map(|(topic, _)| CString::new(topic.as_str()).ok()).collect();
    // SAFETY: the list copies the names; each element is changed before the next is added; the list is destroyed below.
    let list = unsafe {
        let list = native::rd_kafka_topic_partition_list_new(i32::try_from(partitions.len()).unwrap_or(0));
        for (name, (_, number)) in names.iter().zip(partitions) {
            (*native::rd_kafka_topic_partition_list_add(list, name.as_ptr(), *number)).offset = LATEST;
        }
        list
    };
    let answer = ask(
        client,
        native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS,
        wait,
        // SAFETY: all are valid for the call, which copies what it needs; a level that is refused is told by an error of ours.
        |client, options, queue| unsafe {
            use native::rd_kafka_IsolationLevel_t as Level;
            let level = if is_committed {
                Level::RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED
            } else {
                Level::RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED
            };
            let refused = native::rd_kafka_AdminOptions_set_isolation_level(options.cast_mut(), level);
            if !refused.is_null() {
                native::rd_kafka_error_destroy(refused);
            }
            native::rd_kafka_ListOffsets(client, list, options, queue);
        },
        |event| {
            // SAFETY: the event is one of this kind; what it holds lives as long as it.
            unsafe {
                let mut count = 0;
                let result = native::rd_kafka_event_ListOffsets_result(event);
                let infos = native::rd_kafka_ListOffsets_result_infos(result, &raw mut count);
                let place = |info: &*const native::rd_kafka_ListOffsetsResultInfo_t| {
                    let place = native::rd_kafka_ListOffsetsResultInfo_topic_partition(*info);
                    let is_good = (*place).err == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
                    is_good.then(|| ((text((*place).topic), (*place).partition), (*place).offset))
                };
                slice(infos, count).iter().filter_map(place).collect()
            }
        },
    );
    // SAFETY: made above, used by nobody any more.
    unsafe { native::rd_kafka_topic_partition_list_destroy(list) };
    answer
}

/// # Safety
/// `group` must be valid.
unsafe fn group_of(group: *const native::rd_kafka_ConsumerGroupDescription_t) -> GroupDescription {
    // SAFETY: by the caller, and what the description holds lives as long as it.
    unsafe {
        let member = |index| {
            let member = native::rd_kafka_ConsumerGroupDescription_member(group, index);
            GroupMember {
                client: text(native::rd_kafka_MemberDescription_client_id(member)),
                host: text(native::rd_kafka_MemberDescription_host(member)).trim_start_matches('/').to_owned(),
            }
        };
        let count = native::rd_kafka_ConsumerGroupDescription_member_count(group);
        let members = (0..count).map(member).collect();
        let topics = (0..count).flat_map(|index| topics_of(native::rd_kafka_ConsumerGroupDescription_member(group, index))).collect();
        let mut count = 0;
        let allowed = native::rd_kafka_ConsumerGroupDescription_authorized_operations(group, &raw mut count);
        GroupDescription {
            name: text(native::rd_kafka_ConsumerGroupDescription_group_id(group)),
            topics,
            error: error_of(native::rd_kafka_ConsumerGroupDescription_error(group)),
            members,
            operations: operations(allowed, count),
        }
    }
}

/// # Safety
/// `member` must be valid.
unsafe fn topics_of(member: *const native::rd_kafka_MemberDescription_t) -> Vec<String> {
    // SAFETY: by the caller, and what the description holds lives as long as it.
    unsafe {
        let assignment = native::rd_kafka_MemberDescription_assignment(member);
        if assignment.is_null() {
            return Vec::new();
        }
        let list = native::rd_kafka_MemberAssignment_partitions(assignment);
        if list.is_null() {
            return Vec::new();
        }
        slice((*list).elems.cast_const(), usize::try_from((*list).cnt).unwrap_or(0)).iter().map(|place| text(place.topic)).collect()
    }
}

/// Describes the cluster.
pub(in crate::kafka) fn describe_cluster<C: ClientContext>(client: &Client<C>, wait: Duration) -> KafkaResult<ClusterDescription> {
    ask(
        client,
        native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER,
        wait,
        // SAFETY: all are valid for the call, which copies what it needs.
        |client, options, queue| unsafe { native::rd_kafka_DescribeCluster(client, options, queue) },
        |event| {
            // SAFETY: the event is one of this kind; what it holds lives as long as it.
            unsafe {
                let result = native::rd_kafka_event_DescribeCluster_result(event);
                let mut count = 0;
                let nodes = native::rd_kafka_DescribeCluster_result_nodes(result, &raw mut count);
                let nodes = slice(nodes, count).iter().map(|node| native::rd_kafka_Node_id(*node)).collect();
                let mut count = 0;
                let allowed = native::rd_kafka_DescribeCluster_result_authorized_operations(result, &raw mut count);
                ClusterDescription { nodes, operations: operations(allowed, count) }
            }
        },
    )
}

/// Sends one admin request and reads its one answer; what was made for it is destroyed again, whatever came of it.
fn ask<C: ClientContext, T>(
    client: &Client<C>,
    operation: native::rd_kafka_admin_op_t,
    wait: Duration,
    send: impl FnOnce(*mut native::rd_kafka_t, *const native::rd_kafka_AdminOptions_t, *mut native::rd_kafka_queue_t),
    read: impl FnOnce(*mut native::rd_kafka_event_t) -> T,
) -> KafkaResult<T> {
    let client = client.native_ptr();
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    let mut why: [c_char; 256] = [0; 256];
    // SAFETY: the client's handle is valid while it is borrowed; options, queue, event and error are destroyed once, after
    // their last use; an absent error or event is told by null.
    unsafe {
        let options = native::rd_kafka_AdminOptions_new(client, operation);
        // A time or a flag that is refused leaves the default: that is no reason not to ask.
        native::rd_kafka_AdminOptions_set_request_timeout(options, wait, why.as_mut_ptr(), why.len());
        let refused = native::rd_kafka_AdminOptions_set_include_authorized_operations(options, 1);
        if !refused.is_null() {
            native::rd_kafka_error_destroy(refused);
        }
        let queue = native::rd_kafka_queue_new(client);
        send(client, options, queue);
        let event = native::rd_kafka_queue_poll(queue, wait.saturating_add(1000));
        let answer = if event.is_null() {
            Err(KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut))
        } else {
            let answer = match native::rd_kafka_event_error(event) {
                native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(read(event)),
                code => Err(KafkaError::AdminOp(code.into())),
            };
            native::rd_kafka_event_destroy(event);
            answer
        };
        native::rd_kafka_queue_destroy(queue);
        native::rd_kafka_AdminOptions_destroy(options);
        answer
    }
}

/// # Safety
/// `first` must be null or the first of `count` elements that outlive the slice.
unsafe fn slice<'a, T>(first: *const T, count: usize) -> &'a [T] {
    // SAFETY: by the caller.
    if first.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(first, count) } }
}

/// # Safety
/// `text` must be null or end with a NUL.
unsafe fn text(text: *const c_char) -> String {
    // SAFETY: by the caller.
    if text.is_null() { String::new() } else { unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned() }
}

/// # Safety
/// `error` must be null or valid.
unsafe fn error_of(error: *const native::rd_kafka_error_t) -> Option<RDKafkaErrorCode> {
    if error.is_null() {
        return None;
    }
    // SAFETY: by the caller.
    match unsafe { native::rd_kafka_error_code(error) } {
        native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => None,
        code => Some(code.into()),
    }
}

/// `None`: the broker does not tell.
///
/// # Safety
/// `first` must be null or the first of `count` operations.
unsafe fn operations(first: *const native::rd_kafka_AclOperation_t, count: usize) -> Option<Vec<Operation>> {
    use native::rd_kafka_AclOperation_t as Native;
    if ptr::eq(first, ptr::null()) {
        return None;
    }
    let operation = |operation: &Native| match operation {
        Native::RD_KAFKA_ACL_OPERATION_READ => Operation::Read,
        Native::RD_KAFKA_ACL_OPERATION_WRITE => Operation::Write,
        Native::RD_KAFKA_ACL_OPERATION_DESCRIBE => Operation::Describe,
        Native::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS => Operation::DescribeConfigs,
        Native::RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE => Operation::IdempotentWrite,
        _ => Operation::Other,
    };
    // SAFETY: by the caller.
    Some(unsafe { slice(first, count) }.iter().map(operation).collect())
}
