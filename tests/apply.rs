use crate::common::recorder::Recorder;
use crate::common::shop::Shop;

#[tokio::test]
async fn an_upgrade_goes_provider_first_and_its_git_revert_consumer_first() {
    let shop = Shop::open(&["payments 2.0.3", "checkout 1.7.9"]).await;
    shop.pin("checkout", "1.7.9", "dependsOn: {payments: \"<2.1\"}\n").commit("Say what checkout needs");
    let recorder = Recorder::start(&shop.ns).await;
    shop.pin("payments", "2.1.0", "").pin("checkout", "1.8.2", "dependsOn: {payments: \">=2.0\"}\n");
    let upgrade = shop.commit("Upgrade both");

    let up = shop.apply().await;
    eprintln!("{}\n{}", up.err, up.out);
    assert_eq!((shop.version("payments").await, shop.version("checkout").await), ("2.1.0".into(), "1.8.2".into()));
    shop.repo.revert(upgrade);
    let down = shop.apply().await;
    eprintln!("{}\n{}", down.err, down.out);
    assert_eq!((shop.version("payments").await, shop.version("checkout").await), ("2.0.3".into(), "1.7.9".into()));
    drop(recorder);
}
