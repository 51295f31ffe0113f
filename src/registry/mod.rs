//! A schema registry as the rest of leadstream sees it: numbers to schemas, and our schemas to numbers. Remembers what it was
//! told, waits between questions to one that is away, and says once when it goes and when it is back. Decides nothing.

mod client;
mod subjects;
#[cfg(feature = "tls")]
mod tls;

pub use client::RegistryError;
pub use subjects::{Found, Subject, find, register, subjects};

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use client::{Client, StoredSchema};

use crate::{
    config::RegistryConfig,
    io::{RegistryAnswer, RegistryIsAway, SchemaSource, SchemaText},
};

/// The first pause before an absent registry is asked again …
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// … and the longest; each is twice the one before.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Somebody who asks waits no longer than this before hearing that the registry is away, so that he can do something else.
const PATIENCE: Duration = Duration::from_millis(500);
/// A number nobody has may be given to a schema later, or be known to a replica a moment later.
const ABSENCE: Duration = Duration::from_secs(10);
/// So many numbers are remembered.
const REMEMBERED: usize = 1024;
/// A schema builds on no more others, counted through.
const MOST_REFERENCES: usize = 64;

/// What is told of a registry.
pub trait RegistryWatch: Send + Sync {
    /// A question was answered, refused, or not answered.
    fn asked(&self, answer: RegistryAnswer);
    /// It answers, or why it does not; `needed` says whether records wait for it.
    fn state(&self, answer: Result<(), &str>, needed: bool);
}

/// Nobody is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl RegistryWatch for Unwatched {
    fn asked(&self, _: RegistryAnswer) {}
    fn state(&self, _: Result<(), &str>, _: bool) {}
}

/// All that is wrong with how a registry is to be reached, each for a person; asks nobody anything.
#[must_use]
pub fn faults(config: &RegistryConfig) -> Vec<String> {
    Client::new(config).err().unwrap_or_default()
}

/// One registry, shared by all lanes of a process.
pub struct Registry {
    client: Client,
    url: String,
    watch: Box<dyn RegistryWatch>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    schemas: BTreeMap<u32, SchemaText>,
    absent: BTreeMap<u32, Instant>,
    /// Since when it is away, how long the next pause is, and when it may be asked again.
    away: Option<(Instant, Duration, Instant)>,
    /// Records wait.
    needed: bool,
}

impl Registry {
    /// Asks nobody anything yet.
    ///
    /// # Errors
    /// Settings that cannot work, for a person.
    pub fn new(config: &RegistryConfig, watch: Box<dyn RegistryWatch>) -> Result<Self, String> {
        Ok(Self {
            client: Client::new(config).map_err(|faults| faults.join("; "))?,
            url: config.url.clone(),
            watch,
            state: Mutex::default(),
        })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that nothing starts before it has answered.
    pub fn expected(&self) {
        tracing::info!(registry = self.url, "asking the schema registry for our schemas");
        self.watch.state(Err("it was asked, and has not answered yet"), true);
    }

    /// Whether it answers now; for those who keep an eye on it. While records wait, those who need it ask themselves; and an
    /// answer that is only strange may be one to a question that this registry does not know.
    pub fn probe(&self) {
        if self.state().needed {
            return;
        }
        match self.client.probe() {
            Err(RegistryError::Strange(_) | RegistryError::Denied(_)) => {}
            answer => self.heard(&mut self.state(), &answer, false),
        }
    }

    /// Tells what came of a question of ours that nothing goes on without.
    fn tell<T>(&self, answer: Result<T, RegistryError>) -> Result<T, RegistryError> {
        self.heard(&mut self.state(), &answer, true);
        answer
    }

    /// Whether the last question went unanswered.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.state().away.is_some()
    }

    /// Tells what came of a question.
    fn heard<T>(&self, state: &mut State, answer: &Result<T, RegistryError>, needed: bool) {
        let now = Instant::now();
        let (result, why) = match answer {
            Ok(_) => (RegistryAnswer::Answered, None),
            Err(RegistryError::Refused { .. } | RegistryError::Incompatible(_)) => (RegistryAnswer::Refused, None),
            Err(error) => (RegistryAnswer::Failed, Some(error.to_string())),
        };
        self.watch.asked(result);
        match (why, state.away) {
            (None, None) => state.needed = false,
            (None, Some((since, _, _))) => {
                state.away = None;
                state.needed = false;
                tracing::info!(registry = self.url, "the schema registry answers again after {:.1} s", since.elapsed().as_secs_f64());
            }
            (Some(ref why), away) => {
                state.needed |= needed;
                state.away = Some(match away {
                    None => (now, FIRST_PAUSE * 2, now + FIRST_PAUSE),
                    Some((since, pause, _)) if needed => (since, (pause * 2).min(LONGEST_PAUSE), now + pause),
                    Some(known) => known,
                });
                if away.is_none() {
                    tracing::warn!(registry = self.url, "the schema registry does not answer: {why}; trying on, nothing is lost meanwhile");
                }
                self.watch.state(Err(why), state.needed);
                return;
            }
        }
        self.watch.state(Ok(()), false);
    }

    /// A schema with those it builds on, the deepest first.
    fn whole(&self, schema: StoredSchema) -> Result<SchemaText, RegistryError> {
        let mut texts = Vec::new();
        let mut wanted = schema.references;
        let mut seen = Vec::new();
        while let Some(reference) = wanted.pop() {
            if seen.contains(&reference) || seen.len() >= MOST_REFERENCES {
                continue;
            }
            let found = self.client.version(&reference)?;
            seen.push(reference);
            wanted.extend(found.references);
            texts.push(Arc::from(found.schema));
        }
        texts.reverse();
        texts.push(Arc::from(schema.schema));
        Ok(texts.into())
    }
}

impl SchemaSource for Registry {
    fn schema(&self, id: u32) -> Result<Option<SchemaText>, RegistryIsAway> {
        // The API's numbers are Java's: no schema has one above, and asking for it is an error to some registries.
        if i32::try_from(id).is_err() {
            return Ok(None);
        }
        let mut state = self.state();
        if let Some(schema) = state.schemas.get(&id) {
            return Ok(Some(Arc::clone(schema)));
        }
        if state.absent.get(&id).is_some_and(|since| since.elapsed() < ABSENCE) {
            return Ok(None);
        }
        if let Some((_, _, next)) = state.away {
            let left = next.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                drop(state);
                thread::sleep(left.min(PATIENCE));
                if left > PATIENCE {
                    return Err(RegistryIsAway);
                }
                state = self.state();
            }
        }
        let answer = self.client.schema(id).and_then(|found| found.map(|schema| self.whole(schema)).transpose());
        // It has answered, but not whether there is such a schema: who reads its message can mend that.
        let answer = answer.map_err(|error| match error {
            error @ RegistryError::Refused { .. } => RegistryError::Strange(format!("{}: {error}", self.url)),
            error => error,
        });
        self.heard(&mut state, &answer, true);
        if state.schemas.len() + state.absent.len() > REMEMBERED {
            state.schemas.clear();
            state.absent.clear();
        }
        match answer {
            Ok(Some(schema)) => {
                state.schemas.insert(id, Arc::clone(&schema));
                Ok(Some(schema))
            }
            Ok(None) => {
                state.absent.insert(id, Instant::now());
                Ok(None)
            }
            // Whatever else it says, it does not say that there is no such schema.
            Err(_) => Err(RegistryIsAway),
        }
    }
}
