//! From a CEL syntax tree to our own small tree: every name found, every type checked, every word of a closed list compared
//! with that list. Says what is wrong at which byte of the condition; evaluates nothing.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue, SourceInfo, operators},
};

use super::{
    Fault,
    fields::{self, FIELDS, Sight, Table, Type},
};
use crate::{
    lead::{Flag, Timestamp, Vocabulary},
    rules::suggest,
};

/// A literal.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    Time(Timestamp),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// How two numbers make a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// What is asked of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// One expression, known to be well typed.
#[derive(Debug)]
pub(super) enum Node {
    Literal(Literal),
    Field(&'static fields::Field),
    Column(Table, Box<str>),
    Entry(Box<Node>, Box<Node>),
    Not(Box<Node>),
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Calculate(Arithmetic, Box<Node>, Box<Node>),
    Negate(Box<Node>),
    InList(Box<Node>, Box<[Node]>),
    /// In a field that is a list or a map.
    InField(Box<Node>, Box<Node>),
    HasFlag(Flag),
    Test(TextTest, Box<Node>, Box<Node>),
    Size(Box<Node>),
    Has(Box<Node>),
}

/// A node and its type; nothing where a fault has been told.
type Typed = Option<(Node, Type)>;

/// The functions a condition may call, for those who look for others.
const FUNCTIONS: [&str; 6] = ["has", "size", "startsWith", "endsWith", "contains", "timestamp"];

/// Checks and lowers a whole condition.
pub(super) fn compile(expression: &IdedExpr, source: &SourceInfo, sight: Sight) -> Result<Node, Vec<Fault>> {
    let mut compiler = Compiler { source, sight, faults: Vec::new() };
    let lowered = compiler.truth(expression, "a condition");
    match lowered {
        Some(node) if compiler.faults.is_empty() => Ok(node),
        _ => Err(compiler.faults),
    }
}

struct Compiler<'a> {
    source: &'a SourceInfo,
    sight: Sight,
    faults: Vec<Fault>,
}

