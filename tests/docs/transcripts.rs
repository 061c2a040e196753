//! A block of a page that begins with ```` ```console ```` is a transcript: a comment above it names the repository in
//! which it was typed. Its commands are typed again, and it must say the same. A `…` stands for all that a command says.

use std::fmt::Write as _;
use std::process::Command;

use super::rollout::{RELEASE_46, RELEASE_47};
use super::{pages, root};
use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;
use crate::init::fixture;

/// A transcript of a page.
struct Transcript<'t> {
    /// The page and the line where it begins.
    place: String,
    /// The name of its repository.
    repository: &'t str,
    text: String,
}

/// The transcripts of a page.
fn transcripts<'t>(path: &str, text: &'t str) -> Vec<Transcript<'t>> {
    let lines: Vec<&str> = text.lines().collect();
    let of = |(at, line): (usize, &&str)| {
        (*line == "```console").then(|| {
            let place = format!("{path}:{}", at + 1);
            let comment = at.checked_sub(1).map_or("", |above| lines[above]);
            let repository = comment.strip_prefix("<!-- typed in: ").and_then(|rest| rest.strip_suffix(" -->"));
            let repository = repository.unwrap_or_else(|| panic!("{place}: no comment names its repository"));
            let block = lines[at + 1..].iter().take_while(|line| **line != "```");
            Transcript { place, repository, text: block.fold(String::new(), |text, line| text + line + "\n") }
        })
    };
    lines.iter().enumerate().filter_map(of).collect()
}

/// Makes the repository of a transcript.
fn repository(transcript: &Transcript<'_>) -> TestRepo {
    match transcript.repository {
        "release" => release(),
        "revert" => revert(),
        "shop" => shop(),
        "no-order" => no_order(),
        "kustomize" => fixture("kustomize"),
        other => panic!("{}: there is no repository {other}", transcript.place),
    }
}

/// The three services of the picture, with their release.
fn release() -> TestRepo {
    let repo = TestRepo::for_pins();
    for (pins, message) in [(RELEASE_46, "Release 46"), (RELEASE_47, "Release 47")] {
        for line in pins.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, rest) = line.split_once(' ').unwrap();
            let (version, needs) = rest.trim().split_once("  ").unwrap_or((rest.trim(), ""));
            repo.pin(name, version, &if needs.is_empty() { String::new() } else { format!("dependsOn:\n  {needs}\n") });
        }
        repo.commit(message);
    }
    repo
}

fn revert() -> TestRepo {
    let repo = release();
    repo.revert(repo.head());
    repo
}

/// Six services, of which a release moves three.
fn shop() -> TestRepo {
    six_services(">=2.0, <3")
}

/// The same, where the old checkout rejects the new payments.
fn no_order() -> TestRepo {
    six_services(">=1, <2.1")
}

fn six_services(old: &str) -> TestRepo {
    let repo = TestRepo::for_pins();
    let checkout = |version, payments| {
        repo.pin("checkout", version, &format!("dependsOn:\n  inventory: ^1.4\n  payments: \"{payments}\"\n"));
    };
    checkout("1.7.9", old);
    repo.pin("inventory", "1.4.2", "").pin("ledger", "5.1.0", "").pin("mail", "1.0.0", "");
    repo.pin("payments", "2.0.3", "dependsOn:\n  ledger: ^5\n").pin("web", "3.4.0", "dependsOn:\n  checkout: ^1\n");
    repo.commit("Pin what runs");
    checkout("1.8.2", ">=2.1, <3");
    repo.pin("mail", "1.0.1", "").pin("payments", "2.1.0", "dependsOn:\n  ledger: ^5\n");
    repo.wait(24 * 3600).commit("Release 47: checkout pays through the new API");
    repo
}

/// Types the commands of a transcript in a fresh repository; returns it as it comes out.
fn typed(transcript: &Transcript<'_>) -> String {
    let repo = repository(transcript);
    let pintle = Pintle::in_repo(&repo);
    let mut told = String::new();
    for part in transcript.text.split("$ ").skip(1) {
        let (line, shown) = part.split_once('\n').unwrap();
        let said = pintle.said(shell(&pintle, line).current_dir(repo.path()).output().unwrap());
        let exit = said.code.filter(|code| *code != 0).map(|code| format!("(exit {code})\n")).unwrap_or_default();
        let said = if shown == "…\n" { shown.to_owned() } else { format!("{}{}{exit}", said.out, said.err) };
        let _ = write!(told, "$ {line}\n{said}");
    }
    told
}

/// A line as a person types it: with quotes and pipes, and with `pintle` on the path.
fn shell(pintle: &Pintle<'_>, line: &str) -> Command {
    let pintle = pintle.command(&["--version"]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("pintle() {{ {} \"$@\"; }}\n{line}", pintle.get_program().display())).env_clear();
    shell.envs(pintle.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

/// Times that differ from run to run, as [`Pintle`] replaces them.
fn without_times(text: &str) -> String {
    let line = |line: &str| match line.rsplit_once('(') {
        Some((before, after)) if after.ends_with(" ms)") => format!("{before}(… ms)\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// Puts what came out in the place of what stands there.
fn rewrite(path: &str, transcript: &Transcript<'_>, came: &str) {
    let file = root().join(path);
    let text = std::fs::read_to_string(&file).unwrap();
    let fenced = |text: &str| format!("```console\n{text}```");
    std::fs::write(file, text.replacen(&fenced(&transcript.text), &fenced(came), 1)).unwrap();
}

#[test]
fn commands_of_the_documents_say_what_stands_there() {
    let rewrites = std::env::var("PINTLE_DOCS").is_ok_and(|it| it == "write");
    let mut faults = String::new();
    let mut count = 0;
    for page in pages() {
        for transcript in transcripts(&page.path, &page.text) {
            count += 1;
            let came = typed(&transcript);
            if without_times(&transcript.text) != came {
                let _ = writeln!(faults, "{} says otherwise now (make docs writes it):\n{came}", transcript.place);
                if rewrites {
                    rewrite(&page.path, &transcript, &came);
                }
            }
        }
    }
    assert!(count > 5, "the documents have {count} transcripts");
    assert!(faults.is_empty(), "{faults}");
}
