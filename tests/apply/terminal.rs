use std::process::{Command, Stdio};

use crate::common::shop::{Printed, Shop};

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_terminal_is_drawn_on_in_place_with_colours_and_without() {
    let shop = Shop::open(&["payments 1.0"]).await;
    for (color, version) in [("always", "1.1 slow"), ("never", "1.2 slow")] {
        shop.pin("payments", version, "").commit("Upgrade payments");
        let pintle = shop.command(&[""; 0]);
        let mut script = Command::new("script");
        script.env_clear().envs(pintle.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let line = format!("stty cols 30; {} apply --yes --color {color}", env!("CARGO_BIN_EXE_pintle"));
        script.current_dir(shop.repo.path()).args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
        let Ok(drawn) = script.output() else { return eprintln!("no `script` here, skipped") };
        let drawn = Printed::from(drawn).ended(0);
        drawn.result(&["~", "payments", "1 of 2 pods run the new template"]);
        // Each drawing is taken back, whatever its lines are cut to.
        let (drawings, taken_back) = ("\u{1b}[?7l ", "\u{1b}[?7h\u{1b}[2F\u{1b}[J");
        let count = |what: &str| drawn.out.matches(what).count();
        assert!(count(drawings) > 1 && count(drawings) == count(taken_back), "{}", drawn.out);
        assert_eq!(drawn.out.contains("\u{1b}[32mverified"), color == "always", "{}", drawn.out);
    }
}
