//! Kafka's frames as far as the proxy must know them: which API a request is for, what may become of it, and how frames are
//! read and carried. Knows no connection and no thread.

use std::{
    io::{self, BufRead, Write},
    time::Duration,
};

/// What a request asks for.
#[allow(clippy::enum_variant_names)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Api {
    Produce,
    Fetch,
    ListOffsets,
    Metadata,
    OffsetCommit,
    OffsetFetch,
    FindCoordinator,
    JoinGroup,
    Heartbeat,
    LeaveGroup,
    SyncGroup,
    ApiVersions,
    InitProducerId,
    AddPartitionsToTxn,
    AddOffsetsToTxn,
    EndTxn,
    TxnOffsetCommit,
    ConsumerGroupHeartbeat,
    /// By its number in the protocol.
    Other(i16),
}

impl From<i16> for Api {
    fn from(key: i16) -> Self {
        match key {
            0 => Self::Produce,
            1 => Self::Fetch,
            2 => Self::ListOffsets,
            3 => Self::Metadata,
            8 => Self::OffsetCommit,
            9 => Self::OffsetFetch,
            10 => Self::FindCoordinator,
            11 => Self::JoinGroup,
            12 => Self::Heartbeat,
            13 => Self::LeaveGroup,
            14 => Self::SyncGroup,
            18 => Self::ApiVersions,
            22 => Self::InitProducerId,
            24 => Self::AddPartitionsToTxn,
            25 => Self::AddOffsetsToTxn,
            26 => Self::EndTxn,
            28 => Self::TxnOffsetCommit,
            68 => Self::ConsumerGroupHeartbeat,
            other => Self::Other(other),
        }
    }
}

/// A request on its way to the broker, as the rule sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) api: Api,
    /// Number of the client's connection, from 1.
    pub(crate) connection: u64,
    pub(crate) client_id: String,
    /// How many requests of this API came before.
    pub(crate) count: u64,
    /// Of an `EndTxn`: whether it commits.
    pub(crate) commits: Option<bool>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Pass,
    /// It and all behind it on this connection come so much later.
    Delay(Duration),
    /// Delivered; its answer is swallowed, those behind it come through.
    DropAnswer,
    /// Both sides are closed, the request is not delivered.
    Cut,
    /// Delivered; the client's side is closed before the answer.
    CutAfter,
    /// The client's side is closed at once, and the request delivered so much later: whoever repeats it on a new connection
    /// overtakes it.
    DeliverLate(Duration),
    /// Not delivered; the proxy itself answers with this error. Only for `AddOffsetsToTxn` and `EndTxn`, whose answers are no
    /// more than that.
    Answer(i16),
}

impl Action {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Delay(_) => "delay",
            Self::DropAnswer => "drop_answer",
            Self::Cut => "cut",
            Self::CutAfter => "cut_after",
            Self::DeliverLate(_) => "deliver_late",
            Self::Answer(_) => "answer",
        }
    }
}

pub(super) fn read_more(from: &mut impl BufRead, length: usize, frame: &mut Vec<u8>) -> io::Result<()> {
    let before = frame.len();
    frame.resize(before + length, 0);
    from.read_exact(&mut frame[before..])
}

pub(super) fn carry(from: &mut impl BufRead, to: &mut impl Write, length: usize) -> io::Result<()> {
    let mut left = length;
    while left > 0 {
        let piece = from.fill_buf()?;
        if piece.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = piece.len().min(left);
        to.write_all(&piece[..taken])?;
        from.consume(taken);
        left -= taken;
    }
    Ok(())
}

/// The request of a frame, and its correlation id.
pub(super) fn read_request(frame: &[u8], connection: u64, count: impl FnOnce(Api) -> u64) -> Option<(Request, i32)> {
    let mut rest = frame.get(4..)?;
    let key = i16::from_be_bytes(take(&mut rest)?);
    let version = i16::from_be_bytes(take(&mut rest)?);
    let correlation = i32::from_be_bytes(take(&mut rest)?);
    let client_id = usize::try_from(i16::from_be_bytes(take(&mut rest)?)).unwrap_or(0);
    let (client_id, rest) = rest.split_at_checked(client_id)?;
    let api = Api::from(key);
    let request = Request {
        api,
        connection,
        client_id: String::from_utf8_lossy(client_id).into_owned(),
        count: count(api),
        commits: if api == Api::EndTxn { Some(commits(rest, version)?) } else { None },
    };
    Some((request, correlation))
}

fn take<const COUNT: usize>(rest: &mut &[u8]) -> Option<[u8; COUNT]> {
    let (taken, left) = rest.split_first_chunk::<COUNT>()?;
    *rest = left;
    Some(*taken)
}

/// Whether an `EndTxn` commits: transactional id, producer id (8 bytes) and epoch (2) stand before that.
fn commits(body: &[u8], version: i16) -> Option<bool> {
    let mut rest = body;
    let id = if version >= 3 {
        // Flexible versions: no tagged fields in the header, then a length in one byte (ids here are short), plus one.
        let [_tagged, length] = take(&mut rest)?;
        usize::from(length).checked_sub(1)?
    } else {
        usize::try_from(i16::from_be_bytes(take(&mut rest)?)).ok()?
    };
    Some(*rest.get(id + 10)? != 0)
}
