//! The tour: a repository, five services, customers, and what a user would type.

use std::fs::File;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::load::{Load, Seen};
use crate::pins::{AFTER, BAD, BEFORE, Needs, Pin, Repository};
use crate::{http, picture};

/// How long the tour stays with what there is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Long,
    Short,
}

/// Where it is shown.
struct Stage {
    /// The repository, and the state and cache of `pintle` beside it.
    folder: TempDir,
    shop: PathBuf,
    ports: Vec<(&'static str, u16)>,
    pace: Pace,
    /// Becomes true when somebody interrupts the tour.
    stop: watch::Receiver<bool>,
}

/// One way to do the same revert.
struct Way {
    name: &'static str,
    seen: Seen,
    began: Instant,
    took: Duration,
}

/// What went wrong, in words.
type Told<T = ()> = Result<T, String>;

/// Shows it, and leaves nothing running, however it ends.
pub(crate) async fn tour(pace: Pace) -> ExitCode {
    let stage = match Stage::set(pace) {
        Ok(stage) => stage,
        Err(why) => return failed(&why),
    };
    let told = stage.story().await;
    let struck = stage.strike().await;
    match told.and(struck) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => failed(&why),
    }
}

fn failed(why: &str) -> ExitCode {
    eprintln!("\nshop: {why}");
    ExitCode::FAILURE
}

/// Listens for Ctrl-C and SIGTERM.
fn interrupts() -> std::io::Result<watch::Receiver<bool>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.send_replace(true);
        stop.closed().await;
    });
    Ok(stopped)
}

impl Stage {
    fn set(pace: Pace) -> Told<Self> {
        let folder = TempDir::with_prefix("pintle-shop-").map_err(|error| format!("no temporary folder: {error}"))?;
        let shop = std::env::current_exe().map_err(|error| format!("this program is not found: {error}"))?;
        let listeners = BEFORE.map(|(name, ..)| (name, std::net::TcpListener::bind("127.0.0.1:0")));
        let mut ports = Vec::new();
        for (name, listener) in listeners {
            let port = listener.and_then(|listener| listener.local_addr()).map(|address| address.port());
            ports.push((name, port.map_err(|error| format!("no port for {name}: {error}"))?));
        }
        let interrupted = interrupts().map_err(|error| format!("no signals: {error}"))?;
        Ok(Self { folder, shop, ports, pace, stop: interrupted })
    }

    async fn story(&self) -> Told {
        println!("Five services on this machine:  web -> checkout -> payments -> ledger,  checkout -> inventory.");
        println!("Each is a process with a port. What they ask of each other changes between versions.");
        head("Deploy: each starts when what it needs is there");
        self.pin(&BEFORE, Needs::Said)?;
        self.git(&["init", "--quiet", "--initial-branch", "main"]).await?;
        self.commit("Pin what shall run").await?;
        self.apply().await?;

        let load = Load::start(&self.ports);
        self.stay().await?;
        load.take();
        head("Release: checkout 1.8 needs the new API of payments 2.1, and ledger 6 drops one that payments 2.0 uses");
        self.pin(&AFTER, Needs::Said)?;
        self.commit("Release 47").await?;
        self.pintle_ends(&["diff", "HEAD~1"], &[0]).await?;
        self.apply().await?;
        count(&load.take());

        head("Drift: a process dies, and the next apply puts back what is pinned");
        self.kill("inventory").await?;
        self.pintle_ends(&["status"], &[0, 3]).await?;
        self.apply().await?;
        self.stay().await?;
        load.take();

        head("Roll back: git revert, and the order is another one");
        self.type_git(&["revert", "--no-edit", "HEAD"]).await?;
        let pintle = self.way("Pintle's order", &load, self.apply()).await?;
        count(&pintle.seen);

        head("A bad release of two, and pintle rollback: what must go with payments, and why");
        let rollback = self.bad_release(&load).await?;

        head("The same revert without Pintle's order");
        println!(
            "The release again, and its revert by pins that say nothing of what versions need, so that nothing waits:"
        );
        println!(
            "first all in one commit, then in the order of the upgrade, as sync waves do it: one commit takes back"
        );
        println!("payments and inventory and is applied, the next one checkout and ledger.");
        self.release_unsaid().await?;
        let at_once = self.way("all at once", &load, self.quietly(&BEFORE)).await?;
        self.release_unsaid().await?;
        let upgrades = async {
            self.quietly(&[BEFORE[2], BEFORE[3]]).await?;
            self.quietly(&[BEFORE[1], BEFORE[4]]).await
        };
        let upgrades = self.way("the upgrade's order", &load, upgrades).await?;
        self.compare(&[pintle, rollback, at_once, upgrades])
    }

