//! What `pintle` does or finds, without its sentences: the typed values of `--output json`, a line each object, and of
//! sentences the facts alone. Whoever rewrites a message changes no outline; whoever changes what happens does.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::git::TestRepo;
use super::pintle::{Pintle, Said};

/// Keys of typed values, in the order in which they are shown. Others are for other tests.
const TYPED: &str = "environment severity path line column service consumer provider seen manager services range fits namespace \
    renamedFrom kind direction from to version image pinned runs pinsBack above versions branch pushedTo \
    behind base compareUrl status distance command complete includeConfig existed lockstep overdue by \
    reason act named commit until";

/// Keys of sentences, and of what holds them.
const SENTENCES: &str = "message hint waits why held unmet unseen what wayOut circles";

/// Words that go on with the sentence behind a command.
const AFTER_COMMANDS: &str = "shows needs for then needed";

/// Keys of lists of objects, and of objects with lines of their own.
const NESTED: &str = "problems also moves pins moved needs edges unreadable underWay stages rest released alarms suspects \
    members passedOver stays holds plan rollback files hunks lines notTaken left owned undoes of";

impl Pintle<'_> {
    /// Runs one after another, each with what was typed before it.
    pub(crate) fn outlines(&self, tries: &[&str]) -> String {
        let told = |words: &&str| format!("$ pintle {words}\n{}", self.outline(words));
        tries.iter().map(told).collect::<Vec<_>>().concat()
    }

    /// Runs it, and outlines what it prints.
    pub(crate) fn outline(&self, words: &str) -> String {
        outline(&self.says(&format!("{words} --output json")), self.repo())
    }
}

/// Outlines what was said with `--output json` in a repository.
pub(crate) fn outline(said: &Said, repo: &TestRepo) -> String {
    let files = std::fs::read_dir(repo.path().join("services")).into_iter().flatten().flatten();
    let services = files.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".yaml")?.to_owned()));
    outline_of(said, services.collect())
}

fn outline_of(said: &Said, mut names: BTreeSet<String>) -> String {
    let mut text = String::new();
    if !said.out.is_empty() {
        let value: Value = serde_json::from_str(&said.out).unwrap_or_else(|why| panic!("{why}: {said}"));
        collect_names(&value, &mut names);
        add(&mut text, 0, "", &value, &names);
    }
    let is_told = |line: &&str| ["warning: ", "error: ", "  hint: "].iter().any(|start| line.starts_with(start));
    for line in said.err.lines().filter(is_told) {
        let (kind, rest) = line.trim_start().split_once(": ").unwrap();
        add_line(&mut text, 0, &[kind.to_owned(), facts(rest, &names)]);
    }
    match said.code {
        Some(0) => {}
        Some(code) => add_line(&mut text, 0, &[format!("exit {code}")]),
        None => add_line(&mut text, 0, &["killed".to_owned()]),
    }
    text
}

fn add(text: &mut String, depth: usize, name: &str, value: &Value, names: &BTreeSet<String>) {
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                let name = if item.is_array() { format!("{name} {}", number + 1) } else { name.to_owned() };
                add(text, depth, &name, item, names);
            }
        }
        Value::Object(object) => {
            let by_image = object.get("kind").is_some_and(|kind| kind == "image");
            let is_shown = |key: &&str| by_image || *key != "image";
            let shown = |key: &str| Some(format!("{key}={}", scalar(object.get(key)?, by_image)?));
            let typed: Vec<String> = TYPED.split(' ').filter(is_shown).filter_map(shown).collect();
            let said = |key: &str| {
                let facts = all_facts(object.get(key)?, names);
                (!facts.is_empty()).then(|| format!("{key}: {facts}"))
            };
            let said: Vec<String> = SENTENCES.split(' ').filter_map(said).collect();
            let words: Vec<String> = [name.to_owned()].into_iter().chain(typed).chain(said).collect();
            add_line(text, depth, &words);
            for key in NESTED.split(' ') {
                if let Some(value) = object.get(key).filter(|value| value.is_array() || value.is_object()) {
                    add(text, depth + usize::from(!name.is_empty()), key, value, names);
                }
            }
        }
        other => add_line(text, depth, &[name.to_owned(), scalar(other, false).unwrap_or_default()]),
    }
}

