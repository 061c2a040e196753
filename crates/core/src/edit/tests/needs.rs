//! Setting one need.

use insta::assert_snapshot;

use super::{Repo, need};

#[test]
fn a_need_is_set_where_needs_stand() {
    let start = "version: \"1.8.2\"\nimage: a/b\n";
    let after = |rest: &str| {
        let repo = Repo::checkout(&format!("{start}{rest}"));
        repo.after("checkout", need("1.8.3", "payments", ">=2.1, <3")).replace("version: \"1.8.3\"\nimage: a/b\n", "")
    };
    for (before, made) in [
        ("", "dependsOn: {payments: \">=2.1, <3\"}\n"),
        ("dependsOn: {}\n", "dependsOn: {payments: \">=2.1, <3\"}\n"),
        ("dependsOn: []\n", "dependsOn: {payments: \">=2.1, <3\"}\n"),
        ("dependsOn: {payments: '>=2.0'}\n", "dependsOn: {payments: '>=2.1, <3'}\n"),
        ("dependsOn: {inventory: ^1.4}\n", "dependsOn: {inventory: ^1.4, payments: \">=2.1, <3\"}\n"),
        (
            "dependsOn:\n  inventory: ^1.4 # c\n  # d\nexternal: true",
            "dependsOn:\n  inventory: ^1.4 # c\n  payments: \">=2.1, <3\"\n  # d\nexternal: true",
        ),
        ("dependsOn: [payments, inventory]\n", "dependsOn: {payments: \">=2.1, <3\", inventory: \"*\"}\n"),
        ("dependsOn: [inventory]\n", "dependsOn: {inventory: \"*\", payments: \">=2.1, <3\"}\n"),
        (
            "dependsOn:\n- inventory  # env\n# c\n- \"payments\" # env\n",
            "dependsOn:\n  inventory: \"*\"  # env\n# c\n  \"payments\": \">=2.1, <3\" # env\n",
        ),
        (
            "dependsOn:\n  -   inventory\n# end",
            "dependsOn:\n      inventory: \"*\"\n      payments: \">=2.1, <3\"\n# end",
        ),
        ("dependsOn: {payments: \">=2.1, <3\"}\n", "dependsOn: {payments: \">=2.1, <3\"}\n"),
    ] {
        assert_eq!(after(before), made);
    }
}

#[test]
fn a_table_is_not_changed_by_one_need() {
    let repo = Repo::checkout("version: 1.8.2\nimage: a/b\ndependsOn: {payments: {\"1.0\": \"*\"}}\n");
    assert_snapshot!(repo.after("checkout", need("1.8.3", "payments", "^2")), @"
    services/checkout.yaml:3:13: what `checkout` needs of `payments` stands in a table, for all versions
      add a row to the table, in this commit or the one before
    ");
}