    /// A release with a fault that no health check sees, its rollback, a bot that does not know of it, and the way back.
    async fn bad_release(&self, load: &Load) -> Told<Way> {
        self.pin(&BAD, Needs::Said)?;
        self.commit("Release 48").await?;
        self.quiet_apply().await?;
        self.stay().await?;
        let back = async {
            self.pintle_ends(&["rollback", "payments", "--reason", "refunds are booked twice", "--yes"], &[0]).await?;
            self.apply_as_planned().await
        };
        let rollback = self.way("pintle rollback, of 2", load, back).await?;
        count(&rollback.seen);
        println!("\nA bot, which knows of versions and not of refunds, pins the newest one again. It is held:");
        self.bump("payments", "2.0.3", "2.1.0")?;
        self.commit("Bump payments to 2.1.0").await?;
        self.pintle_ends(&["plan"], &[0, 4]).await?;
        println!("\nThe fault was another one's. The rollback is undone, and its hold with it:");
        load.take();
        self.pintle_ends(&["reapply", "--reason", "refunds were right", "--yes"], &[0]).await?;
        self.apply_as_planned().await?;
        count(&load.take());
        Ok(rollback)
    }

    /// Does it, and sees what customers see meanwhile and shortly after.
    async fn way(&self, name: &'static str, load: &Load, what: impl Future<Output = Told>) -> Told<Way> {
        load.take();
        let began = Instant::now();
        what.await?;
        let took = began.elapsed();
        sleep(Duration::from_millis(200)).await;
        Ok(Way { name, seen: load.take(), began, took })
    }

    /// Back to the release, in a safe order, and then without a word of what versions need.
    async fn release_unsaid(&self) -> Told {
        self.pin(&AFTER, Needs::Said)?;
        self.git(&["commit", "--all", "--quiet", "--message", "Release 47 again"]).await?;
        self.quiet_apply().await?;
        self.pin(&AFTER, Needs::Unsaid)?;
        self.git(&["commit", "--all", "--quiet", "--message", "Say no more what versions need"]).await?;
        self.stay().await?;
        Ok(())
    }

    async fn quietly(&self, pins: &[Pin]) -> Told {
        self.pin(pins, Needs::Unsaid)?;
        self.git(&["commit", "--all", "--quiet", "--message", "Go back"]).await?;
        self.quiet_apply().await
    }

    fn compare(&self, ways: &[Way]) -> Told {
        head("Who ran which version when (# old, + both, . new), and where requests failed (x)");
        let services: Vec<&str> = self.ports.iter().map(|(name, _)| *name).collect();
        for way in ways {
            println!("\n  {}, {:.1} s", way.name, way.took.as_secs_f64());
            print!("{}", picture::draw(&services, &way.seen, way.began, way.took + Duration::from_millis(200)));
            for failure in way.seen.failures.iter().take(2) {
                println!("    such as: {failure}");
            }
        }
        println!("\n  {:22}{:>9}{:>9}{:>9}", "going back", "requests", "failed", "seconds");
        for Way { name, seen, took, .. } in ways {
            println!("  {name:22}{:>9}{:>9}{:>9.1}", seen.requests.len(), seen.failed(), took.as_secs_f64());
        }
        match ways.first() {
            Some(pintle) if pintle.seen.failed() > 0 => Err("requests failed in Pintle's order".to_owned()),
            _ => Ok(()),
        }
    }

    /// Stops all that runs.
    async fn strike(&self) -> Told {
        println!("\n$ pintle down");
        let down = self.spawn(self.pintle(&["down"]), Shown::All)?.wait().await;
        match down {
            Ok(status) if status.success() => Ok(()),
            _ => Err("pintle down has failed: something may still run".to_owned()),
        }
    }

    async fn kill(&self, name: &'static str) -> Told {
        let port = self.ports.iter().find(|(service, _)| *service == name).map_or(0, |(_, port)| *port);
        let (_, pid) = http::get(port, "/pid").await.map_err(|error| format!("{name}: {error}"))?;
        let mut kill = Command::new("kill");
        kill.args(["-9", &pid]);
        self.run(kill, &[0], Shown::Typed(&format!("kill -9 {pid}    # {name}"))).await
    }

    /// Moves one line, as a bot does.
    fn bump(&self, name: &str, from: &str, to: &str) -> Told {
        let file = self.repository().join(format!("services/{name}.yaml"));
        let line = |version: &str| format!("version: \"{version}\"");
        let bumped = std::fs::read_to_string(&file).map(|text| text.replacen(&line(from), &line(to), 1));
        bumped.and_then(|text| std::fs::write(&file, text)).map_err(|error| format!("{}: {error}", file.display()))
    }

