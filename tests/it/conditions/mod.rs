//! Random conditions on random leads, judged twice: by leadstream, and by the `cel` crate's interpreter, which shares no line with
//! it but the parser. Wherever that gives a result, both must agree. A few thousand by default; `LEADSTREAM_CONDITIONS=100000` is
//! the long form, `LEADSTREAM_SEED` tries others, `LEADSTREAM_CONDITION` one of them alone.

mod findings;
mod grammar;
pub(crate) mod leads;
mod page;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::Arc,
    thread,
    time::Instant,
};

use cel::{Env, Value, extensions};
use leadstream::rules::{Condition, Of, Weighed};

use crate::mutate::Dice;
use grammar::Grammar;
use leads::Lead;

/// The suite tries the same conditions each time.
const SEED: u64 = 20_261_101;
/// Small enough for every run of the suite.
const CONDITIONS: u64 = 4_000;
/// Each condition is asked about so many leads.
const LEADS_EACH: usize = 6;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// How often what happened.
#[derive(Debug, Default)]
struct Sum {
    /// Leadstream and the interpreter said the same.
    agreed: u64,
    /// Of these, true.
    held: u64,
    /// An error to the interpreter.
    without_result: u64,
    /// Not compiled, by what was said, without what was written.
    refused: BTreeMap<String, u64>,
    /// What was compiled and compared, by name.
    used: BTreeSet<&'static str>,
}

impl Sum {
    fn merge(mut self, other: Self) -> Self {
        self.agreed += other.agreed;
        self.held += other.held;
        self.without_result += other.without_result;
        self.used.extend(other.used);
        for (why, count) in other.refused {
            *self.refused.entry(why).or_default() += count;
        }
        self
    }
}

fn environment() -> Env {
    let mut environment = Env::stdlib();
    environment.add_extension(extensions::strings).expect("the extension of texts");
    environment
}

/// The condition of this number, on a few leads.
fn compare(seed: u64, number: u64, grammar: &Grammar, environment: &Env, leads: &[(&Lead<'_>, cel::Context<'_, '_>)], sum: &mut Sum) {
    let mut dice = Dice::of(seed, number);
    let written = grammar.condition(&mut dice);
    let again = format!("LEADSTREAM_SEED={seed} LEADSTREAM_CONDITION={number}");
    let ours = match Condition::of_route(&written.ours) {
        Ok(condition) => condition,
        Err(problems) => {
            let told =
                problems.iter().all(|problem| problem.line > 0 && problem.hint.is_some() && !problem.message.starts_with("this is not"));
            assert!(told && !problems.is_empty(), "{again}: {}\n{problems:?}", written.ours);
            let mut quoted = problems[0].message.split('"').step_by(2).collect::<String>();
            quoted.retain(|c| !c.is_ascii_digit());
            *sum.refused.entry(quoted).or_default() += 1;
            return;
        }
    };
    sum.used.extend(written.used);
    // As people are shown it, and turned round; one more level of brackets may be one too many.
    let read_back = |text: &str| match Condition::of_route(text) {
        Ok(condition) => Some(condition),
        Err(problems) if problems[0].message.contains("nests at most") => None,
        Err(problems) => panic!("{again}: {text}\n{problems:?}"),
    };
    let (shown, negated) = (ours.to_string(), ours.weigh_for(&leads[0].0.decision).negated);
    let (same, opposite) = (read_back(&shown), read_back(&negated));
    let theirs = environment.compile(&written.theirs).unwrap_or_else(|errors| panic!("{again}: {}\n{errors}", written.theirs));
    for _ in 0..LEADS_EACH {
        let (lead, context) = &leads[dice.below(leads.len())];
        let held = ours.holds_for(&lead.decision);
        assert_eq!(held, ours.holds_for(&lead.decision), "{again}");
        let holds = |condition: &Condition| condition.holds_for(&lead.decision);
        assert!(same.as_ref().is_none_or(|same| holds(same) == held), "{again}: {} is shown as {shown}", written.ours);
        assert!(opposite.as_ref().is_none_or(|opposite| holds(opposite) != held), "{again}: {shown} against {negated}");
        assert_weighed(&ours.weigh_for(&lead.decision), held, &again);
        match theirs.execute(context) {
            Ok(Value::Bool(wanted)) => {
                assert_eq!(held, wanted, "{again}\n{}\n{}\nleft is leadstream, of {}", written.ours, written.theirs, lead.block);
                sum.agreed += 1;
                sum.held += u64::from(held);
            }
            Ok(other) => panic!("{again}: {} is {other:?}", written.theirs),
            Err(_) => sum.without_result += 1,
        }
    }
}

/// The parts make the whole, and what is told to turn it is of parts that are as they should not be.
fn assert_weighed(weighed: &Weighed, held: bool, again: &str) {
    assert_eq!(weighed.held, held, "{again}: {}", weighed.when);
    let parts: Vec<bool> = weighed.parts.iter().map(|part| part.held).collect();
    let made = match weighed.of {
        Of::Fields | Of::Said | Of::Nothing => held,
        Of::All => parts.iter().all(|held| *held),
        Of::Any => parts.iter().any(|held| *held),
        Of::Not => !parts[0],
        Of::Choice => parts[if parts[0] { 1 } else { 2 }],
    };
    assert_eq!(made, held, "{again}: {weighed:?}");
    assert!(weighed.turned().is_none_or(|turned| !turned.is_empty()), "{again}: {weighed:?}");
    weighed.parts.iter().for_each(|part| assert_weighed(part, part.held, again));
}

#[test]
fn the_interpreter_of_cel_says_the_same_wherever_it_says_something() {
    let seed = number("LEADSTREAM_SEED").unwrap_or(SEED);
    let count = number("LEADSTREAM_CONDITIONS").unwrap_or(CONDITIONS);
    let one = number("LEADSTREAM_CONDITION");
    println!("LEADSTREAM_SEED={seed} LEADSTREAM_CONDITIONS={count}");
    let (pipeline, batch) = (leads::pipeline(), leads::batch(seed));
    let facts = leads::facts(&pipeline, &batch);
    let leads = leads::decided(&pipeline, &facts);
    let grammar = Grammar::of(&leads);
    let started = Instant::now();
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let sum = thread::scope(|scope| {
        let (leads, grammar) = (&leads, &grammar);
        let judged = |first: u64| {
            move || {
                let environment = Arc::new(environment());
                let leads: Vec<_> = leads.iter().map(|lead| (lead, lead.context(&environment))).collect();
                let mut sum = Sum::default();
                let numbers = (first..count).step_by(usize::try_from(threads).expect("a few"));
                for number in numbers.filter(|number| one.is_none_or(|one| one == *number)) {
                    compare(seed, number, grammar, &environment, &leads, &mut sum);
                }
                sum
            }
        };
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(judged(first))).collect();
        running.into_iter().map(|thread| thread.join().expect("the message is above")).fold(Sum::default(), Sum::merge)
    });
    println!("{:.1?} {sum:#?}", started.elapsed());
    if one.is_some() {
        return;
    }
    let refused: u64 = sum.refused.values().sum();
    assert!(refused * 4 < count, "too many are not compiled");
    assert!(sum.agreed > sum.without_result, "too few have a result");
    assert!(sum.held * 10 > sum.agreed && sum.held * 10 < 9 * sum.agreed, "true and false are both common");
    let missing: Vec<_> = page::names_of_functions().into_iter().filter(|name| !sum.used.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "never compared: {missing:?}");
}
