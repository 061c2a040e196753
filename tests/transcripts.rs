use insta::assert_snapshot;

use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;
use crate::common::pushed::PinsClone;

/// web -> checkout -> payments, upgraded together after an hour.
fn release() -> TestRepo {
    let repo = TestRepo::for_pins();
    let pins = |payments: &str, checkout: &str, range: &str| {
        repo.pin("payments", payments, "").pin("web", "3.4", "dependsOn: [checkout]\n");
        repo.pin("checkout", checkout, &format!("dependsOn: {{payments: \"{range}\"}}\n"));
    };
    pins("2.0.3", "1.7.9", "^2");
    repo.commit("Pin what runs");
    pins("2.1.0", "1.8.2", ">=2.1, <3");
    repo.wait(3600).commit("Release 48");
    repo
}

/// What the commands print that only read the repository.
fn printed(words: &str) -> String {
    Pintle::in_repo(&release()).says(words).to_string()
}

#[test]
fn check_in_full() {
    let repo = release();
    repo.pin("payments", "2.0.3", "namspace: shop\n");
    assert_snapshot!(Pintle::in_repo(&repo).says("check"), @"
    error: `namspace` is not a key of a service file
     --> services/payments.yaml:3:1
      |
    3 | namspace: shop
      | ^^^^^^^^
      |
      = help: did you mean `namespace`?

    3 services: 1 error (… ms)
    --- exit 1
    ");
}

#[test]
fn plan_in_full() {
    assert_snapshot!(printed("plan --from HEAD~1"), @"
    Plan for 5fd65c3b (Release 48)
      against the pins at 94fd9437 (Pin what runs)

    Stage 1 (starts now)
      ~ payments  2.0.3 -> 2.1.0  upgrade

    Stage 2 (each starts when what it waits for has passed)
      ~ checkout  1.7.9 -> 1.8.2  upgrade
          waits until payments 2.0.3 is gone: checkout 1.8.2 needs payments >=2.1, <3

    On the way, and never seen together
      ? web 3.4 with checkout 1.8.2

    Plan: 2 changes in 2 stages.
    Takes about 1m (one by one: 1m, 30s assumed for each); replaces 2 pods, at most 1 above the usual number.
    ");
}

#[test]
fn graph_in_full() {
    assert_snapshot!(printed("graph"), @"
    web 3.4
    └─ checkout 1.8.2  *
       └─ payments 2.1.0  >=2.1, <3
    ");
}

#[test]
fn history_in_full() {
    assert_snapshot!(printed("history payments"), @"
    VERSION  MOVE       COMMIT    AUTHOR  WHEN (UTC)        STOOD     SUBJECT
    2.1.0    ↑ upgrade  5fd65c3b  Ada     2026-01-01 01:06  … so far  Release 48
    2.0.3    deploy     94fd9437  Ada     2026-01-01 00:03  1h 3m     Pin what runs
    ");
}

#[test]
fn diff_in_full() {
    assert_snapshot!(printed("diff HEAD~1"), @"
    SERVICE   FROM   TO     MOVE
    checkout  1.7.9  1.8.2  ↑ upgrade
      needs payments >=2.1, <3 (was ^2)
    payments  2.0.3  2.1.0  ↑ upgrade

    2 services: 2 upgrades
    ");
}

#[test]
fn suspects_in_full() {
    let repo = TestRepo::for_pins();
    repo.pin("payments", "2.0", "").pin("web", "3.4", "dependsOn: [payments]\n").commit("Start");
    repo.wait_for_today().wait(-7200).pin("payments", "2.1", "").commit("Upgrade payments");
    let said = Pintle::in_repo(&repo).says("suspects web").to_string();
    // How long ago it was, and the commit, which holds the time of today.
    let fixed = |line: &str| {
        let parts =
            line.split_once(" ago, by ").and_then(|(ago, by)| Some((ago.rsplit_once("  ")?.0, by.split_once(' ')?.1)));
        parts.map_or_else(|| format!("{line}\n"), |(change, subject)| format!("{change}  … ago, by COMMIT {subject}\n"))
    };
    assert_snapshot!(said.lines().map(fixed).collect::<String>(), @"
    Alarms
      ! web 3.4 is named by you

    Suspects, the likeliest first
      1 payments  2.0 -> 2.1  … ago, by COMMIT (Upgrade payments)
          web alarms and needs it
          pintle rollback payments
      2 web  nothing -> 3.4  … ago, by COMMIT (Start)
          it alarms itself
          it is its first pin: there is none to go back to
    --- exit 3
    ");
}

#[test]
fn rollback_in_full() {
    let shop = PinsClone::upgraded();
    assert_snapshot!(shop.says("rollback payments --yes --reason INC-47"), @"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    Rollback at c94e1881 (Upgrade both)
      targets from Git alone

      ~ payments  2.1.0 -> 2.0.3  asked for
          pinned 2026-01-01 00:03 UTC by 07d5e0bb (Start), stood 7m
      ~ checkout  1.9.0 -> 1.8.2  checkout 1.9.0 needs payments ^2.1
          pinned 2026-01-01 00:03 UTC by 07d5e0bb (Start), stood 7m

    Stage 1 (starts now)
      ~ checkout  1.9.0 -> 1.8.2  return

    Stage 2 (each starts when what it waits for has passed)
      ~ payments  2.1.0 -> 2.0.3  return
          waits until checkout 1.9.0 is gone: it needs payments ^2.1

    Plan: 2 changes in 2 stages.
    Takes about 1m (one by one: 1m, 30s assumed for each); replaces 2 pods, at most 1 above the usual number.

    Would be committed as
        Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2

        INC-47

        payments 2.1.0 -> 2.0.3: asked for
        checkout 1.9.0 -> 1.8.2: checkout 1.9.0 needs payments ^2.1

        Pintle-Reverts: c94e188182f1d8011104acecefbce0fcabe5fe07
        Pintle-Services: payments, checkout
        Pintle-Id: a63b153353ee9971
      and payments is held above 2.0.3 until somebody releases it
    commit on main, and push to origin/main
    ");
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2

    INC-47

    payments 2.1.0 -> 2.0.3: asked for
    checkout 1.9.0 -> 1.8.2: checkout 1.9.0 needs payments ^2.1

    Pintle-Reverts: c94e188182f1d8011104acecefbce0fcabe5fe07
    Pintle-Services: payments, checkout
    diff --git services/checkout.yaml services/checkout.yaml
    index bcaf732..131cbd8 100644
    --- services/checkout.yaml
    +++ services/checkout.yaml
    @@ -1 +1 @@
    -version: "1.9.0"
    +version: "1.8.2"
    @@ -3,3 +3 @@ image: ghcr.io/acme/checkout
    -dependsOn:
    -  # the new API
    -  payments: ^2.1
    +dependsOn: {payments: "^2"}
    diff --git services/payments.yaml services/payments.yaml
    index a9c2ff5..d0953cf 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -2 +2 @@
    -version: '2.1.0'   # new API
    +version: "2.0.3"   # new API
    @@ -3,0 +4 @@ image: ghcr.io/acme/payments
    +hold: {above: "2.0.3", reason: "INC-47", by: "Ada"}
    "#);
}

#[test]
fn reapply_in_full() {
    let shop = PinsClone::upgraded();
    shop.says("rollback payments --yes --reason INC-47");
    let rollback = shop.repo.head().to_hex();
    let said =
        shop.says("reapply --yes --reason mended").replace(&rollback, "ROLLBACK").replace(&rollback[..8], "ROLLBACK");
    // The id is made of the rollback's, which holds the time of today; and until today the pins stood.
    let lines = said.lines().filter(|line| !line.contains("Pintle-Id: "));
    let fixed =
        |line: &str| line.split_once(", stood ").map_or_else(|| line.to_owned(), |it| it.0.to_owned() + ", stood …");
    assert_snapshot!(lines.map(fixed).collect::<Vec<_>>().join("\n"), @"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    Reapply at ROLLBACK (Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2)
      targets from Git alone

      ~ checkout  1.8.2 -> 1.9.0  asked for
          pinned 2026-01-01 00:10 UTC by c94e1881 (Upgrade both), stood …
      ~ payments  2.0.3 -> 2.1.0  asked for
          pinned 2026-01-01 00:10 UTC by c94e1881 (Upgrade both), stood …

    Stage 1 (starts now)
      ~ payments  2.0.3 -> 2.1.0  return

    Stage 2 (each starts when what it waits for has passed)
      ~ checkout  1.8.2 -> 1.9.0  return
          waits until payments 2.0.3 is gone: checkout 1.9.0 needs payments ^2.1

    Plan: 2 changes in 2 stages.
    Takes about 1m (one by one: 1m, 30s assumed for each); replaces 2 pods, at most 1 above the usual number.

    Would be committed as
        Reapply pins: checkout 1.8.2 -> 1.9.0, payments 2.0.3 -> 2.1.0

        mended

        checkout 1.8.2 -> 1.9.0: asked for
        payments 2.0.3 -> 2.1.0: asked for

        This reverts commit ROLLBACK.

        Pintle-Reverts: ROLLBACK
        Pintle-Services: checkout, payments
      and payments is no longer held
    commit on main, and push to origin/main
    ");
}

#[test]
fn pin_in_full() {
    let shop = PinsClone::new();
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    services/payments.yaml
    @@ -1,2 +1,2 @@
    -version: "2.0.3"
    +version: "2.1.0"
     image: ghcr.io/acme/payments
    commit on main, and push to origin/main
    "#);
    assert_snapshot!(shop.shown(), @r#"
    Ada <ada@example.com>, Ada
    Pin payments 2.1.0

    payments 2.0.3 -> 2.1.0

    Pintle-Services: payments
    diff --git services/payments.yaml services/payments.yaml
    index 4febfe8..3a6f7b8 100644
    --- services/payments.yaml
    +++ services/payments.yaml
    @@ -1 +1 @@
    -version: "2.0.3"
    +version: "2.1.0"
    "#);
    assert_snapshot!(shop.says("pin payments 2.1.0 --yes"), @"
    --- stderr
    payments is pinned at 2.1.0 already
    ");
}

#[test]
fn hold_holds_and_release_in_full() {
    let shop = PinsClone::new();
    assert_snapshot!(shop.says("hold payments 2.0.3 --reason refunds --until 2099-12-01 --yes"), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    payments is held above 2.0.3 from then on
    services/payments.yaml
    @@ -1,2 +1,3 @@
     version: "2.0.3"
     image: ghcr.io/acme/payments
    +hold: {above: "2.0.3", reason: "refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    commit on main, and push to origin/main
    "#);
    assert_snapshot!(shop.says("holds"), @"
    SERVICE   PINNED  HELD         UNTIL (UTC)       BY   REASON
    payments  2.0.3   above 2.0.3  2099-12-01 00:00  Ada  refunds
    ");
    assert_snapshot!(shop.says("release payments --yes"), @r#"
    Committed COMMIT on main, pushed to origin/main.
    --- stderr
    services/payments.yaml
    @@ -1,3 +1,2 @@
     version: "2.0.3"
     image: ghcr.io/acme/payments
    -hold: {above: "2.0.3", reason: "refunds", by: "Ada", until: 2099-12-01T00:00:00Z}
    commit on main, and push to origin/main
    "#);
}

#[test]
fn init_in_full() {
    let repo = TestRepo::new();
    let image = |name: &str, tag: &str| format!("image:\n  repository: ghcr.io/acme/{name}\n  tag: \"{tag}\"\n");
    repo.write("apps/payments/values.yaml", image("payments", "2.0.3"));
    repo.save("apps/web/values.yaml", image("web", "3.4") + "env: {PAYMENTS_URL: \"http://payments\"}\n");
    assert_snapshot!(Pintle::in_repo(&repo).says("init"), @"
    Read 2 YAML files: 2 services.
      wrote pintle.yaml: 1 pattern for 2 services
      wrote services/web.yaml

    Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'
    2 services, 1 edge between 2 of them; 0 have none: pintle graph
    --- stderr
    looked at the repository only: there is no kubeconfig, and this is no pod of a cluster (failed to read an incluster environment variable: environment variable not found)
    ");
}