    fn pin(&self, pins: &[Pin], needs: Needs) -> Told {
        let slowness = if self.pace == Pace::Long { 3 } else { 1 };
        let folder = self.repository();
        let repository = Repository { folder: &folder, shop: &self.shop, ports: &self.ports, slowness };
        let written = repository.settings().and_then(|()| repository.pin(pins, needs));
        written.map_err(|error| format!("{}: {error}", folder.display()))
    }

    async fn commit(&self, message: &str) -> Told {
        self.git(&["add", "--all"]).await?;
        self.type_git(&["commit", "--quiet", "--message", message]).await?;
        Ok(())
    }

    async fn apply(&self) -> Told {
        self.pintle_ends(&["apply", "--yes"], &[0]).await
    }

    /// What it prints was just shown.
    async fn apply_as_planned(&self) -> Told {
        println!("$ pintle apply --yes\n…");
        self.quiet_apply().await
    }

    async fn quiet_apply(&self) -> Told {
        self.run(self.pintle(&["apply", "--yes"]), &[0], Shown::Failure).await
    }

    async fn pintle_ends(&self, words: &[&str], codes: &[i32]) -> Told {
        self.run(self.pintle(words), codes, Shown::Typed(&format!("pintle {}", quoted(words)))).await
    }

    fn pintle(&self, words: &[&str]) -> Command {
        let mut pintle = Command::new(&self.shop);
        pintle.arg("pintle").args(words).env("XDG_STATE_HOME", self.folder.path());
        pintle.env("PINTLE_CACHE_DIR", self.folder.path().join("cache"));
        as_ada(pintle)
    }

    async fn git(&self, words: &[&str]) -> Told {
        self.run(git(words), &[0], Shown::Failure).await
    }

    async fn type_git(&self, words: &[&str]) -> Told {
        self.run(git(words), &[0], Shown::Typed(&format!("git {}", quoted(words)))).await
    }

    /// Runs it to its end, or until somebody interrupts the tour: then what was typed is interrupted too.
    async fn run(&self, command: Command, codes: &[i32], shown: Shown<'_>) -> Told {
        if let Shown::Typed(line) = shown {
            println!("$ {line}");
        }
        let words = format!("{:?}", command.as_std());
        let mut child = self.spawn(command, shown)?;
        let ended = match self.or_stop(child.wait()).await {
            Ok(ended) => ended.map_err(|error| format!("{words}: {error}"))?,
            Err(why) => {
                let _ = child.kill().await;
                return Err(why);
            }
        };
        match ended.code() {
            Some(code) if codes.contains(&code) => Ok(()),
            _ => {
                Err(format!("{words} ended with {ended}\n{}", std::fs::read_to_string(self.said()).unwrap_or_default()))
            }
        }
    }

    fn spawn(&self, mut command: Command, shown: Shown<'_>) -> Told<Child> {
        command.current_dir(self.repository()).stdin(Stdio::null());
        if let Shown::Failure = shown {
            let said = File::create(self.said()).map_err(|error| format!("{}: {error}", self.said().display()))?;
            command.stdout(Stdio::null()).stderr(said);
        }
        command.spawn().map_err(|error| format!("{:?}: {error}", command.as_std()))
    }

    /// Where it stands what a command said that is not shown.
    fn said(&self) -> PathBuf {
        self.folder.path().join("said")
    }

    fn repository(&self) -> PathBuf {
        let folder = self.folder.path().join("pins");
        let _ = std::fs::create_dir_all(&folder);
        folder
    }

    /// Looks on for a while.
    async fn stay(&self) -> Told {
        let while_ = if self.pace == Pace::Long { 1000 } else { 200 };
        self.or_stop(sleep(Duration::from_millis(while_))).await
    }

    async fn or_stop<T>(&self, what: impl Future<Output = T>) -> Told<T> {
        let mut stop = self.stop.clone();
        tokio::select! {
            done = what => Ok(done),
            _ = stop.wait_for(|stop| *stop) => Err("interrupted".to_owned()),
        }
    }
}

fn head(title: &str) {
    println!("\n== {title}\n");
}

fn count(seen: &Seen) {
    println!("Meanwhile: {} requests, {} failed.", seen.requests.len(), seen.failed());
}

/// As a user would type it.
fn quoted(words: &[&str]) -> String {
    let shown = words.iter().filter(|word| **word != "--quiet");
    let quoted = shown.map(|word| if word.contains(' ') { format!("{word:?}") } else { (*word).to_owned() });
    quoted.collect::<Vec<_>>().join(" ")
}

/// What is shown of a command.
#[derive(Clone, Copy)]
enum Shown<'a> {
    /// What a user would type, and all it prints.
    Typed(&'a str),
    /// All it prints.
    All,
    /// What it printed, where it fails.
    Failure,
}

fn git(words: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.args(words);
    as_ada(git)
}

/// Without the configuration of the user.
fn as_ada(mut command: Command) -> Command {
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.org");
    }
    command
}