fn add_line(text: &mut String, depth: usize, words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    if !words.is_empty() {
        writeln!(text, "{:indent$}{}", "", words.join(" "), indent = 2 * depth).unwrap();
    }
}

/// A value that fits into a line; none of what says nothing.
fn scalar(value: &Value, by_image: bool) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => is.then(|| "yes".to_owned()),
        Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            items.filter(|items| !items.is_empty()).map(|items| items.join(","))
        }
        // A commit, by what does not hold the time; a reason, by its code; and one end of a move.
        Value::Object(object) if object.contains_key("id") => Some(format!("({})", object["subject"].as_str()?)),
        Value::Object(object) if object.contains_key("code") => object["code"].as_str().map(str::to_owned),
        Value::Object(object) => object.get(if by_image { "image" } else { "version" })?.as_str().map(str::to_owned),
        Value::Null => None,
    }
}

fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Value::Object(object) => {
            let found = ["service", "provider", "consumer"].iter().filter_map(|key| object.get(*key)?.as_str());
            names.extend(found.map(str::to_owned));
            object.values().for_each(|value| collect_names(value, names));
        }
        _ => {}
    }
}

/// The facts of all sentences in a value.
fn all_facts(value: &Value, names: &BTreeSet<String>) -> String {
    let mut texts = Vec::new();
    collect_texts(value, &mut texts);
    facts(&texts.join("; "), names)
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(object) => object.values().for_each(|value| collect_texts(value, texts)),
        _ => {}
    }
}

/// What a sentence is about, sorted: commands and flags, what is quoted, versions and other numbers, paths, and services.
fn facts(sentence: &str, names: &BTreeSet<String>) -> String {
    let mut facts = BTreeSet::new();
    for (number, part) in sentence.split('`').enumerate() {
        if number % 2 == 1 {
            facts.insert(part.to_owned());
            continue;
        }
        for clause in part.split([',', ';', '(', ')']).flat_map(|it| it.split(": ")).flat_map(|it| it.split(" or ")) {
            let clause = clause.trim();
            if ["git ", "pintle ", "--"].iter().any(|start| clause.starts_with(start)) {
                let words = clause.split(' ').take_while(|word| !AFTER_COMMANDS.split(' ').any(|it| it == *word));
                facts.insert(words.collect::<Vec<_>>().join(" "));
                continue;
            }
            for word in clause.split_whitespace() {
                let word = word.trim_matches(|it: char| !it.is_ascii_alphanumeric() && !"^<>=~*/-".contains(it));
                let is_fact = word.contains(|it: char| it.is_ascii_digit() || "/.=".contains(it));
                if is_fact || names.contains(word) {
                    facts.insert(word.to_owned());
                }
            }
        }
    }
    // Ids of commits come last: some hold the time of today.
    let is_id = |fact: &String| fact.len() >= 7 && fact.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (ids, others): (Vec<String>, Vec<String>) = facts.into_iter().partition(is_id);
    [others, ids].concat().join(" | ")
}

/// The judge itself.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_wording_is_the_same_outline_and_another_fact_is_not() {
        let of = |why: &str, to: &str| {
            let out = serde_json::json!({"members": [{"service": "payments", "from": "2.1", "to": to, "why": why}]});
            let err = "error: the branch main has no upstream\n  hint: git push, or keep it here: --commit-only\n";
            outline_of(&Said { out: out.to_string(), err: err.to_owned(), code: Some(1) }, BTreeSet::new())
        };
        let expected = "members service=payments from=2.1 to=2.0 why: 2.0 | payments | services/payments.yaml\nerror\nhint \
                        --commit-only | git push\nexit 1\n";
        assert_eq!(of("payments needs 2.0, says services/payments.yaml", "2.0"), expected);
        assert_eq!(
            of("services/payments.yaml has 2.0 for payments", "2.0"),
            of("payments `2.0` services/payments.yaml", "2.0")
        );
        assert_ne!(of("payments needs 2.0", "2.0"), of("payments needs 2.2", "2.0"));
        assert_ne!(of("payments needs 2.0", "2.0"), of("payments needs 2.0", "1.9"));
    }
}