impl Compiler<'_> {
    fn fault(&mut self, at: &IdedExpr, message: impl Into<String>, hint: impl Into<String>) {
        self.faults.push(Fault { offset: self.start(at), message: message.into(), hint: Some(hint.into()) });
    }

    /// The first byte of an expression: the parser's own place of a call is its operator's.
    fn start(&self, expression: &IdedExpr) -> usize {
        let own = self.own_start(expression);
        let inner = match &expression.expr {
            Expr::Select(select) => self.start(&select.operand),
            Expr::Call(call) => {
                let first = call.target.as_deref().or(call.args.first()).map_or(usize::MAX, |first| self.start(first));
                // A call's own place is its bracket; its name stands right before it.
                if call.target.is_none() && !call.func_name.starts_with(|c: char| !c.is_alphabetic()) {
                    return self.name_before(own, &call.func_name);
                }
                first
            }
            _ => usize::MAX,
        };
        let first = own.min(inner);
        if first == usize::MAX { 0 } else { first }
    }

    /// The place the parser gives an expression.
    fn own_start(&self, expression: &IdedExpr) -> usize {
        self.source.offset_for(expression.id).map_or(usize::MAX, |(start, _)| start as usize)
    }

    /// Where `name` begins that ends before byte `bracket`.
    fn name_before(&self, bracket: usize, name: &str) -> usize {
        let before = self.source.source.get(..bracket.min(self.source.source.len())).unwrap_or_default();
        before.trim_end().strip_suffix(name).map_or(bracket, str::len)
    }

    /// An expression that must be true or false.
    fn truth(&mut self, expression: &IdedExpr, what: &str) -> Option<Node> {
        let (node, of) = self.lower(expression)?;
        if matches!(of, Type::Bool) {
            return Some(node);
        }
        let hint = "compare it with something, or ask has(…)";
        self.fault(expression, format!("{what} must be true or false; this is {}", of.name()), hint);
        None
    }

    fn lower(&mut self, expression: &IdedExpr) -> Typed {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(expression, literal),
            Expr::Ident(_) | Expr::Select(_) => self.name(expression),
            Expr::Call(call) => self.call(expression, call),
            Expr::List(_) => self.refuse(expression, "a list may stand only to the right of `in`"),
            Expr::Map(_) | Expr::Struct(_) => self.refuse(expression, "a map in braces is not supported in conditions"),
            Expr::Comprehension(_) | Expr::Unspecified => self.refuse(expression, "this is not supported in conditions"),
        }
    }

    fn refuse(&mut self, expression: &IdedExpr, message: &str) -> Typed {
        self.fault(expression, message, "write it with && || ! == != < <= > >= in, has, size, startsWith, endsWith and contains");
        None
    }

    fn literal(&mut self, at: &IdedExpr, literal: &LiteralValue) -> Typed {
        Some(match literal {
            LiteralValue::Null => (Node::Literal(Literal::Null), Type::Null),
            LiteralValue::Boolean(value) => (Node::Literal(Literal::Bool(*value.inner())), Type::Bool),
            LiteralValue::Int(value) => (Node::Literal(Literal::Int(*value.inner())), Type::Int),
            LiteralValue::UInt(value) => match i64::try_from(*value.inner()) {
                Ok(value) => (Node::Literal(Literal::Int(value)), Type::Int),
                Err(_) => return self.refuse(at, "this number is too large"),
            },
            LiteralValue::Double(value) => (Node::Literal(Literal::Double(*value.inner())), Type::Double),
            LiteralValue::String(value) => (Node::Literal(Literal::Text(value.inner().into())), Type::Text),
            LiteralValue::Bytes(_) => return self.refuse(at, "bytes are not supported in conditions"),
        })
    }

    /// A name, or names joined by dots.
    fn name(&mut self, expression: &IdedExpr) -> Typed {
        let Some(path) = path(expression) else {
            return self.refuse(expression, "only names can have fields");
        };
        if let Some(field) = fields::find(&path) {
            if field.from > self.sight {
                let seen = if field.from == Sight::Routed { "routes" } else { "routes and campaigns" };
                self.fault(expression, format!("{path} is not known yet here: only {seen} see it"), "use fields of the lead itself");
                return None;
            }
            return Some((Node::Field(field), field.of));
        }
        match path.split_once('.') {
            Some(("account", column)) if !column.contains('.') => return Some((Node::Column(Table::Account, column.into()), Type::Text)),
            Some(("offer", column)) if !column.contains('.') => return Some((Node::Column(Table::Offer, column.into()), Type::Text)),
            Some((map @ ("attribution" | "extra"), key)) if !key.contains('.') => {
                let field = fields::find(map)?;
                let key = Node::Literal(Literal::Text(key.into()));
                return Some((Node::Entry(Box::new(Node::Field(field)), Box::new(key)), Type::Text));
            }
            _ => {}
        }
        let inside: Vec<&str> = FIELDS.iter().map(|field| field.path).filter(|field| is_inside(field, &path)).collect();
        let visible = FIELDS.iter().filter(|field| field.from <= self.sight).map(|field| field.path);
        let hint = match suggest::nearest(&path, visible) {
            _ if !inside.is_empty() => format!("name one of its fields: {}", inside.join(", ")),
            Some(near) => format!("did you mean {near}?"),
            None => "the lead block's fields are listed in docs/rules.md; texts stand in quotes".to_owned(),
        };
        let message = if inside.is_empty() { format!("unknown field {path}") } else { format!("{path} is no value by itself") };
        self.fault(expression, message, hint);
        None
    }

    fn call(&mut self, at: &IdedExpr, call: &CallExpr) -> Typed {
        let comparison = match call.func_name.as_str() {
            operators::EQUALS => Some(Comparison::Equal),
            operators::NOT_EQUALS => Some(Comparison::NotEqual),
            operators::LESS => Some(Comparison::Less),
            operators::LESS_EQUALS => Some(Comparison::LessOrEqual),
            operators::GREATER => Some(Comparison::Greater),
            operators::GREATER_EQUALS => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        let arithmetic = match call.func_name.as_str() {
            operators::ADD => Some(Arithmetic::Add),
            operators::SUBSTRACT => Some(Arithmetic::Subtract),
            operators::MULTIPLY => Some(Arithmetic::Multiply),
            operators::DIVIDE => Some(Arithmetic::Divide),
            operators::MODULO => Some(Arithmetic::Remainder),
            _ => None,
        };
        let text_test = match call.func_name.as_str() {
            "startsWith" => Some(TextTest::StartsWith),
            "endsWith" => Some(TextTest::EndsWith),
            "contains" => Some(TextTest::Contains),
            _ => None,
        };
        match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            (operators::LOGICAL_AND, None, _) => Some((Node::All(self.truths(at, operators::LOGICAL_AND)?), Type::Bool)),
            (operators::LOGICAL_OR, None, _) => Some((Node::Any(self.truths(at, operators::LOGICAL_OR)?), Type::Bool)),
            (operators::LOGICAL_NOT, None, [of]) => Some((Node::Not(Box::new(self.truth(of, "what ! turns round")?)), Type::Bool)),
            (operators::IN, None, [item, container]) => self.membership(item, container),
            (operators::INDEX, None, [map, key]) => self.entry(map, key),
            (_, None, [left, right]) if comparison.is_some() => self.comparison(comparison?, left, right),
            (_, None, [left, right]) if arithmetic.is_some() => self.arithmetic(arithmetic?, left, right),
            (operators::NEGATE, None, [of]) => {
                let (node, is) = self.lower(of)?;
                self.number(of, is)?;
                Some((Node::Negate(Box::new(node)), is))
            }
            (_, Some(text), [part]) if text_test.is_some() => self.text_test(text_test?, text, part),
            ("size", Some(of), []) | ("size", None, [of]) => self.size(of),
            ("has", None, [of]) => {
                let (node, _) = self.lower(of)?;
                Some((Node::Has(Box::new(node)), Type::Bool))
            }
            ("timestamp", None, [text]) => self.timestamp(text),
            (name, _, _) if FUNCTIONS.contains(&name) => {
                let hint = "has(x), size(x), x.startsWith(\"…\"), x.endsWith(\"…\"), x.contains(\"…\"), timestamp(\"…\")";
                self.fault(at, format!("{name} is not called like this"), hint);
                None
            }
            (name, _, _) if name.starts_with(char::is_alphabetic) => {
                let near = suggest::nearest(name, FUNCTIONS).map(|near| format!("did you mean {near}?"));
                let hint = near.unwrap_or_else(|| format!("there are {}", FUNCTIONS.join(", ")));
                let offset = self.name_before(self.own_start(at), name);
                self.faults.push(Fault { offset, message: format!("unknown function {name}"), hint: Some(hint) });
                None
            }
            (name, _, _) => {
                let sign = name.trim_matches(['_', '@']).replace('_', "");
                self.refuse(at, &format!("the operator {sign} is not supported in conditions"))
            }
        }
    }

    /// The operands of a chain of one operator, in order.
    fn truths(&mut self, chain: &IdedExpr, operator: &str) -> Option<Box<[Node]>> {
        let mut operands = Vec::new();
        flatten(chain, operator, &mut operands);
        let what = if operator == operators::LOGICAL_AND { "each side of &&" } else { "each side of ||" };
        let nodes: Vec<Option<Node>> = operands.into_iter().map(|operand| self.truth(operand, what)).collect();
        nodes.into_iter().collect()
    }

    fn comparison(&mut self, how: Comparison, left: &IdedExpr, right: &IdedExpr) -> Typed {
        let (first, second) = (self.lower(left), self.lower(right));
        let ((first, first_type), (second, second_type)) = (first?, second?);
        let ordered = !matches!(how, Comparison::Equal | Comparison::NotEqual);
        self.comparable((left, &first, first_type), (right, &second, second_type), ordered)?;
        Some((Node::Compare(how, Box::new(first), Box::new(second)), Type::Bool))
    }

    fn arithmetic(&mut self, how: Arithmetic, left: &IdedExpr, right: &IdedExpr) -> Typed {
        let (first, second) = (self.lower(left), self.lower(right));
        let ((first, first_type), (second, second_type)) = (first?, second?);
        self.number(left, first_type)?;
        self.number(right, second_type)?;
        let is_whole = matches!(first_type, Type::Int);
        if is_whole != matches!(second_type, Type::Int) {
            let hint = "CEL does not mix whole numbers and fractions: write 2.0 instead of 2";
            self.fault(right, "both sides must be whole numbers, or both fractions", hint);
            return None;
        }
        if how == Arithmetic::Remainder && !is_whole {
            self.fault(right, "only whole numbers have a remainder", "use / instead");
            return None;
        }
        Some((Node::Calculate(how, Box::new(first), Box::new(second)), first_type))
    }

    fn number(&mut self, at: &IdedExpr, of: Type) -> Option<()> {
        if matches!(of, Type::Int | Type::Double) {
            return Some(());
        }
        self.fault(at, format!("this must be a number; it is {}", of.name()), "only numbers can be calculated with");
        None
    }

    /// Whether a comparison of these can ever be more than a slip.
    fn comparable(&mut self, left: (&IdedExpr, &Node, Type), right: (&IdedExpr, &Node, Type), ordered: bool) -> Option<()> {
        let fits = match (left.2, right.2) {
            (Type::Null, _) | (_, Type::Null) | (Type::Bool, Type::Bool) => !ordered,
            (Type::Int | Type::Double, Type::Int | Type::Double)
            | (Type::Text | Type::Word(_), Type::Text | Type::Word(_))
            | (Type::Time, Type::Time) => true,
            _ => false,
        };
        if !fits {
            let hint = match (left.2, right.2) {
                (Type::Time, Type::Text) | (Type::Text, Type::Time) => "write a time as timestamp(\"2026-01-31T00:00:00Z\")",
                (Type::Null, _) | (_, Type::Null) => "null is neither less nor greater than anything; ask has(…)",
                (Type::Map | Type::Flags | Type::Reasons, _) | (_, Type::Map | Type::Flags | Type::Reasons) => {
                    "ask `in`, or compare its size(…)"
                }
                _ => "texts stand in quotes, numbers do not",
            };
            let message = format!("{} cannot be compared with {}", left.2.name(), right.2.name());
            self.fault(right.0, message, hint);
            return None;
        }
        let told = self.faults.len();
        self.is_a_word(left.2, right.0, right.1);
        self.is_a_word(right.2, left.0, left.1);
        (self.faults.len() == told).then_some(())
    }

    /// A text compared with a closed list must be one of its words.
    fn is_a_word(&mut self, list: Type, at: &IdedExpr, node: &Node) {
        if let (Type::Word(words), Node::Literal(Literal::Text(text))) = (list, node) {
            let words = words();
            if !words.contains(&&**text) {
                let hint = suggest::hint(text, &words);
                self.fault(at, format!("{text:?} is none of the values this field can have"), hint);
            }
        }
    }

    fn membership(&mut self, item: &IdedExpr, container: &IdedExpr) -> Typed {
        let lowered = self.lower(item);
        if let Expr::List(list) = &container.expr {
            let elements: Vec<Typed> = list.elements.iter().map(|element| self.lower(element)).collect();
            let (node, of) = lowered?;
            let mut nodes = Vec::with_capacity(elements.len());
            let mut whole = true;
            for (at, element) in list.elements.iter().zip(elements) {
                let fits = element.and_then(|(element, is)| {
                    self.comparable((item, &node, of), (at, &element, is), false)?;
                    nodes.push(element);
                    Some(())
                });
                whole &= fits.is_some();
            }
            return whole.then(|| (Node::InList(Box::new(node), nodes.into()), Type::Bool));
        }
        let (list, container_type) = self.lower(container)?;
        let (node, of) = lowered?;
        if !matches!(container_type, Type::Map | Type::Flags | Type::Reasons) {
            let message = format!("`in` needs a list or a map to its right; this is {}", container_type.name());
            self.fault(container, message, "write a list in brackets: in [\"…\", \"…\"]");
            return None;
        }
        if !matches!(of, Type::Text | Type::Word(_)) {
            self.fault(item, format!("only a text can be in this list; this is {}", of.name()), "texts stand in quotes");
            return None;
        }
        if let (Type::Flags, Node::Literal(Literal::Text(text))) = (container_type, &node) {
            let Some(flag) = Flag::from_name(text) else {
                let names: Vec<&str> = Flag::ALL.iter().map(|flag| flag.name()).collect();
                self.fault(item, format!("{text:?} is no flag"), suggest::hint(text, &names));
                return None;
            };
            if flag == Flag::Redacted {
                self.fault(item, format!("the flag {text:?} is set only after all rules"), "use the reasons");
                return None;
            }
            return Some((Node::HasFlag(flag), Type::Bool));
        }
        Some((Node::InField(Box::new(node), Box::new(list)), Type::Bool))
    }

    fn entry(&mut self, map: &IdedExpr, key: &IdedExpr) -> Typed {
        let (lowered, key_lowered) = (self.lower(map), self.lower(key));
        let ((map_node, of), (key_node, key_type)) = (lowered?, key_lowered?);
        if !matches!(of, Type::Map) {
            self.fault(map, format!("{} has no keys", of.name()), "only attribution[\"…\"] and extra[\"…\"] are maps");
            return None;
        }
        if !matches!(key_type, Type::Text | Type::Word(_)) {
            self.fault(key, format!("a key is a text; this is {}", key_type.name()), "write the key in quotes");
            return None;
        }
        Some((Node::Entry(Box::new(map_node), Box::new(key_node)), Type::Text))
    }

    fn text_test(&mut self, how: TextTest, text: &IdedExpr, part: &IdedExpr) -> Typed {
        let (lowered, part_lowered) = (self.lower(text), self.lower(part));
        let ((text_node, of), (part_node, part_type)) = (lowered?, part_lowered?);
        for (at, of) in [(text, of), (part, part_type)] {
            if !matches!(of, Type::Text | Type::Word(_)) {
                self.fault(at, format!("this must be a text; it is {}", of.name()), "texts stand in quotes");
                return None;
            }
        }
        Some((Node::Test(how, Box::new(text_node), Box::new(part_node)), Type::Bool))
    }

    fn size(&mut self, of: &IdedExpr) -> Typed {
        let (node, is) = self.lower(of)?;
        if matches!(is, Type::Text | Type::Word(_) | Type::Map | Type::Flags | Type::Reasons) {
            return Some((Node::Size(Box::new(node)), Type::Int));
        }
        self.fault(of, format!("{} has no size", is.name()), "texts, lists and maps have one");
        None
    }

    fn timestamp(&mut self, text: &IdedExpr) -> Typed {
        let (node, _) = self.lower(text)?;
        if let Node::Literal(Literal::Text(written)) = &node
            && let Some(time) = Timestamp::parse(written)
        {
            return Some((Node::Literal(Literal::Time(time)), Type::Time));
        }
        self.fault(text, "this is no time", "write it like timestamp(\"2026-01-31T00:00:00Z\")");
        None
    }
}

/// The names joined by dots that an expression spells, if it does.
fn path(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            let mut path = path(&select.operand)?;
            path.push('.');
            path.push_str(&select.field);
            Some(path)
        }
        _ => None,
    }
}

fn is_inside(field: &str, record: &str) -> bool {
    field.strip_prefix(record).is_some_and(|rest| rest.starts_with('.'))
}

/// The operands of nested calls of one operator, from left to right: the parser makes a tree of a chain.
fn flatten<'a>(expression: &'a IdedExpr, operator: &str, operands: &mut Vec<&'a IdedExpr>) {
    match &expression.expr {
        Expr::Call(call) if call.func_name == operator => call.args.iter().for_each(|side| flatten(side, operator, operands)),
        _ => operands.push(expression),
    }
}
