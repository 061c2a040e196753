use std::io::Read as _;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;
use crate::common::terminal::on_terminal;

fn repo() -> TestRepo {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0.3", "").commit("Start");
    for version in ["2.1.0", "2.2.0", "2.0.3"] {
        repo.pin("payments", version, "").commit("Change services/payments.yaml");
    }
    repo
}

#[test]
fn the_help_lists_commands_flags_and_exit_codes() {
    let repo = repo();
    assert_snapshot!(Pintle::in_repo(&repo).says("--help"), @"
    Steers what runs by what Git pins: every step compatible, in both directions

    Usage: pintle [OPTIONS] <COMMAND>

    Commands:
      init         Write a first pintle.yaml from what the repository says already
      check        Report everything that is wrong with the pins
      plan         Show what would be done, in which order, and why
      apply        Carry the plan out to its end, then stop
      run          Keep what is pinned: follow commits, correct drift, for ever
      status       Show what is pinned, what runs, and what it is waiting for
      pause        Leave services as they are for a while: neither drift nor a new pin is written
      resume       End the pause of services
      graph        Show who needs whom, and which versions
      history      Show the pins that a service had, newest first
      diff         Show what moved between two revisions
      pin          Pin a version: edit its line, commit, push
      hold         Keep versions of a service from running, until somebody releases it
      release      End the hold of a service
      holds        Show what is held, by whom, and why
      rollback     Take services back: one commit on the tip, which is rolled out like any other
      reapply      Undo a rollback: its services go forward again, and its holds end
      suspects     Show what may be the cause of an alarm, the likeliest first
      logs         Show what a service of the local runtime has written
      down         Stop everything that the local runtime has started
      schema       Print the JSON Schema of a kind of file, for editors
      completions  Print the completions for a shell

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Where, for every command:
          --repo <PATH|URL>       The pin repository [default: the one around the current folder]
          --path <DIR>            The folder of the pins in it [default: the nearest folder upwards with
                                  a pintle.yaml, else the repository]
          --branch <NAME>         The branch that counts [default: the one that HEAD is on]
          --dangerous-plain-http  Fetch from a plain http URL, although whoever is on the way can change
                                  what is deployed
          --context <NAME>        The kubeconfig context [default: the current one]
      -n, --namespace <NAME>      For services that name no namespace [default: the one of pintle.yaml,
                                  else of the context]
          --cache-dir <DIR>       Where mirrors and indexes are kept; it can be deleted [default:
                                  $XDG_CACHE_HOME/pintle or ~/.cache/pintle] [env: PINTLE_CACHE_DIR]
          --color <WHEN>          When to use colour; auto heeds NO_COLOR and whether stdout is a
                                  terminal [default: auto] [possible values: auto, always, never]
      -v, --verbose...            Log what is done to stderr; twice for more

    Examples:
      pintle check
      pintle plan --from HEAD~1
      pintle apply

    Exit codes:
      0   done
      1   it failed, or the pins have errors
      2   there are changes (with --exit-code)
      3   applied, but not everything is healthy
      4   held or refused by a rule of the pins
      64  wrong arguments
    ");
}

#[test]
fn the_help_of_each_command_has_examples_and_exit_codes() {
    let repo = repo();
    let pintle = Pintle::in_repo(&repo);
    for command in
        ["check", "plan", "apply", "status", "pause", "resume", "graph", "history", "diff", "schema", "completions"]
    {
        let help = pintle.says(&format!("{command} --help"));
        assert_eq!(help.code, Some(0));
        assert!(help.out.contains(&format!("Examples:\n  pintle {command}")) || command == "completions", "{help}");
        assert!(help.out.contains("Exit codes:\n  0   done\n") && help.out.contains("  64  wrong"), "{help}");
    }
}

#[test]
fn what_means_nothing_is_a_usage_error() {
    let repo = repo();
    let pintle = Pintle::in_repo(&repo);
    let tries = [
        "",
        "chekc",
        "check --frobnicate",
        "check --output xml",
        "check --rev",
        "graph --format dot --output json",
        "history --limit -1",
        "status --watch --exit-code",
        "schema",
        "completions tcsh",
        "check --color sometimes",
    ];
    let told: Vec<String> = tries
        .iter()
        .map(|words| {
            let said = pintle.says(words);
            assert_eq!(said.code, Some(64), "{words}: {said}");
            format!("$ pintle {words}\n{}", said.err.lines().take(3).collect::<Vec<_>>().join("\n"))
        })
        .collect();
    assert_snapshot!(told.join("\n\n"), @"
    $ pintle 
    Steers what runs by what Git pins: every step compatible, in both directions

    Usage: pintle [OPTIONS] <COMMAND>

    $ pintle chekc
    error: unrecognized subcommand 'chekc'

      tip: some similar subcommands exist: 'schema', 'check'

    $ pintle check --frobnicate
    error: unexpected argument '--frobnicate' found

    Usage: pintle check [OPTIONS]

    $ pintle check --output xml
    error: invalid value 'xml' for '--output <FORMAT>'
      [possible values: table, json, yaml]


    $ pintle check --rev
    error: a value is required for '--rev <REV>' but none was supplied

    For more information, try '--help'.

    $ pintle graph --format dot --output json
    error: the argument '--format <FORMAT>' cannot be used with '--output <FORMAT>'

    Usage: pintle graph --format <FORMAT> [SERVICE]

    $ pintle history --limit -1
    error: unexpected argument '-1' found

      tip: to pass '-1' as a value, use '-- -1'

    $ pintle status --watch --exit-code
    error: the argument '--watch' cannot be used with '--exit-code'

    Usage: pintle status --watch [SERVICE]...

    $ pintle schema
    error: the following required arguments were not provided:
      <FILE>


    $ pintle completions tcsh
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]


    $ pintle check --color sometimes
    error: invalid value 'sometimes' for '--color <WHEN>'
      [possible values: auto, always, never]
    ");
}

#[test]
#[cfg(unix)]
fn an_argument_that_is_not_utf_8_is_a_usage_error() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let repo = repo();
    let said = Pintle::in_repo(&repo).run(&[OsStr::new("history"), OsStr::from_bytes(b"pay\xff")]);
    assert_snapshot!(said, @"
    --- stderr
    error: invalid UTF-8 was detected in one or more arguments

    Usage: pintle history [OPTIONS] [SERVICE]

    For more information, try '--help'.
    --- exit 64
    ");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let repo = repo();
    let pintle = Pintle::in_repo(&repo);
    for words in ["history payments", "completions bash", "schema service", "--help", "diff HEAD~1", "check"] {
        let words: Vec<&str> = words.split(' ').collect();
        let mut child = pintle.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((err.as_str(), child.wait().unwrap().code()), ("", Some(0)), "{words:?}");
    }
}

#[test]
fn an_error_whose_reader_has_gone_keeps_its_exit_code() {
    let repo = repo();
    let mut child = Pintle::in_repo(&repo).command(&["diff", "nope"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let repo = repo();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let pintle = Pintle::in_repo(&repo);
    let said = pintle.said(pintle.command(&["history"]).stdout(full).output().unwrap());
    assert_snapshot!(said, @"
    --- stderr
    error: stdout cannot be written: No space left on device (os error 28)
    --- exit 1
    ");
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let repo = repo();
    let colored = |pintle: &Pintle<'_>, words: &str| pintle.says(words).out.contains('\u{1b}');
    let pintle = Pintle::in_repo(&repo);
    assert!(!colored(&pintle, "history payments"));
    assert!(colored(&pintle, "history payments --color always"));
    let plain = Pintle::in_repo(&repo).env("NO_COLOR", "1");
    assert!(!colored(&plain, "history payments"));
    assert!(colored(&plain, "history payments --color always"), "a flag says more than the environment");
    let forced = Pintle::in_repo(&repo).env("CLICOLOR_FORCE", "1");
    assert!(colored(&forced, "history payments"));
    assert!(!colored(&forced, "history payments --color never"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_narrow_terminal_cuts_what_nobody_copies() {
    let repo = repo();
    let pintle = Pintle::in_repo(&repo).env("TERM", "dumb");
    let program = pintle.command(&["history", "payments"]);
    let Some(mut narrow) = on_terminal("stty cols 20 rows 9;", &program) else {
        return println!("skipped: no `script`");
    };
    narrow.stdout.retain(|byte| *byte != b'\r');
    assert_snapshot!(pintle.said(narrow).out, @"
    VERSION  MOVE       COMMIT    AUTHOR  WHEN (UTC)        STOOD     SUBJECT
    2.0.3    ↓ return   6ba3009b  Ada     2026-01-01 00:12  … so far  Change …
    2.2.0    ↑ upgrade  0fe56bc0  Ada     2026-01-01 00:09  3m        Change …
    2.1.0    ↑ upgrade  325eb769  Ada     2026-01-01 00:06  3m        Change …
    2.0.3    deploy     d5f9d947  Ada     2026-01-01 00:03  3m        Start
    ");
}

#[test]
fn the_log_says_which_source_of_a_setting_won() {
    let repo = repo();
    let pintle = Pintle::in_repo(&repo).env("PINTLE_CACHE_DIR", "/nonexistent/a");
    let said = pintle.says("check -v --cache-dir target/b");
    let line = said.err.lines().find(|line| line.contains("wins")).unwrap();
    assert_snapshot!(line.split_once("INFO ").unwrap().1, @"--cache-dir target/b wins over PINTLE_CACHE_DIR /nonexistent/a");
    assert!(!repo.path().join("target").exists() || said.code == Some(0));
}

#[test]
fn schemas_and_completions_are_printed() {
    let repo = repo();
    let pintle = Pintle::in_repo(&repo);
    for kind in ["settings", "service"] {
        let schema = pintle.says(&format!("schema {kind}")).out;
        assert!(serde_json::from_str::<serde_json::Value>(&schema).unwrap()["$schema"].is_string());
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(pintle.says(&format!("completions {shell}")).out.contains("history"), "{shell}");
    }
}
