use crate::common::host::Host;

/// A service that a script keeps: the version that runs stands in a file. `start` fails for versions with `bad` in them.
fn kept_by_a_script(host: &Host, version: &str, rest: &str) {
    host.repo.write(
        "keep.sh",
        "case $1 in\n\
         start) case $PINTLE_VERSION in *bad*) echo \"no such release: $PINTLE_VERSION\" >&2; exit 7;; esac\n\
         sleep 0.3; echo \"$PINTLE_SERVICE $PINTLE_VERSION\" > running;;\n\
         stop) rm running;;\n\
         version) if test -f running; then cut -d' ' -f2 running; fi;;\n\
         health) test -f running;;\n\
         esac\n",
    );
    let words = ["start", "stop", "version", "health"].map(|word| format!("{word}: [sh, ./keep.sh, {word}]"));
    let local = words.join(", ");
    host.repo.write("services/outside.yaml", format!("version: \"{version}\"\nlocal: {{{local}}}\n{rest}"));
}

fn running(host: &Host) -> String {
    std::fs::read_to_string(host.repo.path().join("running")).unwrap_or_default().trim().to_owned()
}

#[tokio::test]
async fn four_commands_start_a_version_say_which_runs_and_stop_it() {
    let mut host = Host::new(&["payments 1.0"]);
    kept_by_a_script(&host, "1.0", "");
    host.pin("payments", "1.0", "dependsOn: {outside: \">=1.0\"}\n").commit("Add what a script keeps");
    let apply = host.apply().await;
    apply.line(&["payments", "waits until outside runs: payments 1.0 needs outside >=1.0"]);
    apply.line(&["outside 1.0 verified"]);
    assert_eq!((running(&host), host.version("payments")), ("outside 1.0".to_owned(), "1.0".to_owned()));
    host.apply().await.result(&["(0 changed)"]);

    kept_by_a_script(&host, "1.1", "");
    host.commit("Upgrade it");
    host.apply().await.line(&["outside 1.0 gone"]);
    assert_eq!(running(&host), "outside 1.1");

    // Somebody else deploys it: drift.
    host.repo.write("running", "outside 1.0\n");
    host.pintle(&["status"]).await.result(&["outside", "1.1", "1.0", "Healthy"]);
    host.apply().await;
    assert_eq!(running(&host), "outside 1.1");
    host.pintle(&["down"]).await.ended(0).result(&["2 services stopped"]);
    assert_eq!(running(&host), "");
}

#[tokio::test]
async fn a_start_that_fails_is_told_in_its_words_and_what_ran_stays() {
    let mut host = Host::new(&["payments 1.0"]);
    kept_by_a_script(&host, "1.0", "");
    host.commit("Add what a script keeps");
    host.apply().await;
    kept_by_a_script(&host, "1.1-bad", "");
    host.pin("payments", "1.1", "dependsOn: {outside: \">=1.1-bad\"}\n").commit("Upgrade to what is not there");
    let failed = host.apply_ends(3).await;
    failed.result(&["Failed: outside 1.1-bad:", "`start`: exit code 7: no such release: 1.1-bad"]);
    failed.result(&["Not started: payments"]);
    assert_eq!((running(&host), host.version("payments")), ("outside 1.0".to_owned(), "1.0".to_owned()));
    host.apply_ends(3).await.result(&["Failed: outside 1.1-bad:"]);
}
