use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::limit::EMERGENCY;
use crate::common::shop::{Printed, Shop};
use crate::common::terminal::on_terminal;

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_terminal_is_drawn_on_in_place_with_colours_and_without() {
    let shop = Shop::open(&["payments 1.0"]).await;
    for (color, version) in [("always", "1.1 slow"), ("never", "1.2 slow")] {
        shop.pin("payments", version, "").commit("Upgrade payments");
        let program = shop.command(&["apply", "--yes", "--color", color]);
        let Some(drawn) = on_terminal("stty cols 30;", &program) else { return println!("skipped: no `script`") };
        let drawn = Printed::from(drawn).ended(0);
        drawn.result(&["~", "payments", "1 of 2 pods run the new template"]);
        // Each drawing is taken back, whatever its lines are cut to.
        let (drawings, taken_back) = ("\u{1b}[?7l ", "\u{1b}[?7h\u{1b}[2F\u{1b}[J");
        let count = |what: &str| drawn.out.matches(what).count();
        assert!(count(drawings) > 1 && count(drawings) == count(taken_back), "{}", drawn.out);
        assert_eq!(drawn.out.contains("\u{1b}[32mverified"), color == "always", "{}", drawn.out);
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_watch_is_shown_in_place_on_a_terminal_elsewhere_below_and_ends_with_its_reader() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.pin("payments", "1.1", "").commit("Upgrade payments");
    let watch = || shop.command(&["status", "--watch"]);
    let mut unread = watch().stdout(Stdio::piped()).spawn().unwrap();
    unread.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut on_file = watch().stdout(file.reopen().unwrap()).spawn().unwrap();
    let shown = async |what: &str| {
        let deadline = Instant::now() + EMERGENCY;
        while !std::fs::read_to_string(file.path()).unwrap().contains(what) {
            assert!(Instant::now() < deadline, "not {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    shown("0 of 1 in sync").await;
    shop.apply().await;
    shown("1 of 1 in sync").await;
    on_file.kill().unwrap();
    on_file.wait().unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(text.starts_with("SERVICE") && text.contains("\n\nSERVICE") && !text.contains('\u{1b}'), "{text}");
    assert!(unread.wait().unwrap().success(), "nobody reads it any more");
    let Some(drawn) = on_terminal("timeout 8", &watch()) else { return println!("skipped: no `script`") };
    let drawn = Printed::from(drawn).out;
    assert!(drawn.matches("\u{1b}[H\u{1b}[2J").count() >= 1, "{drawn}");
}
