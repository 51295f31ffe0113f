//! A transaction's outputs handed to the client, by partition where that can be told and one by one where not, and the wait until
//! the broker has them all. When a transaction begins and how it ends is `producer`'s.

use std::{
    sync::{PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode as Code},
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, Producer as _},
};

use crate::{
    io::Cause,
    pipeline::{Output, OutputBuffer},
};

use super::{
    super::{OutputNames, native::give_back, properties::TRANSACTION_TIMEOUT},
    Producer, Remedy, Trouble,
    destinations::Ways,
    sort, trouble,
};

/// So long nobody looks whether the client has room again or has delivered all. Slept through: polling for a millisecond would spin.
const LOOK: Duration = Duration::from_micros(500);
/// Looks become rarer the longer it takes, up to this: where a broker is slow, or there are many lanes, they would cost more than
/// they tell.
const RAREST_LOOK: Duration = Duration::from_millis(4);

/// After so many looks for room the client is asked all the same: it may have another reason by now to take none.
const LOOKS_FOR_ROOM: u32 = 20;

impl Producer {
    /// Writes outputs into the transaction that is open, each buffer's to topics of its own; begins one, where none is. Returns when
    /// every one is delivered.
    pub(in super::super) fn write(&mut self, parts: &[(&OutputBuffer, &OutputNames)]) -> Result<(), Trouble> {
        let written = self.begin_and_write(parts);
        if written.is_err() {
            self.destinations.clear();
            self.destinations.forget();
        }
        written
    }

    fn begin_and_write(&mut self, parts: &[(&OutputBuffer, &OutputNames)]) -> Result<(), Trouble> {
        // Before it begins: where partitions are not known, a broker is asked.
        let may_ask = !self.is_open();
        let ways: Vec<_> = parts.iter().map(|(out, topics)| self.destinations.ways(&self.client, out, topics, may_ask)).collect();
        if !self.is_open.replace(true) {
            self.forget_reports();
            self.begun = Instant::now();
            if self.transactional {
                self.client.begin_transaction().map_err(|error| sort(&error, "begin"))?;
            }
        }
        let mut first = 0;
        for ((out, topics), ways) in parts.iter().zip(&ways) {
            first += out.first();
            self.hand_over(out, topics, ways, first)?;
            first += out.len();
        }
        self.wait_delivered()
    }

    /// Hands over one buffer; `first` is the number of its first output among all.
    fn hand_over(&mut self, out: &OutputBuffer, topics: &OutputNames, ways: &Ways, first: usize) -> Result<(), Trouble> {
        for (index, output) in out.iter().enumerate() {
            let place = ways.get(output.topic as usize).copied().flatten().zip(output.key);
            if !place.is_some_and(|(place, key)| self.destinations.wait(place, index, key)) {
                self.send(first + index, &output, topics)?;
            }
            if index % 1024 == 1023 {
                self.client.poll(Duration::ZERO);
            }
        }
        for (place, topic) in ways.iter().zip(topics).filter_map(|(way, topic)| Some(((*way)?, topic))) {
            loop {
                let (taken, refused) = self.destinations.hand_over(place, out, first);
                match refused {
                    None if taken == 0 => break,
                    None => self.client.poll(Duration::ZERO),
                    Some((_, Code::QueueFull)) => self.wait_for_room()?,
                    Some((index, code)) => return Err(self.refused(index, topic, &KafkaError::MessageProduction(code))),
                }
            }
        }
        Ok(())
    }

    /// One output, which the client places.
    pub(super) fn send(&self, index: usize, output: &Output<'_>, topics: &OutputNames) -> Result<(), Trouble> {
        let topic = topics.get(output.topic as usize).map_or("", String::as_str);
        let mut record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord::with_opaque_to(topic, index);
        record.key = output.key;
        record.payload = output.value;
        if !output.headers.is_empty() {
            let mut headers = OwnedHeaders::new_with_capacity(output.headers.len());
            for (key, value) in output.headers.iter() {
                headers = headers.insert(Header { key, value });
            }
            record.headers = Some(headers);
        }
        loop {
            match self.client.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(Code::QueueFull), again)) => {
                    record = again;
                    self.wait_for_room()?;
                }
                Err((error, _)) => return Err(self.refused(index, topic, &error)),
            }
        }
    }

    fn wait_for_room(&self) -> Result<(), Trouble> {
        if self.begun.elapsed() > TRANSACTION_TIMEOUT {
            return Err(trouble(Cause::DeliveryTimeout, "send: the queue stayed full", Remedy::Abort));
        }
        // A queue that has room for a few again is full again at once, and each time as many outputs are laid out for it in vain.
        let half = self.client.in_flight_count() / 2;
        for _ in 0..LOOKS_FOR_ROOM {
            self.serve();
            if self.client.in_flight_count() <= half {
                break;
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Takes all reports that are there.
    fn serve(&self) {
        let mut waiting = self.client.in_flight_count();
        while waiting > 0 {
            self.client.poll(Duration::ZERO);
            let now = self.client.in_flight_count();
            if now >= waiting {
                break;
            }
            waiting = now;
        }
    }

    /// What to do about an output that the client does not take.
    fn refused(&self, index: usize, topic: &str, error: &KafkaError) -> Trouble {
        match error.rdkafka_error_code() {
            Some(Code::MessageSizeTooLarge) => {
                self.reports.failed.lock().unwrap_or_else(PoisonError::into_inner).push((index, Code::MessageSizeTooLarge));
            }
            Some(code) => self.reports.caused(code, topic),
            None => {}
        }
        self.told_fenced("send").unwrap_or_else(|| sort(error, "send"))
    }

    /// Waits until nothing is in flight. Not by `flush`, which rounds every wait up to 100 ms.
    fn wait_delivered(&self) -> Result<(), Trouble> {
        let deadline = self.begun + TRANSACTION_TIMEOUT + Duration::from_secs(5);
        let started = Instant::now();
        loop {
            self.serve();
            if self.reports.has_failed.load(Ordering::Acquire) {
                return Err(trouble(Cause::Delivery, "an output was not delivered", Remedy::Abort));
            }
            if give_back(&self.client) {
                return Ok(());
            }
            let now = Instant::now();
            if now > deadline {
                return Err(trouble(Cause::DeliveryTimeout, "outputs were not delivered in time", Remedy::Abort));
            }
            thread::sleep(((now - started) / 8).clamp(LOOK, RAREST_LOOK));
        }
    }
}
