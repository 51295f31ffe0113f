//! The traces that records of a batch belong to, by their `traceparent` headers (W3C Trace Context): kept beside what the batch came
//! to, for whoever tells of it as a span. Hands nothing on: headers of outputs are the core's.

/// So many spans a batch is linked to.
const MOST: usize = 64;

/// The span that a record was written in, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceLink {
    /// The trace.
    pub trace: [u8; 16],
    /// The span in it.
    pub span: [u8; 8],
}

impl TraceLink {
    /// What a `traceparent` says; `None`: it is none, or its trace is not recorded.
    #[must_use]
    pub fn sampled(traceparent: &[u8]) -> Option<Self> {
        let part = |from: usize, to: usize| traceparent.get(from..to);
        let [version] = hex(part(0, 2)?)?;
        let is_whole = match traceparent.len() {
            55 => version != 0xff,
            // A later version may say more, after a dash.
            56.. => !matches!(version, 0 | 0xff) && traceparent[55] == b'-',
            _ => false,
        };
        let is_parted = [2, 35, 52].iter().all(|at| traceparent.get(*at) == Some(&b'-'));
        let (trace, span, [flags]) = (hex(part(3, 35)?)?, hex(part(36, 52)?)?, hex(part(53, 55)?)?);
        let is_somebody = trace != [0; 16] && span != [0; 8];
        (is_whole && is_parted && is_somebody && flags & 1 == 1).then_some(Self { trace, span })
    }
}

/// Bytes written as two digits each; capitals are none.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    let mut pairs = text.chunks_exact(2);
    for byte in &mut bytes {
        let [high, low] = pairs.next()? else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

/// The recorded spans that records of one batch were written in, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceLinks {
    kept: Vec<TraceLink>,
    left_out: u32,
}

impl TraceLinks {
    /// A record carries this `traceparent`.
    pub fn see(&mut self, traceparent: &[u8]) {
        if let Some(link) = TraceLink::sampled(traceparent) {
            self.add(link);
        }
    }

    fn add(&mut self, link: TraceLink) {
        if self.kept.contains(&link) {
            return;
        }
        if self.kept.len() < MOST {
            self.kept.push(link);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// The first of them.
    #[must_use]
    pub fn kept(&self) -> &[TraceLink] {
        &self.kept
    }

    /// How many records were written in others.
    #[must_use]
    pub fn left_out(&self) -> u32 {
        self.left_out
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for link in &other.kept {
            self.add(*link);
        }
        self.left_out = self.left_out.saturating_add(other.left_out);
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.left_out = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn of(text: &str) -> Option<TraceLink> {
        TraceLink::sampled(text.as_bytes())
    }

    #[test]
    fn a_recorded_trace_is_known_by_its_header() {
        let link = of(&format!("00-{TRACE}-{SPAN}-01")).expect("it is one");
        assert_eq!((link.trace[0], link.trace[15], link.span[0], link.span[7]), (0x0a, 0x9c, 0xb7, 0x31));
        for good in [format!("00-{TRACE}-{SPAN}-03"), format!("01-{TRACE}-{SPAN}-01"), format!("cc-{TRACE}-{SPAN}-ff-what-may-come")] {
            assert_eq!(of(&good), Some(link), "{good}");
        }
    }

    #[test]
    fn what_is_no_header_of_a_recorded_trace_is_none() {
        for bad in [
            String::new(),
            "garbage".to_owned(),
            format!("00-{TRACE}-{SPAN}-00"),
            format!("00-{TRACE}-{SPAN}-02"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("01-{TRACE}-{SPAN}-01more"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}_{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-0g"),
            "é".repeat(40),
        ] {
            assert_eq!(of(&bad), None, "{bad}");
        }
    }

    fn number(number: u32) -> String {
        format!("00-{:032x}-{:016x}-01", number + 1, number + 1)
    }

    #[test]
    fn the_first_spans_are_kept_each_once_and_the_others_counted() {
        let mut links = TraceLinks::default();
        for at in (0..70).chain(0..70) {
            links.see(number(at).as_bytes());
        }
        links.see(b"garbage");
        assert_eq!((links.kept().len(), links.left_out()), (64, 12));
        assert_eq!(Some(links.kept()[63]), of(&number(63)));
        links.clear();
        assert_eq!(links, TraceLinks::default());
    }

    #[test]
    fn merged_links_are_those_of_all_parts() {
        let (mut first, mut second) = (TraceLinks::default(), TraceLinks::default());
        (0..40).for_each(|at| first.see(number(at).as_bytes()));
        (20..80).for_each(|at| second.see(number(at).as_bytes()));
        first.merge(&second);
        assert_eq!((first.kept().len(), first.left_out()), (64, 16));
    }
}
